//! What leans on the platform's own interface: registered extensions, live sessions, whoever started
//! tasks lately; and alarms, which call others.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{
    Activity, Alarm, Attachment, AttachmentKind, Listing, Moment, Observed, PlatformId, Text, Why,
};

use super::super::wire::{Element, Object, Told, Tree};
use super::facts::{Facts, blank};
use crate::secrets::redacted;

fn within<'t>(element: Element<'t>, path: &str) -> Told<'t> {
    element.at(path).map_or(Told::Unset, Told::Value)
}

fn details<const N: usize>(
    element: Element<'_>,
    paths: [(&'static str, &str); N],
) -> BTreeMap<Text, Text> {
    let told = paths.into_iter().filter_map(|(name, path)| Some((name, element.text_at(path)?)));
    told.map(|(name, text)| (Text::new_static(name), redacted(text))).collect()
}

/// Extensions that are registered.
pub(super) fn extensions(
    told: Told<'_>,
    platform: &PlatformId,
    facts: &mut Facts<'_>,
) -> Vec<Attachment> {
    let extension = |it: Element<'_>| {
        let key = it.text_at("key").unwrap_or_default();
        let url = it.text_at("server.url").or(it.text_at("client.url"));
        let host = url.and_then(|url| reqwest::Url::parse(url).ok());
        // `*` stands for the vCenter itself.
        let host = host.and_then(|url| url.host_str().filter(|it| *it != "*").map(Text::new));
        Attachment {
            platform: platform.clone(),
            kind: AttachmentKind::Extension,
            name: Text::new(key),
            // Whom it logs in as is not registered with it.
            principal: Observed::Unobserved(Why::SourceLimit),
            address: host.map_or(Observed::Absent, Observed::Value),
            version: facts.text(within(it, "version"), blank()),
            last_seen: facts.moment(within(it, "lastHeartbeatTime"), blank()),
            count: Observed::Unobserved(Why::SourceLimit),
            details: details(
                it,
                [
                    ("label", "description.label"),
                    ("company", "company"),
                    ("summary", "description.summary"),
                    ("type", "type"),
                    ("solution", "shownInSolutionManager"),
                    ("subject", "subjectName"),
                    ("url", "server.url"),
                ],
            ),
        }
    };
    told.elements().map(extension).collect()
}

/// Live sessions, those of one tool, account and address together; without our own.
pub(super) fn sessions(
    told: Told<'_>,
    own_key: Option<&str>,
    platform: &PlatformId,
) -> Vec<Attachment> {
    let mut groups: BTreeMap<(Text, Text, Text), (u64, Option<Moment>)> = BTreeMap::new();
    for session in told.elements().filter(|it| it.text_at("key") != own_key || own_key.is_none()) {
        let text = |path: &str| Text::new(session.text_at(path).unwrap_or_default());
        let group = groups.entry((text("userAgent"), text("userName"), text("ipAddress")));
        let (count, last) = group.or_default();
        *count += 1;
        *last = (*last).max(session.moment_at("lastActiveTime"));
    }
    let known = |text: Text| if text.is_empty() { blank() } else { Observed::Value(text) };
    groups
        .into_iter()
        .map(|((agent, user, address), (count, last))| Attachment {
            platform: platform.clone(),
            kind: AttachmentKind::Session,
            name: if agent.is_empty() { Text::new_static("no user agent") } else { agent },
            principal: known(user),
            address: known(address),
            version: Observed::Unobserved(Why::SourceLimit),
            last_seen: last.map_or(blank(), Observed::Value),
            count: Observed::Value(count),
            details: BTreeMap::new(),
        })
        .collect()
}

/// A page of tasks; gives how many it held.
pub(in crate::vsphere) fn tasks(
    answer: &Tree,
    platform: &PlatformId,
    facts: &mut Facts<'_>,
    activities: &mut BTreeMap<Text, Activity>,
) -> u64 {
    let mut count = 0;
    for task in answer.root().into_iter().flat_map(|it| it.all("returnval")) {
        count += 1;
        let key = Text::new(task.text_at("key").unwrap_or_default());
        let reason = task.child("reason");
        let principal = match reason.map(Element::kind) {
            Some("TaskReasonUser") => facts.text(within(task, "reason.userName"), blank()),
            // A schedule, an alarm, the system: the platform itself.
            Some(_) => Observed::Absent,
            None => blank(),
        };
        let started = within(task, "startTime");
        let queued = within(task, "queueTime");
        let action = task.text_at("descriptionId").or(task.text_at("name"));
        let activity = Activity {
            platform: platform.clone(),
            native_id: key.clone(),
            at: facts.moment(if started.text().is_some() { started } else { queued }, blank()),
            principal,
            action: Text::new(action.unwrap_or_default()),
            subject: match task.reference_at("entity") {
                Some(entity) => Observed::Value(Text::new(entity.id)),
                None => Observed::Absent,
            },
            outcome: match task.text_at("state") {
                Some("queued" | "running") => Observed::Absent,
                _ => facts.text(within(task, "state"), blank()),
            },
        };
        activities.insert(key, activity);
    }
    count
}

/// Whoever started tasks.
pub(super) fn initiators(activities: &[Activity], platform: &PlatformId) -> Vec<Attachment> {
    let mut by_user: BTreeMap<&Text, (u64, Option<Moment>)> = BTreeMap::new();
    for activity in activities {
        let Observed::Value(user) = &activity.principal else { continue };
        let (count, last) = by_user.entry(user).or_default();
        *count += 1;
        *last = (*last).max(activity.at.copied());
    }
    by_user
        .into_iter()
        .map(|(user, (count, last))| Attachment {
            platform: platform.clone(),
            kind: AttachmentKind::TaskInitiator,
            name: user.clone(),
            principal: Observed::Value(user.clone()),
            // Tasks do not tell from where; sessions of the same account do.
            address: Observed::Unobserved(Why::SourceLimit),
            version: Observed::Unobserved(Why::SourceLimit),
            last_seen: last.map_or(blank(), Observed::Value),
            count: Observed::Value(count),
            details: BTreeMap::new(),
        })
        .collect()
}

/// An alarm definition.
pub(super) fn alarm(
    object: &Object<'_>,
    triggered: &BTreeMap<Text, BTreeSet<Text>>,
    refused: Option<Why>,
    platform: &PlatformId,
    facts: &mut Facts<'_>,
) -> Alarm {
    facts.refusals(object);
    let native = object.reference.id;
    let mut actions = BTreeSet::new();
    if let Some(action) = object.get("info.action").element() {
        collect_actions(action, &mut actions, 0);
    }
    let actions = actions.into_iter().collect();
    let triggered = triggered.get(native).into_iter().flatten().cloned().collect();
    Alarm {
        platform: platform.clone(),
        native_id: Text::new(native),
        name: facts.name(object.get("info.name"), native),
        enabled: facts.flag(object.get("info.enabled"), blank()),
        builtin: match object.get("info.systemName") {
            Told::Missing(why) => Observed::Unobserved(why),
            told => Observed::Value(told.text().is_some()),
        },
        actions: match object.get("info.action").refused() {
            Some(why) => Listing::incomplete(actions, why),
            None => Listing::complete(actions),
        },
        triggered: match refused {
            Some(why) => Listing::incomplete(triggered, why),
            None => Listing::complete(triggered),
        },
    }
}

/// Groups of actions hold actions, and triggered ones hold the action proper.
fn collect_actions(action: Element<'_>, into: &mut BTreeSet<Text>, depth: usize) {
    let word = match action.kind() {
        "SendEmailAction" => "email",
        "SendSNMPAction" => "snmp",
        "RunScriptAction" => "script",
        "MethodAction" => "method",
        "CreateTaskAction" => "task",
        _ => {
            if depth < 8 {
                for below in action.all("action") {
                    collect_actions(below, into, depth + 1);
                }
            }
            return;
        }
    };
    into.insert(Text::new_static(word));
}

/// Which alarms are triggered for which objects.
pub(super) fn triggered(told: Told<'_>) -> BTreeMap<Text, BTreeSet<Text>> {
    let mut all: BTreeMap<Text, BTreeSet<Text>> = BTreeMap::new();
    for state in told.elements() {
        let (alarm, entity) = (state.reference_at("alarm"), state.reference_at("entity"));
        if let (Some(alarm), Some(entity)) = (alarm, entity) {
            all.entry(Text::new(alarm.id)).or_default().insert(Text::new(entity.id));
        }
    }
    all
}
