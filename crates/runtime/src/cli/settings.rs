//! The `--config` option.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use crate::config::{Config, ConfigError};

/// The configuration in the working directory.
const USUAL: &str = "tokenward.toml";

#[derive(clap::Args)]
pub(super) struct ConfigArg {
    /// The configuration [default: tokenward.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigArg {
    /// The configuration, which must be there.
    pub(super) fn required(&self) -> Result<Config, Failure> {
        Ok(Config::load(self.path())?)
    }

    /// The configuration; the defaults where none was named and there is none in the working directory.
    pub(super) fn or_default(&self) -> Result<Config, Failure> {
        match Config::load(self.path()) {
            Err(ConfigError::Absent { .. }) if self.config.is_none() => Ok(Config::default()),
            result => Ok(result?),
        }
    }

    fn path(&self) -> &Path {
        self.config.as_deref().unwrap_or(Path::new(USUAL))
    }
}
