//! The wire guard: the only reader of the client's HTTP/1 bytes (RFC 9112).
//!
//! actix-http's own parser is lenient in places where leniency smuggles (bare LF), strict without a reason code in
//! others (repeated `Host`), drops what follows `#`, loses the order of header lines, holds 96 of them at most, and
//! mixes up pipelined requests: the version, the `HEAD` flag and the persistence of the *last decoded* head are used
//! to encode the answer to an earlier one. So it never sees a client's bytes. [`parse::Parser`] reads heads and
//! bodies; for each head [`guard::Guard`] gives actix-http a skeleton of a request (`GET /7`, no body) that carries
//! only what its encoder needs, and the service finds head and body under that number in the [`connection::Connection`].
//!
//! INVARIANT: one request of a connection is under way at a time; the next head is read when the [`connection::Turn`]
//! of the one before has been dropped, with its answer wholly encoded.

pub(crate) mod chunk;
pub(crate) mod connection;
pub(crate) mod guard;
pub(crate) mod head;
pub(crate) mod parse;
pub(crate) mod queue;
mod violation;

#[cfg(test)]
mod tests;

pub(crate) use connection::{Arrival, Connection, Inbound, Turn};
pub(crate) use guard::{Guard, GuardSettings, Transport};
pub(crate) use head::WireHead;
pub(crate) use queue::{BodyError, BodyStream};
pub(crate) use violation::Violation;
