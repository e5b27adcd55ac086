//! Who may do what: roles, permissions, the principals that they name, and the domains these are of.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{
    AuthenticationSource, ControlPlane, GapCause, Grant, Listing, Observed, PlatformId, Principal,
    PrincipalKind, Role, Text, Why,
};

use super::super::wire::{Element, Told, Tree};
use super::facts::{Facts, blank};

/// Roles with their privileges.
pub(super) fn roles(told: Told<'_>, platform: &PlatformId, facts: &mut Facts<'_>) -> Vec<Role> {
    let role = |role: Element<'_>| {
        let mut privileges: Vec<Text> =
            role.all("privilege").map(|it| Text::new(it.text())).collect();
        privileges.sort();
        let native = role.text_at("roleId").unwrap_or_default();
        Role {
            platform: platform.clone(),
            native_id: Text::new(native),
            name: facts.name(role.told("name"), native),
            builtin: facts.flag(role.told("system"), blank()),
            privileges: Listing::complete(privileges),
        }
    };
    told.elements().map(role).collect()
}

/// Where something is, by its id on the platform.
pub(super) type PathOf<'a> = &'a dyn Fn(&str) -> Option<Text>;

/// Permissions as grants, with everybody whom they name.
pub(super) fn permissions(
    answer: &Tree,
    platform: &PlatformId,
    path_of: PathOf<'_>,
    facts: &mut Facts<'_>,
    control: &mut ControlPlane,
) {
    let mut principals: BTreeMap<(Text, PrincipalKind), Option<Text>> = BTreeMap::new();
    for permission in answer.root().into_iter().flat_map(|it| it.all("returnval")) {
        let Some(name) = permission.text_at("principal").map(Text::new) else {
            facts.gap(GapCause::UnmappedRow, "principal", "a permission that names nobody");
            continue;
        };
        let kind = match facts.flag(permission.told("group"), blank()) {
            Observed::Value(true) => PrincipalKind::Group,
            Observed::Value(false) => PrincipalKind::User,
            Observed::Absent | Observed::Unobserved(_) => {
                let message = "a permission that does not say whether it names a user or a group";
                facts.value(GapCause::UnmappedRow, "group", message, &name);
                continue;
            }
        };
        let entity = permission.reference_at("entity");
        let scope = entity.and_then(|it| path_of(it.id));
        if scope.is_none() {
            let message = "a permission on an object that was not told of";
            facts.gap(GapCause::DanglingReference, "entity", message);
        }
        let scope_id = entity.map(|it| Text::new(it.id));
        control.grants.push(Grant {
            platform: platform.clone(),
            principal: name.clone(),
            principal_kind: kind,
            role: Text::new(permission.text_at("roleId").unwrap_or_default()),
            scope: scope.or(scope_id.clone()).unwrap_or_default(),
            scope_id: scope_id.map_or(blank(), Observed::Value),
            propagates: facts.flag(permission.told("propagate"), blank()),
        });
        let domain = name.split_once('\\').map(|(domain, _)| Text::new(domain));
        principals.insert((name, kind), domain);
    }
    let domains: BTreeSet<Text> = principals.values().flatten().cloned().collect();
    control.authentication_sources.extend(domains.into_iter().map(|name| AuthenticationSource {
        platform: platform.clone(),
        name,
        // The directory behind a domain is configured where this interface does not reach.
        kind: Observed::Unobserved(Why::SourceLimit),
        second_factor: Observed::Unobserved(Why::SourceLimit),
    }));
    control.principals.extend(principals.into_iter().map(|((name, kind), domain)| Principal {
        platform: platform.clone(),
        name,
        kind,
        source: domain.map_or(blank(), Observed::Value),
        enabled: Observed::Unobserved(Why::SourceLimit),
        expires: Observed::Unobserved(Why::SourceLimit),
        restricted: Observed::Absent,
        groups: Listing::unobserved(Why::SourceLimit),
    }));
}
