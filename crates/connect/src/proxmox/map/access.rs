//! Who may do what: users, groups, tokens, realms, roles and grants.

use std::collections::BTreeMap;

use entente_model::{
    Attachment, AttachmentKind, AuthenticationSource, Collection, Folder, GapCause, Grant, Listing,
    Observed, Principal, PrincipalKind, Role, Text, Why,
};

use super::storage::sorted_items;
use super::{Context, moment_or_never, note};
use crate::live::Found;
use crate::proxmox::collect::Answers;
use crate::proxmox::wire::Record;

const USERS: &str = "/access/users";
const TOKENS: &str = "/access/users/{}/token";

/// Users whose tokens the list of users does not tell: they have to be asked for.
pub(in crate::proxmox) fn unlisted_tokens(context: &Context<'_>, answers: &Answers) -> Vec<Text> {
    let users = answers.list(USERS, &[]).unwrap_or_default();
    Record::each(users, "principals", context.gaps)
        // Where the list is full, it tells groups of every user, if only an empty list.
        .filter(|it| it.get("groups").is_none() && it.get("tokens").is_none())
        .filter_map(|it| it.text("userid").value().cloned())
        .collect()
}

/// Maps everything about access.
pub(in crate::proxmox) fn access(
    context: &Context<'_>,
    answers: &Answers,
    collection: &mut Collection,
) {
    let control = &mut collection.control;
    let members = groups(context, answers, &mut control.principals);
    let users = answers.list(USERS, &[]).unwrap_or_default();
    for record in Record::each(users, "principals", context.gaps) {
        let Some(name) = record.required("userid") else {
            context.tally("principals", record.cells(), false);
            continue;
        };
        context.tally("principals", record.cells(), true);
        let user = user(context, answers, &record, &name, &members);
        let asked = answers.list(TOKENS, &[&name]);
        let tokens = asked.or_else(|| record.list("tokens").value().copied());
        for token in Record::each(tokens.unwrap_or_default(), "principals", context.gaps) {
            if let Some((principal, attachment)) = token_of(context, &token, &user) {
                control.principals.push(principal);
                control.attachments.push(attachment);
            }
        }
        control.principals.push(user);
    }
    realms(context, answers, &mut control.authentication_sources);
    roles(context, answers, &mut control.roles);
    grants(context, answers, &mut control.grants);
    folders(context, answers, &mut control.folders);
}

/// Groups; and of each member its groups.
fn groups(
    context: &Context<'_>,
    answers: &Answers,
    principals: &mut Vec<Principal>,
) -> BTreeMap<Text, Vec<Text>> {
    let mut members: BTreeMap<Text, Vec<Text>> = BTreeMap::new();
    let list = answers.list("/access/groups", &[]).unwrap_or_default();
    for record in Record::each(list, "principals", context.gaps) {
        let Some(name) = record.required("groupid") else { continue };
        context.tally("principals", record.cells(), true);
        for user in record.text("users").value().map(|it| sorted_items(it)).unwrap_or_default() {
            members.entry(user).or_default().push(name.clone());
        }
        principals.push(Principal {
            platform: context.platform.clone(),
            name,
            kind: PrincipalKind::Group,
            source: Observed::Absent,
            enabled: Observed::Absent,
            expires: Observed::Absent,
            restricted: Observed::Absent,
            groups: Listing::complete(Vec::new()),
        });
    }
    members
}

fn user(
    context: &Context<'_>,
    answers: &Answers,
    record: &Record<'_>,
    name: &Text,
    members: &BTreeMap<Text, Vec<Text>>,
) -> Principal {
    // The list of groups shows some of them only: what it leaves out, a user alone can tell.
    let told = record.text("groups").map(|it| sorted_items(&it));
    let lacking = match told {
        Observed::Value(_) => None,
        Observed::Absent if answers.list("/access/groups", &[]).is_some() => Some(Why::Blank),
        Observed::Absent => Some(answers.why("/access/groups", &[])),
        Observed::Unobserved(why) => Some(why),
    };
    let mut groups = told.value().cloned().unwrap_or_default();
    groups.extend(members.get(name).into_iter().flatten().cloned());
    groups.sort();
    groups.dedup();
    Principal {
        platform: context.platform.clone(),
        name: name.clone(),
        kind: PrincipalKind::User,
        source: match name.rsplit_once('@') {
            Some((_, realm)) => Observed::Value(realm.into()),
            None => Observed::Unobserved(Why::Unreadable),
        },
        enabled: record.flag_or("enable", true),
        expires: moment_or_never(record.number("expire")),
        restricted: Observed::Absent,
        groups: match lacking {
            None => Listing::complete(groups),
            Some(why) => Listing::incomplete(groups, why),
        },
    }
}

/// A token as a principal, and as something that a tool holds.
fn token_of(
    context: &Context<'_>,
    record: &Record<'_>,
    user: &Principal,
) -> Option<(Principal, Attachment)> {
    let id = record.required("tokenid")?;
    context.tally("principals", record.cells(), true);
    let name = Text::from(format!("{}!{id}", user.name));
    let restricted = record.flag_or("privsep", true);
    let mut details = BTreeMap::new();
    if let Observed::Value(comment) = note(record.text("comment")) {
        details.insert(Text::new_static("comment"), comment);
    }
    let attachment = Attachment {
        platform: context.platform.clone(),
        kind: AttachmentKind::Token,
        name: name.clone(),
        principal: user.name.clone().into(),
        address: Observed::Unobserved(Why::SourceLimit),
        version: Observed::Unobserved(Why::SourceLimit),
        last_seen: Observed::Unobserved(Why::SourceLimit),
        count: Observed::Unobserved(Why::SourceLimit),
        details,
    };
    let principal = Principal {
        platform: context.platform.clone(),
        name,
        kind: PrincipalKind::Token,
        source: user.source.clone(),
        enabled: user.enabled.clone(),
        expires: moment_or_never(record.number("expire")),
        restricted,
        groups: Listing::complete(Vec::new()),
    };
    Some((principal, attachment))
}

fn realms(context: &Context<'_>, answers: &Answers, sources: &mut Vec<AuthenticationSource>) {
    let list = answers.list("/access/domains", &[]).unwrap_or_default();
    for record in Record::each(list, "authentication_sources", context.gaps) {
        let Some(name) = record.required("realm") else { continue };
        context.tally("authentication_sources", record.cells(), true);
        sources.push(AuthenticationSource {
            platform: context.platform.clone(),
            name,
            kind: record.text("type"),
            second_factor: match record.text("tfa") {
                Observed::Unobserved(why) => Observed::Unobserved(why),
                told => Observed::Value(told.value().is_some_and(|it| !it.is_empty())),
            },
        });
    }
}

fn roles(context: &Context<'_>, answers: &Answers, roles: &mut Vec<Role>) {
    let list = answers.list("/access/roles", &[]).unwrap_or_default();
    for record in Record::each(list, "roles", context.gaps) {
        let Some(name) = record.required("roleid") else { continue };
        context.tally("roles", record.cells(), true);
        roles.push(Role {
            platform: context.platform.clone(),
            native_id: name.clone(),
            name,
            builtin: record.flag_or("special", false),
            privileges: match record.text("privs") {
                Observed::Value(privileges) => Listing::complete(sorted_items(&privileges)),
                Observed::Absent => Listing::complete(Vec::new()),
                Observed::Unobserved(why) => Listing::unobserved(why),
            },
        });
    }
}

fn grants(context: &Context<'_>, answers: &Answers, grants: &mut Vec<Grant>) {
    let list = answers.list("/access/acl", &[]).unwrap_or_default();
    for record in Record::each(list, "grants", context.gaps) {
        let grant = grant(context, &record);
        context.tally("grants", record.cells(), grant.is_some());
        grants.extend(grant);
    }
}

fn grant(context: &Context<'_>, record: &Record<'_>) -> Option<Grant> {
    let scope = record.required("path")?;
    let kind = record.required("type")?;
    let principal_kind = match kind.as_str() {
        "user" => PrincipalKind::User,
        "group" => PrincipalKind::Group,
        "token" => PrincipalKind::Token,
        _ => {
            let message = "a grant is to a kind of principal that this version does not know, and was left out";
            let found = Found::of(GapCause::UnknownValue, "grants", message);
            context.gaps.add(found.field("type").value(&kind));
            return None;
        }
    };
    let object = scope.trim_start_matches('/').split_once('/').map(|(_, object)| object);
    Some(Grant {
        platform: context.platform.clone(),
        principal: record.required("ugid")?,
        principal_kind,
        role: record.required("roleid")?,
        scope_id: Observed::or_absent(object.map(Text::from)),
        propagates: record.flag_or("propagate", true),
        scope,
    })
}

/// Pools, in which guests and storages are filed and rights are granted.
fn folders(context: &Context<'_>, answers: &Answers, folders: &mut Vec<Folder>) {
    let list = answers.list("/pools", &[]).unwrap_or_default();
    for record in Record::each(list, "folders", context.gaps) {
        let Some(name) = record.required("poolid") else { continue };
        context.tally("folders", record.cells(), true);
        folders.push(Folder {
            platform: context.platform.clone(),
            path: name.clone(),
            native_id: name,
            kind: Text::new_static("pool"),
        });
    }
}
