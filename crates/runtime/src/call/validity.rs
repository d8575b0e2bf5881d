//! Work that is cancelled when the token that it depends on is revoked.

use std::future::Future;

use crate::live::TokenValidity;
use crate::problem::{AuthFailure, Problem};

/// Does the work, and drops it if the token is revoked before it is done.
///
/// # Errors
/// The token was revoked.
pub(crate) async fn while_valid<T>(
    validity: Option<TokenValidity>,
    work: impl Future<Output = T>,
) -> Result<T, Problem> {
    let Some(validity) = validity else {
        return Err(Problem::Unauthenticated(AuthFailure::NoCredentials));
    };
    tokio::select! {
        biased;
        () = validity.lost() => Err(Problem::NotAccepted(AuthFailure::Revoked)),
        done = work => Ok(done),
    }
}
