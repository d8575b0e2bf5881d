//! Changes a line of a policy in the ways in which people err, and proves whether a change matters.
//!
//! `pattern` has the mistakes in regexps, `parts` those in the other parts of a line. `scope` cuts a policy down to some tokens, so
//! that each changed policy compiles fast. `proof` finds the requests that a changed policy decides differently.

mod parts;
mod pattern;
mod proof;
mod scope;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::ops::Range;

use crate::{parse::parse_line, source::Span};

pub use proof::{Change, Difference, change};
pub use scope::Scope;

/// Maximum number of mistakes that are tried of one line.
pub const MOST_OF_LINE: usize = 200;

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

/// A line with one mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutant {
    /// The mistake.
    pub kind: Kind,
    /// The changed part, as a range of the original line.
    pub place: Range<usize>,
    /// The line with the mistake; empty for [`Kind::LostLine`].
    pub line: String,
}

/// The mistakes that are tried of a line, in the order of the line's parts; each changed line once. A line that does not parse has
/// none. Whether the changed lines mean anything else, [`change`] proves.
#[must_use]
pub fn mutants(text: &str) -> Vec<Mutant> {
    let whole = Span {
        start: 0,
        end: text.len(),
        ..Span::nowhere()
    };
    let Ok(syntax) = parse_line(text, whole) else {
        return Vec::new();
    };
    let mut edits = vec![Edit {
        kind: Kind::LostLine,
        place: 0..text.len(),
        text: String::new(),
    }];
    parts::edits(text, &syntax, &mut edits);
    let mut seen = HashSet::from([text.to_owned()]);
    let mut found = Vec::new();
    for edit in edits {
        let mut line = text.to_owned();
        if line.get(edit.place.clone()).is_none() {
            continue;
        }
        line.replace_range(edit.place.clone(), &edit.text);
        let is_line = edit.kind == Kind::LostLine || parses(&line);
        if is_line && seen.insert(line.clone()) {
            found.push(Mutant {
                kind: edit.kind,
                place: edit.place,
                line,
            });
        }
        if found.len() == MOST_OF_LINE {
            break;
        }
    }
    found
}

fn parses(line: &str) -> bool {
    let whole = Span {
        start: 0,
        end: line.len(),
        ..Span::nowhere()
    };
    parse_line(line, whole).is_ok()
}

/// A text to write in the place of another.
struct Edit {
    kind: Kind,
    place: Range<usize>,
    text: String,
}
