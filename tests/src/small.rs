//! A small world: lines over few words, and all requests that matter to them. Brute force is the oracle of proofs.

use std::sync::LazyLock;

use proptest::{prelude::*, sample::select};
use tokenward_compiler::{
    decide::{self, Decision, Media, Param},
    ir::{Program, TokenId},
    json::{self, ReadError},
    method::Method,
};

use crate::reference;

/// A line over few words, so that all requests that matter can be counted up.
pub fn line() -> impl Strategy<Value = String> {
    let url = select(
        &[
            "/a", "/b", "/[ab]", "/.*", "/a*", "/(a|b)*", "/a/.*", "/a(/b)?", "/[^/]", "/.*b", "/a+b*",
            "/a{2}",
        ][..],
    );
    let methods = select(&["", "", "[post]", "[get]", "[get,post]"][..]);
    let value = || select(&["a", "b", "a|b", ".*", "", "1", "a*", ".", "[^a]*", "true"][..]);
    let operator = || select(&["==", "!=", "?="][..]);
    let range =
        || select(&["<=1", ">1", "<1.0", "?>=1", "?<2018-01-01", ">=2018-01-01"][..]).prop_map(str::to_owned);
    let test = || {
        let match_of = (operator(), value()).prop_map(|(operator, value)| format!("{operator}{value}"));
        prop_oneof![3 => match_of, 1 => range()]
    };
    let query =
        (select(&["n", "m"][..]), test()).prop_map(|(name, test)| format!("[QueryParam::{name}{test}]"));
    let kind = select(&["", "", ":string", ":number|string", ":string|null"][..]);
    let path = select(&["n", "N", "l[*]", "o.n", "l", "l[*].n", "o", "$", "$[*]", "$[*].n"][..]);
    let typed = (kind, test()).prop_map(|(kind, test)| format!("{kind}{test}"));
    let number = (operator(), value()).prop_map(|(operator, value)| format!(":number{operator}{value}"));
    let body = (path, prop_oneof![4 => typed, 1 => number])
        .prop_map(|(path, test)| format!("[JsonData::{path}{test}]"));
    let only = select(
        &[
            "[QueryParam::only]",
            "[JsonData::only]",
            "[JsonData::o.only]",
            "[JsonData::l[*].only]",
            "[JsonData::$[*].only]",
        ][..],
    )
    .prop_map(str::to_owned);
    let constraints = prop::collection::vec(prop_oneof![4 => query, 6 => body, 1 => only], 0..3);
    (prop::bool::weighted(0.25), methods, url, constraints).prop_map(
        |(forbid, methods, url, mut constraints)| {
            if forbid {
                constraints.retain(|constraint| !constraint.contains("only"));
            }
            format!(
                "{}{methods}{url}{}",
                if forbid { "!" } else { "" },
                constraints.concat()
            )
        },
    )
}

/// Every path of up to five of these characters that the proxy accepts.
fn paths() -> Vec<String> {
    let mut paths = vec!["/".to_owned()];
    let mut longest = paths.clone();
    for _ in 0..3 {
        longest = longest
            .iter()
            .flat_map(|path| ["a", "b", "/", "c"].map(|more| format!("{path}{more}")))
            .collect();
        paths.extend(longest.iter().filter(|path| !path.contains("//")).cloned());
    }
    paths
}

const QUERIES: &[&[(&str, &str)]] = &[
    &[],
    &[("n", "")],
    &[("n", "a")],
    &[("n", "b")],
    &[("n", "a"), ("n", "b")],
    &[("m", "a")],
    &[("n", "1"), ("m", "b")],
    &[("x", "a")],
    &[("n[x]", "a")],
    &[("l", "a"), ("n", "a")],
    &[("n", "2"), ("m", "2018-02-29")],
    &[("n", "2018-01-01")],
];

const BODIES: &[&str] = &[
    "{}",
    "[]",
    "{\"n\": \"a\"}",
    "{\"n\": \"b\"}",
    "{\"n\": 1}",
    "{\"n\": 1.0}",
    "{\"n\": []}",
    "{\"n\": [\"a\", \"b\"]}",
    "{\"n\": {}}",
    "{\"n\": null}",
    "{\"n\": true}",
    "{\"l\": []}",
    "{\"l\": [\"a\"]}",
    "{\"l\": [\"a\", 1]}",
    "{\"l\": [[\"b\"], {}]}",
    "{\"l\": \"a\"}",
    "{\"l\": [{\"n\": \"a\"}]}",
    "{\"l\": [{\"n\": \"a\"}, {\"n\": \"b\"}]}",
    "{\"l\": [{\"n\": \"a\"}, {}]}",
    "{\"l\": [{\"x\": 1}]}",
    "{\"l\": [{\"n\": \"a\"}, \"a\"]}",
    "{\"o\": {}}",
    "{\"o\": {\"n\": \"a\"}}",
    "{\"o\": {\"n\": \"b\", \"x\": 1}}",
    "{\"o\": [{\"n\": \"a\"}]}",
    "{\"o\": \"a\", \"x\": 1}",
    "{\"n\": \"a\", \"o\": {\"n\": \"a\"}, \"l\": [\"a\"]}",
    "{\"l\": {\"n\": \"a\"}}",
    "{\"n\": 2}",
    "{\"N\": \"a\"}",
    "{\"n\": \"a\", \"N\": \"a\"}",
    "{\"o\": {\"N\": 1}}",
    "{\"n\": [0, null]}",
    "{\"n\": \"2018-01-01\"}",
    "\"a\"",
    "1",
    "null",
    "[\"a\", 2]",
    "[{\"n\": \"a\"}]",
    "[{\"n\": 1}, {}]",
    "[[\"b\"]]",
    "{",
    "form",
    "other",
];

/// What a token says; `None` for bodies that it refuses to judge.
fn allowed(
    (program, token): (&Program, TokenId),
    method: Method,
    path: &str,
    query: &[Param<'_>],
    body: Option<&str>,
) -> Option<bool> {
    let unread = match body {
        None => decide::Body::Absent,
        Some("form") => decide::Body::Unread(Media::Form),
        Some("other") => decide::Body::Unread(Media::Other),
        Some(_) => decide::Body::Unread(Media::Json),
    };
    let mut request = decide::Request {
        token,
        method,
        path,
        query,
        body: unread,
    };
    let nodes;
    if let Decision::NeedsBody(wanted) = decide::decide(program, &request) {
        request.body = match json::read(body.unwrap_or_default().as_bytes(), &wanted) {
            Ok(read) => {
                nodes = read;
                decide::Body::Read(&nodes)
            }
            Err(ReadError::NotJson { .. }) => decide::Body::Unreadable,
            Err(_) => return None,
        };
        return Some(matches!(decide::decide(program, &request), Decision::Allow(_)));
    }
    Some(matches!(decide::decide(program, &request), Decision::Allow(_)))
}

fn as_reference(value: serde_json::Value) -> reference::Json {
    match value {
        serde_json::Value::Null => reference::Json::Null,
        serde_json::Value::Bool(value) => reference::Json::Boolean(value),
        serde_json::Value::Number(digits) => reference::Json::Number(digits.to_string()),
        serde_json::Value::String(text) => reference::Json::String(text),
        serde_json::Value::Array(elements) => {
            reference::Json::Array(elements.into_iter().map(as_reference).collect())
        }
        serde_json::Value::Object(members) => {
            let members = members.into_iter();
            reference::Json::Object(members.map(|(name, value)| (name, as_reference(value))).collect())
        }
    }
}

/// A request of the small world.
#[derive(Clone, Debug)]
pub struct SmallRequest {
    method: Method,
    path: &'static str,
    query: &'static [(&'static str, &'static str)],
    body: Option<&'static str>,
}

impl SmallRequest {
    /// The same request as the reference reads it.
    #[must_use]
    pub fn as_reference(&self) -> reference::Request {
        let query = self.query.iter();
        reference::Request {
            method: self.method,
            path: self.path.to_owned(),
            query: query
                .map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())))
                .collect(),
            body: match self.body {
                None => reference::Body::Absent,
                Some("form") => reference::Body::Opaque(Media::Form),
                Some("other") => reference::Body::Opaque(Media::Other),
                Some(text) => match serde_json::from_str(text) {
                    Ok(value) => reference::Body::Json(as_reference(value)),
                    Err(_) => reference::Body::Broken,
                },
            },
        }
    }

    /// Whether a program's first token allows it; `None` for a body that it refuses to judge.
    #[must_use]
    pub fn allowed_by(&self, program: &Program) -> Option<bool> {
        let (token, _) = program.tokens().next()?;
        self.allowed(program, token)
    }

    /// Whether a token allows it; `None` for a body that the program refuses to judge.
    #[must_use]
    pub fn allowed(&self, program: &Program, token: TokenId) -> Option<bool> {
        let query: Vec<Param<'_>> = self
            .query
            .iter()
            .map(|(name, value)| Param {
                name,
                value: Some(value),
            })
            .collect();
        allowed((program, token), self.method, self.path, &query, self.body)
    }
}

/// All of them: every path, query and body, by POST, and by GET without a body.
pub fn requests() -> impl Iterator<Item = SmallRequest> {
    static PATHS: LazyLock<Vec<String>> = LazyLock::new(paths);
    PATHS.iter().flat_map(|path| {
        QUERIES.iter().flat_map(move |query| {
            let bodies = std::iter::once(None).chain(BODIES.iter().copied().map(Some));
            let posts = bodies.map(|body| (Method::Post, body));
            posts
                .chain([(Method::Get, None)])
                .map(move |(method, body)| SmallRequest {
                    method,
                    path,
                    query,
                    body,
                })
        })
    })
}
