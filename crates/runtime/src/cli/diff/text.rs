//! Differences for people.

use std::fmt::Write as _;

use super::attributes::Change;
use super::report::{Direction, Line, Report, Standing, TokenReport};

/// Comparisons of fewer states take no time that anyone would ask about.
const WORTH_SAYING: u64 = 20_000;

pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    if !report.configuration.is_empty() {
        out.push_str("configuration: changed\n");
        render_changes(&report.configuration, &mut out);
        out.push('\n');
    }
    for token in &report.tokens {
        render_token(token, &mut out);
        out.push('\n');
    }
    out.push_str(&summary(report));
    out.push('\n');
    if let Some((name, states)) = report
        .hardest
        .as_ref()
        .filter(|(_, states)| *states >= WORTH_SAYING)
    {
        let _ = writeln!(out, "most work: `{name}`, {states} states");
    }
    out
}

/// One sentence on all tokens.
pub(super) fn summary(report: &Report) -> String {
    let count = |is: &dyn Fn(&TokenReport) -> bool| report.tokens.iter().filter(|token| is(token)).count();
    let wider = count(&TokenReport::widens);
    let unsure = count(&|token| token.newly_allowed.inconclusive.is_some());
    let changed = report.tokens.len();
    if changed == 0 {
        return format!("no difference: {} tokens are equivalent", report.unchanged);
    }
    let unsure = if unsure > 0 {
        format!(" ({unsure} inconclusive)")
    } else {
        String::new()
    };
    format!(
        "{changed} of {} tokens differ, {wider} allow more than before{unsure}",
        changed + report.unchanged
    )
}

/// What became of the token, in a few words.
pub(super) fn verdict(token: &TokenReport) -> &'static str {
    match (
        token.standing,
        token.newly_allowed.is_none(),
        token.newly_denied.is_none(),
    ) {
        (Standing::New, false, _) => "new",
        (Standing::New, true, _) => "new, allows nothing",
        (Standing::Gone, ..) => "gone",
        (Standing::Kept, true, true) => "equivalent in its lines",
        (Standing::Kept, false, true) => "allows more",
        (Standing::Kept, true, false) => "allows less",
        (Standing::Kept, false, false) => "allows more and less",
    }
}

fn render_token(token: &TokenReport, out: &mut String) {
    let _ = writeln!(out, "{}: {}", token.name, verdict(token));
    render_changes(&token.changes, out);
    render_direction(token, &token.newly_allowed, "newly allowed", out);
    render_direction(token, &token.newly_denied, "newly denied", out);
}

fn render_changes(changes: &[Change], out: &mut String) {
    for change in changes {
        let wider = if change.widens { "  (wider)" } else { "" };
        let _ = writeln!(out, "  {}: {} -> {}{wider}", change.key, change.old, change.new);
    }
}

fn render_direction(token: &TokenReport, direction: &Direction, title: &str, out: &mut String) {
    if let Some(why) = direction.inconclusive {
        let _ = writeln!(out, "  {title}: inconclusive: {why}");
    }
    for example in &direction.examples {
        let _ = writeln!(out, "  {title}: {}", example.request);
        let _ = writeln!(out, "    {}", example.curl);
        let _ = writeln!(
            out,
            "    allowed by {}",
            place(example.allowed_by.as_ref(), "unrestricted = true")
        );
        if token.standing == Standing::Kept {
            let _ = writeln!(
                out,
                "    denied by  {}",
                place(example.denied_by.as_ref(), "no line")
            );
        }
    }
}

/// A line with its place, or what stands in for one.
pub(super) fn place(line: Option<&Line>, otherwise: &str) -> String {
    line.map_or_else(
        || otherwise.to_owned(),
        |line| format!("{}:{}: {}", line.file, line.number, line.text),
    )
}
