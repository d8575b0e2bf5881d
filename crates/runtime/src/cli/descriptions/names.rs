//! Requests and lines by the names of operations.

use tokenward_compiler::analysis::Budget;
use tokenward_compiler::ask::Question;
use tokenward_compiler::method::Method;
use tokenward_compiler::reach::{Catalogue, Operation};

use super::super::failure::Failure;
use super::super::output;
use super::compared::catalogue;
use super::described::{Described, name};
use tokenward_pdp::compare::Operations;
use tokenward_pdp::config::Config;
use tokenward_pdp::config::universe::universe;

/// Names requests by the operations of the API that they are calls of.
pub(crate) struct Names {
    described: Described,
    catalogue: Catalogue,
}

impl Names {
    /// Reads the descriptions of a configuration whose paths are resolved; `None` if there are none, or one cannot be read.
    pub(in super::super) fn of_config(config: &Config) -> Option<Self> {
        let files = &config.api.descriptions;
        (!files.is_empty())
            .then(|| Self::new(Described::read(files).ok()?, config).ok())
            .flatten()
    }

    /// The same, without notes about defects of the descriptions: for a process that has no terminal.
    pub(crate) fn quietly(config: &Config) -> Option<Self> {
        output::keeping(|| Self::of_config(config)).0
    }

    /// Makes descriptions comparable with calls under a configuration.
    pub(super) fn new(described: Described, config: &Config) -> Result<Self, Failure> {
        let catalogue = catalogue(&described.all.operations, config)?;
        Ok(Self { described, catalogue })
    }

    /// The descriptions.
    pub(in super::super) fn described(&self) -> &Described {
        &self.described
    }

    /// The operations as the analysis sees them, each with its name.
    pub(in super::super) fn operations(&self) -> impl Iterator<Item = (&Operation, String)> {
        let described = self.described.all.operations.iter().map(name);
        self.catalogue.operations().iter().zip(described)
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

    /// The operation that a call of this method and path is one of.
    pub(super) fn of_call(&self, method: Method, path: &str) -> Option<String> {
        let at = self.catalogue.operation_of(method, path)?;
        self.name(at)
    }
}

impl Operations for Names {
    fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    fn name(&self, operation: usize) -> Option<String> {
        self.described.all.operations.get(operation).map(name)
    }
}
