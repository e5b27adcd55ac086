//! Facts in a form in which they can be compared; what is worth nothing is dropped here.

use entente_model::Uuid;

/// UUIDs that firmware and careless tools give to machines in general.
const WORTHLESS_UUIDS: [u128; 6] = [
    0x0300_0200_0400_0500_0006_0007_0008_0009,
    0x0002_0003_0004_0005_0006_0007_0008_0009,
    0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10,
    0x1234_5678_1234_5678_90ab_cdde_efaa_bbcc,
    0x1234_5678_1234_1234_1234_1234_5678_9abc,
    0x4c4c_4544_0000_2010_8020_80c0_4f20_2020,
];

/// Host names that images and installers give to machines in general.
const WORTHLESS_HOSTS: [&str; 38] = [
    "almalinux",
    "alpine",
    "amazonlinux",
    "archlinux",
    "centos",
    "changeme",
    "debian",
    "default",
    "desktop",
    "fedora",
    "freebsd",
    "golden",
    "host",
    "image",
    "kali",
    "linux",
    "localhost",
    "minint",
    "new-host",
    "nixos",
    "none",
    "openwrt",
    "oracle",
    "packer",
    "pfsense",
    "opnsense",
    "photon",
    "photon-machine",
    "raspberrypi",
    "rhel",
    "rocky",
    "server",
    "sles",
    "template",
    "ubuntu",
    "ubuntu-server",
    "unknown",
    "windows",
];

const GIB: u64 = 1 << 30;
const SMALL_STEP_BYTES: u64 = 16 << 20;

/// A UUID in the one of its two byte orders that sorts first; none where it tells nothing.
///
/// SMBIOS stores the first three fields little-endian since version 2.6; platforms and tools show them
/// either way.
pub(crate) fn uuid(given: Uuid) -> Option<Uuid> {
    let bytes = given.as_bytes();
    let first = bytes.first()?;
    if bytes.iter().all(|byte| byte == first) {
        return None;
    }
    let canonical = given.min(swapped(given));
    let is_worthless = |it: &u128| {
        let it = Uuid::from_u128(*it);
        it.min(swapped(it)) == canonical
    };
    (!WORTHLESS_UUIDS.iter().any(is_worthless)).then_some(canonical)
}

fn swapped(uuid: Uuid) -> Uuid {
    Uuid::from_bytes_le(*uuid.as_bytes())
}

/// A hardware address as a number; none where it is no address of one adapter.
pub(crate) fn mac(given: &str) -> Option<u64> {
    let mut number = 0_u64;
    let mut digits = 0_u32;
    for letter in given.trim().chars() {
        match letter.to_digit(16) {
            Some(digit) => {
                number = number << 4 | u64::from(digit);
                digits += 1;
            }
            None if matches!(letter, ':' | '-' | '.') => {}
            None => return None,
        }
        if digits > 12 {
            return None;
        }
    }
    let is_group_address = number >> 40 & 1 == 1;
    (digits == 12 && number != 0 && !is_group_address).then_some(number)
}

/// A hardware address as people write it.
pub(crate) fn written_mac(mac: u64) -> String {
    let [_, _, bytes @ ..] = mac.to_be_bytes();
    bytes.map(|byte| format!("{byte:02x}")).join(":")
}

/// A host name, lower case: its first label, and the rest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Host {
    pub label: String,
    pub domain: String,
}

impl Host {
    /// None where the name is an address, or one that images give to machines in general.
    pub(crate) fn new(given: &str) -> Option<Self> {
        let given = given.trim().trim_end_matches('.').to_lowercase();
        let (label, domain) = given.split_once('.').unwrap_or((&given, ""));
        let is_address = given.parse::<std::net::IpAddr>().is_ok();
        if label.is_empty() || is_address || WORTHLESS_HOSTS.contains(&label) {
            return None;
        }
        let domain = if domain == "localdomain" { "" } else { domain };
        Some(Self { label: label.to_owned(), domain: domain.to_owned() })
    }

    /// The same name: one may be told without its domain.
    pub(crate) fn fits(&self, other: &Self) -> bool {
        self.label == other.label
            && (self.domain == other.domain || self.domain.is_empty() || other.domain.is_empty())
    }
}

/// A name for comparison; none where it is blank.
pub(crate) fn name(given: &str) -> Option<String> {
    let name = given.trim().to_lowercase();
    (!name.is_empty()).then_some(name)
}

/// Capacities for comparison: to the nearest GiB, since targets round up to their extents (small disks
/// to 16 MiB), sorted. None where there is no disk.
pub(crate) fn disks(given: &[u64]) -> Option<Vec<u64>> {
    let mut sizes: Vec<u64> = given
        .iter()
        .map(|bytes| {
            let step = if *bytes >= GIB { GIB } else { SMALL_STEP_BYTES };
            bytes.saturating_add(step / 2) / step * step
        })
        .collect();
    sizes.sort_unstable();
    (!sizes.is_empty()).then_some(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_byte_orders_of_a_uuid_are_one_value() {
        let straight: Uuid = "42345678-9abc-def0-1122-334455667788".parse().unwrap();
        let swapped: Uuid = "78563442-bc9a-f0de-1122-334455667788".parse().unwrap();
        assert_eq!(uuid(straight), uuid(swapped));
        assert_ne!(uuid(straight), uuid(Uuid::from_u128(straight.as_u128() ^ 1)));
    }

    #[test]
    fn uuids_of_careless_firmware_are_worth_nothing_in_either_order() {
        assert_eq!(uuid(Uuid::nil()), None);
        assert_eq!(uuid(Uuid::max()), None);
        for text in ["03000200-0400-0500-0006-000700080009", "00020003-0004-0005-0006-000700080009"]
        {
            assert_eq!(uuid(text.parse().unwrap()), None);
        }
    }

    #[test]
    fn a_hardware_address_has_one_form() {
        assert_eq!(mac("00:50:56:AB:cd:01"), mac("0050.56ab.cd01"));
        assert_eq!(mac("00-50-56-ab-cd-01").map(written_mac), Some("00:50:56:ab:cd:01".into()));
        for nothing in
            ["", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "0050", "x"]
        {
            assert_eq!(mac(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_host_name_fits_with_and_without_its_domain() {
        let host = |text| Host::new(text).unwrap();
        assert!(host("WEB01").fits(&host("web01.corp.example.com.")));
        assert!(!host("db01.site-a.example").fits(&host("db01.site-b.example")));
        for nothing in ["localhost.localdomain", "template", " ", "10.0.0.7", "ubuntu"] {
            assert_eq!(Host::new(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn disks_that_grew_to_the_next_extent_are_the_same_size() {
        assert_eq!(disks(&[40 * GIB, 10 * GIB]), disks(&[10 * GIB + 4_194_304, 40 * GIB]));
        assert_ne!(disks(&[40 * GIB]), disks(&[41 * GIB]));
        assert_eq!(disks(&[]), None);
    }
}
