//! A side of a comparison that is compiled, wherever its files came from.

use tokenward_compiler::SourceMap;
use tokenward_compiler::diagnostic::{Code, Diagnostic};
use tokenward_compiler::ir::Program;
use tokenward_compiler::source::{SourceId, SourceSet};

use crate::config::Config;

/// A policy of one revision, directory or artifact. No part of it is read from another side.
pub(in crate::cli) struct Side {
    /// Name of the side in messages.
    pub(in crate::cli) name: String,
    /// The side's own configuration, with paths as written.
    pub(in crate::cli) config: Config,
    /// Files of the policy; empty for an artifact, which has no invariants and reviews either.
    pub(in crate::cli) sources: SourceSet,
    /// The program, not bound to a base URL.
    pub(in crate::cli) program: Program,
    /// Places of the program's tokens and lines in the files.
    pub(in crate::cli) source_map: SourceMap,
    /// Sets that no token includes.
    pub(in crate::cli) unused: Vec<SourceId>,
    /// Directory of the files, with `/` between the parts; empty for an artifact.
    pub(in crate::cli) directory: String,
    /// Whether it is a revision, whose paths begin at the top of its repository.
    pub(in crate::cli) is_revision: bool,
}

impl Side {
    /// Creates a side from compiled files.
    pub(in crate::cli) fn compiled(
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
}
