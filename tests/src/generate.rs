//! Policies and requests at random, of few words, so that they meet.

use proptest::{collection::vec, option, prelude::*, sample::select};
use tokenward_compiler::{decide::Media, method::Method};

use crate::reference::{Body, Json, Request};

/// Pieces of URL regexps; some are of one path, some of many, some reach into the base URL.
const URL_STARTS: &[&str] = &[
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
const URL_ENDS: &[&str] = &[
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
const VALUES: &[&str] = &[
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
];
const NAMES: &[&str] = &["n", "m", "o", "n[x]", "N"];
const TEXTS: &[&str] = &[
    "a", "b", "ab", "aab", "1", "12", "true", "null", "", "é", "1.0", "A",
];

fn line() -> impl Strategy<Value = String> {
    let methods = select(&["", "[get]", "[post,put]", "[get|delete]", "[POST]"][..]);
    let url = (select(URL_STARTS), select(URL_ENDS)).prop_map(|(start, end)| format!("{start}{end}"));
    let operator = select(&["==", "!=", "?="][..]);
    let kind = select(&["", "", "", ":string", ":number", ":boolean", ":null"][..]);
    let path = select(
        &[
            "n", "m", "o.n", "o", "l[*]", "l[*].n", "l[*][*]", "o.l[*].n", "\"n[x]\"",
        ][..],
    );
    let query_name = select(&["n", "m", "\"n[x]\"", "o"][..]);
    let query = prop_oneof![
        8 => (query_name, operator.clone(), select(VALUES)).prop_map(|(name, operator, value)| format!("[QueryParam::{name}{operator}{value}]")),
        1 => Just("[QueryParam::only]".to_owned()),
    ];
    let json = prop_oneof![
        8 => (path, kind, operator, select(VALUES)).prop_map(|(path, kind, operator, value)| format!("[JsonData::{path}{kind}{operator}{value}]")),
        1 => select(&["only", "o.only", "l[*].only"][..]).prop_map(|path| format!("[JsonData::{path}]")),
    ];
    let constraints = vec(prop_oneof![query, json], 0..4).prop_map(|parts| parts.concat());
    (prop::bool::weighted(0.25), methods, url, constraints).prop_map(|(forbid, methods, url, constraints)| {
        let constraints = if forbid {
            constraints
                .replace("[QueryParam::only]", "")
                .replace("[JsonData::only]", "")
        } else {
            constraints
        };
        let constraints = if forbid {
            constraints
                .replace("[JsonData::o.only]", "")
                .replace("[JsonData::l[*].only]", "")
        } else {
            constraints
        };
        format!("{}{methods}{url}{constraints}", if forbid { "!" } else { "" })
    })
}

/// A token file of one token with up to eight lines.
pub fn policy() -> impl Strategy<Value = String> {
    (vec(line(), 1..8), prop::bool::weighted(0.1)).prop_map(|(lines, unrestricted)| {
        format!(
            "[[token]]\nname = \"t\"\nuser = \"u\"\nunrestricted = {unrestricted}\nexpires = 2030-01-01\nsecret_hash = \"sha256:{}\"\nlimit_to = '''\n{}\n'''\n",
            "11".repeat(32),
            lines.join("\n")
        )
    })
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Boolean),
        select(&["1", "12", "1.0", "1e0", "-0", "0", "1.5", "100"][..])
            .prop_map(|digits| Json::Number(digits.to_owned())),
        select(TEXTS).prop_map(|text| Json::String(text.to_owned())),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Json::Array),
            vec((select(&["n", "m", "o", "l", "x", "n[x]", "N"][..]), inner), 0..4).prop_map(object),
        ]
    })
}

fn object(members: Vec<(&str, Json)>) -> Json {
    let mut unique: Vec<(String, Json)> = Vec::new();
    for (name, value) in members {
        if unique.iter().all(|(known, _)| known != name) {
            unique.push((name.to_owned(), value));
        }
    }
    Json::Object(unique)
}

fn body() -> impl Strategy<Value = Body> {
    let root = vec((select(&["n", "m", "o", "l", "x", "n[x]"][..]), json()), 0..4).prop_map(object);
    prop_oneof![
        2 => Just(Body::Absent),
        5 => root.prop_map(Body::Json),
        1 => json().prop_map(Body::Json),
        1 => Just(Body::Broken),
        1 => select(&[Media::Form, Media::Multipart, Media::Other][..]).prop_map(Body::Opaque),
    ]
}

/// A request that a generated policy may well permit.
pub fn request() -> impl Strategy<Value = Request> {
    let method =
        select(&["GET", "POST", "PUT", "DELETE", "HEAD", "PROPFIND"][..]).prop_map(Method::from_token);
    let start = select(
        &[
            "/rest",
            "/REST",
            "/b",
            "/rest/a",
            "/ctx/rest",
            "/resty",
            "/r\u{17F}st",
        ][..],
    );
    let end = select(
        &[
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
        ][..],
    );
    let query = vec((select(NAMES), option::weighted(0.9, select(TEXTS))), 0..4);
    (method, start, end, query, body()).prop_map(|(method, start, end, query, body)| Request {
        method,
        path: format!("{start}{end}"),
        query: query
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
            .collect(),
        body,
    })
}
