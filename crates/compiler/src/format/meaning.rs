//! The meaning of lines, blocks and documents, without places, blanks and comments: equal meanings compile to equal programs.

use toml::{Table, Value};

use super::text::{slice, whole};
use crate::{
    ast::{Constraint, Subject, Test},
    parse::parse_line,
    resolve::include_of,
};

/// The keys whose values are blocks of limit lines.
pub(super) const BLOCKS: [&str; 2] = ["limit_to", "lines"];
/// The keys whose values are single limit lines.
pub(super) const SINGLE: [&str; 2] = ["line", "lifted"];

/// Every part of a line that later stages read, as text; a line that does not parse is its own meaning.
pub(super) fn of_line(text: &str) -> String {
    if let Some(name) = include_of(text) {
        return format!("include {name:?}");
    }
    let Ok(limit) = parse_line(text, whole(text)) else {
        return format!("not a line {text:?}");
    };
    let url = slice(text, limit.url.span);
    let mut out = format!("{:?} {:?} {url:?}", limit.effect, limit.methods);
    for constraint in &limit.constraints {
        out.push_str(&of_constraint(text, constraint));
    }
    out
}

fn of_constraint(text: &str, constraint: &Constraint) -> String {
    let subject = match &constraint.subject {
        Subject::Query(name) => format!("query {name:?}"),
        Subject::Json(path) => format!("json {path:?}"),
    };
    let test = match &constraint.test {
        Test::Only => "only".to_owned(),
        Test::Values {
            operator,
            kinds,
            pattern,
        } => format!("{operator:?} {kinds:?} {:?}", slice(text, pattern.span)),
        Test::Range {
            operator,
            side,
            kinds,
            bound,
            span,
        } => format!(
            "{operator:?} {side:?} {kinds:?} {bound:?} {:?}",
            slice(text, *span)
        ),
    };
    format!("\n{subject} {test}")
}

/// The lines of a block that are neither blank nor a comment.
pub(super) fn of_block(text: &str) -> Vec<String> {
    let lines = text.split('\n').map(str::trim);
    let read = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    read.map(of_line).collect()
}

/// A TOML document in which blocks of lines are lists of meanings; `None` if the text is not TOML.
pub(super) fn of_document(text: &str) -> Option<Table> {
    let mut root: Table = text.parse().ok()?;
    for (_, value) in &mut root {
        for entry in value.as_array_mut().into_iter().flatten() {
            if let Value::Table(entry) = entry {
                replace_lines(entry);
            }
        }
    }
    Some(root)
}

fn replace_lines(entry: &mut Table) {
    for (key, value) in entry.iter_mut() {
        let Some(text) = value.as_str() else { continue };
        if BLOCKS.contains(&key.as_str()) {
            let lines = of_block(text).into_iter().map(Value::String);
            *value = Value::Array(lines.collect());
        } else if SINGLE.contains(&key.as_str()) {
            *value = Value::String(of_line(text.trim()));
        }
    }
}

/// The comments that stand on lines of their own, sorted.
pub(super) fn comments(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim);
    let mut comments: Vec<&str> = lines.filter(|line| line.starts_with('#')).collect();
    comments.sort_unstable();
    comments
}
