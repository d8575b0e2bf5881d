//! Words of letters of several scripts, which read like other words.

use icu_properties::{CodePointMapData, props::Script};

/// Two letters of a word that belong to scripts which no language mixes.
pub(super) fn mixed(word: &str) -> Option<(char, char)> {
    if word.is_ascii() {
        return None;
    }
    let scripts = CodePointMapData::<Script>::new();
    let (mut seen, mut first) = (Vec::new(), None);
    for character in word.chars() {
        let script = scripts.get(character);
        if matches!(script, Script::Common | Script::Inherited | Script::Unknown) {
            continue;
        }
        if !seen.contains(&script) {
            seen.push(script);
        }
        let Some(first) = first else {
            first = Some(character);
            continue;
        };
        if !is_one_language(&seen) {
            return Some((first, character));
        }
    }
    None
}

/// Whether some language writes with these scripts (UTS 39 section 5.2, "highly restrictive").
fn is_one_language(seen: &[Script]) -> bool {
    let sets: [&[Script]; 3] = [
        &[Script::Latin, Script::Han, Script::Hiragana, Script::Katakana],
        &[Script::Latin, Script::Han, Script::Bopomofo],
        &[Script::Latin, Script::Han, Script::Hangul],
    ];
    seen.len() < 2
        || sets
            .iter()
            .any(|set| seen.iter().all(|script| set.contains(script)))
}

#[cfg(test)]
mod tests {
    use super::mixed;

    #[test]
    fn words_of_several_scripts_are_found() {
        for word in ["\u{430}dmin", "p\u{430}ssword", "svc\u{3bf}ci", "\u{391}lpha"] {
            assert!(mixed(word).is_some(), "{word}");
        }
        for word in [
            "admin",
            "müller",
            "администратор",
            "東京タワー",
            "JR東日本",
            "한국어",
            "naïve1",
            "日本2",
            "ʼtHart",
        ] {
            assert!(mixed(word).is_none(), "{word}");
        }
    }
}
