//! Firewall and virtual networks in the platform's own language: kept as they are, sorted, without
//! secrets. Which of it is in force takes all of it: the cluster's switch, the node's choice of a
//! backend, the guest's switch and that of each of its interfaces.

use entente_model::{Collection, NativePolicy, Text};
use serde_json::Value;

use super::{Context, Guest};
use crate::proxmox::collect::Answers;
use crate::secrets::redacted;

const FIREWALL: &str = "proxmox-firewall";
const SDN: &str = "proxmox-sdn";

/// Maps policies of the cluster, its nodes and its virtual networks.
pub(in crate::proxmox) fn policies(
    context: &Context<'_>,
    answers: &Answers,
    collection: &mut Collection,
) {
    for (call, args, value) in answers.iter() {
        if let Some((dialect, scope, name)) = place(call, args) {
            context.tally("policies", 1, true);
            collection.control.policies.push(policy(context, dialect, &scope, &name, value));
        }
    }
}

/// Where an answer belongs, if it is a policy.
fn place(call: &str, args: &[Text]) -> Option<(&'static str, Text, Text)> {
    let whole = || Text::new_static("cluster");
    let first = || args.first().cloned().unwrap_or_default();
    let of = |kind: &str| Text::from(format!("{kind}/{}", first()));
    if let Some(name) = call.strip_prefix("/cluster/firewall/") {
        // Lists of groups and sets name what is asked for one by one; groups may be empty.
        return Some(match name {
            "groups/{}" => (FIREWALL, whole(), of("group")),
            "ipset/{}" => (FIREWALL, whole(), of("ipset")),
            name => (FIREWALL, whole(), name.into()),
        });
    }
    if let Some(name) = call.strip_prefix("/nodes/{}/firewall/") {
        return Some((FIREWALL, of("node"), name.into()));
    }
    if let Some(rest) = call.strip_prefix("/cluster/sdn/") {
        return Some(match rest.strip_prefix("vnets/{}/") {
            Some(name) => match name.strip_prefix("firewall/") {
                Some(name) => (FIREWALL, of("vnet"), name.into()),
                None => (SDN, of("vnet"), name.into()),
            },
            None => (SDN, whole(), rest.into()),
        });
    }
    None
}

/// Maps policies of one guest, and which of its interfaces ask for them.
pub(in crate::proxmox) fn guest_policies(
    context: &Context<'_>,
    guest: &Guest,
    answers: &Answers,
    interfaces: Value,
) -> Vec<NativePolicy> {
    let scope = format!("vm/{}", guest.vmid);
    let mut policies = vec![policy(context, FIREWALL, &scope, "interfaces", &interfaces)];
    for (call, args, value) in answers.iter() {
        let Some((_, name)) = call.split_once("/firewall/") else { continue };
        let name = match (name, args.get(2)) {
            ("ipset/{}", Some(set)) => Text::from(format!("ipset/{set}")),
            (name, _) => name.into(),
        };
        policies.push(policy(context, FIREWALL, &scope, &name, value));
    }
    policies
}

fn policy(
    context: &Context<'_>,
    dialect: &'static str,
    scope: &str,
    name: &str,
    value: &Value,
) -> NativePolicy {
    let mut body = String::new();
    write(value, &mut body);
    NativePolicy {
        platform: context.platform.clone(),
        dialect: Text::new_static(dialect),
        scope: scope.into(),
        name: name.into(),
        body: body.into(),
    }
}

/// JSON with sorted keys; lists whose order means nothing are sorted, too; texts lose their secrets.
fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| key.as_str());
            out.push('{');
            for (at, (key, value)) in fields.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
        Value::Array(values) => {
            let mut parts: Vec<_> = values
                .iter()
                .map(|value| {
                    let mut part = String::new();
                    write(value, &mut part);
                    // Rules are evaluated by position, and come in any order.
                    (value.get("pos").and_then(Value::as_u64), part)
                })
                .collect();
            parts.sort();
            let parts: Vec<String> = parts.into_iter().map(|(_, part)| part).collect();
            out.push('[');
            out.push_str(&parts.join(","));
            out.push(']');
        }
        Value::String(text) => out.push_str(&Value::from(redacted(text).as_str()).to_string()),
        other => out.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_is_written_alike_whatever_the_order_in_which_it_came() {
        let check = |value: &Value, expect: &str| {
            let mut body = String::new();
            write(value, &mut body);
            assert_eq!(body, expect);
        };
        check(&json!({"b": 1, "a": [2, 1]}), r#"{"a":[1,2],"b":1}"#);
        check(
            &json!([{"pos": 10, "action": "DROP"}, {"pos": 9, "comment": "password: x1"}]),
            r#"[{"comment":"password: [redacted]","pos":9},{"action":"DROP","pos":10}]"#,
        );
    }

    #[test]
    fn every_level_has_its_scope() {
        let check = |call, args: &[&str], expect: (&'static str, &str, &str)| {
            let args: Vec<Text> = args.iter().map(|it| Text::from(*it)).collect();
            let (dialect, scope, name) = place(call, &args).unwrap();
            assert_eq!((dialect, scope.as_str(), name.as_str()), expect);
        };
        check("/cluster/firewall/groups/{}", &["web"], (FIREWALL, "cluster", "group/web"));
        check("/nodes/{}/firewall/options", &["pve1"], (FIREWALL, "node/pve1", "options"));
        check("/cluster/sdn/vnets/{}/firewall/rules", &["v1"], (FIREWALL, "vnet/v1", "rules"));
        check("/cluster/sdn/vnets/{}/subnets", &["v1"], (SDN, "vnet/v1", "subnets"));
        check("/cluster/sdn/zones", &[], (SDN, "cluster", "zones"));
        assert_eq!(place("/nodes/{}/status", &["pve1".into()]), None);
    }
}
