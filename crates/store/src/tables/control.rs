//! The control plane around workloads.

use entente_model::{Attachment, Grant, NativePolicy, Principal, Role, Volume};

use super::told::words;
use super::{Column, Fact, Fill, Precedence, Table, Told, indexed, unit};

/// Every table of a principal.
pub(crate) const PRINCIPALS: &[&dyn Fill<Principal>] = &[&PRINCIPAL_TABLE];
/// Every table of a role.
pub(crate) const ROLES: &[&dyn Fill<Role>] = &[&ROLE_TABLE];
/// Every table of a grant.
pub(crate) const GRANTS: &[&dyn Fill<Grant>] = &[&GRANT_TABLE];
/// Every table of a policy.
pub(crate) const POLICIES: &[&dyn Fill<NativePolicy>] = &[&FIREWALL_TABLE];
/// Every table of an attachment.
pub(crate) const ATTACHMENTS: &[&dyn Fill<Attachment>] = &[&ATTACHMENT_TABLE];
/// Every table of a volume.
pub(crate) const VOLUMES: &[&dyn Fill<Volume>] = &[&VOLUME_TABLE];

static PRINCIPAL_TABLE: Table<Principal, Principal> = Table {
    name: "principals",
    meaning: "Users, groups and tokens",
    precedence: Precedence::ByControlPlane,
    parts: |it| vec![it],
    columns: &[
        Column::text("platform", "Where it is known", |it, _| it.platform.told()),
        indexed(Column::text("name", "Its name as the platform writes it", |it, _| it.name.told())),
        Column::text("kind", "`user`, `group` or `token`", |it, _| it.kind.told()),
        Column::text(
            "source",
            "Where it is authenticated: realm, domain, identity provider",
            |it, _| it.source.told(),
        ),
        Column::flag("enabled", "May log in", |it, _| it.enabled.told()),
        Column::time("expires", "When it ends; none is never", |it, _| it.expires.told()),
        Column::flag("restricted", "A token that has only what is granted to itself", |it, _| {
            it.restricted.told()
        }),
        Column::text("member_of", "Groups to which it belongs, each between spaces", |it, _| {
            words(&it.groups)
        }),
    ],
    samples: &[],
};

static ROLE_TABLE: Table<Role, Role> = Table {
    name: "roles",
    meaning: "Named sets of privileges",
    precedence: Precedence::ByControlPlane,
    parts: |it| vec![it],
    columns: &[
        Column::text("platform", "Where it is defined", |it, _| it.platform.told()),
        indexed(Column::text(
            "id",
            "Its id on the platform: unique there, not in the estate",
            |it, _| it.native_id.told(),
        )),
        Column::text("name", "Its name", |it, _| it.name.told()),
        Column::flag("builtin", "Came with the platform", |it, _| it.builtin.told()),
        Column::count("privilege_count", "Privileges, if all were seen", |it, _| {
            it.privileges.told()
        }),
        Column::text(
            "privileges",
            "Privileges as the platform writes them, each between spaces",
            |it, _| words(&it.privileges),
        ),
    ],
    samples: &[],
};

static GRANT_TABLE: Table<Grant, Grant> = Table {
    name: "grants",
    meaning: "Who has which role where",
    precedence: Precedence::ByControlPlane,
    parts: |it| vec![it],
    columns: &[
        Column::text("platform", "Where it holds", |it, _| it.platform.told()),
        indexed(Column::text("principal", "Name of the principal", |it, _| it.principal.told())),
        Column::text("principal_kind", "`user`, `group` or `token`", |it, _| {
            it.principal_kind.told()
        }),
        indexed(Column::text("role", "Id of the role on its platform", |it, _| it.role.told())),
        Column::text("scope", "Path of the object on which it is granted", |it, _| it.scope.told()),
        Column::text("scope_id", "Id of that object on the platform", |it, _| it.scope_id.told()),
        Column::flag("propagates", "Holds for what lies below, too", |it, _| it.propagates.told()),
    ],
    samples: &[],
};

static FIREWALL_TABLE: Table<NativePolicy, NativePolicy> = Table {
    name: "firewall_rules",
    meaning: "Rules of firewalls and network filters, each body as its platform gives it: it is not translated",
    precedence: Precedence::ByControlPlane,
    parts: |it| vec![it],
    columns: &[
        Column::text("platform", "Where it holds", |it, _| it.platform.told()),
        Column::text("dialect", "The language in which the body is written", |it, _| {
            it.dialect.told()
        }),
        Column::text("scope", "On what, by the platform's own path or id", |it, _| it.scope.told()),
        Column::text("name", "Its name or kind within the scope", |it, _| it.name.told()),
        Column::text(
            "body",
            "As the platform gives it (JSON or XML), secrets redacted",
            |it, _| it.body.told(),
        ),
    ],
    samples: &[],
};

static ATTACHMENT_TABLE: Table<Attachment, Attachment> = Table {
    name: "attachments",
    meaning: "Tools that lean on a platform's own interface",
    precedence: Precedence::ByControlPlane,
    parts: |it| vec![it],
    columns: &[
        Column::text("platform", "The platform", |it, _| it.platform.told()),
        Column::text(
            "kind",
            "`extension`, `session`, `task-initiator`, `token` or `receiver`",
            |it, _| it.kind.told(),
        ),
        Column::text(
            "name",
            "The tool: key of the extension, user agent, name of the token",
            |it, _| it.name.told(),
        ),
        Column::text("principal", "The principal that it uses", |it, _| it.principal.told()),
        Column::text("address", "Where it comes from", |it, _| it.address.told()),
        Column::text("version", "Version of the tool", |it, _| it.version.told()),
    ],
    samples: &[
        Column::time("last_seen", "When it was last seen to do something", |it, _| {
            it.last_seen.told()
        }),
        Column::count("seen_count", "How often it was seen in what was read", |it, _| {
            it.count.told()
        }),
    ],
};

static VOLUME_TABLE: Table<Volume, Volume> = Table {
    name: "volumes",
    meaning: "Volumes and files that datastores hold for workloads",
    precedence: Precedence::ByControlPlane,
    parts: |it| vec![it],
    columns: &[
        Column::text("platform", "Where it lives", |it, _| platform(it)),
        indexed(Column::text("datastore", "Id of the datastore", |it, _| it.datastore.told())),
        Column::text("path", "Its name or path, as disks name it", |it, _| it.path.told()),
        Column::text("format", "`qcow2`, `raw` …", |it, _| it.format.told()),
        unit(
            "bytes",
            Column::count("capacity_bytes", "Size as a guest sees it", |it, _| {
                it.capacity_bytes.told()
            }),
        ),
        Column::text("content", "What it holds: `images`, `iso`, `backup` …", |it, _| {
            it.content.told()
        }),
        Column::text(
            "workload",
            "Id of the workload to which it belongs; none if it belongs to none",
            |it, _| it.workload.told(),
        ),
    ],
    samples: &[unit(
        "bytes",
        Column::count("allocated_bytes", "Space that it takes", |it, _| it.allocated_bytes.told()),
    )],
};

fn platform(volume: &Volume) -> Fact {
    crate::nouns::Noun::platform(volume).told()
}
