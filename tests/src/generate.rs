//! Policies and requests at random, of few words, so that they meet.

use proptest::{collection::vec, option, prelude::*, sample::select};
use tokenward_compiler::{decide::Media, method::Method};

use crate::reference::{Body, Json, Request};

/// Pieces of URL regexps; some are of one path, some of many, some reach into the base URL.
pub(crate) const URL_STARTS: &[&str] = &[
    "/rest",
    "/rest/a",
    ".*/rest",
    ".*/a",
    ".*",
    "{BASE_URL}/rest",
    "/[a-z]+",
    "/[^/]+",
    "https://h.*",
    "(?i)/REST",
    "[a-z]+://[^/]+/ctx/rest",
    ".*ctx/rest",
    ".*/",
    "/rest|/b",
    "/(rest|b)",
    "/.*",
    "/r.st",
    "/\\w+",
    "/re?st",
];
pub(crate) const URL_ENDS: &[&str] = &[
    "",
    "/.*",
    ".*",
    "/a",
    "/a.*b",
    "/[0-9]+",
    "/\\d{1,2}",
    "/[ab]{2}",
    "/k-[0-9]+/c.*",
    "/[^/]*/c",
    "/a?b",
    "(/a|/b)*",
    "/\\d+.*5",
    "/(a|ab)(c|bcd)",
    "/.",
    "/é",
    "/[a-z]*[0-9]+",
    "/.*a.*b",
    "/aba.*aba",
    "/\\bab\\b.*",
    "/a*b*",
    "/[^a]",
    "/.{2,}x",
    ".*/c",
    "/x.*\\d",
];
pub(crate) const VALUES: &[&str] = &[
    "a",
    "a.*",
    ".*",
    "[0-9]+",
    "\\d",
    "a|b",
    "true|false",
    "1",
    "",
    ".",
    "[^a]",
    "null",
    ".*b",
    "a+b",
    "{BASE_URL}",
    "{BASE_URL}|a",
];
/// An operator and a bound.
pub(crate) const RANGES: &[&str] = &[
    "<5",
    "<=1.5",
    ">0",
    ">=12",
    "?<=100",
    "?>-0.5",
    "<0",
    ">=2018-02-28",
    "?<2020-01-01",
    ">2018-02-28",
];
/// Types that go with each of the ranges.
pub(crate) const RANGE_KINDS: &[&str] = &[
    "",
    ":string",
    ":string|number",
    ":string|null",
    ":null|boolean|string",
];
pub(crate) const TYPED_RANGES: &[&str] = &[
    ":number<=1",
    ":number>1",
    ":number|null?>=0",
    ":boolean|number<100",
];
pub(crate) const NAMES: &[&str] = &["n", "m", "o", "n[x]", "N"];
pub(crate) const TEXTS: &[&str] = &[
    "a",
    "b",
    "ab",
    "aab",
    "1",
    "12",
    "true",
    "null",
    "",
    "é",
    "1.0",
    "A",
    "5",
    "-1",
    "05",
    "2018-02-28",
    "2018-02-29",
    "2020-02-29",
    "https://h",
    "https://h/ctx",
];

pub(crate) const METHODS: &[&str] = &["", "[get]", "[post,put]", "[get|delete]", "[POST]"];
pub(crate) const OPERATORS: &[&str] = &["==", "!=", "?="];
pub(crate) const KINDS: &[&str] = &[
    "",
    "",
    "",
    ":string",
    ":number",
    ":boolean",
    ":null",
    ":string|null",
    ":number|boolean",
];
pub(crate) const NODES: &[&str] = &[
    "n", "m", "o.n", "o", "l[*]", "l[*].n", "l[*][*]", "o.l[*].n", "\"n[x]\"", "$", "$[*]", "$[*].n", "$.n",
    "\"$\"",
];
pub(crate) const PARAMETERS: &[&str] = &["n", "m", "\"n[x]\"", "o"];
pub(crate) const ONLY: &[&str] = &["only", "o.only", "l[*].only", "$.only", "$[*].only"];
pub(crate) const DIGITS: &[&str] = &[
    "1", "12", "1.0", "1e0", "-0", "0", "1.5", "100", "-1", "-0.50", "5e2",
];
pub(crate) const MEMBERS: &[&str] = &["n", "m", "o", "l", "x", "n[x]", "N", "$"];
pub(crate) const REQUEST_METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE", "HEAD", "PROPFIND"];
pub(crate) const PATH_STARTS: &[&str] = &[
    "/rest",
    "/REST",
    "/b",
    "/rest/a",
    "/ctx/rest",
    "/resty",
    "/r\u{17F}st",
];
pub(crate) const PATH_ENDS: &[&str] = &[
    "",
    "/",
    "/a",
    "/a/b",
    "/12",
    "/125",
    "/7",
    "/ab",
    "/k-7/comment",
    "/x/c",
    "/b.json",
    "/a.xml/",
    "/ac",
    "/abcd",
    "/é",
    "/ab1",
    "/ababab",
    "/abaXaba",
    "/A/B",
    "/aab",
    "/a\nb",
    "/ééx",
    "/c/c",
    "/x9y8",
];

/// A limit line.
pub fn line() -> impl Strategy<Value = String> {
    let methods = select(METHODS);
    let url = (select(URL_STARTS), select(URL_ENDS)).prop_map(|(start, end)| format!("{start}{end}"));
    let operator = select(OPERATORS);
    let kind = select(KINDS);
    let path = select(NODES);
    let query_name = select(PARAMETERS);
    let query = prop_oneof![
        8 => (query_name.clone(), operator.clone(), select(VALUES)).prop_map(|(name, operator, value)| format!("[QueryParam::{name}{operator}{value}]")),
        3 => (query_name, select(RANGES)).prop_map(|(name, range)| format!("[QueryParam::{name}{range}]")),
        1 => Just("[QueryParam::only]".to_owned()),
    ];
    let json = prop_oneof![
        8 => (path.clone(), kind, operator, select(VALUES)).prop_map(|(path, kind, operator, value)| format!("[JsonData::{path}{kind}{operator}{value}]")),
        2 => (path.clone(), select(RANGE_KINDS), select(RANGES)).prop_map(|(path, kinds, range)| format!("[JsonData::{path}{kinds}{range}]")),
        1 => (path, select(TYPED_RANGES)).prop_map(|(path, range)| format!("[JsonData::{path}{range}]")),
        1 => select(ONLY).prop_map(|path| format!("[JsonData::{path}]")),
    ];
    let constraints = vec(prop_oneof![query, json], 0..4).prop_map(|parts| parts.concat());
    (prop::bool::weighted(0.25), methods, url, constraints).prop_map(|(forbid, methods, url, constraints)| {
        let closed = ONLY.iter().map(|path| format!("[JsonData::{path}]"));
        let constraints = match forbid {
            true => closed
                .chain(["[QueryParam::only]".to_owned()])
                .fold(constraints, |constraints, only| constraints.replace(&only, "")),
            false => constraints,
        };
        format!("{}{methods}{url}{constraints}", if forbid { "!" } else { "" })
    })
}

/// A token file of one token with a few lines, or with so many that they have an index.
pub fn policy() -> impl Strategy<Value = String> {
    let lines = prop_oneof![9 => vec(line(), 1..8), 1 => vec(line(), 16..32)];
    (lines, prop::bool::weighted(0.1)).prop_map(|(lines, unrestricted)| token_file(&lines, unrestricted))
}

/// A token file of one token with these lines.
#[must_use]
pub fn token_file(lines: &[String], unrestricted: bool) -> String {
    format!(
        "[[token]]\nname = \"t\"\nuser = \"u\"\nunrestricted = {unrestricted}\nexpires = 2030-01-01\nsecret_hash = \"sha256:{}\"\nlimit_to = '''\n{}\n'''\n",
        "11".repeat(32),
        lines.join("\n")
    )
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Boolean),
        select(DIGITS).prop_map(|digits| Json::Number(digits.to_owned())),
        select(TEXTS).prop_map(|text| Json::String(text.to_owned())),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Json::Array),
            vec((select(MEMBERS), inner), 0..4).prop_map(object),
        ]
    })
}

pub(crate) fn object(members: Vec<(&str, Json)>) -> Json {
    let mut unique: Vec<(String, Json)> = Vec::new();
    for (name, value) in members {
        if unique.iter().all(|(known, _)| known != name) {
            unique.push((name.to_owned(), value));
        }
    }
    Json::Object(unique)
}

/// A body.
pub fn body() -> impl Strategy<Value = Body> {
    let root = vec((select(&["n", "m", "o", "l", "x", "n[x]"][..]), json()), 0..4).prop_map(object);
    prop_oneof![
        2 => Just(Body::Absent),
        5 => root.prop_map(Body::Json),
        2 => json().prop_map(Body::Json),
        1 => Just(Body::Broken),
        1 => select(&[Media::Form, Media::Multipart, Media::Other][..]).prop_map(Body::Opaque),
    ]
}

/// A decoded path below the base URL.
pub fn path() -> impl Strategy<Value = String> {
    (select(PATH_STARTS), select(PATH_ENDS)).prop_map(|(start, end)| format!("{start}{end}"))
}

/// Decoded parameters.
pub fn query() -> impl Strategy<Value = Vec<(String, Option<String>)>> {
    let parameter = (select(NAMES), option::weighted(0.9, select(TEXTS)));
    let parameter = parameter.prop_map(|(name, value)| (name.to_owned(), value.map(str::to_owned)));
    vec(parameter, 0..4)
}

/// A request that a generated policy may well permit.
pub fn request() -> impl Strategy<Value = Request> {
    let method = select(REQUEST_METHODS).prop_map(Method::from_token);
    (method, path(), query(), body()).prop_map(|(method, path, query, body)| Request {
        method,
        path,
        query,
        body,
    })
}
