//! Differences as SARIF 2.1.0 (OASIS), for whatever shows findings beside the lines of a pull request.

use serde_json::{Value, json};

use super::attributes::Change;
use super::report::{Direction, Line, Report, TokenReport};

/// `directory`: where the files of the new policy lie, below the repository's root.
pub(super) fn render(report: &Report, directory: &str) -> String {
    let mut results: Vec<Value> = report
        .configuration
        .iter()
        .map(|change| of_change("the configuration", change))
        .collect();
    for token in &report.tokens {
        results.extend(
            token
                .changes
                .iter()
                .map(|change| of_change(&format!("`{}`", token.name), change)),
        );
        results.extend(of_direction(
            token,
            &token.newly_allowed,
            (NEWLY_ALLOWED, "error"),
            directory,
        ));
        results.extend(of_direction(
            token,
            &token.newly_denied,
            (NEWLY_DENIED, "note"),
            directory,
        ));
    }
    let rules = [
        (NEWLY_ALLOWED, "A request that the policy newly allows"),
        (NEWLY_DENIED, "A request that the policy newly denies"),
        (WIDER, "A key that lets more in"),
        (CHANGED, "A key that changed"),
        (OPEN, "A question past the budget"),
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
    format!("{whole:#}\n")
}

const NEWLY_ALLOWED: &str = "newly-allowed";
const NEWLY_DENIED: &str = "newly-denied";
const WIDER: &str = "wider";
const CHANGED: &str = "changed";
const OPEN: &str = "inconclusive";

fn of_direction(
    token: &TokenReport,
    direction: &Direction,
    (rule, level): (&str, &str),
    directory: &str,
) -> Vec<Value> {
    let mut results: Vec<Value> = direction
        .examples
        .iter()
        .map(|example| {
            let what = rule.replace('-', " ");
            let text = format!("`{}`: {what}: {}\n{}", token.name, example.request, example.curl);
            // The line that is in the new policy: what allows, or what forbids.
            let line = match rule {
                NEWLY_ALLOWED => &example.allowed_by,
                _ => &example.denied_by,
            };
            let locations: Vec<Value> = line.iter().map(|line| location(line, directory)).collect();
            json!({ "ruleId": rule, "level": level, "message": { "text": text }, "locations": locations })
        })
        .collect();
    if let Some(why) = direction.inconclusive {
        let text = format!(
            "`{}`: {}: inconclusive: {why}",
            token.name,
            rule.replace('-', " ")
        );
        results.push(
            json!({ "ruleId": OPEN, "level": "warning", "message": { "text": text }, "locations": [] }),
        );
    }
    results
}

fn of_change(whose: &str, change: &Change) -> Value {
    let (rule, level) = if change.widens {
        (WIDER, "error")
    } else {
        (CHANGED, "note")
    };
    let text = format!("{whose}: {} was {} and is {}", change.key, change.old, change.new);
    json!({ "ruleId": rule, "level": level, "message": { "text": text }, "locations": [] })
}

fn location(line: &Line, directory: &str) -> Value {
    let uri = if directory.is_empty() {
        line.file.clone()
    } else {
        format!("{directory}/{}", line.file)
    };
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri },
        "region": { "startLine": line.number },
    } })
}
