//! `GET /.tokenward/self`: shows a token to its holder. The call is treated like any other, but the proxy answers it.

use serde_json::{Value, json};
use tokenward_compiler::ir::TokenId;

use super::denials::Denial;
use crate::call::Call;
use crate::text::time;

/// Describes the call's token: name, user, expiry, the last denials of this user, and the lines if policy text is shown
/// (`null` otherwise).
pub(super) fn describe(call: &Call, id: TokenId, show_policy: bool, denials: &[Denial]) -> Value {
    let program = call.live.program();
    let token = program.token(id);
    let texts = || program.lines_of(token).map(|(_, line)| line.text);
    let lines: Option<Vec<&str>> = show_policy.then(|| texts().collect());
    json!({
        "token": token.name,
        "user": call.user,
        "description": token.description,
        "owner": token.owner,
        "expires": token.expires.map(time),
        "on_behalf_of": token.on_behalf_of,
        "unrestricted": token.unrestricted,
        "mint": token.mint,
        "escalate": token.escalate,
        "lines": lines,
        "denials": denials,
        "policy": program.digest(),
    })
}
