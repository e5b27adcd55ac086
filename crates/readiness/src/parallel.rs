//! The same work on every item of a slice, on all processors, in the slice's order.

use std::panic::resume_unwind;
use std::thread;

/// Below this many items per thread, starting a thread costs more than it saves.
const ITEMS_PER_THREAD_MIN: usize = 512;

/// Cuts `items` into one run per processor and gives what `work` makes of each run, in order. What
/// comes out may not depend on where the cuts fall.
pub(crate) fn by_run<T: Sync, R: Send>(items: &[T], work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let threads = processors.min(items.len() / ITEMS_PER_THREAD_MIN).max(1);
    if threads == 1 {
        return vec![work(items)];
    }
    let work = &work;
    thread::scope(|scope| {
        let running: Vec<_> = items
            .chunks(items.len().div_ceil(threads))
            .map(|run| scope.spawn(move || work(run)))
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    })
}

/// Maps every item, in order.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    by_run(items, |run| run.iter().map(&f).collect::<Vec<_>>()).into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_whatever_the_number_of_threads() {
        for length in [0, 1, 511, 1024, 5000] {
            let items: Vec<u32> = (0..length).collect();
            let expect: Vec<u32> = items.iter().map(|it| it * 3).collect();
            assert_eq!(map(&items, |it| it * 3), expect, "{length} items");
        }
    }
}
