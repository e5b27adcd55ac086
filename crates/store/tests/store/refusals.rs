//! Stores that cannot be used: each says why, with a code, and is left as it was.

use std::path::Path;
use std::process::Command;

use entente_store::{Address, Store, StoreError};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

use crate::engines::{Empty, engines};
use crate::{day, read, seen, write};
use entente_store::AsOf;

/// Why it cannot be opened.
async fn refusal(address: &Address) -> (&'static str, String) {
    let error = Store::open(address).await.map(|_| ()).unwrap_err();
    assert!(!error.hint().is_empty());
    (error.code(), error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_store_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (code, told) = refusal(&Address::File(folder.path().to_owned())).await;
    assert_eq!(code, "ENT-0401", "{told}");
    let path = folder.path().join("notes.db");
    let text =
        "not a database at all, but long enough to be taken for the head of one\n".repeat(99);
    std::fs::write(&path, &text).unwrap();
    let (code, told) = refusal(&Address::File(path.clone())).await;
    assert_eq!(code, "ENT-0401", "{told}");
    assert!(told.contains("not a database"), "{told}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    let (code, told) = refusal(&Address::File(folder.path().join("no/such/folder.db"))).await;
    assert_eq!(code, "ENT-0401", "{told}");
}

/// Says something to a store's database, past the store.
async fn say(address: &Address, statement: &str) {
    let mut connection = connection(address).await;
    connection.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
    connection.close().await.unwrap();
}

async fn connection(address: &Address) -> AnyConnection {
    sqlx::any::install_default_drivers();
    let url = match address {
        Address::File(path) => format!("sqlite://{}", path.display()),
        Address::Postgres(url) => url.clone(),
    };
    AnyConnection::connect(&url).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_refused_and_untouched() {
    for engine in engines() {
        let store = engine.open().await;
        write(&store, &seen(20, 0), 0).await;
        let before = read(&store, AsOf::Latest).await;
        store.close().await;
        say(&engine.address, "update meta set value = '99' where name = 'schema'").await;
        let bytes = file(&engine.address).map(|it| std::fs::read(it).unwrap());
        let error = Store::open(&engine.address).await.map(|_| ()).unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
        assert_eq!(error.code(), "ENT-0402");
        assert_eq!(file(&engine.address).map(|it| std::fs::read(it).unwrap()), bytes);
        say(&engine.address, "update meta set value = '2' where name = 'schema'").await;
        assert_eq!(read(&engine.open().await, AsOf::Latest).await, before);
    }
}

fn file(address: &Address) -> Option<&Path> {
    match address {
        Address::File(path) => Some(path),
        Address::Postgres(_) => None,
    }
}

/// The PostgreSQL among the engines, and its address.
fn server() -> Option<(Empty, String)> {
    engines().into_iter().find_map(|it| match it.address.clone() {
        Address::Postgres(url) => Some((it, url)),
        Address::File(_) => None,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_answer_is_told_at_once() {
    // Bound, so that nobody else answers there, and not listening.
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    drop(socket);
    let url = format!("postgres://entente:secret@127.0.0.1:{port}/entente");
    let (code, told) = refusal(&Address::Postgres(url)).await;
    assert_eq!(code, "ENT-0401", "{told}");
    assert!(told.contains("refused") && !told.contains("secret"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_the_account_is_told_without_its_password() {
    let Some((engine, url)) = server() else { return };
    say(&engine.address, "drop role if exists guarded").await;
    say(&engine.address, "create role guarded login password 'right'").await;
    // This account, and no other, has to say its password.
    let asked = ["-At", "--dbname", &url, "--command", "show hba_file"];
    let rules = Command::new("psql").args(asked).output().unwrap();
    let path = String::from_utf8(rules.stdout).unwrap().trim().to_owned();
    let rules = std::fs::read_to_string(&path).unwrap();
    let guarded = "host all guarded 127.0.0.1/32 scram-sha-256\n";
    std::fs::write(&path, format!("{guarded}{rules}")).unwrap();
    say(&engine.address, "select pg_reload_conf()").await;
    let with = |user: &str| Address::Postgres(url.replace("//entente@", &format!("//{user}@")));
    let (code, told) = refusal(&with("guarded:wrong")).await;
    assert_eq!(code, "ENT-0401", "{told}");
    assert!(told.contains("password") && !told.contains("wrong"), "{told}");
    // The right password, but tables may not be made.
    say(&engine.address, "revoke create on schema public from public").await;
    let (code, told) = refusal(&with("guarded:right")).await;
    assert_eq!(code, "ENT-0401", "{told}");
    assert!(told.contains("permission denied"), "{told}");
    let (code, told) = refusal(&Address::Postgres(format!("{url}_of_nobody"))).await;
    assert_eq!(code, "ENT-0401", "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_that_are_taken_while_it_is_written_hold_together() {
    let (one, mut other) = (seen(60, 0), seen(60, 1));
    other.workloads.truncate(30);
    for engine in engines() {
        let store = engine.open().await;
        write(&store, &one, 0).await;
        let folder = tempfile::tempdir().unwrap();
        let writer = {
            let (store, one, other) = (store.clone(), one.clone(), other.clone());
            tokio::spawn(async move {
                for number in 1..9 {
                    let mut next = if number % 2 == 0 { one.clone() } else { other.clone() };
                    next.source.taken = Some(entente_model::Moment::Utc(day(number)));
                    write(&store, &next, number).await;
                }
            })
        };
        let mut copies = 0;
        while !writer.is_finished() || copies == 0 {
            let path = folder.path().join(format!("{copies}.db"));
            store.backup(&path).await.unwrap();
            let copy = Store::open(&Address::File(path)).await.unwrap();
            assert_eq!(copy.check().await.unwrap(), Vec::<String>::new());
            let latest = copy.ages(AsOf::Latest).await.unwrap()[0].observed;
            let is_other = (latest - day(0)).whole_days() % 2 == 1;
            let workloads = read(&copy, AsOf::Latest).await.workloads.len();
            assert_eq!(workloads, if is_other { 30 } else { 60 });
            copy.close().await;
            copies += 1;
        }
        writer.await.unwrap();
    }
}
