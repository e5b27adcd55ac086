//! One reading of one feed on its way in.

use std::collections::{BTreeMap, HashMap};

use entente_model::{Collection, GapCause};
use sqlx::{AnyConnection, Row};

use super::batches::Batches;
use super::current::{Current, head_rows};
use super::{Head, Stamp, Written, micros, next_id};
use crate::body::{Packed, compress};
use crate::database::{Cell, Rows};
use crate::error::StoreError;
use crate::nouns::Noun;
use crate::timeline::{Edit, Span, observe};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

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

/// One reading of one feed on its way in.
pub(super) struct Writer<'c> {
    connection: &'c mut AnyConnection,
    feed: i64,
    collection: i64,
    at: i64,
    /// Readings of this feed that are later: none, but for what arrives late.
    is_late: bool,
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
    ) -> Result<Self, StoreError> {
        let latest: Option<i64> =
            sqlx::query_scalar("select max(observed) from collections where feed = $1")
                .bind(feed)
                .fetch_one(&mut *connection)
                .await?;
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
            is_late: latest.is_some_and(|latest| latest > at),
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
        if !self.is_late {
            head_rows(self.connection, self.feed, platform, &head).await?;
        }
        let head = serde_json::to_vec(&head).map_err(crate::body::unreadable)?;
        let objects: usize = collection.counts().iter().map(|it| it.1).sum();
        let row = sqlx::query(
            "insert into collections (id, feed, source, observed, observed_by, recorded, mapper, objects, head) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        );
        row.bind(self.collection)
            .bind(self.feed)
            .bind(collection.source.id.as_str().to_owned())
            .bind(self.at)
            .bind(observed_by.to_owned())
            .bind(micros(self.stamp.recorded))
            .bind(i64::from(self.stamp.mapper))
            .bind(i64::try_from(objects).unwrap_or(i64::MAX))
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

    /// One list: what is in it, and what is not in it any more.
    pub async fn list<N: Noun + Send + 'static>(
        &mut self,
        nouns: Vec<N>,
        is_incomplete: bool,
    ) -> Result<(), StoreError> {
        let mut known = self.known(N::KIND).await?;
        let next_reading = self.next_reading(N::KIND).await?;
        let mut seen: HashMap<String, u32> = HashMap::new();
        let mut ready = Batches::new(nouns);
        while let Some(batch) = ready.next().await? {
            for mut packed in batch {
                // Several of one name are several: the first, the second …
                let times = seen.entry(packed.name.clone()).and_modify(|it| *it += 1).or_insert(1);
                if *times > 1 {
                    packed.name = format!("{} #{times}", packed.name);
                }
                let things = known.remove(&packed.name).unwrap_or_default();
                self.object::<N>(packed, things, next_reading, is_incomplete).await?;
            }
        }
        if !N::IS_EVENT {
            self.absent::<N>(known, next_reading, is_incomplete).await?;
        }
        self.current.flush::<N>(self.connection).await
    }

    /// Things of this kind that were there, by name: in time, those that were there last.
    async fn known(
        &mut self,
        kind: &'static str,
    ) -> Result<HashMap<String, Vec<Thing>>, StoreError> {
        let statement = match self.is_late {
            false => {
                "select e.name, e.id, e.incarnation, v.id, v.observed_from, v.observed_to, v.hash from entities e left join versions v on v.entity = e.id and v.observed_to is null where e.feed = $1 and e.kind = $2 order by e.id"
            }
            true => {
                "select e.name, e.id, e.incarnation, v.id, v.observed_from, v.observed_to, v.hash from entities e left join versions v on v.entity = e.id where e.feed = $1 and e.kind = $2 order by e.id, v.observed_from"
            }
        };
        let rows = sqlx::query(statement)
            .bind(self.feed)
            .bind(kind)
            .fetch_all(&mut *self.connection)
            .await?;
        let mut known: HashMap<String, Vec<Thing>> = HashMap::with_capacity(rows.len());
        for row in rows {
            let name: String = row.try_get(0)?;
            let (entity, incarnation): (i64, i64) = (row.try_get(1)?, row.try_get(2)?);
            let things = known.entry(name).or_default();
            if things.last().is_none_or(|it| it.entity != entity) {
                things.push(Thing { entity, incarnation, rows: Vec::new() });
            }
            let version: Option<i64> = row.try_get(3)?;
            if let (Some(version), Some(thing)) = (version, things.last_mut()) {
                let span =
                    Span { from: row.try_get(4)?, to: row.try_get(5)?, state: row.try_get(6)? };
                thing.rows.push(Row_ { version, span });
            }
        }
        Ok(known)
    }

    /// The next reading that could see all of a kind.
    async fn next_reading(&mut self, kind: &'static str) -> Result<Option<i64>, StoreError> {
        if !self.is_late {
            return Ok(None);
        }
        let next = sqlx::query_scalar(
            "select min(observed) from collections c where feed = $1 and observed > $2 and not exists (select 1 from incomplete i where i.collection = c.id and i.kind = $3)",
        );
        Ok(next.bind(self.feed).bind(self.at).bind(kind).fetch_one(&mut *self.connection).await?)
    }

    /// The next reading that could tell of a thing: one that was whole, or one that saw its name
    /// nevertheless, be it on another thing. Of what happened once, none tells more.
    async fn next_telling<N: Noun>(
        &mut self,
        name: &str,
        next_reading: Option<i64>,
    ) -> Result<Option<i64>, StoreError> {
        if !self.is_late || N::IS_EVENT {
            return Ok(None);
        }
        let sighting: Option<i64> = sqlx::query_scalar(
            "select min(c.observed) from collections c join sightings s on s.collection = c.id join entities e on e.id = s.entity where c.feed = $1 and c.observed > $2 and e.feed = $1 and e.kind = $3 and e.name = $4",
        )
        .bind(self.feed)
        .bind(self.at)
        .bind(N::KIND)
        .bind(name.to_owned())
        .fetch_one(&mut *self.connection)
        .await?;
        Ok([sighting, next_reading].into_iter().flatten().min())
    }

    async fn object<N: Noun>(
        &mut self,
        mut packed: Packed,
        things: Vec<Thing>,
        next_reading: Option<i64>,
        is_incomplete: bool,
    ) -> Result<(), StoreError> {
        self.written.objects += 1;
        let next = self.next_telling::<N>(&packed.name, next_reading).await?;
        let thing = self.which::<N>(&packed, things, next).await?;
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
        if is_incomplete {
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
        let spans: Vec<Span<Vec<u8>>> = rows.iter().map(|it| it.span.clone()).collect();
        let edits = observe(&spans, self.at, Some(&packed.hash), next);
        self.apply::<N>(entity, &rows, &edits, Some(&mut packed)).await
    }

    /// Which of the things of this name it is; one with the number 0 says that it is none of them. Any
    /// other of this name that would be there is not: the name is given to one at a time.
    async fn which<N: Noun>(
        &mut self,
        packed: &Packed,
        mut things: Vec<Thing>,
        next: Option<i64>,
    ) -> Result<Option<Thing>, StoreError> {
        let at = self.at;
        let is_there = |it: &Thing| {
            it.rows.iter().any(|row| row.span.from <= at && row.span.to.is_none_or(|to| at < to))
        };
        things.sort_by_key(|it| std::cmp::Reverse((is_there(it), it.incarnation)));
        let last = things.iter().map(|it| it.incarnation).max();
        // The same state as a thing that is there: nothing to look at further.
        let mut found = things
            .iter()
            .position(|it| is_there(it) && it.rows.iter().any(|row| row.span.state == packed.hash))
            .or((packed.identity.is_empty() && !things.is_empty()).then_some(0));
        for (number, thing) in things.iter().enumerate().filter(|_| found.is_none()) {
            if self.is_same(packed, thing.entity, is_there(thing)).await? {
                found = Some(number);
                break;
            }
        }
        let found = found.map(|it| things.remove(it));
        for other in things.iter().filter(|it| is_there(it)) {
            self.written.gone += 1;
            let spans: Vec<_> = other.rows.iter().map(|it| it.span.clone()).collect();
            let edits = observe(&spans, at, None, next);
            self.apply::<N>(other.entity, &other.rows, &edits, None).await?;
        }
        let none = |last| Thing { entity: 0, incarnation: last + 1, rows: Vec::new() };
        Ok(found.or(last.map(none)))
    }

    /// Whether what was seen is a known thing of the same name; what tells it from others is learned.
    async fn is_same(
        &mut self,
        packed: &Packed,
        entity: i64,
        is_there: bool,
    ) -> Result<bool, StoreError> {
        let identity: String = sqlx::query_scalar("select identity from entities where id = $1")
            .bind(entity)
            .fetch_one(&mut *self.connection)
            .await?;
        let mut known: BTreeMap<String, String> =
            serde_json::from_str(&identity).map_err(crate::body::unreadable)?;
        if !is_same(&known, &packed.identity, is_there) {
            return Ok(false);
        }
        let count = known.len();
        for (name, value) in &packed.identity {
            known.entry((*name).to_owned()).or_insert_with(|| value.clone());
        }
        if known.len() > count {
            let identity = serde_json::to_string(&known).map_err(crate::body::unreadable)?;
            let learn = sqlx::query("update entities set identity = $1 where id = $2");
            learn.bind(identity).bind(entity).execute(&mut *self.connection).await?;
        }
        Ok(true)
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
        next_reading: Option<i64>,
        is_incomplete: bool,
    ) -> Result<(), StoreError> {
        let things = known
            .into_iter()
            .flat_map(|(name, things)| things.into_iter().map(move |thing| (name.clone(), thing)));
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
            let next = self.next_telling::<N>(&name, next_reading).await?;
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
                    crate::point::reached("ends");
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
