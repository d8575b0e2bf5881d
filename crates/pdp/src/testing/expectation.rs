//! Compares the decision that a test expects with the one that was seen.

use tokenward_compiler::tokens::Expect;

use crate::explain::Report;

/// The decision that a test expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The expected decision.
    pub decision: Expect,
    /// Text of the line that decides.
    pub line: Option<String>,
    /// Code of the expected reason, if the test names one.
    pub reason: Option<String>,
    /// The expected status, if the test names one.
    pub status: Option<u16>,
}

/// A part of an expectation that was not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// `decision`, `line`, `reason` or `status`.
    pub part: &'static str,
    /// The expected value.
    pub expected: String,
    /// The value of the judgement.
    pub seen: String,
}

/// The parts of an expectation that a report does not meet; none: the test passes.
pub(crate) fn mismatches(expected: &Expectation, seen: &Report) -> Vec<Mismatch> {
    let mut found = Vec::new();
    let mut compare = |part, expected: &str, seen: &str| {
        if expected != seen {
            found.push(Mismatch {
                part,
                expected: expected.to_owned(),
                seen: seen.to_owned(),
            });
        }
    };
    let decision = if seen.is_allowed() {
        Expect::Allow
    } else {
        Expect::Deny
    };
    compare("decision", expected.decision.as_str(), decision.as_str());
    if let Some(line) = &expected.line {
        let text = seen.line.as_ref().map_or("no line", |line| line.text.as_str());
        compare("line", line, text);
    }
    if let Some(reason) = &expected.reason {
        compare("reason", reason, &seen.reason);
    }
    if let Some(status) = expected.status {
        let seen = seen
            .status
            .map_or_else(|| "that of the upstream".to_owned(), |status| status.to_string());
        compare("status", &status.to_string(), &seen);
    }
    found
}
