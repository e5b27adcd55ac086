//! The table of procedures.

use entente_model::Uuid;

use super::super::xdr::Decoder;
use super::*;

/// Declares procedures: number and name, fields, what is sent, what is given.
macro_rules! procedures {
    ($(
        $(#[$doc:meta])*
        $number:literal $name:ident { $($field:ident: $type:ty),* $(,)? }
        |$this:pat_param, $to:pat_param| $encode:block
        -> $reply:ty: |$from:pat_param| $decode:expr;
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name { $(pub $field: $type),* }

        impl Procedure for $name {
            const NUMBER: u32 = $number;
            type Reply = $reply;

            fn encode(&self, to: &mut Encoder) {
                let ($this, $to) = (self, to);
                $encode
            }

            fn decode(from: &mut Decoder<'_>) -> Result<$reply, XdrError> {
                let $from = from;
                $decode
            }
        }
    )*};
}

procedures! {
    /// Which ways to log in there are.
    66 AuthList {}
    |_, _| {}
    -> Vec<i32>: |from| from.list("ways to log in", LOG_INS_MAX, Decoder::signed);

    /// Lets polkit decide by who is at the other end of the socket.
    70 AuthPolkit {}
    |_, _| {}
    -> (): |from| from.signed().map(drop);

    /// Which SASL mechanisms there are.
    67 SaslMechanisms {}
    |_, _| {}
    -> String: |from| from.text();

    /// Begins a SASL log-in.
    ///
    /// `mechanism`: which mechanism.
    ///
    /// `data`: what the client says first.
    68 SaslStart { mechanism: &'static str, data: Vec<u8> }
    |this, to| { to.text(this.mechanism); log_in_data(&this.data, to); }
    -> LogInStep: |from| log_in_step(from);

    /// Goes on with a SASL log-in.
    ///
    /// `data`: what the client says next.
    69 SaslStep { data: Vec<u8> }
    |this, to| { log_in_data(&this.data, to); }
    -> LogInStep: |from| log_in_step(from);

    /// Chooses the driver behind the connection.
    ///
    /// `name`: the driver's own address, `qemu:///system`.
    ///
    /// `read_only`: only what changes nothing.
    1 Open { name: String, read_only: bool }
    |this, to| { to.optional_text(Some(&this.name)); to.unsigned(this.read_only.into()); }
    -> (): |_| Ok(());

    /// Ends the connection.
    2 Close {}
    |_, _| {}
    -> (): |_| Ok(());

    /// Name of the driver: `QEMU`.
    3 DriverName {}
    |_, _| {}
    -> String: |from| from.text();

    /// Version of the hypervisor: major × 1,000,000 + minor × 1,000 + release.
    4 HypervisorVersion {}
    |_, _| {}
    -> u64: |from| from.hyper();

    /// Version of libvirt, counted likewise.
    157 LibraryVersion {}
    |_, _| {}
    -> u64: |from| from.hyper();

    /// Name of the host.
    59 Hostname {}
    |_, _| {}
    -> String: |from| from.text();

    /// What host and hypervisor can, as XML.
    7 Capabilities {}
    |_, _| {}
    -> String: |from| from.text();

    /// Maker and model of the host, as XML.
    203 SystemInformation {}
    |_, to| { to.unsigned(0); }
    -> String: |from| from.text();

    /// What the host is made of.
    6 Node {}
    |_, _| {}
    -> NodeInfo: |from| node_info(from);

    /// Memory of the host that is free, in bytes.
    102 FreeMemory {}
    |_, _| {}
    -> u64: |from| from.hyper();

    /// Whether the server has a feature of the protocol.
    ///
    /// `feature`: which.
    60 SupportsFeature { feature: i32 }
    |this, to| { to.signed(this.feature); }
    -> bool: |from| from.signed().map(|it| it != 0);

    /// Domains, filtered by flags.
    ///
    /// `flags`: 0 = all.
    273 ListDomains { flags: u32 }
    |this, to| { to.signed(1); to.unsigned(this.flags); }
    -> Vec<Domain>: |from| listed(from, "domains", LIST_MAX, Domain::decode);

    /// A domain by its UUID.
    ///
    /// `uuid`: its UUID.
    24 FindDomain { uuid: Uuid }
    |this, to| { to.fixed(this.uuid.as_bytes()); }
    -> Domain: |from| Domain::decode(from);

    /// A domain, as XML without secrets.
    ///
    /// `domain`: which.
    ///
    /// `inactive`: as it is at its next start, not as it runs.
    14 DomainXml { domain: Domain, inactive: bool }
    |this, to| { this.domain.encode(to); to.unsigned(if this.inactive { 2 } else { 0 }); }
    -> String: |from| from.text();

    /// State of a domain, and the reason for it.
    ///
    /// `domain`: which.
    212 DomainState { domain: Domain }
    |this, to| { this.domain.encode(to); to.unsigned(0); }
    -> (i32, i32): |from| Ok((from.signed()?, from.signed()?));

    /// Size of the image behind a disk.
    ///
    /// `domain`: whose.
    ///
    /// `disk`: its device in the guest, `vda`.
    194 DiskSize { domain: Domain, disk: String }
    |this, to| { this.domain.encode(to); to.text(&this.disk); to.unsigned(0); }
    -> BlockInfo: |from| block_info(from);

    /// Addresses of a guest.
    ///
    /// `domain`: which.
    ///
    /// `source`: who tells: 0 leases of virtual networks, 1 its agent.
    353 GuestAddresses { domain: Domain, source: u32 }
    |this, to| { this.domain.encode(to); to.unsigned(this.source); to.unsigned(0); }
    -> Vec<GuestAdapter>: |from| from.list("adapters", ADDRESSES_MAX, guest_adapter);

    /// What the agent in a guest tells.
    ///
    /// `domain`: which.
    ///
    /// `kinds`: what: 2 operating system, 8 host name, 16 file systems.
    418 GuestFacts { domain: Domain, kinds: u32 }
    |this, to| { this.domain.encode(to); to.unsigned(this.kinds); to.unsigned(0); }
    -> Vec<(String, Parameter)>: |from| from.list("facts", PARAMETERS_MAX, parameter);

    /// VM snapshots of a domain.
    ///
    /// `domain`: whose.
    274 ListSnapshots { domain: Domain }
    |this, to| { this.domain.encode(to); to.signed(1); to.unsigned(0); }
    -> Vec<OfDomain>: |from| listed(from, "VM snapshots", LIST_MAX, OfDomain::decode);

    /// A VM snapshot, as XML without secrets.
    ///
    /// `snapshot`: which.
    186 SnapshotXml { snapshot: OfDomain }
    |this, to| { to.text(&this.snapshot.name); this.snapshot.domain.encode(to); to.unsigned(0); }
    -> String: |from| from.text();

    /// Checkpoints of a domain.
    ///
    /// `domain`: whose.
    413 ListCheckpoints { domain: Domain }
    |this, to| { this.domain.encode(to); to.signed(1); to.unsigned(0); }
    -> Vec<OfDomain>: |from| listed(from, "checkpoints", LIST_MAX, OfDomain::decode);

    /// A checkpoint, as XML without its domain.
    ///
    /// `checkpoint`: which.
    412 CheckpointXml { checkpoint: OfDomain }
    |this, to| { to.text(&this.checkpoint.name); this.checkpoint.domain.encode(to); to.unsigned(2); }
    -> String: |from| from.text();

    /// Virtual networks, filtered by flags.
    ///
    /// `flags`: 0 = all, 2 = active.
    283 ListNetworks { flags: u32 }
    |this, to| { to.signed(1); to.unsigned(this.flags); }
    -> Vec<Named>: |from| listed(from, "networks", LIST_MAX, Named::decode);

    /// A virtual network, as XML.
    ///
    /// `network`: which.
    43 NetworkXml { network: Named }
    |this, to| { this.network.encode(to); to.unsigned(0); }
    -> String: |from| from.text();

    /// Storage pools, filtered by flags.
    ///
    /// `flags`: 0 = all, 2 = active.
    281 ListPools { flags: u32 }
    |this, to| { to.signed(1); to.unsigned(this.flags); }
    -> Vec<Named>: |from| listed(from, "storage pools", LIST_MAX, Named::decode);

    /// A storage pool, as XML.
    ///
    /// `pool`: which.
    88 PoolXml { pool: Named }
    |this, to| { this.pool.encode(to); to.unsigned(0); }
    -> String: |from| from.text();

    /// Volumes of a pool.
    ///
    /// `pool`: whose.
    282 ListVolumes { pool: Named }
    |this, to| { this.pool.encode(to); to.signed(1); to.unsigned(0); }
    -> Vec<VolumeName>: |from| listed(from, "volumes", LIST_MAX, volume_name);

    /// A volume, as XML.
    ///
    /// `volume`: which.
    99 VolumeXml { volume: VolumeName }
    |this, to| { to.text(&this.volume.pool); to.text(&this.volume.name); to.text(&this.volume.key); to.unsigned(0); }
    -> String: |from| from.text();

    /// Network filters.
    286 ListFilters {}
    |_, to| { to.signed(1); to.unsigned(0); }
    -> Vec<Named>: |from| listed(from, "filters", LIST_MAX, Named::decode);

    /// A network filter, as XML.
    ///
    /// `filter`: which.
    177 FilterXml { filter: Named }
    |this, to| { this.filter.encode(to); to.unsigned(0); }
    -> String: |from| from.text();

    /// Network filters at work.
    401 ListBindings {}
    |_, to| { to.signed(1); to.unsigned(0); }
    -> Vec<Binding>: |from| listed(from, "filter bindings", LIST_MAX, binding);

    /// A network filter at work, as XML.
    ///
    /// `binding`: which.
    398 BindingXml { binding: Binding }
    |this, to| { to.text(&this.binding.port); to.text(&this.binding.filter); to.unsigned(0); }
    -> String: |from| from.text();

    /// Devices of the host, filtered by flags.
    ///
    /// `flags`: kinds of devices.
    285 ListNodeDevices { flags: u32 }
    |this, to| { to.signed(1); to.unsigned(this.flags); }
    -> Vec<String>: |from| listed(from, "devices", NODE_DEVICES_MAX, Decoder::text);

    /// A device of the host, as XML.
    ///
    /// `name`: which.
    114 NodeDeviceXml { name: String }
    |this, to| { to.text(&this.name); to.unsigned(0); }
    -> String: |from| from.text();

    /// Asks to be told of events of one kind, of every domain.
    ///
    /// `kind`: as [`DOMAIN_EVENTS`] has it.
    316 WatchDomains { kind: i32 }
    |this, to| { to.signed(this.kind); to.unsigned(0); }
    -> i32: |from| from.signed();
}
