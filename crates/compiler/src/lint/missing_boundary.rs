//! TW0505: `KANBAN-1.*` also matches `KANBAN-10`, `issue.*` also `issueLink`.

use super::{
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
    for (at, pair) in pieces.windows(2).enumerate() {
        let [dot, star] = pair else { continue };
        if !(dot.is('.') && star.is('*') && is_end(pieces.get(at + 2))) {
            continue;
        }
        let Some((name, start)) = name_before(pieces.get(..at).unwrap_or_default()) else {
            continue;
        };
        found.extend(suspect(line, &name, start..dot.range.start, star.range.end));
        return;
    }
}

/// Whether an alternative or a segment ends before a piece.
fn is_end(piece: Option<&Piece>) -> bool {
    piece.is_none_or(|piece| piece.is('|') || piece.is(')') || piece.is('/'))
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

fn suspect(line: &Line<'_>, name: &Name, segment: std::ops::Range<usize>, end: usize) -> Option<Suspect> {
    let url = line.url_text();
    let (before, behind) = (url.get(..segment.end)?, url.get(end..)?);
    let shown = url.get(segment.clone())?;
    let with = |text: &str| line.with_url(&format!("{before}{text}{behind}"));
    // Text that a reader expects not to be matched, and the narrower spellings: for the proof, and for the author.
    let (more, narrower, written) = match name {
        Name::Number => ("0", "(/.*)?", "(/.*)?"),
        Name::Key => ("X-1", "(?:[-/].*)?", "-.*"),
        Name::Word if shown.ends_with(['s', 'h', 'x']) => ("es", "(/.*)?", "(/.*)?"),
        Name::Word => ("s", "(/.*)?", "(/.*)?"),
    };
    let is_plain = shown
        .chars()
        .all(|one| one.is_ascii_alphanumeric() || "-_".contains(one));
    let headline = if is_plain {
        format!("`{shown}.*` also matches `{shown}{more}`")
    } else {
        format!("`{shown}.*` also matches names that only begin like this")
    };
    Some(Suspect {
        code: Code::MissingBoundary,
        span: line.syntax.url.span.part(segment.start..end),
        headline,
        help: format!("write `{}`", with(written)),
        claim: line.beyond(&with(narrower), with(more)),
        mend: line.mend([with(written)]),
    })
}
