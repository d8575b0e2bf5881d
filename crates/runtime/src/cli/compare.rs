//! What one side gives beyond another, by lines, keys, settings, sets and invariants: computed once, for `diff` and for
//! `compile --no-new-access`.

mod attributes;
pub(super) mod change;
mod configuration;
mod invariants;
pub(super) mod lines;
mod pairing;
pub(super) mod report;
mod sets;

pub(super) use change::Change;
pub(super) use lines::{Bound, Direction, Example, Line, Lines};
pub(super) use report::{Report, Standing, TokenReport};
