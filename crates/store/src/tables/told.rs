//! Facts of the model as values of a row.

use std::net::IpAddr;

use entente_model::{
    ApplicationId, AttachmentKind, AttributeKind, BusSharing, ClusterId, DatastoreId, DiskMode,
    DiskSharing, FirmwareKind, HostId, Listing, Moment, NetworkId, Observed, PlatformId,
    PowerState, PrincipalKind, RawMapping, SwitchKind, Text, ToolsStatus, Uuid, WorkloadId,
    WorkloadKind,
};

use super::Fact;

/// Something that a row can hold.
pub(crate) trait Told {
    fn told(&self) -> Fact;
}

impl Told for bool {
    fn told(&self) -> Fact {
        Fact::Bool(*self)
    }
}

impl Told for u32 {
    fn told(&self) -> Fact {
        Fact::Int(i64::from(*self))
    }
}

impl Told for u64 {
    fn told(&self) -> Fact {
        // Eight exbibytes and more: no such thing has been seen, and none is made smaller here.
        i64::try_from(*self).map_or(Fact::None(Some(entente_model::Why::Unreadable)), Fact::Int)
    }
}

impl<T: Told> Told for Observed<T> {
    fn told(&self) -> Fact {
        match self {
            Self::Value(value) => value.told(),
            Self::Absent => Fact::None(None),
            Self::Unobserved(why) => Fact::None(Some(*why)),
        }
    }
}

impl<T: Told> Told for &T {
    fn told(&self) -> Fact {
        (**self).told()
    }
}

/// How many: known only of a list that is whole.
impl<T> Told for Listing<T> {
    fn told(&self) -> Fact {
        match self.why() {
            None => Fact::Int(i64::try_from(self.items.len()).unwrap_or(i64::MAX)),
            Some(why) => Fact::None(Some(why)),
        }
    }
}

/// All words of a list, each between spaces; what is missing from a list that is not whole is not in it.
pub(super) fn words(list: &Listing<Text>) -> Fact {
    match (list.items.is_empty(), list.why()) {
        (true, Some(why)) => Fact::None(Some(why)),
        (true, None) => Fact::Text(String::new()),
        (false, _) => Fact::Text(format!(" {} ", list.items.join(" "))),
    }
}

macro_rules! as_text {
    ($($type:ty)*) => {$(
        impl Told for $type {
            fn told(&self) -> Fact {
                Fact::Text(self.to_string())
            }
        }
    )*};
}

as_text! {
    str String Text Uuid IpAddr Moment
    ApplicationId ClusterId DatastoreId HostId NetworkId PlatformId WorkloadId
}

/// Kinds are told by the word that stands for them in all output.
macro_rules! as_word {
    ($($type:ty)*) => {$(
        impl Told for $type {
            fn told(&self) -> Fact {
                match serde_json::to_value(self) {
                    Ok(serde_json::Value::String(word)) => Fact::Text(word),
                    _ => Fact::None(Some(entente_model::Why::Unreadable)),
                }
            }
        }
    )*};
}

as_word! {
    AttachmentKind AttributeKind BusSharing DiskMode DiskSharing FirmwareKind PowerState PrincipalKind
    RawMapping SwitchKind ToolsStatus WorkloadKind
}
