//! TW0515: `fields.labels==bot` for a node that is a list: a single value meets it too, and so do lists within the list.

use super::{line::Line, suspect::Suspect};
use crate::{
    ast::{Operator, Subject, Test},
    diagnostic::Code,
    json::Step,
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
        let (text, shown) = (line.slice(constraint.span), path.to_string());
        let starred = text.replacen(&shown, &format!("{shown}[*]"), 1);
        if starred == text {
            continue;
        }
        let narrower = line.with(constraint.span, &starred);
        found.push(Suspect {
            code: Code::SingleForList,
            span: constraint.span,
            headline: format!("`{shown}` is a list, and a single value meets this condition too"),
            help: format!("write `{narrower}`"),
            claim: line.beyond(&narrower, line.text.to_owned()),
        });
    }
}
