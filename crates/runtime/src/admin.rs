//! The admin listener: health, metrics, audit queries and revocation, for operators on the same machine.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /healthz`, `GET /livez` | `ok`, `live`; open to all |
//! | `GET /readyz` | JSON: whether calls are served, and the policy in force; with the secret also why the last reload failed |
//! | `GET /metrics` | OpenMetrics text, as Prometheus reads it |
//! | `GET /v1/audit` | recorded calls as JSON lines; the parameters are `Question` in `admin/audit.rs` |
//! | `GET /v1/audit/tail` | the same as they come, until the client closes; an empty line now and then keeps it alive |
//! | `GET /v1/audit/export` | all of them, however many, the oldest first |
//! | `GET /v1/audit/stats` | one line of JSON: how many calls, by token, line, reason and hour |
//! | `GET /v1/audit/events` | one line of JSON: what the audit itself has to say, such as what was counted instead of recorded |
//! | `GET /v1/audit/verify` | one line of JSON: what verifying the chain found |
//! | `GET /v1/audit/proof` | the stored blocks and signed heads, from `since_ms` on: see `tokenward_audit::Reader::proof_head` |
//! | `GET /v1/fleet` | one line of JSON: the state of this proxy in its fleet; `null` without a fleet |
//! | `POST /v1/revoke` | revokes a token by `{"token": "NAME"}` or `{"hash": "sha256:…"}`, for good |
//! | `POST /v1/explain` | how the proxy would answer a request, and why: the question is `Question` in `pdp/explain/question.rs` |
//!
//! All but the health checks require `Authorization: Bearer` with the secret of `[admin] secret_file`, a session of the console, or
//! a person's certificate or header (`admin/caller.rs`). Wrong secrets are logged, counted and slowed, and what people do is recorded
//! (`admin/acts.rs`). Requests for other hosts, and changes by pages of other sites, are refused (`admin/guard.rs`).

mod acts;
mod admission;
mod audit;
mod body;
mod caller;
mod certificate;
mod error;
mod explain;
mod export;
mod failed_logins;
mod gauges;
mod guard;
mod health;
mod names;
mod report;
mod revoke;
mod sessions;
mod state;
mod turns;

use std::time::UNIX_EPOCH;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use tokenward_pdp::text::time;

pub(crate) use audit::{OUTCOME_WAIT, Question, tail_of};
pub(crate) use caller::{Caller, address};
pub(crate) use certificate::PeerCertificate;
pub(crate) use error::AdminError;
pub(crate) use export::export_all;
pub(crate) use guard::guard;
pub(crate) use health::{LIVE, READY, Readiness, health_routes};
pub(crate) use state::{AdminState, Shown};

/// Registers the routes of the admin listener.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/healthz", web::get().to(healthz))
        .route("/livez", web::get().to(health::livez))
        .route("/readyz", web::get().to(readyz))
        .route("/metrics", web::get().to(show_metrics))
        .route("/v1/audit", web::get().to(audit::list))
        .route("/v1/audit/tail", web::get().to(audit::tail))
        .route("/v1/audit/export", web::get().to(export::export))
        .route("/v1/audit/proof", web::get().to(export::proof))
        .route("/v1/audit/stats", web::get().to(report::stats))
        .route("/v1/audit/events", web::get().to(report::events))
        .route("/v1/audit/verify", web::get().to(report::verify))
        .route("/v1/fleet", web::get().to(fleet))
        .route("/v1/revoke", web::post().to(revoke::revoke))
        .service(
            web::resource("/v1/explain")
                .app_data(web::PayloadConfig::new(explain::LARGEST))
                .route(web::post().to(explain::explain)),
        );
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(state: web::Data<AdminState>, operator: Option<Caller>) -> HttpResponse {
    let live = state.policies.current();
    let stats = state.audit.stats();
    let ready = state.readiness.is_ready();
    let mut body = serde_json::json!({ "ready": ready, "policy": live.program().digest() });
    let refused = live.refused().len();
    if refused > 0
        && let Some(fields) = body.as_object_mut()
    {
        // Names are for operators.
        fields.insert("policy_errors".into(), refused.into());
    }
    if let (Some(_), Some(fields)) = (operator, body.as_object_mut()) {
        let reloads = state.policies.status();
        let since = live
            .since()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        fields.insert(
            "policy_since".into(),
            time(i64::try_from(since).unwrap_or_default() * 1000).into(),
        );
        fields.insert("tokens".into(), live.program().tokens().count().into());
        fields.insert("reloads".into(), reloads.succeeded.into());
        fields.insert("reloads_failed".into(), reloads.failed.into());
        fields.insert("reload_failure".into(), reloads.failure.into());
        fields.insert("tokens_refused".into(), live.refused().into());
        fields.insert("dead_forbid_lines".into(), reloads.dead.into());
        fields.insert("restart_needed".into(), reloads.waiting.into());
        let revocations = state.policies.revocations();
        fields.insert("revoked_secrets".into(), revocations.count().into());
        fields.insert(
            "revoked_not_in_policy".into(),
            state.policies.revoked_beside_policy().into(),
        );
        fields.insert("revocations_unsaved".into(), revocations.unsaved().into());
        fields.insert("suspended_tokens".into(), state.policies.suspended().into());
        fields.insert("listeners".into(), state.listeners().into());
        fields.insert("audit_failing".into(), stats.failing.into());
        fields.insert("audit_last".into(), stats.last.0.into());
        fields.insert("fleet".into(), serde_json::json!(state.readiness.fleet()));
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

async fn fleet(state: web::Data<AdminState>, _: Caller) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(report::line(&state.readiness.fleet()))
}

async fn show_metrics(state: web::Data<AdminState>, _: Caller) -> HttpResponse {
    let text = state.metrics.render(&gauges::state(
        &state.policies,
        &state.audit.stats(),
        &state.upstream,
        state.readiness.fleet().as_ref(),
    ));
    HttpResponse::Ok()
        .insert_header((
            CONTENT_TYPE,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ))
        .body(text)
}
