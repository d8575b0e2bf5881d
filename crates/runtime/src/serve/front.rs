//! Opens a connection before its first request: the client's address, TLS, and the choice of HTTP version.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_server::GracefulShutdownSignal;
use actix_service::{ServiceFactory, fn_service};
use rustls::ServerConfig;
use tokenward_pdp::wire::Violation;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::connection_limit::{ConnectionLimit, Slot};
use super::http1::{self, Http1Settings};
use super::http2::{self, Http2Settings};
use super::places::{Place, Places};
use super::stream::Stream;
use super::tls::H2;
use super::worker::Worker;

/// Settings for opening connections.
#[derive(Clone)]
pub(super) struct Front {
    /// TLS configuration, if TLS is used.
    pub(super) tls: Option<Arc<ServerConfig>>,
    /// Places for the connections of all clients.
    pub(super) places: Places,
    /// Limit of connections per client.
    pub(super) limit: ConnectionLimit,
    /// Time that a client gets for everything before its first request.
    pub(super) patience: Duration,
    /// Limits of HTTP/1 connections.
    pub(super) http1: Http1Settings,
    /// Limits of HTTP/2 connections.
    pub(super) http2: Http2Settings,
}

/// Makes the service of one worker: it takes connections, and serves them until they end.
pub(super) fn service(
    worker: Worker,
    front: Front,
    shutdown: GracefulShutdownSignal,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = Infallible, InitError = ()> {
    let worker = Rc::new(worker);
    fn_service(move |socket| {
        let (worker, front, shutdown) = (Rc::clone(&worker), front.clone(), shutdown.clone());
        async move {
            serve(socket, worker, front, shutdown).await;
            Ok(())
        }
    })
}

async fn serve(socket: TcpStream, worker: Rc<Worker>, front: Front, shutdown: GracefulShutdownSignal) {
    let _counted = worker.gate.metrics.connected();
    // Without it responses come slightly later, which is not worth an error.
    let _ = socket.set_nodelay(true);
    // The address is unknown only if the client has closed the connection already.
    let Ok(peer) = socket.peer_addr() else { return };
    let peer = peer.ip().to_canonical();
    let place = tokio::select! {
        biased;
        place = front.places.take(peer, worker.gate.trust.trusts(peer)) => place,
        () = shutdown.notified() => return,
    };
    let served = serve_at(&place, socket, peer, &worker, &front, shutdown);
    tokio::select! {
        biased;
        () = place.gave_way() => worker.gate.metrics.gave_way(),
        () = served => {}
    }
}

/// Serves a connection that has a place, until it ends.
async fn serve_at(
    place: &Place,
    socket: TcpStream,
    peer: IpAddr,
    worker: &Rc<Worker>,
    front: &Front,
    shutdown: GracefulShutdownSignal,
) {
    let opened = timeout(front.patience, handshake(place, socket, peer, worker, front)).await;
    let Opened { stream, peer, slot } = match opened {
        Ok(Ok(opened)) => opened,
        Ok(Err(Failure::Broken(violation))) => return worker.gate.metrics.violated(violation),
        Ok(Err(Failure::Gone)) | Err(_) => return,
    };
    let _slot = slot;
    if stream.speaks(H2) {
        http2::serve(stream, peer, place, worker, front.http2, shutdown).await;
    } else {
        http1::serve(stream, peer, place, worker, front.http1, shutdown).await;
    }
}

/// A connection in front of its first request.
struct Opened {
    stream: Stream,
    /// Address of the connection's other end, or the one named by the PROXY protocol.
    peer: IpAddr,
    /// The connection's slot in its client's limit; trusted proxies need none.
    slot: Option<Slot>,
}

/// Reason why a connection is not opened.
enum Failure {
    /// The bytes are not a valid opening, or the client has no slot left.
    Broken(Violation),
    /// The client closed the connection.
    Gone,
}

impl Failure {
    fn of(error: &io::Error, violation: Violation) -> Self {
        match error.kind() {
            ErrorKind::InvalidData => Self::Broken(violation),
            _ => Self::Gone,
        }
    }
}

async fn handshake(
    place: &Place,
    mut socket: TcpStream,
    peer: IpAddr,
    worker: &Worker,
    front: &Front,
) -> Result<Opened, Failure> {
    let trust = &worker.gate.trust;
    let named = if trust.announces(peer) {
        let named = super::proxy_protocol::read(&mut socket).await;
        named.map_err(|error| Failure::of(&error, Violation::Announcement))?
    } else {
        None
    };
    let trusted = trust.trusts(peer);
    let peer = named.map_or(peer, |named| named.to_canonical());
    let slot = if trust.trusts(peer) {
        None
    } else {
        if trusted {
            place.belongs_to(peer);
        }
        Some(slot(place, peer, front).ok_or(Failure::Broken(Violation::TooManyConnections))?)
    };
    let stream = match &front.tls {
        None => Stream::Plain(socket),
        Some(tls) => {
            let stream = TlsAcceptor::from(Arc::clone(tls)).accept(socket).await;
            let stream = stream.map_err(|error| Failure::of(&error, Violation::TlsHandshake))?;
            Stream::Tls(Box::new(stream))
        }
    };
    Ok(Opened { stream, peer, slot })
}

/// Takes a slot in the client's limit. If all are taken, an idle connection of the client gives way.
fn slot(place: &Place, client: IpAddr, front: &Front) -> Option<Slot> {
    match front.limit.take(client) {
        Ok(slot) => Some(slot),
        Err(full) => front
            .places
            .give_way_in(full, place)
            .then(|| front.limit.take_over(client)),
    }
}
