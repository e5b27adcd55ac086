//! What a full collection needs to be allowed, and what the account is allowed.

use std::collections::BTreeMap;

use entente_model::{GapCause, Text};
use serde_json::Value;

use crate::live::{Right, RightState};
use crate::proxmox::wire::Gaps;

/// A right, and what lacks without it.
pub(in crate::proxmox) struct Need {
    /// As told to people.
    pub right: Right,
    /// Privileges of which one is enough; their names differ between versions.
    pub privileges: &'static [&'static str],
    /// Must hold for everything below, too.
    pub below: bool,
    /// Lists from which things are missing without it.
    pub sections: &'static [&'static str],
}

const fn need(
    name: &'static str,
    scope: &'static str,
    needed_for: &'static str,
    privileges: &'static [&'static str],
    sections: &'static [&'static str],
) -> Need {
    // `/` itself holds what belongs to the whole; everything else is held by the paths below it.
    let below = !matches!(scope.as_bytes(), b"/");
    Need { right: Right { name, scope, needed_for }, privileges, below, sections }
}

/// Everything that a full collection needs. All of it is in the role `PVEAuditor`, save that agents
/// were asked with `VM.Monitor` before version 9.
pub(in crate::proxmox) static NEEDS: [Need; 8] = [
    need(
        "Sys.Audit",
        "/",
        "cluster, HA, backup jobs, the firewall of the cluster, metric servers, certificates",
        &["Sys.Audit"],
        &["clusters", "placement_rules", "protection_jobs", "attachments", "policies"],
    ),
    need(
        "Sys.Audit",
        "/nodes",
        "nodes, their networks and firewalls, tasks of all users",
        &["Sys.Audit"],
        &["hosts", "switches", "networks", "activities", "policies"],
    ),
    need(
        "VM.Audit",
        "/vms",
        "guests with their configuration, VM snapshots, firewall, replication",
        &["VM.Audit"],
        &["workloads", "protection_jobs", "policies"],
    ),
    need(
        "VM.GuestAgent.Audit",
        "/vms",
        "what guest agents tell: system, host name, addresses (`VM.Monitor` before version 9)",
        &["VM.GuestAgent.Audit", "VM.Monitor"],
        &["workloads"],
    ),
    need(
        "Datastore.Audit",
        "/storage",
        "storages and what they hold",
        &["Datastore.Audit"],
        &["datastores", "volumes"],
    ),
    need("Pool.Audit", "/pool", "pools", &["Pool.Audit"], &["folders"]),
    need(
        "Sys.Audit",
        "/access",
        "users, groups, tokens and who has which role where",
        &["Sys.Audit"],
        &["principals", "grants", "attachments"],
    ),
    need(
        "SDN.Audit",
        "/sdn",
        "zones, virtual networks, their subnets and firewalls",
        &["SDN.Audit"],
        &["networks", "policies"],
    ),
];

const fn rights_of(needs: &[Need; 8]) -> [Right; 8] {
    let [a, b, c, d, e, f, g, h] = needs;
    [a.right, b.right, c.right, d.right, e.right, f.right, g.right, h.right]
}

/// The rights alone.
pub(in crate::proxmox) static RIGHTS: [Right; 8] = rights_of(&NEEDS);

/// What an account is allowed: path → privilege → whether it holds below that path, too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::proxmox) struct Permissions(BTreeMap<Text, BTreeMap<Text, bool>>);

impl Permissions {
    /// From `/access/permissions`.
    pub(in crate::proxmox) fn of(value: &Value) -> Option<Self> {
        let paths = value.as_object()?.iter().filter_map(|(path, privileges)| {
            let privileges = privileges.as_object()?.iter();
            let privileges = privileges.map(|(name, below)| {
                (Text::from(name), !matches!(below, Value::Number(it) if it.as_u64() == Some(0)))
            });
            Some((Text::from(path), privileges.collect()))
        });
        Some(Self(paths.collect()))
    }

    /// Whether one of the privileges holds at a path, and below.
    fn at(&self, privileges: &[&str], path: &str) -> Option<bool> {
        let held = self.0.get(path)?;
        privileges.iter().filter_map(|it| held.get(*it)).copied().reduce(|a, b| a || b)
    }

    /// Whether the account has what is needed. `known` are paths that the access list names: such a
    /// path is told of here if the account has anything there, so that silence means nothing.
    pub(in crate::proxmox) fn state(&self, need: &Need, known: &[Text]) -> RightState {
        let scope = need.right.scope;
        let is_below = |path: &str| path.strip_prefix(scope).is_some_and(|it| it.starts_with('/'));
        let Some(below) = self.at(need.privileges, scope) else {
            let only: Vec<&str> = self
                .0
                .keys()
                .filter(|path| is_below(path) && self.at(need.privileges, path).is_some())
                .map(Text::as_str)
                .collect();
            return RightState::Lacking(if only.is_empty() || !need.below {
                "everywhere".into()
            } else {
                format!("everywhere but on {}", few(&only)).into()
            });
        };
        if !need.below {
            return RightState::Held;
        }
        let mut hidden: Vec<&str> = self
            .0
            .keys()
            .chain(known)
            .map(Text::as_str)
            .filter(|path| is_below(path) && self.at(need.privileges, path).is_none())
            .collect();
        hidden.sort_unstable();
        hidden.dedup();
        if !below {
            RightState::Lacking(format!("below {scope}: it is granted without propagation").into())
        } else if hidden.is_empty() {
            RightState::Held
        } else {
            RightState::Lacking(format!("on {}", few(&hidden)).into())
        }
    }

    /// True if the account sees every guest.
    pub(in crate::proxmox) fn sees_all_guests(&self, known: &[Text]) -> bool {
        NEEDS
            .iter()
            .filter(|it| it.right.name == "VM.Audit")
            .all(|it| self.state(it, known) == RightState::Held)
    }

    /// What is lacking, as gaps on every list that it hides from.
    pub(in crate::proxmox) fn log(&self, known: &[Text], gaps: &Gaps) {
        for need in &NEEDS {
            if let RightState::Lacking(where_) = self.state(need, known) {
                let right = &need.right;
                let message = format!(
                    "the account lacks `{}` on `{}` ({where_}): not all of this may be seen: {}",
                    right.name, right.scope, right.needed_for
                );
                for section in need.sections {
                    gaps.add(GapCause::NoPermission, section, Some(right.name), &message, None);
                }
            }
        }
    }
}

/// The first few of many, and how many more.
pub(in crate::proxmox) fn few(names: &[&str]) -> String {
    const FEW: usize = 5;
    let shown: Vec<&str> = names.iter().take(FEW).copied().collect();
    match names.len().saturating_sub(FEW) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn vm_audit(permissions: &Value, known: &[&str]) -> RightState {
        let known: Vec<Text> = known.iter().map(|it| Text::from(*it)).collect();
        Permissions::of(permissions).unwrap().state(&NEEDS[2], &known)
    }

    #[test]
    fn a_right_holds_where_nothing_below_lacks_it() {
        let all =
            json!({"/": {"VM.Audit": 1}, "/vms": {"VM.Audit": 1}, "/vms/100": {"VM.Audit": 1}});
        assert_eq!(vm_audit(&all, &["/vms/100"]), RightState::Held);
        let hidden = RightState::Lacking("on /vms/101".into());
        assert_eq!(vm_audit(&all, &["/vms/101", "/storage/x"]), hidden);
        let replaced = json!({"/vms": {"VM.Audit": 1}, "/vms/101": {"VM.Console": 1}});
        assert_eq!(vm_audit(&replaced, &[]), hidden);
        let flat = json!({"/vms": {"VM.Audit": 0}});
        assert!(matches!(vm_audit(&flat, &[]), RightState::Lacking(_)));
        let some = json!({"/": {}, "/vms/7": {"VM.Audit": 1}});
        let only = RightState::Lacking("everywhere but on /vms/7".into());
        assert_eq!(vm_audit(&some, &[]), only);
        assert_eq!(vm_audit(&json!({}), &[]), RightState::Lacking("everywhere".into()));
    }

    #[test]
    fn agents_were_asked_with_another_right_before() {
        let permissions = Permissions::of(&json!({"/vms": {"VM.Monitor": 1}})).unwrap();
        assert_eq!(permissions.state(&NEEDS[3], &[]), RightState::Held);
    }
}
