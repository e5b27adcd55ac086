//! What a full collection needs to be allowed, and what the account is allowed.

use std::collections::BTreeMap;

use entente_model::{GapCause, Text};
use serde_json::Value;

use crate::live::{Found, Right, RightState};
use crate::proxmox::wire::Gaps;

/// A right, and what lacks without it.
pub(in crate::proxmox) struct Need {
    /// As told to people.
    pub right: Right,
    /// Privileges of which one is enough; their names differ between versions.
    pub privileges: &'static [&'static str],
    /// Must hold for everything below, too.
    pub below: bool,
    /// Concerns what is filed in pools, on which rights may be granted and taken away.
    pub is_of_pools: bool,
    /// Lists from which things are missing without it.
    pub sections: &'static [&'static str],
}

/// What shows the whole access list, on `/access`.
const LIST: [&str; 1] = ["Sys.Audit"];

const fn need(
    name: &'static str,
    scope: &'static str,
    needed_for: &'static str,
    privileges: &'static [&'static str],
    sections: &'static [&'static str],
) -> Need {
    // `/` itself holds what belongs to the whole; everything else is held by the paths below it.
    let below = !matches!(scope.as_bytes(), b"/");
    let is_of_pools = matches!(scope.as_bytes(), b"/vms" | b"/storage");
    Need { right: Right { name, scope, needed_for }, privileges, below, is_of_pools, sections }
}

/// Everything that a full collection needs. All of it is in the role `PVEAuditor`, save that agents
/// were asked with `VM.Monitor` before version 9.
pub(in crate::proxmox) static NEEDS: [Need; 8] = [
    need(
        "Sys.Audit",
        "/",
        "cluster, HA, backup jobs, the firewall of the cluster, metric servers, certificates",
        &["Sys.Audit"],
        &[
            "clusters",
            "placement_rules",
            "placement_groups",
            "overrides",
            "protection_jobs",
            "attachments",
            "policies",
        ],
    ),
    need(
        "Sys.Audit",
        "/nodes",
        "nodes, their networks and firewalls, tasks of all users",
        &["Sys.Audit"],
        &["hosts", "licences", "switches", "networks", "activities", "attachments", "policies"],
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
    need("Pool.Audit", "/pool", "pools", &["Pool.Audit"], &["folders", "workloads"]),
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

/// What lists all images and backups of guests: no right to read alone does, and an account that only
/// reads should not have it. So it is not asked for, and without it the list is not whole.
static ALL_VOLUMES: Need = need(
    "Datastore.Allocate",
    "/storage",
    "images and backups of guests, which storages list only to those who may change them",
    &["Datastore.Allocate"],
    &["volumes"],
);

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

    /// Whether the account has what is needed. A path on which it has nothing at all is not told of
    /// here: only the access list, where it is whole, tells that there is none below the scope.
    fn state(&self, need: &Need, known: &Known) -> RightState {
        let scope = need.right.scope;
        let is_below = |path: &str| is_below(path, scope);
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
        let lacks = |path: &str| is_below(path) && self.at(need.privileges, path).is_none();
        let of_pools = need.is_of_pools && self.0.get("/pool").is_some_and(reaches_below);
        // A pool on which rights are taken away takes them away on its guests and storages, too.
        let is_closed = |path: &str| of_pools && is_below_pools(path) && !self.0.contains_key(path);
        let mut hidden: Vec<&str> = self
            .0
            .keys()
            .chain(&known.paths)
            .map(Text::as_str)
            .filter(|path| lacks(path) || is_closed(path))
            .collect();
        hidden.sort_unstable();
        hidden.dedup();
        if !below {
            RightState::Lacking(format!("below {scope}: it is granted without propagation").into())
        } else if !hidden.is_empty() {
            RightState::Lacking(format!("on {}", few(&hidden)).into())
        } else if known.is_whole {
            RightState::Held
        } else {
            let why = format!(
                "it holds on {scope}; whether it is taken away somewhere below is only shown to those who may see the whole access list"
            );
            RightState::Unknown(why.into())
        }
    }
}

fn is_below(path: &str, scope: &str) -> bool {
    path.strip_prefix(scope).is_some_and(|it| it.starts_with('/'))
}

fn is_below_pools(path: &str) -> bool {
    is_below(path, "/pool")
}

/// True if anything that holds here holds below, too.
fn reaches_below(privileges: &BTreeMap<Text, bool>) -> bool {
    privileges.values().any(|it| *it)
}

/// Paths that the access list names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known {
    paths: Vec<Text>,
    /// No path is left out.
    is_whole: bool,
}

/// What the account may see, as far as the platform tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::proxmox) struct Sight {
    permissions: Option<Permissions>,
    known: Known,
}

impl Sight {
    /// From the account's permissions and from the access list. That list shows only what the account
    /// may change, unless its permissions say that it may see all of it.
    pub(in crate::proxmox) fn of(permissions: Option<&Value>, list: Option<&Value>) -> Self {
        let permissions = permissions.and_then(Permissions::of);
        let list = list.and_then(Value::as_array);
        let sees_list = permissions.as_ref().is_some_and(|it| it.at(&LIST, "/access").is_some());
        let paths = list.into_iter().flatten().map(|it| it.get("path")?.as_str().map(Text::from));
        let paths: Vec<Option<Text>> = paths.collect();
        let is_whole = sees_list && list.is_some() && paths.iter().all(Option::is_some);
        let known = Known { paths: paths.into_iter().flatten().collect(), is_whole };
        Self { permissions, known }
    }

    /// Whether the account has what is needed; nothing if its permissions are not known.
    pub(in crate::proxmox) fn state(&self, need: &Need) -> Option<RightState> {
        Some(self.permissions.as_ref()?.state(need, &self.known))
    }

    /// True if everything to which this right leads is surely seen.
    fn sees_all(&self, name: &str, scope: &str) -> bool {
        let mut needs = NEEDS.iter().filter(|it| it.right.name == name && it.right.scope == scope);
        needs.any(|it| self.state(it) == Some(RightState::Held))
    }

    /// True if the account surely sees every guest.
    pub(in crate::proxmox) fn sees_all_guests(&self) -> bool {
        self.sees_all("VM.Audit", "/vms")
    }

    /// True if the account surely sees every pool.
    pub(in crate::proxmox) fn sees_all_pools(&self) -> bool {
        self.sees_all("Pool.Audit", "/pool")
    }

    /// Guests that the access list names.
    pub(in crate::proxmox) fn guests_named(&self) -> impl Iterator<Item = Text> {
        self.known.paths.iter().filter_map(|it| it.strip_prefix("/vms/")).map(Text::from)
    }

    /// What is lacking, as gaps on every list that it hides from.
    pub(in crate::proxmox) fn log(&self, gaps: &Gaps) {
        for need in NEEDS.iter().chain([&ALL_VOLUMES]) {
            let right = &need.right;
            let message = match self.state(need) {
                Some(RightState::Held) => continue,
                Some(RightState::Lacking(where_)) => format!(
                    "the account lacks `{}` on `{}` ({where_}): not all of this may be seen: {}",
                    right.name, right.scope, right.needed_for
                ),
                Some(RightState::Unknown(why)) => format!(
                    "it is not known whether the account has `{}` on everything below `{}` ({why}): not all of this may be seen: {}",
                    right.name, right.scope, right.needed_for
                ),
                None => "the account's rights are not known: lists may be filtered".to_owned(),
            };
            for section in need.sections {
                let found = Found::of(GapCause::NoPermission, section, &message);
                // Without knowledge of any right, no right is to be named.
                let is_told = self.permissions.is_some();
                gaps.add_once(if is_told { found.field(right.name) } else { found });
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

    fn sight(permissions: &Value, known: &[&str]) -> Sight {
        let list: Vec<Value> = known.iter().map(|it| json!({"path": it})).collect();
        Sight::of(Some(permissions), Some(&list.into()))
    }

    fn vm_audit(permissions: &Value, known: &[&str]) -> RightState {
        sight(permissions, known).state(&NEEDS[2]).unwrap()
    }

    #[test]
    fn a_right_holds_where_nothing_below_lacks_it() {
        let all = json!({"/access": {"Sys.Audit": 1}, "/": {"VM.Audit": 1}, "/vms": {"VM.Audit": 1},
                         "/vms/100": {"VM.Audit": 1}});
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
    fn an_access_list_that_is_filtered_proves_nothing() {
        // Where the account has nothing, its permissions are silent: so is a list that it sees part of.
        let all = json!({"/vms": {"VM.Audit": 1}, "/pool": {"Pool.Audit": 1}});
        assert!(matches!(vm_audit(&all, &[]), RightState::Unknown(_)));
        assert!(!sight(&all, &[]).sees_all_guests() && !sight(&all, &[]).sees_all_pools());
        let auditor = json!({"/access": {"Sys.Audit": 1}, "/vms": {"VM.Audit": 1}, "/pool": {"Pool.Audit": 1}});
        assert!(sight(&auditor, &[]).sees_all_guests() && sight(&auditor, &[]).sees_all_pools());
        assert!(!Sight::of(Some(&auditor), None).sees_all_guests());
        assert!(!Sight::of(None, Some(&json!([]))).sees_all_guests());
    }

    #[test]
    fn a_pool_without_any_right_hides_its_guests() {
        let pools = json!({"/access": {"Sys.Audit": 1}, "/vms": {"VM.Audit": 1}, "/pool": {"Pool.Audit": 1}});
        let hidden = RightState::Lacking("on /pool/secret".into());
        assert_eq!(vm_audit(&pools, &["/pool/secret"]), hidden);
        // Where rights on pools reach nothing below, a pool without them says nothing.
        let none = json!({"/access": {"Sys.Audit": 1}, "/vms": {"VM.Audit": 1}});
        assert_eq!(vm_audit(&none, &["/pool/others"]), RightState::Held);
    }

    #[test]
    fn without_permissions_every_list_may_be_filtered() {
        let gaps = Gaps::default();
        Sight::of(None, None).log(&gaps);
        let gaps = gaps.finish(&"here".into());
        let of =
            |list: &str| gaps.iter().filter(|it| it.place.section.as_deref() == Some(list)).count();
        assert_eq!(["workloads", "datastores", "principals", "folders"].map(of), [1; 4]);
    }

    #[test]
    fn who_only_reads_does_not_see_all_volumes() {
        let gap = |permissions: &Value| {
            let gaps = Gaps::default();
            sight(permissions, &[]).log(&gaps);
            let found = gaps.finish(&"here".into());
            let of = |it: &&entente_model::Gap| it.place.section.as_deref() == Some("volumes");
            found.iter().filter(of).count()
        };
        let auditor = json!({"/access": {"Sys.Audit": 1}, "/storage": {"Datastore.Audit": 1}});
        assert_eq!(gap(&auditor), 1);
        let owner = json!({"/access": {"Sys.Audit": 1}, "/storage": {"Datastore.Audit": 1, "Datastore.Allocate": 1}});
        assert_eq!(gap(&owner), 0);
    }

    #[test]
    fn agents_were_asked_with_another_right_before() {
        let held = json!({"/access": {"Sys.Audit": 1}, "/vms": {"VM.Monitor": 1}});
        assert_eq!(sight(&held, &[]).state(&NEEDS[3]), Some(RightState::Held));
    }
}
