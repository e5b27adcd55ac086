//! Recorded answers, hand-written configurations of versions 7 to 9, and the twin.

mod configs;
mod recorded;
mod replay;
mod twin;
