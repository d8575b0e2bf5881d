//! TW0505: `KANBAN-1.*` also matches `KANBAN-10`, `issue.*` also `issueLink`.

use super::{
    any_text::{AnyText, any_text},
    line::{Line, word_character},
    suspect::Suspect,
};
use crate::{check::pieces::Piece, diagnostic::Code};

/// What the name before `.*` is, and so what was probably meant behind it.
enum Name {
    /// `KANBAN-1`: a number.
    Number,
    /// `KANBAN`: the key of a project.
    Key,
    /// `comment`: a word.
    Word,
}

pub(super) fn check(line: &Line<'_>, found: &mut Vec<Suspect>) {
    let pieces = &line.url;
    for at in 0..pieces.len() {
        let (before, behind) = pieces.split_at(at);
        let any = any_text(behind, line.url_text());
        let Some(any) = any.filter(|any| is_end(behind.get(any.pieces))) else {
            continue;
        };
        let Some((name, start)) = name_before(before) else {
            continue;
        };
        found.extend(suspect(line, &name, start, (behind, &any)));
        return;
    }
}

/// Whether an alternative or a segment ends before a piece.
fn is_end(piece: Option<&Piece>) -> bool {
    piece.is_none_or(|piece| ['|', ')', '/', '$'].into_iter().any(|end| piece.is(end)))
}

/// What the pieces end with: a name, and where its segment begins. Behind a group, what its last alternative ends with.
fn name_before(pieces: &[Piece]) -> Option<(Name, usize)> {
    let (last, before) = pieces.split_last()?;
    let inner = if last.is(')') { before } else { pieces };
    let run: Vec<char> = inner.iter().rev().map_while(word_character).collect();
    let last_character = *run.first()?;
    let segment = pieces.iter().rposition(|piece| piece.is('/'));
    let start = segment
        .and_then(|at| pieces.get(at + 1))
        .map_or(0, |piece| piece.range.start);
    let is_key = |one: &char| one.is_ascii_uppercase() || one.is_ascii_digit() || *one == '_';
    let begins = inner.get(inner.len() - run.len()).map(|piece| piece.range.start);
    let is_whole = begins == Some(start);
    let name = if last_character.is_ascii_digit() {
        Name::Number
    } else if run.len() > 1 && is_whole && run.iter().all(is_key) {
        Name::Key
    } else {
        Name::Word
    };
    Some((name, start))
}

/// The suspicion about a name that begins at `start`, before any text, which is at the beginning of some pieces.
fn suspect(
    line: &Line<'_>,
    name: &Name,
    start: usize,
    (pieces, any): (&[Piece], &AnyText),
) -> Option<Suspect> {
    let url = line.url_text();
    let name_end = pieces.first()?.range.start;
    let end = pieces.get(any.pieces.checked_sub(1)?)?.range.end;
    let (before, behind) = (url.get(..name_end)?, url.get(end..)?);
    let (shown, any_text) = (url.get(start..name_end)?, url.get(name_end..end)?);
    let with = |text: &str| line.with_url(&format!("{before}{text}{behind}"));
    // Text that a reader expects not to be matched, and the narrower spellings: for the proof, and for the author.
    let below = if any.needs_one { "/.*" } else { "(/.*)?" };
    let (more, narrower, written) = match name {
        Name::Number => ("0", below, below),
        Name::Key if any.needs_one => ("X-1", "[-/].*", "-.*"),
        Name::Key => ("X-1", "(?:[-/].*)?", "-.*"),
        Name::Word if shown.ends_with(['s', 'h', 'x']) => ("es", below, below),
        Name::Word => ("s", below, below),
    };
    let is_plain = shown
        .chars()
        .all(|one| one.is_ascii_alphanumeric() || "-_".contains(one));
    let headline = if is_plain {
        format!("`{shown}{any_text}` also matches `{shown}{more}`")
    } else {
        format!("`{shown}{any_text}` also matches names that only begin like this")
    };
    Some(Suspect {
        code: Code::MissingBoundary,
        span: line.syntax.url.span.part(start..end),
        headline,
        help: format!("write `{}`", with(written)),
        claim: line.beyond(&with(narrower), with(more)),
        fixes: line.fixes([&with(written)]),
        mend: line.mend([with(written)]),
    })
}
