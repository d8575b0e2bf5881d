//! Makes the page of what was read.

mod changes;
mod findings;
mod least;
mod overview;
mod picture;
mod token;

use tokenward_compiler::reach::Cell;
use tokenward_openapi::Operation;

use super::gather::{Api, Gathered};
use super::page::{Link, Page};
use super::shown::{anchor, counted, grouped, minute, moment, text};
use crate::config::Config;

/// The kinds of operations, by their methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Delete,
    Write,
    Read,
}

impl Kind {
    fn of(operation: &Operation) -> Self {
        match operation.method.as_str() {
            "GET" | "HEAD" | "OPTIONS" | "TRACE" => Self::Read,
            "DELETE" => Self::Delete,
            _ => Self::Write,
        }
    }
}

/// The page.
pub(super) fn page(gathered: &Gathered) -> Page {
    Page {
        host: host(&gathered.config),
        made: moment(gathered.at_ms),
        problems: gathered.problems.iter().map(|problem| text(problem)).collect(),
        facts: overview::facts(gathered),
        looks: overview::looks(gathered),
        sources: sources(gathered),
        has_operations: gathered.api.is_some(),
        has_audit: gathered.usage.is_ok(),
        rows: overview::rows(gathered),
        picture: gathered.api.as_ref().map(|api| picture::picture(gathered, api)),
        changes: gathered
            .compared
            .as_ref()
            .map(|compared| changes::changes(gathered, compared)),
        findings: gathered
            .checked
            .as_ref()
            .map(|checked| findings::findings(gathered, checked)),
        least: least::least(gathered),
        tokens: token::parts(gathered),
    }
}

fn host(config: &Config) -> String {
    text(config.upstream.public_url.as_str().trim_end_matches('/'))
}

/// What the report was made from.
fn sources(gathered: &Gathered) -> Vec<(&'static str, String)> {
    let mut sources = vec![(
        "Policy",
        format!(
            "{}, digest {}",
            text(&gathered.place.display().to_string()),
            gathered.policy.program.digest()
        ),
    )];
    for file in gathered.api.iter().flat_map(|api| &api.described.files) {
        let defects = match file.defects {
            0 => String::new(),
            count => format!("; {} in it could not be read", counted(count, "place")),
        };
        sources.push((
            "Description",
            format!(
                "{}: {} {}, {}{defects}",
                text(&file.path.display().to_string()),
                text(&file.title),
                text(&file.version),
                counted(file.operations, "operation"),
            ),
        ));
    }
    if gathered.api.is_none() {
        sources.push((
            "Description",
            "none, so the report shows lines instead of operations; name one with --openapi".to_owned(),
        ));
    }
    sources.push(("Audit", audit(gathered)));
    if let Some(compared) = &gathered.compared {
        sources.push(("Compared with", text(&compared.base)));
    }
    sources
}

/// The calls that were read, in one sentence.
fn audit(gathered: &Gathered) -> String {
    let usage = match &gathered.usage {
        Ok(usage) => usage,
        Err(_) => return "none".to_owned(),
    };
    let total = &usage.total;
    let period = match (&total.first, &total.last) {
        (Some(first), Some(last)) => format!(
            " from {} to {}",
            super::shown::day_of(first),
            super::shown::day_of(last)
        ),
        _ => String::new(),
    };
    let since = gathered
        .since_ms
        .map_or_else(String::new, |since| format!(", calls since {}", minute(since)));
    format!(
        "{} calls{period}: {} allowed, {} denied, {} refused before the policy was asked{since}",
        grouped(total.calls),
        grouped(total.allowed),
        grouped(total.denied),
        grouped(total.refused),
    )
}

/// A link to a token's part of the page.
fn link(gathered: &Gathered, at: usize) -> Link {
    let name = gathered.tokens.get(at).map(|token| gathered.name(*token));
    Link {
        name: text(name.unwrap_or_default()),
        anchor: anchor(at),
    }
}

/// The operations that a token reaches, each with its answer.
fn reached(api: &Api, at: usize) -> Vec<(usize, &Operation, &Cell)> {
    let Some(reached) = api.reached(at) else {
        return Vec::new();
    };
    let cells = api.survey.cells(reached).filter(|(_, cell)| cell.is_reached());
    cells
        .filter_map(|(operation, cell)| Some((operation, api.operations().get(operation)?, cell)))
        .collect()
}

/// The group that an operation is in: its first tag, otherwise the first part of its path.
fn group(operation: &Operation) -> String {
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
fn in_words(operation: &Operation) -> String {
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
