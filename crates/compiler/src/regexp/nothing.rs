//! Patterns that no text matches, by their classes that have no character.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Whether no text matches the pattern, as far as its classes show. Assertions are taken to hold somewhere.
///
/// `minimum_len` of `regex-syntax` is not enough: it has no value if one of several alternatives matches nothing.
pub(crate) fn matches_nothing(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Literal(_) | HirKind::Look(_) => false,
        HirKind::Class(Class::Unicode(set)) => set.ranges().is_empty(),
        HirKind::Class(Class::Bytes(set)) => set.ranges().is_empty(),
        HirKind::Repetition(repetition) => repetition.min > 0 && matches_nothing(&repetition.sub),
        HirKind::Capture(capture) => matches_nothing(&capture.sub),
        HirKind::Concat(parts) => parts.iter().any(matches_nothing),
        HirKind::Alternation(branches) => branches.iter().all(matches_nothing),
    }
}
