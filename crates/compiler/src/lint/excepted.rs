//! What exceptions are possible.

use crate::{
    diagnostic::{Code, Severity},
    source::Span,
};

/// Whether a comment or a directory may be an exception from a code. Errors are not excepted, and neither are warnings about
/// reviews, invariants and exceptions: no change excepts itself from the gate.
#[must_use]
pub fn can_be_excepted(code: Code) -> bool {
    let text = code.as_str();
    code.severity() == Severity::Warning
        && code != Code::IdleException
        && (text.starts_with("TW01") || text.starts_with("TW05"))
}

/// Whether one place is a part of another.
pub(super) fn is_within(inner: Span, outer: Span) -> bool {
    inner.source == outer.source && outer.start <= inner.start && inner.end <= outer.end
}
