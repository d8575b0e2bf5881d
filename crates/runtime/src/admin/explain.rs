//! `POST /v1/explain`: how the proxy would answer a request, and why. No call is made and nothing is recorded.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use tokenward_pdp::explain::Question;
use tokenward_pdp::text::escaped;

use super::caller::Caller;
use super::error::AdminError;
use super::state::AdminState;

/// Maximum size of a question; its body is in base64.
pub(super) const LARGEST: usize = 64 << 20;

/// Responds with the report, as JSON.
pub(super) async fn explain(
    state: web::Data<AdminState>,
    caller: Caller,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, AdminError> {
    caller.meant_by(&state, &request)?;
    // The error of the parser could repeat a part of the request, so it is not shown.
    let question: Question =
        serde_json::from_slice(&body).map_err(|_| AdminError::Question(EXPECTED.to_owned()))?;
    let question = question.with_host(state.gate.rules.base().authority());
    let report = state.gate.explain(&question);
    let report = report.map_err(|incomplete| AdminError::Question(incomplete.to_string()))?;
    let json = serde_json::to_string(&report).map_err(|_| AdminError::Stopping)?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(format!("{}\n", escaped(&json))))
}

const EXPECTED: &str = r#"the body is {"token": "NAME", "method": "GET", "target": "/rest/…", "headers": [["name", "value"]]}; see docs/operations.md for the other members"#;
