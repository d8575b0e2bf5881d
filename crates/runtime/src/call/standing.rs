//! Work that ends where what it rests on is taken back.

use std::future::Future;

use crate::live::Standing;
use crate::problem::{AuthFailure, Problem};

/// Does the work unless the token is revoked before it is done: then the work is dropped where it stands.
///
/// # Errors
/// The token is revoked.
pub(crate) async fn while_standing<T>(
    standing: Option<Standing>,
    work: impl Future<Output = T>,
) -> Result<T, Problem> {
    let Some(standing) = standing else {
        return Err(Problem::Unauthenticated(AuthFailure::NoCredentials));
    };
    tokio::select! {
        biased;
        () = standing.lost() => Err(Problem::Unauthenticated(AuthFailure::Revoked)),
        done = work => Ok(done),
    }
}
