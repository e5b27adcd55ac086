//! A tiny server that answers as it was told, and a collection from it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use entente_model::{Collection, GapCause, Moment};
use time::macros::datetime;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::connector::Unwatched;
use crate::live::{
    Cancel, ConnectError, Credentials, Live, LiveLimits, Run, Secret, Target, Traffic, Trust,
};
use crate::proxmox::CONNECTOR;

/// Answers by `GET /path`, each with its status and body; everything else is not implemented.
pub(super) type Script = BTreeMap<String, (u16, String)>;

/// Answers that differ from one time to the next; the last of them stays.
pub(super) type Turns = BTreeMap<String, Vec<(u16, String)>>;

/// What is played.
struct Scene {
    script: Script,
    turns: Mutex<Turns>,
}

impl Scene {
    fn answer(&self, key: &str) -> Option<(u16, String)> {
        let mut turns = self.turns.lock().unwrap();
        match turns.get_mut(key) {
            Some(answers) if answers.len() > 1 => Some(answers.remove(0)),
            Some(answers) => answers.first().cloned(),
            None => self.script.get(key).cloned(),
        }
    }
}

/// Where a script is played, for as long as it is kept.
pub(super) struct Played {
    pub address: String,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Played {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(super) async fn play(script: Script) -> Played {
    play_in_turn(script, Turns::new()).await
}

pub(super) async fn play_in_turn(script: Script, turns: Turns) -> Played {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let scene = Arc::new(Scene { script, turns: Mutex::new(turns) });
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, scene.clone()));
        }
    });
    Played { address, task }
}

async fn answer(stream: TcpStream, scene: Arc<Scene>) {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut first, mut length) = (String::new(), 0);
        if stream.read_line(&mut first).await.unwrap_or(0) == 0 {
            return;
        }
        loop {
            let mut header = String::new();
            if stream.read_line(&mut header).await.unwrap_or(0) <= 2 {
                break;
            }
            if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        let mut words = first.split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let path = target.split('?').next().unwrap().trim_start_matches("/api2/json");
        let told = scene.answer(&format!("{method} {path}"));
        let (status, body) = told.unwrap_or((501, r#"{"data":null}"#.to_owned()));
        let head = format!(
            "HTTP/1.1 {status} said in the head\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    }
}

pub(super) fn target(address: &str, credentials: Credentials) -> Target {
    Target {
        id: "pve".parse().unwrap(),
        address: address.into(),
        site: None,
        owner: None,
        credentials,
        trust: Trust::default(),
        limits: LiveLimits {
            connect_seconds: 5,
            answer_seconds: 20,
            idle_seconds: 5,
            ..LiveLimits::default()
        },
        taken: Moment::Utc(datetime!(2026-03-03 16:00 UTC)),
    }
}

pub(super) fn password(user: &str, password: &str) -> Credentials {
    Credentials::Password { user: user.into(), password: Secret::new(password.to_owned()) }
}

pub(super) async fn collect(target: &Target) -> Result<Collection, ConnectError> {
    let (cancel, traffic) = (Cancel::new(), Traffic::default());
    let run = Run { target, watch: &Unwatched, cancel: &cancel, traffic: &traffic };
    CONNECTOR.collect(run).await
}

/// Gaps as `cause section field`, for tests to look through.
pub(super) fn gaps(collection: &Collection) -> Vec<String> {
    collection
        .gaps
        .iter()
        .map(|gap| {
            format!(
                "{} {} {}: {} [{}] x{}",
                gap.cause.as_str(),
                gap.place.section.as_deref().unwrap_or("-"),
                gap.place.field.as_deref().unwrap_or("-"),
                gap.message,
                gap.value.as_deref().unwrap_or_default(),
                gap.count
            )
        })
        .collect()
}

pub(super) fn has_gap(collection: &Collection, cause: GapCause, section: &str) -> bool {
    collection.gaps.iter().any(|gap| {
        gap.cause == cause && gap.place.section.as_deref().unwrap_or_default() == section
    })
}
