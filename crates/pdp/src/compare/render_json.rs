//! Differences as one JSON object.

use serde_json::{Value, json};
use tokenward_compiler::analysis::{Cause, Obstacle, QuotedLine, Request};

use super::render_text::quoted;
use super::{Change, Direction, Example, Line, Report, Standing, TokenReport};
use crate::text::escaped;
/// Renders a report as one JSON object.
pub fn render(report: &Report) -> String {
    let tokens: Vec<Value> = report.tokens.iter().map(token).collect();
    let whole = json!({
        "version": 1,
        "widens": report.widens(),
        "open": report.has_open_question(),
        "unchanged": report.unchanged,
        "configuration": report.configuration.iter().map(change).collect::<Vec<_>>(),
        "invariants": report.invariants.iter().map(|lost| change(&lost.change)).collect::<Vec<_>>(),
        "sets": report.sets.iter().map(|grown| change(&grown.change)).collect::<Vec<_>>(),
        "tokens": tokens,
        "most_work": report.hardest.as_ref().map(|(name, states)| json!({ "token": name, "states": states })),
    });
    escaped(&format!("{whole:#}\n"))
}

fn token(token: &TokenReport) -> Value {
    let standing = match token.standing {
        Standing::Kept => "kept",
        Standing::New => "new",
        Standing::Gone => "gone",
    };
    let changes: Vec<Value> = token.changes.iter().map(change).collect();
    let breaches: Vec<Value> = token
        .breaches
        .iter()
        .map(|breach| {
            json!({
                "invariant": breach.found.invariant,
                "verdict": if breach.found.witness.is_some() { "yes" } else { "inconclusive" },
                "why": breach.found.inconclusive.map(|why| why.to_string()),
                "request": breach.found.witness.as_ref().map(ToString::to_string),
                "curl": breach.curl,
                "forwarded": breach.found.witness.is_some() && breach.found.obstacles.is_empty(),
                "obstacles": obstacles(&breach.found.obstacles),
            })
        })
        .collect();
    json!({
        "name": token.name,
        "standing": standing,
        "widens": token.widens(),
        "open": token.has_open_question(),
        "changes": changes,
        "breaks": breaches,
        "newly_allowed": direction(&token.newly_allowed),
        "newly_denied": direction(&token.newly_denied),
    })
}

fn change(change: &Change) -> Value {
    json!({
        "key": change.key,
        "old": change.old,
        "new": change.new,
        "widens": change.widens.is_some(),
        "certain": change.is_certain,
        "code": change.widens.map(|code| code.as_str()),
    })
}

fn direction(direction: &Direction) -> Value {
    let verdict = match (direction.examples.is_empty(), direction.inconclusive) {
        (false, _) => "yes",
        (true, None) => "no",
        (true, Some(_)) => "inconclusive",
    };
    let examples: Vec<Value> = direction.examples.iter().map(example).collect();
    json!({
        "verdict": verdict,
        "complete": direction.inconclusive.is_none(),
        "why": direction.inconclusive.map(|why| why.to_string()),
        "examples": examples,
    })
}

fn example(example: &Example) -> Value {
    let mut value = request(&example.request, &example.curl);
    let cause = match example.cause {
        Cause::Permit(_) => "permit",
        Cause::Lifted(_) => "lifted",
        Cause::Refused(_) => "names",
        Cause::Unrestricted => "unrestricted",
    };
    let explanation = example.explanation.as_ref();
    let widened = explanation.map(|explanation| {
        let ways = explanation.widened.iter();
        let ways = ways.map(|way| json!({ "kind": way.kind(), "words": way.words(&quoted) }));
        ways.collect::<Vec<_>>()
    });
    let nearest = explanation.and_then(|explanation| explanation.nearest.as_ref());
    let nearest = nearest.map(|nearest| {
        let QuotedLine { file, number, text } = &nearest.line;
        let miss = nearest.miss.as_ref();
        let why = miss.map(|miss| miss.words(example.request.method, &quoted));
        json!({ "file": file, "line": number, "text": text, "why": why })
    });
    let more = [
        ("allowed_by", json!(example.allowed_by.as_ref().map(line))),
        ("denied_by", json!(example.denied_by.as_ref().map(line))),
        ("refused", json!(example.is_refused)),
        (
            "unrestricted_at",
            json!(example.unrestricted_at.as_ref().map(line)),
        ),
        ("forwarded", json!(example.obstacles.is_empty())),
        ("obstacles", json!(obstacles(&example.obstacles))),
        ("cause", json!(cause)),
        ("widened", json!(widened)),
        (
            "widened_complete",
            json!(explanation.map(|explanation| !explanation.is_open)),
        ),
        ("nearest", json!(nearest)),
        (
            "telling",
            json!(example.telling().map(|(telling, curl)| request(telling, curl))),
        ),
    ];
    if let Some(members) = value.as_object_mut() {
        members.extend(more.map(|(name, value)| (name.to_owned(), value)));
        // Only with a description of the API.
        let operation = example.operation.as_ref();
        members.extend(operation.map(|operation| ("operation".to_owned(), json!(operation))));
        if !example.operations.is_empty() {
            members.insert("operations".to_owned(), json!(example.operations));
        }
    }
    value
}

fn request(request: &Request, curl: &str) -> Value {
    let content = request.body.content();
    json!({
        "request": request.to_string(),
        "decoded": request.decoded_if_different(),
        "method": request.method_name(),
        "target": request.target(),
        "content_type": content.as_ref().map(|(media, _)| media),
        "body": content.as_ref().map(|(_, text)| text),
        "curl": curl,
    })
}

fn obstacles(obstacles: &[Obstacle]) -> Vec<String> {
    obstacles.iter().map(ToString::to_string).collect()
}

fn line(line: &Line) -> Value {
    json!({ "file": line.file, "line": line.number, "text": line.text, "digest": line.digest })
}
