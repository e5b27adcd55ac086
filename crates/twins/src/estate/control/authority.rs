//! Principals, roles and grants.

use entente_model::{
    AuthenticationSource, ControlPlane, Grant, Listing, Observed, Principal, PrincipalKind, Role,
    Text, Why,
};

use super::Making;
use crate::estate::names::team;

/// Privileges that an administrator has, as far as this estate tells them apart.
const ALL: [&str; 14] = [
    "Authorization.ModifyPermissions",
    "Authorization.ModifyRoles",
    "Datastore.AllocateSpace",
    "Global.Licenses",
    "Host.Config.Maintenance",
    "Network.Assign",
    "System.Anonymous",
    "System.Read",
    "System.View",
    "VirtualMachine.Interact.PowerOff",
    "VirtualMachine.Interact.PowerOn",
    "VirtualMachine.Inventory.Delete",
    "VirtualMachine.State.CreateSnapshot",
    "VirtualMachine.State.RemoveSnapshot",
];
const READ: [&str; 3] = ["System.Anonymous", "System.Read", "System.View"];
const BACKUP: [&str; 5] = [
    "System.Anonymous",
    "System.Read",
    "System.View",
    "VirtualMachine.State.CreateSnapshot",
    "VirtualMachine.State.RemoveSnapshot",
];
const OPERATE: [&str; 5] = [
    "System.Anonymous",
    "System.Read",
    "System.View",
    "VirtualMachine.Interact.PowerOff",
    "VirtualMachine.Interact.PowerOn",
];

/// Number, name, comes with the platform, privileges.
const ROLES: [(&str, &str, bool, &[&str]); 7] = [
    ("-1", "Admin", true, &ALL),
    ("-2", "ReadOnly", true, &READ),
    ("-3", "View", true, &["System.Anonymous", "System.View"]),
    ("-4", "Anonymous", true, &["System.Anonymous"]),
    ("-5", "NoAccess", true, &[]),
    ("1101", "Backup operator", false, &BACKUP),
    ("1102", "Machine operator", false, &OPERATE),
];

/// Name, is a group, role, granted at the root.
const PRINCIPALS: [(&str, bool, &str); 6] = [
    ("VSPHERE.LOCAL\\Administrators", true, "-1"),
    ("VSPHERE.LOCAL\\Administrator", false, "-1"),
    ("CORP\\virtualisation-admins", true, "-1"),
    ("CORP\\svc-monitoring", false, "-2"),
    ("CORP\\svc-backup", false, "1101"),
    ("CORP\\svc-automation", false, "1102"),
];

impl Making<'_> {
    pub(super) fn add_authority(&self, control: &mut ControlPlane) {
        for name in ["CORP", "VSPHERE.LOCAL"] {
            control.authentication_sources.push(AuthenticationSource {
                platform: self.platform.clone(),
                name: name.into(),
                kind: Observed::Unobserved(Why::SourceLimit),
                second_factor: Observed::Unobserved(Why::SourceLimit),
            });
        }
        for (id, name, builtin, privileges) in ROLES {
            control.roles.push(Role {
                platform: self.platform.clone(),
                native_id: id.into(),
                name: name.into(),
                builtin: Observed::Value(builtin),
                privileges: Listing::complete(privileges.iter().map(Text::new).collect()),
            });
        }
        for (name, is_group, role) in PRINCIPALS {
            control.principals.push(self.principal(name, is_group));
            control.grants.push(self.grant(name, is_group, role, "/", "group-d1"));
        }
        self.add_teams(control);
    }

    /// Each team operates the machines in the folder of its department.
    fn add_teams(&self, control: &mut ControlPlane) {
        let departments: Vec<(Text, Text)> = control
            .folders
            .iter()
            .filter(|it| it.path.matches('/').count() == 3 && it.kind == "vm-folder")
            .map(|it| (it.path.clone(), it.native_id.clone()))
            .collect();
        for (path, id) in departments {
            let department = path.rsplit('/').next().unwrap_or_default();
            if matches!(department, "Templates" | "vCLS") {
                continue;
            }
            let name = format!("CORP\\{}", team(department));
            control.principals.push(self.principal(&name, true));
            control.grants.push(self.grant(&name, true, "1102", &path, &id));
        }
        control.principals.sort();
        control.principals.dedup();
        // Somebody once needed one machine only, and in a hurry.
        if let Some(workload) = self.collection.workloads.first()
            && let (Some(id), Some(datacenter), Some(folder)) = (
                workload.native_id.value(),
                workload.placement.datacenter.value(),
                workload.placement.folder.value(),
            )
        {
            let path = format!("/{datacenter}/vm/{folder}/{}", workload.name);
            control.principals.push(self.principal("CORP\\operator", false));
            let mut grant = self.grant("CORP\\operator", false, "-1", &path, id);
            grant.propagates = Observed::Value(false);
            control.grants.push(grant);
        }
    }

    fn principal(&self, name: &str, is_group: bool) -> Principal {
        let limit = Why::SourceLimit;
        Principal {
            platform: self.platform.clone(),
            name: name.into(),
            kind: if is_group { PrincipalKind::Group } else { PrincipalKind::User },
            source: match name.split_once('\\') {
                Some((source, _)) => Observed::Value(source.into()),
                None => Observed::Absent,
            },
            enabled: Observed::Unobserved(limit),
            expires: Observed::Unobserved(limit),
            restricted: Observed::Unobserved(limit),
            groups: Listing::unobserved(limit),
        }
    }

    fn grant(&self, principal: &str, is_group: bool, role: &str, path: &str, id: &str) -> Grant {
        Grant {
            platform: self.platform.clone(),
            principal: principal.into(),
            principal_kind: if is_group { PrincipalKind::Group } else { PrincipalKind::User },
            role: role.into(),
            scope: path.into(),
            scope_id: Observed::Value(id.into()),
            propagates: Observed::Value(true),
        }
    }
}
