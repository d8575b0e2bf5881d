//! TW0102: what looks like a method list or a constraint and is none, which the regexp would take for a class of
//! characters.

use super::{
    bare_part,
    part_words::{KINDS, UNTESTED, kind_of, near, only_kind_of, starts_with_operator},
    parts::Url,
    pieces::{Kind, Piece},
};
use crate::{
    diagnostic::{Code, Diagnostic, nearest},
    method::Method,
};

/// The first such part of the URL regexp.
pub(super) fn find(url: &Url<'_>) -> Option<Diagnostic> {
    misplaced_bang(url)
        .or_else(|| empty_alternative(url))
        .or_else(|| method_list(url))
        .or_else(|| url.pieces.iter().find_map(|piece| constraint(url, piece)))
        .or_else(|| round_brackets(url))
        .or_else(|| bare_part::in_url(url))
        .or_else(|| late_methods(url))
}

/// `[get]!/rest/x`, `!!/rest/x`.
fn misplaced_bang(url: &Url<'_>) -> Option<Diagnostic> {
    let first = url.pieces.first().filter(|piece| piece.is('!'))?;
    let rest = url.text.get(first.range.end..)?.trim_start();
    let methods = url.line.get(..url.start)?;
    let methods = methods.trim_start_matches(['!', ' ', '\t']);
    let line = format!("!{}{rest}{}", methods.trim_end(), url.behind());
    Some(
        url.error(
            Code::MisspeltPart,
            first.range.clone(),
            "this `!` is part of the URL regexp, and forbids nothing",
        )
        .help(format!(
            "write `!` once, at the beginning of the line: {}",
            shown(&line)
        ))
        .fix(url.syntax.span, line),
    )
}

/// `[get]|[post]/rest/x`: the `|` makes an empty alternative of the URL, and what follows it another one.
fn empty_alternative(url: &Url<'_>) -> Option<Diagnostic> {
    let first = url
        .pieces
        .first()
        .filter(|piece| url.has_methods() && piece.is('|'))?;
    let found = url
        .error(
            Code::MisspeltPart,
            first.range.clone(),
            "this `|` is part of the URL regexp, and does not join method lists",
        )
        .help(
            "write all methods in one list: `[get,post]`; if an empty alternative is intended, write `(?:)|`",
        );
    Some(match joined_lists(url) {
        Some(line) => found.fix(url.syntax.span, line),
        None => found,
    })
}

/// The line with one list of methods, for `[get]|[post]/rest/x`.
fn joined_lists(url: &Url<'_>) -> Option<String> {
    let second = url.pieces.get(1).filter(|piece| piece.kind == Kind::Class)?;
    let inner = url.text.get(second.range.start + 1..second.range.end - 1)?;
    let are_methods = inner
        .split([',', '|'])
        .all(|word| Method::from_name(word.trim()).is_some());
    let first = url.line.get(..url.start)?.trim_end().strip_suffix(']')?;
    let rest = url.text.get(second.range.end..)?.trim_start();
    are_methods.then(|| format!("{first},{}]{rest}{}", inner.replace('|', ","), url.behind()))
}

/// A leading bracket of words, of which one is not a method.
fn method_list(url: &Url<'_>) -> Option<Diagnostic> {
    let first = url.pieces.first().filter(|piece| piece.kind == Kind::Class)?;
    // `[a-z]+://`, `[hH]ttps?://`.
    if is_repeated(url, 0) {
        return None;
    }
    let inner = url.text.get(first.range.start + 1..first.range.end - 1)?;
    let separators = [',', '|', ';', '!', '/', '&', '+', ' ', '\t', '"', '\''];
    let words: Vec<&str> = inner.split(separators).filter(|word| !word.is_empty()).collect();
    let is_word =
        |word: &&str| *word == "*" || (word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_alphabetic()));
    if words.is_empty() || !words.iter().all(is_word) {
        return loose_list(url, first, inner);
    }
    let place = first.range.clone();
    let rest = url.text.get(place.end..)?.trim_start();
    let line = |bang: &str, methods: &str| format!("{bang}{methods}{rest}{}", url.behind());
    let mut fix = None;
    let bang = if url.is_forbid() || inner.contains('!') {
        "!"
    } else {
        ""
    };
    let known = Method::NAMED.map(|method| method.as_str().to_lowercase());
    let near = |word: &&str| nearest(word, known.iter().map(String::as_str)).map(str::to_owned);
    let wrong = words.iter().find(|word| Method::from_name(word).is_none());
    let headline = match wrong {
        Some(wrong) => format!("`[{inner}]` is not a method list: `{wrong}` is not a method"),
        None if inner.contains('!') => {
            format!("`[{inner}]` is not a method list: `!` must be at the beginning of the line")
        }
        None if url.has_methods() => format!("`[{inner}]` is a second method list"),
        None => format!("`[{inner}]` is not a method list: methods are separated by `,` or `|`"),
    };
    let meant: Option<Vec<String>> = words.iter().map(near).collect();
    let any = |word: &str| ["*", "any", "all", "every"].contains(&word.to_lowercase().as_str());
    let help = match meant {
        _ if words.iter().any(|word| any(word)) => {
            let written = line(bang, "");
            let help = format!(
                "a line without a method list applies to all methods: {}",
                shown(&written)
            );
            if words.len() == 1 && !url.has_methods() {
                fix = Some(written);
            }
            help
        }
        _ if url.has_methods() => "write all methods in one list: `[get,post]`".to_owned(),
        Some(meant) => {
            let list = format!("[{}]", meant.join(","));
            let line = fix.insert(line(bang, &list));
            format!("did you mean `{list}`? {}", shown(line))
        }
        None => format!("the methods are {}", known.join(", ")),
    };
    let mut found = url
        .error(Code::MisspeltPart, place, headline)
        .help(format!("{help}; if a character class is intended, write `[\\…]`"));
    if let Some(line) = fix {
        found = found.fix(url.syntax.span, line);
    }
    Some(found)
}

/// `/rest/x[delete]`: a bracket of method words that does not begin the line.
fn late_methods(url: &Url<'_>) -> Option<Diagnostic> {
    if !url.text.contains('[') {
        return None;
    }
    let (at, class, words) = url.pieces.iter().enumerate().find_map(|(at, piece)| {
        let inner = (piece.kind == Kind::Class)
            .then(|| url.text.get(piece.range.start + 1..piece.range.end - 1))??;
        let separators = [',', '|', ';', '/', '&', '+', ' ', '\t'];
        let words: Vec<&str> = inner.split(separators).filter(|word| !word.is_empty()).collect();
        let are_methods = !words.is_empty() && words.iter().all(|word| Method::from_name(word).is_some());
        (are_methods && !is_repeated(url, at)).then_some((at, piece, words))
    })?;
    let text = url.text.get(class.range.clone())?;
    let mut letters: Vec<char> = words.concat().chars().collect();
    letters.sort_unstable();
    letters.dedup();
    let letters: String = letters.into_iter().collect();
    let is_last = at + 1 == url.pieces.len();
    let fix = if is_last && !url.has_methods() {
        let bang = if url.is_forbid() { "!" } else { "" };
        let rest = url.text.get(..class.range.start)?;
        Some(format!("{bang}[{}]{rest}{}", words.join(","), url.behind()))
    } else {
        None
    };
    let help = match &fix {
        Some(line) => shown(line),
        None => "write the methods at the beginning of the line, and a line for each list".to_owned(),
    };
    let found = url
        .error(
            Code::MisspeltPart,
            class.range.clone(),
            format!("`{text}` is a character class: a method list must be at the beginning of the line"),
        )
        .help(format!(
            "{help}; if a character class is intended, write `[{letters}]`"
        ));
    Some(match fix {
        Some(line) => found.fix(url.syntax.span, line),
        None => found,
    })
}

/// Whether a quantifier or a letter behind a class makes it one.
fn is_repeated(url: &Url<'_>, at: usize) -> bool {
    url.pieces.get(at + 1).is_some_and(|next| match next.kind {
        Kind::Count => true,
        Kind::Character(next) => next.is_alphabetic() || "*+?".contains(next),
        _ => false,
    })
}

/// A leading bracket with a word and other text, such as `[^delete]`, `[head or patch]` or a method with a letter of another script:
/// as a class it can match the `h` with which every URL begins, and then the line permits what follows it to all methods.
fn loose_list(url: &Url<'_>, first: &Piece, inner: &str) -> Option<Diagnostic> {
    let plain = inner.replace("\\|", "|").replace("\\,", ",");
    if plain.contains('\\') || plain.contains("[:") {
        return None;
    }
    let words = plain.split(|letter: char| !letter.is_alphabetic());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let is_spaced = plain.contains([' ', '\t']) && !words.is_empty();
    if !is_spaced && !words.iter().any(|word| word.chars().count() > 2) {
        return None;
    }
    let methods: Vec<&str> = words
        .iter()
        .copied()
        .filter(|word| Method::from_name(word).is_some())
        .collect();
    let rest = url.text.get(first.range.end..)?.trim_start();
    let list = |bang: &str| shown(&format!("{bang}[{}]{rest}{}", methods.join(","), url.behind()));
    let is_negation = plain.starts_with(['^', '-', '~', '!']) || words.first() == Some(&"not");
    let help = match (methods.is_empty(), is_negation) {
        (true, _) => "write methods in one list, in ASCII letters: `[get,post]`".to_owned(),
        (false, true) => format!("to forbid methods, {}", list("!")),
        (false, false) if url.is_forbid() => list("!"),
        (false, false) => list(""),
    };
    Some(
        url.error(
            Code::MisspeltPart,
            first.range.clone(),
            format!("`[{inner}]` is a character class, not a method list"),
        )
        .help(format!("{help}; if a character class is intended, write `[\\…]`")),
    )
}

/// Square brackets that look like a constraint.
fn constraint(url: &Url<'_>, piece: &Piece) -> Option<Diagnostic> {
    if piece.kind != Kind::Class {
        return None;
    }
    let inner = url.text.get(piece.range.start + 1..piece.range.end - 1)?;
    let headline = format!("`[{inner}]` is a character class, not a constraint");
    let error = |help: String| {
        Some(
            url.error(Code::MisspeltPart, piece.range.clone(), &headline)
                .help(help),
        )
    };
    let escape = "if a character class is intended, write an escape: `[\\:…]`, `[\\=…]`";
    let (word, behind) = leading_word(inner);
    if let Some(rest) = behind.trim_start().strip_prefix(':') {
        if UNTESTED.iter().any(|known| near(word, known)) {
            return error(
                "there are no constraints on headers and cookies; a line can test the query (`[QueryParam::name==…]`) and the JSON body (`[JsonData::name==…]`)".to_owned(),
            );
        }
        if let Some(kind) = kind_of(word) {
            let rest = rest.trim_start_matches([':', ' ']);
            let meant = format!("[{kind}::{rest}]");
            let found = error(format!(
                "did you mean `{meant}`? {}; the name is case-sensitive",
                url.mended(&piece.range, &meant)
            ))?;
            return Some(match only_kind_of(word) {
                Some(_) => url.with_fix(found, &piece.range, &meant),
                None => found,
            });
        }
    }
    if KINDS.iter().any(|kind| near(word, kind)) && !inner.contains('\\') {
        return error(format!(
            "a constraint is `[QueryParam::name==regexp]` or `[JsonData::name==regexp]`; {escape}"
        ));
    }
    if has_unescaped(inner, "::") || has_unescaped(inner, "==") {
        return error(format!(
            "a constraint is `[QueryParam::name==regexp]` or `[JsonData::name==regexp]`; {escape}"
        ));
    }
    // `id` is the shortest name that people test.
    let is_id = word.eq_ignore_ascii_case("id") && behind.ends_with(|last: char| last.is_alphanumeric());
    if (is_name(word) || is_id) && starts_with_operator(behind.trim_start()) {
        return error(format!(
            "did you mean `[QueryParam::{inner}]` or `[JsonData::{inner}]`? {escape}"
        ));
    }
    None
}

/// `(QueryParam::a==b)`.
fn round_brackets(url: &Url<'_>) -> Option<Diagnostic> {
    let open = url.pieces.iter().find(|piece| {
        let behind = url.text.get(piece.range.end..).unwrap_or_default();
        let (word, behind) = leading_word(behind);
        (piece.is('(') || piece.is('{')) && !word.is_empty() && behind.trim_start().starts_with("::")
    })?;
    let rest = url.text.get(open.range.clone().start..)?;
    let end = rest.find([')', '}']).map_or(rest.len(), |end| end + 1);
    let place = open.range.start..open.range.start + end;
    let text = url.text.get(place.clone())?;
    let found = url
        .error(
            Code::MisspeltPart,
            place.clone(),
            format!("`{text}` is part of the URL regexp, not a constraint"),
        )
        .help("write constraints in square brackets: `[QueryParam::name==regexp]`; to match a colon, write `\\:`");
    let inner = text.get(1..text.len() - 1).filter(|_| text.ends_with([')', '}']));
    let is_last = place.end == url.text.len();
    Some(match inner.and_then(as_constraint).filter(|_| is_last) {
        Some(written) => url.with_fix(found, &place, &written),
        None => found,
    })
}

/// `[QueryParam::a==b]` for `queryparam::a==b`, if the word has one kind and the rest is a plain test.
fn as_constraint(inner: &str) -> Option<String> {
    let (word, behind) = leading_word(inner);
    let rest = behind.trim_start().strip_prefix("::")?;
    let kind = only_kind_of(word)?;
    let (_, operator) = leading_word(rest);
    let is_plain = !rest.contains(['(', ')', '[', ']', '{', '}']);
    (is_plain && starts_with_operator(operator)).then(|| format!("[{kind}::{rest}]"))
}

/// The letters, digits and other characters of a name at the beginning, or a quoted name; and the rest.
fn leading_word(inner: &str) -> (&str, &str) {
    let inner = inner.trim_start();
    if let Some(quoted) = inner.strip_prefix('"')
        && let Some(end) = quoted.find('"')
    {
        return inner.split_at_checked(end + 2).unwrap_or((inner, ""));
    }
    let end = inner
        .find(|character: char| !(character.is_alphanumeric() || "_.$-".contains(character)))
        .unwrap_or(inner.len());
    inner.split_at_checked(end).unwrap_or((inner, ""))
}

/// Whether a text is a name, and no list of ranges: `[a-zA-Z=]` is a class.
fn is_name(word: &str) -> bool {
    let letters = word
        .chars()
        .filter(|character| character.is_alphanumeric())
        .count();
    let words = || {
        word.split('-')
            .map(|word| word.chars().filter(|c| c.is_alphanumeric()).count())
    };
    letters > 2
        && word.starts_with(|first: char| first.is_alphabetic() || "_$\"".contains(first))
        && (!word.contains('-') || words().filter(|length| *length > 2).count() > 1)
}

/// Whether a text has this pair of characters, neither of them behind a backslash.
fn has_unescaped(text: &str, pair: &str) -> bool {
    text.match_indices(pair).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let backslashes = before.len() - before.trim_end_matches('\\').len();
        backslashes % 2 == 0
    })
}

/// A line to write.
fn shown(line: &str) -> String {
    format!("write `{line}`")
}
