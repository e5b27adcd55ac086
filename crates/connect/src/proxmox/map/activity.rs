//! What was done lately, which tools did it, and to whom the platform itself sends.

use std::collections::BTreeMap;

use entente_model::{
    Activity, Attachment, AttachmentKind, Collection, Moment, Observed, Text, Why,
};

use super::{Context, moment};
use crate::proxmox::collect::Answers;
use crate::proxmox::wire::{Record, Upid};
use crate::secrets::redacted;

/// Tasks as they were read, by their id: pages and nodes may repeat one.
#[derive(Clone, Debug, Default)]
pub(in crate::proxmox) struct TaskLog(BTreeMap<Text, Activity>);

impl TaskLog {
    /// How many there are.
    pub(in crate::proxmox) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds a page; gives how many of it were not known yet.
    pub(in crate::proxmox) fn add(
        &mut self,
        context: &Context<'_>,
        page: &[serde_json::Value],
    ) -> usize {
        let before = self.0.len();
        for record in Record::each(page, "activities", context.gaps) {
            let Some(native_id) = record.required("upid") else { continue };
            if !self.0.contains_key(&native_id) {
                context.tally("activities", record.cells(), true);
                self.0.insert(native_id.clone(), task(context, &record, native_id));
            }
        }
        self.0.len() - before
    }
}

fn task(context: &Context<'_>, record: &Record<'_>, native_id: Text) -> Activity {
    let upid = Upid::parse(&native_id);
    let told = |key: &str| record.text(key).value().filter(|it| !it.is_empty()).cloned();
    let user = told("user").or_else(|| upid.as_ref().map(|it| it.user.clone()));
    let principal = match (user, told("tokenid")) {
        (Some(user), Some(token)) => Observed::Value(format!("{user}!{token}").into()),
        (Some(user), None) => Observed::Value(user),
        (None, _) => Observed::Unobserved(Why::Unreadable),
    };
    let started = record.number("starttime").copied().or(upid.as_ref().map(|it| it.started));
    let kind = told("type").or_else(|| upid.as_ref().map(|it| it.kind.clone()));
    Activity {
        platform: context.platform.clone(),
        native_id,
        at: Observed::or_why(started.and_then(moment), Why::Unreadable),
        principal,
        action: kind.unwrap_or_else(|| Text::new_static("unknown")),
        subject: match &upid {
            _ if told("id").is_some() => Observed::or_absent(told("id")),
            Some(upid) => {
                Observed::or_absent(Some(upid.subject.clone()).filter(|it| !it.is_empty()))
            }
            None => Observed::Unobserved(Why::Unreadable),
        },
        outcome: outcome(record),
    }
}

/// How a task ended. Of one alone, `status` says whether it runs and `exitstatus` how it ended; in
/// lists `status` says both.
fn outcome(record: &Record<'_>) -> Observed<Text> {
    let told = |key: &str| record.text(key).value().filter(|it| !it.is_empty()).cloned();
    let has_ended = record.get("endtime").is_some();
    match (told("exitstatus"), told("status").as_deref()) {
        (Some(ended), _) => Observed::Value(redacted(&ended)),
        (None, Some("running")) => Observed::Absent,
        (None, Some("stopped")) => Observed::Unobserved(Why::Blank),
        (None, Some(ended)) => Observed::Value(redacted(ended)),
        (None, None) if has_ended => Observed::Unobserved(Why::Blank),
        (None, None) => Observed::Absent,
    }
}

/// What one principal started: how much, when last, and how much of each kind.
type Initiated = (u64, Option<Moment>, BTreeMap<Text, u64>);

/// Maps tasks, and of each principal that started some, what it leans on.
pub(in crate::proxmox) fn activity(
    context: &Context<'_>,
    tasks: TaskLog,
    collection: &mut Collection,
) {
    let mut initiators: BTreeMap<Text, Initiated> = BTreeMap::new();
    for activity in tasks.0.into_values() {
        if let Observed::Value(principal) = &activity.principal {
            let (count, last, kinds) = initiators.entry(principal.clone()).or_default();
            *count += 1;
            *last = (*last).max(activity.at.copied());
            *kinds.entry(activity.action.clone()).or_default() += 1;
        }
        collection.control.activities.push(activity);
    }
    for (principal, (count, last, kinds)) in initiators {
        let details = kinds
            .into_iter()
            .map(|(kind, count)| {
                (Text::from(format!("tasks.{kind}")), Text::from(count.to_string()))
            })
            .collect();
        collection.control.attachments.push(Attachment {
            platform: context.platform.clone(),
            kind: AttachmentKind::TaskInitiator,
            name: principal.clone(),
            principal: principal.into(),
            address: Observed::Unobserved(Why::SourceLimit),
            version: Observed::Unobserved(Why::SourceLimit),
            last_seen: Observed::or_why(last, Why::Unreadable),
            count: count.into(),
            details,
        });
    }
}

/// Maps metric servers and targets of notifications.
pub(in crate::proxmox) fn receivers(
    context: &Context<'_>,
    answers: &Answers,
    collection: &mut Collection,
) {
    let metrics = ("/cluster/metrics/server", "id", "server");
    let notifications = ("/cluster/notifications/targets", "name", "server");
    for (call, id, address) in [metrics, notifications] {
        let list = answers.list(call, &[]).unwrap_or_default();
        for record in Record::each(list, "attachments", context.gaps) {
            let Some(name) = record.required(id) else { continue };
            context.tally("attachments", record.cells(), true);
            let details = ["type", "port", "disable"]
                .into_iter()
                .filter_map(|key| Some((Text::new_static(key), record.text(key).value()?.clone())))
                .collect();
            collection.control.attachments.push(Attachment {
                platform: context.platform.clone(),
                kind: AttachmentKind::Receiver,
                name,
                principal: Observed::Absent,
                address: match record.text(address) {
                    Observed::Absent => Observed::Unobserved(Why::Blank),
                    told => told,
                },
                version: Observed::Unobserved(Why::SourceLimit),
                last_seen: Observed::Unobserved(Why::SourceLimit),
                count: Observed::Unobserved(Why::SourceLimit),
                details,
            });
        }
    }
}
