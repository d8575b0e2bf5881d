//! Reads a parsed TOML table key by key. Reading a key marks it as known, and every other key of the file is reported
//! as unknown. So the check cannot miss a setting that is read.

use std::cell::RefCell;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Similarity above which a known name is suggested.
const NEAR: f64 = 0.7;

/// A wrong value: a message with the expected value, and the byte offset of the actual one.
pub(super) struct Wrong {
    pub(super) offset: usize,
    pub(super) message: String,
}

impl Wrong {
    pub(super) fn at(value: &Spanned<DeValue<'_>>, message: impl Into<String>) -> Self {
        Self {
            offset: value.span().start,
            message: message.into(),
        }
    }
}

/// Tells whether a text is a filter of log messages. Only the library that writes the log knows.
pub type LogFilter = fn(&str) -> bool;

/// Collects problems and requested keys while a file is read.
pub(super) struct Sink {
    is_log_filter: LogFilter,
    wrongs: RefCell<Vec<Wrong>>,
    asked: RefCell<Vec<String>>,
}

impl Sink {
    pub(super) fn new(is_log_filter: LogFilter) -> Self {
        Self {
            is_log_filter,
            wrongs: RefCell::default(),
            asked: RefCell::default(),
        }
    }

    pub(super) fn push(&self, wrong: Wrong) {
        self.wrongs.borrow_mut().push(wrong);
    }

    /// Returns the problems in the order of the file.
    pub(super) fn into_wrongs(self) -> Vec<Wrong> {
        let mut wrongs = self.wrongs.into_inner();
        wrongs.sort_by_key(|wrong| wrong.offset);
        wrongs
    }

    /// Lists every key that was requested, such as `server.listen`.
    #[cfg(test)]
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }
}

/// A table, possibly missing, whose keys are being read.
pub(super) struct Fields<'a> {
    /// Path of the table, such as `server`; empty for the root.
    path: String,
    table: Option<&'a DeTable<'a>>,
    sink: &'a Sink,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Reads the whole of a file's root table.
    pub(super) fn root<T>(table: &'a DeTable<'a>, sink: &'a Sink, read: impl FnOnce(&mut Self) -> T) -> T {
        Self::read(String::new(), Some(table), sink, read)
    }

    /// Whether a text is a filter of log messages.
    pub(super) fn is_log_filter(&self, text: &str) -> bool {
        (self.sink.is_log_filter)(text)
    }

    /// Reads the whole table `key`; if it is missing, reads an empty one.
    pub(super) fn section<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Self) -> T) -> T {
        let table = match self.value(key).map(|value| (value, value.get_ref())) {
            Some((_, DeValue::Table(table))) => Some(table),
            Some((value, _)) => {
                let path = self.path_of(key);
                self.sink.push(Wrong::at(
                    value,
                    format!("`{key}` is a section; write [{path}] on a separate line"),
                ));
                None
            }
            None => None,
        };
        Self::read(self.path_of(key), table, self.sink, read)
    }

    fn read<T>(
        path: String,
        table: Option<&'a DeTable<'a>>,
        sink: &'a Sink,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let mut fields = Self {
            path,
            table,
            sink,
            known: Vec::new(),
        };
        let result = read(&mut fields);
        fields.report_unknown();
        result
    }

    /// Returns the value at `key`, or `default` if it is missing or wrong (wrong values are reported).
    pub(super) fn or<T>(&mut self, key: &'static str, default: T, parse: Parse<T>) -> T {
        self.optional(key, parse).unwrap_or(default)
    }

    /// Returns the value at `key`; `None` if it is missing or wrong (wrong values are reported).
    pub(super) fn optional<T>(&mut self, key: &'static str, parse: Parse<T>) -> Option<T> {
        self.sink.asked.borrow_mut().push(self.path_of(key));
        let value = self.value(key)?;
        match parse(value) {
            Ok(parsed) => Some(parsed),
            Err(wrong) => {
                self.sink.push(Wrong {
                    offset: wrong.offset,
                    message: format!("`{key}` {}", wrong.message),
                });
                None
            }
        }
    }

    /// Whether the file has `key`, even with a wrong value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.offset(key).is_some()
    }

    fn offset(&self, key: &str) -> Option<usize> {
        self.table?.get(key).map(|value| value.span().start)
    }

    /// Reports a problem with several keys at the first of them that the file has, otherwise at the beginning of the
    /// file.
    pub(super) fn complain(&self, keys: &[&str], message: String) {
        let offset = keys.iter().find_map(|key| self.offset(key)).unwrap_or(0);
        self.sink.push(Wrong { offset, message });
    }

    fn value(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.push(key);
        self.table?.get(key)
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    fn report_unknown(&self) {
        for name in self.table.iter().flat_map(|table| table.keys()) {
            let given = name.get_ref().as_ref();
            if self.known.contains(&given) {
                continue;
            }
            let place = if self.path.is_empty() {
                "at the top level".to_owned()
            } else {
                format!("in [{}]", self.path)
            };
            // Sections are read before the keys around them are reported.
            let asked = self.sink.asked.borrow();
            let elsewhere = asked.iter().find_map(|path| {
                let (section, key) = path.rsplit_once('.')?;
                (key == given && section != self.path).then(|| section.to_owned())
            });
            let advice = match (elsewhere, nearest(given, &self.known)) {
                (Some(section), _) => format!("it belongs in [{section}]"),
                (None, Some(near)) => format!("did you mean `{near}`?"),
                (None, None) => format!("known keys: {}", self.known.join(", ")),
            };
            self.sink.push(Wrong {
                offset: name.span().start,
                message: format!("unknown key `{given}` {place}; {advice}"),
            });
        }
    }
}

/// Reads one value. The error begins with a verb, and the key's name is put in front of it.
pub(super) type Parse<T> = fn(&Spanned<DeValue<'_>>) -> Result<T, Wrong>;

/// Finds the known name that was most likely meant.
pub(super) fn nearest<'k>(given: &str, known: &[&'k str]) -> Option<&'k str> {
    let likeness = |name: &str| strsim::jaro_winkler(&given.to_ascii_lowercase(), &name.to_ascii_lowercase());
    known
        .iter()
        .map(|name| (*name, likeness(name)))
        .filter(|(_, likeness)| *likeness > NEAR)
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(name, _)| name)
}
