//! Evidence of a decision, as the audit stores it: the lines with constraints that were tried, and values of the body.

use tokenward_audit::{Constraint, Held, LineRef, NodeKind, NodeValue, Tried};
use tokenward_compiler::ast::Effect;
use tokenward_compiler::decide::Request;
use tokenward_compiler::decide::explain::{self, explain};
use tokenward_compiler::ir::{LineId, Program};
use tokenward_compiler::json::Kind;

use crate::request::{Rules, Secrets};
use crate::text::{SHORT, bounded};

/// Maximum number of lines in a record, …
const LINES: usize = 16;
/// … of constraints of one line, …
const CONSTRAINTS: usize = 16;
/// … and of values. A caller chooses the number of elements in an array, and the policy the number of lines that
/// inspect them.
const VALUES: usize = 32;

/// Evidence that a decision used.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    pub(crate) nodes: Vec<NodeValue>,
    pub(crate) tried: Vec<Tried>,
}

impl Evidence {
    /// Whether no line with constraints was tried.
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.tried.is_empty()
    }

    /// Collects the evidence for the decision on this request. A line without constraints is left out: if it was tried,
    /// it matched and decided, and the record names it. Of more than 16 lines the first 15 and the last are kept; the
    /// last decided, if any line with constraints did.
    pub(crate) fn at(program: &Program, request: &Request<'_>, (rules, secrets): (&Rules, &Secrets)) -> Self {
        let mut found = explain(program, request);
        found.retain(|tried| !tried.constraints.is_empty());
        if found.len() > LINES
            && let Some(last) = found.pop()
        {
            found.truncate(LINES - 1);
            found.push(last);
        }
        let mut evidence = Self::default();
        for tried in &found {
            for (path, values) in tried.constraints.iter().filter_map(|constraint| constraint.node) {
                let path = path.to_string();
                if evidence.nodes.iter().any(|node| node.path == path) {
                    continue;
                }
                let room = VALUES.saturating_sub(evidence.nodes.len());
                evidence
                    .nodes
                    .extend(values.iter().take(room).map(|value| NodeValue {
                        path: bounded(&path, SHORT),
                        kind: kind(value.kind),
                        value: rules.kept_of_node(&path, &value.text, secrets, |text| bounded(text, SHORT)),
                    }));
            }
        }
        evidence.tried = found.into_iter().map(|found| tried(program, found)).collect();
        evidence
    }
}

fn tried(program: &Program, found: explain::Tried<'_>) -> Tried {
    let constraints = found.constraints.into_iter().take(CONSTRAINTS);
    Tried {
        line: line_ref(program, found.line),
        forbids: found.effect == Effect::Forbid,
        held: held(found.held),
        constraints: constraints
            .map(|constraint| Constraint {
                text: bounded(&constraint.text, SHORT),
                held: held(constraint.held),
            })
            .collect(),
    }
}

/// Refers to a line as the audit does.
pub(crate) fn line_ref(program: &Program, line: LineId) -> LineRef {
    let line = program.line(line);
    LineRef {
        file: line.file.to_owned(),
        number: line.number,
        digest: line.digest.to_string(),
    }
}

fn held(held: explain::Held) -> Held {
    match held {
        explain::Held::No => Held::No,
        explain::Held::Yes => Held::Yes,
        explain::Held::Unknown => Held::Unknown,
    }
}

fn kind(kind: Kind) -> NodeKind {
    match kind {
        Kind::String => NodeKind::String,
        Kind::Number => NodeKind::Number,
        Kind::Boolean => NodeKind::Boolean,
        Kind::Null => NodeKind::Null,
    }
}
