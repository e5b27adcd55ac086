//! A small deterministic random number generator (SplitMix64) and a stable hash.
//!
//! Not for secrets. Own code because its output must never change: the demonstration estate, golden
//! files and benchmarks are made from it.

/// SplitMix64: one 64-bit state, full period, good enough for believable estates.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator for what a text names.
    pub(crate) fn of(text: &str) -> Self {
        Self::new(hash(text))
    }

    /// An independent generator for one thing: what it gives does not depend on how much was drawn
    /// for other things.
    pub(crate) fn fork(&self, label: &str, number: u64) -> Self {
        Self(mix(self.0 ^ hash(label).wrapping_add(mix(number.wrapping_add(0x51_7C_C1)))))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number below `bound`; 0 for a bound of 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // The bias of the remainder is below 2^-40 for every bound used here.
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True in `percent` of 100 cases.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`, which must not be empty.
    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let at = self.below(choices.len() as u64) as usize;
        at_or_first(choices, at)
    }

    /// One of `choices`, as often as its weight says.
    pub(crate) fn weighted<'a, T>(&mut self, choices: &'a [(u64, T)]) -> &'a T {
        let mut left = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for (weight, choice) in choices {
            if left < *weight {
                return choice;
            }
            left -= weight;
        }
        &at_or_first(choices, 0).1
    }

    /// A UUID.
    pub(crate) fn uuid(&mut self) -> entente_model::Uuid {
        entente_model::Uuid::from_u64_pair(self.next(), self.next())
    }
}

/// `choices[at]`, or the first where `at` is beyond the end.
fn at_or_first<T>(choices: &[T], at: usize) -> &T {
    match choices {
        [first, ..] => choices.get(at).unwrap_or(first),
        [] => unreachable!("a choice among nothing"),
    }
}

/// A stable hash of text (FNV-1a, then mixed).
pub(crate) fn hash(text: &str) -> u64 {
    let fnv = text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    });
    mix(fnv)
}

fn mix(mut state: u64) -> u64 {
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_published_one() {
        // First outputs of SplitMix64 for seed 1234567.
        let mut random = Random::new(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn a_fork_does_not_depend_on_what_was_drawn_elsewhere() {
        let root = Random::new(7);
        let mut other = root.fork("a", 1);
        other.next();
        assert_eq!(root.fork("b", 2).next(), Random::new(7).fork("b", 2).next());
        assert_ne!(root.fork("b", 2).next(), root.fork("b", 3).next());
    }
}
