//! Differences as text for people.

use std::fmt;

use tokenward_compiler::analysis::Request;
use tokenward_compiler::diagnostic::listed;
use tokenward_compiler::visible;

use super::{Change, Direction, Example, Line, Report, Standing, TokenReport};
use crate::forwarded::{REFUSED, not_forwarded};

/// Minimum number of visited states to report: fewer take no noticeable time.
const WORTH_SAYING: u64 = 20_000;
/// Renders a report as text for people.
pub fn render(report: &Report) -> String {
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
pub fn beyond_tokens(report: &Report) -> impl Iterator<Item = (&'static str, Vec<&Change>)> {
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

/// Summarises all tokens in one sentence. Only what is proved counts as a difference.
pub fn summary(report: &Report) -> String {
    let count = |is: &dyn Fn(&TokenReport) -> bool| report.tokens.iter().filter(|token| is(token)).count();
    let differ = count(&TokenReport::differs);
    let wider = count(&TokenReport::finds);
    let unsure = count(&TokenReport::has_open_question);
    let beside = beyond_tokens(report).count() > 0;
    if report.tokens.is_empty() && beside {
        return format!("no difference of tokens: {} are equivalent", report.unchanged);
    }
    if report.tokens.is_empty() {
        return format!("no difference: {} tokens are equivalent", report.unchanged);
    }
    let unsure = if unsure > 0 {
        format!(" ({unsure} inconclusive)")
    } else {
        String::new()
    };
    format!(
        "{differ} of {} tokens differ, {wider} allow more than before{unsure}",
        report.tokens.len() + report.unchanged
    )
}

/// Summarises the change of a token in a few words. "More" and "less" are said only if a request proves it.
pub fn verdict(token: &TokenReport) -> &'static str {
    let (more, less) = (extent(&token.newly_allowed), extent(&token.newly_denied));
    match (token.standing, more, less) {
        (Standing::New, Extent::Proved, _) => "new",
        (Standing::New, Extent::Open, _) => "new, may allow something",
        (Standing::New, Extent::None, _) => "new, allows nothing",
        (Standing::Gone, ..) => "gone",
        (Standing::Kept, Extent::Proved, less) if token.newly_allowed.is_latent() => match less {
            Extent::None => "would allow more after another change",
            Extent::Open => "would allow more after another change, may allow less",
            Extent::Proved => "allows less, and would allow more after another change",
        },
        (Standing::Kept, Extent::None, Extent::None) => "equivalent in its lines",
        (Standing::Kept, Extent::Proved, Extent::None) => "allows more",
        (Standing::Kept, Extent::Proved, Extent::Open) => "allows more, may allow less",
        (Standing::Kept, Extent::Proved, Extent::Proved) => "allows more and less",
        (Standing::Kept, Extent::None, Extent::Proved) => "allows less",
        (Standing::Kept, Extent::None, Extent::Open) => "may allow less",
        (Standing::Kept, Extent::Open, Extent::None) => "may allow more",
        (Standing::Kept, Extent::Open, Extent::Proved) => "allows less, may allow more",
        (Standing::Kept, Extent::Open, Extent::Open) => "may allow more or less",
    }
}

/// What is known of one direction of a token's difference.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// It is proved that there is no such request.
    None,
    /// There is a request.
    Proved,
    /// The question was not settled.
    Open,
}

fn extent(direction: &Direction) -> Extent {
    match (direction.examples.is_empty(), direction.inconclusive) {
        (false, _) => Extent::Proved,
        (true, Some(_)) => Extent::Open,
        (true, None) => Extent::None,
    }
}

/// Says whether a change of a key gives more; `None` if it does not.
pub fn wider(change: &Change) -> Option<&'static str> {
    change.widens.map(|_| {
        if change.is_certain {
            "wider"
        } else {
            "may be wider"
        }
    })
}

fn render_token(token: &TokenReport, out: &mut String) {
    line(out, format_args!("{}: {}", heading(&token.name), verdict(token)));
    render_changes(&token.changes, out);
    render_breaches(token, out);
    render_direction(token, &token.newly_allowed, "newly allowed", out);
    render_direction(token, &token.newly_denied, "newly denied", out);
}

/// Formats a name at the beginning of a line, where CI systems take `::error::` and the like for commands.
fn heading(name: &str) -> String {
    match name.starts_with(char::is_alphanumeric) {
        true => name.to_owned(),
        false => quoted(name),
    }
}

/// Quotes a text that an author wrote.
pub fn quoted(text: &str) -> String {
    format!("`{}`", visible(text))
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
        let wider = wider(change).map_or_else(String::new, |wider| format!("  ({wider})"));
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
        render_widened(token, example, out);
        line(out, format_args!("  {title}: {}", example.request));
        if let Some(operation) = &example.operation {
            line(out, format_args!("    operation: {operation}"));
        }
        for operation in listed(&example.operations) {
            line(out, format_args!("    {title}: {operation}"));
        }
        if let Some(obstacles) = not_forwarded(&example.obstacles) {
            line(out, format_args!("    {obstacles}"));
        }
        render_request(&example.request, &example.curl, out);
        line(
            out,
            format_args!(
                "    allowed by {}",
                place(example.allowing_line(), "unrestricted = true")
            ),
        );
        if token.standing == Standing::Kept {
            let otherwise = if example.is_refused { REFUSED } else { "no line" };
            let denied = place(example.denied_by.as_ref(), otherwise);
            match example.has_ambiguous_name() {
                true => line(out, format_args!("    refused as ambiguous because of {denied}")),
                false => line(out, format_args!("    denied by  {denied}")),
            }
        }
        if let Some((request, curl)) = example.telling() {
            line(out, format_args!("  most telling: {request}"));
            render_request(request, curl, out);
        }
    }
}

fn render_request(request: &Request, curl: &str, out: &mut String) {
    if let Some(decoded) = request.decoded_if_different() {
        line(out, format_args!("    decoded: {decoded}"));
    }
    line(out, format_args!("    {curl}"));
}

/// Says in what a line is wider than the one that it is most like. Of a new token, everything is new.
fn render_widened(token: &TokenReport, example: &Example, out: &mut String) {
    let Some(explanation) = &example.explanation else {
        return;
    };
    if token.standing == Standing::New {
        return;
    }
    if let Some(widened) = explanation.widened_words(&quoted) {
        line(out, format_args!("  widened: {widened}"));
    }
    if let Some(nearest) = &explanation.nearest {
        let nearest = nearest.words(example.request.method, &quoted);
        line(out, format_args!("    the nearest old line is {nearest}"));
    }
}

/// Formats a line with its place, or gives `otherwise` if there is no line.
pub fn place(line: Option<&Line>, otherwise: &str) -> String {
    line.map_or_else(
        || otherwise.to_owned(),
        |line| format!("{}:{}: {}", line.file, line.number, line.text),
    )
}
