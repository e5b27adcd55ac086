//! Names as platforms and tools really show them.

use std::sync::LazyLock;

use super::*;
use crate::targets::Targets;

fn told(os: &str) -> String {
    static GUESTS: LazyLock<Guests> = LazyLock::new(|| Guests::builtin().unwrap());
    match GUESTS.recognise(os) {
        Recognition::Product(_, guest) => guest.id.to_string(),
        Recognition::Ambiguous(line) => format!("{}?", line.id),
        Recognition::Unrecognised => "-".to_owned(),
    }
}

#[test]
fn configured_names_tell_the_release() {
    for (os, id) in [
        ("Microsoft Windows Server 2025 (64-bit)", "windows-server-2025"),
        ("Microsoft Windows Server 2022 (64-bit)", "windows-server-2022"),
        ("Microsoft Windows Server 2019 (64-bit)", "windows-server-2019"),
        ("Microsoft Windows Server 2016 (64-bit)", "windows-server-2016"),
        ("Microsoft Windows Server 2012 R2 (64-bit)", "windows-server-2012-r2"),
        ("Microsoft Windows Server 2012 (64-bit)", "windows-server-2012"),
        ("Microsoft Windows Server 2008 R2 (64-bit)", "windows-server-2008-r2"),
        ("Microsoft Windows Server 2008 (32-bit)", "windows-server-2008"),
        ("Microsoft Windows Server 2003 Standard (32-bit)", "windows-server-2003"),
        ("Microsoft Windows 2000 Server", "windows-server-2000"),
        ("Microsoft Windows 11 (64-bit)", "windows-11"),
        ("Microsoft Windows 10 (64-bit)", "windows-10"),
        ("Microsoft Windows 8.x (64-bit)", "windows-8"),
        ("Microsoft Windows 7 (32-bit)", "windows-7"),
        ("Microsoft Windows XP Professional (32-bit)", "windows-xp"),
        ("Red Hat Enterprise Linux 8 (64-bit)", "rhel-8"),
        ("Red Hat Enterprise Linux 10 (64-bit)", "rhel-10"),
        ("Red Hat Enterprise Linux 6 (64-bit)", "rhel-6"),
        ("CentOS 7 (64-bit)", "centos-7"),
        ("Oracle Linux 8 (64-bit)", "oracle-linux-8"),
        ("SUSE Linux Enterprise 15 (64-bit)", "sles-15"),
        ("SUSE Linux Enterprise 12 (64-bit)", "sles-12"),
        ("Debian GNU/Linux 12 (64-bit)", "debian-12"),
        ("Debian GNU/Linux 9 (64-bit)", "debian-9"),
        ("Amazon Linux 2 (64-bit)", "amazon-linux-2"),
        ("FreeBSD 12 (64-bit)", "freebsd-12"),
        ("Oracle Solaris 11 (64-bit)", "solaris-11"),
    ] {
        assert_eq!(told(os), id, "{os}");
    }
}

#[test]
fn names_that_the_tools_report_tell_the_release() {
    for (os, id) in [
        ("Ubuntu 22.04.3 LTS", "ubuntu-22.04"),
        ("Ubuntu 20.04 LTS (64-bit)", "ubuntu-20.04"),
        ("Red Hat Enterprise Linux release 9.3 (Plow)", "rhel-9"),
        ("Red Hat Enterprise Linux Server release 7.9 (Maipo)", "rhel-7"),
        ("Linux 5.14.0-362.el9.x86_64 Red Hat Enterprise Linux 9.3 (Plow)", "rhel-9"),
        ("Linux 3.10.0-1160.el7.x86_64 CentOS Linux release 7.9.2009 (Core)", "centos-7"),
        ("CentOS Stream 9", "centos-stream-9"),
        ("Rocky Linux 9.4 (Blue Onyx)", "rocky-linux-9"),
        ("AlmaLinux 8.10 (Cerulean Leopard)", "almalinux-8"),
        ("Oracle Linux Server 8.9", "oracle-linux-8"),
        ("SUSE Linux Enterprise Server 15 SP5", "sles-15"),
        ("openSUSE Leap 15.5", "opensuse-leap-15"),
        ("Debian GNU/Linux 11 (bullseye)", "debian-11"),
        ("prettyName='Debian GNU/Linux 12 (bookworm)' distroName='debian'", "debian-12"),
        ("Windows Server 2012 R2 Standard, 64-bit (Build 9600)", "windows-server-2012-r2"),
        ("Windows Server® 2008 R2 Enterprise", "windows-server-2008-r2"),
        ("Microsoft Windows Server 2019 Standard", "windows-server-2019"),
        ("Windows 10 Enterprise, 64-bit (Build 19045.3930)", "windows-10"),
        ("FreeBSD 13.2-RELEASE", "freebsd-13"),
        ("VMware Photon OS 4.0", "photon-4"),
    ] {
        assert_eq!(told(os), id, "{os}");
    }
}

#[test]
fn a_name_that_leaves_the_release_open_is_ambiguous() {
    for (os, line) in [
        ("CentOS 4/5/6/7 (64-bit)", "centos?"),
        ("CentOS 4/5 or later (64-bit)", "centos?"),
        ("Oracle Linux 4/5/6/7 (64-bit)", "oracle-linux?"),
        ("Ubuntu Linux (64-bit)", "ubuntu?"),
        ("Microsoft Windows Server 2016 or later (64-bit)", "windows-server?"),
        ("FreeBSD 12 or later versions (64-bit)", "freebsd?"),
        ("FreeBSD Pre-11 versions (64-bit)", "freebsd?"),
        ("VMware Photon OS (64-bit)", "photon?"),
        ("Rocky Linux (64-bit)", "rocky-linux?"),
        ("Red Hat Fedora (64-bit)", "fedora?"),
        ("SUSE openSUSE (64-bit)", "opensuse?"),
        ("Apple macOS 12 (64-bit)", "macos?"),
        ("Other 3.x or later Linux (64-bit)", "linux?"),
        ("Other 2.6.x Linux (32-bit)", "linux?"),
        ("Other Linux (64-bit)", "linux?"),
        ("VMware ESXi 7.0", "vmware-esxi?"),
    ] {
        assert_eq!(told(os), line, "{os}");
    }
}

#[test]
fn nothing_is_recognised_in_what_names_nothing_or_two_products() {
    for os in
        ["", "Other (64-bit)", "(64-bit)", "Appliance 8", "Windows 10 or Ubuntu 22.04", "é 🦀"]
    {
        assert_eq!(told(os), "-", "{os}");
    }
}

#[test]
fn a_longer_number_is_not_a_minor_release() {
    assert_eq!(told("Debian GNU/Linux 120"), "debian?");
    assert_eq!(told("Red Hat Enterprise Linux 80"), "rhel?");
    assert_eq!(told("Ubuntu 22.041"), "ubuntu?");
}

#[test]
fn an_open_release_has_known_support_only_where_all_releases_agree() {
    let guests = Guests::builtin().unwrap();
    let support = |os: &str, target: &str| guests.recognise(os).support(target);
    assert_eq!(support("CentOS 4/5/6/7 (64-bit)", "kubevirt"), GuestSupport::Unsupported);
    assert_eq!(support("CentOS 4/5/6/7 (64-bit)", "ahv"), GuestSupport::Unrecognised);
    assert_eq!(support("Ubuntu Linux (64-bit)", "kvm"), GuestSupport::Unrecognised);
    assert_eq!(support("Apple macOS 12 (64-bit)", "proxmox"), GuestSupport::Unsupported);
    assert_eq!(support("Other Linux (64-bit)", "kvm"), GuestSupport::Unrecognised);
    assert_eq!(support("Something", "kvm"), GuestSupport::Unrecognised);
    assert_eq!(support("Rocky Linux 9", "kubevirt"), GuestSupport::Unsupported);
    assert_eq!(support("SUSE Linux Enterprise 15", "kubevirt"), GuestSupport::Supported);
}

#[test]
fn the_table_is_whole() {
    let guests = Guests::builtin().unwrap();
    let targets = Targets::builtin().unwrap();
    let mut ids = std::collections::BTreeSet::new();
    for line in guests.lines() {
        assert!(ids.insert(line.id.clone()), "{} twice", line.id);
        assert!(!line.names.is_empty(), "{}", line.id);
        for guest in &line.releases {
            assert!(ids.insert(guest.id.clone()), "{} twice", guest.id);
            let named: Vec<&str> = guest.support.keys().map(Text::as_str).collect();
            let mut all: Vec<&str> = targets.ids().collect();
            all.sort_unstable();
            assert_eq!(named, all, "{}", guest.id);
            assert!(guest.cycle.is_none() || line.lifecycle.is_some(), "{}", guest.id);
            assert_eq!(told(&guest.label), guest.id.as_str(), "its own label is not recognised");
        }
    }
}

#[test]
fn a_release_leads_to_its_support_window() {
    let guests = Guests::builtin().unwrap();
    let key = |os: &str| guests.recognise(os).lifecycle();
    assert_eq!(
        key("Microsoft Windows Server 2012 R2 (64-bit)"),
        Some(("windows-server", "2012-r2"))
    );
    assert_eq!(key("Ubuntu 22.04.3 LTS"), Some(("ubuntu", "22.04")));
    assert_eq!(key("Ubuntu Linux (64-bit)"), None);
    assert_eq!(key("CentOS 7 (64-bit)"), None);
}
