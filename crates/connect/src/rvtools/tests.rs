//! Recorded and written exports → golden estates.
