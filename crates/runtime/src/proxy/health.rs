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
use http::{Request, Uri};
use http_body_util::Empty;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::addresses::Address;
use super::client::{Connector, connector};
use super::settings::{HealthSettings, UpstreamSettings};
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
    let uri = Uri::builder()
        .scheme(upstream.scheme().clone())
        .authority(address.authority())
        .path_and_query(path)
        .build();
    let Ok(uri) = uri else { return false };
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = uri;
    request.headers_mut().insert(HOST, upstream.host().clone());
    let answer = client.request(request).await;
    answer.is_ok_and(|answer| answer.status().is_success() || answer.status().is_redirection())
}
