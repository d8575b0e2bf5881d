//! Where recorded calls come from, as lines of JSON: the store, or the proxy that has it open.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Collected, Empty, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokenward_audit::{Filter, OpenError, Page, Store};

use super::question::query_string;
use crate::admin::json_line;
use crate::cli::Failure;
use crate::config::{Config, admin_secret};

/// An answer has 10 000 entries at most, of some kilobytes at most.
const LARGEST_ANSWER: usize = 256 << 20;
/// A list that takes longer than this is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// A tail that is silent for so long is dead: the proxy sends an empty line every ten seconds.
const SILENCE: Duration = Duration::from_secs(30);

pub(super) enum Source {
    Store(Store),
    Admin(Admin),
}

/// A running proxy's admin listener.
pub(super) struct Admin {
    address: SocketAddr,
    secret: String,
    runtime: tokio::runtime::Runtime,
}

impl Source {
    /// The store if no other process has it; else the proxy that does.
    pub(super) fn open(config: &Config) -> Result<Self, Failure> {
        let path = &config.audit.path;
        if !path.exists() {
            let advice = "`tokenward serve` makes it; is this the right configuration?";
            return Err(Failure::Trouble(format!(
                "there is no audit at `{}`; {advice}",
                path.display()
            )));
        }
        match Store::open(config.audit.clone()) {
            Ok(store) => Ok(Self::Store(store)),
            Err(OpenError::Locked { .. }) => Admin::of(config).map(Self::Admin),
            Err(error) => Err(Failure::trouble(error)),
        }
    }

    /// The recorded calls that `filter` wants, one JSON object each, without line ends.
    pub(super) fn list(&self, filter: &Filter, page: Page) -> Result<Vec<String>, Failure> {
        match self {
            Self::Store(store) => {
                let entries = store.query(filter, page).map_err(Failure::trouble)?;
                Ok(entries
                    .into_iter()
                    .map(|entry| json_line(entry).trim_end().to_owned())
                    .collect())
            }
            Self::Admin(admin) => admin.list(&format!("/v1/audit?{}", query_string(filter, &page))),
        }
    }
}

impl Admin {
    fn of(config: &Config) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self {
            address: config.admin.listen,
            secret: admin_secret::read(&config.admin.secret_file).map_err(Failure::trouble)?,
            runtime: runtime.map_err(Failure::trouble)?,
        })
    }

    fn list(&self, target: &str) -> Result<Vec<String>, Failure> {
        let answer = async {
            let body = Limited::new(self.call(target).await?.into_body(), LARGEST_ANSWER)
                .collect()
                .await;
            body.map(Collected::to_bytes)
                .map_err(|_| self.failed("its answer broke off"))
        };
        let answer = self
            .runtime
            .block_on(async { tokio::time::timeout(PATIENCE, answer).await });
        let text = answer.map_err(|_| self.failed("it gave no answer"))??;
        Ok(String::from_utf8_lossy(&text)
            .lines()
            .map(str::to_owned)
            .collect())
    }

    /// Gives each new call to `show`, one JSON object each, until the proxy stops or `show` fails.
    pub(super) fn tail(
        &self,
        filter: &Filter,
        page: Page,
        mut show: impl FnMut(&str) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.runtime.block_on(async {
            let response = self
                .call(&format!("/v1/audit/tail?{}", query_string(filter, &page)))
                .await?;
            let mut body = response.into_body();
            let mut unfinished = Vec::new();
            loop {
                let frame = tokio::time::timeout(SILENCE, body.frame()).await;
                let frame = frame.map_err(|_| self.failed("it fell silent"))?;
                let Some(frame) = frame else { return Ok(()) };
                let frame = frame.map_err(|_| self.failed("it stopped"))?;
                unfinished.extend_from_slice(frame.data_ref().map(Bytes::as_ref).unwrap_or_default());
                let complete = unfinished
                    .iter()
                    .rposition(|byte| *byte == b'\n')
                    .map_or(0, |at| at + 1);
                let lines: Vec<u8> = unfinished.drain(..complete).collect();
                for line in String::from_utf8_lossy(&lines)
                    .lines()
                    .filter(|line| !line.is_empty())
                {
                    show(line)?;
                }
            }
        })
    }

    /// A successful answer's head.
    async fn call(&self, target: &str) -> Result<Response<Incoming>, Failure> {
        let request = Request::get(format!("http://{}{target}", self.address))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.secret))
            .body(Empty::<Bytes>::new())
            .map_err(Failure::trouble)?;
        let client = Client::builder(TokioExecutor::new()).build_http();
        let unreachable = |_| self.failed("it cannot be reached; does [admin] listen name its address?");
        let response = client.request(request).await.map_err(unreachable)?;
        match response.status() {
            StatusCode::OK => Ok(response),
            StatusCode::UNAUTHORIZED => Err(self.failed(
                "it does not know our secret; is [admin] secret_file the one that it was started with?",
            )),
            status => Err(self.failed(&format!("it answered {status}"))),
        }
    }

    fn failed(&self, why: &str) -> Failure {
        let place = self.address;
        Failure::Trouble(format!(
            "the audit is open in another process, and asking its admin listener {place} failed: {why}"
        ))
    }
}
