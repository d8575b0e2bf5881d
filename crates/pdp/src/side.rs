//! A side of a comparison that is compiled, wherever its files came from.

use std::collections::HashSet;

use tokenward_compiler::SourceMap;
use tokenward_compiler::diagnostic::{Code, Diagnostic};
use tokenward_compiler::ir::Program;
use tokenward_compiler::source::{SourceId, SourceSet};

use crate::config::Config;

/// A policy of one revision, directory or artifact. No part of it is read from another side.
pub struct Side {
    /// Name of the side in messages.
    pub name: String,
    /// The side's own configuration, with paths as written.
    pub config: Config,
    /// Files of the policy; empty for an artifact, which has no invariants and reviews either.
    pub sources: SourceSet,
    /// The program, not bound to a base URL.
    pub program: Program,
    /// Places of the program's tokens and lines in the files.
    pub source_map: SourceMap,
    /// Sets that no token includes.
    pub unused: Vec<SourceId>,
    /// Directory of the files, with `/` between the parts; empty for an artifact.
    pub directory: String,
    /// Whether it is a revision, whose paths begin at the top of its repository.
    pub is_revision: bool,
}

impl Side {
    /// Creates a side from compiled files.
    pub fn compiled(
        name: String,
        config: Config,
        sources: SourceSet,
        (program, source_map, diagnostics): (Program, SourceMap, &[Diagnostic]),
    ) -> Self {
        let unused = diagnostics.iter().filter(|found| found.code == Code::UnusedSet);
        let unused = unused.map(|found| found.primary.span.source).collect();
        Self {
            name,
            config,
            sources,
            program,
            source_map,
            unused,
            directory: String::new(),
            is_revision: false,
        }
    }

    /// Whether a line without `{USER}` has the same effect on both sides.
    pub fn reads_as(&self, other: &Self) -> bool {
        self.config.upstream == other.config.upstream && self.config.relax == other.config.relax
    }

    /// The texts of its forbid lines, but for those with `{USER}`.
    pub fn forbid_texts(&self) -> HashSet<&str> {
        let tokens = self.program.tokens();
        let lines = tokens.flat_map(|(id, _)| self.program.lines_of(id));
        let texts = lines.map(|(_, line)| line.text);
        texts
            .filter(|text| text.starts_with('!') && !text.contains("{USER}"))
            .collect()
    }

    /// Whether it has neither tokens nor policy files.
    pub fn is_empty(&self) -> bool {
        self.program.tokens().next().is_none() && !self.sources.has_policy()
    }

    /// Creates a side from a compiled policy, which has no files.
    pub fn of_artifact(name: String, config: Config, program: Program) -> Self {
        let nothing = SourceSet::from_files([]);
        Self::compiled(name, config, nothing, (program, SourceMap::default(), &[]))
    }
}
