//! What the account may do, and what it would not see for lack of it.

use std::collections::{HashMap, HashSet};

use entente_model::{GapCause, Text, Why};

use super::super::map::WORKLOADS;
use super::super::wire::{Call, MANAGED_BY, Paths};
use super::objects::{Kept, Query, Which, objects};
use super::session::{CallFault, Session};
use crate::live::{CheckReport, ConnectError, Found, Gaps, Right, RightState, Run};

const ROOT: &str = "root folder, propagating";

/// Everything that a full collection needs to be allowed.
pub(in crate::vsphere) fn rights() -> &'static [Right] {
    &[
        Right {
            name: "System.View",
            scope: ROOT,
            needed_for: "that an object exists: what is not viewed is not in any list",
        },
        Right {
            name: "System.Read",
            scope: ROOT,
            needed_for: "properties of objects, roles, permissions, alarms, tasks, tags",
        },
        Right {
            name: "Global.Licenses",
            scope: ROOT,
            needed_for: "licences, when they end, and which hosts have them",
        },
        Right {
            name: "Sessions.TerminateSession",
            scope: ROOT,
            needed_for: "live sessions: which tools are logged in, and from where",
        },
        Right {
            name: "StorageProfile.View",
            scope: ROOT,
            needed_for: "storage policies and what they are assigned to",
        },
    ]
}

/// How far knowledge of rights goes.
const ON_THE_ROOT: &str = "rights are those on the root folder: whether a permission further down takes them away there, the platform cannot be asked, and what is hidden so is in no list";

/// Lists that are filtered by what the account may view.
const FILTERED: [&str; 9] = [
    "clusters",
    "datastores",
    "folders",
    "grants",
    "hosts",
    "networks",
    "resource_pools",
    "switches",
    WORKLOADS,
];

/// Logs in, and says what is there.
pub(in crate::vsphere) async fn check(run: Run<'_>) -> Result<CheckReport, ConnectError> {
    let session = Session::open(run).await.map_err(|reason| run.refused(reason))?;
    let rights = states(&session).await;
    let about = &session.about;
    let mut notes = Vec::new();
    if session.url("/").scheme() == "http" {
        notes.push(Text::new_static(
            "the connection is in clear text: the password and everything else can be read on the way",
        ));
    }
    if !about.is_vcenter {
        notes.push(Text::new_static(
            "this is a standalone host: it knows no clusters, tags, storage policies or distributed switches",
        ));
        let paths = vec![Paths::of("HostSystem", "hosts", &[MANAGED_BY])];
        let query = Query { which: Which::All, paths };
        let mut unread = Gaps::default();
        let host = objects(&session, query, Kept::default(), &mut unread).await;
        notes.extend(manager_of(&host).map(|vcenter| Text::from(managed_by(&vcenter))));
    }
    if rights.iter().any(|(_, state)| *state == RightState::Held) {
        notes.push(Text::new_static(ON_THE_ROOT));
    }
    let report = CheckReport {
        product: about.name.clone(),
        version: Text::from(format!("{} ({})", about.version, about.build)),
        account: session.user().unwrap_or_default(),
        rights,
        notes,
    };
    session.close().await;
    Ok(report)
}

/// What is hidden from the account, as gaps: a list that is filtered does not say so. Gives why objects
/// may be hidden, where that is known.
pub(super) async fn lacking(session: &Session<'_>, gaps: &mut Gaps) -> Option<Why> {
    let mut lacking = None;
    for (right, state) in states(session).await {
        if !right.name.starts_with("System.") {
            // The call that needs it says so itself.
            continue;
        }
        let (cause, message) = match state {
            RightState::Held => continue,
            RightState::Lacking(where_) => {
                lacking = Some(Why::NoPermission);
                let message = format!(
                    "the account lacks {} ({where_}): what it hides is not listed",
                    right.name
                );
                (GapCause::NoPermission, message)
            }
            RightState::Unknown(why) => {
                let message = format!(
                    "whether the account has {} is not known ({why}): without it, objects are hidden and not listed",
                    right.name
                );
                (GapCause::CallFailed, message)
            }
        };
        for section in FILTERED {
            gaps.add_once(Found::of(cause, section, &message));
        }
    }
    lacking
}

/// The vCenter that manages a host which is read by itself.
fn manager_of(kept: &Kept) -> Option<Text> {
    let mut hosts = kept.objects().filter(|it| it.reference.kind == "HostSystem");
    hosts.find_map(|it| it.get(MANAGED_BY).text().map(Text::new))
}

fn managed_by(vcenter: &str) -> String {
    format!(
        "the vCenter at {vcenter} manages this host: the host and its machines are that vCenter's, and stand twice in an estate that reads both"
    )
}

/// Says so where a host that is read by itself is part of another platform.
pub(super) fn managed_elsewhere(session: &Session<'_>, kept: &Kept, gaps: &mut Gaps) {
    if session.about.is_vcenter {
        return;
    }
    if let Some(vcenter) = manager_of(kept) {
        let message = managed_by(&vcenter);
        for section in ["hosts", WORKLOADS] {
            gaps.add(Found::of(GapCause::Ambiguous, section, &message).field(MANAGED_BY));
        }
    }
}

/// Each right, and whether the account has it on the root folder.
async fn states(session: &Session<'_>) -> Vec<(Right, RightState)> {
    let held = match by_session(session).await {
        Ok(held) => Ok(held),
        Err(first) if first.is_cancelled() => Err(first),
        Err(_) => by_user(session).await,
    };
    let state = |right: &Right| match &held {
        _ if !session.about.is_vcenter && right.name.starts_with("StorageProfile") => {
            RightState::Unknown("a standalone host has no storage policies".into())
        }
        Err(fault) => {
            RightState::Unknown(Text::from(format!("the platform did not tell: {fault}")))
        }
        Ok(held) if held.get(right.name) == Some(&true) => RightState::Held,
        Ok(held) if held.contains_key(right.name) => {
            RightState::Lacking("on the root folder".into())
        }
        Ok(_) => RightState::Unknown("the platform did not tell of it".into()),
    };
    rights().iter().map(|right| (*right, state(right))).collect()
}

fn names(session: &Session<'_>) -> impl Iterator<Item = &'static str> {
    let is_vcenter = session.about.is_vcenter;
    rights()
        .iter()
        .map(|right| right.name)
        .filter(move |name| is_vcenter || !name.starts_with("StorageProfile"))
}

async fn by_session(session: &Session<'_>) -> Result<HashMap<Text, bool>, CallFault> {
    let key = session.key().unwrap_or_default();
    let mut call = Call::new("HasPrivilegeOnEntities", session.manager("authorizationManager")?)
        .reference("entity", session.manager("rootFolder")?)
        .value("sessionId", &key);
    for name in names(session) {
        call = call.value("privId", name);
    }
    let answer = session.ask(&call).await?;
    let entities = answer.root().into_iter().flat_map(|it| it.all("returnval"));
    let availability = entities.flat_map(|it| it.all("privAvailability"));
    Ok(availability
        .filter_map(|it| Some((Text::new(it.text_at("privId")?), it.flag_at("isGranted")?)))
        .collect())
}

/// An older way, which takes the account's name.
async fn by_user(session: &Session<'_>) -> Result<HashMap<Text, bool>, CallFault> {
    let user = session.user().unwrap_or_default();
    let call = Call::new("FetchUserPrivilegeOnEntities", session.manager("authorizationManager")?)
        .reference("entities", session.manager("rootFolder")?)
        .value("userName", &user);
    let answer = session.ask(&call).await?;
    let entities = answer.root().into_iter().flat_map(|it| it.all("returnval"));
    let held: HashSet<&str> =
        entities.flat_map(|it| it.all("privileges")).map(|it| it.text()).collect();
    Ok(names(session).map(|name| (Text::new_static(name), held.contains(name))).collect())
}
