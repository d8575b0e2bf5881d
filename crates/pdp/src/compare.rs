//! Compares two sides: lines, keys of tokens, settings, sets and invariants. The comparison is computed once, for
//! `diff` and for `compile --no-new-access`.

mod attributes;
pub mod change;
mod configuration;
mod invariants;
pub mod lines;
mod newly;
mod operations;
mod pairing;
pub mod render_json;
pub mod render_text;
pub mod report;
mod sets;
mod unrestricted;

pub use change::Change;
pub use invariants::Breach;
pub use lines::{Bound, Direction, Example, Line, Lines, Origin, Proved};
pub use newly::{NewOperations, Operations};
pub use report::{Report, Standing, TokenReport};
