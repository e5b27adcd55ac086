//! The tables and views as statements. `migrations/0002.sql` is what this writes; a test compares.
//!
//! Tables are called `now_…`, views `q_…`: no query can name them, the printer of the guard alone does.

use std::fmt::Write as _;

use super::{ColumnInfo, ColumnType, Fill, Precedence, TableInfo};
use super::{control, infrastructure, workloads};

/// Every table, in the order of the documentation.
pub(crate) fn tables() -> Vec<TableInfo> {
    fn add<P>(tables: &mut Vec<TableInfo>, more: &[&dyn Fill<P>]) {
        tables.extend(more.iter().map(|it| it.info()));
    }
    let mut tables = Vec::new();
    add(&mut tables, infrastructure::PLATFORMS);
    add(&mut tables, workloads::TABLES);
    add(&mut tables, infrastructure::HOSTS);
    add(&mut tables, infrastructure::CLUSTERS);
    add(&mut tables, infrastructure::DATASTORES);
    add(&mut tables, infrastructure::NETWORKS);
    add(&mut tables, control::PRINCIPALS);
    add(&mut tables, control::ROLES);
    add(&mut tables, control::GRANTS);
    add(&mut tables, control::POLICIES);
    add(&mut tables, control::ATTACHMENTS);
    add(&mut tables, control::VOLUMES);
    tables
}

/// Name of a table of rows.
pub(crate) fn now_table(name: &str, is_sample: bool) -> String {
    format!("now_{name}{}", if is_sample { "_samples" } else { "" })
}

/// All columns of a table of rows, those that the store adds included.
pub(crate) fn now_columns(table: &TableInfo, is_sample: bool) -> Vec<&'static str> {
    let (first, columns): (&[&str], _) = match is_sample {
        false => (&["entity", "item", "feed"], &table.columns),
        true => (&["entity", "observed"], &table.samples),
    };
    let mut names = first.to_vec();
    names.extend(columns.iter().map(|it| it.name));
    names.push("reason");
    names
}

fn sql_type(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Text | ColumnType::Time => "{word}",
        ColumnType::Integer => "bigint",
        ColumnType::Boolean => "boolean",
    }
}

/// The whole of the migration.
pub(crate) fn migration() -> String {
    let mut sql = String::from(HEAD);
    for table in tables() {
        table_sql(&mut sql, &table, false, &table.columns);
        if !table.samples.is_empty() {
            table_sql(&mut sql, &table, true, &table.samples);
        }
        view_sql(&mut sql, &table);
    }
    sql.push_str(TAIL);
    sql
}

fn table_sql(sql: &mut String, table: &TableInfo, is_sample: bool, columns: &[ColumnInfo]) {
    let name = now_table(table.name, is_sample);
    let first = match is_sample {
        false => "entity bigint not null,\n    item bigint not null,\n    feed bigint not null",
        true => "entity {id},\n    observed bigint not null",
    };
    let _ = write!(sql, "\n-- {}\ncreate table {name} (\n    {first}", table.meaning);
    for column in columns {
        let _ = write!(sql, ",\n    {} {}", column.name, sql_type(column.kind));
    }
    sql.push_str(",\n    reason bigint not null");
    sql.push_str(if is_sample {
        "\n);\n"
    } else {
        ",\n    primary key (entity, item)\n){rowid};\n"
    });
    for column in columns.iter().filter(|it| it.is_indexed) {
        let _ = writeln!(sql, "create index {name}_{} on {name} ({});", column.name, column.name);
    }
}

fn view_sql(sql: &mut String, table: &TableInfo) {
    let name = table.name;
    let columns = table.columns.iter().map(|it| format!("t.{}", it.name));
    let samples = table.samples.iter().map(|it| format!("s.{}", it.name));
    let all: Vec<String> = columns.chain(samples).collect();
    let (also, join) = match table.samples.is_empty() {
        true => ("", String::new()),
        false => (
            " || coalesce(rs.pairs, '')",
            format!(
                "\n    left join {} s on s.entity = t.entity\n    left join reasons rs on rs.id = s.reason",
                now_table(name, true)
            ),
        ),
    };
    let rivals = match table.precedence {
        Precedence::ById { column, table } => format!(
            "select 1 from rivals v join {} o on o.feed = v.later and o.id = t.{column}\n        where v.feed = t.feed",
            now_table(table, false)
        ),
        Precedence::ByControlPlane => {
            "select 1 from rivals v where v.feed = t.feed and v.has_control".to_owned()
        }
    };
    let _ = write!(
        sql,
        "create view q_{name} as\n    select {}, r.pairs{also} as unobserved\n    from {} t\n    join reasons r on r.id = t.reason{join}\n    where not exists (\n        {rivals}\n    );\n",
        all.join(", "),
        now_table(name, false),
    );
}

const HEAD: &str =
    "-- Generated from src/tables; a test compares. Words in braces differ between engines.

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
";

const TAIL: &str = "
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
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_migration_is_what_the_tables_say() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/0002.sql");
        let sql = migration();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(path, &sql).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(written == sql, "migrations/0002.sql is out of date: run with UPDATE_GOLDEN=1");
    }
}
