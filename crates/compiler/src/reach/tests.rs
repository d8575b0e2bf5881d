//! The survey agrees with decisions about generated calls of each operation.

mod newly;

use proptest::prelude::*;

use super::*;
use crate::{
    BaseUrl,
    analysis::{Budget, Json, Request, RequestBody, Universe, token_allows},
    compile,
    ir::{Program, TokenId},
    method::Method,
    source::SourceSet,
};

const VALUES: [&str; 7] = ["1", "42", "KANBAN-1", "KANBAN-22", "HR-7", "a", "~x"];

fn base() -> BaseUrl {
    BaseUrl::parse("https://jira.example.com").unwrap()
}

fn literal(text: &str) -> Segment {
    Segment(vec![Piece::Literal(text.to_owned())])
}

fn parameter(name: &str, values: Values) -> Piece {
    Piece::Parameter {
        name: name.to_owned(),
        values,
        examples: Vec::new(),
    }
}

fn operation(method: Method, path: &str, segments: Vec<Segment>) -> Operation {
    Operation {
        name: String::new(),
        method,
        path: path.to_owned(),
        bases: vec![vec![literal("rest"), literal("api")]],
        segments,
    }
}

/// Operations with parameters of each kind.
fn operations() -> Vec<Operation> {
    let key = || Segment(vec![parameter("key", Values::Any)]);
    let id = || Segment(vec![parameter("id", Values::Pattern("^[0-9]+$".to_owned()))]);
    let format = Values::OneOf(vec!["csv".to_owned(), "json".to_owned()]);
    let export = Segment(vec![
        Piece::Literal("export.".to_owned()),
        parameter("format", format),
    ]);
    vec![
        operation(Method::Get, "/issue/{key}", vec![literal("issue"), key()]),
        operation(Method::Delete, "/issue/{key}", vec![literal("issue"), key()]),
        operation(
            Method::Get,
            "/issue/{key}/comment/{id}",
            vec![literal("issue"), key(), literal("comment"), id()],
        ),
        operation(Method::Get, "/search", vec![literal("search")]),
        operation(Method::Post, "/search", vec![literal("search")]),
        operation(Method::Get, "/export.{format}", vec![export]),
        operation(
            Method::Get,
            "/files/{path}",
            vec![literal("files"), Segment(vec![parameter("path", Values::Path)])],
        ),
    ]
}

/// Lines that meet these operations in every way.
const LINES: [&str; 20] = [
    "[get]/rest/api/issue/KANBAN-[0-9]+",
    "[get]/rest/api/issue/[^/]+",
    "[get,delete]/rest/api/issue/.*",
    "/rest/api/.*",
    "[get]/rest/api/issue/.*/comment/[0-9]+",
    "[get]/rest/api/issue/KANBAN-1/comment/.*",
    "[get]/rest/api/search[QueryParam::jql==project = KANBAN]",
    "[post]/rest/api/search[JsonData::jql==project = KANBAN]",
    "[get,post]/rest/api/search",
    "[get]/rest/api/export.csv",
    "[get]/rest/api/export.(csv|json)",
    "[get]/rest/api/files/a.*",
    "[get]/rest/api/files/.*/.*",
    "[get]/other/.*",
    "!/rest/api/issue/HR-.*",
    "![delete]/rest/api/.*",
    "!/rest/api/issue/KANBAN-1",
    "!/rest/api/search[QueryParam::jql==project = KANBAN]",
    "!/rest/api/files/.*",
    "!/rest/api/.*/comment/4.*",
];

fn program(tokens: &[Vec<&str>]) -> Program {
    let mut file = String::new();
    for (at, lines) in tokens.iter().enumerate() {
        let hash = format!("{at:064x}");
        file.push_str(&format!(
            "[[token]]\nname = \"t{at}\"\nuser = \"svc\"\nsecret_hash = \"sha256:{hash}\"\nexpires = 2030-01-01T00:00:00Z\n"
        ));
        file.push_str(&format!("limit_to = '''\n{}\n'''\n", lines.join("\n")));
    }
    let compiled = compile(&SourceSet::from_files([("t.toml".to_owned(), file.clone())]));
    let found = format!("{:?}", compiled.diagnostics);
    compiled
        .program
        .unwrap_or_else(|| panic!("{file}\n{found}"))
        .bind(&base())
        .unwrap()
}

/// Calls of an operation, with several queries and bodies.
fn calls(operation: &Operation) -> Vec<Request> {
    let mut paths = vec!["/rest/api".to_owned()];
    for segment in &operation.segments {
        paths.iter_mut().for_each(|path| path.push('/'));
        for piece in &segment.0 {
            let texts: Vec<String> = match piece {
                Piece::Literal(text) => vec![text.clone()],
                Piece::Parameter { values, .. } => match values {
                    Values::Any => VALUES.iter().map(|&value| value.to_owned()).collect(),
                    Values::Path => ["a", "a/b", "b/a/c", "x"].map(str::to_owned).to_vec(),
                    Values::OneOf(texts) => texts.clone(),
                    Values::Pattern(_) => ["1", "42", "007"].map(str::to_owned).to_vec(),
                },
            };
            let longer = |path: &String| {
                texts
                    .iter()
                    .map(move |text| format!("{path}{text}"))
                    .collect::<Vec<_>>()
            };
            paths = paths.iter().flat_map(longer).collect();
        }
    }
    let json = |jql: &str| {
        RequestBody::Json(Json::Object(vec![(
            "jql".to_owned(),
            Json::String(jql.to_owned()),
        )]))
    };
    let pair = |jql: &str| vec![("jql".to_owned(), jql.to_owned())];
    let queries = [Vec::new(), pair("project = KANBAN"), pair("project = HR")];
    let mut bodies = vec![RequestBody::Absent];
    if operation.method != Method::Get {
        bodies.extend([json("project = KANBAN"), json("project = HR"), RequestBody::Other]);
    }
    let mut calls = Vec::new();
    for path in &paths {
        for query in &queries {
            for body in &bodies {
                calls.push(Request {
                    method: operation.method,
                    path: path.clone(),
                    query: query.clone(),
                    body: body.clone(),
                });
            }
        }
    }
    calls
}

fn check(tokens: &[Vec<&str>]) -> Result<(), TestCaseError> {
    let program = program(tokens);
    let catalogue = Catalogue::new(operations(), &base()).unwrap();
    prop_assert_eq!(catalogue.warnings(), &[] as &[String]);
    let ids: Vec<TokenId> = program.tokens().map(|(id, _)| id).collect();
    let settings = (Universe::default(), None, &Budget::new(200_000));
    let found = survey(&catalogue, (&program, &ids), settings, |_, _| {}).unwrap();
    prop_assert!(found.is_settled());
    for reached in &found.tokens {
        let cells: std::collections::HashMap<usize, &Cell> = found.cells(reached).collect();
        for (at, operation) in catalogue.operations().iter().enumerate() {
            let allowed: Vec<bool> = calls(operation)
                .iter()
                .map(|call| token_allows(&program, reached.token, call))
                .collect();
            let (any, all) = (allowed.contains(&true), !allowed.contains(&false));
            let shown = format!("{} {:?}", operation.call(), tokens);
            match cells.get(&at) {
                None => prop_assert!(!any, "{}", shown),
                Some(cell) => {
                    prop_assert_eq!(cell.is_reached(), cell.inside().is_some(), "{}", shown);
                    prop_assert!(!any || cell.is_reached(), "{}", shown);
                    prop_assert!(cell.extent != Extent::Full || all, "{}", shown);
                    // The calls that were generated are not all: another one may be outside.
                    let is_shown = cell.extent == Extent::Full || cell.outside.is_some();
                    prop_assert!(!all || !any || is_shown, "{} {:?}", shown, cell);
                    for hit in &cell.hits {
                        prop_assert!(token_allows(&program, reached.token, &hit.request), "{}", shown);
                        prop_assert_eq!(hit.request.method, operation.method);
                        let whole = calls(operation).len();
                        prop_assert!(!hit.is_whole || whole == allowed.len() && all, "{}", shown);
                    }
                    if let Some(outside) = &cell.outside {
                        prop_assert!(!token_allows(&program, reached.token, outside), "{}", shown);
                        let is_call = token_allows(catalogue.program(), catalogue.token(at), outside);
                        prop_assert!(is_call, "{} {:?}", shown, outside);
                    }
                    let why = cell.because;
                    let has_reason = why.path || why.condition || why.forbid;
                    prop_assert_eq!(has_reason, cell.extent == Extent::Part, "{} {:?}", shown, cell);
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_survey_agrees_with_decisions(tokens in prop::collection::vec(prop::collection::vec(prop::sample::select(LINES.to_vec()), 1..5), 1..4)) {
        // A token needs a permit line.
        let tokens: Vec<Vec<&str>> = tokens
            .into_iter()
            .map(|mut lines| { lines.sort_unstable(); lines.dedup(); lines.push("[get]/none"); lines })
            .collect();
        check(&tokens)?;
    }
}

fn cell_of(lines: &[&str], method: Method, path: &str) -> Option<Cell> {
    let program = program(&[lines.to_vec()]);
    let catalogue = Catalogue::new(operations(), &base()).unwrap();
    let ids: Vec<TokenId> = program.tokens().map(|(id, _)| id).collect();
    let settings = (Universe::default(), None, &Budget::new(200_000));
    let found = survey(&catalogue, (&program, &ids), settings, |_, _| {}).unwrap();
    let is_it = |at: usize| {
        let operation = &catalogue.operations()[at];
        (operation.method, operation.path.as_str()) == (method, path)
    };
    let mut cells = found.cells(&found.tokens[0]);
    cells.find(|(at, _)| is_it(*at)).map(|(_, cell)| cell.clone())
}

#[test]
fn reasons_are_told_apart() {
    let because = |lines: &[&str], method, path| {
        let why = cell_of(lines, method, path).unwrap().because;
        (why.path, why.condition, why.forbid)
    };
    let search = ["[get]/rest/api/search[QueryParam::jql==project = KANBAN]"];
    assert_eq!(because(&search, Method::Get, "/search"), (false, true, false));
    let issue = ["[get]/rest/api/issue/KANBAN-.*"];
    assert_eq!(because(&issue, Method::Get, "/issue/{key}"), (true, false, false));
    let all_but = ["[get]/rest/api/issue/.*", "!/rest/api/issue/HR-.*"];
    assert_eq!(
        because(&all_but, Method::Get, "/issue/{key}"),
        (false, false, true)
    );
}

#[test]
fn forbid_lines_are_told_apart_whatever_their_case() {
    let forbids = |forbid: &str| {
        let cell = cell_of(
            &["/rest/api/.*", forbid],
            Method::Get,
            "/issue/{key}/comment/{id}",
        );
        cell.map(|cell| (cell.extent, cell.forbids.len()))
    };
    for forbid in [
        "!/REST/api/Issue/KANBAN-1/.*",
        "!/rest/api/issue/a/Comment/1",
        "!/rest/api/issue.*",
    ] {
        let (extent, count) = forbids(forbid).unwrap();
        assert_eq!(count, 1, "{forbid}");
        assert_ne!(extent, Extent::Full, "{forbid}");
    }
    for forbid in [
        "!/rest/api/issues/.*",
        "!/rest/api/ISSUE/a",
        "!/rest/api/i/.*",
        "!/rest/api/issue/a/comment/x.*",
    ] {
        assert_eq!(forbids(forbid), Some((Extent::Full, 0)), "{forbid}");
    }
}

#[test]
fn a_forbid_line_alone_keeps_an_operation_out() {
    let lines = ["/rest/api/.*", "![delete]/rest/api/.*"];
    let cell = cell_of(&lines, Method::Delete, "/issue/{key}").unwrap();
    assert_eq!(cell.extent, Extent::Forbidden);
    assert_eq!(cell.forbids.len(), 1);
}

#[test]
fn patterns_of_parameters_are_read_as_json_schema_reads_them() {
    let matched = |pattern: &str, text: &str| {
        let segment = Segment(vec![parameter("id", Values::Pattern(pattern.to_owned()))]);
        let catalogue =
            Catalogue::new(vec![operation(Method::Get, "/{id}", vec![segment])], &base()).unwrap();
        let path = format!("/rest/api/{text}");
        let program = catalogue.program();
        let request = Request {
            method: Method::Get,
            path,
            query: Vec::new(),
            body: RequestBody::Absent,
        };
        (
            token_allows(program, catalogue.token(0), &request),
            catalogue.warnings().len(),
        )
    };
    assert_eq!(matched("^[0-9]+$", "12"), (true, 0));
    assert_eq!(matched("^[0-9]+$", "a12"), (false, 0));
    assert_eq!(matched("[0-9]+", "a12b"), (true, 0));
    assert_eq!(matched("^a|b$", "xb"), (true, 0));
    assert_eq!(matched("^a|b$", "xbx"), (false, 0));
    // No value spans segments, and a pattern that cannot be read is any text.
    assert_eq!(matched("^.+$", "a/b"), (false, 0));
    assert_eq!(matched("^(?!x).*$", "anything"), (true, 1));
    assert_eq!(matched("(", "anything"), (true, 1));
}

/// What a survey found of one token, without the numbers of classes.
fn found_of(survey: &Survey, reached: &Reached) -> Vec<String> {
    let lines = |class: Class| reached.lines(class).collect::<Vec<_>>();
    let cells = survey.cells(reached).map(|(at, cell)| {
        let hits: Vec<String> = cell
            .hits
            .iter()
            .map(|hit| format!("{:?} {} {}", hit.class.map(lines), hit.is_whole, hit.request))
            .collect();
        let forbids: Vec<_> = cell.forbids.iter().map(|class| lines(*class)).collect();
        let outside = cell.outside.as_ref().map(ToString::to_string);
        format!(
            "{at} {:?} {:?} {hits:?} {forbids:?} {outside:?}",
            cell.extent, cell.because
        )
    });
    cells.collect()
}

#[test]
fn many_tokens_in_parts_are_found_as_each_token_alone() {
    let own: Vec<String> = (0..230)
        .map(|at| format!("[get,delete]/rest/api/issue/K{at}-[0-9]+"))
        .collect();
    let tokens: Vec<Vec<&str>> = (0..230)
        .map(|at| {
            let some = LINES.iter().copied().skip(at % LINES.len()).step_by(3);
            let mut lines: Vec<&str> = some.take(1 + at % 4).collect();
            lines.push(&own[at]);
            lines
        })
        .collect();
    let program = program(&tokens);
    let catalogue = Catalogue::new(operations(), &base()).unwrap();
    let ids: Vec<TokenId> = program.tokens().map(|(id, _)| id).collect();
    let budget = Budget::new(200_000);
    let settings = || (Universe::default(), None, &budget);
    let mut told = Vec::new();
    let found = survey(&catalogue, (&program, &ids), settings(), |done, of| {
        told.push((done, of));
    })
    .unwrap();
    assert!(budget.spent() > 0);
    assert!(
        told.iter()
            .all(|(done, of)| (1..=230).contains(done) && *of == 230)
    );
    let tokens: Vec<TokenId> = found.tokens.iter().map(|reached| reached.token).collect();
    assert_eq!(tokens, ids);
    for reached in &found.tokens {
        let alone = survey(&catalogue, (&program, &[reached.token]), settings(), |_, _| {}).unwrap();
        assert_eq!(
            found_of(&found, reached),
            found_of(&alone, &alone.tokens[0]),
            "{}",
            program.token(reached.token).name
        );
    }
}
