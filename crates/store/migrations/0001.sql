-- Words in braces differ between engines; see src/database.rs.

create table meta (
    name {text_key} primary key,
    value text not null
);

-- One reader's view of one platform over time: an export and a log-in are two.
create table feeds (
    id {id},
    platform text not null,
    connector text not null,
    unique (platform, connector)
);

-- One reading. Times are microseconds since 1970, UTC. A delta tells of what changed between two whole
-- readings, and of nothing else.
create table collections (
    id {id},
    feed bigint not null,
    source text not null,
    observed bigint not null,
    -- utc; local: told without a zone, taken as UTC; recorded: not told at all
    observed_by text not null,
    recorded bigint not null,
    mapper bigint not null,
    objects bigint not null,
    is_delta boolean not null,
    -- Source, gaps and findings
    head {bytes} not null,
    unique (feed, observed, source, is_delta)
);

-- What a reading could not see all of: absence there is no absence.
create table incomplete (
    collection bigint not null,
    kind text not null,
    reason text not null,
    primary key (collection, kind)
);

-- Objects that such a reading, or a delta, saw nevertheless.
create table sightings (
    collection bigint not null,
    entity bigint not null,
    primary key (collection, entity)
);

-- What a delta told to be gone, whether it was known or not.
create table removals (
    collection bigint not null,
    kind text not null,
    name text not null,
    primary key (collection, kind, name)
);

create table entities (
    id {id},
    feed bigint not null,
    kind text not null,
    name text not null,
    incarnation bigint not null,
    -- What tells one incarnation from another, as JSON
    identity text not null,
    unique (feed, kind, name, incarnation)
);

create table versions (
    id {id},
    entity bigint not null,
    observed_from bigint not null,
    observed_to bigint,
    recorded bigint not null,
    mapper bigint not null,
    hash {bytes} not null,
    body {bytes} not null
);
create index versions_of_entity on versions (entity, observed_from);
-- What is so now, without its bodies.
create index versions_open on versions (entity, hash, observed_from, id) where observed_to is null;
create index versions_ended on versions (observed_to) where observed_to is not null;

-- What moves by itself: of each list one set a day, a thousand things to a row.
create table samples (
    collection bigint not null,
    kind text not null,
    chunk bigint not null,
    body {bytes} not null,
    primary key (collection, kind, chunk)
);

-- Who works on what, and until when: the lease of one that died is taken over.
create table leases (
    name {text_key} primary key,
    holder text not null,
    until bigint not null
);

-- What people decided about which workloads are one.
create table decisions (
    id {id},
    choice text not null,
    a text not null,
    b text not null,
    decided_by text not null,
    decided_at bigint not null,
    reason text not null
);
