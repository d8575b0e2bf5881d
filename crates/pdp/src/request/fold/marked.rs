//! Latin letters with a stroke, a hook, a tail or another mark that Unicode does not decompose.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Returns the lower-case ASCII letter that a lower-case letter is written with.
pub(super) fn base(character: char) -> Option<char> {
    static BASES: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
        let bases = |(base, letters): &(char, &'static str)| {
            let base = *base;
            letters.chars().map(move |letter| (letter, base))
        };
        MARKED.iter().flat_map(bases).collect()
    });
    if character.is_ascii() {
        return None;
    }
    BASES.get(&character).copied()
}

/// The letters whose Unicode name is `LATIN SMALL LETTER X WITH …` (also `DOTLESS X`) and that have no decomposition, in Unicode
/// 14.0. Those in `super::filed_under` are left out. Made by this program:
///
/// ```text
/// python3 -c '
/// import re, unicodedata as u
/// table = {}
/// for c in map(chr, range(0x80, 0x1ffff)):
///     m = re.fullmatch("LATIN SMALL LETTER (?:DOTLESS )?([A-Z]) WITH .*", u.name(c, ""))
///     if m and u.normalize("NFKD", c) == c:
///         table[m[1].lower()] = table.get(m[1].lower(), "") + "\\u{%x}" % ord(c)
/// print(table)'
/// ```
const MARKED: &[(char, &str)] = &[
    ('a', "\u{1d8f}\u{2c65}"),
    ('b', "\u{183}\u{253}\u{1d6c}\u{1d80}\u{a797}"),
    ('c', "\u{188}\u{23c}\u{255}\u{a793}\u{a794}\u{1df1d}"),
    ('d', "\u{18c}\u{221}\u{257}\u{1d6d}\u{1d81}\u{1d91}\u{a7c8}"),
    ('e', "\u{247}\u{1d92}\u{2c78}\u{ab34}"),
    ('f', "\u{192}\u{1d6e}\u{1d82}\u{a799}"),
    ('g', "\u{260}\u{1d83}\u{a7a1}"),
    ('h', "\u{266}\u{2c68}\u{a795}"),
    ('i', "\u{1d96}\u{1df1a}"),
    ('j', "\u{25f}\u{284}\u{29d}"),
    ('k', "\u{199}\u{1d84}\u{2c6a}\u{a741}\u{a743}\u{a745}\u{a7a3}"),
    (
        'l',
        "\u{234}\u{26b}\u{26c}\u{26d}\u{1d85}\u{2c61}\u{a749}\u{a78e}\u{ab37}\u{ab38}\u{ab39}\u{1df11}\u{1df13}",
    ),
    ('m', "\u{271}\u{1d6f}\u{1d86}\u{ab3a}"),
    (
        'n',
        "\u{19e}\u{235}\u{272}\u{273}\u{1d70}\u{1d87}\u{a791}\u{a7a5}\u{ab3b}",
    ),
    ('o', "\u{2c7a}\u{a74b}\u{a74d}\u{1df1b}"),
    ('p', "\u{1a5}\u{1d71}\u{1d7d}\u{1d88}\u{a751}\u{a753}\u{a755}"),
    ('q', "\u{24b}\u{2a0}\u{a757}\u{a759}"),
    (
        'r',
        "\u{27c}\u{27d}\u{27e}\u{1d72}\u{1d73}\u{1d89}\u{a7a7}\u{ab49}\u{1df16}",
    ),
    ('s', "\u{23f}\u{282}\u{1d74}\u{1d8a}\u{a7a9}\u{a7ca}\u{1df1e}"),
    ('t', "\u{1ab}\u{1ad}\u{236}\u{288}\u{1d75}\u{2c66}\u{1df09}"),
    ('u', "\u{1d99}\u{a7b9}\u{ab4e}\u{ab52}"),
    ('v', "\u{28b}\u{1d8c}\u{2c71}\u{2c74}\u{a75f}"),
    ('w', "\u{2c73}"),
    ('x', "\u{1d8d}\u{ab56}\u{ab57}\u{ab58}\u{ab59}"),
    ('y', "\u{1b4}\u{24f}\u{1eff}\u{ab5a}"),
    ('z', "\u{225}\u{240}\u{290}\u{291}\u{1d76}\u{1d8e}\u{2c6c}"),
];

#[cfg(test)]
mod tests {
    use super::super::folded;
    use super::*;

    #[test]
    fn letters_with_marks_are_their_letters() {
        for (text, plain) in [
            (
                "\u{2c65}\u{23c}\u{247}\u{127}\u{a741}\u{1d7d}\u{167}\u{24f}\u{253}\u{24d}",
                "acehkptybr",
            ),
            (
                "\u{23a}\u{23b}\u{246}\u{126}\u{a740}\u{2c63}\u{166}\u{24e}\u{181}\u{24c}",
                "acehkptybr",
            ),
            ("\u{199}\u{1a5}\u{1ad}\u{1b4}\u{a751}\u{2c66}\u{a793}", "kptyptc"),
        ] {
            assert_eq!(folded(text), plain);
        }
    }

    #[test]
    fn each_letter_is_there_once() {
        let all: Vec<char> = MARKED.iter().flat_map(|(_, letters)| letters.chars()).collect();
        let different: std::collections::HashSet<char> = all.iter().copied().collect();
        assert_eq!(different.len(), all.len());
        assert!(
            all.iter()
                .all(|letter| super::super::filed_under(*letter).is_none())
        );
    }
}
