//! Ranges: numbers or dates on one side of a bound, and the regexps of exactly these texts.
//!
//! A range is compiled to a pattern as a regexp is, so decisions and proofs know nothing about ranges. Numbers are compared by
//! their decimals, with no rounding.

mod date;
mod digits;
mod number;

use regex_syntax::hir::Hir;

pub use date::Date;
pub use number::{MAX_DIGITS, Number};

/// The side of a bound on which values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// `<`: less than the bound.
    Below,
    /// `<=`: at most the bound.
    UpTo,
    /// `>=`: at least the bound.
    From,
    /// `>`: more than the bound.
    Above,
}

impl Side {
    /// All sides.
    pub const ALL: [Self; 4] = [Self::Below, Self::UpTo, Self::From, Self::Above];

    /// The side as an operator.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::UpTo => "<=",
            Self::From => ">=",
            Self::Above => ">",
        }
    }

    /// The side with all values that are not on this one.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Below => Self::From,
            Self::UpTo => Self::Above,
            Self::From => Self::Below,
            Self::Above => Self::UpTo,
        }
    }

    /// Whether the bound itself is on this side.
    #[must_use]
    pub fn has_bound(self) -> bool {
        matches!(self, Self::UpTo | Self::From)
    }

    /// Whether the values that are less than the bound are on this side.
    #[must_use]
    pub fn is_less(self) -> bool {
        matches!(self, Self::Below | Self::UpTo)
    }
}

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
