//! New token secrets, from the random generator of the system.

use tokenward_pdp::secret::Secret;

/// The system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the system's random generator failed: {0}")]
pub struct NoRandomness(#[source] getrandom::Error);

/// Generates a new secret.
///
/// # Errors
/// The system's random generator fails.
pub fn generate() -> Result<Secret, NoRandomness> {
    Secret::generate(getrandom::fill).map_err(NoRandomness)
}
