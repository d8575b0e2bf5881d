//! Baselines: files that list findings which were accepted. Such findings are counted instead of shown.
//!
//! A finding is known by its code, the token (or set, invariant, file) that has it, and the text of its line, so that it is the same
//! after lines moved, and another one after the line was changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use jiff::Timestamp;
use toml_edit::Value;

use crate::{
    diagnostic::{Code, Diagnostic, Identity, Severity, identities},
    source::{SourceKind, SourceSet},
    tokens::{Accepted, can_be_accepted, read_baseline},
};

/// The entries of a baseline file.
#[derive(Clone, Debug)]
pub struct Baseline {
    sources: SourceSet,
    /// Each entry, with whether a finding needs it.
    entries: Vec<(Accepted, bool)>,
    /// The first entry of each identity.
    places: BTreeMap<Identity, usize>,
    faults: Vec<Diagnostic>,
    /// ms UTC
    now: i64,
}

impl Baseline {
    /// Reads a baseline. `path` is its name in messages, `now` the time in milliseconds since 1970 UTC.
    #[must_use]
    pub fn read(path: &str, text: &str, now: i64) -> Self {
        let sources = SourceSet::single(path.to_owned(), text, SourceKind::Reviewed);
        let mut faults = Vec::new();
        let mut entries = Vec::new();
        for (id, source) in sources.iter() {
            entries = read_baseline(id, source, &mut faults);
        }
        let mut places: BTreeMap<Identity, usize> = BTreeMap::new();
        for (at, entry) in entries.iter().enumerate() {
            let first = *places.entry(entry.what.clone()).or_insert(at);
            if let Some(first) = entries.get(first).filter(|_| first != at) {
                let found = Diagnostic::new(
                    Code::WrongValue,
                    entry.span,
                    "two entries accept the same finding",
                );
                faults.push(
                    found
                        .related(first.span, "the other")
                        .help("remove one of the two"),
                );
            }
        }
        Self {
            entries: entries.into_iter().map(|entry| (entry, false)).collect(),
            places,
            sources,
            faults,
            now,
        }
    }

    /// The file, for showing the faults.
    #[must_use]
    pub fn sources(&self) -> &SourceSet {
        &self.sources
    }

    /// Removes accepted findings, and returns their number. Only warnings can be accepted: a policy with an error is refused by the
    /// proxy, so hiding one would report a policy as right that is not served.
    pub fn hide(&mut self, sources: &SourceSet, diagnostics: &mut Vec<Diagnostic>) -> usize {
        let before = diagnostics.len();
        let mut identities = identities(sources, diagnostics).into_iter();
        diagnostics.retain(|found| {
            let Some(identity) = identities.next() else {
                return true;
            };
            !self.accepts(found, &identity)
        });
        before - diagnostics.len()
    }

    fn accepts(&mut self, found: &Diagnostic, identity: &Identity) -> bool {
        let at = self.places.get(identity).copied();
        let Some((entry, needed)) = at.and_then(|at| self.entries.get_mut(at)) else {
            return false;
        };
        *needed = true;
        counts(entry, self.now) && is_acceptable(found)
    }

    /// What is wrong with the file by itself. The entries concerned accept nothing.
    #[must_use]
    pub fn faults(&self) -> &[Diagnostic] {
        &self.faults
    }

    /// The entries without a reason.
    #[must_use]
    pub fn unexplained(&self) -> Vec<Diagnostic> {
        let unexplained = self.entries.iter().filter(|(entry, _)| entry.why.is_empty());
        let tell = |(entry, _): &(Accepted, bool)| {
            Diagnostic::new(Code::WrongValue, entry.why_span, "this entry has an empty `why`")
                .help("explain for later readers why the finding is accepted")
        };
        unexplained.map(tell).collect()
    }

    /// The entries that no finding needed, and those that have expired. Ask after [`Baseline::hide`]. `judged`: whether all
    /// findings of a code are known; an entry of another code may be needed.
    #[must_use]
    pub fn stale(&self, judged: &dyn Fn(Code) -> bool) -> Vec<Diagnostic> {
        let tell = |(entry, needed): &(Accepted, bool)| {
            let headline = if !needed && judged(entry.what.code) {
                format!("no finding `{}` needs this entry", entry.what.code)
            } else if !counts(entry, self.now) {
                "this entry has expired".to_owned()
            } else {
                return None;
            };
            let found = Diagnostic::new(Code::StaleBaseline, entry.span, headline);
            Some(found.help("remove it, or examine the finding again and set a new `until`"))
        };
        self.entries.iter().filter_map(tell).collect()
    }

    /// A baseline file that accepts the warnings among `diagnostics`. Entries of this baseline that are still needed keep their
    /// reasons and times; new ones have an empty `why`. Also returns the number of entries without a reason.
    ///
    /// `judged`: whether all findings of a code are known. Entries of other codes are kept, since they may be needed.
    #[must_use]
    pub fn written(
        &self,
        sources: &SourceSet,
        diagnostics: &[Diagnostic],
        judged: &dyn Fn(Code) -> bool,
    ) -> (String, usize) {
        let found = diagnostics.iter().zip(identities(sources, diagnostics));
        let mut needed: BTreeSet<Identity> = found
            .filter(|(found, _)| is_acceptable(found))
            .map(|(_, identity)| identity)
            .collect();
        let unjudged = self.places.keys().filter(|identity| !judged(identity.code));
        needed.extend(unjudged.cloned());
        let mut out = HEAD.to_owned();
        let mut unexplained = 0;
        for identity in &needed {
            let at = self.places.get(identity).copied();
            let known = at.and_then(|at| self.entries.get(at)).map(|(entry, _)| entry);
            let why = known.map_or("", |entry| entry.why.as_str());
            unexplained += usize::from(why.is_empty());
            let until = known.and_then(|entry| entry.until);
            write_entry(identity, why, until, &mut out);
        }
        (out, unexplained)
    }
}

const HEAD: &str =
    "# Findings that were accepted. Explain each one in `why`. docs/ci.md describes this file.\n";

fn write_entry(identity: &Identity, why: &str, until: Option<i64>, out: &mut String) {
    let (key, name) = (identity.subject.key(), Value::from(identity.subject.name()));
    let line = &identity.line;
    let line = if line.contains('\'') || line.contains(char::is_control) {
        Value::from(line.as_str()).to_string()
    } else {
        format!("'{line}'")
    };
    let _ = write!(
        out,
        "\n[[accepted]]\ncode = \"{}\"\n{key} = {name}\nline = {line}\nwhy = {}\n",
        identity.code,
        Value::from(why)
    );
    if let Some(until) = until.and_then(|until| Timestamp::from_millisecond(until).ok()) {
        let _ = writeln!(out, "until = {until:.0}");
    }
}

/// Whether a finding can be accepted. One that is in no line of the policy cannot: nothing would tell it from another.
fn is_acceptable(found: &Diagnostic) -> bool {
    found.severity == Severity::Warning && can_be_accepted(found.code) && found.elsewhere.is_none()
}

fn counts(entry: &Accepted, now: i64) -> bool {
    entry.until.is_none_or(|until| now < until)
}
