//! Requests and lines by the names of operations.

use std::path::{Path, PathBuf};

use tokenward_compiler::analysis::{Budget, Request};
use tokenward_compiler::ask::Question;
use tokenward_compiler::reach::Catalogue;

use super::super::failure::Failure;
use super::super::output;
use super::compared::catalogue;
use super::described::{Described, name};
use tokenward_pdp::config::Config;
use tokenward_pdp::config::universe::universe;

/// Names requests by the operations of the API that they are calls of.
pub(in super::super) struct Names {
    described: Described,
    catalogue: Catalogue,
}

impl Names {
    /// Reads the descriptions that a configuration names, relative to a directory. A description that cannot be read is noted: the
    /// names only help readers.
    pub(in super::super) fn near(config: &Config, directory: &Path) -> Option<Self> {
        let files: Vec<PathBuf> = config
            .api
            .descriptions
            .iter()
            .map(|file| directory.join(file))
            .collect();
        if files.is_empty() {
            return None;
        }
        match Self::read(&files, config) {
            Ok(names) => Some(names),
            Err(failure) => {
                output::note(&format!(
                    "tokenward: requests are shown without the names of operations: {}",
                    failure.message()
                ));
                None
            }
        }
    }

    /// Reads the descriptions of a configuration whose paths are resolved; `None` if there are none, or one cannot be read.
    pub(in super::super) fn of_config(config: &Config) -> Option<Self> {
        let files = &config.api.descriptions;
        (!files.is_empty())
            .then(|| Self::read(files, config).ok())
            .flatten()
    }

    fn read(files: &[PathBuf], config: &Config) -> Result<Self, Failure> {
        let described = Described::read(files)?;
        let catalogue = catalogue(&described.all.operations, config)?;
        Ok(Self { described, catalogue })
    }

    /// The operations whose calls a permit line matches, each with whether it matches all of them. `None` if the line has an error.
    pub(in super::super) fn of_line(
        &self,
        line: &str,
        config: &Config,
        budget: &Budget,
    ) -> Option<Vec<(String, bool)>> {
        let upstream = &config.upstream;
        let question = Question::parse(line, &upstream.public_url, upstream.product.merges()).ok()?;
        let found = self
            .catalogue
            .of_line(&question, (universe(config), budget))
            .ok()?;
        let named = found.into_iter().filter_map(|(at, is_whole)| {
            let operation = self.described.all.operations.get(at)?;
            Some((name(operation), is_whole))
        });
        Some(named.collect())
    }

    /// The operation that a request is a call of.
    pub(in super::super) fn of(&self, request: &Request) -> Option<String> {
        let at = self.catalogue.operation_of(request.method, &request.path)?;
        self.described.all.operations.get(at).map(name)
    }
}
