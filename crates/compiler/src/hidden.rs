//! Characters that nobody sees in a name.

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Signs that fonts draw as nothing, although they are neither blanks nor ignorable: the empty Braille pattern, the null
/// notehead, and the place of an embedded object.
const INKLESS: [char; 3] = ['\u{2800}', '\u{1d159}', '\u{fffc}'];

/// Whether nobody sees the character, or it changes how others are shown: control and format characters (zero-width,
/// bidirectional), default-ignorable ones, separators of lines, and signs without ink.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    matches!(
        category,
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    ) || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
        || INKLESS.contains(&character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_known() {
        for hidden in [
            '\0',
            '\n',
            '\u{7f}',
            '\u{85}',
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{180e}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{2028}',
            '\u{2029}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{fff9}',
            '\u{e0061}',
            '\u{e0fff}',
            '\u{2800}',
            '\u{1d159}',
            '\u{fffc}',
        ] {
            assert!(is_hidden(hidden), "{hidden:?}");
        }
        for seen in [
            'a', ' ', '.', '@', '\\', 'é', '\u{301}', 'ß', '\u{a0}', '日', '😀',
        ] {
            assert!(!is_hidden(seen), "{seen:?}");
        }
    }
}
