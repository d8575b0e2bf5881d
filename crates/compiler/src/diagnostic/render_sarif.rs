//! Findings as SARIF 2.1.0 (OASIS), for tools that show findings next to lines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{
    code::Code,
    report::{Correction, Finding, Place, Report},
    severity::Severity,
};

/// The whole document. `version`: of the command.
#[must_use]
pub fn render_sarif(report: &Report, version: &str) -> String {
    // Only the rules that results refer to.
    let mut rules: BTreeMap<Code, usize> = report.findings().iter().map(|found| (found.code, 0)).collect();
    for (at, index) in rules.values_mut().enumerate() {
        *index = at;
    }
    let descriptors: Vec<Value> = rules.keys().map(|code| rule(*code)).collect();
    let results: Vec<Value> = report
        .findings()
        .iter()
        .map(|finding| result(finding, rules.get(&finding.code).copied().unwrap_or_default()))
        .collect();
    let notification = |level: &str, text: &str| json!({ "level": level, "message": { "text": text } });
    let failure = report.failure().map(|why| notification("error", why));
    let open = report.open_questions();
    let open = open.map(|told| notification("warning", &told));
    let notifications: Vec<Value> = failure.into_iter().chain(open).collect();
    let whole = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "tokenward", "version": version, "rules": descriptors } },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": report.failure().is_none(),
                "toolExecutionNotifications": notifications,
            }],
            "properties": { "summary": report.summary(), "baselined": report.hidden() },
            "results": results,
        }],
    });
    format!("{whole:#}\n")
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": code.title() },
        "help": { "text": code.page(), "markdown": code.page() },
        "defaultConfiguration": { "level": level(code.severity()) },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn result(finding: &Finding, rule: usize) -> Value {
    let locations: Vec<Value> = finding.place.iter().map(location).collect();
    let mut result = json!({
        "ruleId": finding.code.as_str(),
        "ruleIndex": rule,
        "level": level(finding.severity),
        "message": { "text": finding.message() },
        "locations": locations,
        "partialFingerprints": { "tokenwardFinding/v1": finding.fingerprint },
    });
    if let Some(members) = result.as_object_mut() {
        if !finding.related.is_empty() {
            let related: Vec<Value> = finding.related.iter().map(related).collect();
            members.insert("relatedLocations".to_owned(), related.into());
        }
        if !finding.fixes.is_empty() {
            let fixes: Vec<Value> = finding.fixes.iter().map(fix).collect();
            members.insert("fixes".to_owned(), fixes.into());
        }
    }
    result
}

fn related((place, text): &(Place, String)) -> Value {
    let mut location = location(place);
    if let Some(members) = location.as_object_mut()
        && !text.is_empty()
    {
        members.insert("message".to_owned(), json!({ "text": text }));
    }
    location
}

fn location(place: &Place) -> Value {
    json!({ "physicalLocation": { "artifactLocation": artifact(place), "region": region(place) } })
}

fn artifact(place: &Place) -> Value {
    json!({ "uri": uri(&place.file) })
}

fn region(place: &Place) -> Value {
    json!({
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    })
}

/// A correction, with its edits by file.
fn fix(correction: &Correction) -> Value {
    let mut files: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (place, text) in &correction.edits {
        let replacement = json!({ "deletedRegion": region(place), "insertedContent": { "text": text } });
        files.entry(&place.file).or_default().push(replacement);
    }
    let changes = files.into_iter().map(|(file, replacements)| {
        json!({ "artifactLocation": { "uri": uri(file) }, "replacements": replacements })
    });
    json!({
        "description": { "text": correction.note },
        "artifactChanges": changes.collect::<Vec<Value>>(),
    })
}

/// A path as a URI reference (RFC 3986 section 3.3). A first segment with a colon would be read as a scheme.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    if path.starts_with('/') {
        out.push_str("file://");
    }
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
