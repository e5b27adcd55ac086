//! The report as HTML: complete, inert, self-contained, and of bearable size.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail loudly")]

mod support;

use std::collections::BTreeSet;

use entente_app::document::{Assessment, Verdict};
use entente_model::{Gap, Observed, PowerState, Why};
use entente_web::{STATIC_ROWS, components, report};
use support::{HOSTILE, assessment, text};

/// What is between two marks, for all pairs of them.
fn between<'a>(html: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    html.split(start).skip(1).filter_map(|rest| Some(rest.split_once(end)?.0)).collect()
}

/// The page's own HTML: without styles, scripts and comments, whose content is not ours or not HTML.
fn markup(html: &str) -> String {
    let mut rest = html.to_owned();
    for (start, end) in [("<!--", "-->"), ("<style>", "</style>"), ("<script", "</script>")] {
        let mut kept = String::new();
        let mut from = rest.as_str();
        while let Some((before, after)) = from.split_once(start) {
            kept.push_str(before);
            from = after.split_once(end).map_or("", |(_, after)| after);
        }
        kept.push_str(from);
        rest = kept;
    }
    rest
}

/// The data of the workload table as the page's script reads it.
fn data(html: &str) -> serde_json::Value {
    let data = between(html, r#"<script id="workload-data" type="application/json">"#, "</script>");
    assert_eq!(data.len(), 1);
    serde_json::from_str(data[0]).unwrap()
}

#[test]
fn the_report_of_a_small_estate_is_the_recorded_one() {
    let html = report(&assessment(5));
    let main = between(&html, "<main", "</main>");
    insta::assert_snapshot!("small_estate", main[0].replace("><", ">\n<"));
}

#[test]
fn the_same_assessment_gives_the_same_bytes() {
    assert_eq!(report(&assessment(300)), report(&assessment(300)));
}

#[test]
fn an_empty_estate_has_a_report_too() {
    let html = report(&assessment(0));
    assert!(html.contains("Showing 0 of 0 workloads"));
    assert_eq!(data(&html)["rows"], 0);
}

#[test]
fn the_first_rows_are_in_the_page_and_all_are_in_its_data() {
    let html = report(&assessment(1_200));
    let table = between(&html, r#"<table id="workload-table">"#, "</table>");
    assert_eq!(table[0].matches(r#"<th scope="row">"#).count(), STATIC_ROWS);
    assert!(html.contains("Showing 200 of 1,200 workloads, hardest first."));
    let data = data(&html);
    assert_eq!(data["rows"], 1_200);
    for (column, codes) in data["columns"].as_object().unwrap() {
        assert_eq!(codes.as_array().unwrap().len(), 1_200, "{column}");
    }
}

#[test]
fn the_data_tells_what_the_assessment_tells() {
    let assessment = assessment(400);
    let data = data(&report(&assessment));
    let string = |code: &serde_json::Value| {
        data["strings"][usize::try_from(code.as_u64().unwrap()).unwrap()].as_str().unwrap()
    };
    let column = |name: &str| data["columns"][name].as_array().unwrap();
    let mut gaps = 0;
    for (row, name) in column("name").iter().enumerate() {
        let workload = assessment.workloads.iter().find(|it| it.name == string(name)).unwrap();
        match (&workload.memory_mib, column("memory_mib")[row].as_i64().unwrap()) {
            (Observed::Value(size), code) => assert_eq!(code, i64::try_from(*size).unwrap()),
            (Observed::Absent, code) => assert_eq!(code, -1),
            (Observed::Unobserved(why), code) => {
                let place = usize::try_from(-2 - code).unwrap();
                assert_eq!(data["why"][place], entente_web::format::why(*why));
                gaps += 1;
            }
        }
        if workload.power == Observed::Value(PowerState::Off) {
            assert_eq!(string(&column("power")[row]), "off");
        }
        for (target, readiness) in &workload.readiness {
            let place = column(&format!("target:{target}"))[row].as_u64().unwrap();
            let outcome = &data["outcomes"][usize::try_from(place).unwrap()];
            assert_eq!(outcome[0], readiness.verdict.as_str());
            assert_eq!(outcome[1], readiness.as_seen.as_str());
            let blockers: Vec<&str> = outcome[2]
                .as_array()
                .unwrap()
                .iter()
                .map(|check| {
                    data["checks"][usize::try_from(check.as_u64().unwrap()).unwrap()][0]
                        .as_str()
                        .unwrap()
                })
                .collect();
            assert_eq!(blockers, readiness.blockers);
        }
    }
    assert!(gaps > 0, "the made-up estate has gaps");
}

#[test]
fn fifty_thousand_workloads_fit_into_25_megabytes() {
    let mut assessment = assessment(50_000);
    // Names, hosts and folders as long and as different as in real estates.
    for (number, workload) in assessment.workloads.iter_mut().enumerate() {
        workload.folder = support::seen(format!(
            "/Datacenter {}/vm/department {}/team {}",
            number % 3,
            number % 80,
            number % 900
        ));
        workload.labels = [(text("cost-centre"), text(format!("CC-{}", number % 400)))].into();
    }
    let html = report(&assessment);
    assert!(html.len() <= 25_000_000, "{} bytes", html.len());
    assert_eq!(data(&html)["rows"], 50_000);
}

/// Puts hostile names wherever an assessment has names.
fn hostile(assessment: &mut Assessment) {
    let name = |position: usize| text(HOSTILE[position % HOSTILE.len()]);
    for (position, workload) in assessment.workloads.iter_mut().enumerate() {
        workload.name = name(position);
        workload.cluster = Observed::Value(name(position + 1));
        workload.folder = Observed::Value(name(position + 2));
        workload.application = Observed::Value(name(position + 3));
        workload.labels = [(name(position), name(position + 1))].into();
        workload.attachments = [(name(position), 1)].into();
        for readiness in workload.readiness.values_mut() {
            readiness.blockers = vec![name(position)];
            readiness.not_observed = vec![name(position + 1)];
        }
    }
    for (position, cluster) in assessment.clusters.iter_mut().enumerate() {
        cluster.name = name(position);
    }
    for (position, check) in assessment.readiness.checks.iter_mut().enumerate() {
        check.id = name(position);
        check.title = name(position + 1);
        check.remedy = name(position + 2);
        check.beyond_source = vec![name(position)];
    }
    for (position, share) in assessment.shape.operating_systems.iter_mut().enumerate() {
        share.label = name(position);
    }
    for (position, application) in assessment.applications.iter_mut().enumerate() {
        application.name = name(position);
        application.owner = Observed::Value(name(position + 1));
    }
    for Gap { message, value, place, .. } in &mut assessment.gaps {
        *message = name(0);
        *value = Some(name(1));
        place.file = name(2);
    }
    assessment.readiness.targets[0].label = name(1);
    assessment.sources[0].location = name(2);
    assessment.findings[0].subject = name(3);
    assessment.hygiene.zombies[0].name = name(1);
}

#[test]
fn hostile_names_are_text_everywhere() {
    let tame = report(&assessment(60));
    let mut wild = assessment(60);
    hostile(&mut wild);
    let wild = report(&wild);
    // No element begins or ends where none did, and no data ends its element early.
    for mark in ["<script", "</script", "<img", "<!--", "-->"] {
        assert_eq!(wild.matches(mark).count(), tame.matches(mark).count(), "{mark}");
    }
    assert!(markup(&wild).contains("&lt;script&gt;alert('name')&lt;/script&gt;"));
    let data = data(&wild);
    let names: BTreeSet<&str> =
        data["strings"].as_array().unwrap().iter().filter_map(|it| it.as_str()).collect();
    for name in HOSTILE {
        assert!(names.contains(name), "{name} is whole in the data");
    }
    for option in
        between(&wild, r#"<script class="chart-option" type="application/json">"#, "</script>")
    {
        serde_json::from_str::<serde_json::Value>(option).unwrap();
    }
}

#[test]
fn nothing_in_the_page_asks_the_network() {
    let html = report(&assessment(30));
    let own = markup(&html);
    for link in between(&own, "href=\"", "\"") {
        assert!(link.starts_with('#') || link == "data:,", "{link}");
    }
    for mark in
        [" src=", " srcset=", " action=", " poster=", "<iframe", "<object", "<embed", "<base"]
    {
        assert!(!own.contains(mark), "{mark}");
    }
    for style in between(&html, "<style>", "</style>") {
        for mark in ["url(", "@import", "@font-face", "//"] {
            assert!(!style.contains(mark), "{mark}");
        }
    }
    let policy = html.find("Content-Security-Policy").unwrap();
    assert!(html.contains("default-src 'none'"));
    assert!(policy < html.find("<style>").unwrap() && policy < html.find("<script").unwrap());
}

#[test]
fn every_link_leads_somewhere() {
    let mut assessment = assessment(400);
    assessment.readiness.checks[0].id = text("a check / with \"odd\" id");
    for workload in &mut assessment.workloads {
        for readiness in workload.readiness.values_mut() {
            readiness
                .blockers
                .iter_mut()
                .filter(|id| *id == "disk.raw-physical")
                .for_each(|id| *id = text("a check / with \"odd\" id"));
        }
    }
    let html = report(&assessment);
    let own = markup(&html);
    let ids: BTreeSet<&str> = between(&own, " id=\"", "\"").into_iter().collect();
    for link in between(&own, "href=\"#", "\"") {
        assert!(ids.contains(link), "{link}");
    }
}

#[test]
fn unknown_is_never_shown_as_ready() {
    let badge =
        components::verdict_badge(Verdict::Unknown, Verdict::Unknown, "#quality").into_string();
    assert!(badge.contains("unknown") && !badge.contains("ready"), "{badge}");
    let beside =
        components::verdict_badge(Verdict::Ready, Verdict::Unknown, "#limits").into_string();
    assert!(beside.contains("as seen") && beside.contains("strict: unknown"), "{beside}");
    let gap: Observed<u64> = Observed::Unobserved(Why::Blank);
    let shown = components::fact(&gap, |_| unreachable!()).into_string();
    assert!(shown.contains("not observed: blank in the source") && !shown.contains('0'), "{shown}");
}

#[test]
fn what_others_wrote_keeps_its_notices() {
    let html = report(&assessment(1));
    for notice in [
        "Apache ECharts\nCopyright",
        "Apache License\n",
        "Copyright (c) 2017, Baidu Inc.",
        "Copyright 2010-2016 Mike Bostock",
    ] {
        assert!(html.contains(notice), "{notice}");
    }
}

#[test]
fn a_masked_report_says_so() {
    let mut assessment = assessment(1);
    assert!(!report(&assessment).contains("names masked"));
    assessment.masked = true;
    assert!(report(&assessment).contains("names masked"));
}
