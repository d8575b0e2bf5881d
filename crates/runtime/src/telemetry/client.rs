//! The HTTP client towards the collector: hyper, as in the health checks.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_http::{HttpClient, HttpError};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::tls::{TlsError, https_connector};

/// Maximum size of a collector's response.
const ANSWER_BYTES: usize = 64 * 1024;

pub(super) struct CollectorClient {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    runtime: Handle,
    /// Whether the last batch was rejected. The log reports the change, not each batch.
    failing: AtomicBool,
}

impl fmt::Debug for CollectorClient {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("CollectorClient")
    }
}

impl CollectorClient {
    /// Makes a client for this endpoint, whose connections belong to that runtime.
    pub(super) fn new(endpoint: &str, runtime: Handle) -> Result<Self, TlsError> {
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(https_connector(endpoint, None, TIMEOUT)?),
            runtime,
            failing: AtomicBool::new(false),
        })
    }

    fn tell(&self, failure: Option<&HttpError>) {
        match (self.failing.swap(failure.is_some(), Ordering::Relaxed), failure) {
            (false, Some(error)) => {
                tracing::warn!(
                    error = error.to_string(),
                    "telemetry: the collector does not accept spans"
                );
            }
            (true, None) => tracing::info!("telemetry: the collector accepts spans again"),
            _ => {}
        }
    }
}

#[async_trait::async_trait]
impl HttpClient for CollectorClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (client, request) = (self.client.clone(), request.map(Full::new));
        let sending = async move {
            let (parts, body) = client.request(request).await?.into_parts();
            let body = Limited::new(body, ANSWER_BYTES).collect().await?.to_bytes();
            Ok::<_, HttpError>(Response::from_parts(parts, body))
        };
        // The timer must be created within the runtime, and the caller's thread is outside.
        let sending = self.runtime.spawn(async move { timeout(TIMEOUT, sending).await });
        let answer = match sending.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(late)) => Err(late.into()),
            Err(stopped) => Err(stopped.into()),
        };
        let answer = answer.and_then(|answer| match answer.status() {
            status if status.is_success() => Ok(answer),
            status => Err(format!("it responded with {status}").into()),
        });
        self.tell(answer.as_ref().err());
        answer
    }
}

/// Time limit for the collector, also for the last spans at shutdown.
pub(super) const TIMEOUT: Duration = Duration::from_secs(3);
