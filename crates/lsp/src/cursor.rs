//! The part of a policy file at a cursor.

use std::ops::Range;

use tokenward_compiler::source::SourceKind;

use crate::outline::{Outline, blocks, line_at, strings};

/// A place in a file, by its part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cursor {
    /// In a limit line, or in a blank line between limit lines.
    Line {
        /// The line without surrounding blanks.
        line: Range<usize>,
        /// Whether it is in a file of a set.
        is_set: bool,
    },
    /// In a key, or where one can be.
    Key {
        /// The section's name.
        section: String,
        /// What is there of the key.
        key: Range<usize>,
        /// Whether a value follows.
        has_value: bool,
    },
    /// In a value.
    Value {
        /// The section's name.
        section: String,
        /// The key.
        key: String,
        /// The string at the cursor, without quotes; `None` outside strings.
        string: Option<Range<usize>>,
    },
    /// In a header: `[[token]]`.
    Header,
    /// In a comment.
    Comment,
}

/// Finds the part of a file at a byte.
pub(crate) fn cursor(kind: SourceKind, text: &str, outline: &Outline, at: usize) -> Cursor {
    let line = line_at(text, at);
    let line_text = text.get(line.clone()).unwrap_or_default();
    let within = blocks(kind, text, outline)
        .into_iter()
        .find(|block| block.start <= at && at <= block.end);
    if let Some(block) = within {
        if line_text.starts_with('#') {
            return Cursor::Comment;
        }
        let start = line.start.max(block.start).min(block.end);
        return Cursor::Line {
            line: start..line.end.min(block.end).max(start),
            is_set: kind == SourceKind::Limits,
        };
    }
    let section = outline.section(at);
    let name = section.map(|section| section.name.clone()).unwrap_or_default();
    let entries = section.into_iter().flat_map(|section| &section.entries);
    for entry in entries {
        if entry.has_value && entry.key_range.end < at && at <= line_end_of(text, entry.value.end) {
            if at > entry.value.end
                && text
                    .get(entry.value.end..at)
                    .is_some_and(|rest| rest.contains('#'))
            {
                return Cursor::Comment;
            }
            let strings = strings(text, entry.value.clone()).into_iter();
            let mut inner = strings.map(|quoted| quoted.inner);
            return Cursor::Value {
                section: name,
                key: entry.key.clone(),
                string: inner.find(|inner| inner.start <= at && at <= inner.end),
            };
        }
        if entry.key_range.start <= at && at <= entry.key_range.end {
            return Cursor::Key {
                section: name,
                key: entry.key_range.clone(),
                has_value: entry.has_value,
            };
        }
    }
    if line_text.starts_with('#') {
        return Cursor::Comment;
    }
    if line_text.starts_with('[') {
        return Cursor::Header;
    }
    Cursor::Key {
        section: name,
        key: at..at,
        has_value: false,
    }
}

/// The end of the line in which a value ends.
fn line_end_of(text: &str, end: usize) -> usize {
    let rest = text.get(end..).unwrap_or_default();
    rest.find('\n').map_or(text.len(), |at| end + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cursor at `|`, which is taken out.
    fn at(kind: SourceKind, text: &str) -> (Cursor, String) {
        let at = text.find('|').unwrap();
        let text = text.replacen('|', "", 1);
        (cursor(kind, &text, &Outline::of(&text), at), text)
    }

    #[test]
    fn each_part_is_told_apart() {
        for (text, wanted) in [
            ("[[token]]\nna|me = \"a\"\n", "key name true"),
            ("[[token]]\nna|", "key na false"),
            ("[[token]]\nname = \"a\"\n|\n", "key  false"),
            ("[[token]]\nname = \"a|b\"\n", "value name Some(\"ab\")"),
            ("[[token]]\nrevoked = |\n", "value revoked None"),
            ("[[token]]\nusers = [\"a\", \"|", "value users Some(\"\")"),
            ("[[token]]\nlimit_to = '''\n[ge|t]/a\n'''\n", "line [get]/a"),
            ("[[token]]\nlimit_to = '''\n|\n'''\n", "line "),
            ("[[token]]\nlimit_to = '''\n[get|", "line [get"),
            ("[[token]]\nlimit_to = '''\n# |a\n'''\n", "comment"),
            ("[[to|ken]]\n", "header"),
            ("# a|\n", "comment"),
            ("name = \"a\" # |c\n", "comment"),
        ] {
            let (found, text) = at(SourceKind::Tokens, text);
            let slice = |range: Range<usize>| text.get(range).unwrap();
            let shown = match found {
                Cursor::Line { line, .. } => format!("line {}", slice(line)),
                Cursor::Key { key, has_value, .. } => format!("key {} {has_value}", slice(key)),
                Cursor::Value { key, string, .. } => format!("value {key} {:?}", string.map(slice)),
                Cursor::Header => "header".to_owned(),
                Cursor::Comment => "comment".to_owned(),
            };
            assert_eq!(shown, wanted, "{text}");
        }
        let (found, _) = at(SourceKind::Limits, "/a|\n");
        assert_eq!(
            found,
            Cursor::Line {
                line: 0..2,
                is_set: true
            }
        );
    }
}
