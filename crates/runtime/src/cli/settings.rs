//! The options that name a configuration and a policy.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use tokenward_pdp::config::{Config, ConfigError};

use super::failure::Failure;
use super::output;
use crate::config_file;

/// Name of a configuration.
pub(super) const CONFIG_FILE: &str = "tokenward.toml";

/// Whether the command has reported its assumption.
static REPORTED: AtomicBool = AtomicBool::new(false);

/// Gives the defaults, and reports once that the command assumes them.
fn assumed() -> Config {
    let config = Config::default();
    if !REPORTED.swap(true, Ordering::Relaxed) {
        output::note(&format!(
            "tokenward: no {CONFIG_FILE} in this directory, using the built-in defaults (policies in `{}`, product `{}`, public URL {})",
            config.policies.display(),
            config.upstream.product.name(),
            config.upstream.public_url,
        ));
    }
    config
}

/// A policy by its position or by the option that `ask` and others have.
#[derive(Clone, clap::Args)]
pub(super) struct PolicyArg {
    /// Policy directory or compiled policy [default: the configuration's]
    #[arg(value_name = "POLICIES", conflicts_with = "named_policies")]
    policies: Option<PathBuf>,
    /// Policy directory or compiled policy [default: the configuration's]
    #[arg(
        id = "named_policies",
        long = "policies",
        value_name = "PLACE",
        visible_alias = "artifact"
    )]
    named: Option<PathBuf>,
}

impl PolicyArg {
    /// The policy that the command line names.
    pub(super) fn named(&self) -> Option<&Path> {
        self.policies.as_deref().or(self.named.as_deref())
    }
}

#[derive(Clone, clap::Args)]
pub(super) struct ConfigArg {
    /// Configuration file [default: tokenward.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigArg {
    /// The configuration, which must be there.
    pub(super) fn required(&self) -> Result<Config, Failure> {
        Ok(config_file::load(self.path())?)
    }

    /// Gives the configuration; the defaults if no file was named and the working directory has none.
    pub(super) fn or_default(&self) -> Result<Config, Failure> {
        match config_file::load(self.path()) {
            Err(ConfigError::Absent { .. }) if self.config.is_none() => Ok(assumed()),
            result => Ok(result?),
        }
    }

    /// The same with paths as the file has them, to be compared with another version of it.
    pub(super) fn written(&self) -> Result<Config, Failure> {
        match config_file::load_as_written(self.path()) {
            Err(ConfigError::Absent { .. }) if self.config.is_none() => Ok(assumed()),
            result => Ok(result?),
        }
    }

    /// Another configuration, with paths as its file has them.
    pub(super) fn written_at(&self, file: &Path) -> Result<Config, Failure> {
        Ok(config_file::load_as_written(file)?)
    }

    /// Whether the command line names it.
    pub(super) fn is_named(&self) -> bool {
        self.config.is_some()
    }

    /// The directory that paths in the configuration are relative to.
    pub(super) fn directory(&self) -> &Path {
        self.path().parent().unwrap_or(Path::new(""))
    }

    /// The file, which need not exist.
    pub(super) fn path(&self) -> &Path {
        self.config.as_deref().unwrap_or(Path::new(CONFIG_FILE))
    }
}
