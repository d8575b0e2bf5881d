//! The `[[token]]` sections of a file with their byte ranges, and changes of one section that keep every other byte.
//!
//! Positions come from the parser that the compiler uses. The text itself is cut and joined here, since serialising a
//! parsed document would change line ends.

use std::ops::Range;

use tokenward_compiler::tokens::TOKEN_KEYS;
use toml::de::{DeTable, DeValue};

use super::entry::{block, check_lines, list, moment, quoted};
use super::error::{EditError, Unfit};

/// One change of a token.
#[derive(Clone, Debug)]
pub enum Change {
    /// Set a key to a text.
    Text(Key, String),
    /// Set a key to a time.
    Moment(Key, jiff::Timestamp),
    /// `revoked = true`.
    Revoked,
    /// Set the included sets; an empty list removes the key.
    Include(Vec<String>),
    /// Set the token's own lines. Lines that stay keep their places and comments; new ones come last. An empty list
    /// removes the key.
    Lines(Vec<String>),
    /// Remove a key.
    Without(Key),
}

/// The keys that commands write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each is the key of SEMANTICS section 2 that has its name"
)]
pub enum Key {
    Name,
    SecretHash,
    SecretSealed,
    PreviousSecretHash,
    PreviousUntil,
    Expires,
    Seal,
}

impl Key {
    fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::SecretHash => "secret_hash",
            Self::SecretSealed => "secret_sealed",
            Self::PreviousSecretHash => "previous_secret_hash",
            Self::PreviousUntil => "previous_until",
            Self::Expires => "expires",
            Self::Seal => "seal",
        }
    }
}

/// One token's section of a policy file.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    /// Name of the token, if it is a string.
    pub(crate) name: Option<String>,
    /// Byte range from the section's header to the next one, or to the file's end.
    pub(crate) range: Range<usize>,
    keys: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    name: String,
    key: Range<usize>,
    value: Range<usize>,
    text: Option<String>,
}

/// Finds the sections of a file, in order.
pub(crate) fn sections(text: &str) -> Result<Vec<Section>, Unfit> {
    // Parse with positions: edits replace byte ranges of the text.
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(Unfit::NotToml);
    }
    let Some(tokens) = root.get_ref().get("token") else {
        return Ok(Vec::new());
    };
    let DeValue::Array(entries) = tokens.get_ref() else {
        return Err(Unfit::NotSections);
    };
    let mut sections = Vec::new();
    for entry in entries.iter() {
        let DeValue::Table(table) = entry.get_ref() else {
            return Err(Unfit::NotSections);
        };
        // Only sections with a header of their own, `[[token]]`, can be edited.
        let start = entry.span().start;
        if !text.get(start..).is_some_and(|rest| rest.starts_with("[[")) {
            return Err(Unfit::NotSections);
        }
        // Keys in the order of the text, since the parser sorts them by name.
        let mut keys: Vec<Entry> = table
            .iter()
            .map(|(key, value)| Entry {
                name: key.get_ref().to_string(),
                key: key.span(),
                value: value.span(),
                text: value.get_ref().as_str().map(str::to_owned),
            })
            .collect();
        keys.sort_by_key(|entry| entry.key.start);
        let name = keys.iter().find(|entry| entry.name == "name");
        sections.push(Section {
            name: name.and_then(|entry| entry.text.clone()),
            range: start..text.len(),
            keys,
        });
    }
    // The next section ends the one before it.
    sections.sort_by_key(|section| section.range.start);
    let starts: Vec<usize> = sections.iter().skip(1).map(|next| next.range.start).collect();
    for (section, end) in sections.iter_mut().zip(starts) {
        section.range.end = end;
    }
    Ok(sections)
}

impl Section {
    /// Gives the text of a key, if it has one.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.entry(key)?.text.as_deref()
    }

    /// Whether the section sets the key to this value, as written.
    pub(crate) fn says(&self, file: &str, key: &str, value: &str) -> bool {
        self.entry(key)
            .is_some_and(|entry| file.get(entry.value.clone()) == Some(value))
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        self.keys.iter().find(|entry| entry.name == key)
    }

    /// Gives the file with one change made in this section.
    pub(super) fn with(&self, file: &str, change: &Change) -> Result<String, EditError> {
        let eol = if file.contains("\r\n") { "\r\n" } else { "\n" };
        Ok(match change {
            Change::Text(key, text) => self.set(file, key.name(), &quoted(text), eol),
            Change::Moment(key, time) => self.set(file, key.name(), &moment(*time), eol),
            Change::Revoked => self.set(file, "revoked", "true", eol),
            Change::Without(key) => self.without(file, key.name()),
            Change::Include(names) if names.is_empty() => self.without(file, "include"),
            Change::Include(names) => self.set(file, "include", &list(names), eol),
            Change::Lines(lines) if lines.is_empty() => self.without(file, "limit_to"),
            Change::Lines(lines) => {
                check_lines(lines)?;
                let written = self
                    .entry("limit_to")
                    .and_then(|entry| file.get(entry.value.clone()));
                let block = match written.and_then(|written| merged(written, lines, eol)) {
                    Some(merged) => merged,
                    None => block(lines)?.replace('\n', eol),
                };
                self.set(file, "limit_to", &block, eol)
            }
        })
    }

    fn set(&self, file: &str, key: &str, value: &str, eol: &str) -> String {
        if let Some(entry) = self.entry(key) {
            return spliced(file, entry.value.clone(), value);
        }
        // After the last key of the section that comes before it in the canonical order.
        let before = TOKEN_KEYS.split(|name| *name == key).next().unwrap_or_default();
        let anchor = self
            .keys
            .iter()
            .rfind(|entry| before.contains(&entry.name.as_str()))
            .or(self.keys.last());
        let Some(anchor) = anchor else {
            return file.to_owned();
        };
        let line = start_of_line(file, anchor.key.start);
        let indent = file.get(line..anchor.key.start).unwrap_or_default();
        match end_of_line(file, anchor.value.end) {
            Some(end) => spliced(file, end..end, &format!("{indent}{key} = {value}{eol}")),
            None => format!("{file}{eol}{indent}{key} = {value}"),
        }
    }

    /// Removes a key. A comment after the value stays, on a line of its own.
    fn without(&self, file: &str, key: &str) -> String {
        let Some(entry) = self.entry(key) else {
            return file.to_owned();
        };
        let start = start_of_line(file, entry.key.start);
        let end = end_of_line(file, entry.value.end).unwrap_or(file.len());
        let behind = file.get(entry.value.end..end).unwrap_or_default();
        let comment = behind.trim_start_matches([' ', '\t']);
        spliced(
            file,
            start..end,
            if comment.starts_with('#') { comment } else { "" },
        )
    }
}

fn start_of_line(file: &str, at: usize) -> usize {
    let before = file.get(..at).unwrap_or_default();
    before.rfind('\n').map_or(0, |newline| newline + 1)
}

/// Position after the end of the line; `None` on a last line without one.
fn end_of_line(file: &str, at: usize) -> Option<usize> {
    let newline = file.get(at..)?.find('\n')?;
    Some(at + newline + 1)
}

fn spliced(file: &str, range: Range<usize>, with: &str) -> String {
    let before = file.get(..range.start).unwrap_or_default();
    let behind = file.get(range.end..).unwrap_or_default();
    format!("{before}{with}{behind}")
}

/// Puts other lines into a block. Comments, blank lines and lines that stay keep their places. `None` if the value is
/// not a block.
fn merged(written: &str, lines: &[String], eol: &str) -> Option<String> {
    let inner = written.strip_prefix("'''")?.strip_suffix("'''")?;
    let mut wanted: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    let mut pieces: Vec<String> = Vec::new();
    let mut indent = String::new();
    for piece in inner.split('\n') {
        let piece = piece.strip_suffix('\r').unwrap_or(piece);
        let line = piece.trim();
        if line.is_empty() || line.starts_with('#') {
            pieces.push(piece.to_owned());
            continue;
        }
        indent = piece
            .chars()
            .take_while(|character| matches!(character, ' ' | '\t'))
            .collect();
        if let Some(at) = wanted.iter().position(|wanted| *wanted == line) {
            wanted.remove(at);
            pieces.push(piece.to_owned());
        } else if pieces.is_empty() {
            // Keep the line end after the opening quotes.
            pieces.push(String::new());
        }
    }
    // Keep the text in front of the closing quotes, unless it is a line itself.
    let closing = match pieces.last() {
        Some(last) if last.trim().is_empty() && pieces.len() > 1 => pieces.pop(),
        _ if wanted.is_empty() => None,
        _ => Some(String::new()),
    };
    pieces.extend(wanted.iter().map(|line| format!("{indent}{line}")));
    pieces.extend(closing);
    Some(format!("'''{}'''", pieces.join(eol)))
}

#[cfg(test)]
mod tests;
