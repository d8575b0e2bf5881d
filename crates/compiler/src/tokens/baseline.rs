//! A baseline file to entries: findings that were accepted.

use toml::de::DeTable;

use super::{
    document::{self, Value},
    entries,
    keys::Reader,
};
use crate::{
    diagnostic::{Code, Diagnostic, Identity, Severity, Subject},
    source::{Source, SourceId, Span},
};

/// Every key that an entry may have.
const KEYS: &[&str] = &[
    "code",
    "token",
    "set",
    "invariant",
    "file",
    "line",
    "why",
    "until",
];
/// Each entry has one of these keys.
const SUBJECTS: [&str; 4] = ["token", "set", "invariant", "file"];

/// One accepted finding.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The entry's `line`, where findings about the entry point.
    pub span: Span,
    /// The accepted finding.
    pub what: Identity,
    /// `why`; empty if nobody has written a reason yet.
    pub why: String,
    /// The place of `why`.
    pub why_span: Span,
    /// `until`, ms UTC: from then on the entry accepts nothing.
    pub until: Option<i64>,
}

/// Reads the entries of a baseline file. Errors go to `diagnostics`; the other entries are still read.
pub fn read_baseline(id: SourceId, source: &Source, diagnostics: &mut Vec<Diagnostic>) -> Vec<Accepted> {
    let mut entries = entries::read(
        (id, source),
        (&["accepted"], "entry"),
        diagnostics,
        |reader, _, table, range| entry(reader, table, range),
    );
    entries.sort_by_key(|entry| entry.span);
    entries
}

fn entry(reader: &mut Reader<'_>, table: &DeTable<'_>, range: std::ops::Range<usize>) -> Option<Accepted> {
    let place = document::span(reader.id, reader.source, range);
    let (mut code, mut subject, mut line) = (None, None, None);
    let (mut why, mut until) = (None, None);
    for (key, value) in table {
        let key_name = key.get_ref().as_ref();
        match key_name {
            "code" => code = self::code(reader, value),
            "token" | "set" | "invariant" | "file" => subject = self::subject(reader, key_name, value),
            "line" => line = self::line(reader, value),
            "why" => why = self::why(reader, value),
            "until" => until = reader.time(value).map(|until| until.value),
            _ => drop(reader.unknown(key, KEYS)),
        }
    }
    let given = |key: &str| table.keys().any(|known| known.get_ref() == key);
    if !is_whole(reader, place, &given) {
        return None;
    }
    // A time that cannot be read must not make an entry endless.
    if given("until") && until.is_none() {
        return None;
    }
    let ((span, line), (why_span, why)) = (line?, why?);
    Some(Accepted {
        span,
        what: Identity {
            code: code?,
            subject: subject?,
            line,
        },
        why,
        why_span,
        until,
    })
}

/// The code, unless no finding of it can be accepted.
fn code(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Code> {
    let text = reader.string(value, "code")?;
    match text.value.parse::<Code>() {
        Ok(code) if can_be_accepted(code) => Some(code),
        Ok(code) => {
            let headline = format!(
                "findings of the code `{code}` cannot be accepted: {}",
                code.title()
            );
            let found = Diagnostic::new(Code::Unacceptable, text.span, headline);
            reader.diagnostics.push(found.help(match code.severity() {
                Severity::Error => "correct the policy: the proxy refuses a policy with an error",
                Severity::Warning => {
                    "remove the entry; `reviewed.toml` of the base lists new access that was reviewed"
                }
            }));
            None
        }
        Err(error) => {
            let found = Diagnostic::new(Code::WrongValue, text.span, error.to_string());
            reader.diagnostics.push(found);
            None
        }
    }
}

/// Whether a baseline may accept findings of a code: warnings, but not those about new access, which only reviews accept.
pub(crate) fn can_be_accepted(code: Code) -> bool {
    code.severity() == Severity::Warning && !code.as_str().starts_with("TW03")
}

fn subject(reader: &mut Reader<'_>, key: &str, value: &Value<'_>) -> Option<Subject> {
    let name = reader.string(value, key)?.value;
    Some(match key {
        "token" => Subject::Token(name),
        "set" => Subject::Set(name),
        "invariant" => Subject::Invariant(name),
        _ => Subject::File(name),
    })
}

/// The text of a line, which may have tabs.
fn line(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<(Span, String)> {
    let Some(text) = value.get_ref().as_str() else {
        reader.wrong(value, "`line` must be a string");
        return None;
    };
    let span = document::span(reader.id, reader.source, value.span());
    Some((span, text.trim().to_owned()))
}

/// The reason, which may be missing in a file that was just written.
fn why(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<(Span, String)> {
    let text = match value.get_ref().as_str() {
        Some("") => String::new(),
        _ => reader.string(value, "why")?.value,
    };
    Some((document::span(reader.id, reader.source, value.span()), text))
}

/// Whether the entry has the keys that it needs; reports the missing ones.
fn is_whole(reader: &mut Reader<'_>, place: Span, given: &dyn Fn(&str) -> bool) -> bool {
    let mut missing = Vec::new();
    let subjects = SUBJECTS.iter().filter(|key| given(key)).count();
    if subjects == 0 {
        missing.push((
            "token",
            "name the token, or the `set`, `invariant` or `file`, that has the line",
        ));
    }
    for (key, help) in [
        ("code", "add the code of the accepted finding, such as `TW0103`"),
        ("line", "add the line as it is written in the policy"),
        ("why", "explain for later readers why the finding is accepted"),
    ] {
        if !given(key) {
            missing.push((key, help));
        }
    }
    for (key, help) in &missing {
        let headline = format!("the entry has no `{key}`");
        let found = Diagnostic::new(Code::MissingKey, place, headline);
        reader.diagnostics.push(found.help(*help));
    }
    if subjects > 1 {
        let headline = "the entry has more than one of `token`, `set`, `invariant` and `file`";
        let found = Diagnostic::new(Code::WrongValue, place, headline);
        reader.diagnostics.push(found.help("write one entry for each"));
    }
    missing.is_empty() && subjects == 1
}
