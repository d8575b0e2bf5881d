//! Lints, and exceptions from warnings.

use std::fs;
use std::path::Path;

#[cfg(feature = "proxy")]
use clap::ValueEnum;
use tokenward_compiler::SourceMap;
use tokenward_compiler::analysis::Budget;
use tokenward_compiler::diagnostic::{Diagnostic, Elsewhere};
use tokenward_compiler::findings::Reserved;
use tokenward_compiler::ir::Program;
use tokenward_compiler::lint::{self, DirectoryException, Exceptions, LintSet, Lints, Settings};
use tokenward_compiler::source::SourceSet;

use super::super::failure::Failure;
use super::unusable::Calls;
use crate::config::Config;
use crate::config::universe::{served, universe};

/// Sets of lints, as the command line names them.
#[derive(Clone, Copy, PartialEq)]
#[cfg_attr(feature = "proxy", derive(ValueEnum))]
pub(super) enum Lint {
    /// No lints
    None,
    /// Lines that are hardly ever meant
    Regular,
    /// Also lines that could be narrower, and tokens that expire soon
    Pedantic,
    /// Also lines that are meant and dangerous
    Auditor,
}

impl Lint {
    pub(super) fn set(self) -> LintSet {
        match self {
            Self::None => LintSet::None,
            Self::Regular => LintSet::Regular,
            Self::Pedantic => LintSet::Pedantic,
            Self::Auditor => LintSet::Auditor,
        }
    }
}

/// Lints may take one of so many shares of the budget, in addition to it.
const SHARES: u64 = 4;

/// Reads the exceptions of a policy and of its configuration.
pub(super) fn exceptions(
    sources: &SourceSet,
    config: &Config,
    diagnostics: &mut Vec<Diagnostic>,
) -> Exceptions {
    let text = config.file.as_deref().map(fs::read_to_string);
    let text = text.and_then(Result::ok).unwrap_or_default();
    let directories = config.lint.allow.iter().map(|exception| DirectoryException {
        code: exception.code,
        directory: exception.directory.clone(),
        place: config
            .file
            .as_deref()
            .map(|file| place(file, &text, &exception.text)),
    });
    Exceptions::read(sources, directories.collect(), diagnostics)
}

/// The line of the configuration that contains an entry; otherwise the first.
fn place(file: &Path, text: &str, entry: &str) -> Elsewhere {
    let at = text.lines().position(|line| line.contains(entry));
    Elsewhere {
        file: file.display().to_string(),
        line: at.map_or(1, |at| at + 1),
    }
}

/// Runs the lints of the configured set. `known`: earlier findings, to which requests are added.
pub(super) fn find(
    (sources, program, source_map): (&SourceSet, &Program, &SourceMap),
    (config, budget, calls): (&Config, &Budget, Option<&Calls>),
    now_ms: i64,
    known: &mut [Diagnostic],
) -> Result<Lints, Failure> {
    let settings = Settings {
        set: config.lint.set,
        expires_within_ms: i64::try_from(config.lint.expires_within.as_millis()).unwrap_or(i64::MAX),
        now_ms,
    };
    let budget = budget.share(SHARES);
    let served = served(config);
    let mut find = |reserved: Option<&Reserved<'_>>| {
        let policy = lint::Policy {
            sources,
            program,
            source_map,
            reserved,
        };
        lint::find(policy, settings, known, (universe(config), &served, &budget))
    };
    let found = match calls {
        Some(calls) => calls.with(|reserved| find(Some(reserved))),
        None => find(None),
    };
    found.map_err(Failure::trouble)
}
