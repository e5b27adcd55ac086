//! The same to many, several at once.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use super::Answer;

/// Does the same to each item, so many at once, and gives what came of it in the order of the items.
pub(crate) async fn each<'f, T: Sync, R: Send>(
    parallel: usize,
    items: &'f [T],
    work: impl Fn(&'f T) -> Answer<'f, R> + Send + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    let worker = || async {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return };
            let outcome = work(item).await;
            done.lock().unwrap_or_else(PoisonError::into_inner).push((at, outcome));
        }
    };
    let mut workers: Vec<Answer<'_, ()>> = (0..parallel.clamp(1, items.len().max(1)))
        .map(|_| Box::pin(worker()) as Answer<'_, ()>)
        .collect();
    // A handful of workers: polling all of them is cheaper than telling them apart.
    poll_fn(|context| {
        workers.retain_mut(|it| it.as_mut().poll(context).is_pending());
        if workers.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    drop(workers);
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}
