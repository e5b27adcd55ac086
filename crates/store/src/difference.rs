//! Which facts differ between two states of one thing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use serde_json::Value;

/// What became of one fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldChangeKind {
    /// It was one thing and is another.
    Changed,
    /// It was not known before: nothing is said about the world.
    Learned,
    /// It is not known any more.
    LostSight,
}

/// One fact that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// Where it stands: `disks[Hard disk 1].capacity_bytes`.
    pub field: String,
    /// What became of it.
    pub kind: FieldChangeKind,
    /// Before; `null` is an observed absence.
    pub before: Value,
    /// After.
    pub after: Value,
}

/// What names an item within a list, best first.
const NAMES: &[&str] = &["label", "native_id", "key", "mount", "path", "name", "workload"];

/// Facts that differ, in the order of the object.
pub(crate) fn difference(before: &Value, after: &Value) -> Vec<FieldChange> {
    let mut found = Vec::new();
    compare(String::new(), before, after, &mut found);
    found
}

fn compare(field: String, before: &Value, after: &Value, found: &mut Vec<FieldChange>) {
    if before == after {
        return;
    }
    let kind = match (is_unobserved(before), is_unobserved(after)) {
        // The reason why it is not known differs: nothing is known of the thing either way.
        (true, true) => return,
        (true, false) => FieldChangeKind::Learned,
        (false, true) => FieldChangeKind::LostSight,
        (false, false) => FieldChangeKind::Changed,
    };
    match (before, after) {
        (Value::Object(old), Value::Object(new))
            if kind == FieldChangeKind::Changed && is_listing(before) && is_listing(after) =>
        {
            let whole = |it: &serde_json::Map<String, Value>| {
                it.get("completeness").and_then(Value::as_str) == Some("complete")
            };
            let items = |it: &serde_json::Map<String, Value>| {
                it.get("items").and_then(Value::as_array).cloned().unwrap_or_default()
            };
            lists(&field, (&items(old), whole(old)), (&items(new), whole(new)), found);
        }
        (Value::Object(old), Value::Object(new)) if kind == FieldChangeKind::Changed => {
            let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let inner = if field.is_empty() { name.clone() } else { format!("{field}.{name}") };
                let get = |it: &serde_json::Map<String, Value>| {
                    it.get(name).cloned().unwrap_or(Value::Null)
                };
                compare(inner, &get(old), &get(new), found);
            }
        }
        (Value::Array(old), Value::Array(new)) => lists(&field, (old, true), (new, true), found),
        _ => found.push(FieldChange { field, kind, before: before.clone(), after: after.clone() }),
    }
}

/// Items by name; what is missing from a list that was not whole is not known, rather than gone.
fn lists(
    field: &str,
    (old, old_is_whole): (&[Value], bool),
    (new, new_is_whole): (&[Value], bool),
    found: &mut Vec<FieldChange>,
) {
    let named = |items: &'_ [Value]| -> BTreeMap<String, Value> {
        item_names(items).into_iter().zip(items.iter().cloned()).collect()
    };
    let (old, new) = (named(old), named(new));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let field = format!("{field}[{name}]");
        let (kind, before, after) = match (old.get(name).cloned(), new.get(name).cloned()) {
            (Some(before), Some(after)) => {
                compare(field, &before, &after, found);
                continue;
            }
            (Some(before), None) if new_is_whole => (FieldChangeKind::Changed, before, Value::Null),
            (Some(before), None) => (FieldChangeKind::LostSight, before, Value::Null),
            (None, after) => {
                let kind = match old_is_whole {
                    true => FieldChangeKind::Changed,
                    false => FieldChangeKind::Learned,
                };
                (kind, Value::Null, after.unwrap_or_default())
            }
        };
        found.push(FieldChange { field, kind, before, after });
    }
}

/// What tells the items of a list apart; a second one of the same name gets a number.
pub fn item_names(items: &[Value]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(items.len());
    let mut times: HashMap<String, usize> = HashMap::new();
    for (position, item) in items.iter().enumerate() {
        let name = match item {
            Value::String(text) => text.clone(),
            Value::Object(fields) => NAMES
                .iter()
                .filter_map(|it| fields.get(*it)?.as_str())
                .find(|it| !it.is_empty())
                .map_or_else(|| position.to_string(), str::to_owned),
            other => other.to_string(),
        };
        let times = times.entry(name.clone()).and_modify(|it| *it += 1).or_insert(1);
        names.push(if *times == 1 { name } else { format!("{name} #{times}") });
    }
    names
}

fn is_unobserved(value: &Value) -> bool {
    value.as_object().is_some_and(|it| it.len() == 1 && it.contains_key("unobserved"))
}

fn is_listing(value: &Value) -> bool {
    value.as_object().is_some_and(|it| {
        it.len() == 2 && it.contains_key("items") && it.contains_key("completeness")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(before: &Value, after: &Value) -> Vec<(String, FieldChangeKind)> {
        difference(before, after).into_iter().map(|it| (it.field, it.kind)).collect()
    }

    #[test]
    fn only_facts_that_differ_are_told_and_knowledge_is_told_from_change() {
        let before = json!({
            "name": "a", "power": "on", "cpu": {"count": 2, "limit": {"unobserved": "blank"}},
            "memory": 4, "note": {"unobserved": "blank"},
        });
        let after = json!({
            "name": "a", "power": "off", "cpu": {"count": 2, "limit": 5},
            "memory": {"unobserved": "no-permission"}, "note": {"unobserved": "call-failed"},
        });
        assert_eq!(
            shown(&before, &after),
            [
                ("cpu.limit".into(), FieldChangeKind::Learned),
                ("memory".into(), FieldChangeKind::LostSight),
                ("power".into(), FieldChangeKind::Changed),
            ]
        );
    }

    #[test]
    fn items_of_lists_are_told_by_name_and_lists_that_were_not_whole_prove_no_absence() {
        let list = |items: Value, completeness: Value| json!({"disks": {"items": items, "completeness": completeness}});
        let disk = |label: &str, size: u64| json!({"label": label, "size": size});
        let two = list(json!([disk("a", 1), disk("b", 2)]), json!("complete"));
        let one = list(json!([disk("b", 3)]), json!("complete"));
        let part = list(json!([disk("b", 2)]), json!({"incomplete": "no-permission"}));
        let (changed, lost, learned) =
            (FieldChangeKind::Changed, FieldChangeKind::LostSight, FieldChangeKind::Learned);
        let expect = [("disks[a]".into(), changed), ("disks[b].size".into(), changed)];
        assert_eq!(shown(&two, &one), expect);
        assert_eq!(shown(&two, &part), [("disks[a]".into(), lost)]);
        assert_eq!(shown(&part, &two), [("disks[a]".into(), learned)]);
    }
}
