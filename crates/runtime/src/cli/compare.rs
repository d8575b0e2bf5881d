//! Compares two sides: lines, keys of tokens, settings, sets and invariants. The comparison is computed once, for
//! `diff` and for `compile --no-new-access`.

mod attributes;
pub(super) mod change;
mod configuration;
mod invariants;
pub(super) mod lines;
mod operations;
mod pairing;
pub(super) mod report;
mod sets;
mod unrestricted;

pub(super) use change::Change;
pub(super) use lines::{Bound, Direction, Example, Line, Lines, Proved};
pub(super) use report::{Report, Standing, TokenReport};
