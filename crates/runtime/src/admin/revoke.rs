//! `POST /v1/revoke`: ends a token at once and permanently, including its calls in progress.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;
use tokenward_pdp::config::Role;
use tokenward_pdp::secret::{SecretHash, parse_hash, shown_hash};
use tokenward_pdp::text::bounded;

use super::caller::Caller;
use super::error::AdminError;
use super::state::AdminState;

/// Longest reason that is recorded, in bytes.
const LONGEST_REASON: usize = 1_000;

/// The token or secret to revoke; exactly one of the two.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    /// Name of a token of the active policy. Its current secret and the previous one are revoked.
    token: Option<String>,
    /// Hash of a secret in the form of policies: `sha256:…`.
    hash: Option<String>,
    /// The reason, for the audit.
    reason: Option<String>,
}

/// Revokes the token or secret, and responds when the revocation is on disk. It takes effect before that.
pub(super) async fn revoke(
    state: web::Data<AdminState>,
    caller: Caller,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, AdminError> {
    caller.may(Role::Revoker)?;
    caller.meant_by(&state, &request)?;
    let order: Order =
        serde_json::from_slice(&body).map_err(|_| AdminError::Question(EXPECTED.to_owned()))?;
    let reason = order.reason.as_deref().unwrap_or_default();
    let hashes = match (&order.token, &order.hash) {
        (Some(name), None) => state.revoke_token(&caller, name, reason).await?,
        (None, Some(hash)) => {
            let secret = parse_hash(hash).ok_or_else(|| AdminError::Question(EXPECTED.to_owned()))?;
            state.revoke(&caller, vec![secret], reason).await?
        }
        _ => return Err(AdminError::Question(EXPECTED.to_owned())),
    };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(format!("{}\n", json!({ "revoked": hashes }))))
}

impl AdminState {
    /// Revokes the secrets of a token of the active policy. Gives their hashes.
    pub(crate) async fn revoke_token(
        &self,
        caller: &Caller,
        name: &str,
        reason: &str,
    ) -> Result<Vec<String>, AdminError> {
        let secrets = self.policies.secrets_of(name);
        if secrets.is_empty() {
            return Err(AdminError::NoSuchToken);
        }
        self.revoke(caller, secrets, reason).await
    }

    /// Revokes secrets, records it, and returns when the revocation is on disk.
    async fn revoke(
        &self,
        caller: &Caller,
        secrets: Vec<SecretHash>,
        reason: &str,
    ) -> Result<Vec<String>, AdminError> {
        let hashes: Vec<String> = secrets.iter().map(shown_hash).collect();
        let names = self.policies.names_of(&secrets);
        log(&names);
        let revocations = self.policies.revocations().clone();
        let added = web::block(move || revocations.add(secrets)).await;
        // The record comes after the effect, whether or not the revocation is on disk.
        let text = match names.as_slice() {
            [] => format!("secret {}", hashes.join(", ")),
            names => format!("token {}", names.join(", ")),
        };
        let text = match reason.trim() {
            "" => text,
            reason => format!("{text} ({})", bounded(reason, LONGEST_REASON)),
        };
        self.record(caller, "revoke", &text).await;
        added
            .map_err(|_| AdminError::Stopping)?
            .map_err(AdminError::Unsaved)?;
        Ok(hashes)
    }
}

/// Logs the tokens by name. A secret that no token of the active policy has is counted only: its hash is in the file of
/// revocations.
fn log(names: &[String]) {
    for token in names {
        tracing::warn!(token, by = "operator", "token revoked");
    }
    if names.is_empty() {
        tracing::warn!(
            by = "operator",
            "secret revoked; no token of the active policy has it"
        );
    }
}

const EXPECTED: &str = r#"the body is {"token": "NAME"} or {"hash": "sha256:…"}, and may have a "reason""#;
