//! Policies and requests at random, of few words, so that they meet.

use proptest::{collection::vec, option, prelude::*, sample::select};
use tokenward_compiler::{decide::Media, method::Method};

use crate::reference::{Body, Json, MOST_NESTING, Request};

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
    "^/rest",
    "(?i)^/REST",
    "^(?i)/Rest",
    "{JIRA_URL}/rest",
    "{CONFLUENCE_URL}/(rest|b)",
    "/(rest|b|resty|x)",
    "/(?i:rest)",
    "/[r-t[b]]\\w*",
    "/{USER}",
    "https?://.*/rest",
    "/x|/.*/rest",
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
    "/a$",
    "(/a)?$",
    "/[[:alpha:]]+",
    "/[\\w&&[^\\d]]+",
    "/\\p{L}+",
    "/\\P{Lu}+",
    "/\\x61b?",
    "/\\D+",
    "/\\S*/c",
    "/.*?(?:a|b|c)-?.*?",
    "/(k|K1|K2|K3|ab)-.*",
    "/a{2,}",
    "/(?P<k>k)-\\d+.*",
    "/[^\\W_]+",
    "/.*(a|b).*(c|d).*",
    "/(?i:A)/b",
    "/(?-i:a)b",
    "/[a-d--b]+",
    "/.*X.*",
    "/{USER}",
    "/[\\]\\[a]",
    "/a\\.json",
    "/[^a-z]+",
    "/(a(b(c)?)?)+d?",
    "/[a-c&&[^b]]/?",
    "/(.*/)?c",
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
    "{USER}",
    "({USER}|a).*",
    "{JIRA_URL}/.*",
    "x{BASE_URL}?",
    "^a$",
    "^a|b$",
    "(?i)TRUE",
    "[[:digit:]]+",
    "\\p{Lu}",
    "[^\\]]*",
    "\\x41",
    "a\\|b",
    "[=]a",
    "\\x20",
    "(a|b){1,2}",
    "-?\\d+(\\.\\d+)?",
    "(K1|K2|K3|K4)-.*",
    ".*X.*Y.*",
    "a.*|.*b|.*1",
    "\\w+",
    "[^a-z]",
    ".*\\bb",
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
    "<=999999999999999",
    ">-1",
    "?>=0.00000000000001",
    ">=2020-02-29",
    "?<=2018-02-28",
    "<=-0.5",
    ">=1.0",
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
    ":number>=-1",
    ":string<2020-01-01",
    ":string|number|null?<=1.5",
];
pub(crate) const NAMES: &[&str] = &["n", "m", "o", "n[x]", "N", "a.b", "f[]", "a:b", "n[m]"];
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
    "u",
    "U",
    "K2-1",
    "aXbY",
    "]",
    " ",
    "a|b",
    "=a",
    "\u{17F}",
    "1000000000000000",
    "-0",
    "-0.5",
    "0.00000000000001",
    "1900-02-29",
    "TRUE",
    "xhttps://h",
    "https://h/ctx/x",
    "a\nb",
];

pub(crate) const METHODS: &[&str] = &[
    "",
    "[get]",
    "[post,put]",
    "[get|delete]",
    "[POST]",
    "[Get,HEAD]",
    "[put|patch,options]",
];
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
    ":string|number|boolean|null",
    ":null|string",
];
pub(crate) const NODES: &[&str] = &[
    "n",
    "N",
    "m",
    "o.n",
    "o.N",
    "o",
    "l[*]",
    "l[*].n",
    "l[*][*]",
    "o.l[*].n",
    "\"n[x]\"",
    "$",
    "$[*]",
    "$[*].n",
    "$.n",
    "\"$\"",
    "\"a.b\"",
    "o.\"a.b\"",
    "o.l[*][*].n",
    "$.o.n",
    "$[*][*]",
    "\"o\".n",
    "\"$\".n",
    "$ref",
    "\"a:b\"",
];
pub(crate) const PARAMETERS: &[&str] = &["n", "m", "\"n[x]\"", "o", "\"a.b\"", "a.b", "\"f[]\"", "\"a:b\""];
pub(crate) const ONLY: &[&str] = &[
    "only",
    "o.only",
    "l[*].only",
    "$.only",
    "$[*].only",
    "\"o\".only",
    "o.l[*].only",
    "\"$\".only",
];
pub(crate) const DIGITS: &[&str] = &[
    "1",
    "12",
    "1.0",
    "1e0",
    "-0",
    "0",
    "1.5",
    "100",
    "-1",
    "-0.50",
    "5e2",
    "5",
    "1000000000000000",
    "0.00000000000001",
    "-0.5",
    "2.50",
];
pub(crate) const MEMBERS: &[&str] = &[
    "n", "m", "o", "l", "x", "n[x]", "N", "$", "a.b", "$ref", "a:b", "O",
];
pub(crate) const REQUEST_METHODS: &[&str] = &[
    "GET", "POST", "PUT", "DELETE", "HEAD", "PROPFIND", "PATCH", "OPTIONS",
];
pub(crate) const PATH_STARTS: &[&str] = &[
    "/rest",
    "/REST",
    "/b",
    "/rest/a",
    "/ctx/rest",
    "/resty",
    "/r\u{17F}st",
    "/u",
    "/x",
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
    "/u",
    "/K1-9",
    "/a.JSON",
    "/a.json.xml",
    "/a.xml/",
    "/a-",
    "/_",
    "/a b",
    "/X",
    "/.json",
    "/É",
    "/ABC",
    "/[a",
];

/// What may stand between the parts of a line, and means nothing.
pub(crate) const BLANKS: &[&str] = &["", "", "", " ", "\t"];

fn query_constraint() -> impl Strategy<Value = String> {
    let name = || select(PARAMETERS);
    prop_oneof![
        8 => (name(), select(OPERATORS), select(VALUES)).prop_map(|(name, operator, value)| format!("[QueryParam::{name}{operator}{value}]")),
        3 => (name(), select(RANGES)).prop_map(|(name, range)| format!("[QueryParam::{name}{range}]")),
        1 => Just("[QueryParam::only]".to_owned()),
    ]
}

fn json_constraint() -> impl Strategy<Value = String> {
    let path = || select(NODES);
    prop_oneof![
        8 => (path(), select(KINDS), select(OPERATORS), select(VALUES)).prop_map(|(path, kind, operator, value)| format!("[JsonData::{path}{kind}{operator}{value}]")),
        2 => (path(), select(RANGE_KINDS), select(RANGES)).prop_map(|(path, kinds, range)| format!("[JsonData::{path}{kinds}{range}]")),
        1 => (path(), select(TYPED_RANGES)).prop_map(|(path, range)| format!("[JsonData::{path}{range}]")),
        1 => select(ONLY).prop_map(|path| format!("[JsonData::{path}]")),
    ]
}

/// A limit line.
pub fn line() -> impl Strategy<Value = String> {
    let url = (select(URL_STARTS), select(URL_ENDS)).prop_map(|(start, end)| format!("{start}{end}"));
    let constraints = vec(prop_oneof![query_constraint(), json_constraint()], 0..4);
    let blanks = select(BLANKS);
    (
        prop::bool::weighted(0.25),
        select(METHODS),
        url,
        constraints,
        blanks,
    )
        .prop_map(|(forbid, methods, url, mut constraints, blank)| {
            if forbid {
                constraints.retain(|constraint| !constraint.ends_with("only]"));
            }
            let effect = if forbid { "!" } else { "" };
            let between = if methods.is_empty() { "" } else { blank };
            let constraints: Vec<String> = constraints
                .iter()
                .map(|constraint| format!("{blank}{constraint}"))
                .collect();
            format!("{effect}{methods}{between}{url}{}", constraints.concat())
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

/// JSON that servers read in different ways, or not at all: a name twice, a control character in one, and nesting past its limit.
fn doubtful() -> impl Strategy<Value = Json> {
    let nested = select(&[127, MOST_NESTING, MOST_NESTING + 1][..])
        .prop_map(|depth| (1..depth).fold(Json::Array(Vec::new()), |inner, _| Json::Array(vec![inner])));
    let twice = || {
        (select(MEMBERS), json(), json()).prop_map(|(name, one, other)| {
            Json::Object(vec![(name.to_owned(), one), (name.to_owned(), other)])
        })
    };
    let control = json().prop_map(|value| Json::Object(vec![("n\n".to_owned(), value)]));
    prop_oneof![
        nested.clone(),
        // Under a name that no line has: another spelling would be refused before the nesting is.
        nested.prop_map(|nested| object(vec![("x", nested)])),
        twice(),
        twice().prop_map(|twice| object(vec![("x", twice)])),
        control,
    ]
}

/// A body.
pub fn body() -> impl Strategy<Value = Body> {
    let root = vec(
        (
            select(&["n", "N", "m", "M", "o", "l", "x", "n[x]", "a.b"][..]),
            json(),
        ),
        0..4,
    )
    .prop_map(object);
    prop_oneof![
        2 => Just(Body::Absent),
        5 => root.prop_map(Body::Json),
        2 => json().prop_map(Body::Json),
        1 => doubtful().prop_map(Body::Json),
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

#[cfg(test)]
mod tests {
    use tokenward_compiler::{compile, diagnostic::Severity, source::SourceSet};

    use super::*;

    /// Each word by itself, in a permit line: a line without conditions on names that only a body has is never dead.
    #[test]
    fn every_word_compiles() {
        let of = |words: &[&str], line: &dyn Fn(&str) -> String| {
            words.iter().map(|word| line(word)).collect::<Vec<_>>()
        };
        let lines = [
            of(URL_STARTS, &|start| format!("{start}/a")),
            of(URL_ENDS, &|end| format!("/rest{end}")),
            of(METHODS, &|methods| format!("{methods}/a")),
            of(VALUES, &|value| format!("/a[QueryParam::n=={value}]")),
            of(RANGES, &|range| format!("/a[QueryParam::n{range}]")),
            of(RANGE_KINDS, &|kinds| format!("/a[JsonData::n{kinds}<5]")),
            of(TYPED_RANGES, &|range| format!("/a[JsonData::n{range}]")),
            of(KINDS, &|kinds| format!("/a[JsonData::n{kinds}==.*]")),
            of(NODES, &|node| format!("/a[JsonData::{node}==a]")),
            of(PARAMETERS, &|name| format!("/a[QueryParam::{name}==a]")),
            of(ONLY, &|only| format!("/a[JsonData::{only}]")),
        ];
        let mut wrong = Vec::new();
        for line in lines.concat() {
            let sources = SourceSet::from_files([(
                "t.toml".to_owned(),
                token_file(std::slice::from_ref(&line), false),
            )]);
            let errors = compile(&sources).diagnostics.into_iter();
            let errors: Vec<_> = errors.filter(|found| found.severity == Severity::Error).collect();
            wrong.extend(
                errors
                    .into_iter()
                    .map(|error| format!("{line}: {}", error.headline)),
            );
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
