//! SQL over the estate, on both engines and as of a time: one answer.
#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]

use std::process::Command;
use std::time::Duration;

use entente_model::{
    Attachment, AttachmentKind, Collection, Device, Finding, Moment, NativePolicy, Observed,
    PlatformId, Principal, PrincipalKind, RawMapping, Severity, Volume, Why,
};
use entente_store::query::{Datum, QueryLimits, QueryResult, Reached, catalogue, examples};
use entente_store::{Address, AsOf, Store};

use crate::engines::engines;
use crate::{day, gap, seen, write};

/// An estate with something of everything.
fn rich(workloads: u32, number: i64) -> Collection {
    let mut collection = seen(workloads, number);
    let platform = collection.platforms[0].id.clone();
    for (number, workload) in collection.workloads.iter_mut().enumerate() {
        if number % 3 != 0 {
            let application = format!("app {}", number % 7);
            workload.governance.application = Observed::Value(application.parse().unwrap());
        }
        if number % 5 == 1 {
            workload.governance.owner = Observed::Value("payments".into());
        }
        if number % 11 == 2 {
            workload.governance.owner = Observed::Absent;
        }
    }
    collection.workloads[0].name = "Payment_1 'old'".into();
    collection.workloads[1].disks.items[0].raw_mapping = Observed::Value(RawMapping::Physical);
    collection.workloads[1].devices.usb.items.push(Device {
        label: "USB 1".into(),
        backing: Observed::Value("dongle".into()),
        connected: Observed::Value(true),
    });
    collection.datastores[1].provisioned_bytes = Observed::Value(1 << 60);
    let mac = collection.workloads[1].nics.items[0].mac.clone();
    collection.workloads[2].nics.items[0].mac = mac;
    control(&mut collection, platform, number);
    collection.gaps.push(gap("alarms"));
    collection.findings.push(Finding {
        severity: Severity::Warning,
        code: "ENT-0201".into(),
        subject: "a machine".into(),
        message: "a password".into(),
        remedy: "change it".into(),
    });
    collection
}

/// What the generated estate has none of.
fn control(collection: &mut Collection, platform: PlatformId, number: i64) {
    for (number, workload) in
        [Observed::Absent, Observed::Unobserved(Why::CallFailed)].into_iter().enumerate()
    {
        collection.control.volumes.push(Volume {
            datastore: collection.datastores[0].id.clone(),
            path: format!("left-{number}.vmdk").into(),
            format: Observed::Value("raw".into()),
            capacity_bytes: Observed::Value(5 << 30),
            allocated_bytes: Observed::Value(1 << 30),
            content: Observed::Absent,
            workload,
        });
    }
    collection.control.principals.push(Principal {
        platform: platform.clone(),
        name: "backup@corp".into(),
        kind: PrincipalKind::User,
        source: Observed::Value("corp".into()),
        enabled: Observed::Value(true),
        expires: Observed::Absent,
        restricted: Observed::Unobserved(Why::SourceLimit),
        groups: entente_model::Listing::complete(vec!["operators".into()]),
    });
    collection.control.policies.push(NativePolicy {
        platform: platform.clone(),
        dialect: "proxmox-firewall".into(),
        scope: "cluster".into(),
        name: "rules".into(),
        body: "[]".into(),
    });
    collection.control.attachments.push(Attachment {
        platform,
        kind: AttachmentKind::Session,
        name: "Backup Product 12".into(),
        principal: Observed::Value("backup@corp".into()),
        address: Observed::Absent,
        version: Observed::Unobserved(Why::Blank),
        last_seen: Observed::Value(Moment::Utc(day(number))),
        count: Observed::Value(3),
        details: Default::default(),
    });
}

/// Day of the second reading: by then, what the estate has of old things is old.
const LATER: i64 = 110;

/// Two readings: some machines are gone, some are new, some have changed.
fn two_days() -> [Collection; 2] {
    let first = rich(120, 0);
    let mut second = rich(120, LATER);
    second.workloads.drain(10..20);
    for workload in second.workloads.iter_mut().skip(40).take(15) {
        workload.name = format!("{} renamed", workload.name).into();
        workload.disks.items.truncate(1);
        workload.samples.memory_consumed_bytes = Observed::Value(4_242);
    }
    second.datastores[0].free_bytes = Observed::Value(1);
    let mut earlier = first;
    earlier.workloads.truncate(110);
    [earlier, second]
}

fn limits() -> QueryLimits {
    QueryLimits::usual(day(LATER + 1))
}

async fn ask(store: &Store, sql: &str, as_of: AsOf) -> QueryResult {
    let result = store.query(sql, as_of, &limits()).await;
    result.unwrap_or_else(|error| panic!("{:?}: {sql}: {error}", store.engine))
}

/// A comparison is 1 on one engine and true on the other, and both are right.
fn same(one: &Datum, other: &Datum) -> bool {
    match (one, other) {
        (Datum::Boolean(truth), Datum::Integer(number))
        | (Datum::Integer(number), Datum::Boolean(truth)) => i64::from(*truth) == *number,
        (Datum::Real(one), Datum::Real(other)) => (one - other).abs() <= one.abs() * 1e-12,
        (Datum::Integer(number), Datum::Real(real))
        | (Datum::Real(real), Datum::Integer(number)) => {
            #[expect(clippy::cast_precision_loss, reason = "a test")]
            let number = *number as f64;
            (number - real).abs() < f64::EPSILON
        }
        (one, other) => one == other,
    }
}

/// The first difference.
fn difference(sql: &str, one: &QueryResult, other: &QueryResult) -> Option<String> {
    if one.columns != other.columns || one.rows.len() != other.rows.len() {
        let told = |it: &QueryResult| format!("{:?}, {} rows", it.columns, it.rows.len());
        return Some(format!("{sql}\n{}\n{}", told(one), told(other)));
    }
    let mut rows = one.rows.iter().zip(&other.rows);
    let (left, right) =
        rows.find(|(left, right)| !left.iter().zip(*right).all(|(one, other)| same(one, other)))?;
    Some(format!("{sql}\n{left:?}\n{right:?}"))
}

fn assert_same(sql: &str, one: &QueryResult, other: &QueryResult) {
    assert_eq!(difference(sql, one, other), None);
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|it| !it.starts_with("--") && !it.is_empty())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_query_has_one_answer() {
    let collections = two_days();
    let mut queries: Vec<&str> = lines(include_str!("corpus.sql")).collect();
    assert!(queries.len() >= 60);
    queries.extend(examples().iter().map(|it| it.sql));
    let mut answers: Vec<QueryResult> = Vec::new();
    let mut faults = Vec::new();
    for engine in engines() {
        let store = engine.open().await;
        for (number, collection) in collections.iter().enumerate() {
            write(&store, collection, number as i64 * LATER).await;
        }
        for (number, sql) in queries.iter().enumerate() {
            let now = match store.query(sql, AsOf::Latest, &limits()).await {
                Ok(now) => now,
                Err(error) => {
                    faults.push(format!("{:?}: {sql}: {error}", store.engine));
                    continue;
                }
            };
            assert_eq!((now.truncated, &now.notes), (None, &Vec::new()), "{sql}");
            match answers.get(number) {
                Some(before) => faults.extend(difference(sql, before, &now)),
                None => answers.push(now),
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let without_rows: Vec<&str> = queries
        .iter()
        .zip(&answers)
        .filter(|(_, answer)| answer.rows.is_empty())
        .map(|(sql, _)| *sql)
        .collect();
    assert!(without_rows.is_empty(), "these have no rows: {without_rows:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_so_now_is_what_was_so_at_the_time_of_the_last_reading() {
    let [first, second] = two_days();
    for engine in engines() {
        let store = engine.open().await;
        write(&store, &first, 0).await;
        let before = all_views(&store, AsOf::Latest).await;
        write(&store, &second, LATER).await;
        let mut third = second.clone();
        third.source.taken = Some(Moment::Utc(day(LATER + 3)));
        third.workloads.truncate(60);
        third.hosts.clear();
        third.gaps.push(gap("hosts"));
        write(&store, &third, LATER + 3).await;
        // This one arrives late, and changes nothing of what is so now but where a list was not whole.
        let mut late = rich(120, LATER + 2);
        late.hosts.truncate(1);
        write(&store, &late, LATER + 4).await;
        let now = all_views(&store, AsOf::Latest).await;
        for (view, answer, then) in zip(&now, &all_views(&store, AsOf::Time(day(LATER + 30))).await)
        {
            assert_same(view, answer, then);
        }
        for (view, answer, then) in zip(&before, &all_views(&store, AsOf::Time(day(0))).await) {
            // The time of record and the end of a state are of today.
            if view != "changes" && view != "collections" {
                assert_same(view, answer, then);
            }
        }
        assert_ne!(before[0].1, now[0].1);
    }
}

fn zip<'a>(
    one: &'a [(String, QueryResult)],
    other: &'a [(String, QueryResult)],
) -> impl Iterator<Item = (&'a str, &'a QueryResult, &'a QueryResult)> {
    one.iter().zip(other).map(|(one, other)| (one.0.as_str(), &one.1, &other.1))
}

/// Every row of every view, in one order.
async fn all_views(store: &Store, as_of: AsOf) -> Vec<(String, QueryResult)> {
    let mut all = Vec::new();
    for view in catalogue() {
        let mut answer = ask(store, &format!("select * from {}", view.name), as_of).await;
        answer.rows.sort_by_key(|row| {
            let words: Vec<String> = row
                .iter()
                .map(|it| match it {
                    Datum::Boolean(truth) => format!("{}", i64::from(*truth)),
                    Datum::Integer(number) => number.to_string(),
                    other => format!("{other:?}"),
                })
                .collect();
            words.join("\t")
        });
        all.push((view.name.to_owned(), answer));
    }
    all.sort_by_key(|it| it.0 != "workloads");
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_from_before_the_tables_has_them_after_it_is_opened() {
    let [first, second] = two_days();
    let engine = engines().remove(0);
    let store = engine.open().await;
    write(&store, &first, 0).await;
    write(&store, &second, LATER).await;
    let before = all_views(&store, AsOf::Latest).await;
    store.close().await;
    let entente_store::Address::File(path) = &engine.address else { panic!("the first is a file") };
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let old: Vec<(String, String)> = sqlx::query_as(
        "select type, name from sqlite_master where sql is not null and type in ('view', 'table') and (name like 'now\\_%' escape '\\' or name like 'q\\_%' escape '\\' or name in ('rivals', 'reasons')) order by type desc",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert!(old.len() > 30);
    for (kind, name) in old {
        let drop = sqlx::AssertSqlSafe(format!("drop {kind} {name}"));
        sqlx::query(drop).execute(&mut connection).await.unwrap();
    }
    sqlx::query("update meta set value = '1' where name = 'schema'")
        .execute(&mut connection)
        .await
        .unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    let after = all_views(&engine.open().await, AsOf::Latest).await;
    for (view, one, other) in zip(&before, &after) {
        assert_same(view, one, other);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_a_query_runs() {
    let hostile: Vec<&str> = lines(include_str!("hostile.sql")).collect();
    assert!(hostile.len() >= 100);
    for engine in engines() {
        let store = engine.open().await;
        write(&store, &seen(10, 0), 0).await;
        let mut passed = Vec::new();
        for sql in &hostile {
            let answer = store.query(sql, AsOf::Latest, &limits()).await;
            let code = answer.as_ref().err().map(|it| it.code());
            if !matches!(code, Some("ENT-0420" | "ENT-0421" | "ENT-0422")) {
                passed.push(format!("{sql}: {answer:?}"));
            }
        }
        assert!(passed.is_empty(), "{:?}: {}", engine.address, passed.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_reached_is_told() {
    for engine in engines() {
        let store = engine.open().await;
        write(&store, &seen(150, 0), 0).await;
        let few = QueryLimits { rows: 5, ..limits() };
        let answer = store
            .query("select name from workloads order by id", AsOf::Latest, &few)
            .await
            .unwrap();
        assert_eq!((answer.rows.len(), answer.truncated), (5, Some(Reached::Rows(5))));
        let answer =
            store.query("select name from workloads limit 5", AsOf::Latest, &few).await.unwrap();
        assert_eq!((answer.rows.len(), answer.truncated), (5, None));
        let short = QueryLimits { bytes: 100, ..limits() };
        let answer =
            store.query("select id, name from workloads", AsOf::Latest, &short).await.unwrap();
        assert_eq!(answer.truncated, Some(Reached::Bytes(100)));
        assert!(!answer.rows.is_empty() && answer.rows.len() < 20);
        let quick = QueryLimits { time: Duration::from_millis(200), ..limits() };
        let endless = "select count(*) from disks a, disks b, disks c, disks d where a.label < b.label || c.label || d.label";
        for as_of in [AsOf::Latest, AsOf::Time(day(0))] {
            let answer = store.query(endless, as_of, &quick).await.unwrap();
            assert_eq!(answer.truncated, Some(Reached::Time(quick.time)), "{as_of:?}");
            assert!(answer.rows.is_empty());
        }
        // Nobody waits for it, and the store is none the worse.
        assert!(!write(&store, &seen(150, 1), 1).await.known);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_readers_the_later_one_is_shown() {
    let mut export = rich(20, 0);
    export.source.connector = "export".into();
    export.control = Default::default();
    export.workloads[0].name = "as exported".into();
    let live = rich(15, 1);
    for engine in engines() {
        let store = engine.open().await;
        write(&store, &live, 1).await;
        write(&store, &export, 1).await;
        for as_of in [AsOf::Latest, AsOf::Time(day(1))] {
            let answer =
                ask(&store, "select count(*), count(distinct id) from workloads", as_of).await;
            assert_eq!(answer.rows[0][0], answer.rows[0][1]);
            let exported =
                ask(&store, "select name from workloads where name = 'as exported'", as_of).await;
            assert!(exported.rows.is_empty());
            let grants = ask(&store, "select count(*) from grants", as_of).await;
            assert_eq!(grants.rows[0][0], Datum::Integer(live.control.grants.len() as i64));
            let twice = ask(&store, "select workload, label, count(*) from disks group by workload, label, path having count(*) > 1", as_of).await;
            assert!(twice.rows.is_empty(), "{twice:?}");
        }
        // The export is taken again, later: now it is the one that is shown, but it knows of no grants.
        let mut again = export.clone();
        again.source.taken = Some(Moment::Utc(day(2)));
        write(&store, &again, 2).await;
        let exported =
            ask(&store, "select name from workloads where name = 'as exported'", AsOf::Latest)
                .await;
        assert_eq!(exported.rows.len(), 1);
        let grants = ask(&store, "select count(*) from grants", AsOf::Latest).await;
        assert_eq!(grants.rows[0][0], Datum::Integer(live.control.grants.len() as i64));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_whose_zone_is_not_told_hides_no_log_in_of_the_same_day() {
    let seen = rich(10, 0);
    let mut export = seen.clone();
    export.source.connector = "export".into();
    export.control = entente_model::ControlPlane::default();
    export.workloads[0].power = Observed::Value(entente_model::PowerState::Suspended);
    let id = export.workloads[0].id.to_string();
    let power = format!("select power from workloads where id = '{id}'");
    for engine in engines() {
        let store = engine.open().await;
        write(&store, &seen, 0).await;
        for (hours, is_hidden) in [(13, false), (15, true)] {
            let at = day(0) + time::Duration::hours(hours);
            let local = time::PrimitiveDateTime::new(at.date(), at.time());
            export.source.taken = Some(Moment::Local(local));
            write(&store, &export, 1).await;
            for as_of in [AsOf::Latest, AsOf::Time(day(2))] {
                let shown = ask(&store, &power, as_of).await.rows;
                let is_export = shown == [[Datum::Text("suspended".into())]];
                assert_eq!(is_export, is_hidden, "{hours} {as_of:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_of_several_readers_stand_beside_those_of_each() {
    let finding = Finding {
        severity: Severity::Warning,
        code: "ENT-0211".into(),
        subject: "vc/vm-1".into(),
        message: "it's `a` \\ and 'b'".into(),
        remedy: "look".into(),
    };
    for engine in engines() {
        let store = engine.open().await;
        write(&store, &rich(5, 0), 0).await;
        let sql = "with found as (select * from findings f where f.code like 'ENT-02%') select subject, message, connector from found where code = 'ENT-0211'";
        for as_of in [AsOf::Latest, AsOf::Time(day(1))] {
            let findings = std::slice::from_ref(&finding);
            let answer = store.query_with(sql, as_of, &limits(), findings).await.unwrap();
            let text = |it: &str| Datum::Text(it.to_owned());
            let row = vec![text("vc/vm-1"), text(&finding.message), text("entente")];
            assert_eq!(answer.rows, [row]);
            assert!(store.query(sql, as_of, &limits()).await.unwrap().rows.is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn things_are_found_by_name_address_and_uuid() {
    let [first, second] = two_days();
    let workload = &second.workloads[3];
    let nic = &workload.nics.items[0];
    let mac = nic.mac.value().unwrap().replace(':', "-").to_uppercase();
    let uuid = workload.instance_uuid.value().unwrap().to_string();
    let name = workload.name.to_uppercase();
    for engine in engines() {
        let store = engine.open().await;
        write(&store, &first, 0).await;
        write(&store, &second, LATER).await;
        for (term, what) in [
            (&mac, "mac"),
            (&uuid, "uuid"),
            (&name, "name"),
            (&name.chars().take(8).collect(), "name"),
        ] {
            let hits = store.search(term, 50).await.unwrap();
            let hit = hits.iter().find(|it| it.id == workload.id.as_str());
            let hit = hit.unwrap_or_else(|| panic!("{term}: {hits:?}"));
            assert_eq!((hit.kind.as_str(), hit.what.as_str()), ("workloads", what));
            assert_eq!(hit.name, workload.name.as_str());
        }
        // What is gone is not found, nor is it under the name that it had.
        let gone = store.search(&first.workloads[12].name, 50).await.unwrap();
        assert!(gone.iter().all(|it| it.id != first.workloads[12].id.as_str()));
        assert!(store.search("", 50).await.unwrap().is_empty());
        assert_eq!(store.search("10.", 3).await.unwrap().len(), 4);
    }
}

/// The role that owns the store may not make roles: queries are asked all the same, and say so.
#[tokio::test(flavor = "multi_thread")]
async fn an_owner_without_rights_over_roles_is_told_of() {
    for engine in engines() {
        let Address::Postgres(url) = &engine.address else { continue };
        let make =
            "create role plain_owner login; grant create, usage on schema public to plain_owner";
        let made =
            Command::new("psql").args(["--quiet", "--dbname", url, "--command", make]).status();
        assert!(made.unwrap().success());
        let address = Address::Postgres(url.replace("://entente@", "://plain_owner@"));
        let store = Store::open(&address).await.unwrap();
        write(&store, &seen(5, 0), 0).await;
        let answer = ask(&store, "select count(*) from workloads", AsOf::Latest).await;
        assert_eq!(answer.rows, [[Datum::Integer(5)]]);
        assert!(answer.notes[0].contains("entente_reader"), "{:?}", answer.notes);
    }
}
