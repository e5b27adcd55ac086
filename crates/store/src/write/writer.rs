//! One reading of one feed on its way in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use entente_model::{Collection, GapCause};
use sqlx::{AnyConnection, Row};

use super::batches::Batches;
use super::current::{Current, head_rows};
use super::known::{Known, Thing, Version};
use super::{Extent, Head, Stamp, Written, micros, next_id};
use crate::body::{Packed, State, compress};
use crate::database::{Cell, Rows};
use crate::error::StoreError;
use crate::nouns::Noun;
use crate::pipe::Pipe;
use crate::samples::{Reading, SampleSet};
use crate::timeline::{Edit, observe};

/// Which thing an object is.
enum Which<'t> {
    Known(&'t Thing),
    New { incarnation: i64 },
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
    pipe: Pipe<'c>,
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
    /// Of the list that goes in.
    samples: SampleSet,
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
            pipe: Pipe::over(connection),
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
            samples: SampleSet::default(),
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
            head_rows(&mut self.pipe, self.feed, platform, &head).await?;
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
            .execute(self.pipe.idle().await?)
            .await?;
        let mut rows = Rows::into("incomplete", &["collection", "kind", "reason"]);
        for (kind, cause) in incomplete {
            let row = [
                Cell::Int(self.collection),
                Cell::Text((*kind).to_owned()),
                Cell::Text(cause.as_str().to_owned()),
            ];
            rows.add(&mut self.pipe, row).await?;
        }
        rows.finish(&mut self.pipe).await
    }

    /// One list: what is in it, and what is not in it any more. A delta says nothing of what is not in it.
    pub async fn list<N: Noun + Send + 'static>(
        &mut self,
        mut nouns: Vec<N>,
        is_incomplete: bool,
    ) -> Result<(), StoreError> {
        let is_delta = self.extent == Extent::Delta;
        let names = is_delta.then(|| {
            // Which of several of one name it is, only a whole list tells.
            let mut names = BTreeSet::new();
            nouns.retain(|it| names.insert(it.name()));
            names
        });
        let known = Arc::new(self.known(N::KIND, names).await?);
        let mut seen = vec![false; known.things().len()];
        let later = self.later(N::KIND).await?;
        let mut ready = Batches::new(nouns, Arc::clone(&known));
        while let Some(batch) = ready.next().await? {
            for packed in batch {
                let mut things = Vec::new();
                for position in known.positions(&packed.name) {
                    if let (Some(seen), Some(thing)) =
                        (seen.get_mut(*position), known.things().get(*position))
                    {
                        *seen = true;
                        things.push(thing);
                    }
                }
                self.object::<N>(packed, things, &later, is_incomplete).await?;
            }
        }
        if !N::IS_EVENT && !is_delta {
            let absent = known.things().iter().zip(&seen).filter(|it| !it.1).map(|it| it.0);
            self.absent::<N>(absent, &later, is_incomplete).await?;
        }
        let samples = std::mem::take(&mut self.samples);
        let reading = Reading {
            collection: self.collection,
            feed: self.feed,
            at: self.at,
            is_whole: !is_incomplete && !is_delta,
        };
        samples.write(&mut self.pipe, N::KIND, &reading).await?;
        self.current.flush::<N>(&mut self.pipe).await
    }

    /// Things of these names that a delta told to be gone.
    pub async fn removed<N: Noun>(&mut self, names: BTreeSet<String>) -> Result<(), StoreError> {
        let mut rows = Rows::into("removals", &["collection", "kind", "name"]);
        for name in &names {
            let kind = Cell::Text(N::KIND.to_owned());
            let row = [Cell::Int(self.collection), kind, Cell::Text(name.clone())];
            rows.add(&mut self.pipe, row).await?;
        }
        rows.finish(&mut self.pipe).await?;
        let known = self.known(N::KIND, Some(names)).await?;
        let later = self.later(N::KIND).await?;
        self.absent::<N>(known.things().iter(), &later, false).await?;
        self.current.flush::<N>(&mut self.pipe).await
    }

    /// Things of this kind that were there: all, or those of some names.
    async fn known(
        &mut self,
        kind: &'static str,
        names: Option<BTreeSet<String>>,
    ) -> Result<Known, StoreError> {
        let names = names.map(|it| it.into_iter().collect());
        Known::read(self.pipe.idle().await?, (self.feed, kind), names, self.is_late).await
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
        let whole = next.fetch_one(self.pipe.idle().await?).await?;
        let removals = sqlx::query_as(
            "select r.name, min(c.observed) from collections c join removals r on r.collection = c.id where c.feed = $1 and c.observed > $2 and r.kind = $3 group by r.name",
        );
        let removals = removals.bind(self.feed).bind(self.at).bind(kind);
        let removals: Vec<(String, i64)> = removals.fetch_all(self.pipe.idle().await?).await?;
        Ok(Later { whole, removals: removals.into_iter().collect() })
    }

    /// The next reading that could tell of a thing: one that was whole, one that saw its name
    /// nevertheless, be it on another thing, or one that told that it is gone. Of what happened once, none
    /// tells more.
    async fn next_telling<N: Noun>(
        &mut self,
        name: &str,
        later: &Later,
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
        .fetch_one(self.pipe.idle().await?)
        .await?;
        let removal = later.removals.get(name).copied();
        Ok([sighting, removal, later.whole].into_iter().flatten().min())
    }

    async fn object<N: Noun>(
        &mut self,
        mut packed: Packed,
        things: Vec<&Thing>,
        later: &Later,
        is_incomplete: bool,
    ) -> Result<(), StoreError> {
        self.written.objects += 1;
        let next = self.next_telling::<N>(&packed.name, later).await?;
        let which = self.which::<N>(&packed, things, next).await?;
        let (entity, thing) = match which {
            Which::Known(thing) => (thing.entity, Some(thing)),
            Which::New { incarnation } => (self.make::<N>(&packed, incarnation).await?, None),
        };
        if is_incomplete || self.extent == Extent::Delta {
            let row = [Cell::Int(self.collection), Cell::Int(entity)];
            self.sightings.add(&mut self.pipe, row).await?;
        }
        if let Some(samples) = &packed.samples {
            self.samples.add(entity, samples);
        }
        let sample_rows = std::mem::take(&mut packed.sample_rows);
        self.current.samples(&mut self.pipe, entity, self.at, sample_rows).await?;
        match thing {
            None => self.written.new += 1,
            // It was gone, and is there again.
            Some(it) if !self.is_late && it.rows.is_empty() => self.written.new += 1,
            Some(it) if !it.has(&packed.hash) => self.written.changed += 1,
            Some(_) => {}
        }
        if packed.state.is_none() {
            return Ok(());
        }
        let spans = thing.map(Thing::spans).unwrap_or_default();
        let edits = observe(&spans, self.at, Some(&packed.hash), next);
        self.apply::<N>(entity, thing, &edits, Some(&mut packed)).await
    }

    /// Which of the things of this name it is. Any other of this name that would be there is not: the name is
    /// given to one at a time.
    async fn which<'t, N: Noun>(
        &mut self,
        packed: &Packed,
        mut things: Vec<&'t Thing>,
        next: Option<i64>,
    ) -> Result<Which<'t>, StoreError> {
        let at = self.at;
        things.sort_by_key(|it| std::cmp::Reverse((it.is_there(at), it.incarnation)));
        let last = things.iter().map(|it| it.incarnation).max().unwrap_or_default();
        let identity = packed.state.as_ref().map(|it| it.identity.as_slice()).unwrap_or_default();
        // The same state as a thing that is there: nothing to look at further.
        let mut found = things
            .iter()
            .position(|it| it.is_there(at) && it.has(&packed.hash))
            .or((identity.is_empty() && !things.is_empty()).then_some(0));
        for (number, thing) in things.iter().enumerate() {
            if found.is_some() {
                break;
            }
            let is_it = self.is_same(identity, thing.entity, thing.is_there(at)).await?;
            found = is_it.then_some(number);
        }
        let found = found.map(|it| things.remove(it));
        for other in things.into_iter().filter(|it| it.is_there(at)) {
            self.written.gone += 1;
            let edits = observe(&other.spans(), at, None, next);
            self.apply::<N>(other.entity, Some(other), &edits, None).await?;
        }
        Ok(found.map_or(Which::New { incarnation: last + 1 }, Which::Known))
    }

    /// Whether what was seen is a known thing of the same name; what tells it from others is learned.
    async fn is_same(
        &mut self,
        identity: &[(&'static str, String)],
        entity: i64,
        is_there: bool,
    ) -> Result<bool, StoreError> {
        let known: String = sqlx::query_scalar("select identity from entities where id = $1")
            .bind(entity)
            .fetch_one(self.pipe.idle().await?)
            .await?;
        let mut known: BTreeMap<String, String> =
            serde_json::from_str(&known).map_err(crate::body::unreadable)?;
        if !is_same(&known, identity, is_there) {
            return Ok(false);
        }
        let count = known.len();
        for (name, value) in identity {
            known.entry((*name).to_owned()).or_insert_with(|| value.clone());
        }
        if known.len() > count {
            let identity = serde_json::to_string(&known).map_err(crate::body::unreadable)?;
            let learn = sqlx::query("update entities set identity = $1 where id = $2");
            learn.bind(identity).bind(entity).execute(self.pipe.idle().await?).await?;
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
        let identity = packed.state.as_ref().map(|it| it.identity.as_slice()).unwrap_or_default();
        let identity: BTreeMap<&str, &String> =
            identity.iter().map(|(name, value)| (*name, value)).collect();
        let identity = serde_json::to_string(&identity).map_err(crate::body::unreadable)?;
        let row = [
            Cell::Int(entity),
            Cell::Int(self.feed),
            Cell::Text(N::KIND.to_owned()),
            Cell::Text(packed.name.clone()),
            Cell::Int(incarnation),
            Cell::Text(identity),
        ];
        self.entities.add(&mut self.pipe, row).await?;
        Ok(entity)
    }

    /// What was not in the list.
    async fn absent<N: Noun>(
        &mut self,
        things: impl Iterator<Item = &Thing>,
        later: &Later,
        is_incomplete: bool,
    ) -> Result<(), StoreError> {
        for thing in things {
            let at = self.at;
            if !thing.is_there(at) {
                continue;
            }
            if is_incomplete {
                self.written.kept += 1;
                continue;
            }
            self.written.gone += 1;
            let next = self.next_telling::<N>(&thing.name, later).await?;
            let edits = observe(&thing.spans(), at, None, next);
            self.apply::<N>(thing.entity, Some(thing), &edits, None).await?;
        }
        Ok(())
    }

    async fn apply<N: Noun>(
        &mut self,
        entity: i64,
        thing: Option<&Thing>,
        edits: &[Edit],
        mut packed: Option<&mut Packed>,
    ) -> Result<(), StoreError> {
        let rows = thing.map(|it| it.rows.as_slice()).unwrap_or_default();
        let of = |span: usize| {
            rows.get(span).ok_or_else(|| StoreError::Damaged("a state without its row".into()))
        };
        for edit in edits {
            match *edit {
                Edit::End { span, at } => {
                    let end = sqlx::query("update versions set observed_to = $1 where id = $2");
                    end.bind(at).bind(of(span)?.id).execute(self.pipe.idle().await?).await?;
                    crate::point::reached("ends");
                }
                Edit::Begin { span, at } => {
                    let begin = sqlx::query("update versions set observed_from = $1 where id = $2");
                    begin.bind(at).bind(of(span)?.id).execute(self.pipe.idle().await?).await?;
                }
                Edit::Again { span, from, to } => {
                    let again = sqlx::query(
                        "insert into versions (id, entity, observed_from, observed_to, recorded, mapper, hash, body) select $1, entity, $2, $3, recorded, mapper, hash, body from versions where id = $4",
                    );
                    let id = self.next_version;
                    self.next_version += 1;
                    let again = again.bind(id).bind(from).bind(to).bind(of(span)?.id);
                    again.execute(self.pipe.idle().await?).await?;
                }
                Edit::New { from, to } => {
                    let Some(Packed { hash, state: Some(state), .. }) = packed.as_deref_mut()
                    else {
                        return Err(StoreError::Damaged("a state without its body".into()));
                    };
                    let row = [
                        Cell::Int(self.next_version),
                        Cell::Int(entity),
                        Cell::Int(from),
                        Cell::MaybeInt(to),
                        Cell::Int(micros(self.stamp.recorded)),
                        Cell::Int(i64::from(self.stamp.mapper)),
                        Cell::Bytes(hash.to_vec()),
                        // An observation begins one span at most.
                        Cell::Bytes(std::mem::take(&mut state.body)),
                    ];
                    self.next_version += 1;
                    self.versions.add(&mut self.pipe, row).await?;
                }
            }
        }
        let state = packed.and_then(|it| it.state.as_mut());
        self.show::<N>(entity, rows, edits, state).await
    }

    /// Brings the tables of what is so now up to date, if what is so now is another.
    async fn show<N: Noun>(
        &mut self,
        entity: i64,
        rows: &[Version],
        edits: &[Edit],
        state: Option<&mut State>,
    ) -> Result<(), StoreError> {
        let open = rows.iter().position(|it| it.span.to.is_none());
        let is_new = edits.iter().any(|it| matches!(it, Edit::New { to: None, .. }));
        let is_again = edits.iter().any(|it| matches!(it, Edit::Again { to: None, .. }));
        let has_ended =
            edits.iter().any(|it| matches!(it, Edit::End { span, .. } if Some(*span) == open));
        match state {
            Some(state) if is_new => {
                self.current.replace(&mut self.pipe, entity, state, open.is_some()).await?;
            }
            _ if has_ended && !is_again => self.current.remove(entity),
            _ => {}
        }
        if self.current.is_full() {
            self.current.flush::<N>(&mut self.pipe).await?;
        }
        Ok(())
    }

    pub async fn finish(mut self) -> Result<Written, StoreError> {
        for rows in [self.entities, self.versions, self.sightings] {
            rows.finish(&mut self.pipe).await?;
        }
        self.current.finish(&mut self.pipe).await?;
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
