//! `POST /v1/revoke`: ends a token at once and permanently, including its calls in progress.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;
use tokenward_pdp::secret::{parse_hash, shown_hash};

use super::error::AdminError;
use super::operator::Operator;
use super::state::AdminState;

/// The token or secret to revoke; exactly one of the two.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    /// Name of a token of the active policy. Its current secret and the previous one are revoked.
    token: Option<String>,
    /// Hash of a secret in the form of policies: `sha256:…`.
    hash: Option<String>,
}

/// Revokes the token or secret, and responds when the revocation is on disk. It takes effect before that.
pub(super) async fn revoke(
    state: web::Data<AdminState>,
    _: Operator,
    body: web::Bytes,
) -> Result<HttpResponse, AdminError> {
    let order: Order =
        serde_json::from_slice(&body).map_err(|_| AdminError::Question(EXPECTED.to_owned()))?;
    let secrets = match (&order.token, &order.hash) {
        (Some(name), None) => state.policies.secrets_of(name),
        (None, Some(hash)) => {
            let secret = parse_hash(hash);
            vec![secret.ok_or_else(|| AdminError::Question(EXPECTED.to_owned()))?]
        }
        _ => return Err(AdminError::Question(EXPECTED.to_owned())),
    };
    if secrets.is_empty() {
        return Err(AdminError::NoSuchToken);
    }
    let hashes: Vec<String> = secrets.iter().map(shown_hash).collect();
    log(&state.policies.names_of(&secrets));
    let revocations = state.policies.revocations().clone();
    let added = web::block(move || revocations.add(secrets)).await;
    added
        .map_err(|_| AdminError::Stopping)?
        .map_err(AdminError::Unsaved)?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(format!("{}\n", json!({ "revoked": hashes }))))
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

const EXPECTED: &str = r#"the body is {"token": "NAME"} or {"hash": "sha256:…"}"#;
