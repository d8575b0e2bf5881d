//! Lines, requests, and what is to come of them: one table an area of SEMANTICS section 1.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed expectation is a test's way to fail"
)]

#[path = "decisions/forms.rs"]
mod forms;

use tokenward_compiler::{
    BaseUrl, compile,
    decide::{Body, Decision, DenyReason, Media, Param, Request, decide},
    diagnostic::render_text,
    ir::Program,
    json,
    method::Method,
    source::SourceSet,
};

fn program(keys: &str, lines: &str) -> Program {
    let file = format!(
        "[[token]]\nname = \"t\"\nexpires = 2030-01-01T00:00:00Z\nsecret_hash = \"sha256:{}\"\n{keys}\nlimit_to = '''\n{lines}\n'''\n",
        "00".repeat(32)
    );
    let sources = SourceSet::from_files([("t.toml".to_owned(), file)]);
    let compilation = compile(&sources);
    let text = render_text(&sources, &compilation.diagnostics, false);
    compilation
        .program
        .expect(&text)
        .bind(&BaseUrl::parse("https://jira.example.com/jira").unwrap())
        .unwrap()
}

/// `GET /path?query` and a JSON body, or none: what becomes of it. `allow`, `no-line`, `forbid`, or the refusal.
fn outcome(program: &Program, request: &str, media: Media, body: Option<&str>) -> &'static str {
    let (method, target) = request.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let params: Vec<Param<'_>> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) => Param {
                name,
                value: Some(value),
            },
            None => Param {
                name: pair,
                value: None,
            },
        })
        .collect();
    let (token, _) = program.tokens().next().unwrap();
    let mut request = Request {
        token,
        method: Method::from_token(method),
        path,
        query: &params,
        body: body.map_or(Body::Absent, |_| Body::Unread(media)),
    };
    let name = |decision: Decision<'_>| match decision {
        Decision::Allow(_) => "allow",
        Decision::Deny(denial) if denial.reason == DenyReason::ForbidLine => "forbid",
        Decision::Deny(_) => "no-line",
        Decision::NeedsBody(_) => "asks again",
    };
    match decide(program, &request) {
        Decision::NeedsBody(wanted) => match json::read(body.unwrap_or_default().as_bytes(), &wanted) {
            Ok(nodes) => {
                request.body = Body::Read(&nodes);
                name(decide(program, &request))
            }
            Err(json::ReadError::NotJson { .. }) => {
                request.body = Body::Unreadable;
                name(decide(program, &request))
            }
            Err(_) => "refuse",
        },
        decision => name(decision),
    }
}

#[track_caller]
fn check(keys: &str, lines: &str, cases: &[(&str, Option<&str>, &str)]) {
    let program = program(keys, lines);
    for (request, body, expected) in cases {
        let found = outcome(&program, request, Media::Json, *body);
        assert_eq!(found, *expected, "{lines}\n{request}\n{body:?}\n{program}");
    }
}

const USER: &str = "user = \"svc\"";

#[test]
fn the_examples_work_as_written() {
    check(
        USER,
        ".*/rest/api/2/issue/JRA.*
        [post].*/rest/api/2/issue/KANBAN-100/comment.*
        .*/rest/api/2/issue/SCRUM-[1-2]{1}/comment.*
        [get].*/rest/api/2/filter/search[QueryParam::accountId==.*]
        [get].*/rest/tempo-timesheets/4/worklogs[QueryParam::dateFrom==2018-(0[1-9]|1[0-2])-[0-3][0-9]][QueryParam::dateTo==2018-(0[1-9]|1[0-1])-[0-3][0-9]]
        [post].*/rest/api/2/filter[JsonData::editable==false][JsonData::favourite==false]",
        &[
            ("GET /rest/api/2/issue/JRA-1", None, "allow"),
            ("DELETE /rest/api/2/issue/JRA", None, "allow"),
            ("GET /x/rest/api/2/issue/JRA", None, "allow"),
            ("GET /rest/api/2/issue/jra-1", None, "no-line"),
            ("POST /rest/api/2/issue/KANBAN-100/comment", None, "allow"),
            ("POST /rest/api/2/issue/KANBAN-100/comment/7?expand=x", None, "allow"),
            ("GET /rest/api/2/issue/KANBAN-100/comment", None, "no-line"),
            ("GET /rest/api/2/issue/SCRUM-2/comment", None, "allow"),
            ("GET /rest/api/2/issue/SCRUM-3/comment", None, "no-line"),
            ("GET /rest/api/2/issue/SCRUM-12/comment", None, "no-line"),
            ("GET /rest/api/2/filter/search?accountId=", None, "allow"),
            ("GET /rest/api/2/filter/search", None, "no-line"),
            ("GET /rest/tempo-timesheets/4/worklogs?dateFrom=2018-12-01&dateTo=2018-11-30", None, "allow"),
            ("GET /rest/tempo-timesheets/4/worklogs?dateFrom=2018-12-01&dateTo=2018-12-30", None, "no-line"),
            ("GET /rest/tempo-timesheets/4/worklogs?dateFrom=2018-12-01&dateTo=2018-11-30&dateTo=2019-01-01", None, "no-line"),
            ("POST /rest/api/2/filter", Some(r#"{"editable":false,"favourite":false}"#), "allow"),
            ("POST /rest/api/2/filter", Some(r#"{"editable":false,"favourite":true}"#), "no-line"),
            ("POST /rest/api/2/filter", Some(r#"{"editable":false}"#), "no-line"),
            ("POST /rest/api/2/filter", None, "no-line"),
        ],
    );
}

#[test]
fn the_whole_url_matches_or_the_path_below_the_base() {
    check(
        USER,
        "/rest/a|/rest/b
        https://jira\\.example\\.com/jira/rest/c
        {BASE_URL}/rest/d
        [a-z]+://[^/]+/jira/rest/e
        (?i)/rest/f
        .*/jira/rest/g
        http://other/.*
        (/rest/h)",
        &[
            ("GET /rest/a", None, "allow"),
            ("GET /rest/b", None, "allow"),
            ("GET /rest/ab", None, "no-line"),
            ("GET /rest/a/x", None, "no-line"),
            ("GET /rest/c", None, "allow"),
            ("GET /rest/d", None, "allow"),
            ("GET /rest/e", None, "allow"),
            ("GET /REST/F", None, "allow"),
            ("GET /rest/g", None, "allow"),
            ("GET /rest/h", None, "no-line"),
            ("GET /rest/x", None, "no-line"),
        ],
    );
}

#[test]
fn regexps_are_ascii_where_java_is_and_dots_match_all() {
    check(
        USER,
        "/k-\\d+\n/w/\\w+\n/d/a.b\n/s/(?i)rest\n/n/[^x]+/z\n/b/.*\\bword\\b.*\n/p/\\p{L}+",
        &[
            ("GET /k-7", None, "allow"),
            ("GET /k-\u{661}", None, "no-line"),
            ("GET /w/a_1", None, "allow"),
            ("GET /w/é", None, "no-line"),
            ("GET /d/a\nb", None, "allow"),
            ("GET /d/aéb", None, "allow"),
            ("GET /d/ab", None, "no-line"),
            ("GET /s/ReST", None, "allow"),
            ("GET /s/re\u{17F}t", None, "no-line"),
            ("GET /n/aé/b/z", None, "allow"),
            ("GET /n/axb/z", None, "no-line"),
            ("GET /b/a word é", None, "allow"),
            ("GET /b/awords", None, "no-line"),
            ("GET /p/éa", None, "allow"),
            ("GET /p/1", None, "no-line"),
        ],
    );
}

#[test]
fn methods() {
    check(
        USER,
        "[get,Put | DELETE]/a\n/b",
        &[
            ("GET /a", None, "allow"),
            ("PUT /a", None, "allow"),
            ("DELETE /a", None, "allow"),
            ("HEAD /a", None, "no-line"),
            ("POST /a", None, "no-line"),
            ("HEAD /b", None, "allow"),
            ("OPTIONS /b", None, "allow"),
            ("get /b", None, "no-line"),
            ("PROPFIND /b", None, "no-line"),
        ],
    );
}

#[test]
fn query_operators() {
    check(
        USER,
        r#"/all[QueryParam::n==\d+]
        /maybe[QueryParam::n?=\d+]
        /none[QueryParam::n!=\d+]
        /only[QueryParam::n?=\d+][QueryParam::only]
        /quoted[QueryParam::"f[]"==a][QueryParam::"a:b"!=x]
        /twice[QueryParam::n==a.*][QueryParam::n==.*b]"#,
        &[
            ("GET /all?n=1&n=2", None, "allow"),
            ("GET /all?n=1&n=x", None, "no-line"),
            ("GET /all?n=1&n", None, "no-line"),
            ("GET /all", None, "no-line"),
            ("GET /maybe", None, "allow"),
            ("GET /maybe?n=1", None, "allow"),
            ("GET /maybe?n=x", None, "no-line"),
            ("GET /none", None, "allow"),
            ("GET /none?n=x", None, "allow"),
            ("GET /none?n=x&n=1", None, "no-line"),
            ("GET /only?n=1", None, "allow"),
            ("GET /only?n=1&m=1", None, "no-line"),
            ("GET /only?m=1", None, "no-line"),
            ("GET /quoted?f[]=a", None, "allow"),
            ("GET /quoted?f[]=a&a:b=x", None, "no-line"),
            ("GET /twice?n=ab", None, "allow"),
            ("GET /twice?n=a", None, "no-line"),
        ],
    );
}

#[test]
fn json_values() {
    let cases = |path: &'static str, list: &[(&'static str, &'static str)]| {
        list.iter()
            .map(|(body, expected)| (path, Some(*body), *expected))
            .collect::<Vec<_>>()
    };
    let lines = r#"/all[JsonData::n==a|1|false]
        /maybe[JsonData::n?=a]
        /none[JsonData::n!=a|1]
        /typed[JsonData::n:boolean==false]
        /typednone[JsonData::n:string!=a]
        /deep[JsonData::f.p.key==K]
        /each[JsonData::items[*].id==\d]
        /eachmaybe[JsonData::items[*].id?=\d]
        /eachnone[JsonData::items[*].id!=\d]
        /quoted[JsonData::"a.b"==x]
        /only[JsonData::n?=a][JsonData::o.p?=b][JsonData::only]
        /onlyin[JsonData::o.p?=b][JsonData::o.only]"#;
    let mut all = Vec::new();
    all.extend(cases(
        "POST /all",
        &[
            (r#"{"n":"a"}"#, "allow"),
            (r#"{"n":1}"#, "allow"),
            (r#"{"n":1.0}"#, "no-line"),
            (r#"{"n":false}"#, "allow"),
            (r#"{"n":["a",[1]]}"#, "allow"),
            (r#"{"n":["a","b"]}"#, "no-line"),
            (r#"{"n":[]}"#, "no-line"),
            (r#"{"n":[[]]}"#, "no-line"),
            (r#"{"n":{}}"#, "no-line"),
            (r#"{"n":["a",{}]}"#, "no-line"),
            (r#"{}"#, "no-line"),
            (r#"[]"#, "no-line"),
            (r#""a""#, "no-line"),
            (r#"{"x":{"n":"a"}}"#, "no-line"),
            (r#"{"n":"a","n":"a"}"#, "refuse"),
            (r#"{"n":"a","N":1}"#, "refuse"),
            (r#"{"n":"a","x":{"y":1,"y":2}}"#, "refuse"),
            (r#"{"n":"a","\u0000":1}"#, "refuse"),
            (r#"{"n":"a""#, "no-line"),
            ("", "no-line"),
        ],
    ));
    all.extend(cases(
        "POST /maybe",
        &[
            ("{}", "allow"),
            (r#"{"n":"a"}"#, "allow"),
            (r#"{"n":"b"}"#, "no-line"),
            (r#"{"n":[]}"#, "no-line"),
            (r#"{"n":null}"#, "no-line"),
            ("[]", "no-line"),
        ],
    ));
    all.extend(cases(
        "POST /none",
        &[
            ("{}", "allow"),
            (r#"{"n":"b"}"#, "allow"),
            (r#"{"n":[]}"#, "allow"),
            (r#"{"n":"a"}"#, "no-line"),
            (r#"{"n":["b","a"]}"#, "no-line"),
            (r#"{"n":1.0}"#, "no-line"),
            (r#"{"n":1e0}"#, "no-line"),
            (r#"{"n":-0}"#, "no-line"),
            (r#"{"n":2}"#, "allow"),
            (r#"{"n":{}}"#, "no-line"),
            ("1", "no-line"),
        ],
    ));
    all.extend(cases(
        "POST /typed",
        &[
            (r#"{"n":false}"#, "allow"),
            (r#"{"n":"false"}"#, "no-line"),
            (r#"{"n":[false,false]}"#, "allow"),
            (r#"{"n":[false,"false"]}"#, "no-line"),
        ],
    ));
    all.extend(cases(
        "POST /typednone",
        &[
            (r#"{"n":"b"}"#, "allow"),
            (r#"{"n":5}"#, "no-line"),
            (r#"{}"#, "allow"),
        ],
    ));
    all.extend(cases(
        "POST /deep",
        &[
            (r#"{"f":{"p":{"key":"K"}}}"#, "allow"),
            (r#"{"f":{"p":{}}}"#, "no-line"),
            (r#"{"f":[{"p":{"key":"K"}}]}"#, "no-line"),
            (r#"{"f":"x"}"#, "no-line"),
            (r#"{"F":1}"#, "refuse"),
        ],
    ));
    all.extend(cases(
        "POST /each",
        &[
            (r#"{"items":[{"id":1},{"id":"2"}]}"#, "allow"),
            (r#"{"items":[{"id":1},{}]}"#, "no-line"),
            (r#"{"items":[]}"#, "no-line"),
            (r#"{"items":{"id":1}}"#, "no-line"),
        ],
    ));
    all.extend(cases(
        "POST /eachmaybe",
        &[
            (r#"{"items":[]}"#, "allow"),
            ("{}", "allow"),
            (r#"{"items":[{}]}"#, "no-line"),
            (r#"{"items":[{"id":1},{}]}"#, "no-line"),
            (r#"{"items":[{"id":1}]}"#, "allow"),
        ],
    ));
    all.extend(cases(
        "POST /eachnone",
        &[
            (r#"{"items":[]}"#, "allow"),
            ("{}", "allow"),
            (r#"{"items":[{}]}"#, "no-line"),
            (r#"{"items":[{"id":"x"}]}"#, "allow"),
            (r#"{"items":[1]}"#, "no-line"),
        ],
    ));
    all.extend(cases(
        "POST /quoted",
        &[(r#"{"a.b":"x"}"#, "allow"), (r#"{"a":{"b":"x"}}"#, "no-line")],
    ));
    all.extend(cases(
        "POST /only",
        &[
            ("{}", "allow"),
            (r#"{"n":"a","o":{"p":"b","q":1}}"#, "allow"),
            (r#"{"n":"a","m":1}"#, "no-line"),
            ("[]", "no-line"),
        ],
    ));
    all.extend(cases(
        "POST /onlyin",
        &[
            ("{}", "allow"),
            (r#"{"m":1,"o":{"p":"b"}}"#, "allow"),
            (r#"{"o":{"p":"b","q":1}}"#, "no-line"),
            (r#"{"o":[]}"#, "no-line"),
            (r#"{"o":{}}"#, "allow"),
        ],
    ));
    check(USER, lines, &all);
}

#[test]
fn forbid_lines_err_on_the_side_of_denying() {
    check(
        USER,
        r#".*
        ![delete].*
        !/admin/secret
        !/q[QueryParam::n==bad]
        !/qm[QueryParam::n?=bad]
        !/qn[QueryParam::n!=good]
        !/j[JsonData::n==bad|1]
        !/jt[JsonData::n:boolean==true]
        !/jn[JsonData::n!=good]
        !/jm[JsonData::n?=bad]"#,
        &[
            ("GET /x", None, "allow"),
            ("DELETE /x", None, "forbid"),
            ("PROPFIND /x", None, "no-line"),
            ("GET /admin/secret", None, "forbid"),
            ("GET /ADMIN/Secret", None, "forbid"),
            ("GET /admin/secret/", None, "forbid"),
            ("GET /admin/secret.json", None, "forbid"),
            ("GET /admin/secret.XML/", None, "forbid"),
            ("GET /admin/\u{17F}ecret", None, "forbid"),
            ("GET /admin/secrets", None, "allow"),
            ("GET /q", None, "allow"),
            ("GET /q?n=good", None, "allow"),
            ("GET /q?n=good&n=bad", None, "forbid"),
            ("GET /qm", None, "forbid"),
            ("GET /qm?n=good", None, "allow"),
            ("GET /qn", None, "forbid"),
            ("GET /qn?n=good", None, "allow"),
            ("GET /qn?n=good&n=x", None, "forbid"),
            ("POST /j", None, "allow"),
            ("POST /j", Some(r#"{"n":"ok"}"#), "allow"),
            ("POST /j", Some(r#"{"n":["ok","bad"]}"#), "forbid"),
            ("POST /j", Some(r#"{"n":1.0}"#), "forbid"),
            ("POST /j", Some(r#"{"n":{}}"#), "forbid"),
            ("POST /j", Some(r#"{"n":[]}"#), "allow"),
            ("POST /j", Some(r#"[1]"#), "forbid"),
            ("POST /j", Some(r#"{"n":"#), "forbid"),
            ("POST /jt", Some(r#"{"n":"true"}"#), "forbid"),
            ("POST /jt", Some(r#"{"n":false}"#), "allow"),
            ("POST /jn", Some(r#"{"n":"good"}"#), "allow"),
            ("POST /jn", Some(r#"{}"#), "forbid"),
            ("POST /jn", Some(r#"{"n":[]}"#), "forbid"),
            ("POST /jn", None, "forbid"),
            ("POST /jm", Some(r#"{}"#), "forbid"),
            ("POST /jm", Some(r#"{"n":"ok"}"#), "allow"),
        ],
    );
}

#[test]
fn a_body_that_is_not_json_or_may_be_merged() {
    let lines = "/q[QueryParam::n==a]\n/j[JsonData::n==a]\n/plain\n/f\n!/f[JsonData::n==bad]\n/g\n!/g[QueryParam::n==bad]";
    let program = program(USER, lines);
    for (request, media, expected) in [
        ("POST /q?n=a", Media::Form, "no-line"),
        ("POST /q?n=a", Media::Multipart, "no-line"),
        ("POST /q?n=a", Media::Other, "allow"),
        ("POST /q?n=a", Media::Json, "allow"),
        ("POST /j", Media::Form, "no-line"),
        ("POST /j", Media::Other, "no-line"),
        ("POST /plain", Media::Form, "allow"),
        ("POST /f", Media::Form, "forbid"),
        ("POST /f", Media::Other, "forbid"),
        ("POST /g", Media::Form, "forbid"),
        ("POST /g", Media::Multipart, "forbid"),
        ("POST /g", Media::Other, "allow"),
    ] {
        assert_eq!(
            outcome(&program, request, media, Some("n=a")),
            expected,
            "{request} {media:?}"
        );
    }
    let merging = program.merging_body(true);
    for (request, body, expected) in [
        ("POST /q?n=a", "{}", "allow"),
        ("POST /q?n=a", r#"{"n":"b"}"#, "no-line"),
        ("POST /q?n=a", r#"{"n[x]":"b"}"#, "no-line"),
        ("POST /q?n=a", r#"{"#, "no-line"),
        ("POST /j", r#"{"n":"a"}"#, "allow"),
        ("POST /j?n=b", r#"{"n":"a"}"#, "no-line"),
        ("POST /j?n[]=b", r#"{"n":"a"}"#, "no-line"),
        ("POST /j?nn=b", r#"{"n":"a"}"#, "allow"),
        ("POST /f?n=x", r#"{"n":"a"}"#, "forbid"),
        ("POST /g?n=x", r#"{"n":"a"}"#, "allow"),
        ("POST /g?n=bad", r#"{"n":"a"}"#, "forbid"),
    ] {
        assert_eq!(
            outcome(&merging, request, Media::Json, Some(body)),
            expected,
            "{request} {body}"
        );
    }
}

#[test]
fn placeholders() {
    check(
        "user = \"a.b\"",
        "/user/{USER}\n/q[QueryParam::u=={USER}]\n(?i)/case/{USER}",
        &[
            ("GET /user/a.b", None, "allow"),
            ("GET /user/axb", None, "no-line"),
            ("GET /q?u=a.b", None, "allow"),
            ("GET /case/a.b", None, "allow"),
            ("GET /CASE/a.b", None, "allow"),
            ("GET /case/A.B", None, "no-line"),
        ],
    );
}

#[test]
fn unrestricted_tokens_still_obey_forbid_lines() {
    check(
        "user = \"a\"\nunrestricted = true",
        "![delete].*",
        &[("GET /x", None, "allow"), ("DELETE /x", None, "forbid")],
    );
}
