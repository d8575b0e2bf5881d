//! The spellings of any text in a regexp: `.*`, `.+`, `.*?`, `(.*)`, `(?:.*)?`.

use crate::check::pieces::{Kind, Piece};

/// Any text at the beginning of some pieces.
pub(super) struct AnyText {
    /// Number of its pieces, at least two.
    pub(super) pieces: usize,
    /// Whether it is never empty: `.+`.
    pub(super) needs_one: bool,
}

/// Reads any text at the beginning of pieces of `url`.
pub(super) fn any_text(pieces: &[Piece], url: &str) -> Option<AnyText> {
    let in_group = pieces.first().is_some_and(|piece| opens(piece, url));
    let inner = pieces.get(usize::from(in_group)..)?;
    let [dot, sign, behind @ ..] = inner else {
        return None;
    };
    if !(dot.is('.') && (sign.is('*') || sign.is('+'))) {
        return None;
    }
    let follows = |behind: &[Piece], at: usize, character| {
        let piece = behind.get(at);
        piece.is_some_and(|piece| piece.is(character))
    };
    let lazy = usize::from(follows(behind, 0, '?'));
    let plain = AnyText {
        pieces: 2 + lazy,
        needs_one: sign.is('+'),
    };
    if !in_group {
        return Some(plain);
    }
    if !follows(behind, lazy, ')') {
        return None;
    }
    let is_optional = follows(behind, lazy + 1, '?');
    Some(AnyText {
        pieces: plain.pieces + 2 + usize::from(is_optional),
        needs_one: plain.needs_one && !is_optional,
    })
}

/// Whether a piece opens a group. `(?i)` sets flags and opens none.
fn opens(piece: &Piece, url: &str) -> bool {
    let is_flags = || {
        let text = url.get(piece.range.clone());
        text.is_some_and(|text| text.ends_with(')'))
    };
    piece.is('(') || piece.kind == Kind::Group && !is_flags()
}
