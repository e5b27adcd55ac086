//! The tables of what is so now, kept up to date by the same transaction.

use std::collections::{BTreeMap, HashMap};

use entente_model::Collection;
use sqlx::any::AnyArguments;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::Head;
use crate::body::State;
use crate::database::{Cell, Rows};
use crate::error::StoreError;
use crate::nouns::{KINDS, Noun};
use crate::pipe::Pipe;
use crate::tables::schema::{now_columns, now_table, tables};
use crate::tables::{TableRow, Token};

/// Things whose rows are replaced at once.
const STALE_MAX: usize = 400;

/// Where rows go.
pub(crate) struct Current {
    feed: i64,
    tables: BTreeMap<(&'static str, bool), Rows>,
    search: Rows,
    reasons: HashMap<String, i64>,
    next_reason: i64,
    /// Things that are shown otherwise now.
    stale: Vec<i64>,
    /// Things that are not there any more.
    gone: Vec<i64>,
    /// Rows of those that are shown otherwise: in only when the old ones are out.
    waiting: Vec<(i64, Vec<TableRow>, Vec<Token>)>,
}

impl Current {
    pub async fn start(connection: &mut AnyConnection, feed: i64) -> Result<Self, StoreError> {
        let mut rows = BTreeMap::new();
        for table in tables() {
            let into = Rows::into(&now_table(table.name, false), &now_columns(&table, false));
            rows.insert((table.name, false), into);
            if table.samples.is_empty() {
                continue;
            }
            let (name, columns) = (now_table(table.name, true), now_columns(&table, true));
            rows.insert((table.name, true), Rows::or(&name, &columns, &upsert(&name, &columns)));
        }
        let mut reasons = HashMap::new();
        for row in sqlx::query("select pairs, id from reasons").fetch_all(&mut *connection).await? {
            reasons.insert(row.try_get(0)?, row.try_get(1)?);
        }
        let next_reason = reasons.values().max().map_or(0, |it| it + 1);
        Ok(Self {
            feed,
            tables: rows,
            search: Rows::into("now_search", &["token", "entity", "feed", "what", "label"]),
            reasons,
            next_reason,
            stale: Vec::new(),
            gone: Vec::new(),
            waiting: Vec::new(),
        })
    }

    /// Shows a thing, instead of what was shown of it.
    pub async fn replace(
        &mut self,
        pipe: &mut Pipe<'_>,
        entity: i64,
        state: &mut State,
        was_there: bool,
    ) -> Result<(), StoreError> {
        let (rows, tokens) = (std::mem::take(&mut state.rows), std::mem::take(&mut state.tokens));
        if was_there {
            self.stale.push(entity);
            self.waiting.push((entity, rows, tokens));
            return Ok(());
        }
        self.add(pipe, entity, rows, tokens).await
    }

    /// Shows it no more.
    pub fn remove(&mut self, entity: i64) {
        self.gone.push(entity);
    }

    /// What moves by itself, at every reading.
    pub async fn samples(
        &mut self,
        pipe: &mut Pipe<'_>,
        entity: i64,
        at: i64,
        rows: Vec<TableRow>,
    ) -> Result<(), StoreError> {
        for row in rows {
            let reason = self.reason(pipe, row.unobserved).await?;
            let Some(into) = self.tables.get_mut(&(row.table, true)) else { continue };
            let mut cells = vec![Cell::Int(entity), Cell::Int(at)];
            cells.extend(row.cells);
            cells.push(Cell::Int(reason));
            into.add(pipe, cells).await?;
        }
        Ok(())
    }

    async fn add(
        &mut self,
        pipe: &mut Pipe<'_>,
        entity: i64,
        rows: Vec<TableRow>,
        tokens: Vec<Token>,
    ) -> Result<(), StoreError> {
        let mut items: BTreeMap<&'static str, i64> = BTreeMap::new();
        for row in rows {
            let item = items.entry(row.table).and_modify(|it| *it += 1).or_insert(0);
            let mut cells = vec![Cell::Int(entity), Cell::Int(*item), Cell::Int(self.feed)];
            cells.extend(row.cells);
            cells.push(Cell::Int(self.reason(pipe, row.unobserved).await?));
            let Some(into) = self.tables.get_mut(&(row.table, false)) else { continue };
            into.add(pipe, cells).await?;
        }
        for token in tokens {
            let row = [
                Cell::Text(token.token),
                Cell::Int(entity),
                Cell::Int(self.feed),
                Cell::Text(token.what.to_owned()),
                Cell::Text(token.label),
            ];
            self.search.add(pipe, row).await?;
        }
        Ok(())
    }

    /// The number of a list of reasons: there are few of them, each many times.
    async fn reason(&mut self, pipe: &mut Pipe<'_>, pairs: String) -> Result<i64, StoreError> {
        if let Some(known) = self.reasons.get(&pairs) {
            return Ok(*known);
        }
        let id = self.next_reason;
        self.next_reason += 1;
        let new = sqlx::query("insert into reasons (id, pairs) values ($1, $2)");
        new.bind(id).bind(pairs.clone()).execute(pipe.idle().await?).await?;
        self.reasons.insert(pairs, id);
        Ok(id)
    }

    pub fn is_full(&self) -> bool {
        self.stale.len() + self.gone.len() >= STALE_MAX
    }

    /// Takes out what is not so any more, then puts in what is instead. All of one kind.
    pub async fn flush<N: Noun>(&mut self, pipe: &mut Pipe<'_>) -> Result<(), StoreError> {
        let (stale, gone) = (std::mem::take(&mut self.stale), std::mem::take(&mut self.gone));
        let all: Vec<i64> = stale.iter().chain(&gone).copied().collect();
        for table in N::tables() {
            let table = table.info();
            delete(pipe, &now_table(table.name, false), &all).await?;
            if !table.samples.is_empty() {
                let name = now_table(table.name, true);
                // What waits may be of something that is gone.
                if let Some(rows) = self.tables.get_mut(&(table.name, true))
                    && !gone.is_empty()
                {
                    rows.flush(pipe).await?;
                }
                delete(pipe, &name, &gone).await?;
            }
        }
        if !N::tables().is_empty() {
            delete(pipe, "now_search", &all).await?;
        }
        for (entity, rows, tokens) in std::mem::take(&mut self.waiting) {
            self.add(pipe, entity, rows, tokens).await?;
        }
        Ok(())
    }

    pub async fn finish(self, pipe: &mut Pipe<'_>) -> Result<(), StoreError> {
        for rows in self.tables.into_values() {
            rows.finish(pipe).await?;
        }
        self.search.finish(pipe).await
    }
}

/// A later sample takes the place of an earlier one.
fn upsert(name: &str, columns: &[&str]) -> String {
    let sets: Vec<String> = columns
        .iter()
        .filter(|it| **it != "entity")
        .map(|it| format!("{it} = excluded.{it}"))
        .collect();
    format!(
        " on conflict (entity) do update set {} where {name}.observed <= excluded.observed",
        sets.join(", ")
    )
}

async fn delete(pipe: &mut Pipe<'_>, table: &str, entities: &[i64]) -> Result<(), StoreError> {
    for chunk in entities.chunks(STALE_MAX) {
        let marks: Vec<String> = (1..=chunk.len()).map(|it| format!("${it}")).collect();
        let statement = format!("delete from {table} where entity in ({})", marks.join(", "));
        let mut query = sqlx::query_with(AssertSqlSafe(statement), AnyArguments::default());
        for entity in chunk {
            query = query.bind(*entity);
        }
        query.persistent(chunk.len() == STALE_MAX).execute(pipe.idle().await?).await?;
        crate::point::reached("stale");
    }
    Ok(())
}

/// Findings and gaps of a feed's latest reading.
pub(crate) async fn head_rows(
    pipe: &mut Pipe<'_>,
    feed: i64,
    platform: &str,
    head: &Head,
) -> Result<(), StoreError> {
    for table in
        ["delete from now_findings where feed = $1", "delete from now_gaps where feed = $1"]
    {
        sqlx::query(table).bind(feed).execute(pipe.idle().await?).await?;
    }
    let text = |text: &str| Cell::Text(text.replace('\0', "\u{fffd}"));
    let maybe = |it: Option<&entente_model::Text>| {
        Cell::MaybeText(it.map(|it| it.replace('\0', "\u{fffd}")))
    };
    let first = || [Cell::Int(feed), text(platform), text(&head.source.connector)];
    let mut rows = Rows::into(
        "now_findings",
        &["feed", "platform", "connector", "severity", "code", "subject", "message", "remedy"],
    );
    for it in &head.findings {
        let rest = [it.severity.as_str(), &it.code, &it.subject, &it.message, &it.remedy].map(text);
        rows.add(pipe, first().into_iter().chain(rest)).await?;
    }
    rows.finish(pipe).await?;
    let mut rows = Rows::into(
        "now_gaps",
        &[
            "feed",
            "platform",
            "connector",
            "cause",
            "section",
            "field",
            "file",
            "line",
            "message",
            "value",
            "occurrences",
        ],
    );
    for it in &head.gaps {
        let rest = [
            text(it.cause.as_str()),
            maybe(it.place.section.as_ref()),
            maybe(it.place.field.as_ref()),
            text(&it.place.file),
            Cell::MaybeInt(it.place.row.map(i64::from)),
            text(&it.message),
            maybe(it.value.as_ref()),
            Cell::Int(i64::try_from(it.count).unwrap_or(i64::MAX)),
        ];
        rows.add(pipe, first().into_iter().chain(rest)).await?;
    }
    rows.finish(pipe).await
}

/// Which readers of a platform have a later rival: the later whole reading is shown.
pub(crate) async fn rivals(
    connection: &mut AnyConnection,
    platform: &str,
) -> Result<(), StoreError> {
    let forget = "delete from rivals where feed in (select id from feeds where platform = $1)";
    sqlx::query(forget).bind(platform).execute(&mut *connection).await?;
    let feeds = sqlx::query(
        "select f.id, c.observed, c.observed_by, f.connector from feeds f join collections c on c.feed = f.id where f.platform = $1 and not c.is_delta and c.observed = (select max(l.observed) from collections l where l.feed = f.id and not l.is_delta)",
    );
    let rows = feeds.bind(platform).fetch_all(&mut *connection).await?;
    if rows.len() < 2 {
        return Ok(());
    }
    let mut feeds = Vec::new();
    for row in rows {
        let (feed, observed_by): (i64, String) = (row.try_get(0)?, row.try_get(2)?);
        let observed = certainly_after(row.try_get(1)?, &observed_by);
        let has_control = has_control(&mut *connection, feed).await?;
        feeds.push(Rival {
            platform: platform.to_owned(),
            feed,
            observed,
            connector: row.try_get(3)?,
            has_control,
        });
    }
    let mut pipe = Pipe::over(connection);
    let mut into = Rows::into("rivals", &["feed", "later", "has_control"]);
    for (feed, later, has_control) in later_rivals(&feeds) {
        let row = [Cell::Int(feed), Cell::Int(later), Cell::Bool(has_control)];
        into.add(&mut pipe, row).await?;
    }
    into.finish(&mut pipe).await
}

/// One reader of a platform, as of its latest reading.
pub(crate) struct Rival {
    pub platform: String,
    pub feed: i64,
    /// The earliest that it can have been.
    pub observed: i64,
    pub connector: String,
    pub has_control: bool,
}

/// The earliest that a reading can have been: a time without a zone may be of any.
pub(crate) fn certainly_after(observed: i64, observed_by: &str) -> i64 {
    match observed_by {
        "utc" => observed,
        "local" => {
            let zone = entente_model::UNTOLD_ZONE.whole_microseconds();
            observed.saturating_sub(i64::try_from(zone).unwrap_or_default())
        }
        _ => i64::MIN,
    }
}

/// Pairs of readers of one platform of which the second goes before the first, and whether it saw a control
/// plane: the one that was certainly read later, and at one time the one whose name comes first. The same
/// rule as `Reading::rank` of the model.
pub(crate) fn later_rivals(rivals: &[Rival]) -> Vec<(i64, i64, bool)> {
    use std::cmp::Reverse;
    let mut pairs = Vec::new();
    for one in rivals {
        for other in rivals.iter().filter(|it| it.platform == one.platform) {
            let rank = |it: &Rival| (it.observed, Reverse(it.connector.clone()));
            if rank(other) > rank(one) {
                pairs.push((one.feed, other.feed, other.has_control));
            }
        }
    }
    pairs
}

/// Whether a collection saw anything of a control plane.
pub(crate) fn has_control_plane(collection: &Collection) -> bool {
    !collection.control.is_empty()
}

/// Whether anything of a control plane is there now.
async fn has_control(connection: &mut AnyConnection, feed: i64) -> Result<bool, StoreError> {
    let control = KINDS.iter().skip_while(|it| **it != "workloads").skip(1);
    let kinds: Vec<String> = control.map(|it| format!("'{it}'")).collect();
    let statement = format!(
        "select count(*) from entities e where e.feed = $1 and e.kind in ({}) and exists (select 1 from versions v where v.entity = e.id and v.observed_to is null)",
        kinds.join(", ")
    );
    let found: i64 =
        sqlx::query_scalar(AssertSqlSafe(statement)).bind(feed).fetch_one(connection).await?;
    Ok(found > 0)
}
