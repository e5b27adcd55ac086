//! A libvirtd of the tests' own, with guests in it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use entente_connect::live::{Credentials, LiveLimits, Target, Trust};
use entente_model::Moment;
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the script says when it cannot run here.
const CANNOT: i32 = 77;

/// One daemon for all tests that run at the same time.
static SHARED: Mutex<Weak<Daemon>> = Mutex::new(Weak::new());
/// Tests change guests: they go one after the other.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Waits until no other test is at work.
pub async fn turn() -> tokio::sync::MutexGuard<'static, ()> {
    TURN.lock().await
}

/// A target with nothing to log in with.
pub fn target(address: &str) -> Target {
    Target {
        id: "kvm".parse().unwrap(),
        address: address.into(),
        site: None,
        owner: None,
        credentials: Credentials::None,
        trust: Trust::System,
        limits: LiveLimits::default(),
        taken: "2026-01-31T12:00:00Z".parse::<Moment>().unwrap(),
    }
}

pub struct Daemon {
    folder: TempDir,
    facts: BTreeMap<String, String>,
}

impl Daemon {
    /// The one that runs, else a new one; else why there is none.
    pub fn get() -> Result<Arc<Self>, String> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(daemon) = shared.upgrade() {
            return Ok(daemon);
        }
        let daemon = Arc::new(Self::start(&[])?);
        daemon.furnish();
        *shared = Arc::downgrade(&daemon);
        Ok(daemon)
    }

    /// An empty one that wants a password over TLS, by a SASL mechanism.
    pub fn with_password(mechanism: &str) -> Result<Self, String> {
        Self::start(&["sasl", mechanism])
    }

    fn start(options: &[&str]) -> Result<Self, String> {
        let folder = TempDir::with_prefix("entente-libvirtd-").unwrap();
        let output = script("start", folder.path(), options);
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(CANNOT) {
            return Err(said.trim().to_owned());
        }
        assert!(output.status.success(), "{said}");
        let facts = String::from_utf8(output.stdout).unwrap();
        let facts = facts.lines().filter_map(|it| it.split_once('='));
        let facts = facts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Self { folder, facts })
    }

    fn furnish(&self) {
        let images = self.folder.path().join("images");
        std::fs::create_dir(&images).unwrap();
        std::fs::write(images.join("disc.iso"), vec![0; 64 << 10]).unwrap();
        // Without DHCP and names it needs no dnsmasq. Bridge and addresses are of no other run.
        let (bridge, number) = (self.bridge(), std::process::id());
        let (third, second) = (number % 250, 200 + number / 250 % 50);
        self.load(
            "net-define",
            &format!(
                "<network><name>default</name><forward mode='nat'/><bridge name='{bridge}'/>
                   <dns enable='no'/>
                   <ip address='10.{second}.{third}.1' netmask='255.255.255.0'/></network>"
            ),
        );
        self.virsh("net-start default");
        self.load(
            "net-define",
            "<network><name>trunk</name><forward mode='bridge'/><bridge name='ovs-none'/>
               <virtualport type='openvswitch'/>
               <portgroup name='web'><vlan><tag id='42'/></vlan></portgroup>
               <portgroup name='all' default='yes'/></network>",
        );
        self.virsh(&format!("pool-define-as images dir --target {}", images.display()));
        self.virsh("pool-start images");
        self.define(
            "one",
            "<interface type='network'><source network='default'/><model type='virtio'/>
               <filterref filter='clean-traffic'/></interface>
             <interface type='network'><source network='default'/><model type='e1000'/>
               <link state='down'/></interface>
             <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>",
        );
        self.virsh("start one");
        self.virsh("snapshot-create-as one s1 first");
        self.command(&["snapshot-create-as", "one", "s2", "before the change"]);
        self.load("checkpoint-create one", "<domaincheckpoint><name>c1</name></domaincheckpoint>");
        self.define_two();
        self.make_image("spare");
    }

    fn define_two(&self) {
        self.make_image("two");
        let images = self.folder.path().join("images");
        let images = images.display();
        self.load(
            "define",
            &format!(
                "<domain type='{}'><name>two</name><title>Second guest</title>
                   <description>ask operations; password: hunter2</description>
                   <metadata><app:ticket xmlns:app='https://example.com/app'>4711</app:ticket></metadata>
                   <memory unit='MiB'>64</memory><vcpu current='1'>2</vcpu>
                   <os><type arch='x86_64' machine='q35'>hvm</type></os>
                   <cpu><topology sockets='1' cores='2' threads='1'/></cpu>
                   <devices>
                     <disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
                       <source file='{images}/two.qcow2'/><target dev='sda' bus='scsi'/></disk>
                     <disk type='file' device='cdrom'><driver name='qemu' type='raw'/>
                       <source file='{images}/disc.iso'/><target dev='sdb' bus='sata'/></disk>
                     <controller type='scsi' index='0' model='virtio-scsi'/>
                     <interface type='network'><source network='default'/><model type='virtio'/></interface>
                   </devices></domain>",
                self.fact("virt")
            ),
        );
        self.virsh("autostart two");
    }

    /// Defines a small guest with a disk of its own.
    pub fn define(&self, name: &str, devices: &str) {
        self.make_image(name);
        let image = self.folder.path().join("images").join(format!("{name}.qcow2"));
        self.load(
            "define",
            &format!(
                "<domain type='{}'><name>{name}</name><memory unit='MiB'>64</memory>
                   <vcpu>1</vcpu><os><type arch='x86_64' machine='q35'>hvm</type></os>
                   <devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
                     <source file='{}'/><target dev='vda' bus='virtio'/></disk>{devices}
                   </devices></domain>",
                self.fact("virt"),
                image.display()
            ),
        );
    }

    /// Of the newer form, since the older cannot be watched by checkpoints.
    fn make_image(&self, name: &str) {
        self.load(
            "vol-create images",
            &format!(
                "<volume><name>{name}.qcow2</name><capacity unit='MiB'>16</capacity>
                   <target><format type='qcow2'/><compat>1.1</compat></target></volume>"
            ),
        );
    }

    /// Has virsh read a document.
    fn load(&self, command: &str, document: &str) {
        let file = self.folder.path().join("document.xml");
        std::fs::write(&file, document).unwrap();
        self.virsh(&format!("{command} {}", file.display()));
    }

    /// Name of the bridge of the network `default`.
    pub fn bridge(&self) -> String {
        format!("ent{}", std::process::id())
    }

    pub fn fact(&self, name: &str) -> &str {
        self.facts.get(name).map(String::as_str).expect("the script says so")
    }

    pub fn unix(&self) -> String {
        format!("qemu+unix:///system?socket={}", self.fact("socket"))
    }

    pub fn read_only(&self) -> String {
        format!("qemu+unix:///system?socket={}", self.fact("socket_ro"))
    }

    pub fn tcp(&self, driver: &str, path: &str) -> String {
        format!("{driver}+tcp://{}/{path}", self.fact("tcp"))
    }

    pub fn tls(&self) -> String {
        format!("qemu+tls://{}/system", self.fact("tls"))
    }

    pub fn pki(&self, file: &str) -> PathBuf {
        Path::new(self.fact("pki")).join(file)
    }

    pub fn certificate(&self, name: &str) -> Credentials {
        Credentials::Certificate {
            certificate: self.pki(&format!("{name}cert.pem")),
            key: self.pki(&format!("{name}key.pem")),
        }
    }

    /// What virsh says to a command without spaces in its arguments.
    pub fn virsh(&self, command: &str) -> String {
        self.command(&command.split(' ').collect::<Vec<_>>())
    }

    fn command(&self, arguments: &[&str]) -> String {
        said(Command::new("virsh").args(["-q", "-c", &self.unix()]).args(arguments))
    }

    pub fn virsh_at(&self, address: &str, command: &str) -> String {
        said(Command::new("virsh").args(["-q", "-c", address]).args(command.split(' ')))
    }

    pub fn lines(&self, command: &str) -> BTreeSet<String> {
        lines(&self.virsh(command))
    }

    /// Columns of each line.
    pub fn rows(&self, command: &str) -> Vec<Vec<String>> {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
        self.virsh(command).lines().filter(|it| !it.trim().is_empty()).map(words).collect()
    }

    /// `Name: value` of each line.
    pub fn table(&self, command: &str) -> BTreeMap<String, String> {
        let text = self.virsh(command);
        let pairs = text.lines().filter_map(|it| it.split_once(':'));
        pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
    }
}

/// A way to a daemon that can be cut.
pub struct Way {
    pub address: SocketAddr,
    is_open: watch::Sender<bool>,
}

impl Way {
    /// To a host and port.
    pub async fn to(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (is_open, state) = watch::channel(true);
        let upstream = upstream.to_owned();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (mut state, upstream) = (state.clone(), upstream.clone());
                if !*state.borrow() {
                    continue;
                }
                tokio::spawn(async move {
                    let mut there = TcpStream::connect(upstream).await.unwrap();
                    tokio::select! {
                        // Whichever side ends it, it is over.
                        _ = copy_bidirectional(&mut stream, &mut there) => {}
                        _ = state.wait_for(|is_open| !is_open) => {}
                    }
                });
            }
        });
        Self { address, is_open }
    }

    pub fn cut(&self) {
        self.is_open.send(false).unwrap();
    }

    pub fn mend(&self) {
        self.is_open.send(true).unwrap();
    }
}

pub fn lines(text: &str) -> BTreeSet<String> {
    text.lines().map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect()
}

impl Drop for Daemon {
    fn drop(&mut self) {
        script("stop", self.folder.path(), &[]);
    }
}

fn script(verb: &str, folder: &Path, options: &[&str]) -> Output {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/libvirtd-for-tests");
    Command::new(script).arg(verb).arg(folder).args(options).output().expect("the script is there")
}

fn said(command: &mut Command) -> String {
    let output = command.env("LC_ALL", "C").output().expect("virsh is there");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}
