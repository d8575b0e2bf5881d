//! Checks whether the proxy would send a call upstream, by the code that judges real calls, without a running
//! proxy.

use tokenward_compiler::decide::Decision;
use tokenward_compiler::ir::{Program, TokenId};

use super::inspect;
use crate::call::evidence::Evidence;
use crate::request::{self, RawHead, Rules, SELF_PATH};

/// Whether a call with a valid secret of this token, from an allowed address, would be sent upstream. `program` is bound.
pub(crate) fn would_allow(
    program: &Program,
    rules: &Rules,
    token: TokenId,
    raw: &RawHead<'_>,
    body: &[u8],
) -> bool {
    let reading = request::read(raw, rules);
    let Ok(canonical) = reading.head else { return false };
    if reading.framing.is_err() || !reading.in_endpoints || canonical.path == SELF_PATH {
        return false;
    }
    let definition = program.token(token);
    if rules
        .needs(&canonical)
        .lacking(definition.mint, definition.escalate)
        .is_some()
    {
        return false;
    }
    if inspect::check_query(program, token, &canonical, rules).is_err() {
        return false;
    }
    if inspect::product_reads(&canonical, rules)
        && inspect::check_body(program, token, &canonical, rules, body).is_err()
    {
        return false;
    }
    let decided = inspect::decide_whole(
        program,
        token,
        &canonical,
        body,
        (rules, &mut Evidence::default()),
    );
    matches!(decided, Ok(Decision::Allow(_)))
}
