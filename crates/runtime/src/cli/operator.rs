//! Orders to a running proxy, through its admin listener.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokenward_pdp::config::Config;

use super::failure::Failure;
use super::health::reachable;
use crate::admin_secret;
use crate::tls::pinned_connector;

/// An order that takes longer than this is given up.
const PATIENCE: Duration = Duration::from_secs(10);
const LARGEST_ANSWER: usize = 64 << 20;

/// The part of the system that applied a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RevocationStatus {
    /// The running proxy: it is in force.
    Revoked,
    /// The revocation file next to the audit, which the next proxy reads.
    Kept,
    /// No proxy has run here.
    Nobody,
}

impl RevocationStatus {
    /// Name in JSON output.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Kept => "kept",
            Self::Nobody => "none",
        }
    }
}

/// Gives an order to the proxy that runs with this configuration.
///
/// # Errors
/// The listener cannot be reached, or refuses the request.
pub(super) fn post(config: &Config, target: &str, order: &Value) -> Result<Value, Failure> {
    send(config, Method::POST, target, order.to_string())
}

/// Asks the proxy that runs with this configuration.
///
/// # Errors
/// The listener cannot be reached, or refuses the request.
pub(super) fn get(config: &Config, target: &str) -> Result<Value, Failure> {
    send(config, Method::GET, target, String::new())
}

/// The scheme of the admin listener's URL.
pub(super) fn scheme(config: &Config) -> &'static str {
    if config.admin.tls.is_some() {
        "https"
    } else {
        "http"
    }
}

fn send(config: &Config, method: Method, target: &str, body: String) -> Result<Value, Failure> {
    let place = reachable(config.admin.listen);
    let scheme = scheme(config);
    let failed = |why: &str| {
        Failure::Trouble(format!(
            "the admin listener {place} of the running proxy did not carry out the request: {why}"
        ))
    };
    // The request, authenticated by the admin secret.
    let secret = admin_secret::read(&config.admin.secret_file).map_err(Failure::trouble)?;
    let request = Request::builder()
        .method(method)
        .uri(format!("{scheme}://{place}{target}"))
        .header(header::AUTHORIZATION, format!("Bearer {}", *secret))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::<Bytes>::from(body))
        .map_err(Failure::trouble)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let connector = pinned_connector(config.admin.tls.as_ref()).map_err(Failure::trouble)?;
    let answer = async {
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let response = client
            .request(request)
            .await
            .map_err(|_| failed("cannot connect to it; check the address in [admin] listen"))?;
        // The body is limited: the address may belong to another program.
        let status = response.status();
        let body = Limited::new(response.into_body(), LARGEST_ANSWER).collect().await;
        let body = body.map_err(|_| failed("its response was cut off"))?.to_bytes();
        let told: Value = serde_json::from_slice(&body).unwrap_or_default();
        match status {
            StatusCode::OK => Ok(told),
            // The order itself is incomplete, which its giver can correct.
            StatusCode::BAD_REQUEST => Err(Failure::Usage(
                told.get("detail")
                    .and_then(Value::as_str)
                    .unwrap_or("the admin listener does not understand the request")
                    .to_owned(),
            )),
            StatusCode::UNAUTHORIZED => Err(failed(
                "it rejected the admin secret; check that [admin] secret_file is the one that it was started with",
            )),
            _ => Err(failed(
                told.get("detail")
                    .and_then(Value::as_str)
                    .unwrap_or(status.as_str()),
            )),
        }
    };
    let answer = runtime
        .map_err(Failure::trouble)?
        .block_on(async { tokio::time::timeout(PATIENCE, answer).await });
    answer.map_err(|_| failed("it did not respond"))?
}
