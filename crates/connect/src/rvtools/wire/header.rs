//! The header row: which column is where, under whatever spelling.

use std::collections::HashMap;

use entente_model::{GapCause, Text, Why};

use super::columns::{ALIASES, INTERNAL_NAMES, SINCE, Tab, Version};
use super::gaps::GapLog;
use crate::tables::{Cell, Row};

/// A column of a tab: where it is, or why it is not there.
#[derive(Clone, Debug)]
pub(in crate::rvtools) struct Column {
    pub(super) index: Result<usize, Why>,
    /// As the export writes it; as the format does where the export lacks it.
    pub(in crate::rvtools) header: Text,
}

impl Column {
    /// True if the export has it.
    pub(in crate::rvtools) fn is_there(&self) -> bool {
        self.index.is_ok()
    }
}

/// Declares the columns that a reader of one tab's rows looks at: a field for each, bound to its
/// place by `bind`, with all their headers in `NAMES`.
macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $header:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub(in crate::rvtools) struct $name {
            $(pub(in crate::rvtools) $field: Column,)*
        }

        impl $name {
            #[expect(clippy::allow_attributes, reason = "some readers are never logged")]
            #[allow(dead_code)]
            pub(in crate::rvtools) const NAMES: &'static [&'static str] = &[$($header),*];

            pub(in crate::rvtools) fn bind(header: &Header, version: Option<Version>) -> Self {
                Self { $($field: header.column($header, version),)* }
            }
        }
    )*};
}
pub(in crate::rvtools) use columns;

/// The header row of one tab.
#[derive(Debug)]
pub(in crate::rvtools) struct Header {
    tab: &'static Tab,
    /// Position and spelling by the format's own header.
    known: HashMap<&'static str, (usize, Text)>,
    /// Headers that the format does not have, by position.
    unknown: Vec<(usize, Text)>,
}

impl Header {
    /// Reads the header row of `tab`.
    pub(in crate::rvtools) fn read(row: &Row<'_>, tab: &'static Tab) -> Self {
        let mut header = Self { tab, known: HashMap::new(), unknown: Vec::new() };
        for index in 0..row.len() {
            let text = match row.cell(index) {
                Cell::Text(text) => text,
                Cell::Empty => continue,
                _ => "",
            };
            match canonical(tab, text) {
                // The first of two equal headers is the format's own; the other was added.
                Some(name) if !header.known.contains_key(name) => {
                    header.known.insert(name, (index, Text::new(text)));
                }
                _ => header.unknown.push((index, Text::new(text))),
            }
        }
        header
    }

    /// How many headers are the format's own.
    pub(in crate::rvtools) fn known_count(&self) -> usize {
        self.known.len()
    }

    pub(in crate::rvtools) fn has(&self, name: &str) -> bool {
        self.known.contains_key(name)
    }

    /// True if a header of the format is spelled like this in the export (`MB` against `MiB`).
    pub(in crate::rvtools) fn spells(&self, part: &str) -> bool {
        self.known.values().any(|(_, text)| text.contains(part))
    }

    /// The column of this name.
    pub(in crate::rvtools) fn column(
        &self,
        name: &'static str,
        version: Option<Version>,
    ) -> Column {
        match self.known.get(name) {
            Some((index, header)) => Column { index: Ok(*index), header: header.clone() },
            None => Column {
                index: Err(why_missing(self.tab, name, version)),
                header: Text::new_static(name),
            },
        }
    }

    /// Custom attributes and tags: columns of their own between the notes (or the object's id) and
    /// the format's trailing columns, or after all of those in older versions.
    pub(in crate::rvtools) fn attributes(&self) -> Vec<Column> {
        self.unknown
            .iter()
            .filter(|(index, _)| self.is_attribute(*index))
            .map(|(index, header)| Column { index: Ok(*index), header: header.clone() })
            .collect()
    }

    fn is_attribute(&self, index: usize) -> bool {
        let at = |name: &str| self.known.get(name).map(|(index, _)| *index);
        let after = at("Annotation").or_else(|| at("Object ID"));
        let before = at("Datacenter").filter(|_| at("Annotation").is_some());
        let before = before.or_else(|| at("VI SDK Server")).or_else(|| at("VI SDK UUID"));
        let last = self.known.values().map(|(index, _)| *index).max().unwrap_or(0);
        match (after, before) {
            (Some(after), Some(before)) => (index > after && index < before) || index > last,
            (Some(after), None) => index > after,
            (None, _) => false,
        }
    }

    /// Logs columns that are not the format's, and those of `read` that are missing though this
    /// version has them.
    pub(in crate::rvtools) fn log(
        &self,
        version: Option<Version>,
        read: &[&'static str],
        log: &mut GapLog,
    ) {
        for (index, header) in &self.unknown {
            let duplicate = canonical(self.tab, header).is_some();
            if duplicate {
                log.column(
                    GapCause::UnknownField,
                    header,
                    "a second column of this name: only the first is read",
                );
            } else if !self.is_attribute(*index) {
                log.column(
                    GapCause::UnknownField,
                    header,
                    "not a column of the format, and not where custom attributes stand: not read",
                );
            }
        }
        for name in read {
            let is_of_tab = self.tab.columns().any(|column| column == *name);
            if is_of_tab
                && !self.has(name)
                && why_missing(self.tab, name, version) == Why::NotInExport
            {
                log.column(
                    GapCause::MissingField,
                    name,
                    "the column is missing from this export: what only it tells stays unobserved",
                );
            }
        }
    }
}

fn why_missing(tab: &Tab, name: &str, version: Option<Version>) -> Why {
    let since = SINCE
        .iter()
        .find(|(of, column, _)| (*of == "*" || *of == tab.name) && *column == name)
        .map(|(_, _, since)| *since);
    match (since, version) {
        (Some(since), Some(version)) if version < since => Why::NotInVersion,
        _ => Why::NotInExport,
    }
}

/// The format's own header for what the export writes.
fn canonical(tab: &'static Tab, written: &str) -> Option<&'static str> {
    let folded = fold(written);
    let of_tab = |of: &str| of == "*" || of == tab.name;
    let by_header = tab.columns().find(|name| fold(name) == folded);
    let by_alias = || {
        ALIASES
            .iter()
            .find(|(of, alias, name)| {
                of_tab(of) && *alias == folded && tab.columns().any(|column| column == *name)
            })
            .map(|(_, _, name)| *name)
    };
    by_header.or_else(by_alias).or_else(|| by_internal_name(tab, written))
}

fn by_internal_name(tab: &'static Tab, written: &str) -> Option<&'static str> {
    let squeezed = squeeze(written);
    let bare = squeezed.strip_prefix(&squeeze(tab.name))?;
    let listed = INTERNAL_NAMES
        .iter()
        .find(|(of, name, _)| (*of == "*" || *of == tab.name) && *name == bare)
        .map(|(_, _, column)| *column)
        .filter(|column| tab.columns().any(|it| it == *column));
    listed.or_else(|| {
        tab.columns().find(|name| {
            let squeezed = squeeze(name);
            squeezed == bare || squeezed.strip_suffix("mib") == Some(bare)
        })
    })
}

/// A header without what versions and people change: case, spaces, and `MB` for `MiB`.
pub(in crate::rvtools) fn fold(header: &str) -> String {
    let mut folded = String::with_capacity(header.len());
    for word in header.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        match word.to_lowercase().as_str() {
            "mb" => folded.push_str("mib"),
            "kb" => folded.push_str("kib"),
            word => folded.push_str(word),
        }
    }
    folded
}

/// A header's letters and digits alone.
fn squeeze(header: &str) -> String {
    header.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(tab: &str, written: &str) -> Option<&'static str> {
        canonical(Tab::named(tab).unwrap(), written)
    }

    #[test]
    fn headers_of_every_version() {
        for (tab, written, expect) in [
            ("vPartition", "Free % ", "Free %"),
            ("vInfo", "In use  MB", "In Use MiB"),
            ("vInfo", "disk.EnableUUID", "EnableUUID"),
            ("vInfo", "vcenter uuid", "VI SDK UUID"),
            ("vInfo", "creation Date", "Creation date"),
            ("vUSB", "OS according to the VMware Tools", "OS according to the VMware tools"),
            ("vInfo", "vInfoVMName", "VM"),
            ("vInfo", "vInfoGuestHostName", "DNS Name"),
            ("vInfo", "vInfoProvisioned", "Provisioned MiB"),
            ("vInfo", "vInfoSRMPlaceHolder", "SRM Placeholder"),
            ("vInfo", "vInfoUUID", "VM UUID"),
            ("vHost", "vHostNumCpuCores", "# Cores"),
            ("vPartition", "vPartitionCapacityMiB", "Capacity MiB"),
            ("vMemory", "vMemorySizeMiB", "Size MiB"),
            ("vSnapshot", "Size MB (total)", "Size MiB (total)"),
        ] {
            assert_eq!(find(tab, written), Some(expect), "{tab} {written}");
        }
        assert_eq!(find("vInfo", "Owner"), None);
    }

    #[test]
    fn sheets_are_known_by_all_their_names() {
        for name in ["vInfo", "VINFO ", "tabvInfo", "RVTools_tabvInfo"] {
            assert_eq!(Tab::named(name).map(|tab| tab.name), Some("vInfo"), "{name}");
        }
        assert!(Tab::named("Sheet1").is_none());
    }

    #[test]
    fn a_missing_column_is_blamed_on_the_version_only_where_that_is_known() {
        let tab = Tab::named("vInfo").unwrap();
        assert_eq!(why_missing(tab, "EFI Secure boot", Some(Version::V4_1)), Why::NotInVersion);
        assert_eq!(why_missing(tab, "EFI Secure boot", Some(Version::V4_6)), Why::NotInExport);
        assert_eq!(why_missing(tab, "EFI Secure boot", None), Why::NotInExport);
        assert_eq!(why_missing(tab, "CPUs", Some(Version::V3_9)), Why::NotInExport);
    }
}
