//! One side of a comparison: a policy with its own configuration, invariants and reviews, all read from one place.

mod command;
mod committed;
mod refused;
mod spec;
mod within;

use std::path::{Path, PathBuf};

use tokenward_compiler::Compilation;
use tokenward_compiler::analysis::Budget;
use tokenward_compiler::artifact;
use tokenward_compiler::diagnostic::{Code, Diagnostic, render_text};
use tokenward_compiler::earlier;
use tokenward_compiler::source::{Links, SourceSet};
use tokenward_pdp::config::Config;
use tokenward_pdp::config::universe::universe;
use tokenward_pdp::forwarded::proxied;
use tokenward_pdp::servable::{bind, errors_of_program, errors_of_sources};
use tokenward_pdp::side::Side;

use super::checkout::Checkout;
use super::failure::Failure;
use super::output;
use super::settings::ConfigArg;
use super::time::now_ms;
use crate::config_file;
use crate::git::{Commit, Repository};
use crate::live::unbound_artifact;

pub(super) use command::Command;
pub(super) use committed::{Committed, refuse_compiled};
pub(super) use refused::Refused;
pub(super) use spec::{Spec, is_path, is_range};
pub(super) use within::{Ancestry, Within};

/// The path of a file of the side, given as messages show it, as reports have it: from the top of the work tree if there is
/// one, otherwise from the working directory. Paths of a revision begin at the top already.
pub(super) fn reported(side: &Side, shown: &str, checkout: &Checkout) -> String {
    let is_compiled = side.sources.iter().next().is_none();
    if (side.is_revision || is_compiled) && !shown.starts_with('/') {
        return shown.to_owned();
    }
    checkout.relative(shown)
}

/// Reads a directory or a compiled policy that does not belong to a revision. `config` is the side's configuration.
pub(super) fn here(place: &Path, config: Config) -> Result<Side, Refused> {
    let name = format!("`{}`", place.display());
    if place.is_file() {
        let program = unbound_artifact(place, &config.artifact_signers()).map_err(Failure::from)?;
        return Ok(Side::of_artifact(name, config, program));
    }
    let sources = SourceSet::read_dir(place, Links::Refuse).map_err(Failure::trouble)?;
    let sources = sources.below(&place.to_string_lossy());
    let mut side = of_sources(name, config, sources)?;
    let parts = place.components().map(|part| part.as_os_str().to_string_lossy());
    side.directory = parts.collect::<Vec<_>>().join("/");
    Ok(side)
}

/// Reads the policy at a revision. The directory is the one that the command line names, otherwise that of the
/// revision's own configuration.
pub(super) fn at(within: &Within, commit: &Commit, command: &Command<'_>) -> Result<Side, Refused> {
    let config = within.config_at(commit, command)?;
    let directory = within.policies_at(commit, &config, command)?;
    let name = format!("`{directory}` at `{}`", commit.name);
    if let Some(bytes) = compiled_at(within, commit, &directory)? {
        let read = artifact::read(&bytes, &config.artifact_signers());
        let program = read
            .map_err(|error| Failure::Trouble(format!("{name}: {error}")))?
            .program;
        return Ok(Side::of_artifact(name, config, program));
    }
    let sources = within.sources_at(commit, &directory)?.below(&directory);
    let mut side = of_sources(name, config, sources).map_err(Refused::at_revision)?;
    side.directory = directory;
    side.is_revision = true;
    Ok(side)
}

fn of_sources(name: String, config: Config, sources: SourceSet) -> Result<Side, Refused> {
    let Compilation {
        program,
        diagnostics,
        source_map,
        ..
    } = tokenward_compiler::compile(&sources);
    let Some(program) = program else {
        return Err(Refused::errors(&name, sources, diagnostics));
    };
    // A file that is not read could hold what the comparison should see.
    let near = diagnostics.iter().filter(|found| found.code == Code::NearFile);
    let near: Vec<Diagnostic> = near.cloned().collect();
    output::note_raw(&render_text(&sources, &near, output::colours()));
    Ok(Side::compiled(
        name,
        config,
        sources,
        (program, source_map, &diagnostics),
    ))
}

/// Fails if the policy has errors under its own configuration: seals, limits, or forbid lines without effect. Such a policy is
/// not served as it was compiled, so what its lines say is no answer. `other`: a side that was not refused.
pub(super) fn refuse_errors(side: Side, other: Option<&Side>) -> Result<Side, Refused> {
    if side.sources.iter().next().is_none() {
        return match errors_of_program(&side.program, &side.config, now_ms()).map_err(Failure::from)? {
            None => Ok(side),
            Some(errors) => Err(Failure::Trouble(format!("the policy in {} {errors}", side.name)).into()),
        };
    }
    let policy = (&side.sources, &side.program, &side.source_map);
    // Most lines are those of the other side.
    let other = other.filter(|other| other.reads_as(&side));
    let known = other.map(Side::forbid_texts).unwrap_or_default();
    let errors = errors_of_sources(policy, &side.config, &known, now_ms()).map_err(Failure::from)?;
    if errors.is_empty() {
        return Ok(side);
    }
    let refused = Refused::errors(&side.name, side.sources, errors);
    Err(if side.is_revision {
        refused.at_revision()
    } else {
        refused
    })
}

/// Tells which lines this release reads otherwise than earlier ones. Both sides of a comparison are read by this release, so
/// that it shows no difference between them. An artifact has no files to read again.
pub(super) fn tell_rereadings(side: &Side, budget: &Budget) -> Result<(), Failure> {
    let bound = bind(&side.program, &side.config)?;
    let proxied = proxied(&side.config)?;
    let asked = (universe(&side.config), Some(&proxied), budget);
    let found = earlier::rereadings(&side.sources, (&bound, &side.source_map), asked);
    let mut found = earlier::diagnostics(&found.map_err(Failure::trouble)?, &bound);
    let _ = side.source_map.allow(&mut found);
    output::note_raw(&render_text(&side.sources, &found, output::colours()));
    Ok(())
}

/// The compiled policy at a revision; `None` if its policy is not a file.
fn compiled_at(within: &Within, commit: &Commit, path: &str) -> Result<Option<Vec<u8>>, Failure> {
    let repository: &Repository = &within.repository;
    let entry = repository.entry(commit, path)?;
    if !entry.is_some_and(|entry| entry.kind.is_file()) {
        return Ok(None);
    }
    within.refuse_conversions(commit, path)?;
    Ok(Some(repository.file(commit, path)?.unwrap_or_default()))
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
    let policies = config_file::load(&file)?.policies.canonicalize();
    Ok(policies.is_ok_and(|policies| policies == place).then_some(file))
}
