//! The client towards the upstream: one pool a worker, and the only function that sends a request.

use std::error::Error as _;
use std::io;
use std::time::{Duration, Instant};

use http::{Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokenward_audit::End;

use super::answer::Forwarded;
use super::body::{RequestBody, upstream_stalls};
use super::fields::{Public, upstream_headers};
use super::location::{Places, host_of};
use crate::config::Config;
use crate::pep::{Ledger, Permit};
use crate::request::{Canonical, Framing, Method};
use crate::respond::Problem;
use crate::serve::wire::{BodyError, BodyStream};

/// An idle connection is kept for less long than Tomcat keeps it (20 s), so that few requests meet one being closed.
const POOL_IDLE: Duration = Duration::from_secs(15);
/// An upstream that does not accept a connection for so long is not reached.
const CONNECT: Duration = Duration::from_secs(5);

/// Where requests go.
#[derive(Clone, Debug)]
pub(crate) struct UpstreamSettings {
    authority: String,
    public: Public,
    timeout: Duration,
    pause: Duration,
    places: Places,
    cookies: bool,
}

/// The connections there.
pub(crate) struct Upstream {
    client: Client<HttpConnector, RequestBody>,
    settings: UpstreamSettings,
}

/// The configured upstream cannot be one.
#[derive(Debug, thiserror::Error)]
#[error("`{url}` is no upstream; [upstream] url must be http://host:port, with a context path at most")]
pub struct UpstreamError {
    /// What is configured.
    pub url: String,
}

/// Why there is no answer of the upstream.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForwardError {
    /// No connection.
    #[error("the upstream cannot be reached: {0}")]
    Unreachable(String),
    /// The connection broke, or what came is no HTTP.
    #[error("the upstream broke off: {0}")]
    Broken(String),
    /// No connection, or no answer, in time.
    #[error("the upstream did not answer in time")]
    Timeout,
    /// It does not know us.
    #[error("the upstream answered 401 to the proxy's own credentials")]
    Unauthorized,
    /// The client's body broke off.
    #[error("{0}")]
    Body(BodyError),
    /// The canonical request cannot be written: a fault of the reading.
    #[error("the canonical request cannot be written: {0}")]
    Unwritable(#[from] http::Error),
}

impl ForwardError {
    /// The problem to answer.
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Unreachable(_) => Problem::UpstreamUnreachable,
            Self::Broken(_) => Problem::UpstreamBroken,
            Self::Timeout => Problem::UpstreamTimeout,
            Self::Unauthorized => Problem::UpstreamUnauthorized,
            Self::Body(BodyError::Slow) => Problem::BodySlow,
            Self::Body(BodyError::Broken(violation)) => Problem::BodyBroken(violation.code()),
            Self::Body(BodyError::Gone | BodyError::Abandoned) => Problem::ClientGone,
            Self::Unwritable(_) => Problem::Internal,
        }
    }

    /// How the call ended, for the audit.
    pub(crate) fn end(&self) -> End {
        match self {
            Self::Unreachable(_) | Self::Broken(_) | Self::Unauthorized => End::UpstreamFailed,
            Self::Timeout | Self::Body(BodyError::Slow) => End::Timeout,
            Self::Body(_) => End::ClientGone,
            Self::Unwritable(_) => End::Internal,
        }
    }
}

impl UpstreamSettings {
    /// What the configuration says.
    ///
    /// # Errors
    /// The upstream's URL is no `http` URL, or a name cannot stand in a header.
    pub(crate) fn read(config: &Config) -> Result<Self, UpstreamError> {
        let error = || UpstreamError {
            url: config.upstream.url.clone(),
        };
        let uri: Uri = config.upstream.url.parse().map_err(|_| error())?;
        let authority = uri
            .authority()
            .filter(|_| uri.scheme_str() == Some("http"))
            .ok_or_else(error)?;
        let public = &config.upstream.public_url;
        let host = config.upstream.host.as_deref().unwrap_or(public.authority());
        let header = |text: &str| http::HeaderValue::from_str(text).map_err(|_| error());
        Ok(Self {
            authority: authority.to_string(),
            public: Public {
                host: header(host)?,
                authority: header(public.authority())?,
                scheme: header(public.scheme())?,
            },
            timeout: config.limits.upstream_timeout,
            pause: config.limits.body_timeout,
            places: Places {
                public: public.clone(),
                upstream_host: host_of(authority.as_str()).ok_or_else(error)?,
                upstream_path: uri.path().trim_end_matches('/').to_owned(),
            },
            cookies: config.relax.cookies,
        })
    }

    /// The context path of the upstream: empty, or `/context`.
    pub(crate) fn path(&self) -> &str {
        &self.places.upstream_path
    }

    /// The longest pause within a body.
    pub(super) fn pause(&self) -> Duration {
        self.pause
    }

    pub(super) fn places(&self) -> &Places {
        &self.places
    }

    /// Whether `Set-Cookie` passes.
    pub(super) fn cookies(&self) -> bool {
        self.cookies
    }
}

impl Upstream {
    /// A client with a pool of its own, for one worker: its connections belong to that worker's runtime.
    pub(crate) fn open(settings: UpstreamSettings) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT.min(settings.timeout)));
        connector.set_nodelay(true);
        Self {
            client: Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(POOL_IDLE)
                .build(connector),
            settings,
        }
    }

    /// Where its requests go.
    pub(crate) fn settings(&self) -> &UpstreamSettings {
        &self.settings
    }

    async fn once(&self, permit: &Permit, body: RequestBody) -> Result<Response<Incoming>, ForwardError> {
        let meter = std::sync::Arc::clone(body.meter());
        let request = self.request(permit, body)?;
        tokio::select! {
            answer = self.client.request(request) => answer.map_err(|error| match meter.failure() {
                Some(failure) => ForwardError::Body(failure),
                None => forward_error(&error),
            }),
            () = upstream_stalls(&meter, self.settings.timeout) => Err(ForwardError::Timeout),
        }
    }

    /// The upstream request, written from the permit alone.
    fn request(&self, permit: &Permit, body: RequestBody) -> Result<Request<RequestBody>, http::Error> {
        let canonical = permit.canonical();
        let headers = upstream_headers(permit, &self.settings.public, body.length())?;
        let uri = Uri::builder()
            .scheme("http")
            .authority(self.settings.authority.as_str())
            .path_and_query(canonical.upstream_target())
            .build()?;
        let mut request = Request::new(body);
        *request.method_mut() = canonical.method_text.parse().map_err(http::Error::from)?;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

/// Sends the one request that the permit is for. Redirects are not followed. A request that may be repeated is sent a
/// second time if the upstream closed the connection without a word: it may have closed it as idle just then.
///
/// # Errors
/// There is no answer, or one that is not to be passed on.
pub(crate) async fn forward(
    upstream: &Upstream,
    permit: Permit,
    body: RequestBody,
    ledger: &mut Ledger,
) -> Result<Forwarded, ForwardError> {
    let repeatable = is_repeatable(permit.canonical()) && body.length() == Some(0);
    let pause = upstream.settings.pause;
    let started = Instant::now();
    let response = match upstream.once(&permit, body).await {
        Err(ForwardError::Broken(reason)) if repeatable => {
            tracing::debug!(request_id = %permit.id(), reason, "sending the request once more");
            upstream
                .once(
                    &permit,
                    RequestBody::new(BodyStream::empty(), Framing::None, pause),
                )
                .await
        }
        response => response,
    }?;
    ledger.answered(response.status().as_u16(), started.elapsed());
    match response.status() {
        StatusCode::UNAUTHORIZED => Err(ForwardError::Unauthorized),
        status if status.is_informational() => {
            Err(ForwardError::Broken(format!("unexpected status {status}")))
        }
        _ => Ok(Forwarded::new(response, &permit)),
    }
}

/// Whether a second sending changes nothing more than one (RFC 9110 section 9.2.2); PUT and DELETE are left out, since
/// their second answer differs.
fn is_repeatable(canonical: &Canonical) -> bool {
    matches!(canonical.method, Method::Get | Method::Head | Method::Options)
}

fn forward_error(error: &ClientError) -> ForwardError {
    // The client's own text stops at the first layer; the innermost says what happened.
    let mut reason = error.to_string();
    let mut timed_out = false;
    let mut source = error.source();
    while let Some(inner) = source {
        reason = inner.to_string();
        timed_out |= inner
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::TimedOut);
        source = inner.source();
    }
    if error.is_connect() && timed_out {
        ForwardError::Timeout
    } else if error.is_connect() {
        ForwardError::Unreachable(reason)
    } else {
        ForwardError::Broken(reason)
    }
}
