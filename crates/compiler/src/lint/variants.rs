//! Other spellings of lines, compiled to rules that proofs compare with the lines themselves.

use std::collections::{HashMap, HashSet};

use crate::{
    analysis::Ruled,
    ir::{Program, RuleId, arena_index},
    lower::lower_lines,
    resolve::read_written,
    source::SourceSet,
    tokens::split_lines,
};

/// The lines that proofs will need.
#[derive(Default)]
pub(super) struct Variants {
    lines: Vec<String>,
    known: HashSet<String>,
}

/// The lines as rules of a program without tokens.
pub(super) struct Compiled {
    program: Program,
    rules: HashMap<String, RuleId>,
}

impl Variants {
    pub(super) fn need(&mut self, line: &str) {
        if self.known.insert(line.to_owned()) {
            self.lines.push(line.to_owned());
        }
    }

    /// Compiles the lines under the settings of another program. A line that does not compile is left out, and proves nothing.
    pub(super) fn compile(self, like: &Program) -> Option<Compiled> {
        let sources = SourceSet::from_files([("variants.limits".to_owned(), self.lines.join("\n"))]);
        let (id, source) = sources.iter().next()?;
        let spans = split_lines(id, &source.text, 0..source.text.len()).lines;
        let (mut limits, mut rules) = (Vec::new(), HashMap::new());
        for span in spans {
            let Some(limit) = read_written(&sources, span) else {
                continue;
            };
            rules.insert(sources.text(span).to_owned(), RuleId(arena_index(limits.len())));
            limits.push(limit);
        }
        let lowered = lower_lines(&limits, &sources);
        if !lowered.diagnostics.is_empty() {
            // One pattern is too large, and would match nothing.
            return None;
        }
        let program = lowered.program.bind(like.base()?).ok()?;
        Some(Compiled {
            program: program.merging_body(like.merges_body),
            rules,
        })
    }
}

impl Compiled {
    pub(super) fn program(&self) -> &Program {
        &self.program
    }

    pub(super) fn id(&self, line: &str) -> Option<RuleId> {
        self.rules.get(line).copied()
    }

    pub(super) fn rule(&self, line: &str) -> Option<Ruled<'_>> {
        let rule = self.program.rule(self.id(line)?)?;
        Some(Ruled {
            program: &self.program,
            rule,
        })
    }
}
