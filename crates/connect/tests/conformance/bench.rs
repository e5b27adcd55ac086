//! One connector on the bench: its twin, its targets, and a watchdog.

use std::sync::Arc;
use std::time::Duration;

use entente_connect::connector::Unwatched;
use entente_connect::live::{
    self, Answer, Cancel, CheckReport, ConnectError, Credentials, Live, LiveLimits, Run, Secret,
    Target, Traffic, Trust,
};
use entente_model::{Collection, PlatformId};
use entente_twins::live::{PlatformTwin, Served, Setup};
use entente_twins::{EstateSpec, generate};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A case that takes longer hangs.
const CASE_SECONDS_MAX: u64 = 90;
/// Enough for a middle, several pages, and every kind of workload.
const WORKLOADS: u32 = 60;

/// One connector with the world that its twin serves.
#[derive(Clone)]
pub struct Bench {
    pub name: &'static str,
    pub live: &'static dyn Live,
    pub world: Arc<Collection>,
    twin: &'static dyn PlatformTwin,
}

/// Names of connectors that log in.
pub fn live_connectors() -> Vec<&'static str> {
    entente_connect::platforms().map(|it| it.0).collect()
}

/// Runs a case for each connector, side by side, within the watchdog's time.
pub fn each_connector<F>(case: impl AsyncFn(Bench) -> F) {
    let spec = EstateSpec { workloads: WORKLOADS, vcenters: 1, ..EstateSpec::default() };
    let world = Arc::new(generate(&spec).remove(0));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut benches = 0;
    for (name, live) in entente_connect::platforms() {
        let twins = entente_twins::live::platforms();
        let Some(twin) = twins.iter().copied().find(|it| it.connector() == name) else { continue };
        let bench = Bench { name, live, world: world.clone(), twin };
        let case = case(bench);
        let outcome = runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(CASE_SECONDS_MAX), case).await
        });
        assert!(outcome.is_ok(), "`{name}` hangs: nothing after {CASE_SECONDS_MAX} s");
        benches += 1;
    }
    runtime.shutdown_background();
    assert!(benches > 0, "there is nothing to test");
}

impl Bench {
    pub async fn serve(&self, setup: Setup) -> Served {
        self.twin.serve(self.world.clone(), setup).await.unwrap()
    }

    pub async fn serve_empty(&self) -> Served {
        let mut empty = Collection::empty(self.world.source.clone());
        empty.platforms = self.world.platforms.clone();
        self.twin.serve(Arc::new(empty), Setup::default()).await.unwrap()
    }

    pub fn target(&self, twin: &Served) -> Target {
        self.target_as(twin, &twin.user, &twin.password)
    }

    pub fn target_as(&self, twin: &Served, user: &str, password: &str) -> Target {
        Target {
            id: "bench".parse::<PlatformId>().unwrap(),
            address: twin.address.as_str().into(),
            site: None,
            owner: None,
            credentials: if user.is_empty() {
                Credentials::None
            } else {
                Credentials::Password {
                    user: user.into(),
                    password: Secret::new(password.to_owned()),
                }
            },
            trust: Trust::System,
            limits: LiveLimits {
                connect_seconds: 2,
                idle_seconds: 2,
                answer_seconds: 20,
                collection_seconds: 60,
                objects_max: 2_000,
                activities_max: 500,
                page_objects: 10,
                retry_wait_seconds_max: 1,
                ..LiveLimits::default()
            },
            taken: "2026-11-22T12:00:00Z".parse().unwrap(),
        }
    }

    pub async fn collect(&self, twin: &Served) -> Result<Collection, ConnectError> {
        self.collect_with(&self.target(twin)).await
    }

    pub async fn collect_with(&self, target: &Target) -> Result<Collection, ConnectError> {
        self.collect_until(target, &Cancel::new()).await
    }

    pub async fn collect_until(
        &self,
        target: &Target,
        cancel: &Cancel,
    ) -> Result<Collection, ConnectError> {
        self.reading(target, cancel, &Traffic::default()).await
    }

    pub async fn counted(&self, twin: &Served) -> (Result<Collection, ConnectError>, Traffic) {
        let traffic = Traffic::default();
        let outcome = self.reading(&self.target(twin), &Cancel::new(), &traffic).await;
        (outcome, traffic)
    }

    fn reading<'a>(
        &self,
        target: &'a Target,
        cancel: &'a Cancel,
        traffic: &'a Traffic,
    ) -> Answer<'a, Result<Collection, ConnectError>> {
        Box::pin(live::collect(self.live, Run { target, watch: &Unwatched, cancel, traffic }))
    }

    pub async fn check(&self, target: &Target) -> Result<CheckReport, ConnectError> {
        let (cancel, traffic) = (Cancel::new(), Traffic::default());
        self.live.check(Run { target, watch: &Unwatched, cancel: &cancel, traffic: &traffic }).await
    }
}

/// `host:port` of a twin's address.
pub fn address_of(twin: &Served) -> String {
    let rest = twin.address.split_once("://").map_or(twin.address.as_str(), |it| it.1);
    rest.split(['/', '?']).next().unwrap_or(rest).to_owned()
}

/// An address where nothing listens.
pub fn closed_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A server that is no platform.
pub struct Elsewhere {
    pub address: String,
    task: JoinHandle<()>,
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One that greets everybody as a web server would.
pub async fn something_else() -> Elsewhere {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let answer = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\
                              content-length: 20\r\n\r\n<html>hello!</html>\n";
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    Elsewhere { address, task }
}

/// One that accepts and never says a word.
pub async fn silence() -> Elsewhere {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let task = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    Elsewhere { address, task }
}
