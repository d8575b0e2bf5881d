//! TW0022: what other languages write for a part of a path, and a regexp reads as something else: `/*`, `/?/`, `/:name`,
//! `{name}`, `<name>`, `(1-9)`, `%`.

use std::ops::Range;

use super::{
    number_range,
    parts::{Url, Value},
    pieces::{Kind, Piece},
};
use crate::diagnostic::{Code, Diagnostic, nearest};

/// The placeholders of a line.
const PLACEHOLDERS: [&str; 4] = ["USER", "BASE_URL", "JIRA_URL", "CONFLUENCE_URL"];
const LIST: &str = "`{USER}`, `{BASE_URL}`, `{JIRA_URL}` and `{CONFLUENCE_URL}`";

/// The first such text of the URL.
pub(super) fn find(url: &Url<'_>) -> Option<Diagnostic> {
    glob(url)
        .or_else(|| any_character(url))
        .or_else(|| named_segment(url))
        .or_else(|| angle_brackets(url))
        .or_else(|| numbers(url))
        .or_else(|| {
            braces(url.text, &url.pieces, |range, headline| {
                url.error(Code::ForeignText, range, headline)
            })
        })
        .or_else(|| percent(url))
        .or_else(|| dots(url))
}

/// `/..` and `/...`: a segment of dots, each of which matches any character.
fn dots(url: &Url<'_>) -> Option<Diagnostic> {
    let ends = |piece: Option<&Piece>| piece.is_none_or(|piece| piece.is('/'));
    let mut slashes = url.pieces.iter().enumerate().filter(|(_, piece)| piece.is('/'));
    let (count, range) = slashes.find_map(|(slash, _)| {
        let behind = url.pieces.get(slash + 1..)?;
        let count = behind.iter().take_while(|piece| piece.is('.')).count();
        let range = behind.first()?.range.start..behind.get(count.checked_sub(1)?)?.range.end;
        (count > 1 && ends(behind.get(count))).then_some((count, range))
    })?;
    let text = url.text.get(range.clone())?;
    Some(
        url.error(
            Code::ForeignText,
            range,
            format!("`{text}` matches any {count} characters"),
        )
        .help(format!(
            "write `.*` for the rest of the path, or `[^/]{{{count}}}` for {count} characters; the proxy refuses paths with `/../`"
        )),
    )
}

/// `%`, `%s`, `%USER%`: a percent sign that does not begin an encoded character.
fn percent(url: &Url<'_>) -> Option<Diagnostic> {
    let sign = url.pieces.iter().find(|piece| {
        let digits = url.text.get(piece.range.end..piece.range.end + 2);
        let is_encoded = digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        piece.is('%') && !is_encoded
    })?;
    Some(
        url.error(
            Code::ForeignText,
            sign.range.clone(),
            "`%` matches only a percent sign; it is not a wildcard or a placeholder",
        )
        .help("write `[^/]*` for any text in a segment, or `.*` for any text; to match a percent sign, write `[%]`"),
    )
}

/// `/?/`: any character, to a shell.
fn any_character(url: &Url<'_>) -> Option<Diagnostic> {
    let three = url.pieces.windows(3).find(
        |three| matches!(three, [slash, mark, other] if slash.is('/') && mark.is('?') && other.is('/')),
    )?;
    let range = three.first()?.range.start..three.last()?.range.end;
    let found = url
        .error(
            Code::ForeignText,
            range.clone(),
            "`/?` matches an optional slash; `?` is not a wildcard",
        )
        .help(format!(
            "to match any one character, {}",
            url.mended(&range, "/[^/]/")
        ));
    Some(url.with_fix(found, &range, "/[^/]/"))
}

/// The first braces in a value that are neither a placeholder nor a count.
pub(super) fn braces_of_value(value: &Value<'_>) -> Option<Diagnostic> {
    braces(value.text, &value.pieces, |range, headline| {
        value.error(Code::ForeignText, range, headline)
    })
}

/// `/*` and `/**`.
fn glob(url: &Url<'_>) -> Option<Diagnostic> {
    let is_slash = |piece: &Piece| piece.is('/') || url.text.get(piece.range.clone()) == Some("\\/");
    let at = url
        .pieces
        .windows(2)
        .position(|pair| matches!(pair, [slash, star] if is_slash(slash) && star.is('*')))?;
    let start = url.pieces.get(at)?.range.start;
    let stars = url.pieces.get(at + 1..)?;
    let count = stars.iter().take_while(|piece| piece.is('*')).count();
    let range = start..url.pieces.get(at + count)?.range.end;
    let text = url.text.get(range.clone())?;
    let help = if count > 1 {
        format!("to match everything below, {}", url.mended(&range, "/.*"))
    } else {
        "write `/[^/]+` for one segment, or `/.*` for everything below; to match slashes, write `(?:/)*`"
            .to_owned()
    };
    let found = url
        .error(
            Code::ForeignText,
            range.clone(),
            format!("`{text}` matches any number of slashes; it is not a wildcard"),
        )
        .help(help);
    let below = |found| url.with_fix(found, &range, "/.*");
    Some(match count {
        1 => below(url.with_fix(found, &range, "/[^/]+")),
        _ => below(found),
    })
}

/// `/:name`, and `/<name>`.
fn named_segment(url: &Url<'_>) -> Option<Diagnostic> {
    let at = url.pieces.windows(3).position(|three| {
        let [slash, mark, first] = three else { return false };
        let is_letter = matches!(first.kind, Kind::Character(first) if first.is_alphabetic() || first == '_');
        slash.is('/') && (mark.is(':') || mark.is('<')) && is_letter
    })?;
    let start = url.pieces.get(at + 1)?.range.start;
    let behind = url.text.get(start + 1..)?;
    let mut length = behind
        .find(|character: char| !(character.is_alphanumeric() || "_:".contains(character)))
        .unwrap_or(behind.len());
    if behind.get(length..).is_some_and(|rest| rest.starts_with('>')) {
        length += 1;
    }
    let range = start..start + 1 + length;
    let text = url.text.get(range.clone())?;
    let found = url
        .error(
            Code::ForeignText,
            range.clone(),
            format!("`{text}` matches only this text, not any segment"),
        )
        .help(format!(
            "to match any one segment, {}; to match a colon, write `\\:`",
            url.mended(&range, "[^/]+")
        ));
    Some(url.with_fix(found, &range, "[^/]+"))
}

/// `KANBAN-<id>`.
fn angle_brackets(url: &Url<'_>) -> Option<Diagnostic> {
    let open = url.pieces.iter().find(|piece| piece.is('<'))?.range.start;
    let behind = url.text.get(open + 1..)?;
    let name = behind.get(..behind.find('>')?)?;
    let is_name = name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && name
            .chars()
            .all(|character| character.is_alphanumeric() || "_:-".contains(character));
    let range = open..open + name.len() + 2;
    is_name.then(|| {
        let found = url
            .error(
                Code::ForeignText,
                range.clone(),
                format!("`<{name}>` matches only this text; it is not a placeholder"),
            )
            .help(
                "write `[^/]+` for any text in a segment, or `\\d+` for a number; to match `<`, write `[<]`",
            );
        url.with_fix(found, &range, "[^/]+")
    })
}

/// `KANBAN-(1-9)`.
fn numbers(url: &Url<'_>) -> Option<Diagnostic> {
    let (place, low, high) = url.pieces.iter().find_map(|piece| {
        let is_group = piece.is('(') || piece.kind == Kind::Group;
        let behind = url.text.get(piece.range.end..).filter(|_| is_group)?;
        let inner = behind.get(..behind.find(')')?)?;
        let (low, high) = inner.split_once('-')?;
        let number = |text: &str| {
            let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse::<u64>().ok())?
        };
        let (low, high) = (number(low)?, number(high)?);
        let place = piece.range.start..piece.range.end + inner.len() + 1;
        (low < high).then_some((place, low, high))
    })?;
    let text = url.text.get(place.clone())?;
    let written = match high {
        ..10 => format!("[{low}-{high}]"),
        _ => number_range::regexp(low, high),
    };
    let found = url
        .error(
            Code::ForeignText,
            place.clone(),
            format!("`{text}` matches only the text `{low}-{high}`, not the numbers from {low} to {high}"),
        )
        .help(format!(
            "write `{written}` for the numbers; to match the text, write it without the group"
        ));
    Some(url.with_fix(found, &place, &written))
}

/// `{name}` that is no placeholder.
fn braces(
    text: &str,
    pieces: &[Piece],
    error: impl Fn(Range<usize>, String) -> Diagnostic,
) -> Option<Diagnostic> {
    let open = pieces.iter().find(|piece| {
        let first = text
            .get(piece.range.end..)
            .and_then(|behind| behind.chars().next());
        piece.is('{') && first.is_some_and(|first| first.is_alphabetic() || "_{$ ".contains(first))
    })?;
    let rest = text.get(open.range.start..)?;
    let end = rest.find('}').map_or(rest.len(), |end| end + 1);
    let name = rest.get(1..end)?.trim_end_matches('}').trim();
    let diagnostic = error(
        open.range.start..open.range.start + end,
        format!("there is no placeholder `{{{name}}}`"),
    );
    let place = diagnostic.primary.span;
    Some(match nearest(name, PLACEHOLDERS) {
        Some(near) => diagnostic
            .help(format!("did you mean `{{{near}}}`? the placeholders are {LIST}"))
            .fix(place, format!("{{{near}}}")),
        None => diagnostic
            .help(format!(
                "the placeholders are {LIST}; write `[^/]+` to match any one segment, or `\\{{` to match a brace"
            ))
            .fix(place, "[^/]+"),
    })
}
