//! Positions of the protocol: lines, and UTF-16 code units in a line.

use gen_lsp_types::{Position, Range, TextDocumentContentChangeEvent};

/// A byte-order mark, which editors do not count.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Where the lines of a text begin. A line ends with `\n`, `\r\n` or `\r`, as the protocol has it.
#[derive(Clone, Debug)]
pub(crate) struct LineIndex {
    starts: Vec<usize>,
    /// Bytes at the beginning of the text that the editor does not have.
    unseen: usize,
}

impl LineIndex {
    /// Reads a text that an editor has open.
    pub(crate) fn of(text: &str) -> Self {
        let mut starts = vec![0];
        let bytes = text.as_bytes();
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'\n' => starts.push(at + 1),
                b'\r' if bytes.get(at + 1) != Some(&b'\n') => starts.push(at + 1),
                _ => {}
            }
        }
        Self { starts, unseen: 0 }
    }

    /// Reads a text from disk: its byte-order mark is not in the editor.
    pub(crate) fn of_file(text: &str) -> Self {
        let mut index = Self::of(text);
        if text.starts_with(BYTE_ORDER_MARK) {
            index.unseen = BYTE_ORDER_MARK.len_utf8();
        }
        index
    }

    /// The position of a byte; of a byte within a character, that of the character.
    pub(crate) fn position(&self, text: &str, at: usize) -> Position {
        let mut at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let at = at.max(self.unseen);
        let line = self
            .starts
            .partition_point(|start| *start <= at)
            .saturating_sub(1);
        let start = self
            .starts
            .get(line)
            .copied()
            .unwrap_or_default()
            .max(self.unseen);
        let before = text.get(start..at).unwrap_or_default();
        let units: usize = before.chars().map(char::len_utf16).sum();
        Position {
            line: number(line),
            character: number(units),
        }
    }

    /// The range of some bytes.
    pub(crate) fn range(&self, text: &str, bytes: std::ops::Range<usize>) -> Range {
        Range {
            start: self.position(text, bytes.start),
            end: self.position(text, bytes.end.max(bytes.start)),
        }
    }

    /// The byte of a position. A position beyond a line is the line's end, one beyond the text the text's end, and one within a
    /// character its beginning.
    pub(crate) fn offset(&self, text: &str, position: Position) -> usize {
        let line = usize::try_from(position.line).unwrap_or(usize::MAX);
        let Some(start) = self.starts.get(line).copied() else {
            return text.len();
        };
        let start = start.max(self.unseen);
        let next = self.starts.get(line.saturating_add(1)).copied();
        let line = text.get(start..next.unwrap_or(text.len())).unwrap_or_default();
        let line = line.strip_suffix('\n').unwrap_or(line);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let wanted = usize::try_from(position.character).unwrap_or(usize::MAX);
        let mut units = 0;
        for (at, character) in line.char_indices() {
            units += character.len_utf16();
            if units > wanted {
                return start + at;
            }
        }
        start + line.len()
    }
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Bytes that the changes of one message may read, each the whole text: more than any person's edit.
const MOST_READ: u64 = 8 << 30;

/// Applies the changes of an editor in their order. `None` if the text would exceed `most` bytes, or if there are too many changes for
/// its size.
pub(crate) fn applied(
    text: &str,
    changes: Vec<TextDocumentContentChangeEvent>,
    most: usize,
) -> Option<String> {
    let mut text = text.to_owned();
    let mut left = MOST_READ;
    for change in changes {
        left = left.checked_sub(u64::try_from(text.len()).ok()?)?;
        match change {
            TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => {
                text = whole.text
            }
            TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part) => {
                let index = LineIndex::of(&text);
                let one = index.offset(&text, part.range.start);
                let other = index.offset(&text, part.range.end);
                text.replace_range(one.min(other)..one.max(other), &part.text);
            }
        }
        if text.len() > most {
            return None;
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests;
