//! Whatever decides, decides as the reference does: random policies, random requests, line by line.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed expectation is a test's way to fail"
)]

use proptest::prelude::*;
use tokenward_compiler::{
    BaseUrl, artifact,
    decide::{Body, Decision, DenyReason, Media, Param, Request, decide},
    ir::{LineId, Program},
    json, resolve_policy,
    source::SourceSet,
};
use tokenward_tests::{
    generate,
    reference::{self, Outcome, Place},
};

/// The outcome of the compiled program, with lines by their place in the file.
fn compiled(program: &Program, request: &reference::Request) -> (Outcome, Option<u32>) {
    let (token, _) = program.tokens().next().unwrap();
    let query: Vec<Param<'_>> = request
        .query
        .iter()
        .map(|(name, value)| Param {
            name,
            value: value.as_deref(),
        })
        .collect();
    let text = match &request.body {
        reference::Body::Json(json) => json.to_string(),
        _ => "{\"n\":".to_owned(),
    };
    let body = match &request.body {
        reference::Body::Absent => Body::Absent,
        reference::Body::Json(_) | reference::Body::Broken => Body::Unread(Media::Json),
        reference::Body::Opaque(media) => Body::Unread(*media),
    };
    let mut asked = Request {
        token,
        method: request.method,
        path: &request.path,
        query: &query,
        body,
    };
    let line = |id: LineId| program.line(id).number;
    let outcome = |decision: Decision<'_>| match decision {
        Decision::Allow(grant) => (Outcome::Allow(grant.line().map(|_| 0)), grant.line().map(line)),
        Decision::Deny(denial) if denial.reason == DenyReason::ForbidLine => {
            (Outcome::Forbid(0), denial.line.map(line))
        }
        Decision::Deny(_) => (Outcome::NoLine, None),
        Decision::NeedsBody(_) => panic!("asked for the body twice"),
    };
    match decide(program, &asked) {
        Decision::NeedsBody(wanted) => match json::read(text.as_bytes(), &wanted) {
            Ok(nodes) => {
                asked.body = Body::Read(&nodes);
                outcome(decide(program, &asked))
            }
            Err(json::ReadError::NotJson { .. }) => {
                asked.body = Body::Unreadable;
                outcome(decide(program, &asked))
            }
            Err(_) => (Outcome::Refuse, None),
        },
        decision => outcome(decision),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_program_decides_as_the_reference_does(
        file in generate::policy(),
        requests in prop::collection::vec(generate::request(), 24),
        merges in any::<bool>(),
        base in prop::sample::select(&["https://h", "https://h/ctx", "http://h.example/ctx/rest", "https://host:8443/a"][..]),
    ) {
        let sources = SourceSet::from_files([("t.toml".to_owned(), file.clone())]);
        let program = tokenward_compiler::compile(&sources).program;
        prop_assert!(program.is_some(), "{}", file);
        let unbound = program.unwrap();
        let bind = |program: &Program| program.bind(&BaseUrl::parse(base).unwrap()).unwrap().merging_body(merges);
        // As the proxy decides, without the passes, and by way of an artifact.
        let laid_out = bind(&unbound);
        let decoded = artifact::decode(&artifact::encode(&unbound));
        prop_assert!(decoded.is_ok(), "{file}\n{decoded:?}");
        let programs = [("plain", laid_out.without_layout()), ("decoded", bind(&decoded.unwrap())), ("laid out", laid_out)];
        let policy = resolve_policy(&sources);
        let token = &policy.tokens[0];
        for request in &requests {
            let expected = reference::decide(token, Place { base, merges }, request);
            let index = match expected {
                Outcome::Allow(index) => index,
                Outcome::Forbid(index) => Some(index),
                Outcome::NoLine | Outcome::Refuse => None,
            };
            let expected_line = index.map(|index| u32::try_from(sources.line_number(token.limits[index].span)).unwrap());
            for (name, program) in &programs {
                let (found, line) = compiled(program, request);
                let same_kind = std::mem::discriminant(&expected) == std::mem::discriminant(&found);
                prop_assert!(same_kind && expected_line == line,
                    "{file}\nbase {base}, merges {merges}\n{request:?}\nreference: {expected:?} {expected_line:?}\n{name} program: {found:?} {line:?}\n{program}");
            }
        }
    }
}

/// More on demand: `TOKENWARD_CASES=100000 cargo test -p tokenward-tests --test differential --release`.
fn cases() -> u32 {
    std::env::var("TOKENWARD_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(1000)
}
