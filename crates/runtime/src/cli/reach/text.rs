//! The answer as a table for people.

use tokenward_compiler::reach::{Cell, Extent, Reached};
use tokenward_pdp::forwarded::not_forwarded;
use tokenward_pdp::plural::plural;

use super::super::ask::{Text, place};
use super::super::columns::columns;
use super::overview::most_reached;
use super::view::{View, words};

/// Lines of a token that reach no operation and are listed; JSON has all.
const LINES: usize = 5;
/// Operations in the list of those that most tokens reach.
const OPERATIONS: usize = 10;

pub(super) fn text(view: &View<'_>) -> String {
    let mut out = Text::default();
    out.line(0, &view.summary());
    out.line(0, "");
    match (view.is_one_operation, view.is_one_token) {
        (true, _) => one_operation(&mut out, view),
        (false, true) => view
            .survey
            .tokens
            .iter()
            .for_each(|reached| one_token(&mut out, view, reached)),
        (false, false) => all(&mut out, view),
    }
    out.end()
}

fn all(out: &mut Text, view: &View<'_>) {
    let heading = [
        "TOKEN",
        "FULL",
        "IN PART",
        "OF THEM WRITES",
        "FORBIDDEN",
        "NOT FORWARDED",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for reached in &view.survey.tokens {
        let counts = view.counts(reached);
        let numbers = [
            counts.full,
            counts.part,
            counts.writes,
            counts.forbidden,
            counts.blocked,
        ];
        let mut row = vec![view.token_name(reached.token).to_owned()];
        row.extend(numbers.map(|number| number.to_string()));
        rows.push(row);
    }
    for line in columns(&rows) {
        out.line(0, &line);
    }
    let most = most_reached(view, OPERATIONS);
    if view.survey.tokens.len() > 1 && !most.is_empty() {
        out.line(0, "");
        out.line(0, "Operations that most tokens reach:");
        for (count, at) in most {
            let tokens = format!("{count} {}", plural(count, "token"));
            out.line(2, &format!("{tokens}: {}", view.operation_name(at)));
        }
    }
    let without = |reached: &&Reached| !view.lines_without(reached).is_empty();
    let mut reached = view.survey.tokens.iter().filter(without).peekable();
    if reached.peek().is_some() {
        out.line(0, "");
        out.line(0, "Lines that reach no operation:");
    }
    for reached in reached {
        lines_without(out, view, reached, 2);
    }
}

fn lines_without(out: &mut Text, view: &View<'_>, reached: &Reached, indent: usize) {
    let lines = view.lines_without(reached);
    let name = view.token_name(reached.token);
    for line in lines.iter().take(LINES) {
        out.line(indent, &format!("{name}: {}", place(&view.policy.program, *line)));
    }
    if let Some(more @ 1..) = lines.len().checked_sub(LINES) {
        out.line(
            indent,
            &format!("{name}: {more} more {}; --json lists all", plural(more, "line")),
        );
    }
}

fn one_token(out: &mut Text, view: &View<'_>, reached: &Reached) {
    for (at, cell) in view.survey.cells(reached) {
        out.line(0, &format!("{}: {}", view.operation_name(at), words(cell)));
        detail(out, view, reached, cell);
    }
    let lines = view.lines(reached);
    if !lines.is_empty() {
        out.line(0, "");
        out.line(0, "Lines, with the operations that each reaches:");
        let mut rows = vec![["FULL", "IN PART", "LINE"].map(str::to_owned).to_vec()];
        rows.extend(lines.iter().map(|(line, full, part)| {
            vec![
                full.to_string(),
                part.to_string(),
                place(&view.policy.program, *line),
            ]
        }));
        for line in columns(&rows) {
            out.line(2, &line);
        }
    }
}

fn one_operation(out: &mut Text, view: &View<'_>) {
    for reached in &view.survey.tokens {
        for (_, cell) in view.survey.cells(reached) {
            let token = view.policy.program.token(reached.token);
            let state = match view.policy.state(token) {
                "active" => String::new(),
                state => format!(", {state}"),
            };
            out.line(0, &format!("{}: {}{state}", token.name, words(cell)));
            detail(out, view, reached, cell);
        }
    }
}

/// The lines, with a call that is allowed and one that is not.
fn detail(out: &mut Text, view: &View<'_>, reached: &Reached, cell: &Cell) {
    for hit in &cell.hits {
        for line in view.places(reached, hit.class) {
            out.line(2, &line);
        }
        let word = if cell.is_reached() {
            "allowed"
        } else {
            "lines allow"
        };
        out.line(4, &format!("{word}: {}", hit.request.decoded()));
        if let Some(why) = not_forwarded(&hit.obstacles) {
            out.line(4, &why);
        }
    }
    for class in &cell.forbids {
        for line in view.places(reached, Some(*class)) {
            out.line(2, &format!("except what this line matches: {line}"));
        }
    }
    if let (Some(outside), Extent::Part) = (&cell.outside, cell.extent) {
        out.line(2, &format!("not allowed: {}", outside.decoded()));
    }
    if let Some(why) = cell.inconclusive {
        out.line(2, &format!("not settled: {why}"));
    }
}
