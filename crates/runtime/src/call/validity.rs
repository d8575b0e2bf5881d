//! Work that ends where what it rests on is taken back.

use std::future::Future;

use crate::live::TokenValidity;
use crate::problem::{AuthFailure, Problem};

/// Does the work unless the token is revoked before it is done: then the work is dropped where it stands.
///
/// # Errors
/// The token is revoked.
pub(crate) async fn while_valid<T>(
    validity: Option<TokenValidity>,
    work: impl Future<Output = T>,
) -> Result<T, Problem> {
    let Some(validity) = validity else {
        return Err(Problem::Unauthenticated(AuthFailure::NoCredentials));
    };
    tokio::select! {
        biased;
        () = validity.lost() => Err(Problem::Unauthenticated(AuthFailure::Revoked)),
        done = work => Ok(done),
    }
}
