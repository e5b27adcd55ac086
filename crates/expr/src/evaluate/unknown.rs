//! Why a part of an expression has no value, collected while evaluating.

use entente_model::Text;

use crate::node::{NO_PATH, PathId};
use crate::truth::{Missing, Reason};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lack {
    path: PathId,
    why: Reason,
}

/// What is missing; never nothing. One lack, by far the commonest, needs no allocation.
#[derive(Clone, Debug)]
pub(crate) enum Unknown {
    One(Lack),
    Many(Vec<Lack>),
}

impl Unknown {
    pub fn new(path: PathId, why: Reason) -> Self {
        Self::One(Lack { path, why })
    }

    fn lacks(&self) -> &[Lack] {
        match self {
            Self::One(lack) => std::slice::from_ref(lack),
            Self::Many(lacks) => lacks,
        }
    }

    /// What is missing in either.
    pub fn and(self, other: Self) -> Self {
        let mut lacks = match self {
            Self::One(lack) if other.lacks() == [lack] => return self,
            Self::One(lack) => vec![lack],
            Self::Many(lacks) => lacks,
        };
        for lack in other.lacks() {
            if !lacks.contains(lack) {
                lacks.push(*lack);
            }
        }
        Self::Many(lacks)
    }

    /// Adds `more` to what is missing so far.
    pub fn merge(so_far: &mut Option<Self>, more: Self) {
        *so_far = Some(match so_far.take() {
            Some(unknown) => unknown.and(more),
            None => more,
        });
    }

    /// With paths for path ids, sorted, each once.
    pub fn into_missing(self, paths: &[Text]) -> Vec<Missing> {
        let name = |path: PathId| paths.get(path as usize).or(paths.get(NO_PATH as usize));
        let mut missing: Vec<Missing> = self
            .lacks()
            .iter()
            .map(|lack| Missing {
                attribute: name(lack.path).cloned().unwrap_or_default(),
                why: lack.why,
            })
            .collect();
        missing.sort();
        missing.dedup();
        missing
    }
}
