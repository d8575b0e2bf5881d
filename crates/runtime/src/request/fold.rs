//! Text as the loosest server compares it: without regard to case, width, accents and characters that nobody sees.

use std::borrow::Cow;

use icu_normalizer::DecomposingNormalizerBorrowed;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Folds a text: two texts that some server takes for one have the same result.
///
/// That is: compatibility decomposition (NFKD: full-width letters, ligatures, `ſ`), without combining marks, without
/// control characters and default-ignorable code points, in lower case by way of capitals (`ı`, `İ` and `i` are one letter,
/// as are `ß` and `ss`), and with letters that collations of databases file under another (`ø` under `o`).
///
/// Cost: linear; a text in ASCII is copied at most once.
pub(crate) fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        let plain = |byte: u8| !byte.is_ascii_uppercase() && !byte.is_ascii_control();
        if text.bytes().all(plain) {
            return Cow::Borrowed(text);
        }
        let kept = text.chars().filter(|character| !character.is_ascii_control());
        return Cow::Owned(kept.map(|character| character.to_ascii_lowercase()).collect());
    }
    Cow::Owned(twice(text, Iota::Letter))
}

/// Folds a text as [`folded`] does, but takes the Greek iota below a letter for a mark: servers that drop marks before they
/// look at case lose it, others have it as a letter among the capitals.
pub(crate) fn folded_without_iota(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return folded(text);
    }
    Cow::Owned(twice(text, Iota::Mark))
}

/// What the iota below a letter (U+0345) is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Iota {
    Letter,
    Mark,
}

/// Letters that decomposing and casing bring forth have case, or decompose, in turn: a test over all characters shows that
/// twice is enough.
fn twice(text: &str, iota: Iota) -> String {
    once(&once(text, iota), iota)
}

fn once(text: &str, iota: Iota) -> String {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let category = CodePointMapData::<GeneralCategory>::new();
    let seen = text.chars().filter(|character| !ignorable.contains(*character));
    let mut out = String::with_capacity(text.len());
    DecomposingNormalizerBorrowed::new_nfkd()
        .normalize_iter(seen)
        .filter(|character| {
            let category = category.get(*character);
            let kept = *character == '\u{345}' && iota == Iota::Letter;
            kept || !GeneralCategoryGroup::Mark.contains(category) && category != GeneralCategory::Control
        })
        .flat_map(one_case)
        .for_each(|character| match filed_under(character) {
            Some(letters) => out.push_str(letters),
            None => out.push(character),
        });
    out
}

/// Lower case by way of capitals, so that letters of one capital are one. By character: the final sigma is no exception.
fn one_case(character: char) -> impl Iterator<Item = char> {
    let capitals = character.to_lowercase().flat_map(char::to_uppercase);
    capitals.flat_map(char::to_lowercase)
}

/// The letters under which collations file one that has no decomposition (the Unicode Collation Algorithm's default table
/// and MySQL's `_ai_ci` at the first level).
fn filed_under(character: char) -> Option<&'static str> {
    Some(match character {
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        'ð' | 'đ' | 'ɖ' => "d",
        'ħ' => "h",
        'ɨ' => "i",
        'ȷ' | 'ɉ' => "j",
        'ł' | 'ƚ' => "l",
        'ø' | 'ɵ' => "o",
        'ɍ' => "r",
        'ŧ' => "t",
        'ʉ' => "u",
        'ƀ' => "b",
        'ǥ' => "g",
        'ƶ' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
