//! Splits the text of a token file into pieces that compile alone.
//!
//! A piece begins at a line `[[token]]`. If such a line is in a string or an array, the piece before it is not TOML, so a wrong
//! split is found when the pieces are compiled. A file that has anything but comments before its first `[[token]]` is not split.
//!
//! Boundaries depend on the text of the entry before them, and not on their places: a change of one token changes one
//! piece, or two, and the pieces after it are the same as before.

use std::ops::Range;

/// The line that begins an entry.
const BEGINNING: &str = "[[token]]";
/// One entry of so many ends a piece. Fewer in tests, so that small policies have several pieces.
const USUAL: u32 = if cfg!(test) { 4 } else { 32 };
/// Maximum number of entries of a piece.
const MOST: usize = 128;

/// The pieces, in order; together they are the whole text. There is at least one.
pub(super) fn pieces(text: &str) -> Vec<Range<usize>> {
    let beginnings = beginnings(text);
    let is_comment = |line: &str| line.trim_start().is_empty() || line.trim_start().starts_with('#');
    let first = beginnings.first().copied().unwrap_or_default();
    let prelude = text.get(..first).unwrap_or_default();
    let prelude = prelude.strip_prefix('\u{feff}').unwrap_or(prelude);
    if !prelude.lines().all(is_comment) {
        return std::iter::once(0..text.len()).collect();
    }
    let mut pieces = Vec::new();
    let (mut start, mut entries) = (0, 0);
    for (at, entry) in beginnings.iter().enumerate() {
        let end = beginnings.get(at + 1).copied().unwrap_or(text.len());
        entries += 1;
        let of_entry = text.get(*entry..end).unwrap_or_default();
        if entries == MOST || hash(of_entry).is_multiple_of(USUAL) || end == text.len() {
            pieces.push(start..end);
            (start, entries) = (end, 0);
        }
    }
    if start < text.len() || pieces.is_empty() {
        pieces.push(start..text.len());
    }
    pieces
}

/// Where entries begin.
fn beginnings(text: &str) -> Vec<usize> {
    let found = memchr::memmem::find_iter(text.as_bytes(), BEGINNING.as_bytes());
    let is_line = |at: &usize| {
        let begins = text
            .get(..*at)
            .is_some_and(|before| before.is_empty() || before.ends_with('\n'));
        let behind = text.get(at + BEGINNING.len()..).unwrap_or_default();
        begins && (behind.is_empty() || behind.starts_with('\n') || behind.starts_with("\r\n"))
    };
    found.filter(is_line).collect()
}

/// FNV-1a. Nobody gains by entries that end no piece: a piece is bounded.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    }) >> 7
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(n: usize) -> String {
        format!("[[token]]\nname = \"t{n}\"\n\n")
    }

    fn texts(text: &str) -> Vec<&str> {
        pieces(text)
            .into_iter()
            .map(|range| text.get(range).unwrap())
            .collect()
    }

    #[test]
    fn pieces_are_the_whole_text_and_begin_with_tokens() {
        for text in [
            "",
            "# nothing\n",
            "[[token]]",
            "x = 1\n[[token]]\n",
            "\u{feff}# a\n[[token]]\r\n",
        ] {
            assert_eq!(texts(text), [text], "{text:?}");
        }
        let all: String = (0..2_000).map(entry).collect();
        let split = texts(&all);
        assert_eq!(split.concat(), all);
        assert!((300..700).contains(&split.len()), "{}", split.len());
        for piece in split {
            assert!(piece.starts_with(BEGINNING));
            assert!(piece.matches(BEGINNING).count() <= MOST);
        }
        let alike = entry(7).repeat(1_000);
        assert!(texts(&alike).len() >= 1_000 / MOST, "entries that are alike");
    }

    #[test]
    fn a_change_of_one_entry_changes_few_pieces() {
        let entries: Vec<String> = (0..2_000).map(entry).collect();
        let before = entries.concat();
        let known = texts(&before);
        for (at, new) in [(0, ""), (700, "[[token]]\nname = \"new\"\n"), (1_999, "")] {
            let mut changed = entries.clone();
            changed[at] = new.to_owned();
            let changed = changed.concat();
            let new = texts(&changed)
                .into_iter()
                .filter(|piece| !known.contains(piece))
                .count();
            assert!(new <= 2, "{new} pieces");
        }
    }
}
