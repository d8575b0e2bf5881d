//! Evidence of a decision, as the audit stores it: the lines with constraints that were tried, and values of the body.

use std::fmt::{Display, Write as _};
use std::sync::Arc;

use tokenward_audit::{Constraint, Held, LineRef, NodeKind, NodeValue, Tried};
use tokenward_compiler::ast::Effect;
use tokenward_compiler::decide::explain::{self, explain};
use tokenward_compiler::decide::nearest::nearest;
use tokenward_compiler::decide::{Body, Decision, Denial, DenyReason, Media, Request, constrains};
use tokenward_compiler::ir::{LineId, Program};
use tokenward_compiler::json::Kind;

use crate::problem::Shortfall;
use crate::request::{Rules, Secrets};
use crate::text::{SHORT, bounded, bounded_owned};

/// Maximum number of lines in a record.
const LINES: usize = 16;
/// Maximum number of constraints of one line in a record.
const CONSTRAINTS: usize = 16;
/// Maximum number of values in a record. Otherwise there could be one for each element of an array in the
/// body, for each line that checks it.
const VALUES: usize = 32;

/// Room for the path of a node, or for the digest of a line.
const USUAL_TEXT: usize = 32;

/// Evidence that a decision used.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Values of the body that the lines read.
    pub nodes: Vec<NodeValue>,
    /// Lines with constraints that were tried.
    pub tried: Vec<Tried>,
    /// The nearest line of a denied call and its failed condition, if no line decided.
    pub lacking: Option<Arc<Shortfall>>,
    /// Why the body of a denied call could not be read, if a line that was tried depends on it.
    pub unread: Option<String>,
}

impl Evidence {
    /// Whether no line with constraints was tried.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.tried.is_empty() && self.lacking.is_none() && self.unread.is_none()
    }

    /// Collects the evidence for the decision on this request. A line without constraints is left out: if it was tried,
    /// it matched and decided, and the record names it. Of more than 16 lines the first 15 and the last are kept; the
    /// last decided, if any line with constraints did. `unread` is the reason for which the body cannot be read, if
    /// there is one.
    pub fn at(
        program: &Program,
        request: &Request<'_>,
        decision: &Decision<'_>,
        unread: Option<String>,
        (rules, secrets): (&Rules, &Secrets),
    ) -> Self {
        let asked = (request.token, request.method, request.path);
        // Most calls are allowed by lines without constraints.
        if matches!(decision, Decision::Allow(_)) && !constrains(program, asked, |_| true) {
            return Self::default();
        }
        let mut found = explain(program, request);
        let (lacking, unread) = match decision {
            Decision::Deny(denial) => (
                lacking(program, request, denial, &found),
                unread.filter(|_| found.iter().any(|tried| needs_body(tried, request.body))),
            ),
            Decision::Allow(_) | Decision::NeedsBody(_) => (None, None),
        };
        found.retain(|tried| !tried.constraints.is_empty());
        if found.len() > LINES
            && let Some(last) = found.pop()
        {
            found.truncate(LINES - 1);
            found.push(last);
        }
        let mut evidence = Self {
            lacking,
            unread,
            ..Self::default()
        };
        for tried in &found {
            for (path, values) in tried.constraints.iter().filter_map(|constraint| constraint.node) {
                let path = written(path);
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

/// Finds the nearest line of a denied request. There is none if a forbid line matched, which is the whole
/// reason.
fn lacking(
    program: &Program,
    request: &Request<'_>,
    denial: &Denial,
    tried: &[explain::Tried<'_>],
) -> Option<Arc<Shortfall>> {
    if denial.reason == DenyReason::ForbidLine {
        return None;
    }
    let nearest = nearest(program, request, tried)?;
    Some(Arc::new(Shortfall::new(program, &nearest, request)))
}

/// Whether the match of a line depends on the body: the line checks the body, or parameters to which a form
/// adds.
fn needs_body(tried: &explain::Tried<'_>, body: Body<'_>) -> bool {
    match body {
        Body::Unread(Media::Form | Media::Multipart) => !tried.constraints.is_empty(),
        _ => tried
            .constraints
            .iter()
            .any(|constraint| constraint.text.starts_with("JsonData::")),
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
                text: bounded_owned(constraint.text, SHORT),
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
        digest: written(&line.digest),
    }
}

/// Writes a short text with room for it, so that its memory does not grow piece by piece.
fn written(text: &impl Display) -> String {
    let mut out = String::with_capacity(USUAL_TEXT);
    // Writing to a text cannot fail.
    let _ = write!(out, "{text}");
    out
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
