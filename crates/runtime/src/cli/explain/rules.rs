//! The rules by which the proxy of a configuration reads requests.

use crate::cli::failure::Failure;
use crate::config::Config;
use crate::request::{Kept, Rules};
use crate::serve;

/// The rules of this configuration.
pub(super) fn rules(config: &Config) -> Result<Rules, Failure> {
    Rules::new(&serve::reading(config, None, Kept::default()))
        .map_err(|error| Failure::Usage(error.to_string()))
}
