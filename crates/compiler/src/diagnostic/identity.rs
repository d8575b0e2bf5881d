//! What a finding is about, without places: the same before and after lines move.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};
use toml::de::{DeTable, DeValue};

use super::{code::Code, finding::Diagnostic};
use crate::source::{SourceId, SourceKind, SourceSet, Span};

/// What a finding is about: two findings with the same identity differ in nothing that an author can see in the line.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// The finding's code.
    pub code: Code,
    /// The part of the policy that has the line.
    pub subject: Subject,
    /// The text of the line, without surrounding blanks. For a finding outside the policy's files, its headline.
    pub line: String,
}

/// The part of a policy in which a finding is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A token, by its name.
    Token(String),
    /// A set of lines, by its name.
    Set(String),
    /// An invariant, by its name.
    Invariant(String),
    /// A file, by its path below the policy directory, or as the command knows it.
    File(String),
}

impl Subject {
    /// The kind, as a key of a file names it.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::Set(_) => "set",
            Self::Invariant(_) => "invariant",
            Self::File(_) => "file",
        }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Token(name) | Self::Set(name) | Self::Invariant(name) | Self::File(name) => name,
        }
    }
}

impl Identity {
    /// A number for the finding as 32 hexadecimal digits. `count`: how many findings with this identity come before it.
    #[must_use]
    pub fn fingerprint(&self, count: usize) -> String {
        let mut hash = Sha256::new();
        let parts = [
            self.code.as_str(),
            self.subject.key(),
            self.subject.name(),
            &self.line,
        ];
        for part in parts {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        hash.update(count.to_be_bytes());
        let mut digits = hex::encode(hash.finalize());
        digits.truncate(32);
        digits
    }
}

/// The identities of findings, in their order. Each file is parsed once.
#[must_use]
pub fn identities(sources: &SourceSet, diagnostics: &[Diagnostic]) -> Vec<Identity> {
    let mut sections = HashMap::new();
    let of = |diagnostic| identity(sources, diagnostic, &mut sections);
    diagnostics.iter().map(of).collect()
}

fn identity(
    sources: &SourceSet,
    diagnostic: &Diagnostic,
    sections: &mut HashMap<SourceId, Vec<Section>>,
) -> Identity {
    let code = diagnostic.code;
    let span = diagnostic.primary.span;
    let Some(source) = sources
        .get(span.source)
        .filter(|_| diagnostic.elsewhere.is_none())
    else {
        let file = diagnostic.elsewhere.as_ref().map(|place| place.file.clone());
        return Identity {
            code,
            subject: Subject::File(file.unwrap_or_default()),
            line: diagnostic.headline.clone(),
        };
    };
    let subject = if source.kind == SourceKind::Limits {
        Subject::Set(source.set_name().to_owned())
    } else {
        let sections = sections
            .entry(span.source)
            .or_insert_with(|| self::sections(&source.text));
        let before = sections.partition_point(|section| section.start <= span.start);
        let section = before.checked_sub(1).and_then(|at| sections.get(at));
        section.map_or_else(
            || Subject::File(source.path.clone()),
            |section| section.subject.clone(),
        )
    };
    Identity {
        code,
        subject,
        line: line(&source.text, span).to_owned(),
    }
}

/// The line in which a span begins, without surrounding blanks.
fn line(text: &str, span: Span) -> &str {
    let (Some(before), Some(behind)) = (text.get(..span.start), text.get(span.start..)) else {
        return "";
    };
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let end = behind.find('\n').map_or(text.len(), |at| span.start + at);
    text.get(start..end).unwrap_or_default().trim()
}

/// A named section of a TOML file.
struct Section {
    start: usize,
    subject: Subject,
}

/// The named sections, in order; of a file that is not TOML those that can be read.
fn sections(text: &str) -> Vec<Section> {
    let (root, _) = DeTable::parse_recoverable(text);
    let mut found = Vec::new();
    for (array, value) in root.get_ref() {
        let DeValue::Array(entries) = value.get_ref() else {
            continue;
        };
        for entry in entries.iter() {
            let DeValue::Table(table) = entry.get_ref() else {
                continue;
            };
            let Some(name) = table.get("name").and_then(|name| name.get_ref().as_str()) else {
                continue;
            };
            let subject = match array.get_ref().as_ref() {
                "token" => Subject::Token(name.to_owned()),
                "never" | "only" | "always" => Subject::Invariant(name.to_owned()),
                _ => continue,
            };
            found.push(Section {
                start: entry.span().start,
                subject,
            });
        }
    }
    found.sort_by_key(|section| section.start);
    found
}
