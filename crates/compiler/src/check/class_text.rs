//! TW0029: a character class that holds words or numbers. A class matches one character, so `[HR|PAY]` is one letter, and
//! `[1-100]` one digit.

use std::ops::Range;

use regex_syntax::hir::{Class, HirKind};

use super::{
    number_range,
    pieces::{Kind, Piece},
};
use crate::diagnostic::{Code, Diagnostic};

/// The classes of POSIX, which stand within another pair of brackets.
const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// What is wrong with a class, and what to write instead.
struct Fault {
    headline: String,
    help: String,
    /// The text to write for the class.
    fix: Option<String>,
}

/// The first such class of a regexp. `is_url`: a word as a whole segment of a path stands for any segment elsewhere.
pub(super) fn find(
    text: &str,
    pieces: &[Piece],
    is_url: bool,
    error: impl Fn(Code, Range<usize>, String) -> Diagnostic,
) -> Option<Diagnostic> {
    if !text.contains('[') {
        return None;
    }
    pieces.iter().enumerate().find_map(|(at, piece)| {
        if piece.kind != Kind::Class {
            return None;
        }
        let whole = text.get(piece.range.clone())?;
        let inner = text.get(piece.range.start + 1..piece.range.end - 1)?;
        let is_segment = || is_url && is_whole_segment(pieces, at);
        let is_repeated = || {
            let behind = pieces.get(at + 1);
            behind
                .is_some_and(|next| next.kind == Kind::Count || next.is('*') || next.is('+') || next.is('?'))
        };
        let fault = operation(whole, inner)
            .or_else(|| constraint(inner))
            .or_else(|| doubled_backslash(inner))
            .or_else(|| posix(inner))
            .or_else(|| part_of_path(inner))
            .or_else(|| letters_and_signs(inner))
            .or_else(|| regexp(inner))
            .or_else(|| negation(inner))
            .or_else(|| catch_all(inner))
            .or_else(|| numbers(inner, is_repeated))
            .or_else(|| digits(inner))
            .or_else(|| dash(inner))
            .or_else(|| quoted(inner))
            .or_else(|| words(inner))
            .or_else(|| word(inner, is_segment, !is_url && pieces.len() == 1))?;
        let found = error(Code::WordClass, piece.range.clone(), fault.headline).help(fault.help);
        let place = found.primary.span;
        Some(match fault.fix {
            Some(text) => found.fix(place, text),
            None => found,
        })
    })
}

/// Whether a piece stands between `/` and `/`, or the end.
fn is_whole_segment(pieces: &[Piece], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| pieces.get(before));
    let behind = pieces.get(at + 1);
    before.is_some_and(|piece| piece.is('/')) && behind.is_none_or(|piece| piece.is('/') || piece.is('$'))
}

/// `[^/?&&=]`: `&&` is an operation, here one that leaves nothing to exclude.
fn operation(whole: &str, inner: &str) -> Option<Fault> {
    let sign = ["&&", "--", "~~"].into_iter().find(|sign| inner.contains(sign))?;
    if !inner.starts_with('^') {
        return None;
    }
    let class = regex_syntax::parse(whole).ok()?;
    let is_everything = match class.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            let mut excluded = class.clone();
            excluded.negate();
            excluded.ranges().is_empty()
        }
        _ => false,
    };
    is_everything.then(|| Fault {
        headline: format!("`{whole}` matches every character: `{sign}` in a class is an operation, and leaves nothing to exclude"),
        help: format!("write the characters once each; for the text `{sign}`, write `\\{}` for each", sign.get(..1).unwrap_or(sign)),
        fix: None,
    })
}

/// `==HR[QueryParam::b==c]`: the value before has no `]`, so the next constraint became one of its classes.
fn constraint(inner: &str) -> Option<Fault> {
    let (name, _) = inner.split_once("::")?;
    let is_name = name.len() > 1 && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_name.then(|| Fault {
        headline: format!(
            "`[{inner}]` is a character class here, not a constraint: the value before it has no `]`"
        ),
        help: "end the value with `]` before this `[`; to match such text, write `\\[`".to_owned(),
        fix: None,
    })
}

/// `[\\d]`: a backslash that was doubled for a language in which one is not enough.
fn doubled_backslash(inner: &str) -> Option<Fault> {
    let at = inner.find(r"\\")?;
    let class = inner.get(at + 2..at + 3)?;
    matches!(class, "d" | "D" | "w" | "W" | "s" | "S").then(|| Fault {
        headline: format!("`[{inner}]` matches a backslash or `{class}`, not the class `\\{class}`"),
        help: format!("write `\\{class}`; a backslash is not doubled between single quotes"),
        fix: Some(format!("[{}]", inner.replacen(r"\\", r"\", 1))),
    })
}

/// `[:digit:]`.
fn posix(inner: &str) -> Option<Fault> {
    if let Some(name) = unknown_posix(inner) {
        return Some(Fault {
            headline: format!(
                "`[:{name}:]` is not the name of a class: it matches one of its letters or `:`"
            ),
            help: format!("the names are {}", POSIX.join(", ")),
            fix: None,
        });
    }
    let bare = inner.strip_prefix('^').unwrap_or(inner);
    let name = bare.strip_prefix(':')?.strip_suffix(':')?;
    let bare = name.trim_start_matches('^');
    let is_name = bare.len() > 1 && bare.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_name.then(|| {
        let written = POSIX
            .contains(&bare.to_lowercase().as_str())
            .then(|| format!("[[{inner}]]").replace("[[^:", "[[:^"));
        Fault {
            headline: format!("`[{inner}]` matches one of its letters or `:`"),
            help: match &written {
                Some(written) => format!("write `{written}`"),
                None => format!(
                    "write the name of a class in two pairs of brackets, such as `[[:digit:]]`; the names are {}",
                    POSIX.join(", ")
                ),
            },
            fix: written,
        }
    })
}

/// The name of `[:alfa:]` within a class, if there is no such class.
fn unknown_posix(inner: &str) -> Option<&str> {
    inner.match_indices("[:").find_map(|(at, open)| {
        let behind = inner.get(at + open.len()..)?;
        let name = behind.get(..behind.find(":]")?)?;
        let is_name = name.len() > 2 && name.bytes().all(|byte| byte.is_ascii_alphabetic());
        (is_name && !POSIX.contains(&name)).then_some(name)
    })
}

/// `[/comment]`: what manuals write for a part that may be absent.
fn part_of_path(inner: &str) -> Option<Fault> {
    let name = inner.strip_prefix('/')?;
    let letters: Vec<char> = name.chars().collect();
    let is_in_order = letters.windows(2).all(|pair| pair.first() < pair.last());
    let is_word = letters.len() > 1 && letters.iter().all(|letter| letter.is_alphabetic()) && !is_in_order;
    is_word.then(|| Fault {
        headline: format!("`[{inner}]` matches one character: `/`, or one of the letters"),
        help: format!("write `(?:{inner})?` for a part that may be absent"),
        fix: Some(format!("(?:{inner})?")),
    })
}

/// `[A-z]`: six signs are between the capital and the small letters.
fn letters_and_signs(inner: &str) -> Option<Fault> {
    inner.contains("A-z").then(|| Fault {
        headline: "`A-z` also matches `[`, `\\`, `]`, `^`, `_` and a backtick".to_owned(),
        help: "write `A-Za-z` for letters".to_owned(),
        fix: Some(format!("[{}]", inner.replacen("A-z", "A-Za-z", 1))),
    })
}

/// `[0–9]`, with the dash of a word processor.
fn dash(inner: &str) -> Option<Fault> {
    const DASHES: [char; 7] = [
        '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2212}', '\u{ff0d}',
    ];
    let characters: Vec<char> = inner.chars().collect();
    let dash = characters.windows(3).find_map(|three| match three {
        [low, dash, high] if DASHES.contains(dash) => {
            (low.is_ascii_alphanumeric() && high.is_ascii_alphanumeric()).then_some(*dash)
        }
        _ => None,
    })?;
    let written = format!("[{}]", inner.replace(dash, "-"));
    Some(Fault {
        headline: format!("`{dash}` does not make a range of `[{inner}]`: it is one of its characters"),
        help: format!(
            "write `{written}`, with an ASCII hyphen; to match the dash, write it as the first character of the class"
        ),
        fix: Some(written),
    })
}

/// `["HR","PAY"]`: a list of JSON or TOML.
fn quoted(inner: &str) -> Option<Fault> {
    let word = |text: &str| {
        let text = text.trim();
        let inner = ['"', '\'']
            .into_iter()
            .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))?;
        let is_word = inner.chars().count() > 1 && !inner.contains(['"', '\'']);
        is_word.then(|| inner.to_owned())
    };
    let words: Option<Vec<String>> = inner.split(',').map(word).collect();
    let words = words?.join("|");
    Some(Fault {
        headline: format!("`[{inner}]` matches one character; it is not a list"),
        help: format!("write `(?:{words})`"),
        fix: Some(format!("(?:{words})")),
    })
}

/// `[1,2,3]`.
fn digits(inner: &str) -> Option<Fault> {
    let digits: Vec<&str> = inner.split(',').collect();
    let is_list = digits.len() > 2
        && digits
            .iter()
            .all(|digit| digit.len() == 1 && digit.bytes().all(|byte| byte.is_ascii_digit()));
    is_list.then(|| Fault {
        headline: format!("`[{inner}]` matches one of the digits, or `,`"),
        help: format!("write `[{}]` for one of the digits", digits.concat()),
        fix: Some(format!("[{}]", digits.concat())),
    })
}

/// `[.*]`, `[\w+]`: a regexp in brackets.
fn regexp(inner: &str) -> Option<Fault> {
    let is_regexp = matches!(inner, ".*" | ".+" | ".*?" | ".+?")
        || inner
            .strip_prefix('\\')
            .and_then(|rest| rest.strip_suffix(['+', '*']))
            .is_some_and(|class| matches!(class, "d" | "D" | "w" | "W" | "s" | "S"));
    is_regexp.then(|| Fault {
        headline: format!("`[{inner}]` matches one character: the brackets make a class of these signs"),
        help: format!("write `{inner}` without brackets; for a class, write the sign first"),
        fix: Some(inner.to_owned()),
    })
}

/// `[!0-9]`.
fn negation(inner: &str) -> Option<Fault> {
    let rest = inner.strip_prefix('!')?;
    let is_like_a_class = rest.starts_with(|first: char| first.is_ascii_alphanumeric())
        && rest
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "-_. /".contains(character));
    is_like_a_class.then(|| Fault {
        headline: format!("`[{inner}]` does not exclude characters: `!` is one of those that it matches"),
        help: format!("write `[^{rest}]` to exclude them, or `[\\!{rest}]` to match `!` too"),
        fix: Some(format!("[^{rest}]")),
    })
}

/// `[...path]`, `[[...path]]`.
fn catch_all(inner: &str) -> Option<Fault> {
    let name = inner
        .trim_start_matches('[')
        .trim_end_matches(']')
        .strip_prefix("...")?;
    name.starts_with(|first: char| first.is_alphabetic())
        .then(|| Fault {
            headline: format!("`[{inner}]` matches one character, not the rest of a path"),
            help: "write `.*` for the rest of the path, or `[^/]+` for one segment".to_owned(),
            fix: None,
        })
}

/// `[1-100]`, `[1..9]`.
fn numbers(inner: &str, is_repeated: impl Fn() -> bool) -> Option<Fault> {
    let (low, high, dots) = match inner.split_once("..") {
        Some((low, high)) => (low, high.trim_start_matches('.'), true),
        None => {
            let (low, high) = inner.split_once('-')?;
            (low, high, false)
        }
    };
    let number = |text: &str| {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<u64>().ok())?
    };
    let (lowest, highest) = (number(low)?, number(high)?);
    // `[51-3]` is a way to write a class of the digits 1, 2, 3 and 5.
    if lowest >= highest || !(dots || low.len() > 1 || high.len() > 1) {
        return None;
    }
    // A number with zeros before it has a fixed length, which may be meant.
    let is_plain = [low, high]
        .iter()
        .all(|number| *number == "0" || !number.starts_with('0'));
    let written = match high.len() {
        1 => Some(format!("[{low}-{high}]")),
        _ if is_plain => Some(number_range::regexp(lowest, highest)),
        _ => None,
    };
    let help = match &written {
        Some(written) if high.len() == 1 => format!("write `{written}`"),
        Some(written) => {
            format!(
                "write `{written}` for these numbers; in a constraint, a number can be tested with `>=` and `<=`"
            )
        }
        None => "write the numbers as a regexp, such as `(?:0[1-9]|[1-4][0-9]|50)` for 01 to 50".to_owned(),
    };
    Some(Fault {
        headline: format!("`[{inner}]` matches one character, not the numbers from {low} to {high}"),
        help,
        // What is repeated may be the digit or the number.
        fix: written.filter(|_| !is_repeated()),
    })
}

/// `[HR|PAY]`, `[KANBAN,HR]`.
fn words(inner: &str) -> Option<Fault> {
    let bare = inner.strip_prefix('^').unwrap_or(inner);
    let bare = bare.trim_matches(['(', ')']);
    let (separator, words): (char, Vec<&str>) = ['|', ',', ';', ' '].into_iter().find_map(|separator| {
        let words: Vec<&str> = bare.split(separator).map(str::trim).collect();
        (words.len() > 1).then_some((separator, words))
    })?;
    let are_words = words
        .iter()
        .all(|word| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_'));
    let is_long = words.iter().any(|word| word.chars().count() > 1);
    (are_words && is_long).then(|| Fault {
        headline: format!("`[{inner}]` matches one character: one of its letters, or `{separator}`"),
        help: format!("write `(?:{})` for one of the words", words.join("|")),
        // After `^`, the author may have meant to exclude the words.
        fix: (!inner.starts_with('^')).then(|| format!("(?:{})", words.join("|"))),
    })
}

/// `[KANBAN]`, `/[id]`, `==[open]`.
fn word(inner: &str, is_segment: impl Fn() -> bool, is_value: bool) -> Option<Fault> {
    if let Some(excluded) = inner.strip_prefix('^') {
        return excluded_word(excluded);
    }
    let is_joined = inner.contains('_') && inner.split('_').all(|part| part.len() > 1);
    let letters: Vec<char> = inner
        .chars()
        .filter(|letter| !(is_joined && *letter == '_'))
        .collect();
    if !letters.iter().all(|letter| letter.is_alphabetic()) {
        return None;
    }
    let mut sorted = letters.clone();
    sorted.sort_unstable();
    sorted.dedup();
    let has_twice = letters.len() > 2 && sorted.len() < letters.len();
    // A class in alphabetical order, such as `[abc]`, is one; `[rwx]` beside other text may be.
    let is_name = inner.eq_ignore_ascii_case("id") || (letters.len() > 2 && sorted != letters);
    if !(has_twice || is_name && (is_value || is_segment())) {
        return None;
    }
    let class: String = sorted.into_iter().collect();
    let word = if is_segment() {
        format!("write `[^/]+` for any one segment, or `{inner}` for the word")
    } else {
        format!("write `{inner}` for the word")
    };
    Some(Fault {
        headline: format!("`[{inner}]` matches one of its letters, not the word"),
        help: format!("{word}; if a character class is intended, write `[{class}]`"),
        fix: Some(if is_segment() {
            "[^/]+".to_owned()
        } else {
            inner.to_owned()
        }),
    })
}

/// `[^admin]`.
fn excluded_word(word: &str) -> Option<Fault> {
    let letters: Vec<char> = word.chars().collect();
    let is_in_order = letters.windows(2).all(|pair| match pair {
        [one, other] => one < other,
        _ => true,
    });
    let is_word = letters.len() > 2 && letters.iter().all(|letter| letter.is_alphabetic()) && !is_in_order;
    let mut sorted = letters;
    sorted.sort_unstable();
    sorted.dedup();
    let class: String = sorted.into_iter().collect();
    is_word.then(|| Fault {
        headline: format!("`[^{word}]` excludes each of its letters, not the word"),
        help: format!(
            "write a line that begins with `!` for the word, or `!=` in a constraint; if a character class is intended, write `[^{class}]`"
        ),
        fix: None,
    })
}
