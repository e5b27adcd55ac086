//! What changed between two times.

/// One change of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The platform.
    pub platform: String,
    /// Which list it belongs to.
    pub kind: String,
    /// What it is.
    pub what: ChangeKind,
    /// Which facts, and how.
    pub fields: Vec<FieldChange>,
}

/// Kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It is new.
    Appeared,
    /// It is in another state.
    Changed,
    /// It is gone.
    Gone,
}

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Where it stands in the body: `disks[Hard disk 1].capacity_bytes`.
    pub path: String,
}
