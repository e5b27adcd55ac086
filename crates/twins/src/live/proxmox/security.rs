//! Who may do what, the firewall, and virtual networks.

use serde_json::{Value, json};

use super::guests::GuestPlan;
use super::world::{Plan, World};
use super::{TENANT, USER};

const DIGEST: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
const AUDIT: &str =
    "Datastore.Audit,Mapping.Audit,Pool.Audit,SDN.Audit,Sys.Audit,VM.Audit,VM.GuestAgent.Audit";

/// What an account without rights on the cluster lacks for a path; nothing where it may ask.
pub(super) fn needed(path: &str) -> Option<&'static str> {
    let of_cluster = [
        "/cluster/status",
        "/cluster/ha/",
        "/cluster/backup",
        "/cluster/firewall/",
        "/cluster/metrics/",
        "/cluster/options",
        "/cluster/notifications/",
    ];
    if of_cluster.iter().any(|it| path.starts_with(it)) {
        return Some("/, Sys.Audit");
    }
    let of_node =
        ["/status", "/subscription", "/certificates/info", "/firewall/options", "/firewall/rules"];
    let parts = path.split('/').count();
    let is_node =
        path.starts_with("/nodes/") && !path.contains("/qemu/") && !path.contains("/lxc/");
    (is_node && parts <= 5 && of_node.iter().any(|it| path.ends_with(it)))
        .then_some("/nodes, Sys.Audit")
}

/// True for lists that an account without rights sees empty.
pub(super) fn is_filtered_to_nothing(path: &str) -> bool {
    let lists = [
        "/storage",
        "/pools",
        "/access/acl",
        "/access/groups",
        "/access/users",
        "/cluster/replication",
    ];
    lists.contains(&path)
        || path.starts_with("/cluster/sdn/")
        || path.starts_with("/nodes/")
            && (path.ends_with("/storage") || path.ends_with("/replication"))
}

/// Describes access, firewall and virtual networks.
pub(super) fn describe(plan: &Plan<'_>, guests: &[GuestPlan<'_>], world: &mut World) {
    access(guests, world);
    firewall(plan, world);
    networks(plan, world);
}

fn access(guests: &[GuestPlan<'_>], world: &mut World) {
    let user = |id: &str, groups: &str, tokens: Value| json!({ "userid": id, "enable": 1, "expire": 0, "groups": groups, "tokens": tokens, "realm-type": "pve" });
    let mut locked = user("former@pve", "", json!([]));
    if let Value::Object(fields) = &mut locked {
        fields.insert("enable".into(), json!(0));
        fields.insert("expire".into(), json!(1_760_000_000));
        fields.remove("tokens");
    }
    world.put(
        "/access/users",
        &json!([
            user("root@pam", "", json!([])),
            user(
                USER,
                "auditors",
                json!([{ "tokenid": "collect", "privsep": 0, "expire": 0, "comment": "inventory" }])
            ),
            user("ops@pve", "admins", json!([])),
            user("backup@pve", "", json!([{ "tokenid": "nightly", "privsep": 1, "expire": 0 }])),
            user(TENANT, "", json!([])),
            locked,
        ]),
    );
    world.put(
        "/access/groups",
        &json!([
            { "groupid": "admins", "comment": "", "users": "ops@pve" },
            { "groupid": "auditors", "comment": "read only", "users": USER },
        ]),
    );
    world.put("/access/roles", &json!([
        { "roleid": "Administrator", "special": 1, "privs": format!("{AUDIT},Permissions.Modify,Sys.Modify,VM.Allocate,VM.PowerMgmt") },
        { "roleid": "NoAccess", "special": 1, "privs": "" },
        { "roleid": "PVEAuditor", "special": 1, "privs": AUDIT },
        { "roleid": "BackupOperator", "special": 0, "privs": "Datastore.AllocateSpace,VM.Backup,VM.Audit" },
    ]));
    let mut grants = vec![
        json!({ "path": "/", "type": "group", "ugid": "admins", "roleid": "Administrator", "propagate": 1 }),
        json!({ "path": "/", "type": "group", "ugid": "auditors", "roleid": "PVEAuditor", "propagate": 1 }),
        json!({ "path": "/vms", "type": "token", "ugid": "backup@pve!nightly", "roleid": "BackupOperator", "propagate": 1 }),
    ];
    if let Some(pool) = guests.first().map(|it| &it.pool) {
        let path = format!("/pool/{pool}");
        world.grant(&path);
        grants.push(json!({ "path": path, "type": "user", "ugid": TENANT, "roleid": "PVEAuditor", "propagate": 0 }));
    }
    world.put("/access/acl", &grants.into());
    world.put("/access/domains", &json!([
        { "realm": "pam", "type": "pam", "comment": "Linux PAM standard authentication" },
        { "realm": "pve", "type": "pve", "tfa": "oath", "comment": "Proxmox VE authentication server" },
    ]));
    for (user, tokens) in [
        ("root@pam", json!([])),
        (USER, json!([{ "tokenid": "collect", "privsep": 0, "expire": 0 }])),
    ] {
        world.put(format!("/access/users/{user}/token"), &tokens);
    }
}

fn firewall(plan: &Plan<'_>, world: &mut World) {
    let base = "/cluster/firewall";
    world.put(
        format!("{base}/options"),
        &json!({ "enable": 1, "policy_in": "DROP", "policy_out": "ACCEPT", "digest": DIGEST }),
    );
    world.put(format!("{base}/rules"), &json!([
        { "pos": 0, "type": "in", "action": "ACCEPT", "proto": "tcp", "dport": "8006", "source": "+management", "enable": 1, "digest": DIGEST },
        { "pos": 1, "type": "in", "action": "DROP", "enable": 0, "digest": DIGEST },
    ]));
    world.put(
        format!("{base}/groups"),
        &json!([{ "group": "web", "digest": DIGEST, "comment": "web servers" }]),
    );
    world.put(format!("{base}/groups/web"), &json!([
        { "pos": 0, "type": "in", "action": "ACCEPT", "macro": "HTTPS", "enable": 1, "digest": DIGEST },
    ]));
    world.put(format!("{base}/ipset"), &json!([{ "name": "management", "digest": DIGEST }]));
    world.put(
        format!("{base}/ipset/management"),
        &json!([
            { "cidr": "192.0.2.0/24", "digest": DIGEST },
            { "cidr": "192.0.2.66", "nomatch": 1, "digest": DIGEST },
        ]),
    );
    world.put(
        format!("{base}/aliases"),
        &json!([{ "name": "gateway", "cidr": "192.0.2.1", "digest": DIGEST }]),
    );
    for (at, node) in plan.node_names.iter().enumerate() {
        let options = json!({ "enable": 1, "nftables": u8::from(at % 2 == 1), "digest": DIGEST });
        world.put(format!("/nodes/{node}/firewall/options"), &options);
        world.put(format!("/nodes/{node}/firewall/rules"), &json!([]));
    }
}

fn networks(plan: &Plan<'_>, world: &mut World) {
    let base = "/cluster/sdn";
    let zones = if plan.vnets.is_empty() {
        json!([])
    } else {
        json!([{ "zone": "fabric", "type": "vlan", "bridge": "vmbr0", "ipam": "pve", "digest": DIGEST }])
    };
    world.put(format!("{base}/zones"), &zones);
    world.put(format!("{base}/controllers"), &json!([]));
    let mut vnets: Vec<Value> = plan
        .vnets
        .iter()
        .map(|(name, tag)| {
            json!({
                "vnet": name, "type": "vnet", "zone": "fabric", "tag": tag, "digest": DIGEST,
            })
        })
        .collect();
    // Configured, but not applied yet.
    vnets.push(json!({ "vnet": "planned", "type": "vnet", "state": "new", "pending": { "zone": "fabric", "tag": 999 } }));
    world.put(format!("{base}/vnets"), &vnets.into());
    let names = plan.vnets.iter().map(|(name, _)| name.as_str()).chain(["planned"]);
    for vnet in names {
        world.put(format!("{base}/vnets/{vnet}/subnets"), &json!([]));
        world.put(format!("{base}/vnets/{vnet}/firewall/options"), &json!({ "enable": 0 }));
        world.put(format!("{base}/vnets/{vnet}/firewall/rules"), &json!([]));
    }
}
