//! The comparison of a request with every line of its token: it agrees with the decision, and names the part that failed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed expectation is a test's way to fail"
)]

use tokenward_compiler::{
    BaseUrl,
    ast::Effect,
    compile,
    decide::{
        Body, Decision, Media, Param, Request,
        compare::{Failed, compare},
        decide,
    },
    diagnostic::render_text,
    ir::Program,
    json,
    method::Method,
    source::SourceSet,
};

fn program(lines: &str) -> Program {
    let file = format!(
        "[[token]]\nname = \"t\"\nuser = \"u\"\nexpires = 2030-01-01T00:00:00Z\nsecret_hash = \"sha256:{}\"\nlimit_to = '''\n{lines}\n'''\n",
        "00".repeat(32)
    );
    let sources = SourceSet::from_files([("t.toml".to_owned(), file)]);
    let compilation = compile(&sources);
    let text = render_text(&sources, &compilation.diagnostics, false);
    let program = compilation.program.expect(&text);
    program
        .bind(&BaseUrl::parse("https://jira.example.com").unwrap())
        .unwrap()
}

fn parameters<'a>(query: &[(&'a str, &'a str)]) -> Vec<Param<'a>> {
    let pairs = query.iter().map(|(name, value)| Param {
        name,
        value: Some(value),
    });
    pairs.collect()
}

/// Decides with the whole body, as a proxy does.
fn decided(program: &Program, request: Request<'_>, bytes: &[u8]) -> Result<(), Option<u32>> {
    let mut nodes = None;
    let decision = match decide(program, &request) {
        Decision::NeedsBody(wanted) => {
            nodes = match json::read(bytes, &wanted) {
                _ if bytes.is_empty() => Some(json::Nodes::empty_object(&wanted)),
                read => read.ok(),
            };
            let body = nodes.as_ref().map_or(Body::Unreadable, Body::Read);
            decide(program, &Request { body, ..request })
        }
        decision => decision,
    };
    let decided = match decision {
        Decision::Allow(_) => Ok(()),
        Decision::Deny(denial) => Err(denial.line.map(|line| program.line(line).number)),
        Decision::NeedsBody(_) => panic!("the body was read"),
    };
    drop(nodes);
    decided
}

/// The first part of each line that failed: `9 url`, `10 ok`.
fn told(program: &Program, request: &Request<'_>, effect: Effect, bytes: &[u8]) -> Vec<String> {
    let lines = compare(program, request, effect, bytes).into_iter();
    let told = lines.map(|compared| {
        let number = program.line(compared.line).number;
        match compared.failed {
            None => format!("{number} ok"),
            Some(Failed::Method(methods)) => format!("{number} method {methods}"),
            Some(Failed::Url) => format!("{number} url"),
            Some(Failed::Constraint { text, met }) => {
                let values: Vec<_> = met.values.iter().map(|(_, text)| text.as_str()).collect();
                let mut flags = String::new();
                for (name, set) in [
                    ("absent", met.is_absent()),
                    ("object", met.object),
                    ("misfit", met.misfit),
                    ("lacking", met.lacking),
                ] {
                    if set {
                        flags.push_str(&format!(" {name}"));
                    }
                }
                format!("{number} {text} [{}]{flags}", values.join(" "))
            }
            Some(Failed::Body(media)) => format!("{number} body {media:?}"),
            Some(Failed::NotJson(_)) => format!("{number} not json"),
            Some(Failed::Merged) => format!("{number} merged"),
        }
    });
    told.collect()
}

const LINES: &str = r#"[get]/rest/x
/rest/y
/rest/x[QueryParam::a==1][QueryParam::b!=2]
/rest/x[QueryParam::a==1][QueryParam::only]
/rest/x[JsonData::f.k==K][JsonData::n:number==1]
/rest/x[JsonData::k[*].a==1]
/rest/x[JsonData::f.k==K][JsonData::only]"#;

#[test]
fn the_first_part_that_failed_is_named_with_what_it_met() {
    let check = |query: &[(&str, &str)], body: Option<(Media, &str)>, expected: &[&str]| {
        let program = program(LINES);
        let query = parameters(query);
        let request = Request {
            token: program.tokens().next().unwrap().0,
            method: Method::Post,
            path: "/rest/x",
            query: &query,
            body: body.map_or(Body::Absent, |(media, _)| Body::Unread(media)),
        };
        let bytes = body.map_or("", |(_, text)| text).as_bytes();
        assert_eq!(
            told(&program, &request, Effect::Permit, bytes),
            expected,
            "{query:?} {body:?}"
        );
    };
    let json = |text| Some((Media::Json, text));
    check(
        &[("a", "2"), ("c", "3")],
        json(r#"{"f": {"k": "K"}, "n": "1", "k": [{"a": 1}, {}]}"#),
        &[
            "7 method GET",
            "8 url",
            "9 QueryParam::a== [2]",
            "10 QueryParam::a== [2]",
            "11 JsonData::n:number== [1]",
            "12 JsonData::k[*].a== [1] lacking",
            "13 JsonData::only [n k]",
        ],
    );
    check(
        &[("a", "1"), ("c", "3"), ("b", "2")],
        json(r#"{"f": {"k": {}}, "k": 1}"#),
        &[
            "7 method GET",
            "8 url",
            "9 QueryParam::b!= [2]",
            "10 QueryParam::only [c b]",
            "11 JsonData::f.k== [] object",
            "12 JsonData::k[*].a== [] misfit",
            "13 JsonData::f.k== [] object",
        ],
    );
    check(
        &[],
        Some((Media::Form, "f=1")),
        &[
            "7 method GET",
            "8 url",
            "9 body Form",
            "10 body Form",
            "11 body Form",
            "12 body Form",
            "13 body Form",
        ],
    );
    check(
        &[],
        Some((Media::Other, "x")),
        &[
            "7 method GET",
            "8 url",
            "9 QueryParam::a== [] absent",
            "10 QueryParam::a== [] absent",
            "11 body Other",
            "12 body Other",
            "13 body Other",
        ],
    );
    check(
        &[],
        json("{"),
        &[
            "7 method GET",
            "8 url",
            "9 QueryParam::a== [] absent",
            "10 QueryParam::a== [] absent",
            "11 not json",
            "12 not json",
            "13 not json",
        ],
    );
}

/// For every request, a line that matches is named by the decision, and without one the decision is "no line".
#[test]
fn a_line_without_a_failed_part_is_one_that_decides() {
    let lines = format!("{LINES}\n![delete]/rest/x\n!/rest/x[JsonData::f.k==L]\n!/rest/x[QueryParam::z==1]");
    let bodies = [
        None,
        Some((Media::Json, "")),
        Some((Media::Json, "{}")),
        Some((Media::Json, "{")),
        Some((Media::Json, r#"{"f": {"k": "K"}, "n": 1}"#)),
        Some((Media::Json, r#"{"f": {"k": "K"}}"#)),
        Some((Media::Json, r#"{"f": {"k": ["K", "L"]}}"#)),
        Some((Media::Json, r#"{"k": [{"a": 1}]}"#)),
        Some((Media::Json, r#"{"a": 1, "q": 2}"#)),
        Some((Media::Form, "a=1")),
        Some((Media::Multipart, "")),
        Some((Media::Other, "{}")),
    ];
    let queries: [&[(&str, &str)]; 5] = [
        &[],
        &[("a", "1")],
        &[("a", "1"), ("b", "2")],
        &[("f", "1")],
        &[("z", "1"), ("a", "1")],
    ];
    let mut seen = [0, 0, 0];
    for program in [
        program(&lines),
        program(&lines).without_layout(),
        program(&lines).merging_body(true),
    ] {
        for method in [Method::Get, Method::Post, Method::Delete, Method::Other] {
            for path in ["/rest/x", "/rest/y", "/rest/z"] {
                for query in queries {
                    for body in bodies {
                        let query = parameters(query);
                        let request = Request {
                            token: program.tokens().next().unwrap().0,
                            method,
                            path,
                            query: &query,
                            body: body.map_or(Body::Absent, |(media, _)| Body::Unread(media)),
                        };
                        let bytes = body.map_or("", |(_, text)| text).as_bytes();
                        let matched = |effect| -> Vec<u32> {
                            let compared = compare(&program, &request, effect, bytes);
                            let matched = compared.iter().filter(|line| line.failed.is_none());
                            matched.map(|line| program.line(line.line).number).collect()
                        };
                        let (forbid, permit) = (matched(Effect::Forbid), matched(Effect::Permit));
                        let agrees = match decided(&program, request, bytes) {
                            Ok(()) => forbid.is_empty() && !permit.is_empty(),
                            Err(None) => forbid.is_empty() && permit.is_empty(),
                            // Of several, one that needs no body is found first.
                            Err(Some(line)) => forbid.contains(&line),
                        };
                        assert!(
                            agrees,
                            "{method:?} {path} {query:?} {body:?}: {forbid:?} {permit:?}"
                        );
                        seen[if forbid.is_empty() {
                            usize::from(!permit.is_empty())
                        } else {
                            2
                        }] += 1;
                    }
                }
            }
        }
    }
    assert!(seen.iter().all(|count| *count > 20), "{seen:?}");
}
