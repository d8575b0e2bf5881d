//! HTTP/1 towards clients (RFC 9112), with or without TLS.
//!
//! `wire` reads requests and writes responses as bytes. This module has the socket, the deadlines and the order: one
//! request of a connection is in progress at a time, and the next is read when its response is complete. Everything
//! that belongs to a connection is one future, so dropping it drops its call.

mod connection;
mod deadline;
mod send;
mod settings;

use std::future::Future;
use std::net::IpAddr;
use std::pin::{Pin, pin};

use actix_server::GracefulShutdownSignal;
use futures_util::FutureExt;
use tokenward_pdp::wire::WireHead;

use super::places::{Kept, Place};
use super::stream::Stream;
use super::worker::{Worker, caught};
use crate::pep::Headed;
use crate::proxy::Answer;
use crate::respond;
use connection::{Connection, Lost, Next};
use send::{Persistence, Request, send};
pub(super) use settings::Http1Settings;

/// Serves a connection until it ends.
pub(super) async fn serve(
    stream: Stream,
    peer: IpAddr,
    place: &Place,
    worker: &Worker,
    settings: Http1Settings,
    shutdown: GracefulShutdownSignal,
) {
    let mut connection = Connection::new(stream, settings);
    let shutdown = pin!(shutdown.notified());
    // If the client is gone, a graceful close is pointless.
    if run(&mut connection, peer, place, worker, shutdown).await.is_ok() {
        connection.close().await;
    }
}

/// Serves one request after another, until the connection is to be closed.
///
/// # Errors
/// The client is gone, or accepts no bytes.
async fn run(
    connection: &mut Connection,
    peer: IpAddr,
    place: &Place,
    worker: &Worker,
    mut shutdown: Pin<&mut impl Future<Output = ()>>,
) -> Result<(), Lost> {
    loop {
        let (request, (answer, kept)) = match connection.next(shutdown.as_mut()).await {
            Next::Head(head) => (
                Request::of(&head),
                call(connection, peer, place, worker, head).await?,
            ),
            Next::Broken(violation) => {
                worker.gate.metrics.violated(violation);
                (Request::broken(), (respond::bare(violation.status()), None))
            }
            Next::End => return Ok(()),
        };
        let stopping = shutdown.as_mut().now_or_never().is_some();
        let persistence = send(connection, answer, request, stopping, worker.dates.now()).await?;
        if persistence == Persistence::Close {
            return Ok(());
        }
        drop(kept);
        connection.drain().await;
    }
}

/// Judges the head, asks for the body if the client waits for that, and makes the call. A call that is made keeps the
/// connection's place until its answer is sent.
///
/// # Errors
/// The client is gone; the call is dropped.
async fn call<'p>(
    connection: &mut Connection,
    peer: IpAddr,
    place: &'p Place,
    worker: &Worker,
    head: WireHead,
) -> Result<(Answer, Option<Kept<'p>>), Lost> {
    let gate = &worker.gate;
    let expects_continue = head.expects_continue;
    let body = connection.begin_body(&head);
    // Pinned where they are made: these futures are large, and each hand that they pass through would copy them.
    let judged = {
        let judging = pin!(gate.judge(&head, peer));
        connection.beside(caught(gate, judging)).await?
    };
    let judged = match judged {
        Ok(Headed::Judged(judged)) => judged,
        Ok(Headed::Settled(mut answer)) | Err(mut answer) => {
            // The client may send the body anyway (RFC 9110 section 10.1.1), so the connection is not kept.
            answer.close |= expects_continue;
            return Ok((answer, None));
        }
    };
    let kept = place.keep();
    // The head shares the buffer that the connection reads into.
    drop(head);
    if expects_continue {
        connection.put_continue();
    }
    let proceeding = pin!(gate.proceed(*judged, body, &worker.upstream));
    let answer = connection.beside(caught(gate, proceeding)).await?;
    Ok((answer.unwrap_or_else(|failed| failed), Some(kept)))
}
