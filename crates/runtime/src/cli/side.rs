//! One side of a comparison: a policy with its own configuration, invariants and reviews, all read from one place.

mod command;
mod committed;
mod compiled;
mod spec;
mod within;

use std::path::{Path, PathBuf};

use tokenward_compiler::analysis::Budget;
use tokenward_compiler::artifact;
use tokenward_compiler::diagnostic::{Code, Diagnostic, Severity, render_text};
use tokenward_compiler::earlier;
use tokenward_compiler::ir::Program;
use tokenward_compiler::source::{Links, SourceSet};
use tokenward_compiler::{Compilation, SourceMap};

use super::failure::Failure;
use super::forwarded::proxied;
use super::output;
use super::settings::ConfigArg;
use crate::config::Config;
use crate::config::universe::universe;
use crate::git::{Commit, Repository};
use crate::live::unbound_artifact;

pub(super) use command::Command;
pub(super) use committed::{Committed, refuse_compiled};
pub(super) use compiled::Side;
pub(super) use spec::{Spec, is_path, is_range};
pub(super) use within::{Ancestry, Within};

impl Side {
    /// Reads a directory or a compiled policy that does not belong to a revision. `config` is the side's configuration.
    pub(super) fn here(place: &Path, config: Config) -> Result<Self, Failure> {
        let name = format!("`{}`", place.display());
        if place.is_file() {
            let program = unbound_artifact(place, &config.artifact_signers())?;
            return Ok(Self::of_artifact(name, config, program));
        }
        let sources = SourceSet::read_dir(place, Links::Refuse).map_err(Failure::trouble)?;
        let sources = sources.below(&place.to_string_lossy());
        let mut side = Self::of_sources(name, config, sources)?;
        let parts = place.components().map(|part| part.as_os_str().to_string_lossy());
        side.directory = parts.collect::<Vec<_>>().join("/");
        Ok(side)
    }

    /// Reads the policy at a revision. The directory is the one that the command line names, otherwise that of the
    /// revision's own configuration.
    pub(super) fn at(within: &Within, commit: &Commit, command: &Command<'_>) -> Result<Self, Failure> {
        let config = within.config_at(commit, command)?;
        let directory = within.policies_at(commit, &config, command)?;
        let name = format!("`{directory}` at `{}`", commit.name);
        let repository: &Repository = &within.repository;
        let is_file = repository
            .entry(commit, &directory)?
            .is_some_and(|entry| entry.kind.is_file());
        if is_file {
            within.refuse_conversions(commit, &directory)?;
            let bytes = repository.file(commit, &directory)?.unwrap_or_default();
            let read = artifact::read(&bytes, &config.artifact_signers());
            let program = read
                .map_err(|error| Failure::Trouble(format!("{name}: {error}")))?
                .program;
            return Ok(Self::of_artifact(name, config, program));
        }
        let sources = within.sources_at(commit, &directory)?.below(&directory);
        let mut side = Self::of_sources(name, config, sources)?;
        side.directory = directory;
        Ok(side)
    }

    fn of_sources(name: String, config: Config, sources: SourceSet) -> Result<Self, Failure> {
        let Compilation {
            program,
            mut diagnostics,
            source_map,
            ..
        } = tokenward_compiler::compile(&sources);
        let Some(program) = program else {
            diagnostics.retain(|diagnostic| diagnostic.severity == Severity::Error);
            output::note_raw(&render_text(&sources, &diagnostics, output::colours()));
            return Err(Failure::Findings(format!(
                "the policy in {name} does not compile"
            )));
        };
        // A file that is not read could hold what the comparison should see.
        let near = diagnostics.iter().filter(|found| found.code == Code::NearFile);
        let near: Vec<Diagnostic> = near.cloned().collect();
        output::note_raw(&render_text(&sources, &near, output::colours()));
        Ok(Self::compiled(
            name,
            config,
            sources,
            (program, source_map, &diagnostics),
        ))
    }

    /// Tells which lines this release reads otherwise than earlier ones. Both sides of a comparison are read by this release, so
    /// that it shows no difference between them. An artifact has no files to read again.
    pub(super) fn tell_rereadings(&self, budget: &Budget) -> Result<(), Failure> {
        let upstream = &self.config.upstream;
        let bound = self
            .program
            .bind(&upstream.public_url)
            .map_err(Failure::trouble)?;
        let bound = bound.merging_body(upstream.product.merges());
        let proxied = proxied(&self.config)?;
        let asked = (universe(&self.config), Some(&proxied), budget);
        let found = earlier::rereadings(&self.sources, (&bound, &self.source_map), asked);
        let mut found = earlier::diagnostics(&found.map_err(Failure::trouble)?, &bound);
        let _ = self.source_map.allow(&mut found);
        output::note_raw(&render_text(&self.sources, &found, output::colours()));
        Ok(())
    }

    fn of_artifact(name: String, config: Config, program: Program) -> Self {
        let nothing = SourceSet::from_files([]);
        Self::compiled(name, config, nothing, (program, SourceMap::default(), &[]))
    }
}

/// The configuration of a directory, or an artifact, that is compared with: the file that `--old-config` names, otherwise the
/// one of the same name next to the directory, if its policy is that directory. The command's configuration is the new side's:
/// taken for both, no change of it would be seen. Without any file both sides have the defaults.
pub(super) fn config_of(place: &Path, command: &Command<'_>) -> Result<Config, Failure> {
    if let Some(file) = command.old_config {
        return command.config.written_at(file);
    }
    if let Some(file) = neighbour(place, command.config)? {
        return command.config.written_at(&file);
    }
    let new = command.config.path();
    if command.config.is_named() || new.symlink_metadata().is_ok() {
        return Err(Failure::Usage(format!(
            "`{}` has no configuration of its own; specify the file with --old-config (to compare it under that of the new side: \
             `--old-config {}`)",
            place.display(),
            new.display()
        )));
    }
    Ok(Config::default())
}

/// The configuration file next to a directory, if it names that directory as its policy and is not the command's own.
fn neighbour(place: &Path, config: &ConfigArg) -> Result<Option<PathBuf>, Failure> {
    let Ok(place) = place.canonicalize() else {
        return Ok(None);
    };
    let name = config.path().file_name().unwrap_or_default();
    let Some(file) = place.parent().map(|parent| parent.join(name)) else {
        return Ok(None);
    };
    let own = config.path().canonicalize().ok();
    if !file.is_file() || own.is_some_and(|own| own == file) {
        return Ok(None);
    }
    let policies = Config::load(&file)?.policies.canonicalize();
    Ok(policies.is_ok_and(|policies| policies == place).then_some(file))
}
