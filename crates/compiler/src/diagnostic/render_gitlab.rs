//! Findings as a report of GitLab's Code Quality: a JSON array.

use serde_json::{Value, json};

use super::{
    report::{Finding, Report},
    severity::Severity,
};

/// The whole report. `fallback` is the file that findings without a place are shown at, since the format requires one. A run that
/// did not finish is a finding of the severity `blocker`: an empty array would report that nothing was found.
#[must_use]
pub fn render_gitlab(report: &Report, fallback: &str) -> String {
    let mut rows: Vec<Value> = report
        .findings()
        .iter()
        .map(|finding| row(report, finding, fallback))
        .collect();
    if let Some(why) = report.failure() {
        rows.insert(0, failure(why, fallback));
    }
    format!("{:#}\n", Value::Array(rows))
}

fn row(report: &Report, finding: &Finding, fallback: &str) -> Value {
    let severity = match (finding.severity, report.fails(finding)) {
        (Severity::Error, _) => "critical",
        (Severity::Warning, true) => "major",
        (Severity::Warning, false) => "minor",
    };
    let (file, line) = finding
        .place
        .as_ref()
        .map_or((fallback, 1), |place| (place.file.as_str(), place.line));
    json!({
        "description": format!("{}: {}", finding.code, finding.message().replace('\n', "; ")),
        "check_name": finding.code.as_str(),
        "fingerprint": finding.fingerprint,
        "severity": severity,
        "location": { "path": file, "lines": { "begin": line } },
    })
}

fn failure(why: &str, fallback: &str) -> Value {
    json!({
        "description": format!("the check did not succeed: {why}"),
        "check_name": "tokenward",
        "fingerprint": "0".repeat(32),
        "severity": "blocker",
        "location": { "path": fallback, "lines": { "begin": 1 } },
    })
}
