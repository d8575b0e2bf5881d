//! Mistakes in a regexp.

use std::ops::Range;

use super::mistake::{Edit, Kind};
use crate::{
    ast::Pattern,
    check::pieces::{Kind as Shape, Piece, pieces},
};

/// Ends of a URL that keep the name before them from going on. A mistake writes `.*` instead.
const BOUNDARIES: [&str; 7] = ["(/.*)?", "(?:/.*)?", "(/.+)?", "/.*", "/.+", "-.*", "-.+"];

pub(super) fn edits(text: &str, pattern: &Pattern, is_url: bool, found: &mut Vec<Edit>) {
    let whole = pattern.span.start..pattern.span.end;
    let Some(regexp) = text.get(whole.clone()) else {
        return;
    };
    let placeholders: Vec<Range<usize>> = pattern
        .placeholders
        .iter()
        .map(|(_, span)| span.start - whole.start..span.end - whole.start)
        .collect();
    let regexp = Regexp {
        text: regexp,
        pieces: pieces(regexp, &placeholders),
    };
    let mut local = Vec::new();
    regexp.atoms(&mut local);
    regexp.alternatives(&mut local);
    regexp.ends(is_url, &mut local);
    found.extend(local.into_iter().map(|(kind, place, text)| Edit {
        kind,
        place: whole.start + place.start..whole.start + place.end,
        text,
    }));
}

type Local = (Kind, Range<usize>, String);

struct Regexp<'t> {
    text: &'t str,
    pieces: Vec<Piece>,
}

impl Regexp<'_> {
    fn slice(&self, piece: &Piece) -> &str {
        self.text.get(piece.range.clone()).unwrap_or_default()
    }

    /// Mistakes in single characters, classes and repetitions.
    fn atoms(&self, found: &mut Vec<Local>) {
        for (at, piece) in self.pieces.iter().enumerate() {
            let next = self.pieces.get(at + 1);
            if self.slice(piece) == "\\." {
                found.push((Kind::UnescapedDot, piece.range.clone(), ".".to_owned()));
            } else if self.is_class(piece) {
                self.class(piece, next, found);
            } else if piece.is('?') && at > 0 && !self.is_repetition(at - 1) {
                found.push((Kind::LostOption, piece.range.clone(), String::new()));
            } else if piece.kind == Shape::Count {
                found.push((Kind::LostCount, piece.range.clone(), "+".to_owned()));
            }
        }
    }

    fn class(&self, piece: &Piece, next: Option<&Piece>, found: &mut Vec<Local>) {
        match next {
            Some(next) if next.is('+') || next.is('*') => {
                let place = piece.range.start..next.range.end;
                found.push((Kind::AnyText, place, ".*".to_owned()));
            }
            _ => found.push((Kind::WidenedClass, piece.range.clone(), ".".to_owned())),
        }
    }

    /// Whether a piece is `[…]`, `\d`, `\w` or another class.
    fn is_class(&self, piece: &Piece) -> bool {
        let text = self.slice(piece);
        piece.kind == Shape::Class
            || piece.kind == Shape::Escape && text.chars().nth(1).is_some_and(|one| "dDwWsSpP".contains(one))
    }

    fn is_repetition(&self, at: usize) -> bool {
        self.pieces.get(at).is_some_and(|piece| {
            piece.kind == Shape::Count || ['?', '*', '+'].into_iter().any(|sign| piece.is(sign))
        })
    }

    /// Mistakes in alternations: a missing alternative, a missing group.
    fn alternatives(&self, found: &mut Vec<Local>) {
        let mut open = vec![Group::new(0..0, 0)];
        for piece in &self.pieces {
            let begins_group =
                piece.is('(') || piece.kind == Shape::Group && !self.slice(piece).ends_with(')');
            if begins_group {
                open.push(Group::new(piece.range.clone(), piece.range.end));
            } else if piece.is(')') && open.len() > 1 {
                if let Some(group) = open.pop() {
                    group.closed(self.text, Some(piece.range.clone()), found);
                }
            } else if piece.is('|')
                && let Some(group) = open.last_mut()
            {
                group.bars.push(piece.range.clone());
            }
        }
        if let Some(group) = open.into_iter().next() {
            group.closed(self.text, None, found);
        }
    }

    /// Mistakes at the ends.
    fn ends(&self, is_url: bool, found: &mut Vec<Local>) {
        let (text, end) = (self.text, self.text.len());
        let boundary = BOUNDARIES
            .iter()
            .find(|boundary| is_url && text.ends_with(**boundary));
        match boundary {
            Some(boundary) => {
                let start = end - boundary.len();
                found.push((Kind::LostBoundary, start..end, ".*".to_owned()));
            }
            None if text.ends_with(".*") => {}
            None => found.push((Kind::OpenEnd, end..end, ".*".to_owned())),
        }
    }
}

/// A group, or the whole regexp.
struct Group {
    opening: Range<usize>,
    start: usize,
    bars: Vec<Range<usize>>,
}

impl Group {
    fn new(opening: Range<usize>, start: usize) -> Self {
        Self {
            opening,
            start,
            bars: Vec::new(),
        }
    }

    fn closed(&self, text: &str, closing: Option<Range<usize>>, found: &mut Vec<Local>) {
        if self.bars.is_empty() {
            return;
        }
        let end = closing.as_ref().map_or(text.len(), |closing| closing.start);
        let starts = std::iter::once(self.start).chain(self.bars.iter().map(|bar| bar.end));
        let ends = self.bars.iter().map(|bar| bar.start).chain([end]);
        let last = self.bars.len();
        for (at, (start, end)) in starts.zip(ends).enumerate() {
            // With the bar after it; the last one with the bar before it.
            let place = match (self.bars.get(at), at.checked_sub(1)) {
                (Some(bar), _) => start..bar.end,
                (None, Some(before)) if at == last => {
                    self.bars.get(before).map_or(start, |bar| bar.start)..end
                }
                _ => start..end,
            };
            found.push((Kind::LostAlternative, place, String::new()));
        }
        let Some(closing) = closing else { return };
        let is_plain = text
            .get(self.opening.clone())
            .is_some_and(|opening| matches!(opening, "(" | "(?:"));
        let inner = text.get(self.start..end).unwrap_or_default();
        if is_plain {
            found.push((Kind::LostGroup, self.opening.start..closing.end, inner.to_owned()));
        }
    }
}
