//! The client towards the upstream: one pool per worker, and the only function that sends a request.

use std::future::{pending, poll_fn};
use std::io;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{StatusCode, Uri};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use smallvec::{SmallVec, smallvec};
use tokenward_audit::End;
use tokenward_pdp::problem::Problem;
use tokenward_pdp::request::{Canonical, Framing, Method};
use tokenward_pdp::wire::response::ResponseHead;
use tokenward_pdp::wire::{BodyError, BodyStream};
use tokio::time::timeout;

use super::addresses::Address;
use super::answer::Forwarded;
use super::body::{BodyPace, RequestBody};
use super::exchange::{Broken, Exchange, Unanswered};
use super::fields::{Unwritable, write_request};
use super::pool::{Connection, Pool};
use super::settings::UpstreamSettings;
use super::stream::{ConnectError, Connector};
use crate::call::permit::Permit;
use crate::call::record::OutcomeRecorder;
use crate::call::validity::while_valid;

/// The pace of a body that is complete already.
const NO_WAIT: BodyPace = BodyPace {
    pause: Duration::ZERO,
    rate: 0,
    most: u64::MAX,
};

/// Client with the connections to the upstream.
pub(crate) struct Upstream {
    connector: Connector,
    /// One for each address, in the order of the addresses.
    pools: Vec<Pool>,
    settings: UpstreamSettings,
}

/// Reason why the upstream gave no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForwardError {
    /// No connection could be made.
    #[error("cannot connect to the upstream: {0}")]
    Unreachable(String),
    /// No connection was made in time.
    #[error("the upstream did not accept a connection in time")]
    Unconnected,
    /// The connection broke.
    #[error("the upstream closed the connection: {0}")]
    Broken(String),
    /// The response is malformed, or its status is unexpected.
    #[error("invalid response of the upstream: {0}")]
    Invalid(String),
    /// No response came in time.
    #[error("the upstream did not respond in time")]
    Timeout,
    /// Too many interim responses came, or too large ones.
    #[error("the upstream sent too many interim responses (1xx)")]
    Interims,
    /// The upstream rejected the proxy's credentials.
    #[error("the upstream rejected the proxy's own credentials with 401")]
    Unauthorized,
    /// The client's body ended early.
    #[error("{0}")]
    Body(BodyError),
    /// The canonical request cannot be written, which would be an error in reading it.
    #[error("cannot write the canonical request: {0}")]
    Unwritable(#[from] Unwritable),
}

impl ForwardError {
    /// Whether nothing was sent, because there was no connection.
    fn is_connect(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Unconnected)
    }

    /// Gives the problem to respond with.
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Unreachable(_) => Problem::UpstreamUnreachable,
            Self::Broken(_) | Self::Invalid(_) => Problem::UpstreamBroken,
            Self::Timeout | Self::Unconnected => Problem::UpstreamTimeout,
            Self::Interims => Problem::UpstreamInterims,
            Self::Unauthorized => Problem::UpstreamUnauthorized,
            Self::Body(BodyError::Slow) => Problem::BodySlow,
            Self::Body(BodyError::TooSlow) => Problem::BodyTooSlow,
            Self::Body(BodyError::TooLarge(most)) => Problem::BodyOverLimit(*most),
            Self::Body(BodyError::Unaffordable) => Problem::BodyBudget,
            Self::Body(BodyError::Broken(violation)) => Problem::BodyBroken(violation.code()),
            Self::Body(BodyError::Gone | BodyError::Abandoned) => Problem::ClientGone,
            Self::Unwritable(_) => Problem::Internal,
        }
    }

    /// Gives the end of the call, for the audit.
    pub(crate) fn end(&self) -> End {
        match self {
            Self::Unreachable(_)
            | Self::Broken(_)
            | Self::Invalid(_)
            | Self::Interims
            | Self::Unauthorized => End::UpstreamFailed,
            Self::Timeout | Self::Unconnected | Self::Body(BodyError::Slow | BodyError::TooSlow) => {
                End::Timeout
            }
            Self::Body(_) => End::ClientGone,
            Self::Unwritable(_) => End::Internal,
        }
    }
}

impl From<Unanswered> for ForwardError {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Broken(Broken::Body(error)) => Self::Body(error),
            Unanswered::Broken(Broken::Malformed(error)) => Self::Invalid(error.to_string()),
            Unanswered::Broken(broken) => Self::Broken(broken.to_string()),
            Unanswered::Timeout => Self::Timeout,
            Unanswered::Interims => Self::Interims,
        }
    }
}

/// A call that was not forwarded, and the upstream's address that it was sent to last, if there was one.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub(crate) struct NotForwarded {
    /// `host:port`.
    pub(crate) address: Option<Arc<str>>,
    /// Reason for the failure.
    pub(crate) error: ForwardError,
}

/// Makes the connector to the upstream.
pub(super) fn connector(settings: &UpstreamSettings) -> Connector {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(settings.connect_timeout));
    connector.set_nodelay(true);
    connector.enforce_http(false);
    HttpsConnectorBuilder::new()
        .with_tls_config(settings.tls.clone())
        .https_or_http()
        .enable_http1()
        .wrap_connector(connector)
}

impl Upstream {
    /// Makes a client with pools of its own, for one worker: its connections belong to that worker's runtime. It keeps at
    /// most `idle` idle connections, as many to each address.
    pub(crate) fn open(settings: UpstreamSettings, idle: usize) -> Self {
        let addresses = settings.addresses.all();
        let idle = idle / addresses.len().max(1);
        Self {
            connector: connector(&settings),
            pools: addresses.iter().map(|_| Pool::new(idle)).collect(),
            settings,
        }
    }

    /// Gives the settings of the upstream.
    pub(crate) fn settings(&self) -> &UpstreamSettings {
        &self.settings
    }

    /// Sends a request to an address, and notes the result there.
    async fn once(
        &self,
        address: &Address,
        permit: &Permit,
        body: RequestBody,
    ) -> Result<(ResponseHead, Exchange), ForwardError> {
        let answer = self.exchange(address, permit, body).await;
        match &answer {
            Err(error) if error.is_connect() => address.failed(),
            Ok(_) => address.reached(),
            Err(_) => {}
        }
        answer
    }

    async fn exchange(
        &self,
        address: &Address,
        permit: &Permit,
        body: RequestBody,
    ) -> Result<(ResponseHead, Exchange), ForwardError> {
        let pool = self
            .pools
            .get(address.number())
            .cloned()
            .unwrap_or_else(|| Pool::new(0));
        let mut connection = match pool.take() {
            Some(connection) => connection,
            None => self.connect(address).await?,
        };
        // The request is written only from the permit.
        write_request(
            connection.output.buffer(),
            permit,
            &self.settings.public,
            body.length(),
        )?;
        let to_head = permit.canonical().method == Method::Head;
        let mut exchange = Exchange::begin(connection, pool, body, to_head, self.settings.timeout);
        let head = poll_fn(|cx| exchange.poll_head(cx)).await?;
        Ok((head, exchange))
    }

    async fn connect(&self, address: &Address) -> Result<Box<Connection>, ForwardError> {
        let uri = Uri::builder()
            .scheme(self.settings.scheme.clone())
            .authority(address.authority())
            .path_and_query("/")
            .build()
            .map_err(|error| ForwardError::Unreachable(error.to_string()))?;
        let connecting = Connection::open(self.connector.clone(), uri);
        match timeout(self.settings.timeout, connecting).await {
            Ok(opened) => opened.map(Box::new).map_err(|error| connect_error(&error)),
            Err(_) => Err(ForwardError::Timeout),
        }
    }

    /// Sends a request to the next address. If the request `repeats`, it is sent to the other addresses in turn as long
    /// as none accepts a connection, and once more to an address that closes the connection without a response: it may
    /// just have closed it as idle.
    async fn in_turn(
        &self,
        permit: &Permit,
        body: RequestBody,
        repeats: bool,
    ) -> Result<(ResponseHead, Exchange, Arc<str>), NotForwarded> {
        let again = || RequestBody::new(BodyStream::empty(), Framing::None, NO_WAIT);
        let none = || NotForwarded {
            address: None,
            error: ForwardError::Unreachable("it has no address".to_owned()),
        };
        let addresses = &self.settings.addresses;
        let mut address = addresses.pick(&[]).ok_or_else(none)?;
        let mut tried: SmallVec<[&Address; 4]> = smallvec![address];
        let mut answer = self.once(address, permit, body).await;
        while repeats
            && answer.as_ref().is_err_and(ForwardError::is_connect)
            && let Some(other) = addresses.pick(&tried)
        {
            tracing::debug!(request_id = %permit.id(), address = other.authority(), "trying another address");
            address = other;
            tried.push(other);
            answer = self.once(address, permit, again()).await;
        }
        if repeats && let Err(ForwardError::Broken(reason)) = &answer {
            tracing::debug!(request_id = %permit.id(), address = address.authority(), reason, "sending the request once more");
            answer = self.once(address, permit, again()).await;
        }
        let address = address.shared_authority();
        match answer {
            Ok((head, exchange)) => Ok((head, exchange, address)),
            Err(error) => Err(NotForwarded {
                address: Some(address),
                error,
            }),
        }
    }
}

type Answered = Result<(ResponseHead, Exchange, Arc<str>), NotForwarded>;

/// Sends the request in a task of its own, which outlives the caller: an upstream works on a request even if its
/// connection is closed, so that clients could leave and have more calls in progress there than a limit allows. The task
/// ends with the upstream's response or its time limits, or when the token is revoked, and the permit with it.
async fn in_task(
    upstream: Rc<Upstream>,
    permit: Permit,
    body: RequestBody,
    repeats: bool,
) -> (Permit, Answered) {
    let task = tokio::task::spawn_local(async move {
        let sending = upstream.in_turn(&permit, body, repeats);
        let revoked = |_| NotForwarded {
            address: None,
            error: ForwardError::Broken("the token was revoked".to_owned()),
        };
        let sent = while_valid(permit.validity().cloned(), sending).await;
        let answered = sent.map_err(revoked).flatten();
        (permit, answered)
    });
    match task.await.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(done) => done,
        Err(Ok(panic)) => resume_unwind(panic),
        // The worker stops, and the caller with it.
        Err(Err(_)) => pending().await,
    }
}

/// Sends the one request of the permit. Redirects are not followed.
///
/// # Errors
/// The upstream sent no response, or one that must not be forwarded.
pub(crate) async fn forward(
    upstream: &Rc<Upstream>,
    permit: Permit,
    body: RequestBody,
    outcome: &mut OutcomeRecorder,
) -> Result<Forwarded, NotForwarded> {
    let repeats = is_repeatable(permit.canonical()) && body.length() == Some(0);
    let started = Instant::now();
    let (permit, answered) = if permit.is_concurrent() {
        in_task(Rc::clone(upstream), permit, body, repeats).await
    } else {
        let answered = upstream.in_turn(&permit, body, repeats).await;
        (permit, answered)
    };
    let (head, exchange, address) = answered?;
    outcome.answered(head.status.as_u16(), started.elapsed());
    match unacceptable(head.status) {
        None => Ok(Forwarded::new(
            head,
            exchange,
            &permit,
            &upstream.settings,
            address,
        )),
        Some(error) => Err(NotForwarded {
            address: Some(address),
            error,
        }),
    }
}

/// The reason why a response of this status must not be forwarded, if there is one.
fn unacceptable(status: StatusCode) -> Option<ForwardError> {
    match status {
        StatusCode::UNAUTHORIZED => Some(ForwardError::Unauthorized),
        status if status.is_informational() => {
            Some(ForwardError::Invalid(format!("unexpected status {status}")))
        }
        _ => None,
    }
}

/// Whether sending the request twice has the same effect as once (RFC 9110 section 9.2.2). PUT and DELETE are excluded,
/// since their second response differs.
fn is_repeatable(canonical: &Canonical) -> bool {
    matches!(canonical.method, Method::Get | Method::Head | Method::Options)
}

fn connect_error(error: &ConnectError) -> ForwardError {
    // The message describes only the outer layer; the innermost error names the cause.
    let mut reason = error.to_string();
    let mut timed_out = false;
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error.as_ref());
    while let Some(inner) = cause {
        reason = inner.to_string();
        timed_out |= inner
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::TimedOut);
        cause = inner.source();
    }
    if timed_out {
        ForwardError::Unconnected
    } else {
        ForwardError::Unreachable(reason)
    }
}
