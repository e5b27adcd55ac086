//! How large machines are. A real one's properties take tens of kilobytes; somebody who wants them
//! smaller gets machines without what tells nothing, and who wants them larger gets more advanced
//! settings: real machines grow just there.

use super::super::xml::Writer;
use super::Telling;
use crate::random::Random;

/// How much is added to each machine on average.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::live::vsphere) struct Padding {
    pub bytes: usize,
    /// What is the same in most machines is left out.
    pub is_lean: bool,
}

/// Roughly what one added setting takes besides its value.
const SETTING_BYTES: usize = 120;

impl Padding {
    /// All advanced settings of a machine.
    pub(super) fn extra_config(self, w: &mut Writer, telling: &Telling<'_>) {
        let mut random = Random::of(&telling.machine.reference.id);
        telling.settings(w, &mut random, self.is_lean);
        let Some(bytes) = random.below(self.bytes as u64 + 1).checked_add(self.bytes as u64 / 2)
        else {
            return;
        };
        let mut left = usize::try_from(bytes).unwrap_or(0);
        let mut number = 0;
        while left > SETTING_BYTES {
            let length = (left - SETTING_BYTES).min(64 + random.below(700) as usize);
            setting(w, &format!("guestinfo.inventory.{number:03}"), &value(&mut random, length));
            left -= SETTING_BYTES + length;
            number += 1;
        }
    }
}

/// A value of about this length that is found nowhere else.
fn value(random: &mut Random, length: usize) -> String {
    const WORDS: [&str; 16] = [
        "service", "version", "running", "package", "listen", "release", "kernel", "module",
        "audit", "process", "agent", "driver", "patch", "memory", "socket", "account",
    ];
    let mut text = String::with_capacity(length + 24);
    while text.len() < length {
        let word = random.pick(&WORDS);
        text.push_str(word);
        text.push('=');
        text.push_str(&format!("{:x}", random.next() >> 24));
        text.push(';');
    }
    text
}

fn setting(w: &mut Writer, key: &str, value: &str) {
    w.node_as("extraConfig", "OptionValue", |w| {
        w.text("key", key);
        w.value_as("value", "xsd:string", value);
    });
}

impl Telling<'_> {
    fn settings(&self, w: &mut Writer, random: &mut Random, is_lean: bool) {
        let name = self.file_name();
        setting(w, "nvram", &format!("{name}.nvram"));
        if !is_lean {
            self.usual_settings(w, random, &name);
        }
        setting(w, "guestinfo.vmtools.versionNumber", self.tools_version());
        if self.workload.availability.disk_uuid_enabled.copied() == Some(true) {
            setting(w, "disk.EnableUUID", "TRUE");
        }
        for told in &self.workload.advanced_settings {
            setting(w, &told.key, &told.value);
        }
    }

    fn usual_settings(&self, w: &mut Writer, random: &mut Random, name: &str) {
        setting(w, "svga.present", "TRUE");
        setting(w, "hpet0.present", "TRUE");
        for bridge in ["0", "4", "5", "6", "7"] {
            setting(w, &format!("pciBridge{bridge}.present"), "TRUE");
        }
        setting(w, "scsi0.pciSlotNumber", "160");
        setting(w, "scsi0.sasWWID", &format!("50 05 05 {:012x}", random.next() >> 16));
        setting(w, "ethernet0.pciSlotNumber", "192");
        setting(w, "vmware.tools.internalversion", self.tools_version());
        setting(w, "vmware.tools.requiredversion", "12389");
        setting(w, "migrate.hostLog", &format!("{name}-{:08x}.hlog", random.next() >> 32));
        let swap = format!("{}{name}-{:08x}.vswp", self.folder_of_files(), random.next() >> 32);
        setting(w, "sched.swap.derivedName", &swap);
    }

    fn tools_version(&self) -> &str {
        self.workload.guest.tools.version.value().map_or("0", |it| it.as_str())
    }
}
