//! The evidence of a decision, as JSON.

use serde::Serialize;
use tokenward_audit::{Kept, NodeValue};

/// A value of the body. At most one of `value` and `hmac` is present; both are absent if the value was dropped.
#[derive(Serialize)]
pub(super) struct Node {
    path: String,
    kind: &'static str,
    value: Option<String>,
    hmac: Option<String>,
}

/// A line with constraints that was tried.
#[derive(Serialize)]
pub(super) struct Tried {
    line: LineRef,
    effect: &'static str,
    held: &'static str,
    constraints: Vec<Constraint>,
}

/// What a denied call lacks.
#[derive(Serialize)]
pub(super) struct Lacking {
    line: LineRef,
    condition: String,
    found: String,
}

#[derive(Serialize)]
struct Constraint {
    constraint: String,
    held: &'static str,
}

impl From<NodeValue> for Node {
    fn from(node: NodeValue) -> Self {
        let (value, hmac) = match node.value {
            Kept::Text(text) => (Some(text), None),
            Kept::Hash(hash) => (None, Some(hash)),
            Kept::Dropped => (None, None),
        };
        Self {
            path: node.path,
            kind: node.kind.as_str(),
            value,
            hmac,
        }
    }
}

impl From<tokenward_audit::Tried> for Tried {
    fn from(tried: tokenward_audit::Tried) -> Self {
        let constraints = tried.constraints.into_iter().map(|constraint| Constraint {
            constraint: constraint.text,
            held: constraint.held.as_str(),
        });
        Self {
            line: tried.line.into(),
            effect: if tried.forbids { "forbid" } else { "permit" },
            held: tried.held.as_str(),
            constraints: constraints.collect(),
        }
    }
}

impl From<tokenward_audit::Lacking> for Lacking {
    fn from(lacking: tokenward_audit::Lacking) -> Self {
        Self {
            line: lacking.line.into(),
            condition: lacking.condition,
            found: lacking.found,
        }
    }
}

#[derive(Serialize)]
pub(super) struct LineRef {
    file: String,
    number: u32,
    digest: String,
}

impl From<tokenward_audit::LineRef> for LineRef {
    fn from(line: tokenward_audit::LineRef) -> Self {
        Self {
            file: line.file,
            number: line.number,
            digest: line.digest,
        }
    }
}
