//! TW0515: `fields.labels==bot` for a node that is a list: a single value meets it too, and so do lists within the list.

use super::{line::Line, suspect::Suspect};
use crate::{
    ast::{Operator, Subject, Test},
    diagnostic::Code,
    json::{Path, Step},
    parse::parse_line,
    source::Span,
};

/// Nodes that are lists in the APIs of Jira, Confluence, GitLab, GitHub and Redmine.
const LISTS: [&str; 14] = [
    "labels",
    "components",
    "fixVersions",
    "versions",
    "issuelinks",
    "subtasks",
    "assignees",
    "assignee_ids",
    "reviewer_ids",
    "label_ids",
    "tag_list",
    "topics",
    "issueUpdates",
    "ancestors",
];

pub(super) fn check(line: &Line<'_>, found: &mut Vec<Suspect>) {
    for constraint in &line.syntax.constraints {
        let (
            Subject::Json(path),
            Test::Values {
                operator: Operator::All,
                ..
            },
        ) = (&constraint.subject, &constraint.test)
        else {
            continue;
        };
        let Some(Step::Name(name)) = path.0.last() else {
            continue;
        };
        if !LISTS.contains(&name.as_str()) {
            continue;
        }
        let mut elements = path.clone();
        elements.0.push(Step::Each);
        let Some(narrower) = with_path(line, constraint.span, &elements) else {
            continue;
        };
        let shown = path.to_string();
        found.push(Suspect {
            code: Code::SingleForList,
            span: constraint.span,
            headline: format!("`{shown}` is a list, and a single value meets this condition too"),
            help: format!("write `{narrower}`"),
            claim: line.beyond(&narrower, line.text.to_owned()),
            fixes: line.fixes([&narrower]),
            mend: line.mend([narrower]),
        });
    }
}

/// The line with another path in a condition on the body.
fn with_path(line: &Line<'_>, constraint: Span, path: &Path) -> Option<String> {
    let text = line.slice(constraint);
    let start = text.find("::")? + 2;
    let end = start + path_length(text.get(start..)?)?;
    let changed = format!("{}{path}{}", text.get(..start)?, text.get(end..)?);
    let changed = line.with(constraint, &changed);
    // The text must read as this path and nothing else, however the author spelt it.
    let span = Span {
        start: 0,
        end: changed.len(),
        ..Span::nowhere()
    };
    let syntax = parse_line(&changed, span).ok()?;
    let is_read = syntax
        .constraints
        .iter()
        .any(|one| matches!(&one.subject, Subject::Json(read) if read == path));
    is_read.then_some(changed)
}

/// The length of a path in front of a type or an operator. Within quotes, nothing ends it.
fn path_length(text: &str) -> Option<usize> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.find(|character| {
        if is_escaped {
            is_escaped = false;
            return false;
        }
        match character {
            '\\' => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ':' | '=' | '!' | '?' => return !is_quoted,
            _ => {}
        }
        false
    })
}
