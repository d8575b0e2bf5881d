//! What a decision looked at: it agrees with the decision, and each constraint is told by itself.
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
        Body, Decision, Media, Param, Request, decide,
        explain::{Held, explain},
        nearest::{Failed, nearest},
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

fn shown(held: Held) -> &'static str {
    match held {
        Held::No => "no",
        Held::Yes => "yes",
        Held::Unknown => "unknown",
    }
}

/// What was tried, a line each: `t.toml:9 permit no: QueryParam::a== yes`, with the values of nodes.
fn told(program: &Program, request: &Request<'_>) -> Vec<String> {
    let tried = explain(program, request);
    // Whatever decided is the first forbid line that held, else the first permit line.
    let first = |effect| {
        tried
            .iter()
            .find(|t| t.effect == effect && t.held == Held::Yes)
            .map(|t| t.line)
    };
    let held = first(Effect::Forbid).or_else(|| first(Effect::Permit));
    match decide(program, request) {
        Decision::Allow(grant) => assert_eq!(grant.line(), held),
        Decision::Deny(denial) => assert_eq!(denial.line, held),
        Decision::NeedsBody(_) => assert!(tried.iter().any(|t| t.held == Held::Unknown)),
    }
    let each = tried.iter().map(|tried| {
        let constraints = tried.constraints.iter().map(|constraint| {
            let values = constraint.node.map_or_else(String::new, |(path, values)| {
                let texts: Vec<_> = values.iter().map(|value| value.text.as_ref()).collect();
                format!(" [{path}: {}]", texts.join(" "))
            });
            format!("{} {}{values}", constraint.text, shown(constraint.held))
        });
        let number = program.line(tried.line).number;
        let effect = if tried.effect == Effect::Forbid {
            "forbid"
        } else {
            "permit"
        };
        let constraints = constraints.collect::<Vec<_>>().join(", ");
        format!("{number} {effect} {}: {constraints}", shown(tried.held))
            .trim_end()
            .to_owned()
    });
    each.collect()
}

fn check(lines: &str, query: &[(&str, &str)], body: Option<&str>, expected: &[&str]) {
    let plain = program(lines).without_layout();
    for program in [program(lines), plain] {
        let query: Vec<_> = query
            .iter()
            .map(|(name, value)| Param {
                name,
                value: Some(value),
            })
            .collect();
        let mut request = Request {
            token: program.tokens().next().unwrap().0,
            method: Method::Post,
            path: "/rest/x",
            query: &query,
            body: body.map_or(Body::Absent, |_| Body::Unread(Media::Json)),
        };
        let mut nodes = None;
        let wanted = match decide(&program, &request) {
            Decision::NeedsBody(wanted) => Some(wanted),
            _ => None,
        };
        if let Some(wanted) = &wanted {
            // Asked before the body is read, only the body is unknown.
            assert!(
                told(&program, &request)
                    .iter()
                    .any(|line| line.contains("unknown"))
            );
            nodes = json::read(body.unwrap().as_bytes(), wanted).ok();
            request.body = nodes.as_ref().map_or(Body::Unreadable, Body::Read);
        }
        assert_eq!(told(&program, &request), expected, "{lines}\n{query:?}\n{body:?}");
        drop(nodes);
    }
}

#[test]
fn constraints_on_parameters_are_told_one_by_one() {
    let lines = "[get]/rest/x\n/rest/y\n/rest/x[QueryParam::a==1][QueryParam::b!=2]\n/rest/x[QueryParam::a==1][QueryParam::only]\n/rest/x";
    check(
        lines,
        &[("a", "1"), ("b", "2")],
        None,
        &[
            "9 permit no: QueryParam::a== yes, QueryParam::b!= no",
            "10 permit no: QueryParam::a== yes, QueryParam::only no",
            "11 permit yes:",
        ],
    );
    check(
        lines,
        &[("a", "1")],
        None,
        &["9 permit yes: QueryParam::a== yes, QueryParam::b!= yes"],
    );
}

#[test]
fn ranges_types_and_the_root_are_told_as_they_are_written() {
    let lines =
        "/rest/x[JsonData::$[*].n:number|null<=5][QueryParam::d?>2018-01-01]\n/rest/x[JsonData::$==2]";
    check(
        lines,
        &[("d", "2017-01-01")],
        Some(r#"[{"n": 6}]"#),
        &[
            "7 permit no: QueryParam::d?> no, JsonData::$[*].n:number|null<= unknown",
            "8 permit no: JsonData::$== no [$: ]",
        ],
    );
}

#[test]
fn constraints_on_the_body_are_told_with_the_values_that_they_looked_at() {
    let lines = "/rest/x[JsonData::a:number==1][JsonData::f.k?=K]\n/rest/x[JsonData::a==2][JsonData::only]\n/rest/x[QueryParam::q==1]";
    check(
        lines,
        &[("q", "1")],
        Some(r#"{"a": [2, 2], "f": {"k": "J"}}"#),
        &[
            "7 permit no: JsonData::a:number== no [a: 2 2], JsonData::f.k?= no [f.k: J]",
            "8 permit no: JsonData::a== yes [a: 2 2], JsonData::only no",
            "9 permit yes: QueryParam::q== yes",
        ],
    );
    check(
        lines,
        &[],
        Some("no json"),
        &[
            "7 permit no: JsonData::a:number== no, JsonData::f.k?= no",
            "8 permit no: JsonData::a== no, JsonData::only no",
            "9 permit no: QueryParam::q== no",
        ],
    );
    check(
        lines,
        &[],
        None,
        &[
            "7 permit no: JsonData::a:number== no, JsonData::f.k?= yes",
            "8 permit no: JsonData::a== no, JsonData::only yes",
            "9 permit no: QueryParam::q== no",
        ],
    );
}

#[test]
fn a_forbid_line_that_holds_ends_it() {
    let lines = "/rest/x\n!/rest/x[JsonData::a==1]\n!/rest/x[QueryParam::q==1]";
    check(
        lines,
        &[("q", "1")],
        Some(r#"{"a": 1}"#),
        &[
            "8 forbid unknown: JsonData::a== unknown",
            "9 forbid yes: QueryParam::q== yes",
        ],
    );
    check(
        lines,
        &[],
        Some(r#"{"a": 1}"#),
        &[
            "8 forbid yes: JsonData::a== yes [a: 1]",
            "9 forbid no: QueryParam::q== no",
            "7 permit yes:",
        ],
    );
    check(
        lines,
        &[],
        Some("no json"),
        &[
            "8 forbid yes: JsonData::a== yes",
            "9 forbid no: QueryParam::q== no",
            "7 permit yes:",
        ],
    );
}

/// The nearest line of a denied request: its number, and the condition that failed.
#[track_caller]
fn nearest_of(
    program: &Program,
    method: Method,
    path: &str,
    query: &[Param<'_>],
    body: Body<'_>,
) -> (u32, String) {
    let request = Request {
        token: program.tokens().next().unwrap().0,
        method,
        path,
        query,
        body,
    };
    let found = nearest(program, &request, &explain(program, &request)).unwrap();
    let failed = match found.failed {
        Failed::Url => "url".to_owned(),
        Failed::Method(methods) => format!("method {methods}"),
        Failed::Body(media) => format!("body {media:?}"),
        Failed::Constraint(text, found) => format!("{text} {found}"),
    };
    (program.line(found.line).number, failed)
}

#[test]
fn the_nearest_line_is_the_one_that_got_furthest() {
    let lines = "[get]/rest/api/2/issue/K-\\d+\n[put]/rest/api/2/issue/.*\n/rest/x[QueryParam::a==1][QueryParam::b==2]\n/rest/x[QueryParam::a==1][QueryParam::c?=2]\n.*/other/.*";
    let plain = program(lines).without_layout();
    for program in [program(lines), plain] {
        let param = |name, value| Param {
            name,
            value: Some(value),
        };
        let of = |method, path, query: &[Param<'_>], body| nearest_of(&program, method, path, query, body);
        // The URL of a line, then its methods.
        assert_eq!(
            of(Method::Get, "/rest/api/2/issue/L-1", &[], Body::Absent),
            (8, "method PUT".into())
        );
        assert_eq!(
            of(Method::Get, "/rest/api/2/user", &[], Body::Absent),
            (7, "url".into())
        );
        assert_eq!(
            of(Method::Get, "/elsewhere", &[], Body::Absent),
            (7, "url".into())
        );
        // Of lines that match so far, the one with the fewest constraints that failed, then the first.
        assert_eq!(
            of(Method::Get, "/rest/x", &[], Body::Absent),
            (10, "QueryParam::a== nothing".into())
        );
        let query = [param("a", "1"), param("c", "9")];
        assert_eq!(
            of(Method::Get, "/rest/x", &query, Body::Absent),
            (9, "QueryParam::b== nothing".into())
        );
        let query = [param("a", "1"), param("a", "2"), param("b", "2")];
        assert_eq!(
            of(Method::Get, "/rest/x", &query, Body::Absent),
            (9, "QueryParam::a== 2 values".into())
        );
        // A form adds to the parameters.
        let form = Body::Unread(Media::Form);
        assert_eq!(of(Method::Post, "/rest/x", &query, form), (9, "body Form".into()));
    }
}

#[test]
fn the_nearest_line_is_the_same_with_and_without_an_index() {
    let mut lines: Vec<String> = (0..20)
        .map(|n| format!("[get]/rest/api/2/search[QueryParam::jql==project{n:02}][QueryParam::max?=10]"))
        .collect();
    lines.push("[get]/rest/api/2/search[QueryParam::jql==other][QueryParam::only]".to_owned());
    lines.extend((0..20).map(|n| format!("[put]/rest/api/2/issue/K{n:02}-\\d+")));
    lines.extend((0..20).map(|n| format!(".*/rest/agile/board{n:02}/.*[QueryParam::state==open]")));
    let lines = lines.join("\n");
    let (indexed, plain) = (program(&lines), program(&lines).without_layout());
    let param = |name, value| Param {
        name,
        value: Some(value),
    };
    for (path, query, expected) in [
        ("/rest/api/2/search", &[][..], (7, "QueryParam::jql== nothing")),
        (
            "/rest/api/2/search",
            &[param("jql", "x"), param("max", "10")],
            (7, "QueryParam::jql== a value"),
        ),
        (
            "/rest/api/2/search",
            &[param("jql", "x"), param("max", "9")],
            (7, "QueryParam::jql== a value"),
        ),
        (
            "/rest/api/2/search",
            &[param("jql", "other"), param("max", "9")],
            (27, "QueryParam::only a name that the line does not have"),
        ),
        (
            "/rest/api/2/search",
            &[param("jql", "project07"), param("max", "9")],
            (14, "QueryParam::max?= a value"),
        ),
        ("/rest/api/2/issue/K07-3", &[], (35, "method PUT")),
        ("/rest/api/2/issue/K07-x", &[], (35, "url")),
        (
            "/x/rest/agile/board11/sprint",
            &[param("state", "closed")],
            (59, "QueryParam::state== a value"),
        ),
    ] {
        for program in [&indexed, &plain] {
            let found = nearest_of(program, Method::Get, path, query, Body::Absent);
            assert_eq!(found, (expected.0, expected.1.to_owned()), "{path} {query:?}");
        }
    }
}
