//! Names of operations that are read when somebody asks first: most runs of a check have nothing to name.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use tokenward_compiler::diagnostic::Diagnostic;
use tokenward_pdp::config::Config;

use super::super::failure::Failure;
use super::super::output;
use super::args::DescriptionArgs;
use super::names::Names;

/// The names of the operations of a configuration's descriptions, or of those that the command line names.
pub(in super::super) struct LazyNames {
    args: DescriptionArgs,
    files: Vec<PathBuf>,
    config: Config,
    names: OnceCell<Option<Names>>,
}

impl LazyNames {
    /// The names under a configuration whose paths are resolved.
    ///
    /// # Errors
    /// A description that the command line names cannot be read.
    pub(in super::super) fn new(args: &DescriptionArgs, config: &Config) -> Result<Self, Failure> {
        Self::near(args, config, Path::new(""))
    }

    /// The names under a configuration whose paths are relative to a directory. A description that it names and that cannot be read
    /// is noted when it is needed: names only help readers.
    ///
    /// # Errors
    /// A description that the command line names cannot be read.
    pub(in super::super) fn near(
        args: &DescriptionArgs,
        config: &Config,
        directory: &Path,
    ) -> Result<Self, Failure> {
        let configured = config.api.descriptions.iter();
        let lazy = Self {
            args: args.clone(),
            files: match args.given() {
                [] => configured.map(|file| directory.join(file)).collect(),
                given => given.to_vec(),
            },
            config: config.clone(),
            names: OnceCell::new(),
        };
        if args.are_given() {
            let names = lazy.read()?;
            lazy.names.get_or_init(|| Some(names));
        }
        Ok(lazy)
    }

    /// The names; `None` without a description that can be read.
    pub(in super::super) fn get(&self) -> Option<&Names> {
        let read = || {
            if self.files.is_empty() {
                return None;
            }
            match self.read() {
                Ok(names) => Some(names),
                Err(failure) => {
                    output::note(&format!(
                        "tokenward: requests are shown without the names of operations: {}",
                        failure.message()
                    ));
                    None
                }
            }
        };
        self.names.get_or_init(read).as_ref()
    }

    fn read(&self) -> Result<Names, Failure> {
        Names::new(self.args.read_files(&self.files)?, &self.config)
    }

    /// Names the operations that the requests of findings are calls of.
    pub(in super::super) fn name_witnesses(&self, diagnostics: &mut [Diagnostic]) {
        let witnesses = diagnostics.iter_mut().filter_map(|found| found.witness.as_mut());
        let unnamed = witnesses.filter(|witness| witness.operation.is_none());
        for witness in unnamed {
            let Some(names) = self.get() else { return };
            witness.operation = names.of_call(witness.method, &witness.path);
        }
    }
}
