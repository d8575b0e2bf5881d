//! All tokens of the policy in force.

use std::sync::Arc;

use serde::Serialize;
use tokenward_audit::Usage;
use tokenward_compiler::ir::{Token, TokenId, Users};

use super::heavy::Console;
use super::used::Used;
use crate::admin::{AdminError, AdminState};
use crate::call::now_ms;
use crate::live::Live;

/// A token in the list.
#[derive(Clone, Debug, Serialize)]
pub(super) struct TokenRow {
    pub(super) name: String,
    /// Users that the token works for; absent for any.
    pub(super) users: Option<Vec<String>>,
    pub(super) owner: Option<String>,
    pub(super) description: Option<String>,
    /// `active`, `expired`, `revoked`, `suspended` or `refused`.
    pub(super) state: &'static str,
    pub(super) expires_ms: Option<i64>,
    pub(super) lines: usize,
    pub(super) unrestricted: bool,
    pub(super) mint: bool,
    pub(super) escalate: bool,
    /// All recorded calls.
    pub(super) used: Used,
}

impl TokenRow {
    pub(super) fn is_active(&self) -> bool {
        self.state == "active"
    }

    /// Whether an active token ends before this time.
    pub(super) fn ends_before(&self, ms: i64) -> bool {
        self.is_active() && self.expires_ms.is_some_and(|expires| expires < ms)
    }
}

/// Answers `GET /v1/tokens`.
pub(super) async fn tokens(state: &Arc<AdminState>, console: &Console) -> Result<Vec<TokenRow>, AdminError> {
    let now = now_ms();
    let ever = console.counts(&state.audit, None, now).await?;
    Ok(rows(state, &ever, now))
}

/// The tokens of the policy in force, by name.
pub(super) fn rows(state: &AdminState, ever: &Usage, now_ms: i64) -> Vec<TokenRow> {
    let live = state.policies.current();
    let tokens = live.program().tokens();
    let mut rows: Vec<TokenRow> = tokens
        .map(|token| row(state, &live, token, (ever, now_ms)))
        .collect();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    rows
}

/// One token.
pub(super) fn row(
    state: &AdminState,
    live: &Live,
    (id, token): (TokenId, &Token),
    (ever, now_ms): (&Usage, i64),
) -> TokenRow {
    let used = ever.tokens.get(&Some(token.name.clone()));
    TokenRow {
        users: match &token.users {
            Users::Named(users) => Some(users.clone()),
            Users::Any => None,
        },
        owner: token.owner.clone(),
        description: token.description.clone(),
        state: standing(state, live, (id, token), now_ms),
        expires_ms: token.expires,
        lines: live.program().lines_of(id).count(),
        unrestricted: token.unrestricted,
        mint: token.mint,
        escalate: token.escalate,
        used: used.map(Used::from).unwrap_or_default(),
        name: token.name.clone(),
    }
}

fn standing(state: &AdminState, live: &Live, (id, token): (TokenId, &Token), now_ms: i64) -> &'static str {
    let revocations = state.policies.revocations();
    if token.revoked || revocations.is_permanent(&token.secret_hash) {
        "revoked"
    } else if revocations.is_suspended(&token.secret_hash) {
        "suspended"
    } else if revocations.has(&token.secret_hash) {
        "revoked"
    } else if token.expires.is_some_and(|expires| expires <= now_ms) {
        "expired"
    } else if live.refuses(id) {
        "refused"
    } else {
        "active"
    }
}
