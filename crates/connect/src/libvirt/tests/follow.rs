//! Following a host that does what a test wants: events, connections that end, domains that are busy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::BytesMut;
use entente_model::{Collection, PowerState, Uuid};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::target;
use crate::connector::{Unwatched, Watch};
use crate::libvirt::wire::message::{Kind, Message, REMOTE};
use crate::libvirt::wire::xdr::{Decoder, Encoder};
use crate::live::{Cancel, Change, ConnectError, Live, Run, Target, Traffic};

/// What a test has the host do.
enum Order {
    /// Tells of an event of a domain.
    Event(u32, &'static str),
    /// Sends a message of this number that nobody can read.
    Noise(u32),
    /// Ends the connection.
    HangUp,
}

#[derive(Default)]
struct World {
    /// Titles of domains, by name.
    domains: BTreeMap<&'static str, String>,
    /// Those that run, though the list is older than that.
    running: BTreeSet<&'static str>,
    /// So many questions about domains are answered with "busy".
    busy: u32,
    /// Kinds of events that were asked for on the connection that is open.
    watched: Vec<i32>,
}

struct Host {
    world: Arc<Mutex<World>>,
    orders: mpsc::UnboundedSender<Order>,
    changes: mpsc::UnboundedReceiver<Change>,
    cancel: Cancel,
    following: JoinHandle<Result<(), ConnectError>>,
}

fn uuid(name: &str) -> Uuid {
    Uuid::from_u128(name.bytes().fold(1, |sum, byte| sum * 256 + u128::from(byte)))
}

fn domain(name: &str, number: i32, to: &mut Encoder) {
    to.text(name);
    to.fixed(uuid(name).as_bytes());
    to.signed(number);
}

/// Tells when following has begun.
struct Ready(mpsc::UnboundedSender<()>);

impl Watch for Ready {
    fn section(&self, _: &str, section: &str, _: u64, _: usize, _: usize) {
        if section == "events" {
            self.0.send(()).unwrap();
        }
    }
}

impl Host {
    /// Served, with these domains.
    async fn served(
        names: &[&'static str],
    ) -> (Target, Arc<Mutex<World>>, mpsc::UnboundedSender<Order>) {
        let world = Arc::new(Mutex::new(World::default()));
        world.lock().unwrap().domains = names.iter().map(|it| (*it, "first".into())).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("qemu+tcp://{}/system", listener.local_addr().unwrap());
        let (orders, mut given) = mpsc::unbounded_channel();
        tokio::spawn({
            let world = world.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    converse(stream, &world, &mut given).await;
                }
            }
        });
        let mut target = Target { address: address.into(), ..target() };
        target.limits.retry_wait_seconds_max = 1;
        (target, world, orders)
    }

    /// Followed, with these domains.
    async fn followed(names: &[&'static str], change: impl Fn(&mut Target)) -> Self {
        let (mut target, world, orders) = Self::served(names).await;
        change(&mut target);
        let (tell, changes) = mpsc::unbounded_channel();
        let (ready, mut is_ready) = mpsc::unbounded_channel();
        let cancel = Cancel::new();
        let following = tokio::spawn({
            let cancel = cancel.clone();
            async move {
                let (watch, traffic) = (Ready(ready), Traffic::default());
                let run =
                    Run { target: &target, watch: &watch, cancel: &cancel, traffic: &traffic };
                let mut changed = |change| tell.send(change).unwrap();
                crate::libvirt::CONNECTOR.follow(run, &mut changed).unwrap().await
            }
        });
        is_ready.recv().await.unwrap();
        Self { world, orders, changes, cancel, following }
    }

    fn order(&self, order: Order) {
        self.orders.send(order).unwrap_or_else(|_| panic!("the host is there"));
    }

    async fn change(&mut self) -> Change {
        let change = tokio::time::timeout(Duration::from_secs(60), self.changes.recv()).await;
        change.expect("a change in time").expect("it is followed")
    }

    /// Names and titles of what was read.
    async fn read(&mut self) -> Vec<(String, String)> {
        match self.change().await {
            Change::Read(collection) => titles(&collection),
            Change::WorkloadRemoved { native_id } => panic!("{native_id} is not removed"),
        }
    }

    async fn end(self) {
        self.cancel.cancel();
        assert_eq!(self.following.await.unwrap(), Ok(()));
    }
}

fn titles(collection: &Collection) -> Vec<(String, String)> {
    let of = |it: &entente_model::Workload| {
        (it.name.to_string(), it.annotation.value().unwrap().to_string())
    };
    let mut titles: Vec<_> = collection.workloads.iter().map(of).collect();
    titles.sort();
    titles
}

fn pair(name: &str, title: &str) -> (String, String) {
    (name.into(), title.into())
}

async fn converse(
    mut stream: TcpStream,
    world: &Mutex<World>,
    orders: &mut mpsc::UnboundedReceiver<Order>,
) {
    world.lock().unwrap().watched.clear();
    let mut buffer = BytesMut::new();
    loop {
        while let Some(call) = Message::take(&mut buffer, 1 << 20).unwrap() {
            let answer = answer(&call, &mut world.lock().unwrap());
            let header = call.header;
            let body = answer.as_ref().unwrap_or_else(|error| error);
            let mut bytes =
                Message::encode(REMOTE, header.procedure, Kind::Reply, header.serial, body);
            bytes[27] = answer.is_err().into();
            if stream.write_all(&bytes).await.is_err() {
                return;
            }
        }
        tokio::select! {
            read = stream.read_buf(&mut buffer) => if matches!(read, Ok(0) | Err(_)) { return },
            order = orders.recv() => match order {
                Some(Order::Event(number, name)) => {
                    let mut body = Encoder::default();
                    body.signed(1);
                    domain(name, -1, &mut body);
                    let bytes = Message::encode(REMOTE, number, Kind::Message, 0, &body.into_bytes());
                    stream.write_all(&bytes).await.unwrap();
                }
                Some(Order::Noise(number)) => {
                    let bytes = Message::encode(REMOTE, number, Kind::Message, 0, &[]);
                    stream.write_all(&bytes).await.unwrap();
                }
                Some(Order::HangUp) | None => return,
            },
        }
    }
}

fn error(code: i32) -> Vec<u8> {
    let mut body = Encoder::default();
    body.signed(code);
    body.signed(0);
    body.optional_text(Some("as libvirt says"));
    body.into_bytes()
}

/// The body of an answer, or of an error.
fn answer(call: &Message, world: &mut World) -> Result<Vec<u8>, Vec<u8>> {
    let mut from = Decoder::new(&call.body);
    let mut body = Encoder::default();
    match call.header.procedure {
        66 => [1, 0].map(|it| body.unsigned(it)).into_iter().collect(),
        1 | 2 => {}
        3 => body.text("QEMU"),
        157 => [0, 9_000_000].map(|it| body.unsigned(it)).into_iter().collect(),
        316 => {
            world.watched.push(from.signed().unwrap());
            body.signed(1);
        }
        273 => {
            let _results = from.signed().unwrap();
            // All of them are kept; none is saved, starts by itself or has VM snapshots.
            let is_asked = matches!(from.unsigned().unwrap(), 0 | 4);
            let names = world.domains.keys().filter(|_| is_asked);
            let count = u32::try_from(names.clone().count()).unwrap();
            body.unsigned(count);
            names.for_each(|it| domain(it, -1, &mut body));
            body.unsigned(count);
        }
        24 => {
            let id = from.uuid().unwrap();
            let name = world.domains.keys().find(|it| uuid(it) == id).ok_or_else(|| error(42))?;
            domain(name, if world.running.contains(name) { 7 } else { -1 }, &mut body);
        }
        14 => {
            let name = from.text().unwrap();
            if world.busy > 0 {
                world.busy -= 1;
                return Err(error(68));
            }
            let title = world.domains.get(name.as_str()).ok_or_else(|| error(42))?;
            let _uuid_and_number = (from.uuid().unwrap(), from.signed().unwrap());
            let is_live = from.unsigned().unwrap() == 0 && world.running.contains(name.as_str());
            let number = if is_live { " id='7'" } else { "" };
            body.text(&format!(
                "<domain type='kvm'{number}><name>{name}</name><title>{title}</title></domain>"
            ));
        }
        212 => {
            let state = if world.running.contains(from.text().unwrap().as_str()) { 1 } else { 5 };
            [state, 0].map(|it| body.signed(it)).into_iter().collect()
        }
        _ => return Err(error(3)),
    }
    Ok(body.into_bytes())
}

#[tokio::test]
async fn following_does_not_end_with_the_time_for_a_collection() {
    let no_time = |target: &mut Target| target.limits.collection_seconds = 0;
    let mut host = Host::followed(&["a", "b"], no_time).await;
    host.world.lock().unwrap().domains.insert("b", "second".into());
    // Defined; then a device was added.
    for number in [318, 354] {
        host.order(Order::Event(number, "b"));
        assert_eq!(host.read().await, [pair("b", "second")]);
    }
    host.world.lock().unwrap().domains.remove("a");
    host.order(Order::Event(318, "a"));
    let native_id = uuid("a").to_string().into();
    assert_eq!(host.change().await, Change::WorkloadRemoved { native_id });
    assert!(host.world.lock().unwrap().watched.contains(&0));
    host.end().await;
}

#[tokio::test]
async fn what_happened_while_the_connection_was_lost_is_caught_up_with() {
    let mut host = Host::followed(&["a", "b"], |_| {}).await;
    for title in ["second", "third"] {
        host.world.lock().unwrap().domains =
            [("b", title.to_owned()), ("c", "new".into())].into_iter().collect();
        host.order(Order::HangUp);
        if title == "second" {
            let native_id = uuid("a").to_string().into();
            assert_eq!(host.change().await, Change::WorkloadRemoved { native_id });
        }
        assert_eq!(host.read().await, [pair("b", title), pair("c", "new")]);
    }
    // And it goes on: the new connection was asked for events, too.
    host.world.lock().unwrap().domains.insert("c", "newer".into());
    host.order(Order::Event(318, "c"));
    assert_eq!(host.read().await, [pair("c", "newer")]);
    host.end().await;
}

#[tokio::test]
async fn an_event_that_cannot_be_read_may_be_of_any_domain() {
    let mut host = Host::followed(&["a", "b"], |_| {}).await;
    host.order(Order::Noise(318));
    assert_eq!(host.read().await, [pair("a", "first"), pair("b", "first")]);
    host.end().await;
}

#[tokio::test]
async fn a_domain_that_is_busy_is_read_again_later() {
    let mut host = Host::followed(&["a"], |target| {
        target.limits.retries_max = 1;
        target.limits.idle_seconds = 1;
    })
    .await;
    // Both questions of the first reading, with their retries.
    host.world.lock().unwrap().busy = 2;
    host.order(Order::Event(318, "a"));
    assert_eq!(host.read().await, [pair("a", "first")]);
    assert_eq!(host.world.lock().unwrap().busy, 0);
    host.end().await;
}

#[tokio::test]
async fn a_domain_that_starts_while_it_is_read_is_read_again_as_it_runs() {
    let (target, world, _orders) = Host::served(&["a", "b"]).await;
    world.lock().unwrap().running.insert("b");
    let (cancel, traffic) = (Cancel::new(), Traffic::default());
    let run = Run { target: &target, watch: &Unwatched, cancel: &cancel, traffic: &traffic };
    let collection = crate::libvirt::CONNECTOR.collect(run).await.unwrap();
    let powers: BTreeMap<_, _> =
        collection.workloads.iter().map(|it| (it.name.as_str(), it.power.copied())).collect();
    let expected = [("a", Some(PowerState::Off)), ("b", Some(PowerState::On))];
    assert_eq!(powers, expected.into_iter().collect());
}
