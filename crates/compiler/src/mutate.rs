//! Changes a line of a policy in the ways in which people err, and proves whether a change matters.
//!
//! `mistake` names the mistakes, `pattern` makes those in regexps, and `parts` those in the other parts of a line. `scope` cuts a policy down to some tokens, so
//! that each changed policy compiles fast. `proof` finds the requests that a changed policy decides differently.

mod mistake;
mod parts;
mod pattern;
mod proof;
mod scope;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::ops::Range;

use self::mistake::Edit;
use crate::{parse::parse_line, source::Span};

pub use mistake::Kind;
pub use proof::{Change, Difference, change};
pub use scope::Scope;

/// Maximum number of mistakes that are tried of one line.
pub const MOST_OF_LINE: usize = 200;

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
