//! TW0601: a policy file in a directory of tests, where it is not a part of the policy.

use toml::de::DeTable;

use crate::{
    diagnostic::{Code, Diagnostic, Elsewhere},
    source::{Source, SourceKind, SourceSet, Span, TESTS},
};

/// The keys at the top of policy files.
const POLICY_KEYS: [&str; 6] = ["token", "never", "only", "always", "reviewed", "accepted"];
/// Headings that are searched in a file that is not TOML.
const HEADINGS: [&str; 2] = ["[[token]]", "[token]"];

/// Reports policy files among the tests. They are never compiled: a review of tests must not be able to give access. So whoever
/// wrote them must learn that they have no effect.
pub(crate) fn check(sources: &SourceSet, diagnostics: &mut Vec<Diagnostic>) {
    let tests = sources
        .iter()
        .filter(|(_, source)| source.kind == SourceKind::Tests);
    for (id, source) in tests {
        let found = match (policy_by_name(source), policy_in(source)) {
            (Some(what), _) => {
                let place = Elsewhere {
                    file: sources.shown(&source.path),
                    line: 1,
                };
                found(Span::nowhere(), source, what).elsewhere(Some(place))
            }
            (None, Some((start, end, what))) => {
                let span = Span {
                    source: id,
                    start,
                    end,
                };
                found(span, source, what).label("not a part of the policy here")
            }
            (None, None) => continue,
        };
        diagnostics.push(found);
    }
}

fn found(span: Span, source: &Source, what: &str) -> Diagnostic {
    Diagnostic::new(
        Code::PolicyInTests,
        span,
        format!("`{}` has {what}, but it is in a directory `{TESTS}`", source.path),
    )
    .help(format!(
        "move it to a directory that is not named `{TESTS}`; files there hold `[[test]]` entries and give no access"
    ))
}

/// Says what a file of this name is in a policy.
fn policy_by_name(source: &Source) -> Option<&'static str> {
    let name = source.path.rsplit('/').next().unwrap_or_default();
    match name {
        "invariants.toml" => Some("the name of a file of invariants"),
        "reviewed.toml" => Some("the name of a file of reviews"),
        _ if name.ends_with(".limits") => Some("the name of a set of limit lines"),
        _ => None,
    }
}

/// The first part of the file that belongs into a policy file, as a range of bytes and in words.
fn policy_in(source: &Source) -> Option<(usize, usize, &'static str)> {
    let (root, errors) = DeTable::parse_recoverable(&source.text);
    let keys = root.get_ref().iter();
    let mut keys: Vec<_> = keys
        .filter(|(key, _)| POLICY_KEYS.contains(&key.get_ref().as_ref()))
        .map(|(key, _)| key.span())
        .collect();
    keys.sort_by_key(|span| span.start);
    if let Some(first) = keys.first() {
        let end = first.end.min(source.text.len());
        let what = match source.text.get(first.start..end) {
            Some("token") => "tokens",
            _ => "entries of a policy",
        };
        return Some((first.start.min(end), end, what));
    }
    // A file that is not TOML may have lost what it was.
    let heading = |(start, line): (usize, &str)| {
        let text = line.trim();
        let is_heading = HEADINGS.iter().any(|heading| text.starts_with(heading));
        is_heading.then(|| (start, start + line.trim_end().len(), "tokens"))
    };
    let lines = (!errors.is_empty()).then(|| lines(&source.text));
    lines.into_iter().flatten().find_map(heading)
}

/// The lines of a text, each with its first byte.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line))
    })
}
