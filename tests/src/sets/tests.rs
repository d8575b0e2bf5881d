//! The specification's examples, and what it says of each part, on universes of a few requests.

use tokenward_compiler::{decide::Media, method::Method};

use super::{Policy, Universe};
use crate::{
    generate,
    reference::{Body, Json, Place},
};

const PLACE: Place<'static> = Place {
    base: "https://h/ctx",
    merges: false,
};

fn object(members: &[(&str, Json)]) -> Json {
    Json::Object(
        members
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
    )
}

fn string(text: &str) -> Json {
    Json::String(text.to_owned())
}

/// Whether a token of these lines is allowed a request.
fn allows(lines: &[&str], method: Method, path: &str, query: &[(&str, &str)], body: Body) -> bool {
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    let policy = Policy::read(&[("t.toml", &generate::token_file(&lines, false))]);
    let query = query
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())));
    let universe = Universe {
        methods: vec![method],
        paths: vec![path.to_owned()],
        queries: vec![query.collect()],
        bodies: vec![body],
    };
    let verdicts = policy.verdicts(PLACE, &universe);
    verdicts.allowed.has(universe.point(0))
}

fn gets(lines: &[&str], path: &str) -> bool {
    allows(lines, Method::Get, path, &[], Body::Absent)
}

fn posts(lines: &[&str], json: Json) -> bool {
    allows(lines, Method::Post, "/a", &[], Body::Json(json))
}

#[test]
fn the_examples_of_the_specification() {
    let methods = Method::NAMED;
    assert!(methods.iter().all(|method| allows(
        &[".*/rest/api/2/issue/JRA.*"],
        *method,
        "/rest/api/2/issue/JRA-1",
        &[],
        Body::Absent
    )));
    assert!(!gets(
        &["[post].*/rest/api/2/issue/KANBAN-100/comment.*"],
        "/rest/api/2/issue/KANBAN-100/comment"
    ));
    assert!(gets(
        &[".*/rest/api/2/issue/SCRUM-[1-2]{1}/comment.*"],
        "/rest/api/2/issue/SCRUM-2/comment/7"
    ));
    assert!(!gets(
        &[".*/rest/api/2/issue/SCRUM-[1-2]{1}/comment.*"],
        "/rest/api/2/issue/SCRUM-12/comment"
    ));
    let worklogs = "[get].*/rest/tempo-timesheets/4/worklogs[QueryParam::dateFrom==2018-(0[1-9]|1[0-2])-[0-3][0-9]][QueryParam::dateTo==2018-(0[1-9]|1[0-1])-[0-3][0-9]]";
    let asked = |to| {
        allows(
            &[worklogs],
            Method::Get,
            "/rest/tempo-timesheets/4/worklogs",
            &[("dateFrom", "2018-12-01"), ("dateTo", to)],
            Body::Absent,
        )
    };
    assert!(asked("2018-11-30") && !asked("2018-12-30"));
    let filter = "[post]/a[JsonData::editable==false][JsonData::favourite==false]";
    let (no, yes) = (Json::Boolean(false), Json::Boolean(true));
    assert!(posts(
        &[filter],
        object(&[("editable", no.clone()), ("favourite", string("false"))])
    ));
    assert!(!posts(&[filter], object(&[("editable", no), ("favourite", yes)])));
}

#[test]
fn urls_are_anchored_by_their_first_slash() {
    assert!(gets(&["/a|/b"], "/b") && gets(&["(?i)/A"], "/a") && gets(&["^/a$|^/b$"], "/b"));
    assert!(!gets(&["/a"], "/x/a") && gets(&[".*/a"], "/x/a") && gets(&["{BASE_URL}/a"], "/a"));
    assert!(!gets(&["/r.*"], "/\u{17F}") && !gets(&["(?i)/s"], "/\u{17F}") && !gets(&["/\\d"], "/\u{661}"));
    assert!(gets(&["/a.b"], "/a\nb") && gets(&["/\\bab\\b.*"], "/ab-c") && !gets(&["/\\bab\\b.*"], "/abc"));
    assert!(
        gets(&["/[^/]{2,3}(x|y)?"], "/aby") && !gets(&["/[]a-c]+"], "/d") && gets(&["/[a-z&&[^b]]"], "/c")
    );
}

#[test]
fn a_forbid_line_takes_every_spelling() {
    for path in ["/a", "/A", "/a/", "/a.json", "/A.XML", "/a.xml/"] {
        assert!(!gets(&["/.*", "!/a"], path), "{path}");
    }
    assert!(gets(&["/.*", "!/a"], "/ab") && !gets(&["/.*", "!/r"], "/R"));
    let form = || Body::Opaque(Media::Form);
    assert!(!allows(
        &["/.*", "!/a[QueryParam::n==a]"],
        Method::Post,
        "/a",
        &[],
        form()
    ));
    assert!(!allows(
        &["/.*[QueryParam::n?=a]"],
        Method::Post,
        "/a",
        &[],
        form()
    ));
    assert!(allows(&["/.*"], Method::Post, "/a", &[], form()));
    assert!(!allows(
        &["/.*", "!/a[JsonData::n==a]"],
        Method::Post,
        "/a",
        &[],
        Body::Broken
    ));
}

#[test]
fn values_of_nodes() {
    let n = |value: Json| object(&[("n", value)]);
    let empty = Json::Array(Vec::new());
    let both = Json::Array(vec![string("a"), Json::Array(vec![string("b")])]);
    assert!(
        posts(&["/a[JsonData::n==a|b]"], n(both.clone())) && !posts(&["/a[JsonData::n==a]"], n(both.clone()))
    );
    assert!(!posts(&["/a[JsonData::n==a]"], n(empty.clone())) && posts(&["/a[JsonData::n!=a]"], n(empty)));
    assert!(!posts(&["/.*", "!/a[JsonData::n==b]"], n(both)));
    assert!(!posts(&["/a[JsonData::n!=b]"], n(object(&[]))) && posts(&["/a[JsonData::n!=b]"], object(&[])));
    assert!(!posts(&["/a[JsonData::n!=5]"], n(Json::Number("1.0".to_owned()))));
    assert!(posts(&["/a[JsonData::n:string|null==a]"], n(Json::Null)));
    assert!(!posts(&["/a[JsonData::n:boolean==false]"], n(string("false"))));
    assert!(posts(&["/a[JsonData::$==a]"], string("a")) && !posts(&["/a[JsonData::$==a]"], n(string("a"))));
    assert!(posts(
        &["/a[JsonData::$[*].n==a][JsonData::$[*].only]"],
        Json::Array(vec![n(string("a"))])
    ));
    assert!(!posts(
        &["/a[JsonData::o.n==a][JsonData::o.only]"],
        object(&[("o", object(&[("n", string("a")), ("x", Json::Null)]))])
    ));
    assert!(!posts(&["/a[JsonData::n?=.*]"], object(&[("N", Json::Null)])));
}

#[test]
fn ranges_are_compared_by_their_digits() {
    let holds = |range: &str, value: &str| {
        let line = format!("/a[QueryParam::n{range}]");
        allows(&[&line], Method::Get, "/a", &[("n", value)], Body::Absent)
    };
    assert!(holds("<=1.5", "1.50") && !holds("<1.5", "1.5") && holds(">-0.5", "0") && holds("?<5", "-7"));
    assert!(
        !holds("<5", "05")
            && !holds("<5", "-0")
            && !holds("<5", "1e0")
            && !holds("<5", "")
            && !holds(">5", "1000000000000000")
    );
    assert!(
        holds(">=2018-02-28", "2020-02-29")
            && !holds(">=2018-02-28", "2019-02-29")
            && !holds(">=2018-02-28", "7")
    );
    let forbidden = |value: &str| {
        !allows(
            &["/.*", "!/a[QueryParam::n>5]"],
            Method::Get,
            "/a",
            &[("n", value)],
            Body::Absent,
        )
    };
    assert!(forbidden("6") && forbidden("x") && !forbidden("5"));
}
