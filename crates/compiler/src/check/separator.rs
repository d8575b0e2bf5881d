//! TW0020: several URLs or conditions in one line, with a sign between them that a regexp takes as text.

use super::{
    parts::Url,
    pieces::{Kind, Piece},
};
use crate::diagnostic::{Code, Diagnostic};

/// The first such sign of the URL.
pub(super) fn find(url: &Url<'_>) -> Option<Diagnostic> {
    if !url.text.contains([',', ';', '&', '|', '!']) {
        return None;
    }
    url.pieces
        .iter()
        .enumerate()
        .find_map(|(at, piece)| match piece.kind {
            Kind::Character(',' | ';') => list(url, at),
            Kind::Character('&') => ampersand(url, at),
            Kind::Character('|') => two_bars(url, at),
            Kind::Character('!') => bang(url, at),
            _ => None,
        })
}

/// Whether a text begins a URL.
fn is_url(text: &str) -> bool {
    let text = text.trim_start_matches([' ', '\t', '^', '!']);
    let starts = ["/", "\\/", ".*/", "http", "{BASE_URL}"];
    starts.iter().any(|start| text.starts_with(start))
}

fn error(url: &Url<'_>, piece: &Piece, headline: String, help: &str) -> Option<Diagnostic> {
    let sign = url.text.get(piece.range.clone())?;
    Some(
        url.error(Code::UrlText, piece.range.clone(), headline)
            .help(format!("{help}; to match `{sign}`, write `[{sign}]`")),
    )
}

/// `/rest/a,/rest/b`, and `/rest/a,`.
fn list(url: &Url<'_>, at: usize) -> Option<Diagnostic> {
    let piece = url.pieces.get(at)?;
    let sign = url.text.get(piece.range.clone())?;
    let behind = url.text.get(piece.range.end..)?;
    let is_in_group = || is_list_in_group(url, at);
    if behind.trim().is_empty() {
        let headline = format!("the `{sign}` at the end is part of the URL regexp");
        let help = url.mended(&(piece.range.start..url.text.len()), "");
        return error(url, piece, headline, &help);
    }
    if is_url(behind) {
        let headline = format!("`{sign}` does not separate two URLs: it is part of the regexp");
        return error(url, piece, headline, "write a line for each URL");
    }
    if is_in_group() {
        let headline = format!("`{sign}` does not separate alternatives: it is part of the regexp");
        return error(url, piece, headline, "separate the alternatives with `|`");
    }
    None
}

/// `(admin,user)`: words and such signs alone, in a group that is not repeated.
fn is_list_in_group(url: &Url<'_>, at: usize) -> bool {
    let is_part = |piece: &&Piece| matches!(piece.kind, Kind::Character(character) if character.is_alphanumeric() || "_-,;".contains(character));
    let (Some(before), Some(behind)) = (url.pieces.get(..at), url.pieces.get(at + 1..)) else {
        return false;
    };
    let left = before.iter().rev().take_while(is_part).count();
    let right = behind.iter().take_while(is_part).count();
    let open = before
        .len()
        .checked_sub(left + 1)
        .and_then(|open| before.get(open));
    let is_open = open.is_some_and(|open| {
        open.is('(') || (open.kind == Kind::Group && url.text.get(open.range.clone()) == Some("(?:"))
    });
    let is_repeated = behind
        .get(right + 1)
        .is_some_and(|next| next.kind == Kind::Count || next.is('*') || next.is('+') || next.is('?'));
    left > 0 && right > 0 && is_open && behind.get(right).is_some_and(|close| close.is(')')) && !is_repeated
}

/// `/rest/a&/rest/b`, `/rest/a&&/rest/b`.
fn ampersand(url: &Url<'_>, at: usize) -> Option<Diagnostic> {
    let piece = url.pieces.get(at)?;
    let behind = url.text.get(piece.range.end..)?;
    if is_url(behind.strip_prefix('&').unwrap_or(behind)) {
        let headline = "`&` does not combine two URLs: it is part of the regexp";
        return error(url, piece, headline.to_owned(), "write a line for each URL");
    }
    None
}

/// `/rest/a||/rest/b`.
fn two_bars(url: &Url<'_>, at: usize) -> Option<Diagnostic> {
    let (piece, next) = (url.pieces.get(at)?, url.pieces.get(at + 1)?);
    let behind = url.text.get(next.range.end..)?;
    // In a group, an empty alternative makes it optional.
    (next.is('|') && is_url(behind)).then(|| {
        url.error(
            Code::UrlText,
            piece.range.start..next.range.end,
            "`||` has an empty alternative between its bars",
        )
        .help("separate alternatives with one `|`; for an optional part, write `(?:a|b)?`")
    })
}

/// `/rest/x![QueryParam::a==b]`, `/rest/.*!/rest/x`.
fn bang(url: &Url<'_>, at: usize) -> Option<Diagnostic> {
    let piece = url.pieces.get(at)?;
    let behind = url.text.get(piece.range.end..)?;
    let is_class = url
        .pieces
        .get(at + 1)
        .is_some_and(|next| next.kind == Kind::Class);
    let ends = behind.trim().is_empty() && url.behind().trim_start().starts_with('[');
    if !(ends || is_class || is_url(behind)) || at == 0 {
        return None;
    }
    let headline = "this `!` is part of the URL regexp, and excludes nothing";
    let help = if ends {
        "write `!` at the beginning of the line to forbid, or `!=` in the constraint"
    } else {
        "write a line of its own that begins with `!` for what is forbidden"
    };
    error(url, piece, headline.to_owned(), help)
}
