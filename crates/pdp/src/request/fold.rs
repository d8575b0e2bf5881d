//! Folds text as the loosest server compares it: regardless of case, width, accents and invisible characters.

mod collation;
mod marked;

use std::borrow::Cow;

use icu_normalizer::DecomposingNormalizerBorrowed;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointSetData};

use collation::primary;

use crate::buffers::TextBuffer;

/// Folds a text: two texts that some server treats as equal have the same result.
///
/// The result has compatibility decomposition (NFKD: full-width letters, ligatures, `ſ`), without combining marks,
/// control characters and default-ignorable code points. Letters are converted to capitals and then to lower case (`ı`,
/// `İ` and `i` become equal, as do `ß` and `ss`). Letters that database collations sort under another are replaced by
/// it (`ø` by `o`), and so are letters with a stroke, a hook or a tail (`ɓ` by `b`), and digits of other scripts by ASCII digits.
///
/// Cost: linear; an ASCII text is copied at most once.
pub(crate) fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        let plain = |byte: u8| !byte.is_ascii_uppercase() && !byte.is_ascii_control();
        if text.bytes().all(plain) {
            return Cow::Borrowed(text);
        }
        let mut kept = text.to_ascii_lowercase();
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            kept.retain(|character| !character.is_ascii_control());
        }
        return Cow::Owned(kept);
    }
    Cow::Owned(twice(text, LetterMarks::Iota))
}

/// Folds a text like [`folded`], into memory that is used again.
pub(super) fn folded_copy(text: &str) -> TextBuffer {
    if !text.is_ascii() {
        return TextBuffer::from(twice(text, LetterMarks::Iota));
    }
    let mut copy = TextBuffer::from(text);
    copy.text().make_ascii_lowercase();
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        copy.text().retain(|character| !character.is_ascii_control());
    }
    copy
}

/// Folds a text like [`folded`], but treats the Greek iota below a letter as a mark. Servers that drop marks before
/// they fold case lose it; others make it a letter when they convert to capitals.
pub(crate) fn folded_without_iota(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return folded(text);
    }
    Cow::Owned(twice(text, LetterMarks::None))
}

/// Folds a text like [`folded`], but keeps letters that are written above others (U+0363 to U+036F and similar). MySQL's
/// `_0900_ai_ci` compares them as letters; other servers drop them with the marks.
pub(crate) fn folded_with_letters_above(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return folded(text);
    }
    Cow::Owned(twice(text, LetterMarks::All))
}

/// The combining marks that count as letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LetterMarks {
    /// None.
    None,
    /// The iota below a letter (U+0345).
    Iota,
    /// The iota, and every mark that collations treat as a letter.
    All,
}

impl LetterMarks {
    fn has(self, mark: char) -> bool {
        match self {
            Self::None => false,
            Self::Iota => mark == '\u{345}',
            Self::All => mark == '\u{345}' || primary(mark).is_some(),
        }
    }
}

/// Folds a text twice: decomposition and case folding can produce letters that have case or decompose in turn. A test
/// over all characters shows that twice is enough.
fn twice(text: &str, letters: LetterMarks) -> String {
    once(&once(text, letters), letters)
}

fn once(text: &str, letters: LetterMarks) -> String {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let category = CodePointMapData::<GeneralCategory>::new();
    let seen = text.chars().filter(|character| !ignorable.contains(*character));
    let mut out = String::with_capacity(text.len());
    DecomposingNormalizerBorrowed::new_nfkd()
        .normalize_iter(seen)
        .filter(|character| {
            let category = category.get(*character);
            if GeneralCategoryGroup::Mark.contains(category) {
                return letters.has(*character);
            }
            category != GeneralCategory::Control
        })
        .flat_map(one_case)
        .for_each(|character| match filed_under(character) {
            Some(letters) => out.push_str(letters),
            None => out.push(
                primary(character)
                    .or_else(|| marked::base(character))
                    .unwrap_or(character),
            ),
        });
    out
}

/// Converts to capitals and then to lower case, so that letters with the same capital become equal. This works by
/// character, without an exception for the final sigma.
fn one_case(character: char) -> impl Iterator<Item = char> {
    let capitals = character.to_lowercase().flat_map(char::to_uppercase);
    capitals.flat_map(char::to_lowercase)
}

/// Returns the letters under which older collations sort a letter that has no decomposition, in addition to the default
/// table in [`collation`]: several letters for one, and letters that only some languages or databases file so.
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
