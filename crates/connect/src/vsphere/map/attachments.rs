//! What leans on the platform's own interface: registered extensions, live sessions, whoever started
//! tasks lately; and alarms, which call others.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{
    Activity, Alarm, Attachment, AttachmentKind, GapCause, Listing, Moment, Observed, PlatformId,
    Text, Why,
};

use super::super::wire::{Element, Object, Told};
use super::facts::{Facts, blank};
use crate::secrets::redacted;

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
            version: facts.text(it.told("version"), blank()),
            last_seen: facts.moment(it.told("lastHeartbeatTime"), blank()),
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

/// A task; nothing if it cannot be told from others.
pub(in crate::vsphere) fn task(
    task: Element<'_>,
    platform: &PlatformId,
    facts: &mut Facts<'_>,
) -> Option<Activity> {
    let Some(key) = task.text_at("key").map(Text::new) else {
        facts.gap(GapCause::UnmappedRow, "key", "a task without a key");
        return None;
    };
    let principal = match task.child("reason").map(Element::kind) {
        Some("TaskReasonUser") => facts.text(task.told("reason.userName"), blank()),
        // The platform itself.
        Some("TaskReasonAlarm" | "TaskReasonSchedule" | "TaskReasonSystem") => Observed::Absent,
        Some(kind) => {
            let message = "a reason for tasks that this version does not know";
            facts.value(GapCause::UnknownValue, "reason", message, kind);
            Observed::Unobserved(Why::Unreadable)
        }
        None => blank(),
    };
    let (started, queued) = (task.told("startTime"), task.told("queueTime"));
    let action = task.text_at("descriptionId").or(task.text_at("name"));
    Some(Activity {
        platform: platform.clone(),
        native_id: key,
        at: facts.moment(if started.text().is_some() { started } else { queued }, blank()),
        principal,
        action: Text::new(action.unwrap_or_default()),
        subject: match task.reference_at("entity") {
            Some(entity) => Observed::Value(Text::new(entity.id)),
            None => Observed::Absent,
        },
        outcome: match task.text_at("state") {
            Some("queued" | "running") => Observed::Absent,
            _ => facts.text(task.told("state"), blank()),
        },
    })
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
    triggered: &Triggered,
    platform: &PlatformId,
    facts: &mut Facts<'_>,
) -> Alarm {
    facts.refusals(object);
    let native = object.reference.id;
    let mut actions = Actions::default();
    let action = object.get("info.action");
    if let Some(action) = action.element() {
        actions.collect(action, facts, 0);
    }
    let actions = match action.refused().or(actions.dropped) {
        Some(why) => Listing::incomplete(actions.words.into_iter().collect(), why),
        None => Listing::complete(actions.words.into_iter().collect()),
    };
    let objects = triggered.by_alarm.get(native).into_iter().flatten().cloned().collect();
    Alarm {
        platform: platform.clone(),
        native_id: Text::new(native),
        name: facts.name(object.get("info.name"), native),
        enabled: facts.flag(object.get("info.enabled"), blank()),
        builtin: match object.get("info.systemName") {
            Told::Missing(why) => Observed::Unobserved(why),
            told => Observed::Value(told.text().is_some()),
        },
        actions,
        triggered: match triggered.dropped {
            Some(why) => Listing::incomplete(objects, why),
            None => Listing::complete(objects),
        },
    }
}

/// What an alarm does.
#[derive(Default)]
struct Actions {
    words: BTreeSet<Text>,
    /// Why there may be more, if there may.
    dropped: Option<Why>,
}

/// Groups of actions hold actions, and triggered ones hold the action proper; not deeper than this.
const ACTIONS_DEPTH_MAX: usize = 8;

impl Actions {
    fn collect(&mut self, action: Element<'_>, facts: &mut Facts<'_>, depth: usize) {
        let word = match action.kind() {
            "SendEmailAction" => "email",
            "SendSNMPAction" => "snmp",
            "RunScriptAction" => "script",
            "MethodAction" => "method",
            "CreateTaskAction" => "task",
            "GroupAlarmAction" | "AlarmTriggeringAction" if depth < ACTIONS_DEPTH_MAX => {
                for below in action.all("action") {
                    self.collect(below, facts, depth + 1);
                }
                return;
            }
            kind => {
                let message = "a kind of alarm action that this version does not know";
                facts.value(GapCause::UnknownValue, "info.action", message, kind);
                self.dropped = Some(Why::Unreadable);
                return;
            }
        };
        self.words.insert(Text::new_static(word));
    }
}

/// Which alarms are triggered for which objects.
pub(super) struct Triggered {
    by_alarm: BTreeMap<Text, BTreeSet<Text>>,
    /// Why there may be more, if there may.
    dropped: Option<Why>,
}

/// Of the states of alarms on the root folder and below.
pub(super) fn triggered(told: Told<'_>, facts: &mut Facts<'_>) -> Triggered {
    let mut all = Triggered { by_alarm: BTreeMap::new(), dropped: told.refused() };
    for state in told.elements() {
        let (alarm, entity) = (state.reference_at("alarm"), state.reference_at("entity"));
        if let (Some(alarm), Some(entity)) = (alarm, entity) {
            all.by_alarm.entry(Text::new(alarm.id)).or_default().insert(Text::new(entity.id));
        } else {
            let message = "an alarm's state that does not name alarm and object";
            facts.gap(GapCause::UnmappedRow, "triggeredAlarmState", message);
            all.dropped = Some(Why::Unreadable);
        }
    }
    all
}
