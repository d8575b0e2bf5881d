//! Checks whether the proxy would send a call upstream, by the code that judges real calls, without a running
//! proxy.

use tokenward_compiler::decide::Decision;
use tokenward_compiler::ir::{Program, TokenId};

use crate::evidence::Evidence;
use crate::inspect;
use crate::problem::Problem;
use crate::request::{self, Canonical, Needs, RawHead, Reason, Rules, SELF_PATH};

/// Why the proxy would not send a call upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsent {
    /// The proxy refuses the request before it asks the lines.
    Refused(Reason),
    /// The proxy answers the call itself.
    Own,
    /// The body is malformed.
    Body,
    /// The body has a member of this name, in which the product reads credentials.
    Credentials(String),
    /// The token lacks these keys.
    Lacks(Needs),
    /// The lines do not allow the call.
    Denied,
}

/// Whether a call with a valid secret of this token, from an allowed address, would be sent upstream. `program` is bound.
pub fn would_allow(program: &Program, rules: &Rules, token: TokenId, raw: &RawHead<'_>, body: &[u8]) -> bool {
    let keys = program.token(token);
    let read = rehearsed(rules, (keys.mint, keys.escalate), raw);
    read.is_ok_and(|canonical| by_lines(program, rules, token, &canonical, body).is_ok())
}

/// Reads the head of a call as the proxy does, for a token with these keys (`mint`, `escalate`).
///
/// # Errors
/// The proxy would not send it upstream, whatever the lines allow.
pub fn rehearsed(
    rules: &Rules,
    (mint, escalate): (bool, bool),
    raw: &RawHead<'_>,
) -> Result<Canonical, Unsent> {
    let reading = request::read(raw, rules);
    reading
        .framing
        .map_err(|refusal| Unsent::Refused(refusal.reason))?;
    if !reading.in_endpoints {
        return Err(Unsent::Refused(Reason::OutsideEndpoints));
    }
    let canonical = reading.head.map_err(|refusal| Unsent::Refused(refusal.reason))?;
    if canonical.path == SELF_PATH {
        return Err(Unsent::Own);
    }
    match rules.needs(&canonical).lacking(mint, escalate) {
        Some(needs) => Err(Unsent::Lacks(needs)),
        None => Ok(canonical),
    }
}

/// Judges the query and the body of a call as the proxy does, and asks the lines of a token of a bound program.
///
/// # Errors
/// The proxy would not send the call upstream.
pub(crate) fn by_lines(
    program: &Program,
    rules: &Rules,
    token: TokenId,
    canonical: &Canonical,
    body: &[u8],
) -> Result<(), Unsent> {
    let refused = |problem| match problem {
        Problem::Reading(refusal) => Unsent::Refused(refusal.reason),
        Problem::BodyCredentials(name) => Unsent::Credentials(name),
        _ => Unsent::Body,
    };
    inspect::check_query(program, token, canonical, rules).map_err(refused)?;
    if inspect::product_reads(canonical, rules) {
        inspect::check_body(program, token, canonical, rules, body).map_err(refused)?;
    }
    let decided = inspect::decide_whole(program, token, canonical, body, (rules, &mut Evidence::default()));
    match decided {
        Ok(Decision::Allow(_)) => Ok(()),
        Ok(_) => Err(Unsent::Denied),
        Err(problem) => Err(refused(problem)),
    }
}
