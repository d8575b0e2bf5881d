//! TW0020: text in a URL regexp that no URL has: comments, queries, blanks, encoded characters.

use super::{
    parts::Url,
    pieces::{Kind, Piece, pieces},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    method::Method,
    parse::parse_line,
    source::Span,
};

/// The first such text.
pub(super) fn find(url: &Url<'_>) -> Option<Diagnostic> {
    comment(url)
        .or_else(|| bare_methods(url))
        .or_else(|| query(url))
        .or_else(|| query_after_wildcard(url))
        .or_else(|| blank(url))
        .or_else(|| encoded(url))
}

/// `#`, with or without a blank before it.
fn comment(url: &Url<'_>) -> Option<Diagnostic> {
    let hash = url.pieces.iter().find(|piece| piece.is('#'))?;
    let start = hash.range.start;
    let before = url.text.get(..start)?.trim_end().len();
    let found = url
        .error(
            Code::UrlText,
            start..url.text.len(),
            "`#` does not begin a comment after a line: it is part of the regexp",
        )
        .help(format!(
            "put the comment on a separate line, and {}; to match `#`, write `\\#`",
            url.mended(&(before..url.text.len()), "")
        ));
    // The comment goes on to the end of the line.
    let (line, comment) = (
        url.line.get(..url.start + before)?,
        url.line.get(url.start + start..)?,
    );
    Some(found.fix(url.syntax.span, format!("{}\n{line}", comment.trim_end())))
}

/// `get /rest/x`, `GET: /rest/x`, `get,post /rest/x`.
fn bare_methods(url: &Url<'_>) -> Option<Diagnostic> {
    let end = url.text.find(['/', ' ', '\t', ':', '.', '[', '('])?;
    let words = url.text.get(..end)?;
    let rest = url.text.get(end..)?;
    let are_methods = words
        .split([',', '|'])
        .all(|word| Method::from_name(word).is_some());
    if !are_methods || url.has_methods() {
        return None;
    }
    let rest = rest.trim_start_matches([' ', '\t', ':']);
    let (range, written) = (0..url.text.len(), format!("[{words}]{rest}"));
    let found = url
        .error(
            Code::UrlText,
            0..end,
            format!("`{words}` is part of the URL regexp, not a method list"),
        )
        .help(format!(
            "write methods in brackets: {}",
            url.mended(&range, &written)
        ));
    Some(url.with_fix(found, &range, &written))
}

/// `?name=`, `\?name=` and `&name=`.
fn query(url: &Url<'_>) -> Option<Diagnostic> {
    let mut marks = url.pieces.iter().enumerate();
    let (at, mark) = marks.find(|(at, piece)| {
        let is_mark = piece.is('?') || piece.is('&') || url.text.get(piece.range.clone()) == Some("\\?");
        is_mark && name_behind(url, at + 1).is_some()
    })?;
    let name = name_behind(url, at + 1)?;
    let range = mark.range.start..url.text.len();
    let headline = "the URL is matched without its query, so this does not match the intended requests";
    let example = format!("[QueryParam::{name}==…]");
    let found = url.error(Code::UrlText, range.clone(), headline).help(format!(
        "end the URL before it, and write `{example}`; to match the character itself in the path, write `[?]` or `[&]`"
    ));
    let behind = url.text.get(mark.range.end..)?;
    Some(match constraints(behind) {
        Some(written) => url.with_fix(found, &range, &written),
        None => found,
    })
}

/// `[QueryParam::a==b][QueryParam::c==d]` for `a=b&c=d`.
fn constraints(query: &str) -> Option<String> {
    let pairs = query.split('&').map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let is_name = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        let is_plain = !value.is_empty() && !value.contains(['[', ']', '?', '=', ' ']);
        (is_name && is_plain).then(|| format!("[QueryParam::{name}=={value}]"))
    });
    pairs.collect()
}

/// `.*name=`: a query that the wildcard should reach.
fn query_after_wildcard(url: &Url<'_>) -> Option<Diagnostic> {
    let is_in_name = |piece: &&Piece| matches!(piece.kind, Kind::Character(character) if character.is_alphanumeric() || "_-".contains(character));
    let (at, length) = url.pieces.windows(2).enumerate().find_map(|(at, pair)| {
        let [dot, count] = pair else { return None };
        let behind = url.pieces.get(at + 2..)?;
        let length = behind.iter().take_while(is_in_name).count();
        // `(Key='a')` is a path of OData.
        let is_value = behind
            .get(length + 1)
            .is_none_or(|next| !(next.is('=') || next.is('\'') || next.is('"')));
        let is_wildcard = dot.is('.') && (count.is('*') || count.is('+'));
        let is_name = length > 1 && behind.get(length).is_some_and(|piece| piece.is('='));
        (is_wildcard && is_name && is_value).then_some((at, length))
    })?;
    let (first, last) = (url.pieces.get(at + 2)?, url.pieces.get(at + 1 + length)?);
    let name = url.text.get(first.range.start..last.range.end)?;
    let headline = "the URL is matched without its query, so this does not match the intended requests";
    Some(
        url.error(Code::UrlText, first.range.start..url.text.len(), headline)
            .help(format!(
                "end the URL before it, and write `[QueryParam::{name}==…]`; to match `=` in the path, write `[=]`"
            )),
    )
}

/// The name behind a `?` or `&`, if `=` ends it.
fn name_behind<'a>(url: &Url<'a>, from: usize) -> Option<&'a str> {
    let is_in_name = |piece: &Piece| match piece.kind {
        Kind::Character(character) => character.is_alphanumeric() || "_-.$()|*+&:".contains(character),
        Kind::Escape | Kind::Group | Kind::Class => true,
        _ => false,
    };
    let behind = url.pieces.get(from..)?;
    let length = behind.iter().take_while(|piece| is_in_name(piece)).count();
    behind.get(length).filter(|piece| piece.is('='))?;
    let (first, last) = (behind.first()?, behind.get(length.checked_sub(1)?)?);
    let name = url.text.get(first.range.start..last.range.end)?;
    name.contains(|character: char| character.is_alphanumeric() || character == '_')
        .then_some(name)
}

/// A blank within the URL.
fn blank(url: &Url<'_>) -> Option<Diagnostic> {
    let blank = url.pieces.iter().find(|piece| piece.is_blank())?;
    Some(
        url.error(
            Code::UrlText,
            blank.range.clone(),
            "a space within the URL regexp",
        )
        .help("remove it, or write `\\x20` if the path contains a space"),
    )
}

/// `%20`: paths are matched decoded.
fn encoded(url: &Url<'_>) -> Option<Diagnostic> {
    let is_meant = |digits: &str| !digits.eq_ignore_ascii_case("2F");
    let range = percent(url.text, &url.pieces, is_meant)?;
    let text = url.text.get(range.clone())?;
    let headline = format!("`{text}` never occurs: paths are matched decoded");
    let found = url.error(Code::UrlText, range, headline);
    Some(match decoded(url.text, &url.pieces, is_meant, "\\x20") {
        Some(written) => {
            let whole = 0..url.text.len();
            let help = url.mended(&whole, &written);
            url.with_fix(found.help(decoded_help(&help)), &whole, &written)
        }
        None => found.help(decoded_help("write the character itself")),
    })
}

/// An error for `%2F` in the URL of a line, for a proxy that refuses such paths.
pub(crate) fn encoded_slash(text: &str, line: Span) -> Option<Diagnostic> {
    // A start asks this of every forbid line, and hardly any has these digits.
    if !(text.contains("2F") || text.contains("2f")) {
        return None;
    }
    let syntax = parse_line(text, line).ok()?;
    let start = syntax.url.span.start - line.start;
    let url = text.get(start..start + (syntax.url.span.end - syntax.url.span.start))?;
    let range = percent(url, &pieces(url, &[]), |digits| digits.eq_ignore_ascii_case("2F"))?;
    Some(
        Diagnostic::new(
            Code::UrlText,
            syntax.url.span.part(range),
            "`%2F` never occurs: the proxy refuses it in paths",
        )
        .help("set `encoded_slash = true` in `[relax]` if the upstream needs it; to match a percent sign, write `[%]`"),
    )
}

/// The help for encoded characters, after what to write.
pub(super) fn decoded_help(write: &str) -> String {
    format!("{write}; to match a percent sign, write `[%]`")
}

/// The regexp with the character that each `%XX` encodes in its place: several of them may encode one character. `None` if one of them is
/// not text that a line may contain. `accepts`: whether digits are meant as an encoded character; others stay.
pub(super) fn decoded(
    text: &str,
    pieces: &[Piece],
    accepts: impl Fn(&str) -> bool,
    space: &str,
) -> Option<String> {
    let (mut out, mut bytes, mut at) = (String::new(), Vec::new(), 0);
    while let Some(piece) = pieces.get(at) {
        let digits = encoded_at(text, pieces, at).filter(|digits| accepts(digits));
        if let Some(digits) = digits {
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            at += 3;
            continue;
        }
        write_decoded(&std::mem::take(&mut bytes), space, &mut out)?;
        out.push_str(text.get(piece.range.clone())?);
        at += 1;
    }
    write_decoded(&bytes, space, &mut out)?;
    Some(out)
}

/// Appends the characters of decoded bytes, as a regexp.
fn write_decoded(bytes: &[u8], space: &str, out: &mut String) -> Option<()> {
    for character in std::str::from_utf8(bytes).ok()?.chars() {
        match character {
            ' ' => out.push_str(space),
            // Otherwise digits after it would make an encoded character.
            '%' => out.push_str("[%]"),
            character if character.is_ascii_graphic() || character.is_alphanumeric() => {
                out.push_str(&regex_syntax::escape(&character.to_string()));
            }
            _ => return None,
        }
    }
    Some(())
}

/// The digits of an encoded character that begins at a piece.
fn encoded_at<'t>(text: &'t str, pieces: &[Piece], at: usize) -> Option<&'t str> {
    let [sign, high, low] = pieces.get(at..at + 3)? else {
        return None;
    };
    let is_digit =
        |piece: &Piece| matches!(piece.kind, Kind::Character(character) if character.is_ascii_hexdigit());
    let digits = text.get(high.range.start..low.range.end)?;
    (sign.is('%') && is_digit(high) && is_digit(low)).then_some(digits)
}

/// The range of the first `%` with two hexadecimal digits that a test accepts.
pub(super) fn percent(
    text: &str,
    pieces: &[Piece],
    accepts: impl Fn(&str) -> bool,
) -> Option<std::ops::Range<usize>> {
    (0..pieces.len()).find_map(|at| {
        let digits = encoded_at(text, pieces, at).filter(|digits| accepts(digits))?;
        let sign = pieces.get(at)?;
        Some(sign.range.start..sign.range.end + digits.len())
    })
}
