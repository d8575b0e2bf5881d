//! What the server asks of the program around it: which policy a file belongs to, and what `compile --check` finds in it.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokenward_compiler::{
    BaseUrl,
    analysis::{Proxied, Universe},
    diagnostic::Diagnostic,
    source::SourceSet,
};

/// Finds the policies of files.
pub trait Host: Send + Sync {
    /// The policy that a file belongs to; `None` for a file that is not part of a policy.
    ///
    /// # Errors
    /// The configuration of the policy does not load: why, in one or more lines.
    fn find(&self, file: &Path) -> Result<Option<Found>, String>;

    /// The problems of a text as the configuration at a path. `None` for a file that is not a configuration.
    fn configuration(&self, file: &Path, text: &str) -> Option<Vec<Problem>>;
}

/// A file of a policy.
pub struct Found {
    /// The policy's directory.
    pub directory: PathBuf,
    /// The path below it, with `/` between its parts.
    pub relative: String,
    /// The policy under its configuration.
    pub policy: Arc<dyn Policy>,
}

/// A problem of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The problem, and what is expected.
    pub message: String,
}

/// A policy under a configuration.
pub trait Policy: Send + Sync {
    /// Everything that `compile --check` finds. If `stop` is set, the result is not used, and the sooner it comes the better.
    ///
    /// # Errors
    /// The policy cannot be used with its configuration: why.
    fn check(&self, sources: &SourceSet, stop: &Stop) -> Result<Checked, String>;

    /// The terms on which lines are explained.
    fn terms(&self) -> &Terms;

    /// The operations of the API whose calls a permit line matches, as Markdown. `None`: no description of the API is known.
    fn operations(&self, line: &str, stop: &Stop) -> Option<String> {
        let _ = (line, stop);
        None
    }

    /// The paths of the API's description. `None`: none is known, or it is still being read, as nobody waits for it.
    fn paths(&self) -> Option<Arc<[DescribedPath]>> {
        None
    }

    /// The files that decide what this policy means, beside its own: when they change, it is looked for again.
    fn configuration(&self) -> Option<&Path>;
}

/// A path of the API's description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedPath {
    /// The segments of the path below the public URL.
    pub segments: Vec<DescribedSegment>,
    /// The operations: their methods in lower case, and their names.
    pub operations: Vec<(String, String)>,
}

/// A segment of a described path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedSegment {
    /// The segment as the description shows it: `{issueIdOrKey}`.
    pub shown: String,
    /// The regular expression that a line has in its place: `[^/]+`.
    pub pattern: String,
    /// Whether it has a parameter, so that a line may have another expression in its place.
    pub is_open: bool,
}

/// The result of a check.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// The findings, in source order.
    pub diagnostics: Vec<Diagnostic>,
    /// The number of questions that were not settled: there may be more findings.
    pub open: usize,
}

/// What a configuration decides about the meaning of lines.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The public URL.
    pub base: BaseUrl,
    /// Whether the upstream merges parameters of bodies with those of the query.
    pub merges_body: bool,
    /// The requests that proofs look at.
    pub universe: Universe,
    /// The requests that the proxy forwards.
    pub proxied: Proxied,
}

/// Asks a check to end.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks for the end.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the end was asked for.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// The flag, for budgets.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}
