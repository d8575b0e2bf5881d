//! The admin listener: health, metrics and audit reading, for operators on the same machine.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /healthz` | `ok`; open to all |
//! | `GET /readyz` | JSON: whether calls are served, and the policy in force; with the secret also why the last reload failed |
//! | `GET /metrics` | OpenMetrics text, as Prometheus reads it |
//! | `GET /v1/audit` | recorded calls as JSON lines; the parameters are `Question` in `admin/audit.rs` |
//! | `GET /v1/audit/tail` | the same as they come, until the client closes; an empty line now and then keeps it alive |
//! | `GET /v1/audit/export` | all of them, however many, the oldest first |
//! | `GET /v1/audit/stats` | one line of JSON: how many calls, by token, line, reason and hour |
//! | `GET /v1/audit/events` | one line of JSON: what the audit itself has to say, such as what was counted instead of recorded |
//! | `GET /v1/audit/verify` | one line of JSON: what verifying the chain found |
//! | `GET /v1/audit/proof` | the stored blocks and signed heads, from `since_ms` on: see `tokenward_audit::Reader::proof_head` |
//! | `POST /v1/revoke` | revokes a token by `{"token": "NAME"}` or `{"hash": "sha256:…"}`, for good |
//!
//! All but the first two want `Authorization: Bearer` with the secret of `[admin] secret_file`.

mod audit;
mod entry;
mod events;
mod export;
mod metrics;
mod report;
mod revoke;
mod state;

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError, web};
use sha2::{Digest, Sha256};
use tokenward_audit::{OnFailure, Store};

pub(crate) use audit::OUTCOME_WAIT;
pub(crate) use entry::{escaped, is_deceptive, json_line, time};
pub(crate) use events::EventLine;
pub(crate) use metrics::Metrics;
pub(crate) use report::{Counts, LineName, UsageReport, UsedBy, VerifyReport};

use crate::live::Policies;
use crate::proxy::Addresses;

/// What the listener shows.
pub(crate) struct Desk {
    /// SHA-256 of the secret.
    secret: [u8; 32],
    policies: Arc<Policies>,
    audit: Store,
    metrics: Arc<Metrics>,
    upstream: Arc<Addresses>,
}

impl Desk {
    /// A desk that opens to this secret.
    pub(crate) fn new(
        secret: &str,
        policies: Arc<Policies>,
        audit: Store,
        metrics: Arc<Metrics>,
        upstream: Arc<Addresses>,
    ) -> Self {
        Self {
            secret: Sha256::digest(secret.as_bytes()).into(),
            policies,
            audit,
            metrics,
            upstream,
        }
    }

    /// Whether the request has the secret. Hashes are compared, and whole, so that the time taken tells nothing.
    fn admits(&self, request: &HttpRequest) -> bool {
        let mut fields = request.headers().get_all(AUTHORIZATION);
        let (Some(field), None) = (fields.next(), fields.next()) else {
            return false;
        };
        let Some((scheme, given)) = field.to_str().ok().and_then(|field| field.split_once(' ')) else {
            return false;
        };
        let given: [u8; 32] = Sha256::digest(given.as_bytes()).into();
        let difference = given
            .iter()
            .zip(&self.secret)
            .fold(0, |all, (a, b)| all | (a ^ b));
        scheme.eq_ignore_ascii_case("bearer") && difference == 0
    }
}

/// The routes.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/healthz", web::get().to(healthz))
        .route("/readyz", web::get().to(readyz))
        .route("/metrics", web::get().to(show_metrics))
        .route("/v1/audit", web::get().to(audit::list))
        .route("/v1/audit/tail", web::get().to(audit::tail))
        .route("/v1/audit/export", web::get().to(export::export))
        .route("/v1/audit/proof", web::get().to(export::proof))
        .route("/v1/audit/stats", web::get().to(report::stats))
        .route("/v1/audit/events", web::get().to(report::events))
        .route("/v1/audit/verify", web::get().to(report::verify))
        .route("/v1/revoke", web::post().to(revoke::revoke));
}

/// The proof that a request had the secret.
pub(crate) struct Operator;

/// A request without the secret, or one that cannot be answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeskError {
    /// No secret, or a wrong one.
    #[error("this needs the admin secret as a Bearer token; its place is [admin] secret_file")]
    NotAdmitted,
    /// A parameter that is not known, or has no such value.
    #[error("{0}")]
    Question(String),
    /// The audit cannot be read.
    #[error("{0}")]
    Audit(#[from] tokenward_audit::QueryError),
    /// There is nothing of that name to revoke.
    #[error("the policy in force has no token of that name; revoke by hash, which needs none")]
    NoSuchToken,
    /// A revocation is in force, and not on disk.
    #[error("revoked until the next start, but not written: {0}; it is tried again twice a second")]
    Unsaved(std::io::Error),
    /// Reading stopped short.
    #[error("the process is stopping")]
    Stopping,
}

impl ResponseError for DeskError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotAdmitted => StatusCode::UNAUTHORIZED,
            Self::Question(_) => StatusCode::BAD_REQUEST,
            Self::NoSuchToken => StatusCode::NOT_FOUND,
            Self::Unsaved(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Audit(_) | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if matches!(self, Self::NotAdmitted) {
            response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"tokenward admin\""));
        }
        let status = self.status_code();
        let problem = serde_json::json!({
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": self.to_string(),
        });
        response
            .insert_header((CONTENT_TYPE, "application/problem+json"))
            .body(format!("{problem}\n"))
    }
}

impl FromRequest for Operator {
    type Error = DeskError;
    type Future = std::future::Ready<Result<Self, DeskError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let admitted = request
            .app_data::<web::Data<Desk>>()
            .is_some_and(|desk| desk.admits(request));
        std::future::ready(if admitted {
            Ok(Self)
        } else {
            Err(DeskError::NotAdmitted)
        })
    }
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(desk: web::Data<Desk>, operator: Option<Operator>) -> HttpResponse {
    let live = desk.policies.current();
    let stats = desk.audit.stats();
    let ready = stats.failing.is_none() || desk.audit.config().on_failure == OnFailure::AllowSafe;
    let mut body = serde_json::json!({ "ready": ready, "policy": live.program().digest() });
    if let (Some(Operator), Some(fields)) = (operator, body.as_object_mut()) {
        let reloads = desk.policies.status();
        let since = live
            .since()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        fields.insert(
            "policy_since".into(),
            entry::time(i64::try_from(since).unwrap_or_default() * 1000).into(),
        );
        fields.insert("tokens".into(), live.program().tokens().count().into());
        fields.insert("reloads".into(), reloads.succeeded.into());
        fields.insert("reloads_failed".into(), reloads.failed.into());
        fields.insert("reload_failure".into(), reloads.failure.into());
        fields.insert("restart_needed".into(), reloads.waiting.into());
        let revocations = desk.policies.revocations();
        fields.insert("revoked_secrets".into(), revocations.count().into());
        fields.insert(
            "revoked_not_in_policy".into(),
            desk.policies.revoked_beside_policy().into(),
        );
        fields.insert("revocations_unsaved".into(), revocations.unsaved().into());
        fields.insert("audit_failing".into(), stats.failing.into());
        fields.insert("audit_last".into(), stats.last.0.into());
    }
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(format!("{body}\n"))
}

async fn show_metrics(desk: web::Data<Desk>, _: Operator) -> HttpResponse {
    let text = desk
        .metrics
        .render(&state::state(&desk.policies, &desk.audit.stats(), &desk.upstream));
    HttpResponse::Ok()
        .insert_header((
            CONTENT_TYPE,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ))
        .body(text)
}
