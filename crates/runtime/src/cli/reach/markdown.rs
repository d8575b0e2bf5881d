//! The answer as Markdown, for a comment on a pull request or a page.

use std::fmt::Write as _;

use super::super::ask::place;
use super::super::diff::{cell, code};
use super::overview::most_reached;
use super::view::{View, words};

/// Rows of a table at most: comments have a limit.
const ROWS: usize = 500;
/// Operations in the list of those that most tokens reach.
const OPERATIONS: usize = 10;

pub(super) fn markdown(view: &View<'_>) -> String {
    let title = match view.files {
        [file] if !file.title.is_empty() => format!("{} {}", file.title, file.version),
        _ => "the API".to_owned(),
    };
    let summary = view.summary().replace('|', "\\|");
    let mut out = format!(
        "### Reach: operations of {}\n\n{}\n\n",
        code(title.trim()),
        summary
    );
    if view.is_one_token || view.is_one_operation {
        cells(view, &mut out);
    } else {
        tokens(view, &mut out);
    }
    without(view, &mut out);
    out
}

fn tokens(view: &View<'_>, out: &mut String) {
    out.push_str("| Token | Full | In part | Of them writes | Forbidden | Not forwarded |\n|---|--:|--:|--:|--:|--:|\n");
    for reached in view.survey.tokens.iter().take(ROWS) {
        let counts = view.counts(reached);
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            cell(view.token_name(reached.token)),
            counts.full,
            counts.part,
            counts.writes,
            counts.forbidden,
            counts.blocked
        );
    }
    more(view.survey.tokens.len(), out);
    let most = most_reached(view, OPERATIONS);
    if view.survey.tokens.len() > 1 && !most.is_empty() {
        out.push_str("\n| Operation | Tokens |\n|---|--:|\n");
        for (count, at) in most {
            let _ = writeln!(out, "| {} | {count} |", cell(&view.operation_name(at)));
        }
    }
}

fn cells(view: &View<'_>, out: &mut String) {
    out.push_str("| Token | Operation | Reach | Allowed | Not allowed |\n|---|---|---|---|---|\n");
    let all = view.survey.tokens.iter().flat_map(|reached| {
        let cells = view.survey.cells(reached);
        cells.map(move |(at, found)| (reached, at, found))
    });
    let mut rows = 0;
    for (reached, at, found) in all {
        rows += 1;
        if rows > ROWS {
            continue;
        }
        let shown = |request: Option<&tokenward_compiler::analysis::Request>| {
            request.map_or_else(String::new, |request| cell(&request.decoded()))
        };
        let inside = found.inside().filter(|_| found.is_reached());
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            cell(view.token_name(reached.token)),
            cell(&view.operation_name(at)),
            words(found),
            shown(inside),
            shown(found.outside.as_ref()),
        );
    }
    more(rows, out);
}

fn without(view: &View<'_>, out: &mut String) {
    if view.is_one_operation {
        return;
    }
    let lines = view.survey.tokens.iter().flat_map(|reached| {
        let name = view.token_name(reached.token);
        view.lines_without(reached)
            .into_iter()
            .map(move |line| (name, line))
    });
    let lines: Vec<_> = lines.collect();
    if lines.is_empty() {
        return;
    }
    out.push_str("\nLines that reach no operation:\n\n");
    for (name, line) in lines.iter().take(ROWS) {
        let _ = writeln!(
            out,
            "- {}: {}",
            code(name),
            code(&place(&view.policy.program, *line))
        );
    }
    more(lines.len(), out);
}

fn more(count: usize, out: &mut String) {
    if let Some(more @ 1..) = count.checked_sub(ROWS) {
        let _ = writeln!(out, "\n{more} more; `--json` lists all.");
    }
}
