//! Settings that bear on where a domain can live, and that have no field of their own in the model:
//! by the path in libvirt's XML.

use std::collections::BTreeSet;

use entente_model::{Listing, Setting, Text, Workload};

use super::domain::Document;
use super::networks::vlan;
use crate::libvirt::wire::reading::Read;
use crate::libvirt::wire::xml::Element;
use crate::secrets::redacted_value;

/// Settings, each once, in order.
struct Settings(BTreeSet<Setting>);

impl Settings {
    fn add(&mut self, key: impl Into<Text>, value: &str) {
        let key = key.into();
        let value = redacted_value(&key, value);
        self.0.insert(Setting { key, value });
    }

    fn maybe(&mut self, key: impl Into<Text>, value: Option<&str>) {
        if let Some(value) = value.filter(|it| !it.is_empty()) {
            self.add(key, value);
        }
    }
}

/// Maps them.
pub fn read(document: &Document<'_>, workload: &mut Workload) {
    let mut settings = Settings(BTreeSet::new());
    whole(document, &mut settings);
    processor(&document.now, &mut settings);
    memory(&document.now, &mut settings);
    features(&document.now, &mut settings);
    for disk in document.devices("disk") {
        self::disk(disk, &mut settings);
    }
    for (number, adapter) in document.devices("interface").enumerate() {
        interface(&format!("interface.net{number}"), adapter, &mut settings);
    }
    others(document, &mut settings);
    arguments(&document.now, &mut settings);
    if let Some(next) = &document.next {
        let changes = changes(&document.now, next);
        settings.maybe("pending", Some(&changes));
    }
    workload.advanced_settings = Listing::complete(settings.0.into_iter().collect());
}

fn whole(document: &Document<'_>, settings: &mut Settings) {
    let domain = &document.now;
    let yes_no = |read: &Read<bool>| read.as_ref().ok().map(|it| if *it { "yes" } else { "no" });
    settings.maybe("persistent", yes_no(&document.reading.persistent));
    settings.maybe("autostart", yes_no(&document.reading.autostart));
    settings.maybe("type", domain.attribute("type"));
    settings.maybe("arch", domain.attribute_at("os/type", "arch"));
    settings.maybe("machine", domain.attribute_at("os/type", "machine"));
    settings.maybe("os.type", domain.text_at("os/type"));
    settings.maybe("emulator", domain.text_at("devices/emulator"));
    for path in ["os/loader", "os/nvram", "os/kernel", "os/initrd", "os/cmdline"] {
        settings.maybe(path.replace('/', "."), domain.text_at(path));
    }
    let boot: Vec<_> = domain
        .at("os")
        .into_iter()
        .flat_map(|it| it.all("boot"))
        .filter_map(|it| it.attribute("dev"))
        .collect();
    settings.maybe("os.boot", Some(&boot.join(",")));
    settings.maybe("clock.offset", domain.attribute_at("clock", "offset"));
    for event in ["on_poweroff", "on_reboot", "on_crash", "on_lockfailure"] {
        settings.maybe(event, domain.text_at(event));
    }
    settings.maybe("iothreads", domain.text_at("iothreads"));
    settings.maybe("launchSecurity", domain.attribute_at("launchSecurity", "type"));
    let labels: Vec<_> = domain.all("seclabel").filter_map(|it| it.attribute("model")).collect();
    settings.maybe("seclabel", Some(&labels.join(",")));
}

fn processor(domain: &Element, settings: &mut Settings) {
    let Some(cpu) = domain.at("cpu") else { return };
    settings.maybe("cpu.mode", cpu.attribute("mode"));
    settings.maybe("cpu.model", cpu.text_at("model"));
    settings.maybe("cpu.match", cpu.attribute("match"));
    settings.maybe("cpu.check", cpu.attribute("check"));
    settings.maybe("cpu.migratable", cpu.attribute("migratable"));
    let features: Vec<_> = cpu
        .all("feature")
        .filter_map(|it| Some(format!("{}={}", it.attribute("name")?, it.attribute("policy")?)))
        .collect();
    settings.maybe("cpu.features", Some(&features.join(" ")));
    let cells = cpu.at("numa").map_or(0, |it| it.all("cell").count());
    if cells > 0 {
        settings.add("cpu.numa.cells", &cells.to_string());
    }
    let tune = domain.at("cputune");
    for (key, name) in [("shares", "shares"), ("quota", "quota"), ("period", "period")] {
        settings.maybe(format!("cputune.{key}"), tune.and_then(|it| it.text_at(name)));
    }
    let emulator = tune.and_then(|it| it.attribute_at("emulatorpin", "cpuset"));
    settings.maybe("cputune.emulatorpin", emulator);
    settings.maybe("numatune.mode", domain.attribute_at("numatune/memory", "mode"));
}

fn memory(domain: &Element, settings: &mut Settings) {
    let Some(backing) = domain.at("memoryBacking") else { return };
    if let Some(pages) = backing.at("hugepages") {
        let sizes: Vec<_> = pages
            .all("page")
            .filter_map(|it| Some(format!("{}{}", it.attribute("size")?, it.attribute("unit")?)))
            .collect();
        let sizes = if sizes.is_empty() { "default".to_owned() } else { sizes.join(",") };
        settings.add("memoryBacking.hugepages", &sizes);
    }
    settings.maybe("memoryBacking.source", backing.attribute_at("source", "type"));
    settings.maybe("memoryBacking.access", backing.attribute_at("access", "mode"));
    for name in ["locked", "nosharepages", "discard"] {
        settings.maybe(format!("memoryBacking.{name}"), backing.at(name).map(|_| "yes"));
    }
}

fn features(domain: &Element, settings: &mut Settings) {
    let Some(features) = domain.at("features") else { return };
    for feature in &features.children {
        let on = feature.attribute("state").unwrap_or("on");
        settings.add(format!("features.{}", feature.name), on);
        for detail in &feature.children {
            let state = detail.attribute("state").unwrap_or("on");
            settings.add(format!("features.{}.{}", feature.name, detail.name), state);
        }
    }
}

fn disk(disk: &Element, settings: &mut Settings) {
    let Some(target) = disk.attribute_at("target", "dev") else { return };
    let mut add =
        |key: &str, value: Option<&str>| settings.maybe(format!("disk.{target}.{key}"), value);
    add("device", disk.attribute("device").filter(|it| *it != "disk"));
    add("source", disk.attribute("type"));
    for name in ["type", "cache", "io", "discard", "iothread", "error_policy"] {
        add(name, disk.attribute_at("driver", name));
    }
    add("serial", disk.text_at("serial"));
    add("wwn", disk.text_at("wwn"));
    add("boot", disk.attribute_at("boot", "order"));
    add("protocol", disk.attribute_at("source", "protocol"));
    add("readonly", disk.at("readonly").map(|_| "yes"));
    add("limits", disk.at("iotune").map(Element::write).as_deref());
    let backing = disk.at("backingStore/source");
    add("backing", backing.and_then(|it| it.attribute("file").or(it.attribute("dev"))));
}

fn interface(key: &str, adapter: &Element, settings: &mut Settings) {
    let mut add = |name: &str, value: Option<&str>| settings.maybe(format!("{key}.{name}"), value);
    add("type", adapter.attribute("type"));
    add("mode", adapter.attribute_at("source", "mode"));
    add("portgroup", adapter.attribute_at("source", "portgroup"));
    add("vlan", vlan(adapter).value().map(Text::as_str));
    add("boot", adapter.attribute_at("boot", "order"));
    add("driver", adapter.attribute_at("driver", "name"));
    add("queues", adapter.attribute_at("driver", "queues"));
    add("mtu", adapter.attribute_at("mtu", "size"));
    add("isolated", adapter.attribute_at("port", "isolated"));
    add("virtualport", adapter.attribute_at("virtualport", "type"));
    add("trust", adapter.attribute("trustGuestRxFilters"));
    add("bandwidth", adapter.at("bandwidth").map(Element::write).as_deref());
    if let Some(filter) = adapter.at("filterref") {
        let mut parts = vec![filter.attribute("filter").unwrap_or_default().to_owned()];
        parts.extend(filter.all("parameter").filter_map(|it| {
            Some(format!("{}={}", it.attribute("name")?, it.attribute("value")?))
        }));
        add("filterref", Some(&parts.join(" ")));
    }
}

/// Devices that matter where a domain is to live elsewhere.
fn others(document: &Document<'_>, settings: &mut Settings) {
    let kinds = [
        ("graphics", "type"),
        ("video", "model"),
        ("sound", "model"),
        ("watchdog", "model"),
        ("rng", "model"),
        ("panic", "model"),
        ("shmem", "name"),
        ("vsock", "model"),
        ("smartcard", "mode"),
        ("redirdev", "bus"),
        ("memballoon", "model"),
        ("iommu", "model"),
        ("parallel", "type"),
        ("crypto", "model"),
    ];
    for (kind, attribute) in kinds {
        for (number, device) in document.devices(kind).enumerate() {
            let inner = device.attribute_at("model", "type");
            let value = device.attribute(attribute).or(inner).unwrap_or("yes");
            settings.add(format!("{kind}.{number}"), value);
        }
    }
    for (number, device) in document.devices("filesystem").enumerate() {
        let kind = device.attribute_at("driver", "type").unwrap_or("path");
        let from = device.attribute_at("source", "dir").unwrap_or_default();
        let to = device.attribute_at("target", "dir").unwrap_or_default();
        settings.add(format!("filesystem.{number}"), &format!("{kind} {from} {to}"));
    }
    for (number, device) in document.devices("tpm").enumerate() {
        let model = device.attribute("model").unwrap_or_default();
        let backend = device.attribute_at("backend", "type").unwrap_or_default();
        let version = device.attribute_at("backend", "version").unwrap_or_default();
        settings.add(format!("tpm.{number}"), format!("{model} {backend} {version}").trim());
    }
    for (number, device) in document.devices("hostdev").enumerate() {
        let kind = device.attribute("type").unwrap_or_default();
        settings.add(format!("hostdev.{number}"), kind);
    }
    for (number, device) in document.devices("memory").enumerate() {
        settings.maybe(format!("memory.{number}"), device.attribute("model"));
    }
}

/// Arguments past libvirt, to QEMU itself.
fn arguments(domain: &Element, settings: &mut Settings) {
    for element in domain.children.iter().filter(|it| it.name.ends_with(":commandline")) {
        let values = element.children.iter().map(|it| {
            let named = it.attribute("name").map(|name| format!("{name}="));
            format!("{}{}", named.unwrap_or_default(), it.attribute("value").unwrap_or_default())
        });
        let line = values.collect::<Vec<_>>().join(" ");
        settings.add(element.name.as_str(), &line);
    }
}

/// What will differ at the next start.
fn changes(now: &Element, next: &Element) -> String {
    let attribute = |domain: &Element, kind: &str, path: &'static str, name: &'static str| {
        let devices = domain.at("devices");
        let all = devices.map(|it| it.children.as_slice()).unwrap_or_default();
        let all = all.iter().filter(|it| it.name == kind);
        all.filter_map(|it| it.attribute_at(path, name).map(str::to_owned)).collect::<BTreeSet<_>>()
    };
    let differs = |path: &str| now.text_at(path) != next.text_at(path);
    let of =
        |kind, path, name| attribute(now, kind, path, name) != attribute(next, kind, path, name);
    let changes = [
        ("vcpu", differs("vcpu")),
        ("memory", differs("memory")),
        ("disks", of("disk", "target", "dev")),
        ("interfaces", of("interface", "mac", "address")),
        ("title", differs("title") || differs("description")),
    ];
    changes.iter().filter(|it| it.1).map(|it| it.0).collect::<Vec<_>>().join(",")
}
