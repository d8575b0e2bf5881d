//! Tokens that seem to be revoked in text that is not TOML.
//!
//! The text is read in words, so that comments and strings count for nothing. It errs on the side of finding more: what is found
//! suspends tokens until the file parses, and nothing longer.

/// An entry that says `revoked = true`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suspect {
    /// The names that the entry gives.
    pub names: Vec<String>,
    /// The hashes of secrets that it gives.
    pub hashes: Vec<[u8; 32]>,
}

/// The entries of a text that say `revoked = true`.
pub(super) fn of(text: &str) -> Vec<Suspect> {
    let words = Words::new(text, false);
    let (found, is_whole) = entries(words);
    if is_whole {
        return found;
    }
    // A string without an end hides all that follows, and turns strings into text and text into strings. Then the line that begins
    // the next entry ends a string.
    entries(Words::new(text, true)).0
}

/// The entries that say so, and whether every string had an end.
fn entries(mut words: Words<'_>) -> (Vec<Suspect>, bool) {
    let mut all = Vec::new();
    let mut entry = Entry::default();
    // The last two words of a line: a key and `=` come before a value.
    let (mut key, mut is_value, mut brackets, mut is_start) = (None, false, 0, true);
    for word in words.by_ref() {
        match word {
            Word::Line => (key, is_value, brackets, is_start) = (None, false, 0, true),
            Word::Sign(b'[') if is_start => brackets += 1,
            Word::Sign(b'{' | b'}') => {
                entry.end(&mut all);
                (key, is_value, is_start) = (None, false, false);
            }
            Word::Sign(b'=') => {
                is_value = key.is_some();
                is_start = false;
            }
            Word::Sign(_) => (is_value, is_start) = (false, false),
            Word::Bare("token") if brackets > 0 && is_start => {
                entry.end(&mut all);
                is_start = false;
            }
            Word::Bare(text) | Word::Text(text) => {
                if let Some(key) = key.filter(|_| is_value) {
                    entry.take(key, &word, text);
                }
                (key, is_value, is_start) = (Some(text), false, false);
            }
        }
    }
    entry.end(&mut all);
    (all, words.is_whole)
}

#[derive(Default)]
struct Entry {
    is_revoked: bool,
    found: Suspect,
}

impl Entry {
    fn take(&mut self, key: &str, word: &Word<'_>, text: &str) {
        match (key, word) {
            ("revoked", Word::Bare("true") | Word::Text("true")) => self.is_revoked = true,
            // A quoted key may spell the word with escapes.
            (key, Word::Bare("true")) if key.contains('\\') => self.is_revoked = true,
            ("name", Word::Text(name)) => self.found.names.push((*name).to_owned()),
            ("secret_hash" | "previous_secret_hash", Word::Text(_)) => {
                let mut hash = [0; 32];
                let digits = text.strip_prefix("sha256:");
                if digits.is_some_and(|digits| hex::decode_to_slice(digits, &mut hash).is_ok()) {
                    self.found.hashes.push(hash);
                }
            }
            _ => {}
        }
    }

    /// Ends the entry, and begins the next.
    fn end(&mut self, all: &mut Vec<Suspect>) {
        let Self { is_revoked, found } = std::mem::take(self);
        if is_revoked && found != Suspect::default() {
            all.push(found);
        }
    }
}

/// A word of TOML.
enum Word<'t> {
    /// A bare key, a number, `true`.
    Bare(&'t str),
    /// The content of a string, as written.
    Text(&'t str),
    Sign(u8),
    /// The end of a line.
    Line,
}

/// Splits a text into words, without comments.
struct Words<'t> {
    text: &'t str,
    at: usize,
    /// Whether a line `[[token]]` ends a string that has not ended.
    resumes: bool,
    is_whole: bool,
    /// The last string ended where a line begins.
    is_cut: bool,
}

impl<'t> Words<'t> {
    fn new(text: &'t str, resumes: bool) -> Self {
        Self {
            text,
            at: 0,
            resumes,
            is_whole: true,
            is_cut: false,
        }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Takes the bytes up to `end` of the rest.
    fn take(&mut self, end: usize) -> &'t str {
        let taken = self.rest().get(..end).unwrap_or_default();
        self.at += end;
        taken
    }

    /// The content of a string of several lines, behind its opening.
    fn lines(&mut self, quote: &str) -> &'t str {
        let rest = self.rest();
        let mut end = memchr::memmem::find(rest.as_bytes(), quote.as_bytes());
        self.is_whole &= end.is_some();
        if self.resumes {
            let content = end.map_or(rest, |end| rest.get(..end).unwrap_or_default());
            let next = content.match_indices("[[token]]").map(|(at, _)| at);
            let mut begins = next.filter(|at| content.get(..*at).is_some_and(is_line_start));
            if let Some(next) = begins.next() {
                self.is_cut = true;
                return self.take(next);
            }
        }
        let content = self.take(*end.get_or_insert(rest.len()));
        self.at = (self.at + quote.len()).min(self.text.len());
        content
    }

    /// The content of a string of one line, behind its quote. A line's end ends it too.
    fn line(&mut self, quote: u8) -> &'t str {
        let bytes = self.rest().as_bytes();
        let (mut end, mut escaped) = (0, false);
        while let Some(byte) = bytes.get(end).filter(|byte| **byte != b'\n') {
            if escaped {
                escaped = false;
            } else if *byte == b'\\' && quote == b'"' {
                escaped = true;
            } else if *byte == quote {
                break;
            }
            end += 1;
        }
        let closed = bytes.get(end) == Some(&quote);
        let content = self.take(end);
        self.at += usize::from(closed);
        content
    }
}

/// Whether a text ends at the start of a line, blanks aside.
fn is_line_start(before: &str) -> bool {
    let trimmed = before.trim_end_matches([' ', '\t']);
    trimmed.is_empty() || trimmed.ends_with('\n')
}

impl<'t> Iterator for Words<'t> {
    type Item = Word<'t>;

    fn next(&mut self) -> Option<Word<'t>> {
        if std::mem::take(&mut self.is_cut) {
            return Some(Word::Line);
        }
        loop {
            let rest = self.rest();
            let first = *rest.as_bytes().first()?;
            match first {
                b'\n' => {
                    self.at += 1;
                    return Some(Word::Line);
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'#' => {
                    let end = memchr::memchr(b'\n', rest.as_bytes());
                    self.at += end.unwrap_or(rest.len());
                }
                b'\'' | b'"' => {
                    let quote = if first == b'"' { "\"\"\"" } else { "'''" };
                    if rest.starts_with(quote) {
                        self.at += quote.len();
                        return Some(Word::Text(self.lines(quote)));
                    }
                    self.at += 1;
                    return Some(Word::Text(self.line(first)));
                }
                _ => {
                    let length = rest
                        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')))
                        .unwrap_or(rest.len());
                    if length > 0 {
                        return Some(Word::Bare(self.take(length)));
                    }
                    self.at += rest.chars().next().map_or(1, char::len_utf8);
                    // Control characters, and characters that nobody sees, may be what is broken.
                    if first.is_ascii_punctuation() {
                        return Some(Word::Sign(first));
                    }
                }
            }
        }
    }
}
