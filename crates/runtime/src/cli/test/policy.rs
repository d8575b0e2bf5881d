//! The policy that is tested, and the lines that the command line names.

use std::path::Path;

use tokenward_compiler::diagnostic::{Severity, render_text};
use tokenward_compiler::ir::Program;
use tokenward_compiler::source::{Links, SourceSet};
use tokenward_compiler::{SourceMap, compile_within};
use tokenward_pdp::config::Config;
use tokenward_pdp::servable::bind;
use tokenward_pdp::testing::{Lab, Place};

use super::super::failure::Failure;
use super::super::output;
use crate::live::unbound_artifact;

/// A bound policy, with its files if it was read from a directory.
pub(super) struct Policy {
    pub(super) program: Program,
    files: Option<(SourceSet, SourceMap)>,
    /// The place as the command line or the configuration names it.
    pub(super) shown: String,
}

impl Policy {
    /// Reads a directory or a compiled policy, otherwise that of the configuration.
    pub(super) fn read(place: Option<&Path>, config: &Config, now_ms: i64) -> Result<Self, Failure> {
        let place = place.unwrap_or(&config.policies);
        let shown = place.display().to_string();
        let unreadable = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
        let (unbound, files) = if place.is_file() {
            let program = unbound_artifact(place, &config.artifact_signers());
            (program.map_err(|error| unreadable(&error))?, None)
        } else {
            let sources = SourceSet::read_dir(place, Links::Refuse).map_err(|error| unreadable(&error))?;
            let sources = sources.below(&place.to_string_lossy());
            let mut compilation = compile_within(&sources, &config.mode, &config.tokens.ceiling(), now_ms);
            let Some(program) = compilation.program else {
                compilation
                    .diagnostics
                    .retain(|found| found.severity == Severity::Error);
                output::note_raw(&render_text(
                    &sources,
                    &compilation.diagnostics,
                    output::colours(),
                ));
                return Err(Failure::Usage(format!(
                    "the policy in `{shown}` does not compile; no test was run"
                )));
            };
            (program, Some((sources, compilation.source_map)))
        };
        let program = bind(&unbound, config).map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Self {
            program,
            files,
            shown,
        })
    }

    /// The files and their places; `None` for a compiled policy.
    pub(super) fn sources(&self) -> Option<(&SourceSet, &SourceMap)> {
        self.files.as_ref().map(|(sources, map)| (sources, map))
    }
}

/// The lines that a text names: all lines of a token, or one as `FILE:NUMBER` or by its text.
pub(super) fn lines_of(what: &str, lab: &Lab<'_>) -> Result<Vec<Place>, Failure> {
    let token = lab.program.tokens().find(|(_, token)| token.name == what);
    if let Some((id, token)) = token {
        if lab.bench.has_ended(token) {
            return Err(Failure::Usage(format!(
                "the token `{what}` has expired or is revoked, so every request is denied; --at can name an earlier time"
            )));
        }
        let lines = lab.lines_of(&[id]);
        if lines.is_empty() {
            return Err(Failure::Usage(format!("the token `{what}` has no lines")));
        }
        return Ok(lines);
    }
    let is_meant = |place: &Place| {
        let named = what.rsplit_once(':').is_some_and(|(file, number)| {
            (file == place.file || file == place.path) && number == place.number.to_string()
        });
        named || place.text == what.trim()
    };
    let lines: Vec<Place> = lab.lines(&[]).into_iter().filter(is_meant).collect();
    if lines.is_empty() {
        return Err(Failure::Usage(format!(
            "`{what}` is neither a token of the policy nor a line of one that is valid; write the token's name, FILE:NUMBER, or the line as it is in the policy"
        )));
    }
    Ok(lines)
}
