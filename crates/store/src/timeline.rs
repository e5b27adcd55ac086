//! The time of one thing: what one more observation of it changes, whenever it arrives.
//!
//! A thing's states are spans that do not touch each other's inside. An observation says, for one moment,
//! that the thing was in a state or was not there. Its state stays what it was until the next reading
//! that could tell: that one has been put in already, if it arrived earlier, and is not to be undone.

/// A state, and from when up to when it was observed to be so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span<S> {
    /// First reading that told it.
    pub from: i64,
    /// First reading that told otherwise; none so far.
    pub to: Option<i64>,
    /// Which state.
    pub state: S,
}

impl<S> Span<S> {
    pub fn covers(&self, at: i64) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }
}

/// What to do to the spans of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    /// The span of this number ends then.
    End {
        /// Which.
        span: usize,
        /// When.
        at: i64,
    },
    /// The span of this number begins then: earlier than was known.
    Begin {
        /// Which.
        span: usize,
        /// When.
        at: i64,
    },
    /// The state of this span held again, as a span of its own.
    Again {
        /// Which.
        span: usize,
        /// From when.
        from: i64,
        /// Up to when.
        to: Option<i64>,
    },
    /// The state that was observed is a new span.
    New {
        /// From when.
        from: i64,
        /// Up to when.
        to: Option<i64>,
    },
}

/// What one observation changes: at this moment the thing was in a state, or was not there; the next
/// reading that could tell of it was then.
pub(crate) fn observe<S: PartialEq>(
    spans: &[Span<S>],
    at: i64,
    seen: Option<&S>,
    next_reading: Option<i64>,
) -> Vec<Edit> {
    let mut edits = Vec::new();
    let covering = spans.iter().position(|it| it.covers(at));
    let mut until = next_reading;
    if let Some(span) = covering
        && let Some(held) = spans.get(span)
    {
        if seen == Some(&held.state) {
            return edits;
        }
        // A change that is known already comes first.
        until = earlier(until, held.to);
        if held.from == at {
            // Cannot be: a reading tells of a thing once. The later word stands.
            return edits;
        }
        edits.push(Edit::End { span, at });
        if let Some(next) = next_reading
            && held.to.is_none_or(|to| next < to)
        {
            edits.push(Edit::Again { span, from: next, to: held.to });
        }
    }
    let Some(state) = seen else { return edits };
    let following =
        spans.iter().enumerate().filter(|(_, it)| it.from > at).min_by_key(|it| it.1.from);
    match following {
        // The same state was known from the next reading on: it began earlier.
        Some((span, next)) if Some(next.from) == until && next.state == *state => {
            edits.push(Edit::Begin { span, at });
        }
        Some((_, next)) => edits.push(Edit::New { from: at, to: earlier(until, Some(next.from)) }),
        None => edits.push(Edit::New { from: at, to: until }),
    }
    edits
}

fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Applies edits; the store does the same to rows.
#[cfg(test)]
pub(crate) fn apply<S: Clone>(spans: &mut Vec<Span<S>>, edits: &[Edit], seen: Option<&S>) {
    for edit in edits {
        match *edit {
            Edit::End { span, at } => spans[span].to = Some(at),
            Edit::Begin { span, at } => spans[span].from = at,
            Edit::Again { span, from, to } => {
                let state = spans[span].state.clone();
                spans.push(Span { from, to, state });
            }
            Edit::New { from, to } => {
                spans.push(Span { from, to, state: seen.unwrap().clone() });
            }
        }
    }
    spans.sort_by_key(|it| it.from);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One reading of a list in which the thing may be: whether the list was whole, and the state seen.
    #[derive(Clone, Debug)]
    struct Reading {
        at: i64,
        is_whole: bool,
        seen: Option<u8>,
    }

    impl Reading {
        fn tells(&self) -> bool {
            self.is_whole || self.seen.is_some()
        }
    }

    /// The slow and obvious way: all readings in the order of their time.
    fn replayed(readings: &[Reading]) -> Vec<Span<u8>> {
        let mut sorted = readings.to_vec();
        sorted.sort_by_key(|it| it.at);
        let mut spans: Vec<Span<u8>> = Vec::new();
        for reading in sorted.iter().filter(|it| it.tells()) {
            let open = spans.last_mut().filter(|it| it.to.is_none());
            if open.as_ref().map(|it| it.state) == reading.seen {
                continue;
            }
            if let Some(open) = open {
                open.to = Some(reading.at);
            }
            if let Some(state) = reading.seen {
                spans.push(Span { from: reading.at, to: None, state });
            }
        }
        spans
    }

    /// As the store does it: one after the other, as they arrive.
    fn recorded(readings: &[Reading]) -> Vec<Span<u8>> {
        let mut spans = Vec::new();
        for (number, reading) in readings.iter().enumerate() {
            if !reading.tells() {
                continue;
            }
            let arrived = readings.iter().take(number);
            let next = arrived.filter(|it| it.at > reading.at && it.tells()).map(|it| it.at).min();
            let edits = observe(&spans, reading.at, reading.seen.as_ref(), next);
            apply(&mut spans, &edits, reading.seen.as_ref());
        }
        spans
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn the_order_of_arrival_does_not_matter(
            readings in proptest::collection::vec((any::<bool>(), proptest::option::of(0..3_u8)), 1..9)
                .prop_map(|all| all.into_iter().enumerate().map(|(at, (is_whole, seen))| {
                    Reading { at: at as i64, is_whole, seen }
                }).collect::<Vec<_>>())
                .prop_shuffle()
        ) {
            prop_assert_eq!(recorded(&readings), replayed(&readings));
        }
    }
}
