//! The reason codes that calls can have in the audit.

use std::collections::HashSet;

use tokenward_audit::End;
use tokenward_pdp::problem::{AuthFailure, CODES};
use tokenward_pdp::request::Reason;

/// Codes of calls that were not refused.
const ALLOWED: [&str; 4] = ["allowed", "previous-secret", "self", "cors-preflight"];

/// Reasons of the client's answer that are known only after the decision: with the end and the status in the outcome. The
/// decision's own reason is `allowed`.
const AFTER: [(&str, Option<End>, Option<u16>); 11] = [
    ("upstream-unreachable", Some(End::UpstreamFailed), Some(502)),
    ("upstream-broken", Some(End::UpstreamFailed), Some(502)),
    ("upstream-unauthorized", Some(End::UpstreamFailed), Some(502)),
    ("upstream-interim-flood", Some(End::UpstreamFailed), Some(502)),
    ("upstream-failed", Some(End::UpstreamFailed), None),
    ("upstream-timeout", Some(End::Timeout), Some(504)),
    // These end a call before or after the decision.
    ("body-timeout", None, Some(408)),
    ("body-too-slow", None, Some(408)),
    ("timeout", Some(End::Timeout), None),
    ("client-gone", Some(End::ClientGone), None),
    ("internal", Some(End::Internal), None),
];

/// The end and the status of calls whose outcome has this reason.
pub(crate) fn ended(reason: &str) -> Option<(Option<End>, Option<u16>)> {
    let found = AFTER.iter().find(|(code, ..)| *code == reason);
    found.map(|(_, end, status)| (*end, *status))
}

/// Other reasons that the audit does not distinguish from this one.
pub(crate) fn indistinct(reason: &str) -> Vec<&'static str> {
    let Some(wanted @ (_, Some(_))) = ended(reason) else {
        return Vec::new();
    };
    let same = AFTER
        .iter()
        .filter(|(code, end, status)| (*end, *status) == wanted && *code != reason);
    same.map(|(code, ..)| *code).collect()
}

/// Every code, once: a code may have several causes.
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    let requests = Reason::ALL.iter().map(|reason| reason.code());
    let failures = AuthFailure::ALL.into_iter().map(AuthFailure::code);
    let ends = AFTER.iter().map(|(code, ..)| *code);
    let bodies = tokenward_pdp::wire::Violation::BODY_CODES.into_iter();
    let mut seen = HashSet::new();
    ALLOWED
        .into_iter()
        .chain(CODES)
        .chain(requests)
        .chain(failures)
        .chain(ends)
        .chain(bodies)
        .filter(move |code| seen.insert(*code))
}

pub(crate) fn is_known(code: &str) -> bool {
    all().any(|known| known == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each code that `problem.rs` gives out is known here.
    #[test]
    fn every_code_of_a_problem_is_known() {
        let source = include_str!("../../../pdp/src/problem.rs");
        let (source, _) = source.split_once("\n#[cfg(test)]\nmod").unwrap_or((source, ""));
        let arms = source.lines().filter_map(|line| {
            let (_, code) = line.split_once("=> \"")?;
            code.split_once('"').map(|(code, _)| code)
        });
        let codes: Vec<&str> = arms.collect();
        assert!(codes.len() > 25, "{codes:?}");
        for code in codes {
            assert!(is_known(code), "{code}");
        }
    }

    #[test]
    fn every_code_is_listed_once() {
        let codes: Vec<&str> = all().collect();
        let once: HashSet<&str> = codes.iter().copied().collect();
        assert_eq!(codes.len(), once.len(), "{codes:?}");
    }
}
