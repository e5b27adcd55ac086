//! Tags that could not be read are not "no tags".

use entente_model::Completeness;

use super::*;

const TAG: &str = "/rest/com/vmware/cis/tagging/tag";
pub(super) const ASSOCIATION: &str = "/rest/com/vmware/cis/tagging/tag-association";

pub(super) fn json(body: &str) -> Reply {
    Reply::ok("application/json", body.to_owned())
}

/// Which tags a machine bears.
pub(super) fn borne(machine: &str, tags: &[&str]) -> Reply {
    json(&format!(
        r#"{{"value": [{{"object_id": {{"id": "{machine}", "type": "VirtualMachine"}}, "tag_ids": {tags:?}}}]}}"#
    ))
}

/// A category with two tags, of which one machine bears the first.
pub(super) fn answer(asked: &Asked<'_>) -> Option<Reply> {
    let of_category = "/rest/com/vmware/cis/tagging/category";
    Some(match asked.method {
        "/rest/com/vmware/cis/session" => json(r#"{"value": "token"}"#),
        TAG => json(r#"{"value": ["t1", "t2"]}"#),
        ASSOCIATION => borne("vm-1", &["t1"]),
        path if path == of_category => json(r#"{"value": ["c1"]}"#),
        path if path == format!("{of_category}/id:c1") => {
            json(r#"{"value": {"id": "c1", "name": "tier", "cardinality": "SINGLE"}}"#)
        }
        path if path == format!("{TAG}/id:t1") => {
            json(r#"{"value": {"id": "t1", "name": "gold", "category_id": "c1"}}"#)
        }
        path if path == format!("{TAG}/id:t2") => {
            json(r#"{"value": {"id": "t2", "name": "silver", "category_id": "c1"}}"#)
        }
        _ => return None,
    })
}

/// Where custom attributes could be read, so that tags alone decide.
fn with_fields(asked: &Asked<'_>) -> Option<Reply> {
    let manager = r#"<customFieldsManager type="CustomFieldsManager">fields</customFieldsManager>"#;
    match asked.method {
        "RetrieveServiceContent" => {
            let content = content("VirtualCenter", "7.0.3.0");
            let content = content.replace("<about>", &format!("{manager}<about>"));
            Some(xml(envelope(asked.method, &content)))
        }
        "RetrievePropertiesEx" if asked.body.contains("<type>CustomFieldsManager</type>") => {
            Some(page(&format!(
                "<objects><obj type=\"CustomFieldsManager\">fields</obj>{}</objects>",
                property("field", "")
            )))
        }
        _ if asked.is_workloads() => {
            Some(page(&(machine("vm-1", "one", "") + &machine("vm-2", "two", ""))))
        }
        _ => None,
    }
}

fn read(special: fn(&Asked<'_>) -> Option<Reply>) -> (Collection, Vec<String>) {
    let (outcome, asked) = read_from(move |asked| {
        special(asked).or_else(|| with_fields(asked)).or_else(|| answer(asked))
    });
    (outcome.unwrap(), asked)
}

fn completeness(collection: &Collection, name: &str) -> Completeness {
    named(collection, name).attributes.completeness
}

#[test]
fn a_session_of_the_rest_interface_that_ended_is_begun_again() {
    let (collection, asked) = read(|asked| {
        (asked.method == TAG && asked.before == 0).then(|| Reply::of(401, "text/plain", ""))
    });
    // Once more, and ended.
    assert_eq!(asked.iter().filter(|it| it.ends_with("cis/session")).count(), 3, "{asked:?}");
    let one = named(&collection, "one");
    assert_eq!(one.attributes.items[0].value, "gold");
    assert_eq!(completeness(&collection, "one"), Completeness::Complete);
    assert_eq!(gaps(&collection, GapCause::NoPermission), Vec::<&Gap>::new());
}

#[test]
fn an_account_that_the_rest_interface_does_not_know_is_not_tried_twice() {
    let (collection, asked) = read(|asked| {
        asked.method.ends_with("cis/session").then(|| Reply::of(401, "text/plain", ""))
    });
    assert_eq!(asked.iter().filter(|it| it.ends_with("cis/session")).count(), 1, "{asked:?}");
    let why = Completeness::Incomplete(Why::CallFailed);
    assert_eq!(completeness(&collection, "one"), why);
    assert!(!gaps_of(&collection, "tag_categories", GapCause::CallFailed).is_empty());
}

#[test]
fn tags_of_machines_that_may_not_be_asked_about_are_not_none() {
    let (collection, _) =
        read(|asked| (asked.method == ASSOCIATION).then(|| Reply::of(403, "text/plain", "")));
    let why = Completeness::Incomplete(Why::NoPermission);
    assert_eq!((completeness(&collection, "one"), completeness(&collection, "two")), (why, why));
    assert_eq!(gaps(&collection, GapCause::NoPermission).len(), 1);
    assert_eq!(collection.control.tag_categories[0].tags.items.len(), 2);
}

#[test]
fn a_machine_that_the_answer_leaves_out_has_unknown_tags() {
    let (collection, _) = read(|_| None);
    assert_eq!(completeness(&collection, "one"), Completeness::Complete);
    assert_eq!(completeness(&collection, "two"), Completeness::Incomplete(Why::CallFailed));
    let gaps = gaps(&collection, GapCause::CallFailed);
    assert!(gaps.iter().any(|it| it.value.as_deref() == Some("vm-2")), "{gaps:?}");
}

#[test]
fn a_tag_that_could_not_be_read_is_not_one_that_is_not_there() {
    let (collection, _) =
        read(|asked| asked.method.ends_with("tag/id:t1").then(|| Reply::of(500, "text/plain", "")));
    let why = Completeness::Incomplete(Why::CallFailed);
    assert_eq!(completeness(&collection, "one"), why);
    assert_eq!(collection.control.tag_categories[0].tags.completeness, why);
}
