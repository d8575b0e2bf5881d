//! The structure of a TOML file of the policy while it is typed: sections, keys, and where values begin and end.
//!
//! A reader for editors: an unfinished string or list ends where the next section begins, so that the rest of the file keeps its
//! structure. The compiler reads files with its own reader; nothing here decides what a policy means.

use std::ops::Range;

use tokenward_compiler::source::SourceKind;

/// The keys whose values are limit lines.
pub(crate) const BLOCKS: [&str; 2] = ["limit_to", "lines"];

/// The arrays of policy files.
const HEADERS: [&str; 7] = ["token", "never", "only", "always", "reviewed", "accepted", "test"];

/// The structure of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    pub(crate) sections: Vec<Section>,
}

/// A section: its header and its keys. The first one has no header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Section {
    /// The name between the brackets; empty before the first header.
    pub(crate) name: String,
    /// From the header to the next one.
    pub(crate) range: Range<usize>,
    pub(crate) entries: Vec<Entry>,
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_range: Range<usize>,
    /// The value, with its quotes or brackets; empty if there is none yet.
    pub(crate) value: Range<usize>,
    /// Whether there is an equals sign.
    pub(crate) has_value: bool,
}

/// A string in a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Quoted {
    /// The text between the quotes.
    pub(crate) inner: Range<usize>,
}

impl Outline {
    /// Reads a file. Cost: linear in the text.
    pub(crate) fn of(text: &str) -> Self {
        let mut sections = vec![Section::default()];
        let mut at = 0;
        while at < text.len() {
            let end = line_end(text, at);
            let line = text.get(at..end).unwrap_or_default();
            let trimmed = line.trim_start();
            let start = at + (line.len() - trimmed.len());
            if trimmed.starts_with('[') {
                begin(&mut sections, trimmed, at);
                at = end + 1;
            } else if trimmed.is_empty() || trimmed.starts_with('#') {
                at = end + 1;
            } else {
                let (entry, behind) = entry(text, start, end);
                at = line_end(text, behind).max(end) + 1;
                if let Some(section) = sections.last_mut() {
                    section.entries.push(entry);
                }
            }
        }
        if let Some(section) = sections.last_mut() {
            section.range.end = text.len();
        }
        Self { sections }
    }

    /// The section of a byte.
    pub(crate) fn section(&self, at: usize) -> Option<&Section> {
        let count = self.sections.partition_point(|section| section.range.start <= at);
        self.sections.get(count.checked_sub(1)?)
    }

    /// All keys of a name, with their sections.
    pub(crate) fn entries<'o>(&'o self, key: &'o str) -> impl Iterator<Item = (&'o Section, &'o Entry)> {
        let sections = self.sections.iter();
        let all = sections.flat_map(|section| section.entries.iter().map(move |entry| (section, entry)));
        all.filter(move |(_, entry)| entry.key == key)
    }
}

impl Section {
    /// The value of a key that is a string.
    pub(crate) fn text<'t>(&self, text: &'t str, key: &str) -> Option<&'t str> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        let quoted = strings(text, entry.value.clone()).into_iter().next()?;
        text.get(quoted.inner)
    }

    /// The strings of a key's value.
    pub(crate) fn texts<'t>(&self, text: &'t str, key: &str) -> Vec<&'t str> {
        let entries = self.entries.iter().filter(|entry| entry.key == key);
        let strings = entries.flat_map(|entry| strings(text, entry.value.clone()));
        strings.filter_map(|quoted| text.get(quoted.inner)).collect()
    }
}

impl Entry {
    /// The bytes between the quotes of a block of lines.
    pub(crate) fn block(&self, text: &str) -> Option<Range<usize>> {
        if !BLOCKS.contains(&self.key.as_str()) {
            return None;
        }
        let quoted = strings(text, self.value.clone()).into_iter().next()?;
        Some(quoted.inner)
    }
}

/// The blocks of limit lines in a file.
pub(crate) fn blocks(kind: SourceKind, text: &str, outline: &Outline) -> Vec<Range<usize>> {
    match kind {
        SourceKind::Limits => std::iter::once(0..text.len()).collect(),
        SourceKind::Tokens | SourceKind::Invariants => {
            let entries = outline.sections.iter().flat_map(|section| &section.entries);
            entries.filter_map(|entry| entry.block(text)).collect()
        }
        _ => Vec::new(),
    }
}

/// The line of a byte, without surrounding blanks.
pub(crate) fn line_at(text: &str, at: usize) -> Range<usize> {
    let at = at.min(text.len());
    let start = text.get(..at).and_then(|before| before.rfind('\n'));
    let start = start.map_or(0, |newline| newline + 1);
    let end = line_end(text, at);
    let line = text.get(start..end).unwrap_or_default();
    let from = start + (line.len() - line.trim_start().len());
    from..(from + line.trim().len())
}

fn begin(sections: &mut Vec<Section>, header: &str, at: usize) {
    if let Some(section) = sections.last_mut() {
        section.range.end = at;
    }
    let name = header.split('#').next().unwrap_or_default();
    let name = name.trim().trim_matches(['[', ']']).trim();
    sections.push(Section {
        name: name.to_owned(),
        range: at..at,
        entries: Vec::new(),
    });
}

/// Reads a key and its value; also where the value ends.
fn entry(text: &str, start: usize, end: usize) -> (Entry, usize) {
    let line = text.get(start..end).unwrap_or_default();
    let (key, has_value) = match line.find('=') {
        Some(at) => (line.get(..at).unwrap_or_default(), true),
        None => (line, false),
    };
    let from = start + key.len() + usize::from(has_value);
    let key = key.trim_end();
    let key_range = start..start + key.len();
    let blanks = text.get(from..end).unwrap_or_default();
    let from = from + (blanks.len() - blanks.trim_start().len());
    let value = if has_value {
        value(text, from, end)
    } else {
        from..from
    };
    let behind = value.end;
    let entry = Entry {
        key: key.trim_matches(['"', '\'']).to_owned(),
        key_range,
        value,
        has_value,
    };
    (entry, behind)
}

fn value(text: &str, from: usize, line_end: usize) -> Range<usize> {
    let rest = text.get(from..).unwrap_or_default();
    if let Some(quote) = quote_at(rest) {
        return from..string_end(text, from, quote);
    }
    if rest.starts_with('[') {
        return from..list_end(text, from);
    }
    let line = text.get(from..line_end).unwrap_or_default();
    let plain = line.split('#').next().unwrap_or_default().trim_end();
    from..from + plain.len()
}

/// The quote that begins a text.
fn quote_at(text: &str) -> Option<&'static str> {
    let quotes = ["'''", "\"\"\"", "'", "\""];
    quotes.into_iter().find(|quote| text.starts_with(quote))
}

/// Where the string ends that begins at a byte; an unfinished one ends with its line or, if it may have many, before the next section.
fn string_end(text: &str, from: usize, quote: &str) -> usize {
    let inner = from + quote.len();
    let limit = if quote.len() == 3 {
        text.len()
    } else {
        line_end(text, inner)
    };
    let within = text.get(inner..limit).unwrap_or_default();
    let mut at = 0;
    let mut end = None;
    while let Some(found) = within.get(at..).and_then(|rest| rest.find(quote)) {
        let before = within.get(at..at + found).unwrap_or_default();
        let backslashes = before.len() - before.trim_end_matches('\\').len();
        if quote.starts_with('"') && backslashes % 2 == 1 {
            at += found + 1;
            continue;
        }
        end = Some(at + found);
        break;
    }
    let inside = within.get(..end.unwrap_or(within.len())).unwrap_or_default();
    match (header_in(inside), end) {
        (Some(header), _) => inner + header,
        (None, Some(end)) => inner + end + quote.len(),
        (None, None) => limit,
    }
}

fn list_end(text: &str, from: usize) -> usize {
    let mut at = from;
    let mut depth = 0_usize;
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        if let Some(quote) = quote_at(rest) {
            at = string_end(text, at, quote).max(at + 1);
            continue;
        }
        match rest.as_bytes().first() {
            Some(b'#') => at = line_end(text, at),
            Some(b'\n') if is_header(rest.get(1..).unwrap_or_default()) => return at,
            Some(b'[') => {
                depth += 1;
                at += 1;
            }
            Some(b']') => {
                depth = depth.saturating_sub(1);
                at += 1;
                if depth == 0 {
                    return at;
                }
            }
            Some(_) => at += rest.chars().next().map_or(1, char::len_utf8),
            None => break,
        }
    }
    text.len()
}

/// The strings in a value: one, or those of a list.
pub(crate) fn strings(text: &str, value: Range<usize>) -> Vec<Quoted> {
    let mut found = Vec::new();
    let mut at = value.start;
    while at < value.end {
        let rest = text.get(at..value.end).unwrap_or_default();
        if let Some(quote) = quote_at(rest) {
            let end = string_end(text, at, quote).min(value.end);
            let inner = at + quote.len();
            let closed = text.get(inner..end).is_some_and(|inside| inside.ends_with(quote));
            let last = if closed { end - quote.len() } else { end };
            found.push(Quoted {
                inner: inner..last.max(inner),
            });
            at = end.max(at + 1);
            continue;
        }
        match rest.chars().next() {
            Some('#') => at = line_end(text, at),
            Some(character) => at += character.len_utf8(),
            None => break,
        }
    }
    found
}

/// Where the line ends that is before the first header of an array's section.
fn header_in(text: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find("\n[[")) {
        let end = at + found;
        at = end + 1;
        if is_header(text.get(at..).unwrap_or_default()) {
            return Some(end);
        }
    }
    None
}

/// Whether a text begins with a line such as `[[token]]`.
fn is_header(text: &str) -> bool {
    let line = text.split('\n').next().unwrap_or_default().trim_end();
    let name = line.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]"));
    name.is_some_and(|name| HEADERS.contains(&name))
}

fn line_end(text: &str, from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    rest.find('\n').map_or(text.len(), |at| from + at)
}

#[cfg(test)]
mod tests;
