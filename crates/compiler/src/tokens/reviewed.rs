//! `reviewed.toml` to entries: what a policy may newly allow, since somebody looked at it.

use toml::de::{DeTable, DeValue};

use super::{
    document::{self, At},
    keys::Reader,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::{Source, SourceId, SourceKind, SourceSet, Span},
};

/// Every key that an entry may have.
const KEYS: &[&str] = &["token", "line", "key", "value", "why", "until"];

/// One entry.
#[derive(Clone, Debug)]
pub struct Reviewed {
    /// The token's name, where findings about the entry point.
    pub span: Span,
    /// `token`
    pub token: At<String>,
    /// What was looked at.
    pub what: ReviewedWhat,
    /// `why`
    pub why: String,
    /// `until`, ms UTC: from then on it counts no more.
    pub until: Option<i64>,
}

/// What an entry is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReviewedWhat {
    /// A permit line that came, or a forbid line that went: its text.
    Line(String),
    /// A key beside the lines, and the value that `tokenward diff` shows for it.
    Key(String, String),
}

/// The entries among the sources. What is wrong goes to `diagnostics`; whatever else can be read is read.
pub fn read_reviewed(sources: &SourceSet, diagnostics: &mut Vec<Diagnostic>) -> Vec<Reviewed> {
    let files = sources
        .iter()
        .filter(|(_, source)| source.kind == SourceKind::Reviewed);
    let mut entries = Vec::new();
    for (id, source) in files {
        entries.extend(read(id, source, diagnostics));
    }
    entries
}

fn read(id: SourceId, source: &Source, diagnostics: &mut Vec<Diagnostic>) -> Vec<Reviewed> {
    let Some(root) = document::parse(id, source, diagnostics) else {
        return Vec::new();
    };
    let mut reader = Reader {
        id,
        source,
        diagnostics,
    };
    let mut entries = Vec::new();
    for (key, value) in root.get_ref() {
        if key.get_ref() != "reviewed" {
            reader.unknown(key, &["reviewed"]);
            continue;
        }
        let help = "write `[[reviewed]]` above each entry";
        let DeValue::Array(tables) = value.get_ref() else {
            reader.wrong(value, help);
            continue;
        };
        for table in tables.iter() {
            match table.get_ref() {
                DeValue::Table(keys) => entries.extend(entry(&mut reader, keys, table.span())),
                _ => reader.wrong(table, help),
            }
        }
    }
    entries
}

fn entry(reader: &mut Reader<'_>, table: &DeTable<'_>, range: std::ops::Range<usize>) -> Option<Reviewed> {
    let place = document::span(reader.id, reader.source, range);
    let (mut token, mut why, mut until) = (None, None, None);
    let [mut line, mut name, mut text] = [const { None }; 3];
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "token" => token = reader.string(value, "token"),
            "line" => {
                line = reader
                    .string(value, "line")
                    .map(|line| line.value.trim().to_owned())
            }
            "key" => name = reader.string(value, "key").map(|key| key.value),
            "value" => text = reader.string(value, "value").map(|value| value.value),
            "why" => why = reader.string(value, "why").map(|why| why.value),
            "until" => until = reader.time(value).map(|until| until.value),
            _ => reader.unknown(key, KEYS),
        }
    }
    let given = |key: &str| table.keys().any(|known| known.get_ref() == key);
    let mut missing = |key: &str, help: &str| {
        let headline = format!("the entry has no `{key}`");
        let diagnostic = Diagnostic::new(Code::MissingKey, place, headline).help(help);
        reader.diagnostics.push(diagnostic);
    };
    if !given("token") {
        missing("token", "add the name of the token that may allow more");
    }
    if !given("why") {
        missing("why", "say for whoever comes after you why it is right");
    }
    if !(given("line") || given("key") && given("value")) {
        missing(
            "line",
            "add the line that came or went, as it is written, or `key` and `value` as `tokenward diff` shows them",
        );
    }
    let what = match (line, name.zip(text)) {
        (Some(line), None) => ReviewedWhat::Line(line),
        (None, Some((key, value))) => ReviewedWhat::Key(key, value),
        (Some(_), Some(_)) => {
            let headline = "the entry has both `line` and `key`";
            let diagnostic = Diagnostic::new(Code::WrongValue, place, headline);
            reader
                .diagnostics
                .push(diagnostic.help("write an entry for each"));
            return None;
        }
        (None, None) => return None,
    };
    let token = token?;
    Some(Reviewed {
        span: token.span,
        token,
        what,
        why: why?,
        until,
    })
}
