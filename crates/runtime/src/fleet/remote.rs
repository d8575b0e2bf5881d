//! The published files of a fleet on an HTTPS server.
//!
//! The server is not trusted: its responses are bounded in size and time, redirects are not followed, and what it sends counts
//! only by its signature, as the content of a directory does.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, ETAG, HeaderValue,
    IF_NONE_MATCH,
};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Incoming};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokenward_audit::{PrivateFileError, read_private_file};
use tokenward_compiler::BaseUrl;
use tokenward_fleet::manifest::{MOST_BYTES, Manifest};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::error::FleetError;
use super::published::{MANIFEST, artifact_name, checked};
use crate::tls::https_connector;

/// Time limit for connecting, for the head of a response, and for each pause within its body.
const PAUSE: Duration = Duration::from_secs(10);
/// Time limit for a whole manifest.
const MANIFEST_TIME: Duration = Duration::from_secs(10);
/// Time limit for a whole compiled policy.
const POLICY_TIME: Duration = Duration::from_secs(300);
/// Age from which on the manifest is asked for without a condition. Servers that make tags of times in seconds give two manifests
/// of one second the same tag.
const UNCONDITIONAL: Duration = Duration::from_secs(60);
/// Longest head of a response, in bytes.
const MOST_HEAD_BYTES: usize = 64 << 10;
const MOST_TOKEN_BYTES: usize = 8 << 10;
/// Longest entity tag that is kept, in bytes.
const MOST_TAG_BYTES: usize = 256;

/// A directory that `tokenward publish` wrote, on an HTTPS server.
pub(crate) struct Remote {
    url: BaseUrl,
    token_file: Option<PathBuf>,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    /// Present until it is dropped.
    runtime: Option<Runtime>,
    known: Mutex<Option<Known>>,
    stopped: watch::Sender<bool>,
}

/// The last manifest that the server sent whole.
struct Known {
    bytes: Vec<u8>,
    tag: HeaderValue,
    at: Instant,
}

/// A response with a body.
struct Fetched {
    bytes: Vec<u8>,
    tag: Option<HeaderValue>,
}

impl Remote {
    /// Prepares to read from a server; asks it nothing yet.
    ///
    /// # Errors
    /// The authorities cannot be read, or the system gives no resources.
    pub(crate) fn at(
        url: &BaseUrl,
        ca_file: Option<&Path>,
        token_file: Option<&Path>,
    ) -> Result<Self, FleetError> {
        let connector = https_connector(url.as_str(), ca_file, PAUSE)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(FleetError::file("prepare to read", url.as_str()))?;
        // Connections make progress only during a request, so none is kept.
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .http1_max_buf_size(MOST_HEAD_BYTES)
            .build(connector);
        Ok(Self {
            url: url.clone(),
            token_file: token_file.map(Path::to_owned),
            client,
            runtime: Some(runtime),
            known: Mutex::new(None),
            stopped: watch::Sender::new(false),
        })
    }

    /// URL of a file.
    pub(super) fn place(&self, name: &str) -> String {
        format!("{}/{name}", self.url)
    }

    /// Ends a request in progress, and refuses further ones.
    pub(super) fn stop(&self) {
        self.stopped.send_replace(true);
    }

    /// Reads the manifest, as bytes of which nothing was checked but their number.
    ///
    /// # Errors
    /// The server cannot be reached, or does not respond with a file of at most so many bytes.
    pub(super) fn manifest(&self) -> Result<Vec<u8>, FleetError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let condition = known
            .as_ref()
            .filter(|known| known.at.elapsed() < UNCONDITIONAL)
            .map(|known| known.tag.clone());
        let fetched = self.fetch(MANIFEST, condition, MOST_BYTES, MANIFEST_TIME)?;
        match (fetched, known.as_ref()) {
            (None, Some(known)) => Ok(known.bytes.clone()),
            (None, None) => Err(self.wrong(MANIFEST, "the response has no content".to_owned())),
            (Some(Fetched { bytes, tag }), _) => {
                *known = tag.map(|tag| Known {
                    bytes: bytes.clone(),
                    tag,
                    at: Instant::now(),
                });
                Ok(bytes)
            }
        }
    }

    /// Reads the compiled policy that a manifest names.
    ///
    /// # Errors
    /// The server does not respond with this file.
    pub(super) fn artifact(&self, manifest: &Manifest) -> Result<Vec<u8>, FleetError> {
        let name = artifact_name(&manifest.digest);
        let most = usize::try_from(manifest.length).unwrap_or(usize::MAX);
        let fetched = self.fetch(&name, None, most, POLICY_TIME)?;
        let bytes = fetched.map(|fetched| fetched.bytes).unwrap_or_default();
        checked(bytes, manifest, Path::new(&self.place(&name)))
    }

    /// Asks for a file; `None` if it still has the tag `condition`.
    fn fetch(
        &self,
        name: &str,
        condition: Option<HeaderValue>,
        most: usize,
        within: Duration,
    ) -> Result<Option<Fetched>, FleetError> {
        let wrong = |why: String| self.wrong(name, why);
        let Some(runtime) = &self.runtime else {
            return Err(wrong("the proxy stops".to_owned()));
        };
        let mut request = Request::get(self.place(name))
            .header(ACCEPT_ENCODING, "identity")
            .header(CACHE_CONTROL, "no-cache")
            .header(CONNECTION, "close");
        if let Some(token) = self.token()? {
            request = request.header(AUTHORIZATION, token);
        }
        let is_conditional = condition.is_some();
        if let Some(tag) = condition {
            request = request.header(IF_NONE_MATCH, tag);
        }
        let request = request
            .body(Empty::new())
            .map_err(|error| wrong(error.to_string()))?;
        let mut stopped = self.stopped.subscribe();
        let answer = runtime.block_on(async {
            let exchange = async {
                let sent = timeout(PAUSE, self.client.request(request));
                let response = sent.await.map_err(|_| late(PAUSE))?;
                receive(response.map_err(|error| causes(&error))?, is_conditional, most).await
            };
            tokio::select! {
                answer = timeout(within, exchange) => answer.unwrap_or_else(|_| Err(late(within))),
                _ = stopped.wait_for(|stopped| *stopped) => Err("the proxy stops".to_owned()),
            }
        });
        answer.map_err(wrong)
    }

    fn wrong(&self, name: &str, why: String) -> FleetError {
        FleetError::Remote {
            url: self.place(name),
            why,
        }
    }

    /// Reads the token, which may be replaced at any time.
    fn token(&self) -> Result<Option<HeaderValue>, FleetError> {
        let Some(path) = &self.token_file else {
            return Ok(None);
        };
        let wrong = |why: String| FleetError::Token {
            path: path.clone(),
            why,
        };
        let text = read_private_file(path, MOST_TOKEN_BYTES).map_err(|error| match error {
            PrivateFileError::Io(error) => wrong(error.to_string()),
            PrivateFileError::Exposed(exposed) => wrong(exposed.to_string()),
        })?;
        let token = text.trim_ascii();
        // The text is not quoted: it is a secret.
        if token.is_empty() || !token.iter().all(u8::is_ascii_graphic) {
            return Err(wrong("it must have one line with a token".to_owned()));
        }
        let bytes = Zeroizing::new([b"Bearer ", token].concat());
        let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(bytes))
            .map_err(|_| wrong("it must have one line with a token".to_owned()))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // The resolver of names may still work on a thread of its own, which nobody waits for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Reads a response of at most `most` bytes; `None` if it is that nothing has changed.
async fn receive(
    response: Response<Incoming>,
    is_conditional: bool,
    most: usize,
) -> Result<Option<Fetched>, String> {
    let (head, mut body) = response.into_parts();
    match head.status {
        StatusCode::OK => {}
        StatusCode::NOT_MODIFIED if is_conditional => return Ok(None),
        // A token must not get to another server, and where a redirect leads is the server's decision.
        status if status.is_redirection() && status != StatusCode::NOT_MODIFIED => {
            return Err(format!(
                "the server redirects ({status}), which is not followed; set `source` to the URL of the files"
            ));
        }
        status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            return Err(format!("the server refuses it ({status}); check `token_file`"));
        }
        status => return Err(format!("the server responded with {status}")),
    }
    if head
        .headers
        .get(CONTENT_ENCODING)
        .is_some_and(|coding| coding != "identity")
    {
        return Err("the server sends it compressed although that was not asked for".to_owned());
    }
    let too_long = || format!("the response has more than {most} bytes");
    if body.size_hint().lower() > u64::try_from(most).unwrap_or(u64::MAX) {
        return Err(too_long());
    }
    let mut bytes = Vec::new();
    while let Some(frame) = timeout(PAUSE, body.frame()).await.map_err(|_| late(PAUSE))? {
        let frame = frame.map_err(|error| causes(&error))?;
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > most.saturating_sub(bytes.len()) {
            return Err(too_long());
        }
        bytes.extend_from_slice(&data);
    }
    let tag = head.headers.get(ETAG).filter(|tag| tag.len() <= MOST_TAG_BYTES);
    Ok(Some(Fetched {
        bytes,
        tag: tag.cloned(),
    }))
}

fn late(within: Duration) -> String {
    format!("no complete response within {} s", within.as_secs())
}

/// An error with its causes.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Some errors repeat the text of their cause.
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}
