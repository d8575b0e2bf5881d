//! The mistakes that are tried.

use std::ops::Range;

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The line is missing.
    LostLine,
    /// A forbid line lacks its `!`, so that it permits.
    LostSign,
    /// The method list is missing.
    LostMethods,
    /// One method of the list is missing.
    LostMethod,
    /// The list has one method more.
    MoreMethods,
    /// A constraint is missing.
    LostCondition,
    /// A constraint has no JSON type.
    LostType,
    /// `==` is `?=`, so that the value may be absent.
    MayBeAbsent,
    /// A bound includes its number, or no longer does.
    MovedBound,
    /// The URL matches anywhere.
    Unanchored,
    /// A name or a number may go on: `(/.*)?` is `.*`.
    LostBoundary,
    /// Any text may follow.
    OpenEnd,
    /// `\.` is `.`.
    UnescapedDot,
    /// A class is any character.
    WidenedClass,
    /// A class with a repetition is any text.
    AnyText,
    /// A number of repetitions is any number.
    LostCount,
    /// A part is no longer optional.
    LostOption,
    /// An alternative is missing.
    LostAlternative,
    /// Alternatives are no longer in a group.
    LostGroup,
}

impl Kind {
    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LostLine => "lost-line",
            Self::LostSign => "lost-sign",
            Self::LostMethods => "lost-methods",
            Self::LostMethod => "lost-method",
            Self::MoreMethods => "more-methods",
            Self::LostCondition => "lost-condition",
            Self::LostType => "lost-type",
            Self::MayBeAbsent => "may-be-absent",
            Self::MovedBound => "moved-bound",
            Self::Unanchored => "unanchored",
            Self::LostBoundary => "lost-boundary",
            Self::OpenEnd => "open-end",
            Self::UnescapedDot => "unescaped-dot",
            Self::WidenedClass => "widened-class",
            Self::AnyText => "any-text",
            Self::LostCount => "lost-count",
            Self::LostOption => "lost-option",
            Self::LostAlternative => "lost-alternative",
            Self::LostGroup => "lost-group",
        }
    }
}

/// A text to write in the place of another.
pub(super) struct Edit {
    pub(super) kind: Kind,
    pub(super) place: Range<usize>,
    pub(super) text: String,
}
