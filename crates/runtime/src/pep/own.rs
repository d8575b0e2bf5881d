//! `GET /.tokenward/self`: shows a token to its holder. The call is treated like any other, but the proxy answers it.

use serde_json::{Value, json};
use tokenward_compiler::ir::TokenId;
use tokenward_pdp::text::time;

use super::denials::Denial;
use crate::call::Call;
use crate::limiter::Limiter;

/// Describes the call's token: name, user, expiry, limits, the last denials of this user, and the lines if policy text is shown
/// (`null` otherwise).
pub(super) fn describe(
    call: &Call,
    id: TokenId,
    (limiter, show_policy): (&Limiter, bool),
    denials: &[Denial],
) -> Value {
    let program = call.live.program();
    let token = program.token(id);
    // Limits of the configuration are included, since they apply to the holder too.
    let limits = limiter.limits_of(token);
    let texts = || program.lines_of(id).map(|(_, line)| line.text);
    let lines: Option<Vec<&str>> = show_policy.then(|| texts().collect());
    json!({
        "token": token.name,
        "user": call.user.as_deref(),
        "description": token.description,
        "owner": token.owner,
        "expires": token.expires.map(time),
        "on_behalf_of": token.on_behalf_of,
        "unrestricted": token.unrestricted,
        "mint": token.mint,
        "escalate": token.escalate,
        "limits": {
            "rate": limits.rate.map(|rate| rate.to_string()),
            "burst": limits.whole_burst(),
            "left": call.level.map(|level| level.left),
            "concurrent": limits.concurrent,
            "max_body": limits.max_body,
        },
        "lines": lines,
        "denials": denials,
        "policy": program.digest(),
    })
}
