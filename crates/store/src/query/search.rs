//! Finds things by name, address, hardware address or UUID.

use sqlx::Row;

use crate::database::Store;
use crate::error::StoreError;

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The platform.
    pub platform: String,
    /// Which list it belongs to: `workloads`, `hosts` …
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// By what it was found: `name`, `address`, `mac` or `uuid`.
    pub what: String,
    /// The word by which it was found, in small letters.
    pub token: String,
}

/// A word as it is kept: hardware addresses and UUIDs are written in many ways.
pub(crate) fn normal(term: &str) -> String {
    let term = term.trim().to_lowercase();
    let hex: String = term.chars().filter(char::is_ascii_hexdigit).collect();
    let is_hex = term.chars().all(|it| it.is_ascii_hexdigit() || "-.:{}".contains(it));
    let pieces = |sizes: &[usize], between: &str| {
        let mut letters = hex.chars();
        let pieces: Vec<String> =
            sizes.iter().map(|size| letters.by_ref().take(*size).collect()).collect();
        pieces.join(between)
    };
    match (is_hex, hex.len()) {
        (true, 12) => pieces(&[2; 6], ":"),
        (true, 32) => pieces(&[8, 4, 4, 4, 12], "-"),
        _ => term,
    }
}

impl Store {
    /// Everything of which a word begins with the term: names, addresses, hardware addresses, UUIDs. In the
    /// order of the words, so that those that are the term come first; one more than the limit says that
    /// there are more.
    pub async fn search(&self, term: &str, limit: u32) -> Result<Vec<Hit>, StoreError> {
        let term = normal(term);
        if term.is_empty() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(
            "select f.platform, e.kind, e.name, s.label, s.what, s.token from now_search s join entities e on e.id = s.entity join feeds f on f.id = s.feed where s.token >= $1 and s.token < $2 and not exists (select 1 from rivals v join entities o on o.feed = v.later and o.kind = e.kind and o.name = e.name join versions w on w.entity = o.id and w.observed_to is null where v.feed = s.feed) order by s.token, f.platform, e.kind, e.name limit $3",
        )
        .bind(term.clone())
        .bind(format!("{term}\u{10ffff}"))
        .bind(i64::from(limit) + 1)
        .fetch_all(&self.pool)
        .await?;
        let hit = |row: &sqlx::any::AnyRow| -> Result<Hit, StoreError> {
            Ok(Hit {
                platform: row.try_get(0)?,
                kind: row.try_get(1)?,
                id: row.try_get(2)?,
                name: row.try_get(3)?,
                what: row.try_get(4)?,
                token: row.try_get(5)?,
            })
        };
        rows.iter().map(hit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn one_address_is_written_in_many_ways() {
        for given in ["00:50:56:AB:cd:ef", "00-50-56-ab-cd-ef", "0050.56ab.cdef", "005056ABCDEF"] {
            assert_eq!(normal(given), "00:50:56:ab:cd:ef");
        }
        let uuid = "4223a1b2-0000-1111-2222-333344445555";
        assert_eq!(normal("{4223A1B2-0000-1111-2222-333344445555}"), uuid);
        assert_eq!(normal("4223a1b2000011112222333344445555"), uuid);
        assert_eq!(normal(" DB-01 "), "db-01");
        assert_eq!(normal("10.0.0.1"), "10.0.0.1");
    }
}
