//! Arguments that name descriptions.

use std::path::PathBuf;

use super::super::failure::Failure;
use super::super::settings::ConfigArg;
use super::described::Described;
use tokenward_pdp::config::Config;

#[derive(Clone, Default, clap::Args)]
pub(in super::super) struct DescriptionArgs {
    /// Description of the API, OpenAPI or Swagger; repeatable [default: those of the configuration]
    #[arg(long, value_name = "FILE")]
    openapi: Vec<PathBuf>,
    /// Path below the public URL that all operations are below, instead of the paths of the descriptions' servers
    #[arg(long, value_name = "PATH")]
    base_path: Option<String>,
}

impl DescriptionArgs {
    /// Whether the command line names any description.
    pub(in super::super) fn are_given(&self) -> bool {
        !self.openapi.is_empty()
    }

    /// The descriptions that the command line names.
    pub(super) fn given(&self) -> &[PathBuf] {
        &self.openapi
    }

    /// The descriptions that the command line or the configuration names.
    pub(in super::super) fn read(&self, config: &Config) -> Result<Described, Failure> {
        self.read_if_named(config)?.ok_or_else(|| {
            Failure::Usage(
                "no description of the API; name one with --openapi FILE, or in `[api] descriptions` of the configuration".to_owned(),
            )
        })
    }

    /// The descriptions that the command line or the configuration names; `None` if neither names one.
    pub(in super::super) fn read_if_named(&self, config: &Config) -> Result<Option<Described>, Failure> {
        let files = self.files(config);
        let is_named = !files.is_empty();
        is_named.then(|| self.read_files(files)).transpose()
    }

    /// The same, without a message about a configuration that is missing or wrong.
    pub(in super::super) fn quiet_files(&self, config: &ConfigArg) -> Vec<PathBuf> {
        match self.openapi.as_slice() {
            [] => config
                .required()
                .map_or_else(|_| Vec::new(), |config| config.api.descriptions),
            named => named.to_vec(),
        }
    }

    fn files<'a>(&'a self, config: &'a Config) -> &'a [PathBuf] {
        match self.openapi.as_slice() {
            [] => &config.api.descriptions,
            named => named,
        }
    }

    /// The descriptions in these files.
    pub(in super::super) fn read_files(&self, files: &[PathBuf]) -> Result<Described, Failure> {
        let mut described = Described::read(files)?;
        if let Some(base) = &self.base_path {
            described.place_below(base)?;
        }
        Ok(described)
    }
}
