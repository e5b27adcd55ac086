//! Objects made ready on other threads, in order.

use std::collections::VecDeque;

use crate::body::{Packed, pack};
use crate::error::StoreError;
use crate::nouns::Noun;

/// Objects that are made ready at once, on one thread.
const BATCH: usize = 2_048;

/// Batches under way.
const BATCHES_AT_ONCE: usize = 4;

/// Objects made ready on other threads, in order.
pub(crate) struct Batches<N> {
    waiting: std::vec::IntoIter<N>,
    under_way: VecDeque<tokio::task::JoinHandle<Result<Vec<Packed>, StoreError>>>,
}

impl<N: Noun + Send + 'static> Batches<N> {
    pub fn new(nouns: Vec<N>) -> Self {
        Self { waiting: nouns.into_iter(), under_way: VecDeque::new() }
    }

    pub async fn next(&mut self) -> Result<Option<Vec<Packed>>, StoreError> {
        while self.under_way.len() < BATCHES_AT_ONCE {
            let batch: Vec<N> = self.waiting.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                break;
            }
            let work = move || batch.into_iter().map(|mut it| pack(&mut it)).collect();
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
}
