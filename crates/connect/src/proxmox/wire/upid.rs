//! Ids of tasks: `UPID:node:pid:pstart:starttime:type:id:user:`, numbers in hexadecimal.

use entente_model::Text;

/// What the id of a task tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::proxmox) struct Upid {
    /// Node on which it ran.
    pub node: Text,
    /// Seconds since 1970.
    pub started: u64,
    /// What it did: `qmstart`, `vzdump` …
    pub kind: Text,
    /// On what; empty = on nothing in particular.
    pub subject: Text,
    /// Who: a user, or a token of one.
    pub user: Text,
}

impl Upid {
    /// Reads an id.
    pub(in crate::proxmox) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("UPID:")?.split(':');
        let node = parts.next().filter(|it| !it.is_empty())?;
        let _process = u64::from_str_radix(parts.next()?, 16).ok()?;
        let _process_start = u64::from_str_radix(parts.next()?, 16).ok()?;
        let started = u64::from_str_radix(parts.next()?, 16).ok()?;
        let kind = parts.next().filter(|it| !it.is_empty())?;
        let subject = parts.next()?;
        let user = parts.next().filter(|it| !it.is_empty())?;
        Some(Self {
            node: node.into(),
            started,
            kind: kind.into(),
            subject: subject.into(),
            user: user.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_id_is_read() {
        let text = "UPID:vmpvetest2:00088CB8:01000DC8:6997161D:qmsnapshot:101:ops@pam:";
        let upid = Upid::parse(text).unwrap();
        assert_eq!((upid.node.as_str(), upid.started), ("vmpvetest2", 1_771_509_277));
        assert_eq!((upid.kind.as_str(), upid.subject.as_str()), ("qmsnapshot", "101"));
        assert_eq!(upid.user, "ops@pam");
        for wrong in ["", "UPID:", "UPID:n:x:0:0:t:1:u:", "UPID:n:0:0:0:t", "UPID:n:0:0:0:t:1:"] {
            assert_eq!(Upid::parse(wrong), None, "{wrong}");
        }
    }
}
