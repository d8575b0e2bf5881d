//! The meaning of lines, blocks and documents, without places, blanks and comments: equal meanings compile to equal programs.

use toml::{Table, Value};
use toml_edit::{DocumentMut, Formatted, visit_mut::VisitMut};

use super::text::{slice, whole};
use crate::{
    ast::{Constraint, Subject, Test},
    parse::parse_line,
    resolve::include_of,
};

/// The keys whose values are blocks of limit lines.
pub(super) const BLOCKS: [&str; 2] = ["limit_to", "lines"];
/// The keys whose values are the texts of single limit lines, as they are written elsewhere.
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
            *value = Value::String(text.trim().to_owned());
        }
    }
}

/// The comments of a block that stand on lines of their own, in order.
pub(super) fn comments_of_block(text: &str) -> Vec<String> {
    let lines = text.split('\n').map(str::trim);
    lines
        .filter(|line| line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// The comments of a TOML document that stand on lines of their own.
#[derive(PartialEq, Eq)]
pub(super) struct Comments {
    /// Those of the document, sorted: a comment moves with its key.
    document: Vec<String>,
    /// Those within each block of lines. They are parts of a value, so that the first and the last may stand next to a quote.
    blocks: Vec<Vec<String>>,
}

/// The comments of a document; `None` if the text is not TOML.
pub(super) fn comments_of_document(text: &str) -> Option<Comments> {
    let root: Table = text.parse().ok()?;
    let entries = root.values().filter_map(Value::as_array).flatten();
    let keys = entries
        .filter_map(Value::as_table)
        .flat_map(|entry| BLOCKS.into_iter().filter_map(|key| entry.get(key)?.as_str()));
    let blocks = keys.map(comments_of_block).collect();
    let mut document: DocumentMut = text.parse().ok()?;
    WithoutTexts.visit_document_mut(&mut document);
    let mut comments = comments_of_block(&document.to_string());
    comments.sort_unstable();
    Some(Comments {
        document: comments,
        blocks,
    })
}

/// Empties all strings of a document, so that each line that begins with `#` is a comment of the document.
struct WithoutTexts;

impl VisitMut for WithoutTexts {
    fn visit_string_mut(&mut self, node: &mut Formatted<String>) {
        let decor = node.decor().clone();
        *node = Formatted::new(String::new());
        *node.decor_mut() = decor;
    }
}
