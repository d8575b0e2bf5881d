//! TW0025: letters and signs of a line that look like others. Servers compare characters, not their looks, so such a line matches
//! nothing that its author thinks of.

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::{CodePointMapData, props::Script};

use super::{
    parts::{Url, Value},
    pieces::{Kind, Piece},
    scripts::mixed,
};
use crate::diagnostic::{Code, Diagnostic};

/// Signs that look like one of a path, with that one.
const SIGNS: [(char, &str); 27] = [
    ('\u{2010}', "-"),
    ('\u{2011}', "-"),
    ('\u{2012}', "-"),
    ('\u{2013}', "-"),
    ('\u{2014}', "-"),
    ('\u{2015}', "-"),
    ('\u{2212}', "-"),
    ('\u{2044}', "/"),
    ('\u{2215}', "/"),
    ('\u{29f8}', "/"),
    ('\u{2024}', "."),
    ('\u{2026}', "..."),
    ('\u{2217}', "*"),
    ('\u{204e}', "*"),
    ('\u{2236}', ":"),
    ('\u{a789}', ":"),
    ('\u{1c3}', "!"),
    ('\u{2223}', "|"),
    ('\u{2018}', "'"),
    ('\u{2019}', "'"),
    ('\u{201c}', "\""),
    ('\u{201d}', "\""),
    ('\u{201e}', "\""),
    ('\u{3010}', "["),
    ('\u{3011}', "]"),
    ('\u{3014}', "["),
    ('\u{3015}', "]"),
];

/// A character that looks like another one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The byte at which it begins.
    at: usize,
    character: char,
    headline: String,
    help: String,
}

/// The first such character of the URL.
pub(super) fn in_url(url: &Url<'_>) -> Option<Diagnostic> {
    if url.text.is_ascii() {
        return None;
    }
    let found = sign(&url.pieces).or_else(|| in_pieces(url.text, &url.pieces))?;
    let range = found.at..found.at + found.character.len_utf8();
    Some(
        url.error(Code::MixedScripts, range, found.headline)
            .help(found.help),
    )
}

/// The first such character of a value. Signs such as dashes and typographic quotes are text that people write.
pub(super) fn in_value(value: &Value<'_>) -> Option<Diagnostic> {
    if value.text.is_ascii() {
        return None;
    }
    let found = in_pieces(value.text, &value.pieces)?;
    let range = found.at..found.at + found.character.len_utf8();
    Some(
        value
            .error(Code::MixedScripts, range, found.headline)
            .help(found.help),
    )
}

/// The first such character of a name or a user, with the headline and the help.
pub(super) fn in_name(name: &str) -> Option<(String, String)> {
    if name.is_ascii() {
        return None;
    }
    let found = in_word(name, 0)?;
    // An escape would be part of the name.
    let cure = found.help.split(';').next().unwrap_or_default().to_owned();
    Some((found.headline, cure))
}

fn sign(pieces: &[Piece]) -> Option<Found> {
    pieces.iter().find_map(|piece| {
        let Kind::Character(character) = piece.kind else {
            return None;
        };
        let (_, like) = SIGNS.iter().find(|(sign, _)| *sign == character)?;
        Some(found(piece.range.start, character, like))
    })
}

fn in_pieces(text: &str, pieces: &[Piece]) -> Option<Found> {
    words(text, pieces)
        .into_iter()
        .find_map(|(at, word)| in_word(word, at))
}

fn in_word(word: &str, at: usize) -> Option<Found> {
    wide(word, at)
        .or_else(|| decomposed(word, at))
        .or_else(|| dotless(word, at))
        .or_else(|| of_two_scripts(word, at))
}

/// The runs of characters that are neither ASCII signs nor parts of the regexp's syntax; a class of letters alone is one too.
fn words<'t>(text: &'t str, pieces: &[Piece]) -> Vec<(usize, &'t str)> {
    let mut words = Vec::new();
    let mut start: Option<usize> = None;
    for piece in pieces {
        let is_in_word = matches!(piece.kind, Kind::Character(character) if character.is_alphanumeric() || !character.is_ascii());
        if is_in_word {
            start = start.or(Some(piece.range.start));
            continue;
        }
        if let Some(start) = start.take() {
            words.extend(text.get(start..piece.range.start).map(|word| (start, word)));
        }
        if piece.kind == Kind::Class
            && let Some(inner) = text.get(piece.range.start + 1..piece.range.end - 1)
            && inner.chars().all(char::is_alphabetic)
        {
            words.push((piece.range.start + 1, inner));
        }
    }
    if let Some(start) = start {
        words.extend(text.get(start..).map(|word| (start, word)));
    }
    words
}

/// Full-width letters and signs, mathematical letters, ligatures, and other forms of ASCII characters. Next to Chinese, Japanese or Korean
/// letters the full-width ones are meant.
fn wide(word: &str, at: usize) -> Option<Found> {
    if word.is_ascii() {
        return None;
    }
    let scripts = CodePointMapData::<Script>::new();
    let is_east_asian = word.chars().any(|character| {
        matches!(
            scripts.get(character),
            Script::Han | Script::Hiragana | Script::Katakana | Script::Hangul | Script::Bopomofo
        )
    });
    let plain = ComposingNormalizerBorrowed::new_nfkc();
    let like = |character: char| plain.normalize(character.encode_utf8(&mut [0; 4])).into_owned();
    let (start, character) = word.char_indices().find(|(_, character)| {
        let is_sign = matches!(character, '\u{ff01}'..='\u{ff5e}' | '\u{fe50}'..='\u{fe6b}');
        // `ª` and `º` are signs of their own in Spanish.
        let is_letter = character.is_alphabetic() && !matches!(character, 'ª' | 'º');
        !character.is_ascii() && !is_east_asian && (is_sign || is_letter) && like(*character).is_ascii()
    })?;
    let like = like(character);
    Some(found(at + start, character, &like))
}

/// A letter and a mark that are one character in the form in which nearly all text is sent (NFC).
fn decomposed(word: &str, at: usize) -> Option<Found> {
    let composed = ComposingNormalizerBorrowed::new_nfc();
    if composed.is_normalized(word) {
        return None;
    }
    let whole = composed.normalize(word);
    let same = word
        .char_indices()
        .zip(whole.chars())
        .find(|((_, one), other)| one != other);
    // The letter is the first to differ, and the mark stands behind it.
    let ((start, _), _) = same?;
    let (mark, character) = word
        .char_indices()
        .find(|(place, _)| *place > start)
        .or_else(|| word.char_indices().next())?;
    Some(Found {
        at: at + mark,
        character,
        headline: format!(
            "`{word}` has a letter and its mark as two characters (U+{:04X})",
            u32::from(character)
        ),
        help: format!(
            "write `{whole}` with composed letters; to match the mark by itself, write `\\x{{{:x}}}`",
            u32::from(character)
        ),
    })
}

/// `ı` among ASCII letters.
fn dotless(word: &str, at: usize) -> Option<Found> {
    let mut others = word.chars().filter(|character| *character != '\u{131}');
    if !others.all(|character| character.is_ascii()) {
        return None;
    }
    let start = word.find('\u{131}')?;
    Some(found(at + start, '\u{131}', "i"))
}

/// A Cyrillic `а` among Latin letters.
fn of_two_scripts(word: &str, at: usize) -> Option<Found> {
    word.split(|character: char| !character.is_alphanumeric())
        .find_map(|part| {
            let (one, other) = mixed(part)?;
            let odd = if one.is_ascii() { other } else { one };
            let start = word.find(odd)?;
            Some(Found {
                at: at + start,
                character: odd,
                headline: format!(
                    "`{part}` mixes letters from several scripts: `{one}` (U+{:04X}) and `{other}` (U+{:04X})",
                    u32::from(one),
                    u32::from(other)
                ),
                help: format!(
                    "type the word again, with letters from one script only; to match this letter, write `\\x{{{:x}}}`",
                    u32::from(odd)
                ),
            })
        })
}

fn found(at: usize, character: char, like: &str) -> Found {
    let number = u32::from(character);
    Found {
        at,
        character,
        headline: format!("`{character}` (U+{number:04X}) looks like `{like}`, but is another character"),
        help: format!("write `{like}`; to match this character, write `\\x{{{number:x}}}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::pieces::pieces;

    fn odd(text: &str) -> Option<char> {
        in_pieces(text, &pieces(text, &[])).map(|found| found.character)
    }

    #[test]
    fn words_of_real_languages_are_accepted() {
        for text in [
            "/rest/проект/.*",
            "/rest/プロジェクト/[0-9]+",
            "ＮＴＴ東日本",
            "JR東日本",
            "müller|größe",
            "café",
            r"\wпроект",
            "[а-яa-z]+проект",
            "(?i)проект.*",
            "проект-admin",
            "kapıçğ",
            "한국어",
            "naïve1",
            "m²",
            "nº",
            "①",
        ] {
            assert_eq!(odd(text), None, "{text}");
        }
    }

    #[test]
    fn letters_that_look_like_others_are_found() {
        for (text, character) in [
            ("/rest/\u{430}dmin", '\u{430}'),
            ("/rest/(?:p\u{430}ss|x)", '\u{430}'),
            ("\u{ff41}dmin", '\u{ff41}'),
            ("/rest\u{ff0f}x", '\u{ff0f}'),
            ("/rest/\u{ff0e}*", '\u{ff0e}'),
            ("/rest/.\u{ff0a}", '\u{ff0a}'),
            ("adm\u{131}n", '\u{131}'),
            ("cafe\u{301}", '\u{301}'),
            ("xe\u{301}y", '\u{301}'),
            ("\u{1d41a}dmin", '\u{1d41a}'),
            ("\u{212a}ANBAN", '\u{212a}'),
            ("\u{212c}", '\u{212c}'),
            ("x\u{2173}", '\u{2173}'),
            ("of\u{fb01}ce", '\u{fb01}'),
            ("[d\u{435}lete]", '\u{435}'),
        ] {
            assert_eq!(odd(text), Some(character), "{text}");
        }
    }
}
