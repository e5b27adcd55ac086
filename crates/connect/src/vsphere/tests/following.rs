//! Following what changes, through sessions that end.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::live::Change;

/// Updates that tell of machines that are there, or changed.
fn updates(version: &str, ids: &[&str]) -> Reply {
    let entered = |id: &&str| {
        format!("<objectSet><kind>enter</kind><obj type=\"VirtualMachine\">{id}</obj></objectSet>")
    };
    let entered: String = ids.iter().map(entered).collect();
    let set = format!("<filterSet>{entered}</filterSet>");
    let inner = format!("<returnval><version>{version}</version>{set}</returnval>");
    xml(envelope("WaitForUpdatesEx", &inner))
}

/// Makes collectors and filters.
fn following(asked: &Asked<'_>) -> Option<Reply> {
    let made = match asked.method {
        "CreatePropertyCollector" => "<returnval type=\"PropertyCollector\">own</returnval>",
        "CreateFilter" => "<returnval type=\"PropertyFilter\">filter</returnval>",
        _ => return None,
    };
    Some(xml(envelope(asked.method, made)))
}

fn lost() -> Reply {
    fault("NotAuthenticated", "The session is not authenticated.", "")
}

/// Follows until so many changes were read; gives the changes and what was asked.
fn followed(
    reads: usize,
    answers: impl Fn(&Asked<'_>) -> Option<Reply> + Send + Sync + 'static,
) -> (Vec<Change>, Vec<String>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut seen = Vec::new();
    let asked = runtime.block_on(async {
        let server = Arc::new(Server { answers: Box::new(answers), asked: Mutex::default() });
        let served = serve_http(server.clone(), Setup::default()).await.unwrap();
        let target = target(&served.address);
        let (cancel, traffic) = (Cancel::new(), Traffic::default());
        let run = Run { target: &target, watch: &Unwatched, cancel: &cancel, traffic: &traffic };
        let mut changed = |change: Change| {
            seen.push(change);
            if seen.iter().filter(|it| matches!(it, Change::Read(_))).count() == reads {
                cancel.cancel();
            }
        };
        CONNECTOR.follow(run, &mut changed).unwrap().await.unwrap();
        server.asked.lock().unwrap().clone()
    });
    assert_eq!(asked.last().map(String::as_str), Some("Logout"));
    (seen, asked)
}

#[test]
fn what_happened_while_a_session_was_over_is_caught_up_with() {
    let (seen, _) = followed(1, |asked| match asked.method {
        "WaitForUpdatesEx" => Some(match asked.before {
            0 => updates("1", &["vm-1", "vm-2"]),
            1 => lost(),
            _ => updates("1", &["vm-2"]),
        }),
        _ if asked.is_workloads() => Some(page(&machine("vm-2", "two", ""))),
        _ => following(asked),
    });
    let [Change::WorkloadRemoved { native_id }, Change::Read(read)] = seen.as_slice() else {
        panic!("{seen:?}")
    };
    assert_eq!(native_id, "vm-1");
    assert_eq!(names(read), ["two"]);
}

#[test]
fn a_session_that_ends_while_a_change_is_read_ends_the_filter_and_nothing_else() {
    // Reading the change logs in again; the filter of the session before is gone, and does not say why.
    let reads = AtomicUsize::new(0);
    let (seen, asked) = followed(2, move |asked| match asked.method {
        "WaitForUpdatesEx" => Some(match asked.before {
            0 => updates("1", &["vm-1", "vm-2"]),
            1 => updates("2", &["vm-1"]),
            _ => updates("1", &["vm-1"]),
        }),
        _ if asked.is_workloads() && reads.fetch_add(1, Ordering::Relaxed) == 0 => Some(lost()),
        _ if asked.is_workloads() => Some(page(&machine("vm-1", "one", ""))),
        _ => following(asked),
    });
    assert_eq!(asked.iter().filter(|it| *it == "Login").count(), 2);
    assert_eq!(asked.iter().filter(|it| *it == "CreateFilter").count(), 2);
    let [Change::Read(one), Change::WorkloadRemoved { native_id }, Change::Read(again)] =
        seen.as_slice()
    else {
        panic!("{seen:?}")
    };
    assert_eq!((names(one), names(again), native_id.as_str()), (vec!["one"], vec!["one"], "vm-2"));
}

#[test]
fn a_filter_that_is_lost_by_itself_is_made_again() {
    for kind in ["ManagedObjectNotFound", "InvalidCollectorVersion"] {
        let (seen, _) = followed(1, move |asked| match asked.method {
            "WaitForUpdatesEx" => Some(match asked.before {
                0 => updates("1", &["vm-1"]),
                1 => fault(kind, "it is gone", ""),
                _ => updates("1", &["vm-1"]),
            }),
            _ if asked.is_workloads() => Some(page(&machine("vm-1", "one", ""))),
            _ => following(asked),
        });
        let [Change::Read(read)] = seen.as_slice() else { panic!("{seen:?}") };
        assert_eq!(names(read), ["one"]);
    }
}

#[test]
fn the_catalogue_of_tags_is_read_once_and_again_for_a_new_tag() {
    let (seen, asked) = followed(3, |asked| match asked.method {
        "WaitForUpdatesEx" => Some(updates(&asked.before.to_string(), &["vm-1"])),
        _ if asked.is_workloads() => Some(page(&machine("vm-1", "one", ""))),
        "/rest/com/vmware/cis/tagging/tag" if asked.before == 0 => {
            Some(super::tags::json(r#"{"value": ["t1"]}"#))
        }
        super::tags::ASSOCIATION if asked.before == 2 => Some(super::tags::borne("vm-1", &["t2"])),
        _ => following(asked).or_else(|| super::tags::answer(asked)),
    });
    let of = |path: &str| asked.iter().filter(|it| *it == path).count();
    assert_eq!(of("/rest/com/vmware/cis/tagging/tag"), 2, "{asked:?}");
    assert_eq!(of("/rest/com/vmware/cis/session"), 2, "begun and ended: {asked:?}");
    let values = |change: &Change| match change {
        Change::Read(it) => {
            it.workloads[0].attributes.iter().map(|it| it.value.to_string()).collect::<Vec<_>>()
        }
        Change::WorkloadRemoved { .. } => panic!("{change:?}"),
    };
    let values: Vec<_> = seen.iter().map(values).collect();
    assert_eq!(values, [["gold"], ["gold"], ["silver"]]);
}
