//! A pattern of whole URLs, before the program is bound to a base URL.

use regex_syntax::hir::{Hir, HirKind};

use super::{code::Code, glob::Glob};
use crate::regexp::BASE_URL_MARK;

/// A pattern of whole URLs, in the form in which it waits.
#[derive(Clone, Debug)]
pub enum Whole {
    /// Of most: all that is left to do is to take the base off.
    Glob(Code),
    /// What needs an automaton, and what names the base URL.
    Tree(Box<Hir>),
}

impl Whole {
    /// The form in which a pattern waits for its base.
    pub(crate) fn new(hir: &Hir) -> Self {
        let globs = (!has_mark(hir)).then(|| Glob::from_hir(hir)).flatten();
        match globs.and_then(|globs| Code::new(&globs)) {
            Some(code) => Self::Glob(code),
            None => Self::Tree(Box::new(hir.clone())),
        }
    }
}

/// Whether the base URL stands anywhere in the pattern.
pub(crate) fn has_mark(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => marked(&literal.0).is_some(),
        HirKind::Repetition(repetition) => has_mark(&repetition.sub),
        HirKind::Capture(capture) => has_mark(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(has_mark),
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

/// The literal's text, if the mark is in it.
pub(crate) fn marked(literal: &[u8]) -> Option<&str> {
    std::str::from_utf8(literal)
        .ok()
        .filter(|text| text.contains(BASE_URL_MARK))
}
