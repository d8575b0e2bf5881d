//! Operations and tokens as all parts of the page name them.

use tokenward_compiler::reach::Cell;
use tokenward_openapi::Operation;

use super::super::gather::{Api, Gathered};
use super::super::page::Link;
use super::super::shown::{anchor, text};

/// The kinds of operations, by their methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Delete,
    Write,
    Read,
}

impl Kind {
    pub(super) fn of(operation: &Operation) -> Self {
        match operation.method.as_str() {
            _ if operation.is_safe() => Self::Read,
            "DELETE" => Self::Delete,
            _ => Self::Write,
        }
    }
}

/// A link to a token's part of the page.
pub(super) fn link(gathered: &Gathered, at: usize) -> Link {
    let name = gathered.tokens.get(at).map(|token| gathered.name(*token));
    Link {
        name: text(name.unwrap_or_default()),
        anchor: anchor(at),
    }
}

/// The operations that a token reaches, each with its answer.
pub(super) fn reached(api: &Api, at: usize) -> Vec<(usize, &Operation, &Cell)> {
    let Some(reached) = api.reached(at) else {
        return Vec::new();
    };
    let cells = api.survey.cells(reached).filter(|(_, cell)| cell.is_reached());
    cells
        .filter_map(|(operation, cell)| Some((operation, api.operations().get(operation)?, cell)))
        .collect()
}

/// The group that an operation is in: its first tag, otherwise the first part of its path.
pub(super) fn group(operation: &Operation) -> String {
    let tag = operation.tags.iter().find(|tag| !tag.trim().is_empty());
    tag.map_or_else(
        || {
            let path = operation.template.to_string();
            let first = path.split('/').find(|part| !part.is_empty());
            format!("/{}", text(first.unwrap_or_default()))
        },
        |tag| text(tag),
    )
}

/// An operation in words: its summary, otherwise the words of its id, otherwise its name.
pub(super) fn in_words(operation: &Operation) -> String {
    let summary = operation
        .summary
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty());
    match (summary, &operation.id) {
        (Some(summary), _) => text(summary),
        (None, Some(id)) => text(&spaced(id)),
        (None, None) => text(&operation.name()),
    }
}

/// "Delete issue" for `deleteIssue`.
fn spaced(id: &str) -> String {
    let mut out = String::with_capacity(id.len() + 8);
    let mut was_small = false;
    for character in id.chars() {
        if character == '_' || character == '-' || character == '.' {
            out.push(' ');
            was_small = false;
            continue;
        }
        if character.is_uppercase() && was_small {
            out.push(' ');
            out.extend(character.to_lowercase());
        } else if out.is_empty() {
            out.extend(character.to_uppercase());
        } else {
            out.push(character);
        }
        was_small = character.is_lowercase() || character.is_ascii_digit();
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_are_read_as_words() {
        for (id, words) in [
            ("deleteIssue", "Delete issue"),
            ("get_user-by.id", "Get user by id"),
            ("getAllURLs", "Get all uRLs"),
            ("", ""),
        ] {
            assert_eq!(super::spaced(id), words);
        }
    }
}
