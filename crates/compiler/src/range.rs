//! Ranges: numbers or dates on one side of a bound, and the regexps of exactly these texts.
//!
//! A range is compiled to a pattern as a regexp is, so decisions and proofs know nothing about ranges. Numbers are compared by
//! their decimals, with no rounding.

mod date;
mod digits;
mod number;
mod side;

use regex_syntax::hir::Hir;

pub use date::Date;
pub use number::{MAX_DIGITS, Number};
pub use side::Side;

/// The bound of a range.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Bound {
    /// A number in plain decimals.
    Number(Number),
    /// A date of the Gregorian calendar.
    Date(Date),
}

impl Bound {
    /// Reads a bound: `-?(0|[1-9][0-9]*)(\.[0-9]+)?` of at most 15 digits that is not a negative zero, or `YYYY-MM-DD` with a
    /// day that exists. `None` for every other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let date = || Date::parse(text).map(Self::Date);
        Number::parse(text).map(Self::Number).or_else(date)
    }

    /// The texts of all values on a side of this bound: numbers for a number, dates for a date.
    #[must_use]
    pub fn texts(&self, side: Side) -> Hir {
        match self {
            Self::Number(bound) => number::texts(bound, side),
            Self::Date(bound) => date::texts(*bound, side),
        }
    }

    /// Some texts on a side of this bound, the nearest to it first, then at growing distances. Used for example calls.
    #[must_use]
    pub fn near(&self, side: Side) -> Vec<String> {
        match self {
            Self::Number(bound) => bound.near(side),
            Self::Date(bound) => bound.near(side),
        }
    }
}

#[cfg(test)]
mod tests;
