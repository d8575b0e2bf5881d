//! Differences as text for people.

use std::fmt;

use tokenward_compiler::analysis::Obstacle;
use tokenward_compiler::visible;

use super::super::compare::{Change, Direction, Line, Report, Standing, TokenReport};

/// Minimum number of visited states to report: fewer take no noticeable time.
const WORTH_SAYING: u64 = 20_000;

pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    for (title, changes) in beyond_tokens(report) {
        line(&mut out, format_args!("{title}"));
        render_changes(changes, &mut out);
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
        line(&mut out, format_args!("most work: `{name}`, {states} states"));
    }
    out
}

/// Adds a line. What others wrote stays in it: names of files and tokens may have line ends.
fn line(out: &mut String, text: fmt::Arguments<'_>) {
    out.push_str(&visible(&text.to_string()));
    out.push('\n');
}

/// Lists changes outside tokens, with a title for each kind that has any.
pub(super) fn beyond_tokens(report: &Report) -> impl Iterator<Item = (&'static str, Vec<&Change>)> {
    let kinds = [
        (
            "configuration: changed",
            report.configuration.iter().collect::<Vec<_>>(),
        ),
        (
            "invariants: removed or changed",
            report.invariants.iter().map(|lost| &lost.change).collect(),
        ),
        (
            "unused sets: grew",
            report.sets.iter().map(|grown| &grown.change).collect(),
        ),
    ];
    kinds.into_iter().filter(|(_, changes)| !changes.is_empty())
}

/// Summarises all tokens in one sentence.
pub(super) fn summary(report: &Report) -> String {
    let count = |is: &dyn Fn(&TokenReport) -> bool| report.tokens.iter().filter(|token| is(token)).count();
    let wider = count(&TokenReport::widens);
    let unsure = count(&TokenReport::is_open);
    let changed = report.tokens.len();
    let beside = beyond_tokens(report).count() > 0;
    if changed == 0 && beside {
        return format!("no difference of tokens: {} are equivalent", report.unchanged);
    }
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

/// Summarises the change of a token in a few words.
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
        (Standing::Kept, false, _) if token.newly_allowed.is_latent() => match token.newly_denied.is_none() {
            true => "would allow more after another change",
            false => "allows less, and would allow more after another change",
        },
        (Standing::Kept, false, true) => "allows more",
        (Standing::Kept, true, false) => "allows less",
        (Standing::Kept, false, false) => "allows more and less",
    }
}

fn render_token(token: &TokenReport, out: &mut String) {
    line(out, format_args!("{}: {}", token.name, verdict(token)));
    render_changes(&token.changes, out);
    render_breaches(token, out);
    render_direction(token, &token.newly_allowed, "newly allowed", out);
    render_direction(token, &token.newly_denied, "newly denied", out);
}

fn render_breaches(token: &TokenReport, out: &mut String) {
    for breach in &token.breaches {
        let name = &breach.found.invariant;
        match (&breach.found.witness, breach.found.inconclusive) {
            (Some(request), _) => {
                line(
                    out,
                    format_args!("  breaks the old invariant {name}: {request}  (wider)"),
                );
                if let Some(obstacles) = not_forwarded(&breach.found.obstacles) {
                    line(out, format_args!("    {obstacles}"));
                }
                line(out, format_args!("    {}", breach.curl));
            }
            (None, Some(why)) => {
                line(
                    out,
                    format_args!("  the old invariant {name}: inconclusive: {why}"),
                );
            }
            (None, None) => {}
        }
    }
}

fn render_changes<'c>(changes: impl IntoIterator<Item = &'c Change>, out: &mut String) {
    for change in changes {
        let wider = if change.widens.is_some() { "  (wider)" } else { "" };
        line(
            out,
            format_args!("  {}: {} -> {}{wider}", change.key, change.old, change.new),
        );
    }
}

fn render_direction(token: &TokenReport, direction: &Direction, title: &str, out: &mut String) {
    if let Some(why) = direction.inconclusive {
        line(out, format_args!("  {title}: inconclusive: {why}"));
    }
    for example in &direction.examples {
        line(out, format_args!("  {title}: {}", example.request));
        if let Some(obstacles) = not_forwarded(&example.obstacles) {
            line(out, format_args!("    {obstacles}"));
        }
        line(out, format_args!("    {}", example.curl));
        line(
            out,
            format_args!(
                "    allowed by {}",
                place(example.allowed_by.as_ref(), "unrestricted = true")
            ),
        );
        if token.standing == Standing::Kept {
            line(
                out,
                format_args!("    denied by  {}", place(example.denied_by.as_ref(), "no line")),
            );
        }
    }
}

/// Explains that the proxy does not forward a request as it is configured; `None` if it does.
pub(super) fn not_forwarded(obstacles: &[Obstacle]) -> Option<String> {
    (!obstacles.is_empty()).then(|| format!("the proxy forwards it {}", Obstacle::describe(obstacles)))
}

/// Formats a line with its place, or gives `otherwise` if there is no line.
pub(super) fn place(line: Option<&Line>, otherwise: &str) -> String {
    line.map_or_else(
        || otherwise.to_owned(),
        |line| format!("{}:{}: {}", line.file, line.number, line.text),
    )
}
