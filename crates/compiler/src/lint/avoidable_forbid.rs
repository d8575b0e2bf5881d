//! TW0514: `![delete]/rest/.*` beside permit lines without methods: permit lines with methods need no forbid line.

use super::{
    line::Line,
    proof::Proofs,
    question::{Lints, Policy},
    set::LintSet,
    shown::witness,
    suspect::Mend,
    variants::Variants,
};
use crate::{
    analysis::{Request, Ruled, allows},
    ast::Effect,
    diagnostic::{Code, Diagnostic, Edit},
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
    /// For each permit line that has a method of the forbid line.
    permits: Vec<Parts>,
}

/// A permit line in two parts.
struct Parts {
    /// The line for the methods of the forbid line, compiled.
    shared: String,
    /// The line for its other methods, to write instead.
    rest: String,
    /// Where the line is.
    span: Span,
    mend: Option<Mend>,
}

/// So many lines to write are shown, the others are counted.
const SHOWN: usize = 3;

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
            variants.need(&line.shared);
            if let Some(mend) = &line.mend {
                mend.need(variants);
            }
        }
        Self(all)
    }

    pub(super) fn find(&self, policy: Policy<'_>, proofs: &mut Proofs<'_>, lints: &mut Lints) {
        for candidate in &self.0 {
            let request = match proved(candidate, policy, proofs) {
                Some(Some(request)) => request,
                Some(None) => continue,
                None => {
                    lints.open += 1;
                    continue;
                }
            };
            let token = policy.program.token(candidate.token);
            let mut found = Diagnostic::new(
                Code::AvoidableForbid,
                candidate.span,
                "permit lines with methods make this forbid line unnecessary",
            )
            .label("the request that is shown is denied by this line alone")
            .witness(witness(policy.program, token, &request));
            let mut mends = candidate.permits.iter().map(|parts| parts.mend.as_ref());
            if mends.all(|mend| mend.is_some_and(|mend| proofs.gives_nothing(mend))) {
                found = found.help(format!(
                    "remove it, and write its permit lines with methods: {}",
                    listed(&candidate.permits)
                ));
                found = found.fix_with(candidate.edits());
            }
            lints.diagnostics.push(found);
        }
    }
}

impl Candidate {
    /// Removes the forbid line, and writes its permit lines with methods.
    fn edits(&self) -> Vec<Edit> {
        let permits = self.permits.iter().map(|parts| Edit {
            span: parts.span,
            text: parts.rest.clone(),
        });
        let removed = Edit {
            span: self.span,
            text: String::new(),
        };
        permits.chain([removed]).collect()
    }
}

/// The lines to write: the first ones, and the number of the others.
fn listed(permits: &[Parts]) -> String {
    let shown = permits.iter().take(SHOWN);
    let shown: Vec<String> = shown.map(|parts| format!("`{}`", parts.rest)).collect();
    let lines = shown.join(", ");
    match permits.len().saturating_sub(SHOWN) {
        0 => lines,
        1 => format!("{lines} and 1 more line"),
        more => format!("{lines} and {more} more lines"),
    }
}

/// A request that a forbid line alone denies, if permit lines with methods would deny all that it does; `None` past the budget.
fn proved(candidate: &Candidate, policy: Policy<'_>, proofs: &mut Proofs<'_>) -> Option<Option<Request>> {
    for parts in &candidate.permits {
        if !is_covered(candidate, &parts.shared, proofs)? {
            return Some(None);
        }
    }
    denied_alone(candidate, policy, proofs)
}

/// A request that the token would allow without a forbid line; `None` past the budget.
fn denied_alone(
    candidate: &Candidate,
    policy: Policy<'_>,
    proofs: &mut Proofs<'_>,
) -> Option<Option<Request>> {
    let (program, variants) = (proofs.program, proofs.variants);
    let token = policy.program.token(candidate.token);
    let permits: Vec<RuleId> = token.rules(Effect::Permit).iter().collect();
    let forbids = token.rules(Effect::Forbid).iter();
    let others: Vec<RuleId> = forbids.filter(|id| *id != candidate.forbid).collect();
    let is_right = |proofs: &Proofs<'_>, request: &Request| {
        proofs.is_served(request) && allows(program, permits.clone(), others.clone(), request)
    };
    let other_rules: Vec<Ruled<'_>> = others.iter().filter_map(|id| proofs.ruled(*id)).collect();
    let mut is_open = false;
    for part in candidate
        .permits
        .iter()
        .filter_map(|parts| variants.rule(&parts.shared))
    {
        let sample = proofs.prover.sample(part);
        if let Some(request) = sample.filter(|request| is_right(proofs, request)) {
            return Some(Some(request));
        }
        let served = variants.rule(&proofs.served_line);
        let must: Vec<Ruled<'_>> = std::iter::once(part).chain(served).collect();
        match proofs.prover.request(&must, &other_rules) {
            Ok(Some(request)) if is_right(proofs, &request) => return Some(Some(request)),
            Ok(None) => {}
            Ok(Some(_)) | Err(_) => is_open = true,
        }
    }
    (!is_open).then_some(None)
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
fn parts((methods, line): &(MethodSet, Line<'_>), forbidden: MethodSet) -> Option<Parts> {
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
        let rest = line.for_methods(&rest);
        Parts {
            shared: line.compilable(line.for_methods(&list(true))),
            mend: line.mend([rest.clone()]),
            span: line.span,
            rest,
        }
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
