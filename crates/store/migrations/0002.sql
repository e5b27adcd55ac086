-- Generated from src/tables; a test compares. Words in braces differ between engines.

-- Why values are missing, each list once: ` power=no-permission created=source-limit `
create table reasons (
    id {id},
    pairs {word} not null unique
);
insert into reasons (id, pairs) values (0, '');

-- Readers of one platform of which the second has the later reading.
create table rivals (
    feed bigint not null,
    later bigint not null,
    has_control boolean not null,
    primary key (feed, later)
);

-- By which words things are found.
create table now_search (
    token {word} not null,
    entity bigint not null,
    feed bigint not null,
    what {word} not null,
    label {word} not null
);
create index now_search_token on now_search (token);
create index now_search_entity on now_search (entity);

-- Management endpoints
create table now_platforms (
    entity bigint not null,
    item bigint not null,
    feed bigint not null,
    id {word},
    kind {word},
    address {word},
    uuid {word},
    site {word},
    owner {word},
    reason bigint not null,
    primary key (entity, item)
){rowid};
create index now_platforms_id on now_platforms (id);
create view q_platforms as
    select t.id, t.kind, t.address, t.uuid, t.site, t.owner, r.pairs as unobserved
    from now_platforms t
    join reasons r on r.id = t.reason
    where not exists (
        select 1 from rivals v join now_platforms o on o.feed = v.later and o.id = t.id
        where v.feed = t.feed
    );

-- Virtual machines, templates and containers, whatever the platform
create table now_workloads (
    entity bigint not null,
    item bigint not null,
    feed bigint not null,
    id {word},
    platform {word},
    name {word},
    native_id {word},
    instance_uuid {word},
    bios_uuid {word},
    kind {word},
    power {word},
    created {word},
    datacenter {word},
    cluster {word},
    host {word},
    folder {word},
    resource_pool {word},
    vapp {word},
    cpu_count bigint,
    cpu_reservation_mhz bigint,
    cpu_limit_mhz bigint,
    memory_bytes bigint,
    memory_reservation_bytes bigint,
    memory_limit_bytes bigint,
    disk_count bigint,
    disk_capacity_bytes bigint,
    nic_count bigint,
    snapshot_count bigint,
    tpm boolean,
    encrypted boolean,
    firmware {word},
    secure_boot boolean,
    hardware_version bigint,
    os {word},
    os_configured {word},
    os_reported {word},
    hostname {word},
    primary_address {word},
    tools_status {word},
    tools_version {word},
    ha_protected boolean,
    fault_tolerance {word},
    cluster_rule_count bigint,
    change_tracking boolean,
    consolidation_needed boolean,
    annotation {word},
    application {word},
    owner {word},
    tier {word},
    data_sensitivity {word},
    environment {word},
    reason bigint not null,
    primary key (entity, item)
){rowid};
create index now_workloads_id on now_workloads (id);
create index now_workloads_name on now_workloads (name);
create index now_workloads_application on now_workloads (application);

-- Virtual machines, templates and containers, whatever the platform
create table now_workloads_samples (
    entity {id},
    observed bigint not null,
    powered_on_since {word},
    cpu_used_mhz bigint,
    memory_active_bytes bigint,
    memory_consumed_bytes bigint,
    storage_provisioned_bytes bigint,
    storage_used_bytes bigint,
    guest_state {word},
    connection_state {word},
    reason bigint not null
);
create view q_workloads as
    select t.id, t.platform, t.name, t.native_id, t.instance_uuid, t.bios_uuid, t.kind, t.power, t.created, t.datacenter, t.cluster, t.host, t.folder, t.resource_pool, t.vapp, t.cpu_count, t.cpu_reservation_mhz, t.cpu_limit_mhz, t.memory_bytes, t.memory_reservation_bytes, t.memory_limit_bytes, t.disk_count, t.disk_capacity_bytes, t.nic_count, t.snapshot_count, t.tpm, t.encrypted, t.firmware, t.secure_boot, t.hardware_version, t.os, t.os_configured, t.os_reported, t.hostname, t.primary_address, t.tools_status, t.tools_version, t.ha_protected, t.fault_tolerance, t.cluster_rule_count, t.change_tracking, t.consolidation_needed, t.annotation, t.application, t.owner, t.tier, t.data_sensitivity, t.environment, s.powered_on_since, s.cpu_used_mhz, s.memory_active_bytes, s.memory_consumed_bytes, s.storage_provisioned_bytes, s.storage_used_bytes, s.guest_state, s.connection_state, r.pairs || coalesce(rs.pairs, '') as unobserved
    from now_workloads t
    join reasons r on r.id = t.reason
    left join now_workloads_samples s on s.entity = t.entity
    left join reasons rs on rs.id = s.reason
    where not exists (
        select 1 from rivals v join now_workloads o on o.feed = v.later and o.id = t.id
        where v.feed = t.feed
    );

-- Virtual disks of workloads
create table now_disks (
    entity bigint not null,
    item bigint not null,
    feed bigint not null,
    workload {word},
    platform {word},
    label {word},
    device {word},
    uuid {word},
    capacity_bytes bigint,
    datastore {word},
    path {word},
    thin boolean,
    mode {word},
    sharing {word},
    controller {word},
    bus_sharing {word},
    raw_mapping {word},
    lun {word},
    change_tracking boolean,
    reason bigint not null,
    primary key (entity, item)
){rowid};
create index now_disks_workload on now_disks (workload);
create index now_disks_datastore on now_disks (datastore);
create view q_disks as
    select t.workload, t.platform, t.label, t.device, t.uuid, t.capacity_bytes, t.datastore, t.path, t.thin, t.mode, t.sharing, t.controller, t.bus_sharing, t.raw_mapping, t.lun, t.change_tracking, r.pairs as unobserved
    from now_disks t
    join reasons r on r.id = t.reason
    where not exists (
        select 1 from rivals v join now_workloads o on o.feed = v.later and o.id = t.workload
        where v.feed = t.feed
    );

-- Virtual network adapters of workloads
create table now_nics (
    entity bigint not null,
    item bigint not null,
    feed bigint not null,
    workload {word},
    platform {word},
    label {word},
    adapter {word},
    network {word},
    switch {word},
    connected boolean,
    starts_connected boolean,
    mac {word},
    mac_origin {word},
    addresses {word},
    address_is_static boolean,
    direct_path boolean,
    reason bigint not null,
    primary key (entity, item)
){rowid};
create index now_nics_workload on now_nics (workload);
create index now_nics_network on now_nics (network);
create view q_nics as
    select t.workload, t.platform, t.label, t.adapter, t.network, t.switch, t.connected, t.starts_connected, t.mac, t.mac_origin, t.addresses, t.address_is_static, t.direct_path, r.pairs as unobserved
    from now_nics t
    join reasons r on r.id = t.reason
    where not exists (
        select 1 from rivals v join now_workloads o on o.feed = v.later and o.id = t.workload
        where v.feed = t.feed
    );

-- VM snapshots of workloads
create table now_vm_snapshots (
    entity bigint not null,
    item bigint not null,
    feed bigint not null,
    workload {word},
    platform {word},
    native_id {word},
    parent {word},
    name {word},
    description {word},
    created {word},
    size_bytes bigint,
    quiesced boolean,
    state {word},
    reason bigint not null,
    primary key (entity, item)
){rowid};
create index now_vm_snapshots_workload on now_vm_snapshots (workload);
create view q_vm_snapshots as
    select t.workload, t.platform, t.native_id, t.parent, t.name, t.description, t.created, t.size_bytes, t.quiesced, t.state, r.pairs as unobserved
    from now_vm_snapshots t
    join reasons r on r.id = t.reason
    where not exists (
        select 1 from rivals v join now_workloads o on o.feed = v.later and o.id = t.workload
        where v.feed = t.feed
    );

-- Other devices of workloads: CD drives, USB, passthrough, GPU shares, serial ports
create table now_devices (
    entity bigint not null,
    item bigint not null,
    feed bigint not null,
    workload {word},
    platform {word},
    kind {word},
    label {word},
    backing {word},
    connected boolean,
    reason bigint not null,
    primary key (entity, item)
){rowid};
create index now_devices_workload on now_devices (workload);
create view q_devices as
    select t.workload, t.platform, t.kind, t.label, t.backing, t.connected, r.pairs as unobserved
    from now_devices t
    join reasons r on r.id = t.reason
    where not exists (
        select 1 from rivals v join now_workloads o on o.feed = v.later and o.id = t.workload
        where v.feed = t.feed
    );

-- Custom attributes and tags of workloads
create table now_attributes (
    entity bigint not null,
    item bigint not null,
    feed bigint not null,
    workload {word},
    platform {word},
    kind {word},
    name {word},
    value {word},
    reason bigint not null,
    primary key (entity, item)
){rowid};
create index now_attributes_workload on now_attributes (workload);
create view q_attributes as
    select t.workload, t.platform, t.kind, t.name, t.value, r.pairs as unobserved
    from now_attributes t
    join reasons r on r.id = t.reason
    where not exists (
        select 1 from rivals v join now_workloads o on o.feed = v.later and o.id = t.workload
        where v.feed = t.feed
    );

-- Hypervisor hosts
create table now_hosts (
    entity bigint not null,
    item bigint not null,
    feed bigint not null,
    id {word},
    platform {word},
    name {word},
    datacenter {word},
    cluster {word},
    cpu_model {word},
    cpu_mhz bigint,
    sockets bigint,
    cores bigint,
    memory_bytes bigint,
    hypervisor {word},
    version {word},
    build {word},
    vendor {word},
    model {word},
    in_maintenance boolean,
    in_quarantine boolean,
    evc_mode {word},
    licence_count bigint,
    certificate_expires {word},
    reason bigint not null,
    primary key (entity, item)
){rowid};
create index now_hosts_id on now_hosts (id);

-- Hypervisor hosts
create table now_hosts_samples (
    entity {id},
    observed bigint not null,
    booted {word},
    cpu_used_basis_points bigint,
    memory_used_basis_points bigint,
    reason bigint not null
);
create view q_hosts as
    select t.id, t.platform, t.name, t.datacenter, t.cluster, t.cpu_model, t.cpu_mhz, t.sockets, t.cores, t.memory_bytes, t.hypervisor, t.version, t.build, t.vendor, t.model, t.in_maintenance, t.in_quarantine, t.evc_mode, t.licence_count, t.certificate_expires, s.booted, s.cpu_used_basis_points, s.memory_used_basis_points, r.pairs || coalesce(rs.pairs, '') as unobserved
    from now_hosts t
    join reasons r on r.id = t.reason
    left join now_hosts_samples s on s.entity = t.entity
    left join reasons rs on rs.id = s.reason
    where not exists (
        select 1 from rivals v join now_hosts o on o.feed = v.later and o.id = t.id
        where v.feed = t.feed
    );

-- Clusters of hosts
create table now_clusters (
    entity bigint not null,
    item bigint not null,
    feed bigint not null,
    id {word},
    platform {word},
    name {word},
    datacenter {word},
    ha_enabled boolean,
    admission_control boolean,
    failover_level bigint,
    drs_enabled boolean,
    drs_behaviour {word},
    host_count bigint,
    cpu_mhz bigint,
    cpu_cores bigint,
    memory_bytes bigint,
    reason bigint not null,
    primary key (entity, item)
){rowid};
create index now_clusters_id on now_clusters (id);
create view q_clusters as
    select t.id, t.platform, t.name, t.datacenter, t.ha_enabled, t.admission_control, t.failover_level, t.drs_enabled, t.drs_behaviour, t.host_count, t.cpu_mhz, t.cpu_cores, t.memory_bytes, r.pairs as unobserved
    from now_clusters t
    join reasons r on r.id = t.reason
    where not exists (
        select 1 from rivals v join now_clusters o on o.feed = v.later and o.id = t.id
        where v.feed = t.feed
    );

-- Datastores and storage containers
create table now_datastores (
    entity bigint not null,
    item bigint not null,
    feed bigint not null,
    id {word},
    platform {word},
    name {word},
    kind {word},
    version {word},
    accessible boolean,
    capacity_bytes bigint,
    host_count bigint,
    datastore_cluster {word},
    io_control boolean,
    reason bigint not null,
    primary key (entity, item)
){rowid};
create index now_datastores_id on now_datastores (id);

-- Datastores and storage containers
create table now_datastores_samples (
    entity {id},
    observed bigint not null,
    provisioned_bytes bigint,
    free_bytes bigint,
    reason bigint not null
);
create view q_datastores as
    select t.id, t.platform, t.name, t.kind, t.version, t.accessible, t.capacity_bytes, t.host_count, t.datastore_cluster, t.io_control, s.provisioned_bytes, s.free_bytes, r.pairs || coalesce(rs.pairs, '') as unobserved
    from now_datastores t
    join reasons r on r.id = t.reason
    left join now_datastores_samples s on s.entity = t.entity
    left join reasons rs on rs.id = s.reason
    where not exists (
        select 1 from rivals v join now_datastores o on o.feed = v.later and o.id = t.id
        where v.feed = t.feed
    );

-- Networks and port groups
create table now_networks (
    entity bigint not null,
    item bigint not null,
    feed bigint not null,
    id {word},
    platform {word},
    name {word},
    switch {word},
    switch_kind {word},
    vlan {word},
    promiscuous boolean,
    mac_changes boolean,
    forged_transmits boolean,
    carries_hypervisor boolean,
    reason bigint not null,
    primary key (entity, item)
){rowid};
create index now_networks_id on now_networks (id);
create view q_networks as
    select t.id, t.platform, t.name, t.switch, t.switch_kind, t.vlan, t.promiscuous, t.mac_changes, t.forged_transmits, t.carries_hypervisor, r.pairs as unobserved
    from now_networks t
    join reasons r on r.id = t.reason
    where not exists (
        select 1 from rivals v join now_networks o on o.feed = v.later and o.id = t.id
        where v.feed = t.feed
    );

-- Users, groups and tokens
create table now_principals (
    entity bigint not null,
    item bigint not null,
    feed bigint not null,
    platform {word},
    name {word},
    kind {word},
    source {word},
    enabled boolean,
    expires {word},
    restricted boolean,
    member_of {word},
    reason bigint not null,
    primary key (entity, item)
){rowid};
create index now_principals_name on now_principals (name);
create view q_principals as
    select t.platform, t.name, t.kind, t.source, t.enabled, t.expires, t.restricted, t.member_of, r.pairs as unobserved
    from now_principals t
    join reasons r on r.id = t.reason
    where not exists (
        select 1 from rivals v where v.feed = t.feed and v.has_control
    );

-- Named sets of privileges
create table now_roles (
    entity bigint not null,
    item bigint not null,
    feed bigint not null,
    platform {word},
    id {word},
    name {word},
    builtin boolean,
    privilege_count bigint,
    privileges {word},
    reason bigint not null,
    primary key (entity, item)
){rowid};
create index now_roles_id on now_roles (id);
create view q_roles as
    select t.platform, t.id, t.name, t.builtin, t.privilege_count, t.privileges, r.pairs as unobserved
    from now_roles t
    join reasons r on r.id = t.reason
    where not exists (
        select 1 from rivals v where v.feed = t.feed and v.has_control
    );

-- Who has which role where
create table now_grants (
    entity bigint not null,
    item bigint not null,
    feed bigint not null,
    platform {word},
    principal {word},
    principal_kind {word},
    role {word},
    scope {word},
    scope_id {word},
    propagates boolean,
    reason bigint not null,
    primary key (entity, item)
){rowid};
create index now_grants_principal on now_grants (principal);
create index now_grants_role on now_grants (role);
create view q_grants as
    select t.platform, t.principal, t.principal_kind, t.role, t.scope, t.scope_id, t.propagates, r.pairs as unobserved
    from now_grants t
    join reasons r on r.id = t.reason
    where not exists (
        select 1 from rivals v where v.feed = t.feed and v.has_control
    );

-- Rules of firewalls and network filters, each body as its platform gives it: it is not translated
create table now_firewall_rules (
    entity bigint not null,
    item bigint not null,
    feed bigint not null,
    platform {word},
    dialect {word},
    scope {word},
    name {word},
    body {word},
    reason bigint not null,
    primary key (entity, item)
){rowid};
create view q_firewall_rules as
    select t.platform, t.dialect, t.scope, t.name, t.body, r.pairs as unobserved
    from now_firewall_rules t
    join reasons r on r.id = t.reason
    where not exists (
        select 1 from rivals v where v.feed = t.feed and v.has_control
    );

-- Tools that lean on a platform's own interface
create table now_attachments (
    entity bigint not null,
    item bigint not null,
    feed bigint not null,
    platform {word},
    kind {word},
    name {word},
    principal {word},
    address {word},
    version {word},
    reason bigint not null,
    primary key (entity, item)
){rowid};

-- Tools that lean on a platform's own interface
create table now_attachments_samples (
    entity {id},
    observed bigint not null,
    last_seen {word},
    seen_count bigint,
    reason bigint not null
);
create view q_attachments as
    select t.platform, t.kind, t.name, t.principal, t.address, t.version, s.last_seen, s.seen_count, r.pairs || coalesce(rs.pairs, '') as unobserved
    from now_attachments t
    join reasons r on r.id = t.reason
    left join now_attachments_samples s on s.entity = t.entity
    left join reasons rs on rs.id = s.reason
    where not exists (
        select 1 from rivals v where v.feed = t.feed and v.has_control
    );

-- Volumes and files that datastores hold for workloads
create table now_volumes (
    entity bigint not null,
    item bigint not null,
    feed bigint not null,
    platform {word},
    datastore {word},
    path {word},
    format {word},
    capacity_bytes bigint,
    content {word},
    workload {word},
    reason bigint not null,
    primary key (entity, item)
){rowid};
create index now_volumes_datastore on now_volumes (datastore);

-- Volumes and files that datastores hold for workloads
create table now_volumes_samples (
    entity {id},
    observed bigint not null,
    allocated_bytes bigint,
    reason bigint not null
);
create view q_volumes as
    select t.platform, t.datastore, t.path, t.format, t.capacity_bytes, t.content, t.workload, s.allocated_bytes, r.pairs || coalesce(rs.pairs, '') as unobserved
    from now_volumes t
    join reasons r on r.id = t.reason
    left join now_volumes_samples s on s.entity = t.entity
    left join reasons rs on rs.id = s.reason
    where not exists (
        select 1 from rivals v where v.feed = t.feed and v.has_control
    );

-- Of the latest whole reading of each reader
create table now_findings (
    feed bigint not null,
    platform {word} not null,
    connector {word} not null,
    severity {word} not null,
    code {word} not null,
    subject {word} not null,
    message {word} not null,
    remedy {word} not null
);
create index now_findings_feed on now_findings (feed);
create view q_findings as
    select platform, connector, severity, code, subject, message, remedy, '' as unobserved
    from now_findings;

create table now_gaps (
    feed bigint not null,
    platform {word} not null,
    connector {word} not null,
    cause {word} not null,
    section {word},
    field {word},
    file {word} not null,
    line bigint,
    message {word} not null,
    value {word},
    occurrences bigint not null
);
create index now_gaps_feed on now_gaps (feed);
create view q_gaps as
    select platform, connector, cause, section, field, file, line, message, value, occurrences,
        '' as unobserved
    from now_gaps;

create view q_collections as
    select f.platform, f.connector, c.source, {time:c.observed:time} as observed, c.observed_by,
        {time:c.recorded:time} as recorded, c.mapper, c.objects,
        not c.is_delta and c.observed = (
            select max(l.observed) from collections l where l.feed = c.feed and not l.is_delta
        ) as is_latest, c.is_delta,
        '' as unobserved
    from collections c
    join feeds f on f.id = c.feed;

create view q_changes as
    select f.platform, f.connector, e.kind, e.name as id, e.incarnation,
        {time:v.observed_from:time} as observed_from, {time:v.observed_to:time} as observed_to,
        {time:v.recorded:time} as recorded, v.mapper, '' as unobserved
    from versions v
    join entities e on e.id = v.entity
    join feeds f on f.id = e.feed;

create view q_applications as
    select application as name,
        case when count(owner) = count(*) and min(owner) = max(owner) then min(owner) end as owner,
        count(*) as workload_count,
        case when count(owner) = count(*) and min(owner) = max(owner) then ''
            else ' owner=not-supplied ' end as unobserved
    from q_workloads
    where application is not null
    group by application;
