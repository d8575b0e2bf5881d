//! The four sides of a bound.

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
