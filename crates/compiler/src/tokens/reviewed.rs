//! `reviewed.toml` to entries: access that a policy may newly allow, because it was reviewed.

use toml::de::DeTable;

use super::{
    document::{self, At},
    entries,
    keys::Reader,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::{SourceKind, SourceSet, Span},
};

/// Every key that an entry may have, in the order in which they are written.
pub(crate) const KEYS: &[&str] = &[
    "token",
    "configuration",
    "invariant",
    "line",
    "lifted",
    "key",
    "value",
    "why",
    "until",
];
/// Each entry has one of these keys, which names whom it is about.
const SUBJECTS: [&str; 3] = ["token", "configuration", "invariant"];

/// The key of an entry about an operation of the API, whose `value` is the operation: `tokenward reach` judges it.
pub const OPERATION_KEY: &str = "operation";

/// One entry.
#[derive(Clone, Debug)]
pub struct Reviewed {
    /// The subject's name, where findings about the entry point.
    pub span: Span,
    /// The reviewed change.
    pub what: ReviewedWhat,
    /// `why`
    pub why: String,
    /// `until`, ms UTC: from then on it counts no more.
    pub until: Option<i64>,
}

/// What an entry is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReviewedWhat {
    /// A permit line that a token has newly: `token`, `line`.
    Line {
        /// The token's name.
        token: String,
        /// The line as it is written.
        text: String,
    },
    /// A forbid line that a token has no longer: `token`, `lifted`.
    Lifted {
        /// The token's name.
        token: String,
        /// The line as it was written.
        text: String,
    },
    /// A key of a token beyond its lines: `token`, `key`, `value`.
    Key {
        /// The token's name.
        token: String,
        /// The key's name.
        key: String,
        /// The value that `tokenward diff` shows for it.
        value: String,
    },
    /// A setting: `configuration`, `value`.
    Setting {
        /// The key with its section: `auth.never_act_as`.
        key: String,
        /// The value that `tokenward diff` shows for it.
        value: String,
    },
    /// An invariant of the base: `invariant`, `value`.
    Invariant {
        /// Its name.
        name: String,
        /// The value that `tokenward diff` shows for it.
        value: String,
    },
}

impl ReviewedWhat {
    /// The name of the token that it is about.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        match self {
            Self::Line { token, .. } | Self::Lifted { token, .. } | Self::Key { token, .. } => Some(token),
            Self::Setting { .. } | Self::Invariant { .. } => None,
        }
    }
}

impl Reviewed {
    /// Whether the other says the same and does not last longer, whatever the reasons.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let lasts = |until| other.until.is_some_and(|other| other <= until);
        self.what == other.what && self.until.is_none_or(lasts)
    }
}

impl std::fmt::Display for ReviewedWhat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line { token, text } | Self::Lifted { token, text } => write!(f, "`{text}` of `{token}`"),
            Self::Key { token, key, .. } => write!(f, "`{key}` of `{token}`"),
            Self::Setting { key, .. } => write!(f, "`{key}` of the configuration"),
            Self::Invariant { name, .. } => write!(f, "the invariant `{name}`"),
        }
    }
}

/// The entries among the sources. Errors go to `diagnostics`; the other entries are still read.
pub fn read_reviewed(sources: &SourceSet, diagnostics: &mut Vec<Diagnostic>) -> Vec<Reviewed> {
    let files = sources
        .iter()
        .filter(|(_, source)| source.kind == SourceKind::Reviewed);
    let mut entries = Vec::new();
    for file in files {
        entries.extend(entries::read(
            file,
            (&["reviewed"], "entry"),
            diagnostics,
            |reader, _, table, range| entry(reader, table, range),
        ));
    }
    entries
}

fn entry(reader: &mut Reader<'_>, table: &DeTable<'_>, range: std::ops::Range<usize>) -> Option<Reviewed> {
    let place = document::span(reader.id, reader.source, range);
    let (mut subject, mut why, mut until) = (None, None, None);
    let [mut line, mut lifted, mut name, mut text] = [const { None }; 4];
    for (key, value) in table {
        let key_name = key.get_ref().as_ref();
        match key_name {
            "token" | "configuration" | "invariant" => {
                subject = reader.string(value, key_name).map(|of| (key_name.to_owned(), of));
            }
            "line" => line = reader.string(value, "line").map(trimmed),
            "lifted" => lifted = reader.string(value, "lifted").map(trimmed),
            "key" => name = reader.string(value, "key").map(|key| key.value),
            "value" => text = reader.string(value, "value").map(|value| value.value),
            "why" => why = reader.string(value, "why").map(|why| why.value),
            "until" => until = reader.time(value).map(|until| until.value),
            _ => drop(reader.unknown(key, KEYS)),
        }
    }
    let given = |key: &str| table.keys().any(|known| known.get_ref() == key);
    if !is_whole(reader, place, &given) {
        return None;
    }
    // A time that cannot be read must not make a review endless.
    if given("until") && until.is_none() {
        return None;
    }
    let (kind, subject) = subject?;
    let (span, of) = (subject.span, subject.value);
    let what = match (kind.as_str(), line, lifted, name, text) {
        ("token", Some(text), None, None, None) => ReviewedWhat::Line { token: of, text },
        ("token", None, Some(text), None, None) => ReviewedWhat::Lifted { token: of, text },
        ("token", None, None, Some(key), Some(value)) => ReviewedWhat::Key {
            token: of,
            key,
            value,
        },
        ("configuration", None, None, None, Some(value)) => ReviewedWhat::Setting { key: of, value },
        ("invariant", None, None, None, Some(value)) => ReviewedWhat::Invariant { name: of, value },
        _ => return None,
    };
    Some(Reviewed {
        span,
        what,
        why: why?,
        until,
    })
}

fn trimmed(line: At<String>) -> String {
    line.value.trim().to_owned()
}

/// Whether the entry has the keys that it needs and no two that exclude each other; what is wrong is told.
fn is_whole(reader: &mut Reader<'_>, place: Span, given: &dyn Fn(&str) -> bool) -> bool {
    let mut tell = |code, headline: String, help: &str| {
        reader
            .diagnostics
            .push(Diagnostic::new(code, place, headline).help(help));
    };
    let mut whole = true;
    let mut missing = |key: &str, help: &str| {
        tell(Code::MissingKey, format!("the entry has no `{key}`"), help);
        whole = false;
    };
    if !SUBJECTS.iter().any(|key| given(key)) {
        missing(
            "token",
            "add the name of the token that allows more, or `configuration` or `invariant`",
        );
    }
    if !given("why") {
        missing("why", "explain for later readers why this is right");
    }
    let has_value = given("value") && (given("key") || !given("token"));
    if !(given("line") || given("lifted") || has_value) {
        missing(
            "line",
            "add the permit line as it is written, or `lifted` with the removed forbid line, or `key` and `value` as `tokenward diff` shows them",
        );
    }
    let exclusive = [
        ("token", "configuration"),
        ("token", "invariant"),
        ("configuration", "invariant"),
        ("configuration", "key"),
        ("invariant", "key"),
        ("line", "lifted"),
        ("line", "key"),
        ("lifted", "key"),
        ("line", "value"),
        ("lifted", "value"),
        ("configuration", "line"),
        ("configuration", "lifted"),
        ("invariant", "line"),
        ("invariant", "lifted"),
    ];
    let both = exclusive.iter().find(|(one, other)| given(one) && given(other));
    if let Some((one, other)) = both {
        let headline = format!("the entry has both `{one}` and `{other}`");
        tell(Code::WrongValue, headline, "write one entry for each");
        return false;
    }
    whole
}
