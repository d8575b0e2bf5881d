//! TW0514: `![delete]/rest/.*` beside permit lines without methods: permit lines with methods need no forbid line.

use super::{
    line::Line,
    proof::Proofs,
    question::{Lints, Policy},
    set::LintSet,
    shown::witness,
    variants::Variants,
};
use crate::{
    ast::Effect,
    diagnostic::{Code, Diagnostic},
    ir::{RuleId, TokenId},
    method::{Method, MethodSet},
    source::Span,
};

/// So many forbid lines of a token are compared, each with so many permit lines of it.
const LINES: usize = 50;

/// Forbid lines that may be replaced.
pub(super) struct Candidates(Vec<Candidate>);

struct Candidate {
    token: TokenId,
    forbid: RuleId,
    span: Span,
    /// For each permit line that has a method of the forbid line: the line for those methods, and for the others.
    permits: Vec<(String, String)>,
}

impl Candidates {
    pub(super) fn new(policy: Policy<'_>, set: LintSet, variants: &mut Variants) -> Self {
        let mut all = Vec::new();
        if set < LintSet::Pedantic {
            return Self(all);
        }
        for (id, token) in policy.program.tokens().filter(|(_, token)| !token.revoked) {
            // A permit line of a set is the set's, and others may need it as it is.
            let forbids = token.rules(Effect::Forbid).own.iter().take(LINES);
            let found = forbids.filter_map(|forbid| candidate(policy, id, *forbid));
            all.extend(found);
        }
        for line in all.iter().flat_map(|one: &Candidate| &one.permits) {
            variants.need(&line.0);
        }
        Self(all)
    }

    pub(super) fn find(&self, policy: Policy<'_>, proofs: &mut Proofs<'_>, lints: &mut Lints) {
        for candidate in &self.0 {
            let mut request = None;
            let mut holds = true;
            for (shared, _) in &candidate.permits {
                match is_covered(candidate, shared, proofs) {
                    Some(true) => {}
                    Some(false) => holds = false,
                    None => {
                        lints.open += 1;
                        holds = false;
                    }
                }
                if !holds {
                    break;
                }
                let sample = proofs
                    .variants
                    .rule(shared)
                    .and_then(|rule| proofs.prover.sample(rule));
                request = request.or(sample);
            }
            let Some(request) = request.filter(|_| holds) else {
                continue;
            };
            let token = policy.program.token(candidate.token);
            let instead = candidate.permits.first().map_or("", |(_, rest)| rest);
            lints.diagnostics.push(
                Diagnostic::new(
                    Code::AvoidableForbid,
                    candidate.span,
                    "permit lines with methods make this forbid line unnecessary",
                )
                .help(format!(
                    "remove it, and write its permit lines with methods: `{instead}`"
                ))
                .witness(witness(policy.program, token, &request)),
            );
        }
    }
}

fn candidate(policy: Policy<'_>, token: TokenId, forbid: RuleId) -> Option<Candidate> {
    let (program, owner) = (policy.program, policy.program.token(token));
    let rule = program.rule(forbid)?;
    if rule.methods == MethodSet::ALL || rule.constraints.is_some() {
        return None;
    }
    let permits = owner.rules(Effect::Permit);
    let shares = |id: &RuleId| {
        let permit = program.rule(*id)?;
        (permit.methods.intersection(rule.methods) != MethodSet::EMPTY).then_some(permit)
    };
    if permits.included.iter().any(|id| shares(id).is_some()) || permits.own.len() > LINES {
        return None;
    }
    let mut found = Vec::new();
    for permit in permits.own.iter().filter_map(shares) {
        let text = program.line(permit.line).text;
        let line = Line::parse(text, policy.source_map.line(permit.line)?, owner)?;
        let list = |wanted: &dyn Fn(Method) -> bool| {
            let methods = Method::NAMED.into_iter();
            let methods = methods.filter(|method| permit.methods.contains(*method) && wanted(*method));
            methods
                .map(|method| method.as_str().to_lowercase())
                .collect::<Vec<_>>()
                .join(",")
        };
        let shared = list(&|method| rule.methods.contains(method));
        let rest = list(&|method| !rule.methods.contains(method));
        // A permit line of which nothing is left is overridden, which is another finding.
        if rest.is_empty() {
            return None;
        }
        found.push((
            line.compilable(line.for_methods(&shared)),
            line.for_methods(&rest),
        ));
    }
    Some(Candidate {
        token,
        forbid,
        span: policy.source_map.line(rule.line)?,
        permits: found,
    })
}

/// Whether the forbid line matches every request of a permit line's part; `None` past the budget.
fn is_covered(candidate: &Candidate, shared: &str, proofs: &mut Proofs<'_>) -> Option<bool> {
    let (Some(part), Some(forbid)) = (proofs.variants.rule(shared), proofs.ruled(candidate.forbid)) else {
        return Some(false);
    };
    let found = proofs.prover.request(&[part], &[forbid]);
    found.ok().map(|request| request.is_none())
}
