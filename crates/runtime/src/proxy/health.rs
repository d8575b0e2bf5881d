//! Health checks of the upstream's addresses: a periodic GET to each, on a thread of its own.
//!
//! Health checks are the proxy's own requests: they name no user, contain no credentials, and their responses are
//! dropped.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{Request, StatusCode, Uri};
use http_body_util::Empty;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::addresses::Address;
use super::client::connector;
use super::settings::{HealthSettings, UpstreamSettings};
use super::stream::Connector;
use hyper_util::client::legacy::Client;

/// Time limit of a health check.
const PATIENCE: Duration = Duration::from_secs(2);

/// Health checks that run until this is dropped.
pub(crate) struct HealthChecks {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl HealthChecks {
    /// Starts the health checks, if the settings have a path for them.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(upstream: UpstreamSettings) -> io::Result<Option<Self>> {
        let Some(health) = upstream.health().cloned() else {
            return Ok(None);
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("upstream-health".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = stopped => {}
                        () = check(&upstream, &health) => {}
                    }
                });
            })?;
        Ok(Some(Self {
            stop: Some(stop),
            thread: Some(thread),
        }))
    }
}

impl Drop for HealthChecks {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn check(upstream: &UpstreamSettings, health: &HealthSettings) {
    let client = Client::builder(hyper_util::rt::TokioExecutor::new()).build(connector(upstream));
    let addresses = Arc::clone(upstream.addresses());
    loop {
        let round = addresses.all().iter().map(|address| async {
            let well = timeout(PATIENCE, is_well(&client, upstream, address, &health.path)).await;
            address.checked(well.unwrap_or(false));
        });
        futures_util::future::join_all(round).await;
        sleep(health.interval).await;
    }
}

/// Whether the address responds with a status below 400.
async fn is_well(
    client: &Client<Connector, Empty<Bytes>>,
    upstream: &UpstreamSettings,
    address: &Address,
    path: &str,
) -> bool {
    let status = ask(client, upstream, address, path).await;
    status.is_ok_and(|status| status.is_success() || status.is_redirection())
}

/// Sends a request to the address, and gives the status of its response.
///
/// # Errors
/// No response arrived. The text is the cause.
async fn ask(
    client: &Client<Connector, Empty<Bytes>>,
    upstream: &UpstreamSettings,
    address: &Address,
    path: &str,
) -> Result<StatusCode, String> {
    let uri = Uri::builder()
        .scheme(upstream.scheme().clone())
        .authority(address.authority())
        .path_and_query(path)
        .build()
        .map_err(|error| error.to_string())?;
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = uri;
    request.headers_mut().insert(HOST, upstream.host().clone());
    let answer = client.request(request).await;
    answer
        .map(|answer| answer.status())
        .map_err(|error| innermost(&error))
}

/// Gives the innermost error, which names the cause.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// An address, and its status or the reason why it is not healthy.
pub(crate) type Asked = (String, Result<StatusCode, String>);

/// Sends one request to each address: to the health path if there is one, which must give 2xx or 3xx, otherwise to the context
/// path, which may give any status below 500.
///
/// # Errors
/// The system gives no runtime.
pub(crate) fn ask_once(upstream: &UpstreamSettings) -> io::Result<Vec<Asked>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let root = format!("{}/", upstream.path());
    let (path, most) = match upstream.health() {
        Some(health) => (health.path.as_str(), 400),
        None => (root.as_str(), 500),
    };
    Ok(runtime.block_on(async {
        let client = Client::builder(hyper_util::rt::TokioExecutor::new()).build(connector(upstream));
        let all = upstream.addresses().all().iter().map(|address| async {
            let answer = match timeout(PATIENCE, ask(&client, upstream, address, path)).await {
                Ok(Ok(status)) if status.as_u16() >= most => Err(format!("GET {path} answers {status}")),
                Ok(answer) => answer,
                Err(_) => Err(format!("no response within {} s", PATIENCE.as_secs())),
            };
            (address.authority().to_owned(), answer)
        });
        futures_util::future::join_all(all).await
    }))
}
