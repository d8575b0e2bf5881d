//! Differences as one JSON object.

use serde_json::{Value, json};
use tokenward_compiler::analysis::Obstacle;

use super::super::compare::{Change, Direction, Line, Report, Standing, TokenReport};

pub(super) fn render(report: &Report) -> String {
    let tokens: Vec<Value> = report.tokens.iter().map(token).collect();
    let whole = json!({
        "version": 1,
        "widens": report.widens(),
        "unchanged": report.unchanged,
        "configuration": report.configuration.iter().map(change).collect::<Vec<_>>(),
        "invariants": report.invariants.iter().map(|lost| change(&lost.change)).collect::<Vec<_>>(),
        "sets": report.sets.iter().map(|grown| change(&grown.change)).collect::<Vec<_>>(),
        "tokens": tokens,
        "most_work": report.hardest.as_ref().map(|(name, states)| json!({ "token": name, "states": states })),
    });
    format!("{whole:#}\n")
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
        "code": change.widens.map(|code| code.as_str()),
    })
}

fn direction(direction: &Direction) -> Value {
    let verdict = match (direction.examples.is_empty(), direction.inconclusive) {
        (false, _) => "yes",
        (true, None) => "no",
        (true, Some(_)) => "inconclusive",
    };
    let examples: Vec<Value> = direction
        .examples
        .iter()
        .map(|example| {
            let content = example.request.body.content();
            json!({
                "request": example.request.to_string(),
                "method": example.request.method_name(),
                "target": example.request.target(),
                "content_type": content.as_ref().map(|(media, _)| media),
                "body": content.as_ref().map(|(_, text)| text),
                "curl": example.curl,
                "allowed_by": example.allowed_by.as_ref().map(line),
                "denied_by": example.denied_by.as_ref().map(line),
                "forwarded": example.obstacles.is_empty(),
                "obstacles": obstacles(&example.obstacles),
            })
        })
        .collect();
    json!({
        "verdict": verdict,
        "complete": direction.inconclusive.is_none(),
        "why": direction.inconclusive.map(|why| why.to_string()),
        "examples": examples,
    })
}

fn obstacles(obstacles: &[Obstacle]) -> Vec<String> {
    obstacles.iter().map(ToString::to_string).collect()
}

fn line(line: &Line) -> Value {
    json!({ "file": line.file, "line": line.number, "text": line.text, "digest": line.digest })
}
