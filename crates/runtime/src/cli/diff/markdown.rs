//! Differences as a comment on a pull request.

use std::fmt::Write as _;

use tokenward_compiler::analysis::Request;
use tokenward_compiler::diagnostic::listed;
use tokenward_compiler::visible;
use tokenward_pdp::compare::render_text::{beyond_tokens, place, summary, verdict, wider};
use tokenward_pdp::compare::{Change, Direction, Example, Report, Standing, TokenReport};
use tokenward_pdp::forwarded::{REFUSED, not_forwarded};
use tokenward_pdp::text::capital;

const NEWLY_ALLOWED: &str = "Newly allowed";
const NEWLY_DENIED: &str = "Newly denied";

pub(super) fn render(report: &Report) -> String {
    let heading = if report.surely_widens() {
        "This change allows more"
    } else if report.widens() {
        "This change may allow more"
    } else {
        "This change allows nothing new"
    };
    let mut out = format!("### Policy: {heading}\n\n{}.\n", capital(&summary(report)));
    for (title, changes) in beyond_tokens(report) {
        let _ = write!(out, "\n#### {}\n", capital(title));
        render_changes(changes, &mut out);
    }
    let (widened, others): (Vec<_>, Vec<_>) = report.tokens.iter().partition(|token| token.widens());
    for token in &widened {
        render_token(token, &mut out);
    }
    if !others.is_empty() {
        let _ = write!(
            out,
            "\n<details><summary>{} that allow nothing new</summary>\n",
            others.len()
        );
        for token in &others {
            render_token(token, &mut out);
        }
        out.push_str("\n</details>\n");
    }
    out
}

/// The comment of a comparison that did not come about.
pub(super) fn failed(why: &str) -> String {
    let why: Vec<String> = why.lines().map(code).collect();
    format!(
        "### Policy: The policies could not be compared\n\n{}\n",
        why.join("\n")
    )
}

fn render_token(token: &TokenReport, out: &mut String) {
    let _ = write!(out, "\n#### {} {}\n", code(&token.name), verdict(token));
    render_changes(&token.changes, out);
    render_breaches(token, out);
    render_direction(token, &token.newly_allowed, NEWLY_ALLOWED, out);
    render_direction(token, &token.newly_denied, NEWLY_DENIED, out);
}

fn render_breaches(token: &TokenReport, out: &mut String) {
    for breach in &token.breaches {
        let name = code(&breach.found.invariant);
        match (&breach.found.witness, breach.found.inconclusive) {
            (Some(request), _) => {
                let request = code(&request.to_string());
                let _ = write!(out, "\n**Breaks the old invariant** {name}**:** {request}\n\n");
                if let Some(obstacles) = not_forwarded(&breach.found.obstacles) {
                    let _ = writeln!(out, "- {obstacles}");
                }
                let _ = writeln!(out, "- {}", code(&breach.curl));
            }
            (None, Some(why)) => {
                let why = capital(&why.to_string());
                let _ = write!(out, "\n**The old invariant** {name}**: inconclusive.** {why}.\n");
            }
            (None, None) => {}
        }
    }
}

fn render_changes<'c>(changes: impl IntoIterator<Item = &'c Change>, out: &mut String) {
    let mut changes = changes.into_iter().peekable();
    if changes.peek().is_some() {
        out.push_str("\n| | was | is | |\n| --- | --- | --- | --- |\n");
    }
    for change in changes {
        let wider = wider(change).map_or_else(String::new, |wider| format!("**{wider}**"));
        let (key, old, new) = (cell(&change.key), cell(&change.old), cell(&change.new));
        let _ = writeln!(out, "| {key} | {old} | {new} | {wider} |");
    }
}

fn render_direction(token: &TokenReport, direction: &Direction, title: &str, out: &mut String) {
    if let Some(why) = direction.inconclusive {
        let _ = write!(
            out,
            "\n**{title}: inconclusive.** {}.\n",
            capital(&why.to_string())
        );
    }
    for example in &direction.examples {
        render_widened(token, example, out);
        let _ = write!(out, "\n**{title}:** {}\n\n", code(&example.request.to_string()));
        render_decoded(&example.request, out);
        if let Some(operation) = &example.operation {
            let _ = writeln!(out, "- operation: {}", code(operation));
        }
        for operation in listed(&example.operations) {
            let _ = writeln!(out, "- {}: {}", title.to_lowercase(), code(&operation));
        }
        if let Some(obstacles) = not_forwarded(&example.obstacles) {
            let _ = writeln!(out, "- {obstacles}");
        }
        let (allowed, denied, otherwise) = if title == NEWLY_ALLOWED {
            ("allowed by", "was denied by", "no line allowed it before")
        } else {
            ("was allowed by", "denied by", "no line allows it now")
        };
        let _ = writeln!(
            out,
            "- {allowed} {}",
            code(&place(example.allowing_line(), "unrestricted = true"))
        );
        if token.standing == Standing::Kept {
            let denied = match (example.has_ambiguous_name(), title == NEWLY_ALLOWED) {
                (false, _) => denied,
                (true, true) => "was refused as ambiguous because of",
                (true, false) => "refused as ambiguous because of",
            };
            match &example.denied_by {
                Some(line) => {
                    let _ = writeln!(out, "- {denied} {}", code(&place(Some(line), "")));
                }
                None if example.is_refused => {
                    let _ = writeln!(out, "- {denied} {REFUSED}");
                }
                None => {
                    let _ = writeln!(out, "- {otherwise}");
                }
            }
        }
        let _ = writeln!(out, "- {}", code(&example.curl));
        if let Some((request, curl)) = example.telling() {
            let _ = write!(out, "\n**Most telling:** {}\n\n", code(&request.to_string()));
            render_decoded(request, out);
            let _ = writeln!(out, "- {}", code(curl));
        }
    }
}

fn render_decoded(request: &Request, out: &mut String) {
    if let Some(decoded) = request.decoded_if_different() {
        let _ = writeln!(out, "- decoded: {}", code(&decoded));
    }
}

/// Says in what a line is wider than the one that it is most like. Of a new token, everything is new.
fn render_widened(token: &TokenReport, example: &Example, out: &mut String) {
    let Some(explanation) = &example.explanation else {
        return;
    };
    if token.standing == Standing::New {
        return;
    }
    if let Some(widened) = explanation.widened_words(&code) {
        let _ = write!(out, "\n**Widened:** {widened}\n");
    }
    if let Some(nearest) = &explanation.nearest {
        let nearest = nearest.words(example.request.method, &code);
        let _ = write!(out, "\n- the nearest old line is {nearest}\n");
    }
}

/// Formats a code span that may contain any backticks (CommonMark 0.31 section 6.1), in which links and mentions have no
/// effect. All that others wrote is shown in one: names of tokens, files and sets are theirs, too.
pub(in super::super) fn code(text: &str) -> String {
    let text = visible(text);
    // Two backticks without a text between them would open a longer span.
    if text.is_empty() {
        return "` `".to_owned();
    }
    let longest = text
        .split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // One space at each end is taken off again, so that a text keeps its own.
    let is_edge = |character: char| character == '`' || character == ' ';
    let pad = if text.starts_with(is_edge) || text.ends_with(is_edge) {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Formats a code span for a table, in which a bar would end the cell even within the span.
pub(in super::super) fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_authors_write_stays_text() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`a"), "`` `a ``");
        assert_eq!(code("a\n# b"), "`a\\n# b`");
        assert_eq!(cell("a|b"), "`a\\|b`");
        assert_eq!(code(""), "` `");
        assert_eq!(code(" a "), "`  a  `");
        assert_eq!(code("a\u{202e}b"), "`a\\u{202e}b`");
    }
}
