//! HTTP/2 towards clients (RFC 9113), only over TLS.
//!
//! The `h2` crate handles frames, header compression, flow control and their limits. Each request becomes the head and
//! the body queue that HTTP/1 requests become, and takes the same path from there. Everything that belongs to a
//! connection is one future, so dropping it drops all of its calls.

mod backlog;
mod call;
mod hpack;
mod huffman;
mod raw_path;
mod send;

use std::future::poll_fn;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_server::GracefulShutdownSignal;
use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt};
use h2::Reason;
use h2::server::{Builder, Connection};
use tokenward_pdp::wire::Violation;
use tokio::time::{Instant, sleep_until, timeout};

use super::places::Place;
use super::reader_pace::ReaderLimits;
use super::stream::Stream;
use super::worker::Worker;
use backlog::{Backlog, Writer};
use call::{Arrived, Ended, call};
use raw_path::{PathReader, Paths};

/// Maximum number of bytes of a body that are received before they are wanted, for each stream …
const STREAM_WINDOW: u32 = 256 * 1024;
/// … and for all streams of a connection.
const CONNECTION_WINDOW: u32 = 512 * 1024;
/// Maximum number of bytes of a response that wait within `h2`, for each stream.
const SEND_BUFFER: usize = 64 * 1024;
/// Time that a closing connection without requests in progress gets.
const GOODBYE: Duration = Duration::from_secs(2);

/// The limits of HTTP/2 connections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Http2Settings {
    /// Maximum number of concurrent requests on one connection.
    pub(super) streams: u32,
    /// Maximum number by which cancelled requests of a connection may exceed the answered ones (CVE-2023-44487).
    pub(super) resets: u32,
    /// Maximum size of a request's fields, each counted with 32 additional bytes.
    pub(super) head_bytes: u32,
    /// Time until a client's first request.
    pub(super) head_timeout: Duration,
    /// Time from the end of the last request in progress to the next one.
    pub(super) idle_timeout: Duration,
    /// The slowest pace at which the client may read a response.
    pub(super) reading: ReaderLimits,
}

/// Serves a connection until it ends.
pub(super) async fn serve(
    stream: Stream,
    peer: IpAddr,
    place: &Place,
    worker: &Rc<Worker>,
    settings: Http2Settings,
    shutdown: GracefulShutdownSignal,
) {
    let paths = Paths::default();
    let backlog = Backlog::new(Arc::clone(&worker.gate.metrics));
    let stream = Writer::new(stream, backlog.clone());
    // `h2` has the same limit; a head may even grow when compressed.
    let most = usize::try_from(settings.head_bytes)
        .unwrap_or(usize::MAX)
        .saturating_mul(4);
    let handshake = Builder::new()
        .max_concurrent_streams(settings.streams)
        .max_header_list_size(settings.head_bytes)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buffer_size(SEND_BUFFER)
        .max_local_error_reset_streams(Some(usize::try_from(settings.resets).unwrap_or(usize::MAX)))
        .handshake(PathReader::new(stream, paths.clone(), most));
    let outcome = match timeout(settings.head_timeout, handshake).await {
        Ok(Ok(connection)) => {
            let streams = Streams { paths, backlog };
            run(connection, streams, peer, place, worker, settings, shutdown).await
        }
        Ok(Err(error)) => Err(error),
        Err(_) => Ok(()),
    };
    if let Err(error) = outcome
        && !error.is_io()
    {
        worker.gate.metrics.violated(Violation::Http2);
    }
}

/// What is known of a connection's streams, in addition to what `h2` knows.
struct Streams {
    paths: Paths,
    backlog: Backlog,
}

/// Accepts requests, and drives their calls.
///
/// # Errors
/// The connection broke, or its bytes are not HTTP/2.
async fn run(
    mut connection: Connection<PathReader<Writer<Stream>>, Bytes>,
    streams: Streams,
    peer: IpAddr,
    place: &Place,
    worker: &Rc<Worker>,
    settings: Http2Settings,
    shutdown: GracefulShutdownSignal,
) -> Result<(), h2::Error> {
    let mut calls = FuturesUnordered::new();
    let mut given_up = 0_u32;
    let mut ending = false;
    let mut until = Instant::now() + settings.head_timeout;
    loop {
        tokio::select! {
            // A new request. Requests that `h2` refused by itself are only counted.
            accepted = connection.accept() => match accepted.transpose()? {
                Some((request, respond)) => {
                    let stream = respond.stream_id().as_u32();
                    let (path, refused) = streams.paths.take(stream);
                    for _ in 0..refused {
                        worker.gate.metrics.violated(Violation::Http2);
                    }
                    let waiting = streams.backlog.of(stream);
                    let arrived = Arrived { peer, request, path, waiting };
                    calls.push(call(Rc::clone(worker), place, arrived, respond, settings.reading));
                }
                None => return Ok(()),
            },
            // A call ended. A client that cancels far more requests than it lets finish is disconnected.
            Some(ended) = calls.next() => {
                given_up = match ended {
                    Ended::Answered => given_up.saturating_sub(1),
                    Ended::GivenUp => given_up.saturating_add(1),
                };
                if given_up > settings.resets {
                    worker.gate.metrics.violated(Violation::Http2Resets);
                    connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
                    let _ = timeout(GOODBYE, poll_fn(|cx| connection.poll_closed(cx))).await;
                    return Ok(());
                }
                until = Instant::now() + if ending { GOODBYE } else { settings.idle_timeout };
            }
            // Nothing happened in time: first announce the end, then close.
            () = sleep_until(until), if calls.is_empty() => {
                if ending {
                    return Ok(());
                }
                ending = true;
                until = Instant::now() + GOODBYE;
                connection.graceful_shutdown();
            }
            // The proxy stops: announce the end, and let the calls in progress finish.
            () = shutdown.notified(), if !ending => {
                ending = true;
                until = Instant::now() + GOODBYE;
                connection.graceful_shutdown();
            }
        }
    }
}
