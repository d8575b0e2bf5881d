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
    ir::{Rule, RuleId, TokenId},
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
        for (id, _) in policy.program.tokens().filter(|(_, token)| !token.revoked) {
            all.extend(candidates(policy, id));
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

/// The forbid lines of a token's own that only limit methods, with its permit lines.
fn candidates(policy: Policy<'_>, token: TokenId) -> Vec<Candidate> {
    let (program, owner) = (policy.program, policy.program.token(token));
    let forbids = owner.rules(Effect::Forbid).own.iter().take(LINES);
    let limits_methods = |id: &RuleId| {
        let rule = program.rule(*id)?;
        (rule.methods != MethodSet::ALL && rule.constraints.is_none()).then_some((*id, rule))
    };
    let forbids: Vec<(RuleId, &Rule)> = forbids.filter_map(limits_methods).collect();
    let permits = owner.rules(Effect::Permit);
    if forbids.is_empty() || permits.own.len() > LINES {
        return Vec::new();
    }
    let parsed = permits.own.iter().map(|id| {
        let rule = program.rule(*id)?;
        let line = Line::parse(
            program.line(rule.line).text,
            policy.source_map.line(rule.line)?,
            owner,
        );
        Some((rule.methods, line?))
    });
    let Some(parsed) = parsed.collect::<Option<Vec<_>>>() else {
        return Vec::new();
    };
    let included = permits.included.iter().filter_map(|id| program.rule(*id));
    let included = included.fold(MethodSet::EMPTY, |all, rule| all.union(rule.methods));
    let found = forbids.into_iter().filter_map(|(forbid, rule)| {
        // A permit line of a set is the set's, and others may need it as it is.
        if included.intersection(rule.methods) != MethodSet::EMPTY {
            return None;
        }
        let sharing = parsed
            .iter()
            .filter(|(methods, _)| methods.intersection(rule.methods) != MethodSet::EMPTY);
        Some(Candidate {
            token,
            forbid,
            span: policy.source_map.line(rule.line)?,
            permits: sharing
                .map(|permit| parts(permit, rule.methods))
                .collect::<Option<_>>()?,
        })
    });
    found.collect()
}

/// A permit line for the methods of a forbid line, and for its others; `None` if there are no others: then the permit line is
/// overridden, which is another finding.
fn parts((methods, line): &(MethodSet, Line<'_>), forbidden: MethodSet) -> Option<(String, String)> {
    let list = |is_forbidden: bool| {
        let named = Method::NAMED
            .into_iter()
            .filter(|method| methods.contains(*method));
        let named = named.filter(|method| forbidden.contains(*method) == is_forbidden);
        let named: Vec<String> = named.map(|method| method.as_str().to_lowercase()).collect();
        named.join(",")
    };
    let rest = list(false);
    (!rest.is_empty()).then(|| {
        (
            line.compilable(line.for_methods(&list(true))),
            line.for_methods(&rest),
        )
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
