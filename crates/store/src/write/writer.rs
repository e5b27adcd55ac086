//! One reading of one feed on its way in.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use entente_model::{Collection, GapCause};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::batches::Batches;
use super::current::{Current, head_rows};
use super::{Extent, Head, Stamp, Written, micros, next_id};
use crate::body::{Packed, compress};
use crate::database::{Cell, Rows};
use crate::error::StoreError;
use crate::nouns::Noun;
use crate::timeline::{Edit, Span, observe};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Things that are looked for by name at once.
const NAMES_MAX: usize = 400;

/// A state of a thing.
#[derive(Clone, Debug)]
struct Row_ {
    version: i64,
    span: Span<Vec<u8>>,
}

/// A thing and its states: in time, only the open one; late, all.
#[derive(Clone, Debug)]
struct Thing {
    entity: i64,
    incarnation: i64,
    rows: Vec<Row_>,
}

/// What later readings tell of a kind: nothing, but for what arrives late.
#[derive(Clone, Debug, Default)]
struct Later {
    /// The next reading that could see all of it.
    whole: Option<i64>,
    /// By name, when deltas first told that things are gone.
    removals: HashMap<String, i64>,
}

/// One reading of one feed on its way in.
pub(super) struct Writer<'c> {
    connection: &'c mut AnyConnection,
    feed: i64,
    collection: i64,
    at: i64,
    extent: Extent,
    /// Readings of this feed that are later: none, but for what arrives late.
    is_late: bool,
    /// Whether its gaps and findings are those to be shown: no whole reading is later.
    is_head: bool,
    stamp: Stamp,
    next_entity: i64,
    next_version: i64,
    entities: Rows,
    versions: Rows,
    sightings: Rows,
    samples: Rows,
    days: Rows,
    current: Current,
    written: Written,
}

impl<'c> Writer<'c> {
    pub async fn start(
        connection: &'c mut AnyConnection,
        feed: i64,
        at: i64,
        stamp: &Stamp,
        extent: Extent,
    ) -> Result<Self, StoreError> {
        let latest = sqlx::query(
            "select max(observed), max(case when is_delta then null else observed end) from collections where feed = $1",
        );
        let latest = latest.bind(feed).fetch_one(&mut *connection).await?;
        let is_later = |it: Option<i64>| it.is_some_and(|latest| latest > at);
        let (is_late, is_head) = (is_later(latest.try_get(0)?), !is_later(latest.try_get(1)?));
        let collection = next_id(connection, "collections").await?;
        let next_entity = next_id(connection, "entities").await?;
        let next_version = next_id(connection, "versions").await?;
        let current = Current::start(&mut *connection, feed).await?;
        let version =
            ["id", "entity", "observed_from", "observed_to", "recorded", "mapper", "hash", "body"];
        Ok(Self {
            connection,
            feed,
            collection,
            at,
            extent,
            is_late,
            is_head: is_head && extent == Extent::Whole,
            stamp: *stamp,
            next_entity,
            next_version,
            entities: Rows::into(
                "entities",
                &["id", "feed", "kind", "name", "incarnation", "identity"],
            ),
            versions: Rows::into("versions", &version),
            sightings: Rows::into("sightings", &["collection", "entity"]),
            samples: Rows::or(
                "samples",
                &["entity", "observed", "body"],
                " on conflict (entity) do update set observed = excluded.observed, body = excluded.body where samples.observed <= excluded.observed",
            ),
            days: Rows::or(
                "sample_days",
                &["entity", "day", "body"],
                " on conflict (entity, day) do update set body = excluded.body",
            ),
            current,
            written: Written::default(),
        })
    }

    pub async fn begin(
        &mut self,
        platform: &str,
        collection: &Collection,
        observed_by: &str,
        incomplete: &BTreeMap<&'static str, GapCause>,
    ) -> Result<(), StoreError> {
        let head = Head {
            source: collection.source.clone(),
            gaps: collection.gaps.clone(),
            findings: collection.findings.clone(),
        };
        if self.is_head {
            head_rows(self.connection, self.feed, platform, &head).await?;
        }
        let head = serde_json::to_vec(&head).map_err(crate::body::unreadable)?;
        let objects: usize = collection.counts().iter().map(|it| it.1).sum();
        let row = sqlx::query(
            "insert into collections (id, feed, source, observed, observed_by, recorded, mapper, objects, is_delta, head) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        );
        row.bind(self.collection)
            .bind(self.feed)
            .bind(collection.source.id.as_str().to_owned())
            .bind(self.at)
            .bind(observed_by.to_owned())
            .bind(micros(self.stamp.recorded))
            .bind(i64::from(self.stamp.mapper))
            .bind(i64::try_from(objects).unwrap_or(i64::MAX))
            .bind(self.extent == Extent::Delta)
            .bind(compress(&head))
            .execute(&mut *self.connection)
            .await?;
        let mut rows = Rows::into("incomplete", &["collection", "kind", "reason"]);
        for (kind, cause) in incomplete {
            let row = [
                Cell::Int(self.collection),
                Cell::Text((*kind).to_owned()),
                Cell::Text(cause.as_str().to_owned()),
            ];
            rows.add(self.connection, row).await?;
        }
        rows.finish(self.connection).await
    }

    /// One list: what is in it, and what is not in it any more. A delta says nothing of what is not in it.
    pub async fn list<N: Noun + Send + 'static>(
        &mut self,
        nouns: Vec<N>,
        is_incomplete: bool,
    ) -> Result<(), StoreError> {
        let is_delta = self.extent == Extent::Delta;
        let names = is_delta.then(|| nouns.iter().map(N::name).collect());
        let mut known = self.known(N::KIND, names).await?;
        let later = self.later(N::KIND).await?;
        let mut seen: HashMap<String, u32> = HashMap::new();
        let mut ready = Batches::new(nouns);
        while let Some(batch) = ready.next().await? {
            for mut packed in batch {
                // Several of one name are several: the first, the second …
                let times = seen.entry(packed.name.clone()).and_modify(|it| *it += 1).or_insert(1);
                if *times > 1 && is_delta {
                    // Which of several of one name it is, only a whole list tells.
                    continue;
                }
                if *times > 1 {
                    packed.name = format!("{} #{times}", packed.name);
                }
                let things = known.remove(&packed.name).unwrap_or_default();
                self.object::<N>(packed, things, &later, is_incomplete).await?;
            }
        }
        if !N::IS_EVENT && !is_delta {
            self.absent::<N>(known, &later, is_incomplete).await?;
        }
        self.current.flush::<N>(self.connection).await
    }

    /// Things of these names that a delta told to be gone.
    pub async fn removed<N: Noun>(&mut self, names: BTreeSet<String>) -> Result<(), StoreError> {
        let mut rows = Rows::into("removals", &["collection", "kind", "name"]);
        for name in &names {
            let kind = Cell::Text(N::KIND.to_owned());
            let row = [Cell::Int(self.collection), kind, Cell::Text(name.clone())];
            rows.add(self.connection, row).await?;
        }
        rows.finish(self.connection).await?;
        let known = self.known(N::KIND, Some(names)).await?;
        let later = self.later(N::KIND).await?;
        self.absent::<N>(known, &later, false).await?;
        self.current.flush::<N>(self.connection).await
    }

    /// Things of this kind that were there, by name: in time, those that were there last; all, or those of
    /// some names.
    async fn known(
        &mut self,
        kind: &'static str,
        names: Option<BTreeSet<String>>,
    ) -> Result<HashMap<String, Vec<Thing>>, StoreError> {
        let statement = match self.is_late {
            false => {
                "select e.name, e.id, e.incarnation, v.id, v.observed_from, v.observed_to, v.hash from entities e left join versions v on v.entity = e.id and v.observed_to is null where e.feed = $1 and e.kind = $2 order by e.id"
            }
            true => {
                "select e.name, e.id, e.incarnation, v.id, v.observed_from, v.observed_to, v.hash from entities e left join versions v on v.entity = e.id where e.feed = $1 and e.kind = $2 order by e.id, v.observed_from"
            }
        };
        let mut known = HashMap::new();
        let Some(names) = names else {
            let rows = sqlx::query(statement).bind(self.feed).bind(kind);
            gather(&mut known, rows.fetch_all(&mut *self.connection).await?)?;
            return Ok(known);
        };
        let names: Vec<String> = names.into_iter().collect();
        for some in names.chunks(NAMES_MAX) {
            let marks: Vec<String> = (3..some.len() + 3).map(|it| format!("${it}")).collect();
            let only = format!("and e.name in ({}) order by", marks.join(", "));
            let statement = statement.replace("order by", &only);
            let mut rows = sqlx::query(AssertSqlSafe(statement)).bind(self.feed).bind(kind);
            for name in some {
                rows = rows.bind(name.clone());
            }
            let rows = rows.persistent(some.len() == 1);
            gather(&mut known, rows.fetch_all(&mut *self.connection).await?)?;
        }
        Ok(known)
    }

    /// What later readings tell of a kind.
    async fn later(&mut self, kind: &'static str) -> Result<Later, StoreError> {
        if !self.is_late {
            return Ok(Later::default());
        }
        let next = sqlx::query_scalar(
            "select min(observed) from collections c where feed = $1 and observed > $2 and not is_delta and not exists (select 1 from incomplete i where i.collection = c.id and i.kind = $3)",
        );
        let next = next.bind(self.feed).bind(self.at).bind(kind);
        let whole = next.fetch_one(&mut *self.connection).await?;
        let removals = sqlx::query_as(
            "select r.name, min(c.observed) from collections c join removals r on r.collection = c.id where c.feed = $1 and c.observed > $2 and r.kind = $3 group by r.name",
        );
        let removals = removals.bind(self.feed).bind(self.at).bind(kind);
        let removals: Vec<(String, i64)> = removals.fetch_all(&mut *self.connection).await?;
        Ok(Later { whole, removals: removals.into_iter().collect() })
    }

    /// The next reading that could tell of a thing: one that was whole, one that saw it nevertheless, or
    /// one that told that it is gone.
    async fn next_telling(
        &mut self,
        entity: i64,
        name: &str,
        later: &Later,
    ) -> Result<Option<i64>, StoreError> {
        if !self.is_late {
            return Ok(None);
        }
        let sighting: Option<i64> = sqlx::query_scalar(
            "select min(c.observed) from sightings s join collections c on c.id = s.collection where s.entity = $1 and c.observed > $2",
        )
        .bind(entity)
        .bind(self.at)
        .fetch_one(&mut *self.connection)
        .await?;
        let removal = later.removals.get(name).copied();
        Ok([sighting, removal, later.whole].into_iter().flatten().min())
    }

    async fn object<N: Noun>(
        &mut self,
        mut packed: Packed,
        things: Vec<Thing>,
        later: &Later,
        is_incomplete: bool,
    ) -> Result<(), StoreError> {
        self.written.objects += 1;
        let thing = self.which::<N>(&packed, things).await?;
        let entity = match &thing {
            Some(thing) => thing.entity,
            None => self.make::<N>(&packed, 1).await?,
        };
        let (entity, thing) = match thing {
            // The name was given to another one: the thing before it is gone, and this is new.
            Some(thing) if thing.entity == 0 => {
                (self.make::<N>(&packed, thing.incarnation).await?, None)
            }
            other => (entity, other),
        };
        if is_incomplete || self.extent == Extent::Delta {
            let row = [Cell::Int(self.collection), Cell::Int(entity)];
            self.sightings.add(self.connection, row).await?;
        }
        if let Some(samples) = &packed.samples {
            let (at, day) = (Cell::Int(self.at), Cell::Int(self.at.div_euclid(DAY)));
            let body = Cell::Bytes(samples.clone());
            self.samples.add(self.connection, [Cell::Int(entity), at, body.clone()]).await?;
            self.days.add(self.connection, [Cell::Int(entity), day, body]).await?;
        }
        self.current.samples(self.connection, entity, self.at, &mut packed.rows).await?;
        let rows = thing.map(|it| it.rows).unwrap_or_default();
        match rows.iter().any(|it| it.span.to.is_none() || self.is_late) {
            false => self.written.new += 1,
            true if rows.iter().all(|it| it.span.state != packed.hash) => self.written.changed += 1,
            true => {}
        }
        let next = self.next_telling(entity, &packed.name, later).await?;
        let spans: Vec<Span<Vec<u8>>> = rows.iter().map(|it| it.span.clone()).collect();
        let edits = match N::IS_EVENT && !spans.is_empty() {
            true => Vec::new(),
            false => observe(&spans, self.at, Some(&packed.hash), next),
        };
        self.apply::<N>(entity, &rows, &edits, Some(&mut packed)).await
    }

    /// Which of the things of this name it is; one with the number 0 says that it is none of them.
    async fn which<N: Noun>(
        &mut self,
        packed: &Packed,
        mut things: Vec<Thing>,
    ) -> Result<Option<Thing>, StoreError> {
        let at = self.at;
        let is_there = |it: &Thing| {
            it.rows.iter().any(|row| row.span.from <= at && row.span.to.is_none_or(|to| at < to))
        };
        // The same state as a thing that is there: nothing to look at further.
        let same = things
            .iter()
            .position(|it| is_there(it) && it.rows.iter().any(|row| row.span.state == packed.hash));
        if let Some(same) = same {
            return Ok(Some(things.swap_remove(same)));
        }
        if packed.identity.is_empty() {
            return Ok(things.pop());
        }
        things.sort_by_key(|it| std::cmp::Reverse((is_there(it), it.incarnation)));
        let mut last = None;
        for thing in things {
            last = last.max(Some(thing.incarnation));
            let identity: String =
                sqlx::query_scalar("select identity from entities where id = $1")
                    .bind(thing.entity)
                    .fetch_one(&mut *self.connection)
                    .await?;
            let identity: BTreeMap<String, String> =
                serde_json::from_str(&identity).map_err(crate::body::unreadable)?;
            if is_same(&identity, &packed.identity, is_there(&thing)) {
                return Ok(Some(thing));
            }
            if is_there(&thing) && !self.is_late {
                self.close::<N>(&thing).await?;
            }
        }
        Ok(last.map(|last| Thing { entity: 0, incarnation: last + 1, rows: Vec::new() }))
    }

    async fn close<N: Noun>(&mut self, thing: &Thing) -> Result<(), StoreError> {
        self.written.gone += 1;
        let spans: Vec<_> = thing.rows.iter().map(|it| it.span.clone()).collect();
        let edits = observe(&spans, self.at, None, None);
        self.apply::<N>(thing.entity, &thing.rows, &edits, None).await
    }

    async fn make<N: Noun>(
        &mut self,
        packed: &Packed,
        incarnation: i64,
    ) -> Result<i64, StoreError> {
        let entity = self.next_entity;
        self.next_entity += 1;
        let identity: BTreeMap<&str, &String> =
            packed.identity.iter().map(|(name, value)| (*name, value)).collect();
        let identity = serde_json::to_string(&identity).map_err(crate::body::unreadable)?;
        let row = [
            Cell::Int(entity),
            Cell::Int(self.feed),
            Cell::Text(N::KIND.to_owned()),
            Cell::Text(packed.name.clone()),
            Cell::Int(incarnation),
            Cell::Text(identity),
        ];
        self.entities.add(self.connection, row).await?;
        Ok(entity)
    }

    /// What was not in the list.
    async fn absent<N: Noun>(
        &mut self,
        known: HashMap<String, Vec<Thing>>,
        later: &Later,
        is_incomplete: bool,
    ) -> Result<(), StoreError> {
        let things = known
            .into_iter()
            .flat_map(|(name, all)| all.into_iter().map(move |it| (name.clone(), it)));
        for (name, thing) in things {
            let spans: Vec<Span<Vec<u8>>> = thing.rows.iter().map(|it| it.span.clone()).collect();
            let at = self.at;
            if !spans.iter().any(|it| it.from <= at && it.to.is_none_or(|to| at < to)) {
                continue;
            }
            if is_incomplete {
                self.written.kept += 1;
                continue;
            }
            self.written.gone += 1;
            let next = self.next_telling(thing.entity, &name, later).await?;
            let edits = observe(&spans, at, None, next);
            self.apply::<N>(thing.entity, &thing.rows, &edits, None).await?;
        }
        Ok(())
    }

    async fn apply<N: Noun>(
        &mut self,
        entity: i64,
        rows: &[Row_],
        edits: &[Edit],
        packed: Option<&mut Packed>,
    ) -> Result<(), StoreError> {
        let of = |span: usize| {
            rows.get(span).ok_or_else(|| StoreError::Damaged("a state without its row".into()))
        };
        for edit in edits {
            match *edit {
                Edit::End { span, at } => {
                    let end = sqlx::query("update versions set observed_to = $1 where id = $2");
                    end.bind(at).bind(of(span)?.version).execute(&mut *self.connection).await?;
                }
                Edit::Begin { span, at } => {
                    let begin = sqlx::query("update versions set observed_from = $1 where id = $2");
                    begin.bind(at).bind(of(span)?.version).execute(&mut *self.connection).await?;
                }
                Edit::Again { span, from, to } => {
                    let again = sqlx::query(
                        "insert into versions (id, entity, observed_from, observed_to, recorded, mapper, hash, body) select $1, entity, $2, $3, recorded, mapper, hash, body from versions where id = $4",
                    );
                    let id = self.next_version;
                    self.next_version += 1;
                    let again = again.bind(id).bind(from).bind(to).bind(of(span)?.version);
                    again.execute(&mut *self.connection).await?;
                }
                Edit::New { from, to } => {
                    let Some(packed) = packed.as_deref() else { continue };
                    let row = [
                        Cell::Int(self.next_version),
                        Cell::Int(entity),
                        Cell::Int(from),
                        Cell::MaybeInt(to),
                        Cell::Int(micros(self.stamp.recorded)),
                        Cell::Int(i64::from(self.stamp.mapper)),
                        Cell::Bytes(packed.hash.clone()),
                        Cell::Bytes(compress(&packed.json)),
                    ];
                    self.next_version += 1;
                    self.versions.add(self.connection, row).await?;
                }
            }
        }
        self.show::<N>(entity, rows, edits, packed).await
    }

    /// Brings the tables of what is so now up to date, if what is so now is another.
    async fn show<N: Noun>(
        &mut self,
        entity: i64,
        rows: &[Row_],
        edits: &[Edit],
        packed: Option<&mut Packed>,
    ) -> Result<(), StoreError> {
        let open = rows.iter().position(|it| it.span.to.is_none());
        let is_new = edits.iter().any(|it| matches!(it, Edit::New { to: None, .. }));
        let is_again = edits.iter().any(|it| matches!(it, Edit::Again { to: None, .. }));
        let has_ended =
            edits.iter().any(|it| matches!(it, Edit::End { span, .. } if Some(*span) == open));
        match packed {
            Some(packed) if is_new => {
                self.current.replace(self.connection, entity, packed, open.is_some()).await?;
            }
            _ if has_ended && !is_again => self.current.remove(entity),
            _ => {}
        }
        if self.current.is_full() {
            self.current.flush::<N>(self.connection).await?;
        }
        Ok(())
    }

    pub async fn finish(self) -> Result<Written, StoreError> {
        for rows in [self.entities, self.versions, self.sightings, self.samples, self.days] {
            rows.finish(self.connection).await?;
        }
        self.current.finish(self.connection).await?;
        Ok(self.written)
    }
}

/// Rows of things and their states, by name.
fn gather(known: &mut HashMap<String, Vec<Thing>>, rows: Vec<AnyRow>) -> Result<(), StoreError> {
    known.reserve(rows.len());
    for row in rows {
        let name: String = row.try_get(0)?;
        let (entity, incarnation): (i64, i64) = (row.try_get(1)?, row.try_get(2)?);
        let things = known.entry(name).or_default();
        if things.last().is_none_or(|it| it.entity != entity) {
            things.push(Thing { entity, incarnation, rows: Vec::new() });
        }
        let version: Option<i64> = row.try_get(3)?;
        if let (Some(version), Some(thing)) = (version, things.last_mut()) {
            let span = Span { from: row.try_get(4)?, to: row.try_get(5)?, state: row.try_get(6)? };
            thing.rows.push(Row_ { version, span });
        }
    }
    Ok(())
}

/// Whether a thing of the same name is the same: as long as nothing speaks against it while it is there;
/// once it was gone, only if something speaks for it.
fn is_same(
    known: &BTreeMap<String, String>,
    seen: &[(&'static str, String)],
    is_there: bool,
) -> bool {
    let shared = seen.iter().filter_map(|(name, value)| Some(known.get(*name)? == value));
    let (agree, differ) = shared.fold((0, 0), |(agree, differ), same| match same {
        true => (agree + 1, differ),
        false => (agree, differ + 1),
    });
    agree > 0 || (differ == 0 && is_there)
}
