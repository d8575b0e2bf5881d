//! Work that is cancelled when the token that it depends on is revoked.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use tokenward_pdp::problem::{AuthFailure, Problem};

use crate::live::TokenValidity;

/// The reason why a token does not work any more.
fn lost(validity: &TokenValidity) -> Problem {
    if validity.is_stale() {
        Problem::FleetStale
    } else {
        Problem::NotAccepted(AuthFailure::Revoked)
    }
}

/// Does the work, and drops it if the token is revoked before it is done.
///
/// # Errors
/// The token was revoked, or revocations may be unknown.
pub(crate) async fn while_valid<T>(
    validity: Option<TokenValidity>,
    work: impl Future<Output = T>,
) -> Result<T, Problem> {
    let Some(validity) = validity else {
        return Err(Problem::Unauthenticated(AuthFailure::NoCredentials));
    };
    let mut work = pin!(work);
    // Most work is done at once, and then nobody has to be woken for a revocation.
    if validity.is_lost() {
        return Err(lost(&validity));
    }
    if let Poll::Ready(done) = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
        return Ok(done);
    }
    tokio::select! {
        biased;
        () = validity.clone().lost() => Err(lost(&validity)),
        done = work => Ok(done),
    }
}
