//! Asks PostgreSQL: a transaction that can only read, as a role that may read the views and no more.

use futures_util::TryStreamExt;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Column, ConnectOptions, Connection, Executor, Row, TypeInfo, ValueRef};

use super::error::QueryError;
use super::run::Answer;
use super::words::view_names;
use super::{Datum, QueryLimits, QueryResult, Reached};
use crate::database::{Address, Store};
use crate::error::StoreError;

/// The role that may read the views.
const ROLE: &str = "entente_reader";

/// Types that are read as they are; all others as text.
const NATIVE: &[&str] = &["INT2", "INT4", "INT8", "FLOAT4", "FLOAT8", "BOOL", "TEXT", "VARCHAR"];

pub(super) async fn ask(
    store: &Store,
    sql: &str,
    limits: &QueryLimits,
) -> Result<QueryResult, QueryError> {
    let Address::Postgres(url) = &store.address else {
        return Err(StoreError::Damaged("a database that is none".into()).into());
    };
    let options: PgConnectOptions = url.parse()?;
    let mut connection = options.disable_statement_logging().connect().await?;
    let answer = within(&mut connection, sql, limits).await;
    // Rows that nobody reads any more are not waited for.
    connection.close_hard().await?;
    answer
}

async fn within(
    connection: &mut PgConnection,
    sql: &str,
    limits: &QueryLimits,
) -> Result<QueryResult, QueryError> {
    let mut answer = Answer::new(limits);
    let schema: String = sqlx::query_scalar("select quote_ident(current_schema())")
        .fetch_one(&mut *connection)
        .await?;
    let role = match reader(connection, &schema).await {
        Ok(()) => format!("set local role {ROLE}"),
        Err(reason) => {
            let note = format!(
                "asked as the store's own role, in a transaction that can only read: there is no role {ROLE} with rights on the views alone ({reason})"
            );
            answer.result.notes.push(note);
            "set local role none".to_owned()
        }
    };
    let settings = [
        "begin transaction read only".to_owned(),
        role,
        format!("set local statement_timeout = {}", limits.time.as_millis().max(1)),
        format!("set local search_path = pg_catalog, {schema}"),
        "set local timezone = 'UTC'".to_owned(),
        "set local work_mem = '64MB'".to_owned(),
    ];
    for setting in settings {
        connection.execute(AssertSqlSafe(setting)).await?;
    }
    let (sql, numbers) = as_text(connection, sql).await?;
    let mut rows = sqlx::query(AssertSqlSafe(sql)).persistent(false).fetch(connection);
    loop {
        match rows.try_next().await {
            Ok(None) => break,
            Ok(Some(row)) => {
                if answer.result.columns.is_empty() {
                    let names = row.columns().iter().map(|it| it.name().to_owned());
                    answer.result.columns = names.collect();
                }
                if !answer.take(datums(&row, &numbers)?) {
                    break;
                }
            }
            Err(error) => {
                let code = error.as_database_error().and_then(|it| it.code());
                let reached = match code.as_deref() {
                    // query_canceled
                    Some("57014") => Some(Reached::Time(limits.time)),
                    // out_of_memory
                    Some("53200") => Some(Reached::Memory),
                    _ => None,
                };
                answer.result.truncated = Some(reached.ok_or(error)?);
                break;
            }
        }
    }
    Ok(answer.result)
}

/// The same query, with what this program cannot read told as text, and which columns are numbers then.
async fn as_text(
    connection: &mut PgConnection,
    sql: &str,
) -> Result<(String, Vec<bool>), QueryError> {
    let described =
        connection.prepare(sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(sql.to_owned()))).await?;
    let (mut columns, mut numbers) = (Vec::new(), Vec::new());
    let mut is_native = true;
    for (number, column) in sqlx::Statement::columns(&described).iter().enumerate() {
        let name = column.name().replace('"', "\"\"");
        let is_known = NATIVE.contains(&column.type_info().name());
        is_native &= is_known;
        numbers.push(column.type_info().name() == "NUMERIC");
        columns.push(match is_known {
            true => format!("c{number} as \"{name}\""),
            false => format!("cast(c{number} as text) as \"{name}\""),
        });
    }
    if is_native {
        return Ok((sql.to_owned(), numbers));
    }
    let names: Vec<String> = (0..columns.len()).map(|it| format!("c{it}")).collect();
    let sql =
        format!("select {} from ({sql}) as answer ({})", columns.join(", "), names.join(", "));
    Ok((sql, numbers))
}

/// Makes sure that the role is there and may read the views, and nothing of the store beside them.
async fn reader(connection: &mut PgConnection, schema: &str) -> Result<(), String> {
    if is_ready(connection, schema).await? {
        return Ok(());
    }
    let views: Vec<String> = view_names().map(|it| format!("{schema}.q_{it}")).collect();
    let steps = [
        "begin".to_owned(),
        // One at a time, whoever asks first.
        "select pg_advisory_xact_lock(7305808896)".to_owned(),
        format!(
            "do $do$ begin if not exists (select 1 from pg_catalog.pg_roles where rolname = '{ROLE}') then create role {ROLE} nologin; end if; end $do$"
        ),
        format!("grant {ROLE} to current_user"),
        format!("grant usage on schema {schema} to {ROLE}"),
        format!("grant select on {} to {ROLE}", views.join(", ")),
        "commit".to_owned(),
    ];
    for step in steps {
        if let Err(error) = connection.execute(AssertSqlSafe(step)).await {
            let reason = error.as_database_error().map(|it| it.message().to_owned());
            connection.execute("rollback").await.map_err(|it| it.to_string())?;
            return Err(reason.unwrap_or_else(|| error.to_string()));
        }
    }
    match is_ready(connection, schema).await? {
        true => Ok(()),
        false => Err("it may read more than the views, or not all of them".to_owned()),
    }
}

async fn is_ready(connection: &mut PgConnection, schema: &str) -> Result<bool, String> {
    let views: Vec<String> = view_names()
        .map(|it| format!("has_table_privilege(r.oid, '{schema}.q_{it}', 'select')"))
        .collect();
    let statement = format!(
        "select coalesce((select pg_has_role(current_user, r.oid, 'member') and has_schema_privilege(r.oid, '{schema}', 'usage') and {} and not has_table_privilege(r.oid, '{schema}.versions', 'select') and not r.rolsuper from pg_catalog.pg_roles r where r.rolname = '{ROLE}'), false)",
        views.join(" and ")
    );
    let ready = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(connection).await;
    ready.map_err(|it| it.to_string())
}

/// A number of any length: whole if it can be.
fn number_of(digits: String) -> Datum {
    match (digits.parse(), digits.parse()) {
        (Ok(whole), _) => Datum::Integer(whole),
        (Err(_), Ok(real)) => Datum::Real(real),
        (Err(_), Err(_)) => Datum::Text(digits),
    }
}

fn datums(row: &PgRow, numbers: &[bool]) -> Result<Vec<Datum>, sqlx::Error> {
    let mut all = Vec::with_capacity(row.len());
    for number in 0..row.len() {
        let value = row.try_get_raw(number)?;
        if value.is_null() {
            all.push(Datum::Null);
            continue;
        }
        let name = value.type_info().name().to_owned();
        all.push(match name.as_str() {
            _ if numbers.get(number) == Some(&true) => number_of(row.try_get_unchecked(number)?),
            "BOOL" => Datum::Boolean(row.try_get(number)?),
            "INT2" => Datum::Integer(row.try_get::<i16, _>(number)?.into()),
            "INT4" => Datum::Integer(row.try_get::<i32, _>(number)?.into()),
            "INT8" => Datum::Integer(row.try_get(number)?),
            "FLOAT4" => Datum::Real(row.try_get::<f32, _>(number)?.into()),
            "FLOAT8" => Datum::Real(row.try_get(number)?),
            _ => Datum::Text(row.try_get_unchecked(number)?),
        });
    }
    Ok(all)
}
