//! What types there are: which fields they have, in which order, and of which type.
//!
//! A property path names only fields; what its value is called on the wire follows from here.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The types, from `schema.txt`.
pub(super) static SCHEMA: LazyLock<Schema> =
    LazyLock::new(|| Schema::read(include_str!("schema.txt")));

/// Types by name.
#[derive(Debug)]
pub(super) struct Schema {
    types: HashMap<&'static str, Type>,
    /// Names of types that extend another, sorted.
    extensions: HashMap<&'static str, Vec<&'static str>>,
}

/// One type.
#[derive(Debug)]
pub(super) struct Type {
    name: &'static str,
    base: Option<&'static str>,
    managed: bool,
    fields: Vec<Field>,
}

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub name: &'static str,
    pub kind: &'static str,
    pub many: bool,
}

impl Schema {
    fn read(text: &'static str) -> Self {
        let mut types = HashMap::new();
        let mut extensions: HashMap<_, Vec<_>> = HashMap::new();
        for line in text.lines().filter(|it| !it.starts_with('#')) {
            let mut words = line.split(' ');
            let (Some(name), Some(base)) = (words.next(), words.next()) else { continue };
            // Words of an enumeration: only tests look at them.
            if base == "=" {
                continue;
            }
            let managed = name.ends_with('*');
            let name = name.trim_end_matches('*');
            let base = Some(base).filter(|it| *it != "-");
            let fields = words.filter_map(field).collect();
            if let Some(base) = base {
                extensions.entry(base).or_default().push(name);
            }
            types.insert(name, Type { name, base, managed, fields });
        }
        Self { types, extensions }
    }

    /// The type of a managed object by the name that somebody gave.
    pub(super) fn managed(&self, name: &str) -> Option<&'static str> {
        self.types.get(name).filter(|it| it.managed).map(|it| it.name)
    }

    /// True if the table has a type of this name.
    #[cfg(test)]
    pub(super) fn has(&self, name: &str) -> bool {
        self.types.contains_key(name)
    }

    /// True if `name` is `wanted` or extends it.
    pub(super) fn is_a(&self, name: &str, wanted: &str) -> bool {
        self.lineage(name).any(|it| it.name == wanted)
            || matches!(wanted, "ManagedObject" | "ManagedObjectReference")
    }

    fn lineage<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Type> {
        std::iter::successors(self.types.get(name), |it| it.base.and_then(|it| self.types.get(it)))
    }

    /// All fields of a type, inherited ones first.
    pub(super) fn fields(&self, name: &str) -> Vec<Field> {
        let mut lineage: Vec<&Type> = self.lineage(name).collect();
        lineage.reverse();
        lineage.into_iter().flat_map(|it| it.fields.iter().copied()).collect()
    }

    /// The position of a field among those of a type; the last one where only an extension has it.
    pub(super) fn order(&self, name: &str, field: &str) -> usize {
        self.fields(name).iter().position(|it| it.name == field).unwrap_or(usize::MAX)
    }

    /// A field of a type, or of a type that extends it: paths follow what is there, not what was
    /// declared (`configurationEx.rule`).
    pub(super) fn field(&self, name: &str, field: &str) -> Option<Field> {
        let own = self.lineage(name).flat_map(|it| &it.fields).find(|it| it.name == field);
        own.copied().or_else(|| {
            let extensions = self.extensions.get(name)?;
            extensions.iter().find_map(|it| self.field(it, field))
        })
    }
}

fn field(text: &'static str) -> Option<Field> {
    let (name, kind) = text.split_once(':')?;
    let many = kind.ends_with("[]");
    Some(Field { name, kind: kind.trim_end_matches("[]"), many })
}

/// What a type is called on the wire.
pub(super) fn wire_name(kind: &str) -> String {
    match kind {
        "ref" => "ManagedObjectReference".to_owned(),
        "Link" | "MethodName" | "PropertyPath" | "TypeName" => "xsd:string".to_owned(),
        kind if kind.starts_with(|it: char| it.is_ascii_lowercase()) => format!("xsd:{kind}"),
        kind => kind.to_owned(),
    }
}

/// What a list of a type is called on the wire, and what each of its elements.
pub(super) fn list_name(kind: &str) -> (String, String) {
    let element = match kind {
        "ref" => "ManagedObjectReference",
        "Link" | "MethodName" | "PropertyPath" | "TypeName" => "string",
        kind => kind,
    };
    let mut letters = element.chars();
    let first = letters.next().map(|it| it.to_ascii_uppercase()).unwrap_or_default();
    (format!("ArrayOf{first}{}", letters.as_str()), element.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_through_inherited_and_extended_types() {
        let kind = |name, field| SCHEMA.field(name, field).map(|it| it.kind);
        assert_eq!(kind("VirtualMachine", "name"), Some("string"));
        assert_eq!(kind("ComputeResourceConfigInfo", "rule"), Some("ClusterRuleInfo"));
        assert_eq!(kind("VirtualMachine", "nonsense"), None);
        assert!(SCHEMA.is_a("ClusterComputeResource", "ComputeResource"));
        assert!(!SCHEMA.is_a("HostSystem", "VirtualMachine"));
    }

    #[test]
    fn types_go_by_their_names_on_the_wire() {
        assert_eq!(wire_name("int"), "xsd:int");
        assert_eq!(wire_name("VirtualMachinePowerState"), "VirtualMachinePowerState");
        assert_eq!(list_name("string"), ("ArrayOfString".into(), "string".into()));
        assert_eq!(
            list_name("ref"),
            ("ArrayOfManagedObjectReference".into(), "ManagedObjectReference".into())
        );
    }
}
