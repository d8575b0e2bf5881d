//! The `--config` option.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::place::repository;
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

    /// Gives the configuration; the defaults if no file was named and the working directory has none.
    pub(super) fn or_default(&self) -> Result<Config, Failure> {
        match Config::load(self.path()) {
            Err(ConfigError::Absent { .. }) if self.config.is_none() => Ok(Config::default()),
            result => Ok(result?),
        }
    }

    /// Gives the configuration as it was in a git revision; `None` if the revision has no file with that name.
    pub(super) fn at_revision(&self, revision: &str) -> Result<Option<Config>, Failure> {
        let path = self.path();
        let directory = path
            .parent()
            .filter(|directory| !directory.as_os_str().is_empty());
        let repository = repository(directory.unwrap_or(Path::new(".")))?;
        let commit = repository.resolve(revision)?;
        let Some(bytes) = repository.file(&commit, &repository.relative(path)?)? else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&bytes);
        Ok(Some(Config::parse(&text, path)?))
    }

    /// The directory that paths in the configuration are relative to.
    pub(super) fn directory(&self) -> &Path {
        self.path().parent().unwrap_or(Path::new(""))
    }

    fn path(&self) -> &Path {
        self.config.as_deref().unwrap_or(Path::new(USUAL))
    }
}
