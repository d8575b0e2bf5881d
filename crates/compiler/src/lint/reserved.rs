//! TW0513: a line of a token with `mint` or `escalate` that allows calls for credentials or rights.

use super::{
    proof::Proofs,
    question::{Lints, Policy},
    shown::witness,
};
use crate::{
    analysis::{Request, Ruled, head},
    ast::Effect,
    diagnostic::{Code, Diagnostic},
    findings::Reserved,
    ir::{RuleId, TokenId},
    method::MethodSet,
};

pub(super) fn find<'p>(
    policy: Policy<'p>,
    reserved: &'p Reserved<'p>,
    proofs: &mut Proofs<'p>,
    lints: &mut Lints,
) {
    let program = policy.program;
    for (id, token) in program.tokens().filter(|(_, token)| !token.revoked) {
        for (key_id, key) in reserved.program.tokens() {
            // Without the key, the proxy refuses the calls whatever the lines say.
            if (reserved.lacks)(token, &key.name) {
                continue;
            }
            let calls = calls(reserved, key_id);
            // The proxy refuses a call that also needs a key which the token lacks.
            let others = reserved.program.tokens();
            let others = others.filter(|(_, key)| (reserved.lacks)(token, &key.name));
            let others: Vec<Ruled<'p>> = others.flat_map(|(key, _)| rules(reserved, key)).collect();
            for rule in token.rules(Effect::Permit).iter() {
                let Some(span) = program
                    .rule(rule)
                    .and_then(|rule| policy.source_map.line(rule.line))
                else {
                    continue;
                };
                let Some(request) = allowed((id, rule), (&calls, &others), proofs, lints) else {
                    continue;
                };
                let what = match key.name.as_str() {
                    "mint" => "create or show credentials",
                    _ => "give rights",
                };
                lints.diagnostics.push(
                    Diagnostic::new(
                        Code::ReachesReserved,
                        span,
                        format!(
                            "this line allows calls that {what}, since `{}` has `{} = true`",
                            token.name, key.name
                        ),
                    )
                    .help(format!(
                        "remove `{} = true`, or allow only the calls that are needed",
                        key.name
                    ))
                    .witness(witness(program, token, &request)),
                );
            }
        }
    }
}

/// The calls that need a key, each with how its path begins.
fn calls<'p>(reserved: &'p Reserved<'p>, key: TokenId) -> Vec<(Ruled<'p>, Vec<u8>)> {
    rules(reserved, key).map(|call| (call, head(call))).collect()
}

/// The calls that need a key.
fn rules<'p>(reserved: &'p Reserved<'p>, key: TokenId) -> impl Iterator<Item = Ruled<'p>> {
    let program = reserved.program;
    let rules = program.token(key).rules(Effect::Permit).iter();
    let calls = rules.filter_map(|id| program.rule(id));
    calls.map(|rule| Ruled { program, rule })
}

/// A call that needs the key and none that the token lacks, and that the line allows.
fn allowed<'p>(
    (token, id): (TokenId, RuleId),
    (calls, others): (&[(Ruled<'p>, Vec<u8>)], &[Ruled<'p>]),
    proofs: &mut Proofs<'p>,
    lints: &mut Lints,
) -> Option<Request> {
    let ruled = proofs.ruled(id)?;
    let begin = head(ruled);
    for (call, beginning) in calls {
        let is_near = ruled.rule.methods.intersection(call.rule.methods) != MethodSet::EMPTY
            && begin.iter().zip(beginning).all(|(one, other)| one == other);
        if !is_near {
            continue;
        }
        match proofs.search(token, &[ruled, *call], others) {
            Ok(Some(request)) if proofs.is_allowed((token, id), &request) => return Some(request),
            Ok(_) => {}
            Err(_) => lints.open += 1,
        }
    }
    None
}
