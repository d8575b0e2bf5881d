//! The analysis against brute force: what it says of two policies is held against the reference evaluator on sampled
//! requests, and every witness is judged by it.

#![expect(clippy::expect_used, clippy::panic, reason = "what fails here fails the test")]

use proptest::{prelude::*, sample::select};
use tokenward_compiler::{
    BaseUrl,
    analysis::{self, Analysis, Comparison, Difference, RequestBody, Universe},
    compile,
    decide::{self, Decision, Media, Param},
    ir::Program,
    json::{self, ReadError},
    method::Method,
    policy::Token,
    resolve_policy,
    source::SourceSet,
};
use tokenward_tests::{
    generate,
    reference::{self, Body, Json, Outcome, Place},
};

/// One policy in both forms.
struct Policy {
    program: Program,
    token: Token,
    file: String,
}

impl Policy {
    fn new(lines: &[String], unrestricted: bool, place: Place<'_>) -> Self {
        let file = generate::token_file(lines, unrestricted);
        let sources = SourceSet::from_files([("t.toml".to_owned(), file.clone())]);
        let program = compile(&sources).program.expect("what is generated compiles");
        let base = BaseUrl::parse(place.base).expect("a base URL");
        let program = program.bind(&base).expect("binds").merging_body(place.merges);
        let token = resolve_policy(&sources).tokens.remove(0);
        Self { program, token, file }
    }

    fn allows(&self, place: Place<'_>, request: &reference::Request) -> Option<bool> {
        match reference::decide(&self.token, place, request) {
            Outcome::Allow(_) => Some(true),
            Outcome::Forbid(_) | Outcome::NoLine => Some(false),
            Outcome::Refuse => None,
        }
    }
}

fn compare(old: &Policy, new: &Policy, universe: Universe) -> Comparison {
    let token = |policy: &Policy| policy.program.tokens().next().map(|(id, _)| id);
    let mut analysis = Analysis::new(&old.program, &new.program, universe, 100_000).expect("starts");
    match analysis.compare(token(old), token(new)) {
        Ok(comparison) => comparison,
        Err(fault) => panic!("{fault}\n{}\n{}", old.file, new.file),
    }
}

fn json(json: &analysis::Json) -> Json {
    match json {
        analysis::Json::Literal(text) => match text.as_str() {
            "null" => Json::Null,
            "true" => Json::Boolean(true),
            "false" => Json::Boolean(false),
            digits => Json::Number(digits.to_owned()),
        },
        analysis::Json::String(text) => Json::String(text.clone()),
        analysis::Json::Array(elements) => Json::Array(elements.iter().map(self::json).collect()),
        analysis::Json::Object(members) => Json::Object(
            members
                .iter()
                .map(|(name, value)| (name.clone(), self::json(value)))
                .collect(),
        ),
    }
}

fn as_reference(request: &analysis::Request) -> reference::Request {
    reference::Request {
        method: request.method,
        path: request.path.clone(),
        query: request
            .query
            .iter()
            .map(|(name, value)| (name.clone(), Some(value.clone())))
            .collect(),
        body: match &request.body {
            RequestBody::Absent => Body::Absent,
            RequestBody::Json(value) => Body::Json(json(value)),
            RequestBody::Form => Body::Opaque(Media::Form),
            RequestBody::Other => Body::Opaque(Media::Other),
            RequestBody::Broken => Body::Broken,
        },
    }
}

/// What holds of one direction.
fn holds(
    difference: &Difference,
    more: &Policy,
    less: &Policy,
    place: Place<'_>,
    samples: &[reference::Request],
) -> Result<(), TestCaseError> {
    for finding in &difference.findings {
        let request = as_reference(&finding.witness);
        prop_assert!(
            more.allows(place, &request) == Some(true) && less.allows(place, &request) == Some(false),
            "{} does not tell apart\n{}\n{}",
            finding.witness,
            more.file,
            less.file
        );
    }
    if difference.is_none() {
        for request in samples {
            prop_assert!(
                !(more.allows(place, request) == Some(true) && less.allows(place, request) == Some(false)),
                "missed {request:?}\n{}\n{}",
                more.file,
                less.file
            );
        }
    }
    Ok(())
}

/// Whether the request is in the universe that the analysis was told.
fn possible(universe: Universe, request: &reference::Request) -> bool {
    let bodiless = matches!(request.method, Method::Get | Method::Head) && !universe.get_body;
    (!bodiless || request.body == Body::Absent)
        && (!universe.canonical_paths || !request.path.chars().any(char::is_control))
}

/// Two policies that have most lines in common, as a change has them, or none.
fn change() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    let lines = || prop::collection::vec(generate::line(), 0..3);
    (lines(), lines(), lines()).prop_map(|(common, old, new)| {
        let with = |own: Vec<String>| {
            let mut lines = common.clone();
            lines.extend(own);
            if lines.is_empty() {
                lines.push("/b".to_owned());
            }
            lines
        };
        (with(old), with(new))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sampled_request_contradicts_the_analysis(
        (old, new) in change(),
        unrestricted in (prop::bool::weighted(0.1), prop::bool::weighted(0.1)),
        samples in prop::collection::vec(generate::request(), 32),
        merges in any::<bool>(),
        base in prop::sample::select(&["https://h", "https://h/ctx", "http://h.example/ctx/rest"][..]),
        universe in (any::<bool>(), any::<bool>()).prop_map(|(canonical_paths, get_body)| Universe { canonical_paths, get_body }),
    ) {
        let place = Place { base, merges };
        let (old, new) = (Policy::new(&old, unrestricted.0, place), Policy::new(&new, unrestricted.1, place));
        let samples: Vec<_> = samples.into_iter().filter(|request| possible(universe, request)).collect();
        let there = compare(&old, &new, universe);
        holds(&there.newly_allowed, &new, &old, place, &samples)?;
        holds(&there.newly_denied, &old, &new, place, &samples)?;
        let back = compare(&new, &old, universe);
        if there.newly_allowed.inconclusive.is_none() && back.newly_denied.inconclusive.is_none() {
            prop_assert_eq!(there.newly_allowed.is_none(), back.newly_denied.is_none());
        }
        prop_assert!(compare(&old, &old, universe).is_equivalent());
        prop_assert!(compare(&new, &new, universe).is_equivalent());
    }
}

/// A line over few words, so that all requests that matter can be counted up.
fn small_line() -> impl Strategy<Value = String> {
    let url = select(
        &[
            "/a", "/b", "/[ab]", "/.*", "/a*", "/(a|b)*", "/a/.*", "/a(/b)?", "/[^/]", "/.*b", "/a+b*",
            "/a{2}",
        ][..],
    );
    let methods = select(&["", "", "[post]", "[get]", "[get,post]"][..]);
    let value = || select(&["a", "b", "a|b", ".*", "", "1", "a*", ".", "[^a]*", "true"][..]);
    let operator = || select(&["==", "!=", "?="][..]);
    let query = (select(&["n", "m"][..]), operator(), value())
        .prop_map(|(name, operator, value)| format!("[QueryParam::{name}{operator}{value}]"));
    let kind = select(&["", "", ":string", ":number"][..]);
    let path = select(&["n", "l[*]", "o.n", "l", "l[*].n", "o"][..]);
    let body = (path, kind, operator(), value())
        .prop_map(|(path, kind, operator, value)| format!("[JsonData::{path}{kind}{operator}{value}]"));
    let only = select(
        &[
            "[QueryParam::only]",
            "[JsonData::only]",
            "[JsonData::o.only]",
            "[JsonData::l[*].only]",
        ][..],
    )
    .prop_map(str::to_owned);
    let constraints = prop::collection::vec(prop_oneof![4 => query, 6 => body, 1 => only], 0..3);
    (prop::bool::weighted(0.25), methods, url, constraints).prop_map(
        |(forbid, methods, url, mut constraints)| {
            if forbid {
                constraints.retain(|constraint| !constraint.contains("only"));
            }
            format!(
                "{}{methods}{url}{}",
                if forbid { "!" } else { "" },
                constraints.concat()
            )
        },
    )
}

/// Every path of up to five of these characters that the proxy accepts.
fn small_paths() -> Vec<String> {
    let mut paths = vec!["/".to_owned()];
    let mut longest = paths.clone();
    for _ in 0..3 {
        longest = longest
            .iter()
            .flat_map(|path| ["a", "b", "/", "c"].map(|more| format!("{path}{more}")))
            .collect();
        paths.extend(longest.iter().filter(|path| !path.contains("//")).cloned());
    }
    paths
}

const SMALL_QUERIES: &[&[(&str, &str)]] = &[
    &[],
    &[("n", "")],
    &[("n", "a")],
    &[("n", "b")],
    &[("n", "a"), ("n", "b")],
    &[("m", "a")],
    &[("n", "1"), ("m", "b")],
    &[("x", "a")],
    &[("n[x]", "a")],
    &[("l", "a"), ("n", "a")],
];

const SMALL_BODIES: &[&str] = &[
    "{}",
    "[]",
    "{\"n\": \"a\"}",
    "{\"n\": \"b\"}",
    "{\"n\": 1}",
    "{\"n\": 1.0}",
    "{\"n\": []}",
    "{\"n\": [\"a\", \"b\"]}",
    "{\"n\": {}}",
    "{\"n\": null}",
    "{\"n\": true}",
    "{\"l\": []}",
    "{\"l\": [\"a\"]}",
    "{\"l\": [\"a\", 1]}",
    "{\"l\": [[\"b\"], {}]}",
    "{\"l\": \"a\"}",
    "{\"l\": [{\"n\": \"a\"}]}",
    "{\"l\": [{\"n\": \"a\"}, {\"n\": \"b\"}]}",
    "{\"l\": [{\"n\": \"a\"}, {}]}",
    "{\"l\": [{\"x\": 1}]}",
    "{\"l\": [{\"n\": \"a\"}, \"a\"]}",
    "{\"o\": {}}",
    "{\"o\": {\"n\": \"a\"}}",
    "{\"o\": {\"n\": \"b\", \"x\": 1}}",
    "{\"o\": [{\"n\": \"a\"}]}",
    "{\"o\": \"a\", \"x\": 1}",
    "{\"n\": \"a\", \"o\": {\"n\": \"a\"}, \"l\": [\"a\"]}",
    "{\"l\": {\"n\": \"a\"}}",
    "{",
    "form",
    "other",
];

/// What the program itself says; `None` for bodies that it refuses to judge.
fn allowed(
    program: &Program,
    method: Method,
    path: &str,
    query: &[Param<'_>],
    body: Option<&str>,
) -> Option<bool> {
    let (token, _) = program.tokens().next()?;
    let unread = match body {
        None => decide::Body::Absent,
        Some("form") => decide::Body::Unread(Media::Form),
        Some("other") => decide::Body::Unread(Media::Other),
        Some(_) => decide::Body::Unread(Media::Json),
    };
    let mut request = decide::Request {
        token,
        method,
        path,
        query,
        body: unread,
    };
    let nodes;
    if let Decision::NeedsBody(wanted) = decide::decide(program, &request) {
        request.body = match json::read(body.unwrap_or_default().as_bytes(), &wanted) {
            Ok(read) => {
                nodes = read;
                decide::Body::Read(&nodes)
            }
            Err(ReadError::NotJson { .. }) => decide::Body::Unreadable,
            Err(_) => return None,
        };
        return Some(matches!(decide::decide(program, &request), Decision::Allow(_)));
    }
    Some(matches!(decide::decide(program, &request), Decision::Allow(_)))
}

/// Calls back for each small request that the one allows and the other denies.
fn each_difference(more: &Policy, less: &Policy, mut found: impl FnMut(String)) {
    let bodies = || std::iter::once(None).chain(SMALL_BODIES.iter().copied().map(Some));
    for path in small_paths() {
        for query in SMALL_QUERIES {
            let query: Vec<Param<'_>> = query
                .iter()
                .map(|(name, value)| Param {
                    name,
                    value: Some(value),
                })
                .collect();
            for (method, body) in bodies()
                .map(|body| (Method::Post, body))
                .chain([(Method::Get, None)])
            {
                let asked = |policy: &Policy| allowed(&policy.program, method, &path, &query, body);
                if asked(more) == Some(true) && asked(less) == Some(false) {
                    found(format!("{method:?} {path} {query:?} {body:?}"));
                    return;
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases() / 4, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_small_request_contradicts_the_analysis(
        old in prop::collection::vec(small_line(), 1..4),
        new in prop::collection::vec(small_line(), 1..4),
        merges in prop::bool::weighted(0.3),
    ) {
        let place = Place { base: "https://h", merges };
        let (old, new) = (Policy::new(&old, false, place), Policy::new(&new, false, place));
        let comparison = compare(&old, &new, Universe::default());
        for (difference, more, less) in [(&comparison.newly_allowed, &new, &old), (&comparison.newly_denied, &old, &new)] {
            holds(difference, more, less, place, &[])?;
            let mut missed = None;
            if difference.is_none() {
                each_difference(more, less, |request| missed = Some(request));
            }
            prop_assert!(missed.is_none(), "missed {:?}\n{}\n{}", missed, more.file, less.file);
        }
    }
}

/// More on demand: `TOKENWARD_CASES=100000 cargo test -p tokenward-tests --test analysis --release`.
fn cases() -> u32 {
    std::env::var("TOKENWARD_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(1000)
}
