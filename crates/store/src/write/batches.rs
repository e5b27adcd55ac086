//! Objects made ready on other threads, in order.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::known::Known;
use crate::body::{Packed, pack};
use crate::error::StoreError;
use crate::nouns::Noun;

/// Objects that are made ready at once, on one thread.
const BATCH: usize = 1_024;

/// Batches under way.
const BATCHES_AT_ONCE: usize = 4;

/// Objects made ready on other threads, in order.
pub(crate) struct Batches<N> {
    waiting: std::vec::IntoIter<N>,
    known: Arc<Known>,
    /// How often each name was there so far.
    times: HashMap<String, u32>,
    under_way: VecDeque<tokio::task::JoinHandle<Result<Vec<Packed>, StoreError>>>,
}

impl<N: Noun + Send + 'static> Batches<N> {
    pub fn new(nouns: Vec<N>, known: Arc<Known>) -> Self {
        let times = HashMap::with_capacity(nouns.len());
        Self { waiting: nouns.into_iter(), known, times, under_way: VecDeque::new() }
    }

    pub async fn next(&mut self) -> Result<Option<Vec<Packed>>, StoreError> {
        while self.under_way.len() < BATCHES_AT_ONCE {
            let batch = self.batch();
            if batch.is_empty() {
                break;
            }
            let known = Arc::clone(&self.known);
            let pack = move |(name, mut noun)| {
                pack::<N>(&mut noun, name, |name, hash| known.is_now(name, hash))
            };
            let work = move || batch.into_iter().map(pack).collect();
            self.under_way.push_back(tokio::task::spawn_blocking(work));
        }
        let Some(batch) = self.under_way.pop_front() else { return Ok(None) };
        match batch.await {
            Ok(packed) => packed.map(Some),
            Err(error) => {
                Err(StoreError::Damaged(format!("an object could not be made ready: {error}")))
            }
        }
    }

    /// The next ones, each under a name of its own: several of one name are several, the first, the second …
    fn batch(&mut self) -> Vec<(String, N)> {
        let times = &mut self.times;
        let named = |noun: N| {
            let name = noun.name();
            match times.get_mut(&name) {
                Some(times) => {
                    *times += 1;
                    (format!("{name} #{times}"), noun)
                }
                None => {
                    times.insert(name.clone(), 1);
                    (name, noun)
                }
            }
        };
        self.waiting.by_ref().take(BATCH).map(named).collect()
    }
}
