//! Differences as SARIF 2.1.0 (OASIS), for tools that show findings next to the lines of a pull request.

use std::path::Path;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};
use tokenward_compiler::analysis::Request;
use tokenward_compiler::diagnostic::{Code, Severity, listed};
use tokenward_compiler::visible;
use tokenward_pdp::compare::render_text::quoted;
use tokenward_pdp::compare::{Change, Direction, Example, Line, Report, Standing, TokenReport};
use tokenward_pdp::forwarded::not_forwarded;
use tokenward_pdp::side::Side;
use tokenward_pdp::text::escaped;

use super::super::checkout::Checkout;
use super::super::side::reported;

/// `config`: the new side's configuration, where changed settings are.
pub(super) fn render(report: &Report, (old, new): (&Side, &Side), config: &Path) -> String {
    let checkout = Checkout::discover();
    let path = |file: &str| reported(new, &new.sources.shown(file), &checkout);
    let settings_file = checkout.relative(&config.to_string_lossy());
    let settings = report.configuration.iter();
    let mut results: Vec<Value> = settings
        .map(|change| {
            at(
                of_change("the configuration", change),
                Some(place(&settings_file, None)),
            )
        })
        .collect();
    let lost = report.invariants.iter();
    results.extend(lost.map(|lost| {
        // One that is gone was in a file of the old side, whose lines are no longer there.
        let (side, span, line) = match lost.place {
            Some(span) => (new, span, Some(new.sources.line_number(span) as u64)),
            None => (old, lost.was, None),
        };
        let file = side.sources.get(span.source);
        let file = file.map(|file| {
            let shown = side.sources.shown(&file.path);
            place(&reported(side, &shown, &checkout), line)
        });
        at(of_change("the invariants", &lost.change), file)
    }));
    let grown = report.sets.iter();
    results.extend(grown.map(|grown| of_change("the unused sets", &grown.change)));
    for token in &report.tokens {
        results.extend(
            token
                .changes
                .iter()
                .map(|change| of_change(&format!("`{}`", token.name), change)),
        );
        results.extend(of_breaches(token));
        results.extend(of_direction(
            token,
            &token.newly_allowed,
            (NEWLY_ALLOWED, "error"),
            &path,
        ));
        results.extend(of_direction(
            token,
            &token.newly_denied,
            (NEWLY_DENIED, "note"),
            &path,
        ));
    }
    // SARIF requires a description of each rule that results refer to.
    let rules = [
        (NEWLY_ALLOWED, "A request that the policy newly allows"),
        (
            LATENT,
            "A request that the policy newly allows, and that the proxy would forward after another change",
        ),
        (NEWLY_DENIED, "A request that the policy newly denies"),
        (WIDER, "A key, a setting, an invariant or a set that gives more"),
        (
            BREAKS,
            "A request by which a token breaks an invariant of the old side",
        ),
        (CHANGED, "A key that changed"),
        (OPEN, "A comparison that exceeds the budget"),
    ];
    let rules: Vec<Value> = rules
        .iter()
        .map(|(id, text)| json!({ "id": id, "shortDescription": { "text": text } }))
        .collect();
    let whole = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "tokenward", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "results": results,
        }],
    });
    escaped(&format!("{whole:#}\n"))
}

const NEWLY_ALLOWED: &str = "newly-allowed";
const LATENT: &str = "latent-access";
const NEWLY_DENIED: &str = "newly-denied";
const WIDER: &str = "wider";
const BREAKS: &str = "breaks-invariant";
const CHANGED: &str = "changed";
const OPEN: &str = "inconclusive";

fn of_direction(
    token: &TokenReport,
    direction: &Direction,
    (rule, level): (&str, &str),
    path: &dyn Fn(&str) -> String,
) -> Vec<Value> {
    let mut results: Vec<Value> = direction
        .examples
        .iter()
        .map(|example| {
            let what = rule.replace('-', " ");
            let mut text = example_text(token, example, &what);
            if let Some(obstacles) = not_forwarded(&example.obstacles) {
                text.push_str(&format!("\n{obstacles}"));
            }
            // What gives nothing yet is a rule of its own.
            let is_latent = rule == NEWLY_ALLOWED && example.is_latent();
            let id = if is_latent { LATENT } else { rule };
            // The line of the new policy that allows or forbids the request.
            let line = match rule {
                NEWLY_ALLOWED => example.allowing_line(),
                _ => example.denied_by.as_ref(),
            };
            let locations: Vec<Value> = line.iter().map(|line| location(line, path)).collect();
            json!({ "ruleId": id, "level": level, "message": message(&text), "locations": locations })
        })
        .collect();
    if let Some(why) = direction.inconclusive {
        let text = format!(
            "`{}`: {}: inconclusive: {why}",
            token.name,
            rule.replace('-', " ")
        );
        results
            .push(json!({ "ruleId": OPEN, "level": "warning", "message": message(&text), "locations": [] }));
    }
    results
}

/// What a reader needs to judge a request: what widened before the request itself.
fn example_text(token: &TokenReport, example: &Example, what: &str) -> String {
    let explanation = example.explanation.as_ref();
    let explanation = explanation.filter(|_| token.standing == Standing::Kept);
    let mut text = format!("`{}`: {what}: ", token.name);
    if let Some(widened) = explanation.and_then(|explanation| explanation.widened_words(&quoted)) {
        text.push_str(&format!("{widened}\n"));
    }
    if let Some(nearest) = explanation.and_then(|explanation| explanation.nearest.as_ref()) {
        let nearest = nearest.words(example.request.method, &quoted);
        text.push_str(&format!("the nearest old line is {nearest}\n"));
    }
    text.push_str(&request_text(&example.request, &example.curl));
    if let Some(operation) = &example.operation {
        text.push_str(&format!("\noperation: {operation}"));
    }
    for operation in listed(&example.operations) {
        text.push_str(&format!("\n{what}: {operation}"));
    }
    if let Some((request, curl)) = example.telling() {
        text.push_str(&format!("\nmost telling: {}", request_text(request, curl)));
    }
    text
}

fn request_text(request: &Request, curl: &str) -> String {
    let decoded = request
        .decoded_if_different()
        .map_or_else(String::new, |decoded| format!("decoded: {decoded}\n"));
    format!("{request}\n{decoded}{curl}")
}

/// A plain text message. Viewers take `[text](target)` in it for a link (SARIF 2.1.0, section 3.11.6), which an author of a
/// policy could otherwise place there.
fn message(text: &str) -> Value {
    let lines: Vec<String> = text.split('\n').map(visible).collect();
    let text = lines.join("\n");
    let text = match text.contains("](") {
        true => text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]"),
        false => text,
    };
    json!({ "text": text })
}

fn of_breaches(token: &TokenReport) -> impl Iterator<Item = Value> {
    token.breaches.iter().map(|breach| {
        let (rule, level, what) = match (&breach.found.witness, breach.found.inconclusive) {
            (Some(request), _) => (BREAKS, "error", format!("{request}\n{}", breach.curl)),
            (None, why) => {
                let why = why.map(|why| why.to_string()).unwrap_or_default();
                (OPEN, "warning", format!("inconclusive: {why}"))
            }
        };
        let text = format!(
            "`{}`: the old invariant `{}`: {what}",
            token.name, breach.found.invariant
        );
        json!({ "ruleId": rule, "level": level, "message": message(&text), "locations": [] })
    })
}

fn of_change(whose: &str, change: &Change) -> Value {
    let (rule, level) = match change.widens.map(Code::severity) {
        Some(Severity::Error) => (WIDER, "error"),
        Some(Severity::Warning) => (WIDER, "warning"),
        None => (CHANGED, "note"),
    };
    let code = change
        .widens
        .map_or_else(String::new, |code| match change.is_certain {
            true => format!(" ({code})"),
            false => format!(", which may be wider ({code})"),
        });
    let text = format!(
        "{whose}: {} was {} and is {}{code}",
        change.key, change.old, change.new
    );
    json!({ "ruleId": rule, "level": level, "message": message(&text), "locations": [] })
}

fn location(line: &Line, path: &dyn Fn(&str) -> String) -> Value {
    place(&path(&line.file), Some(line.number.into()))
}

/// Bytes of a path that a URI reference cannot have as they are (RFC 3986 section 3.3).
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A file, and a line of it if that is known.
fn place(file: &str, line: Option<u64>) -> Value {
    let uri = utf8_percent_encode(file, PATH).to_string();
    let mut physical = json!({ "artifactLocation": { "uri": uri } });
    if let (Some(line), Some(physical)) = (line, physical.as_object_mut()) {
        physical.insert("region".to_owned(), json!({ "startLine": line }));
    }
    json!({ "physicalLocation": physical })
}

/// A result at a place.
fn at(mut result: Value, place: Option<Value>) -> Value {
    if let Some(result) = result.as_object_mut() {
        result.insert("locations".to_owned(), json!(Vec::from_iter(place)));
    }
    result
}
