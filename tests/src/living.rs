//! Generated policies without the forbid lines that the compiler refuses as dead (TW0026), each of which is held against the
//! reference first: what is claimed to forbid nothing has to forbid nothing.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{LazyLock, Mutex, PoisonError},
};

use proptest::{strategy::Strategy, strategy::ValueTree, test_runner::TestRunner};
use tokenward_compiler::{
    compile,
    decide::Media,
    diagnostic::{Code, Diagnostic, Severity},
    method::Method,
    parse::parse_line,
    policy::Token,
    resolve_policy,
    source::{SourceSet, Span},
};

use crate::{
    generate, property,
    reference::{self, Body, Outcome, Place, Request},
    small,
};

/// What stands for lines that are all dead. No generated request matches it.
pub const NOTHING: &str = "/nothing/of/the/kind";

/// A value that no request has.
const NEVER_SENT: &str = "never-sent";
const OPENING: &str = "limit_to = '''\n";

/// The lines without those that are refused as dead, and in an unrestricted token without permit lines (TW0028).
///
/// # Panics
/// A line is refused for another reason, or the reference has a line match that is called dead.
#[must_use]
pub fn lines(lines: &[String], unrestricted: bool) -> Vec<String> {
    match living(lines, unrestricted) {
        Ok(lines) => lines,
        Err(found) => panic!("what is generated compiles: {found:?}\n{lines:?}"),
    }
}

/// A token file of [`generate::token_file`] without the lines that are refused as dead; unchanged if it has other errors.
///
/// # Panics
/// The reference has a line match that is called dead.
#[must_use]
pub fn file(file: &str) -> String {
    let parts = file.split_once(OPENING);
    let Some((head, (written, tail))) =
        parts.and_then(|(head, rest)| Some((head, rest.split_once("\n'''")?)))
    else {
        return file.to_owned();
    };
    let written: Vec<String> = written.split('\n').map(str::to_owned).collect();
    match living(&written, head.contains("unrestricted = true")) {
        Ok(lines) => format!("{head}{OPENING}{}\n'''{tail}", lines.join("\n")),
        Err(_) => file.to_owned(),
    }
}

fn living(lines: &[String], unrestricted: bool) -> Result<Vec<String>, Vec<Diagnostic>> {
    let text = generate::token_file(lines, false);
    let (head, _) = text.split_once(OPENING).expect("the lines of a token");
    let first = head.matches('\n').count() + 2;
    let sources = SourceSet::from_files([("t.toml".to_owned(), text.clone())]);
    let mut errors = compile(&sources).diagnostics;
    errors.retain(|found| found.severity == Severity::Error);
    if errors.iter().any(|found| found.code != Code::DeadForbid) {
        return Err(errors);
    }
    let mut dead = BTreeSet::new();
    for found in &errors {
        let span = found.primary.span;
        let at = sources.line_number(span).checked_sub(first);
        let at = at.expect("a place among the lines");
        let line = lines.get(at).expect("a place among the lines");
        let part = sources.text(span);
        assert!(line.starts_with('!'), "{line} is no forbid line: {found:?}");
        assert!(line.contains(part), "{part} is not of {line}");
        if found.headline.contains("of this constraint") {
            let before: usize = text
                .split('\n')
                .take(first - 1 + at)
                .map(|line| line.len() + 1)
                .sum();
            holds(line, &of_one_value(line, part, span.start - before), found);
        } else {
            holds(line, part, found);
        }
        dead.insert(at);
    }
    let kept = lines.iter().enumerate().filter(|(at, _)| !dead.contains(at));
    let mut kept: Vec<String> = kept.map(|(_, line)| line.clone()).collect();
    if unrestricted {
        kept.retain(|line| line.starts_with('!'));
    } else if kept.is_empty() {
        kept.push(NOTHING.to_owned());
    }
    Ok(kept)
}

/// The constraint that has an alternative at a place of the line, with this alternative for its value. A `null` that it lists
/// would hold without a match.
fn of_one_value(line: &str, alternative: &str, at: usize) -> String {
    let sources = SourceSet::from_files([("l.limits".to_owned(), line.to_owned())]);
    let (source, _) = sources.iter().next().expect("the one file");
    let whole = Span {
        source,
        start: 0,
        end: line.len(),
    };
    let limit = parse_line(line, whole).expect("a line that parses");
    let spans = limit.constraints.iter().map(|constraint| constraint.span);
    let span = spans.into_iter().find(|span| span.start <= at && at < span.end);
    let constraint = sources.text(span.expect("a constraint at the place"));
    let test = constraint.find("==").or_else(|| constraint.find("?="));
    let subject = constraint.split_at(test.expect("an operator")).0;
    let subject = subject.replace("|null", "").replace("null|", "");
    format!("{subject}=={alternative}]")
}

/// Holds the claim that a line is dead against the reference.
fn holds(line: &str, part: &str, found: &Diagnostic) {
    static HELD: LazyLock<Mutex<HashSet<(String, String)>>> = LazyLock::new(Mutex::default);
    let claim = match constraint(part) {
        Some(_) => (String::new(), part.to_owned()),
        None => (line.to_owned(), part.to_owned()),
    };
    if HELD
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .contains(&claim)
    {
        return;
    }
    match constraint(part) {
        Some(subject) => meets_nothing(line, part, subject),
        None if found.headline.contains("the alternative") => {
            let forbid = line.replacen(url_of(line, part), part, 1);
            matches_nothing(&forbid, line);
        }
        None => matches_nothing(line, line),
    }
    HELD.lock().unwrap_or_else(PoisonError::into_inner).insert(claim);
}

/// What stands before the `==` of a constraint with that operator.
fn constraint(part: &str) -> Option<&str> {
    if !part.starts_with("[JsonData::") && !part.starts_with("[QueryParam::") {
        return None;
    }
    let at = part.find(['=', '<', '>', '!', '?'])?;
    let (subject, test) = part.split_at(at);
    test.starts_with("==").then_some(subject)
}

/// The URL regexp, of which `part` is an alternative at the top.
fn url_of<'l>(line: &'l str, part: &str) -> &'l str {
    let constraints = line
        .find("[JsonData::")
        .into_iter()
        .chain(line.find("[QueryParam::"));
    let before = line
        .split_at(constraints.min().unwrap_or(line.len()))
        .0
        .trim_end();
    let before = before.trim_start_matches('!');
    let url = match before.split_once(']') {
        Some((methods, url)) if generate::METHODS.contains(&format!("{methods}]").as_str()) => {
            url.trim_start()
        }
        _ => before,
    };
    assert!(
        url.contains(part) && part.starts_with('/') == url.starts_with('/'),
        "no check of {part} by itself in {line}"
    );
    url
}

/// No readable value of the right types meets a constraint that is said to forbid nothing. (A forbid line errs on the side of
/// denying: it still matches what cannot be read, and a matching value of another type.)
fn meets_nothing(line: &str, part: &str, subject: &str) {
    let forbid = token(&format!("!/.*{part}"));
    let permit = token(&format!("/.*{part}"));
    let readable = token(&format!("/.*{subject}!={NEVER_SENT}]"));
    // A value with the base URL is never called dead, so one base stands for all.
    let base = property::BASES.first().expect("a base");
    for place in [false, true].map(|merges| Place { base, merges }) {
        for request in BODIES.iter().chain(SAMPLES.iter()) {
            let permitted = reference::decide(&permit, place, request);
            assert!(
                !matches!(permitted, Outcome::Allow(Some(_))),
                "{line} is called dead for {part}, which is met by {request:?} at {place:?}"
            );
            let is_readable = matches!(
                reference::decide(&readable, place, request),
                Outcome::Allow(Some(_))
            );
            assert!(
                !is_readable || !is_forbidden(&forbid, place, request),
                "{line} is called dead for {part}, which forbids {request:?} at {place:?}"
            );
        }
    }
}

/// No request matches a forbid line.
fn matches_nothing(forbid: &str, line: &str) {
    let token = token(forbid);
    let limit = token.limits.first().expect("the one line");
    let methods = generate::REQUEST_METHODS
        .iter()
        .map(|name| Method::from_token(name));
    let method = methods.into_iter().find(|method| limit.methods.contains(*method));
    // A form matches whatever the line asks of query and body.
    let forms = PATHS.iter().filter_map(|path| {
        Some(Request {
            method: method?,
            path: path.clone(),
            query: Vec::new(),
            body: Body::Opaque(Media::Form),
        })
    });
    let forms: Vec<Request> = forms.collect();
    assert!(!forms.is_empty(), "{line} has a method of the generator");
    // The paths take turns with the bases: each regexp is compiled anew for each question.
    for (request, base) in forms
        .iter()
        .chain(SAMPLES.iter())
        .zip(property::BASES.iter().cycle())
    {
        let place = Place { base, merges: false };
        assert!(
            !is_forbidden(&token, place, request),
            "{line} is called dead and forbids {request:?} at {place:?}"
        );
    }
}

fn is_forbidden(token: &Token, place: Place<'_>, request: &Request) -> bool {
    matches!(reference::decide(token, place, request), Outcome::Forbid(_))
}

fn token(line: &str) -> Token {
    let file = generate::token_file(&[line.to_owned()], false);
    let sources = SourceSet::from_files([("t.toml".to_owned(), file)]);
    let token = resolve_policy(&sources).tokens.remove(0);
    assert_eq!(token.limits.len(), 1, "{line} does not parse");
    token
}

/// Every small path, and those of the generator.
static PATHS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let starts = generate::PATH_STARTS.iter();
    let generated =
        starts.flat_map(|start| generate::PATH_ENDS.iter().map(move |end| format!("{start}{end}")));
    small::requests()
        .map(|request| request.as_reference().path)
        .chain(generated)
        .collect()
});

/// Every small body, and every small query, with one path.
static BODIES: LazyLock<Vec<Request>> = LazyLock::new(|| {
    small::requests()
        .map(|request| request.as_reference())
        .filter(|request| request.path == "/a" && (request.query.is_empty() || request.body == Body::Absent))
        .collect()
});

/// Requests at random, the same in every run.
static SAMPLES: LazyLock<Vec<Request>> = LazyLock::new(|| {
    let mut runner = TestRunner::deterministic();
    let requests = generate::request();
    (0..64)
        .filter_map(|_| Some(requests.new_tree(&mut runner).ok()?.current()))
        .collect()
});
