//! TW0102: constraints without square brackets of their own: behind the URL, in other brackets, or within a value.

use std::ops::Range;

use super::{
    part_words::{KINDS, OTHER_WORDS, UNTESTED, near, starts_with_operator},
    parts::{Url, Value},
    pieces::{Kind, Piece},
};
use crate::diagnostic::{Code, Diagnostic};

/// `.*QueryParam::a==b`, `<QueryParam::a==b>`, `"QueryParam::a==b"`.
pub(super) fn in_url(url: &Url<'_>) -> Option<Diagnostic> {
    let range = find(url.text, &url.pieces, true)?;
    let text = url.text.get(range.clone())?;
    let headline = format!("`{text}` is part of the URL regexp, not a constraint");
    Some(url.error(Code::MisspeltPart, range, headline).help(
        "write constraints in square brackets: `[QueryParam::name==regexp]`; to match a colon, write `\\:`",
    ))
}

/// `[QueryParam::a==b&QueryParam::c==d]`.
pub(super) fn in_value(value: &Value<'_>) -> Option<Diagnostic> {
    let range = find(value.text, &value.pieces, false)?;
    let text = value.text.get(range.clone())?;
    let headline = format!("`{text}` is part of the value, not a second constraint");
    let found = value.error(Code::MisspeltPart, range.clone(), headline).help(
        "write each constraint in square brackets of its own: `[QueryParam::a==x][QueryParam::b==y]`; to match a colon, write `\\:`",
    );
    Some(match joint(value.text, &range) {
        Some(start) => value.with_fix(found, &(start..range.end), &format!("][{text}")),
        None => found,
    })
}

/// Where the sign begins that joins a second constraint to the value before it. `None` if the second one is not like a constraint.
fn joint(text: &str, second: &Range<usize>) -> Option<usize> {
    let is_constraint = KINDS.iter().any(|kind| {
        let rest = text.get(second.clone()).and_then(|text| text.strip_prefix(kind));
        rest.is_some_and(|rest| rest.starts_with("::"))
    });
    let before = text.get(..second.start)?.trim_end();
    let value = ["&&", "&", ",", ";", " and", " AND"]
        .iter()
        .find_map(|sign| before.strip_suffix(sign))?;
    let value = value.trim_end();
    (is_constraint && !value.is_empty()).then_some(value.len())
}

/// The first text like `Word::name==`, from the word to the end. `any_word`: whatever the word is.
fn find(text: &str, pieces: &[Piece], any_word: bool) -> Option<Range<usize>> {
    dotted(text, pieces).or_else(|| colons_behind_word(text, pieces, any_word))
}

/// `QueryParam.name==`.
fn dotted(text: &str, pieces: &[Piece]) -> Option<Range<usize>> {
    if !text.contains('=') {
        return None;
    }
    (0..pieces.len()).find_map(|at| {
        let dot = pieces.get(at).filter(|piece| piece.is('.'))?;
        let start = word_start(pieces, at)?;
        let word = text.get(start..dot.range.start)?;
        let offset = KINDS.iter().find_map(|kind| {
            let offset = word.len().checked_sub(kind.len())?;
            let end = word.get(offset..)?;
            end.eq_ignore_ascii_case(kind).then_some(offset)
        })?;
        operator_behind(text.get(dot.range.end..)?).then_some(start + offset..text.len())
    })
}

fn colons_behind_word(text: &str, pieces: &[Piece], any_word: bool) -> Option<Range<usize>> {
    if !text.contains([':', '：']) {
        return None;
    }
    colons(pieces).find_map(|at| {
        let colon = pieces.get(at)?;
        let start = word_start(pieces, at)?;
        let word = text.get(start..pieces.get(at)?.range.start)?;
        let behind = text.get(colon.range.end..)?;
        let is_double = pieces.get(at + 1).is_some_and(is_colon);
        let name = behind.trim_start_matches([':', '：', ' ']);
        let has_operator = operator_behind(name);
        let kind = KINDS.iter().find_map(|kind| end_like(word, kind));
        let other = || is_word_for_part(word).then_some(0);
        let offset = match (is_double, has_operator) {
            // The word of a kind says what is meant, whatever follows.
            (true, false) => kind,
            (true, true) => kind.or_else(other).or(any_word.then_some(0)),
            (false, true) => kind,
            (false, false) => None,
        }?;
        Some(start + offset..text.len())
    })
}

/// The first colon of each run of colons.
fn colons(pieces: &[Piece]) -> impl Iterator<Item = usize> {
    (0..pieces.len()).filter(|at| {
        let before = at.checked_sub(1).and_then(|before| pieces.get(before));
        pieces.get(*at).is_some_and(is_colon) && !before.is_some_and(is_colon)
    })
}

fn is_colon(piece: &Piece) -> bool {
    piece.is(':') || piece.is('：')
}

/// Where the word before a piece begins.
fn word_start(pieces: &[Piece], end: usize) -> Option<usize> {
    let is_in_word = |piece: &&Piece| matches!(piece.kind, Kind::Character(character) if character.is_alphanumeric() || character == '_');
    let length = pieces.get(..end)?.iter().rev().take_while(is_in_word).count();
    let first = pieces.get(end.checked_sub(length)?)?;
    (length > 0).then_some(first.range.start)
}

/// Where in a word an end like `kind` begins: 6 of `searchQueryParam`.
fn end_like(word: &str, kind: &'static str) -> Option<usize> {
    if near(word, kind) {
        return Some(0);
    }
    let start = word.len().checked_sub(kind.len())?;
    word.get(start..)
        .filter(|end| end.eq_ignore_ascii_case(kind))
        .map(|_| start)
}

/// Whether people write the word for a part of a request.
fn is_word_for_part(word: &str) -> bool {
    let mut known = OTHER_WORDS.iter().map(|(known, _)| known).chain(&UNTESTED);
    known.any(|known| known.eq_ignore_ascii_case(word))
}

/// Whether a text is a name and an operator.
fn operator_behind(text: &str) -> bool {
    let end = text
        .find(|character: char| !(character.is_alphanumeric() || "_.$-*\"[]".contains(character)))
        .unwrap_or(text.len());
    let rest = text.get(end..).unwrap_or_default().trim_start();
    end > 0 && starts_with_operator(rest)
}
