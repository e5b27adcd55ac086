//! What Proxmox VE says: JSON that is loose about types, strings of properties inside it, and ids of
//! tasks. Nothing here knows the model.

mod gaps;
mod property;
mod record;
mod upid;

pub(super) use gaps::Gaps;
pub(super) use property::{Properties, items, size_bytes};
pub(super) use record::Record;
pub(super) use upid::Upid;

/// A key with a number at its end, `net0` → (`net`, 0).
pub(super) fn indexed(key: &str) -> Option<(&str, u32)> {
    let name = key.trim_end_matches(|it: char| it.is_ascii_digit());
    let number = key.get(name.len()..)?.parse().ok()?;
    (!name.is_empty()).then_some((name, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_indexed_key_is_a_word_and_a_number() {
        assert_eq!(indexed("net0"), Some(("net", 0)));
        assert_eq!(indexed("scsi30"), Some(("scsi", 30)));
        assert_eq!(indexed("name"), None);
        assert_eq!(indexed("7"), None);
    }
}
