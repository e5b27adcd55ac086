//! A made-up assessment of any size, for tests and for a look at the report.

mod estate;
mod workload;

pub use estate::assessment;

use entente_model::{Observed, Text, Why};

/// Targets of the made-up assessment.
pub const TARGETS: [(&str, &str); 4] = [
    ("ahv", "Nutanix AHV"),
    ("proxmox", "Proxmox VE"),
    ("kvm", "KVM / libvirt"),
    ("kubevirt", "KubeVirt"),
];

/// Names that try to leave the place where a page puts names.
pub const HOSTILE: [&str; 4] = [
    "<script>alert('name')</script>",
    "\"><img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "<!--<script>",
];

pub fn text(value: impl AsRef<str>) -> Text {
    Text::from(value.as_ref())
}

pub fn seen(value: impl AsRef<str>) -> Observed<Text> {
    Observed::Value(text(value))
}

pub fn gap<T>(why: Why) -> Observed<T> {
    Observed::Unobserved(why)
}

/// Even, repeatable scatter: the `salt`-th number of the `index`-th thing, below `below`.
pub fn scatter(index: u64, salt: u64, below: u64) -> u64 {
    let mut mixed =
        index.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ salt.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed ^= mixed >> 31;
    mixed = mixed.wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 29;
    mixed % below
}
