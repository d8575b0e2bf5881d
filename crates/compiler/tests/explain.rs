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
