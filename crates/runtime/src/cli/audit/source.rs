//! The source of recorded calls as lines of JSON: the store's files, or the proxy that has it open.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Collected, Empty, Limited};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use tokenward_audit::{Filter, Page, PublicKey, Reader, Sequence, in_use};
use tokenward_pdp::config::Config;
use zeroize::Zeroizing;

use super::new_file::NewFile;
use super::question::query_string;
use super::table::shown;
use crate::admin_secret;
use crate::audit_json::{EventLine, UsageReport, VerifyReport, json_line};
use crate::cli::health::reachable;
use crate::cli::operator::scheme;
use crate::cli::{Failure, output};
use crate::tls::pinned_connector;

/// Maximum size of a response: 10 000 entries of some kilobytes.
const LARGEST_ANSWER: usize = 256 << 20;
/// Time limit for a list.
const PATIENCE: Duration = Duration::from_secs(60);
/// Time without data after which a response counts as dead. The proxy sends an empty line every ten seconds.
const SILENCE: Duration = Duration::from_secs(30);
/// Time for which a stopping proxy may still accept connections.
const FAREWELL: Duration = Duration::from_secs(5);
/// Maximum size of an error response, which is short.
const LARGEST_PROBLEM: usize = 64 << 10;
/// Number of calls, and of bytes of blocks, that are read from files in one step.
const STEP: usize = 2_000;
const STEP_BYTES: usize = 4 << 20;

pub(super) enum Source {
    Files(Reader),
    Admin(Admin),
}

/// Function that receives each line.
pub(super) type Each<'e> = &'e mut dyn FnMut(&str) -> Result<(), Failure>;

/// A running proxy's admin listener.
pub(super) struct Admin {
    address: SocketAddr,
    scheme: &'static str,
    connector: HttpsConnector<HttpConnector>,
    secret: Zeroizing<String>,
    runtime: tokio::runtime::Runtime,
}

impl Source {
    /// Opens the store's files if no process has them open; otherwise connects to the proxy that has.
    pub(super) fn open(config: &Config) -> Result<Self, Failure> {
        let path = &config.audit.path;
        if !path.exists() {
            let advice = "`tokenward serve` creates it; check that this is the right configuration";
            return Err(Failure::Trouble(format!(
                "no audit at `{}`; {advice}",
                path.display()
            )));
        }
        if in_use(path) {
            Admin::of(config).map(Self::Admin)
        } else {
            Self::files(path)
        }
    }

    /// Opens the files of a store, or a proof, even if a process has it open.
    pub(super) fn files(path: &Path) -> Result<Self, Failure> {
        Ok(Self::Files(Reader::open(path).map_err(Failure::trouble)?))
    }

    /// Lists the recorded calls that match `filter`, one JSON object each, without line ends.
    pub(super) fn list(&self, filter: &Filter, page: Page) -> Result<Vec<String>, Failure> {
        match self {
            Self::Files(reader) => {
                let entries = reader.query(filter, page).map_err(Failure::trouble)?;
                Ok(entries
                    .into_iter()
                    .map(|entry| json_line(entry).trim_end().to_owned())
                    .collect())
            }
            Self::Admin(admin) => admin.list(&format!("/v1/audit?{}", query_string(filter, &page))),
        }
    }

    /// Gives all recorded calls that match `filter`, after a sequence number, oldest first, to `each`.
    pub(super) fn all(
        &self,
        filter: &Filter,
        after: Option<Sequence>,
        each: Each<'_>,
    ) -> Result<(), Failure> {
        let mut page = Page {
            after,
            before: None,
            limit: STEP,
            newest_first: false,
        };
        let reader = match self {
            Self::Admin(admin) => {
                let target = format!("/v1/audit/export?{}", query_string(filter, &page));
                return admin.lines(&target, each);
            }
            Self::Files(reader) => reader,
        };
        loop {
            let entries = reader.query(filter, page).map_err(Failure::trouble)?;
            page.after = entries.last().map(|entry| entry.sequence);
            let over = entries.len() < STEP;
            for entry in entries {
                each(json_line(entry).trim_end())?;
            }
            if over {
                return Ok(());
            }
        }
    }

    /// Reports the calls that the result lacks because data is damaged or missing; the exit code is then 1.
    pub(super) fn tell_lacking(&self) -> Result<(), Failure> {
        let Self::Files(reader) = self else { return Ok(()) };
        let left_out = reader.left_out();
        for lacking in &left_out {
            output::note(&format!("tokenward: {lacking}"));
        }
        if left_out.is_empty() {
            return Ok(());
        }
        Err(Failure::Findings(
            "the result is incomplete: the audit is damaged".to_owned(),
        ))
    }

    /// Counts the calls that match `filter`.
    pub(super) fn usage(&self, filter: &Filter) -> Result<UsageReport, Failure> {
        match self {
            Self::Files(reader) => Ok(reader.usage(filter).map_err(Failure::trouble)?.into()),
            Self::Admin(admin) => {
                let question = query_string(filter, &Page::default());
                admin.one_line(&format!("/v1/audit/stats?{question}"))
            }
        }
    }

    /// Gives the audit's own events from `since_ms` to before `until_ms`, oldest first.
    pub(super) fn events(
        &self,
        since_ms: Option<i64>,
        until_ms: Option<i64>,
    ) -> Result<Vec<EventLine>, Failure> {
        match self {
            Self::Files(reader) => {
                let events = reader.events(since_ms.unwrap_or(i64::MIN), until_ms.unwrap_or(i64::MAX));
                Ok(events
                    .map_err(Failure::trouble)?
                    .into_iter()
                    .map(EventLine::from)
                    .collect())
            }
            Self::Admin(admin) => {
                let filter = Filter {
                    since_ms,
                    until_ms,
                    ..Filter::default()
                };
                let question = query_string(&filter, &Page::default());
                admin.one_line(&format!("/v1/audit/events?{question}"))
            }
        }
    }

    /// Verifies the audit. Signed heads are checked with `keys`; a proxy uses its own.
    pub(super) fn verify(&self, keys: &[PublicKey]) -> Result<VerifyReport, Failure> {
        match self {
            Self::Files(reader) => {
                let verified = reader.verify(keys).map_err(Failure::trouble)?;
                Ok(VerifyReport::of(verified, keys))
            }
            Self::Admin(admin) => admin.one_line("/v1/audit/verify"),
        }
    }

    /// Writes the proof of all entries from `since_ms` on.
    pub(super) fn proof(
        &self,
        since_ms: Option<i64>,
        keys: &[PublicKey],
        out: &mut NewFile,
    ) -> Result<(), Failure> {
        let mut put = |bytes: &[u8]| out.write_all(bytes).map_err(|error| out.failed(&error));
        let reader = match self {
            Self::Admin(admin) => {
                let filter = Filter {
                    since_ms,
                    ..Filter::default()
                };
                let target = format!("/v1/audit/proof?{}", query_string(&filter, &Page::default()));
                return admin.frames(&target, &mut put);
            }
            Self::Files(reader) => reader,
        };
        put(reader.proof_head(keys).map_err(Failure::trouble)?.as_bytes())?;
        let mut after = Sequence(0);
        loop {
            let blocks = reader
                .blocks(after, since_ms, STEP_BYTES)
                .map_err(Failure::trouble)?;
            let Some(last) = blocks.last else { return Ok(()) };
            put(&blocks.bytes)?;
            after = last;
        }
    }
}

impl Admin {
    fn of(config: &Config) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self {
            address: reachable(config.admin.listen),
            scheme: scheme(config),
            connector: pinned_connector(config.admin.tls.as_ref()).map_err(Failure::trouble)?,
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
                .map_err(|_| self.failed("its response was cut off"))
        };
        let answer = self
            .runtime
            .block_on(async { tokio::time::timeout(PATIENCE, answer).await });
        let text = answer.map_err(|_| self.failed("it did not respond"))??;
        Ok(String::from_utf8_lossy(&text)
            .lines()
            .map(str::to_owned)
            .collect())
    }

    /// Gives each new call to `each`, one JSON object each, until the proxy stops or `each` fails.
    pub(super) fn tail(&self, filter: &Filter, page: Page, each: Each<'_>) -> Result<(), Failure> {
        let target = format!("/v1/audit/tail?{}", query_string(filter, &page));
        let followed = self.lines(&target, each);
        // A proxy that is stopped or killed ends its response early; if it is still there, the reason is another.
        match followed {
            Err(Failure::Trouble(_)) if self.goes_away() => Ok(()),
            followed => followed,
        }
    }

    /// Whether the proxy no longer listens, now or soon: a stopping proxy ends its responses first.
    fn goes_away(&self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < FAREWELL {
            if TcpStream::connect(self.address).is_err() {
                return true;
            }
            thread::sleep(Duration::from_millis(50));
        }
        false
    }

    /// Gives the one line of a response that may take long.
    fn one_line<T: DeserializeOwned>(&self, target: &str) -> Result<T, Failure> {
        let mut told = None;
        self.lines(target, &mut |line| {
            told = Some(line.to_owned());
            Ok(())
        })?;
        let told = told.ok_or_else(|| self.failed("its response was cut off"))?;
        serde_json::from_str(&told).map_err(|_| {
            let error: Option<serde_json::Value> = serde_json::from_str(&told).ok();
            let error = error.and_then(|error| Some(error.get("error")?.as_str()?.to_owned()));
            self.failed(&error.unwrap_or_else(|| "this version does not understand its response".to_owned()))
        })
    }

    /// Gives each line that is not empty to `each`, as it arrives.
    fn lines(&self, target: &str, each: Each<'_>) -> Result<(), Failure> {
        let mut unfinished = Vec::new();
        self.frames(target, &mut |bytes| {
            unfinished.extend_from_slice(bytes);
            let complete = unfinished
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |at| at + 1);
            let lines: Vec<u8> = unfinished.drain(..complete).collect();
            String::from_utf8_lossy(&lines)
                .lines()
                .filter(|line| !line.is_empty())
                .try_for_each(&mut *each)
        })
    }

    /// Gives the response's bytes to `each`, as they arrive.
    fn frames(
        &self,
        target: &str,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.runtime.block_on(async {
            let mut body = self.call(target).await?.into_body();
            loop {
                let frame = tokio::time::timeout(SILENCE, body.frame()).await;
                let frame = frame.map_err(|_| self.failed("it stopped responding"))?;
                let Some(frame) = frame else { return Ok(()) };
                let frame = frame.map_err(|_| {
                    self.failed("it closed the connection; see its log, or check whether it stopped")
                })?;
                each(frame.data_ref().map(Bytes::as_ref).unwrap_or_default())?;
            }
        })
    }

    /// Makes a request, and gives the head of a successful response.
    async fn call(&self, target: &str) -> Result<Response<Incoming>, Failure> {
        let request = Request::get(format!("{}://{}{target}", self.scheme, self.address))
            .header(header::AUTHORIZATION, format!("Bearer {}", *self.secret))
            .body(Empty::<Bytes>::new())
            .map_err(Failure::trouble)?;
        let client = Client::builder(TokioExecutor::new()).build(self.connector.clone());
        let unreachable = |_| self.failed("cannot connect to it; check the address in [admin] listen");
        let response = client.request(request).await.map_err(unreachable)?;
        match response.status() {
            StatusCode::OK => Ok(response),
            StatusCode::UNAUTHORIZED => Err(self.failed(
                "it rejected the admin secret; check that [admin] secret_file is the one that it was started with",
            )),
            status => {
                let why = tokio::time::timeout(SILENCE, detail(response))
                    .await
                    .ok()
                    .flatten();
                let why = why.map(|why| format!(": {}", shown(&why)));
                Err(self.failed(&format!("it responded with {status}{}", why.unwrap_or_default())))
            }
        }
    }

    fn failed(&self, why: &str) -> Failure {
        let place = self.address;
        Failure::Trouble(format!(
            "the audit is open in another process, and the query to its admin listener {place} failed: {why}"
        ))
    }
}

/// Reads the error description from a failed response.
async fn detail(response: Response<Incoming>) -> Option<String> {
    let body = Limited::new(response.into_body(), LARGEST_PROBLEM)
        .collect()
        .await
        .ok()?;
    let problem: serde_json::Value = serde_json::from_slice(&body.to_bytes()).ok()?;
    Some(problem.get("detail")?.as_str()?.to_owned())
}
