//! What is known of one list before a reading of it goes in.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::body::Hash;
use crate::error::StoreError;
use crate::timeline::Span;

/// Things that are looked for by name at once.
const NAMES_MAX: usize = 400;

/// A state of a thing.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub id: i64,
    pub span: Span<Hash>,
}

/// A thing and its states: in time, only the open one; late, all.
#[derive(Clone, Debug)]
pub(super) struct Thing {
    pub name: Arc<str>,
    pub entity: i64,
    pub incarnation: i64,
    pub rows: Vec<Version>,
}

impl Thing {
    /// Whether it was there then.
    pub fn is_there(&self, at: i64) -> bool {
        self.rows.iter().any(|row| row.span.covers(at))
    }

    pub fn has(&self, state: &Hash) -> bool {
        self.rows.iter().any(|row| row.span.state == *state)
    }

    pub fn spans(&self) -> Vec<Span<Hash>> {
        self.rows.iter().map(|it| it.span).collect()
    }
}

/// Things of one list.
#[derive(Debug, Default)]
pub(crate) struct Known {
    things: Vec<Thing>,
    /// Positions by name; several are lives one after the other.
    by_name: HashMap<Arc<str>, Vec<usize>>,
    /// Only those that are there now are known, and each by its state of now.
    is_open_only: bool,
}

impl Known {
    /// Nothing is known.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// What a feed knows of a list, all of it or of some names; for a reading that arrives late, all states of
    /// all times.
    pub(super) async fn read(
        connection: &mut AnyConnection,
        (feed, kind): (i64, &'static str),
        names: Option<Vec<String>>,
        is_late: bool,
    ) -> Result<Self, StoreError> {
        let statement = match is_late {
            false => {
                "select e.name, e.id, e.incarnation, v.id, v.observed_from, v.observed_to, v.hash from entities e left join versions v on v.entity = e.id and v.observed_to is null where e.feed = $1 and e.kind = $2 order by e.id"
            }
            true => {
                "select e.name, e.id, e.incarnation, v.id, v.observed_from, v.observed_to, v.hash from entities e left join versions v on v.entity = e.id where e.feed = $1 and e.kind = $2 order by e.id, v.observed_from"
            }
        };
        let mut known = Self { is_open_only: !is_late, ..Self::default() };
        let Some(names) = names else {
            let rows = sqlx::query(statement).bind(feed).bind(kind);
            known.gather(&rows.fetch_all(connection).await?)?;
            return Ok(known);
        };
        for some in names.chunks(NAMES_MAX) {
            let marks: Vec<String> = (3..some.len() + 3).map(|it| format!("${it}")).collect();
            let only = format!("and e.name in ({}) order by", marks.join(", "));
            let statement = statement.replace("order by", &only);
            let mut rows = sqlx::query(AssertSqlSafe(statement)).bind(feed).bind(kind);
            for name in some {
                rows = rows.bind(name.clone());
            }
            let rows = rows.persistent(some.len() == 1);
            known.gather(&rows.fetch_all(&mut *connection).await?)?;
        }
        Ok(known)
    }

    fn gather(&mut self, rows: &[AnyRow]) -> Result<(), StoreError> {
        for row in rows {
            let entity: i64 = row.try_get(1)?;
            if self.things.last().is_none_or(|it| it.entity != entity) {
                let name: Arc<str> = Arc::from(row.try_get::<&str, _>(0)?);
                let position = self.things.len();
                self.by_name.entry(Arc::clone(&name)).or_default().push(position);
                let incarnation = row.try_get(2)?;
                self.things.push(Thing { name, entity, incarnation, rows: Vec::new() });
            }
            let version: Option<i64> = row.try_get(3)?;
            if let (Some(version), Some(thing)) = (version, self.things.last_mut()) {
                let state: &[u8] = row.try_get(6)?;
                let state = state
                    .try_into()
                    .map_err(|_| StoreError::Damaged(format!("state {version} has no digest")))?;
                let span = Span { from: row.try_get(4)?, to: row.try_get(5)?, state };
                thing.rows.push(Version { id: version, span });
            }
        }
        Ok(())
    }

    /// Positions of the things of a name.
    pub(super) fn positions(&self, name: &str) -> &[usize] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn things(&self) -> &[Thing] {
        &self.things
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &Thing> {
        self.positions(name).iter().filter_map(|it| self.things.get(*it))
    }

    /// Whether a thing of this name is in this state now, so that nothing of it needs to be written.
    pub fn is_now(&self, name: &str, state: &Hash) -> bool {
        self.is_open_only && self.named(name).any(|it| it.has(state))
    }
}
