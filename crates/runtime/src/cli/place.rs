//! Where a policy comes from: a directory, a compiled policy, or a revision in git.

use std::path::{Path, PathBuf};

use tokenward_compiler::diagnostic::{Severity, render_text};
use tokenward_compiler::ir::Program;
use tokenward_compiler::source::{Links, SourceSet};

use super::failure::Failure;
use super::output;
use crate::config::Config;
use crate::git::{GitError, Repository};
use crate::live::unbound_artifact;

/// A policy's place.
pub(super) enum Place {
    /// A directory or a compiled policy.
    Here(PathBuf),
    /// A directory as it was.
    Revision {
        /// As git names it.
        revision: String,
        /// As it is called in the working tree.
        directory: PathBuf,
    },
}

impl Place {
    /// A directory, a compiled policy, or, where there is neither of that name or `..` stands behind it, a revision of
    /// the configuration's directory.
    pub(super) fn parse(text: &str, config: &Config) -> Self {
        let path = PathBuf::from(text);
        match text.strip_suffix("..") {
            None if path.exists() => Self::Here(path),
            revision => Self::Revision {
                revision: revision.unwrap_or(text).to_owned(),
                directory: config.policies.clone(),
            },
        }
    }

    /// The program, bound as the configuration has it.
    pub(super) fn load(&self, config: &Config) -> Result<Program, Failure> {
        let program = match self {
            Self::Here(file) if file.is_file() => unbound_artifact(file, &config.artifact_signers())?,
            Self::Here(directory) => {
                self.compile(&SourceSet::read_dir(directory, Links::Refuse).map_err(Failure::trouble)?)?
            }
            Self::Revision { revision, directory } => self.compile(&at_revision(revision, directory)?)?,
        };
        let bound = program
            .bind(&config.upstream.public_url)
            .map_err(|error| Failure::Findings(error.to_string()))?;
        Ok(bound.merging_body(config.upstream.product.merges()))
    }

    /// Where its files lie, with `/` between the parts; empty for a compiled policy.
    pub(super) fn directory(&self) -> String {
        let directory = match self {
            Self::Here(path) if path.is_file() => return String::new(),
            Self::Here(path) => path,
            Self::Revision { directory, .. } => directory,
        };
        let parts = directory
            .components()
            .map(|part| part.as_os_str().to_string_lossy().into_owned());
        parts.collect::<Vec<_>>().join("/")
    }

    fn compile(&self, sources: &SourceSet) -> Result<Program, Failure> {
        let mut compilation = tokenward_compiler::compile(sources);
        compilation.program.take().ok_or_else(|| {
            let errors = &mut compilation.diagnostics;
            errors.retain(|diagnostic| diagnostic.severity == Severity::Error);
            output::note_raw(&render_text(sources, errors, output::colours()));
            Failure::Findings(format!("the policy in {self} does not compile"))
        })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Here(path) => write!(f, "`{}`", path.display()),
            Self::Revision { revision, directory } => write!(f, "`{}` at `{revision}`", directory.display()),
        }
    }
}

/// The policy files of a directory as git has them in a revision. Read into memory: nothing is checked out.
fn at_revision(revision: &str, directory: &Path) -> Result<SourceSet, Failure> {
    let repository = repository(directory)?;
    let commit = repository.resolve(revision)?;
    Ok(repository.sources(&commit, &repository.relative(directory)?)?)
}

/// The repository around a directory, which must be in one.
pub(super) fn repository(directory: &Path) -> Result<Repository, Failure> {
    let found = Repository::discover(directory)?;
    Ok(found.ok_or_else(|| GitError::NoRepository(directory.to_owned()))?)
}
