//! Requests for TW0104: another name of what a forbid line names, which the token may call.

use std::collections::HashMap;

use super::{proof::Proofs, question::Policy, shown::witness};
use crate::{
    analysis::{Request, token_allows},
    ast::Effect,
    diagnostic::{Code, Diagnostic},
    ir::{RuleId, TokenId},
    method::Method,
    source::Span,
};

/// The id of an issue whose key is forbidden.
const ID: &str = "10001";

/// Adds a request to each finding about an alias, if the first token with the line allows one.
pub(super) fn find(policy: Policy<'_>, proofs: &mut Proofs<'_>, known: &mut [Diagnostic]) {
    let mut open: HashMap<Span, &mut Diagnostic> = known
        .iter_mut()
        .filter(|found| found.code == Code::ForbidAlias && found.witness.is_none())
        .map(|found| (found.primary.span, found))
        .collect();
    for (id, token) in policy.program.tokens() {
        if open.is_empty() {
            return;
        }
        for forbid in token.rules(Effect::Forbid).iter() {
            let Some(found) = place(policy, forbid).and_then(|span| open.remove(&span)) else {
                continue;
            };
            if let Some(request) = alias((id, forbid), proofs) {
                found.witness = Some(witness(policy.program, token, &request));
            }
        }
    }
}

fn place(policy: Policy<'_>, rule: RuleId) -> Option<Span> {
    policy.source_map.line(policy.program.rule(rule)?.line)
}

/// A request that names the forbidden thing by an id or by `latest`, and that the token allows.
fn alias((token, forbid): (TokenId, RuleId), proofs: &mut Proofs<'_>) -> Option<Request> {
    let ruled = proofs.ruled(forbid)?;
    let sample = proofs.prover.sample(ruled)?;
    let paths = [with_id(&sample.path), with_latest(&sample.path)];
    for path in paths.into_iter().flatten() {
        for method in Method::NAMED
            .into_iter()
            .filter(|method| ruled.rule.methods.contains(*method))
        {
            let request = Request {
                method,
                path: path.clone(),
                query: sample.query.clone(),
                body: sample.body.clone(),
            };
            if proofs.is_served(&request) && token_allows(proofs.program, token, &request) {
                return Some(request);
            }
        }
    }
    None
}

/// `/rest/api/2/issue/10001` for `/rest/api/2/issue/SECRET-1`.
fn with_id(path: &str) -> Option<String> {
    let is_key = |segment: &str| {
        segment.split_once('-').is_some_and(|(project, number)| {
            let is_name = |one: u8| one.is_ascii_alphanumeric() || one == b'_';
            !project.is_empty()
                && project.bytes().all(is_name)
                && !number.is_empty()
                && number.bytes().all(|digit| digit.is_ascii_digit())
        })
    };
    let mut found = false;
    let segments: Vec<&str> = path
        .split('/')
        .map(|segment| {
            if is_key(segment) {
                found = true;
                return ID;
            }
            segment
        })
        .collect();
    found.then(|| segments.join("/"))
}

/// `/rest/api/latest/…` for `/rest/api/2/…`.
fn with_latest(path: &str) -> Option<String> {
    path.contains("/api/2/")
        .then(|| path.replacen("/api/2/", "/api/latest/", 1))
}
