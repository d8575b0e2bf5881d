//! Ranges, lists of types, the root of a body, and the base URL in values.

use tokenward_compiler::{BaseUrl, artifact, decide::Media, diagnostic::Code, source::SourceSet};

use super::{USER, check, outcome, program};

/// Requests of one line, each with a body.
fn check_bodies(line: &str, cases: &[(&str, &str)]) {
    let cases: Vec<_> = cases
        .iter()
        .map(|(body, expected)| ("POST /x", Some(*body), *expected))
        .collect();
    check(USER, line, &cases);
}

#[test]
fn a_permit_range_holds_if_every_value_is_such_a_number_on_its_side() {
    check_bodies(
        "/x[JsonData::n:number<=500]",
        &[
            (r#"{"n":500}"#, "allow"),
            (r#"{"n":500.0}"#, "allow"),
            (r#"{"n":-3}"#, "allow"),
            (r#"{"n":0.05}"#, "allow"),
            (r#"{"n":[1,[2]]}"#, "allow"),
            (r#"{"n":501}"#, "no-line"),
            (r#"{"n":500.01}"#, "no-line"),
            (r#"{"n":5e2}"#, "no-line"),
            (r#"{"n":1e0}"#, "no-line"),
            (r#"{"n":-0}"#, "no-line"),
            (r#"{"n":-0.0}"#, "no-line"),
            (r#"{"n":1.000000000000000}"#, "no-line"),
            (r#"{"n":"3"}"#, "no-line"),
            (r#"{"n":null}"#, "no-line"),
            (r#"{"n":[]}"#, "no-line"),
            (r#"{"n":[1,501]}"#, "no-line"),
            (r#"{"n":{}}"#, "no-line"),
            ("{}", "no-line"),
            ("[1]", "no-line"),
        ],
    );
    // Without a type, a string with the text of a number is one.
    check_bodies(
        "/x[JsonData::n>0]",
        &[
            (r#"{"n":"3"}"#, "allow"),
            (r#"{"n":3}"#, "allow"),
            (r#"{"n":"03"}"#, "no-line"),
        ],
    );
    check(
        USER,
        "/x[QueryParam::n?>=-1.5]
        /y[QueryParam::d>=2018-01-01][QueryParam::d<2019-01-01]",
        &[
            ("GET /x", None, "allow"),
            ("GET /x?n=-1.5", None, "allow"),
            ("GET /x?n=-1.51", None, "no-line"),
            ("GET /x?n=0&n=-2", None, "no-line"),
            ("GET /x?n", None, "no-line"),
            ("GET /x?n=+1", None, "no-line"),
            ("GET /x?n=01", None, "no-line"),
            ("GET /y?d=2018-12-31", None, "allow"),
            ("GET /y?d=2019-01-01", None, "no-line"),
            ("GET /y?d=2018-02-29", None, "no-line"),
            ("GET /y?d=2018-2-1", None, "no-line"),
            ("GET /y", None, "no-line"),
        ],
    );
}

#[test]
fn a_forbid_range_matches_whatever_is_not_surely_on_the_other_side() {
    check_bodies(
        "/x\n!/x[JsonData::n:number>500]",
        &[
            (r#"{"n":500}"#, "allow"),
            (r#"{"n":500.0}"#, "allow"),
            (r#"{"n":501}"#, "forbid"),
            (r#"{"n":5e2}"#, "forbid"),
            (r#"{"n":-0}"#, "forbid"),
            (r#"{"n":"3"}"#, "forbid"),
            (r#"{"n":null}"#, "forbid"),
            (r#"{"n":[1,"x"]}"#, "forbid"),
            (r#"{"n":{}}"#, "forbid"),
            ("{", "forbid"),
            // Nothing is there.
            ("{}", "allow"),
            (r#"{"n":[]}"#, "allow"),
        ],
    );
    check_bodies(
        "/x\n!/x[JsonData::n?>500]",
        &[
            (r#"{"n":"3"}"#, "allow"),
            (r#"{"n":3}"#, "allow"),
            ("{}", "forbid"),
            (r#"{"n":[]}"#, "forbid"),
        ],
    );
    check(
        USER,
        "/x\n!/x[QueryParam::d<2018-01-01]\n/y\n!/y[QueryParam::d?<2018-01-01]",
        &[
            ("GET /x", None, "allow"),
            ("GET /x?d=2018-01-01", None, "allow"),
            ("GET /x?d=2017-12-31", None, "forbid"),
            ("GET /x?d=2018-02-30", None, "forbid"),
            ("GET /x?d=2018-01-01&d=x", None, "forbid"),
            ("GET /y", None, "forbid"),
            ("GET /y?d=2018-01-01", None, "allow"),
        ],
    );
}

#[test]
fn a_list_of_types_takes_each_of_them_and_its_null_needs_no_match() {
    check_bodies(
        "/x[JsonData::a:string|null==re.*]",
        &[
            (r#"{"a":"red"}"#, "allow"),
            (r#"{"a":null}"#, "allow"),
            (r#"{"a":[null,"red"]}"#, "allow"),
            (r#"{"a":"null"}"#, "no-line"),
            (r#"{"a":true}"#, "no-line"),
            (r#"{"a":[null,"x"]}"#, "no-line"),
            ("{}", "no-line"),
        ],
    );
    check_bodies(
        "/x[JsonData::a:number|null<=5]",
        &[
            (r#"{"a":null}"#, "allow"),
            (r#"{"a":5}"#, "allow"),
            (r#"{"a":6}"#, "no-line"),
            (r#"{"a":"5"}"#, "no-line"),
        ],
    );
    // Nothing needs a match for `!=`; and by itself `null` is a type as the others.
    check_bodies(
        "/x[JsonData::a:string|null!=n.*]",
        &[
            (r#"{"a":null}"#, "no-line"),
            (r#"{"a":"x"}"#, "allow"),
            (r#"{"a":1}"#, "no-line"),
        ],
    );
    check_bodies("/x[JsonData::a:null==x]", &[(r#"{"a":null}"#, "no-line")]);
    check_bodies(
        "/x\n!/x[JsonData::a:string|null==admin]",
        &[
            (r#"{"a":null}"#, "forbid"),
            (r#"{"a":"admin"}"#, "forbid"),
            (r#"{"a":"x"}"#, "allow"),
            (r#"{"a":true}"#, "allow"),
        ],
    );
}

#[test]
fn the_root_is_a_node_as_any_other() {
    check_bodies(
        "/x[JsonData::$==svc]",
        &[
            (r#""svc""#, "allow"),
            (r#"["svc",["svc"]]"#, "allow"),
            (r#""admin""#, "no-line"),
            (r#"["svc","admin"]"#, "no-line"),
            ("[]", "no-line"),
            ("{}", "no-line"),
            (r#"{"$":"svc"}"#, "no-line"),
            ("", "no-line"),
        ],
    );
    check(USER, "/x[JsonData::$==svc]", &[("POST /x", None, "no-line")]);
    check_bodies(
        "/x[JsonData::$:number<=5]",
        &[("5", "allow"), ("6", "no-line"), (r#""5""#, "no-line")],
    );
    check_bodies(
        "/x[JsonData::$[*]==a|b]",
        &[
            (r#"["a","b"]"#, "allow"),
            (r#"["a","c"]"#, "no-line"),
            (r#""a""#, "no-line"),
            (r#"{"a":1}"#, "no-line"),
            ("[]", "no-line"),
        ],
    );
    check_bodies(
        "/x[JsonData::$[*].name==release][JsonData::$[*].only]",
        &[
            (r#"[{"name":"release"},{"name":"release"}]"#, "allow"),
            (r#"[{"name":"release","prefix":"x"}]"#, "no-line"),
            (r#"[{"name":"release"},{}]"#, "no-line"),
            (r#"[{"name":"release"},"release"]"#, "no-line"),
            (r#"{"name":"release"}"#, "no-line"),
            (r#"[{"name":"release","Name":"x"}]"#, "refuse"),
        ],
    );
    check_bodies(
        r#"/x[JsonData::$.a.b==c][JsonData::$.only]"#,
        &[
            (r#"{"a":{"b":"c"}}"#, "allow"),
            (r#"{"a":{"b":"c"},"d":1}"#, "no-line"),
        ],
    );
    check_bodies(
        r#"/x[JsonData::"$"==a]"#,
        &[(r#"{"$":"a"}"#, "allow"), (r#""a""#, "no-line")],
    );
    check_bodies("/x[JsonData::$ref==a]", &[(r#"{"$ref":"a"}"#, "allow")]);
    // What is not a root of the kind matches a forbid line.
    check_bodies(
        "/x\n!/x[JsonData::$==admin]",
        &[
            (r#""admin""#, "forbid"),
            (r#""svc""#, "allow"),
            ("{}", "forbid"),
            ("[]", "allow"),
        ],
    );
    check_bodies(
        "/x\n!/x[JsonData::$[*].name==secret]",
        &[
            (r#"[{"name":"secret"}]"#, "forbid"),
            (r#"[{"name":"open"}]"#, "allow"),
            (r#"{"name":"open"}"#, "forbid"),
        ],
    );
}

#[test]
fn the_base_url_in_a_value_is_bound_in_artifacts_too() {
    let lines = "/x[QueryParam::u=={BASE_URL}|{JIRA_URL}/a]
        /y[QueryParam::u!={CONFLUENCE_URL}]
        /z
        !/z[QueryParam::u==.*{BASE_URL}.*]
        /j[JsonData::u==({BASE_URL}){2}]
        /i[QueryParam::u==(?i){BASE_URL}/Q]";
    let cases = [
        ("GET /x?u=https://jira.example.com/jira", None, "allow"),
        ("GET /x?u=https://jira.example.com/jira/a", None, "allow"),
        ("GET /x?u=https://jiraxexample.com/jira", None, "no-line"),
        ("GET /x?u=https://jira.example.com/jira/b", None, "no-line"),
        ("GET /y?u=https://jira.example.com/jira", None, "no-line"),
        ("GET /y?u=x", None, "allow"),
        ("GET /z?u=x", None, "allow"),
        ("GET /z?u=a-https://jira.example.com/jira/b", None, "forbid"),
        (
            "POST /j",
            Some(r#"{"u":"https://jira.example.com/jirahttps://jira.example.com/jira"}"#),
            "allow",
        ),
        (
            "POST /j",
            Some(r#"{"u":"https://jira.example.com/jira"}"#),
            "no-line",
        ),
        ("GET /i?u=https://jira.example.com/jira/q", None, "allow"),
    ];
    check(USER, lines, &cases);
    // Bound anew, from an artifact, to another base.
    let program = program(USER, lines);
    let decoded = artifact::decode(&artifact::encode(&program)).unwrap();
    let at_home = decoded
        .bind(&BaseUrl::parse("https://jira.example.com/jira").unwrap())
        .unwrap();
    for (request, body, expected) in cases {
        assert_eq!(
            outcome(&at_home, request, Media::Json, body),
            expected,
            "{request}"
        );
    }
    let elsewhere = at_home
        .bind(&BaseUrl::parse("https://wiki.example.com").unwrap())
        .unwrap();
    for (request, expected) in [
        ("GET /x?u=https://wiki.example.com", "allow"),
        ("GET /x?u=https://jira.example.com/jira", "no-line"),
        ("GET /z?u=https://wiki.example.com", "forbid"),
        ("GET /z?u=https://jira.example.com/jira", "allow"),
    ] {
        assert_eq!(
            outcome(&elsewhere, request, Media::Json, None),
            expected,
            "{request}"
        );
    }
}

#[test]
fn one_alternative_that_matches_nothing_leaves_the_others() {
    check(
        USER,
        "/a|/b[^\\x00-\\x{10FFFF}]\n/x\n!/x(|[a&&b])\n/q[QueryParam::n==1|[a&&b]]",
        &[
            ("GET /a", None, "allow"),
            ("GET /x", None, "forbid"),
            ("GET /q?n=1", None, "allow"),
        ],
    );
}

/// The code and headline of the first error of a line, `compiles` without one.
fn first_error(line: &str) -> String {
    let file = format!(
        "[[token]]\nname = \"t\"\nexpires = 2030-01-01T00:00:00Z\nsecret_hash = \"sha256:{}\"\n{USER}\nlimit_to = '''\n{line}\n'''\n",
        "00".repeat(32)
    );
    let sources = SourceSet::from_files([("t.toml".to_owned(), file)]);
    let diagnostics = tokenward_compiler::compile(&sources).diagnostics;
    let error = diagnostics
        .into_iter()
        .find(|it| it.code == Code::LineSyntax || it.code == Code::Regexp);
    error.map_or_else(|| "compiles".to_owned(), |it| it.headline)
}

#[test]
fn slips_of_operators_names_and_bounds_are_errors() {
    for (constraint, expected) in [
        ("[QueryParam::n===x]", "the value begins with `=`"),
        ("[QueryParam::n!==admin]", "the value begins with `=`"),
        ("[QueryParam::n=>x]", "`=>` is not an operator"),
        ("[QueryParam::n=x]", "`=` is not an operator"),
        ("[QueryParam::n=~x]", "`=~` is not an operator"),
        ("[QueryParam::n~x]", "`~` is not an operator"),
        ("[QueryParam::n!x]", "`!` is not an operator"),
        ("[QueryParam::n== x]", "the value begins with a space"),
        ("[QueryParam::n==<b>]", "the value begins with `<`"),
        (
            "[QueryParam::n ==x]",
            "a space in or around a name without quotes",
        ),
        (
            "[QueryParam:: n==x]",
            "a space in or around a name without quotes",
        ),
        ("[JsonData::a b==x]", "a space in or around a name without quotes"),
        ("[JsonData::==x]", "the name is missing"),
        ("[QueryParam::<5]", "the name is missing"),
        ("[JsonData::*.a==x]", "`*` by itself is not a name"),
        (
            "[JsonData::a:string|string==x]",
            "the type `string` is listed twice",
        ),
        (
            "[QueryParam::n<=5e2]",
            "`5e2` is not a bound: neither a plain number nor a date",
        ),
        (
            "[QueryParam::n<=+5]",
            "`+5` is not a bound: neither a plain number nor a date",
        ),
        (
            "[QueryParam::n<=05]",
            "`05` is not a bound: neither a plain number nor a date",
        ),
        (
            "[QueryParam::n<=-0]",
            "`-0` is not a bound: neither a plain number nor a date",
        ),
        (
            "[QueryParam::n<=1234567890123456]",
            "`1234567890123456` is not a bound: neither a plain number nor a date",
        ),
        (
            "[QueryParam::n>=2018-02-29]",
            "`2018-02-29` is not a bound: neither a plain number nor a date",
        ),
        (
            "[QueryParam::n>=2018-1-1]",
            "`2018-1-1` is not a bound: neither a plain number nor a date",
        ),
        (
            "[QueryParam::n>=.*]",
            "`.*` is not a bound: neither a plain number nor a date",
        ),
        (
            "[QueryParam::n>=]",
            "`` is not a bound: neither a plain number nor a date",
        ),
        (
            "[QueryParam::n<={USER}]",
            "`{USER}` is not a bound: neither a plain number nor a date",
        ),
        (
            "[JsonData::n:boolean<=5]",
            "no value of the listed types is compared with `5`",
        ),
        (
            "[JsonData::n:number>=2018-01-01]",
            "no value of the listed types is compared with `2018-01-01`",
        ),
        (
            "[QueryParam::n==\\x{10FFFE}]",
            "a noncharacter of Unicode in a regexp",
        ),
        // These are meant.
        ("[QueryParam::n==[=]x]", "compiles"),
        ("[QueryParam::n==\\x20x]", "compiles"),
        ("[QueryParam::n==a<5 and b>=6]", "compiles"),
        ("[QueryParam::\"a b\"==x]", "compiles"),
        ("[JsonData::\"a<b\".\"*\"==x]", "compiles"),
        ("[QueryParam::n==x==y]", "compiles"),
        ("[QueryParam::n==<b>]", "the value begins with `<`"),
        ("[QueryParam::n==[<]b>]", "compiles"),
    ] {
        for line in [format!("/x{constraint}"), format!("!/x{constraint}")] {
            assert_eq!(first_error(&line), expected, "{line}");
        }
    }
}
