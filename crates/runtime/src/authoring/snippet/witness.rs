//! A call that the proxy would let through for a token: from each line in turn, texts that its parts match, put together
//! and asked of the proxy's own reading and decision.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use tokenward_compiler::ast::Effect;
use tokenward_compiler::ir::{Matcher, Program, TokenId};
use tokenward_compiler::json::{Kind, Kinds, Step};
use tokenward_compiler::method::Method;
use tokenward_compiler::policy::{Limit, Pattern, Token};
use tokenward_compiler::range::Bound;
use tokenward_compiler::regexp::BASE_URL_MARK;
use tokenward_compiler::source::Span;
use tokenward_pdp::rehearse::would_allow;
use tokenward_pdp::request::{Framing, RawHead, Rules, Version};

use super::sample::samples;

/// Paths that are tried of one line.
const PATHS: usize = 24;
/// Values that are tried of one constraint.
const VALUES: usize = 8;

/// A call that a token may make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The whole public URL, encoded.
    pub(crate) url: String,
    /// Body of the call, JSON.
    pub(crate) body: Option<String>,
    /// The line that the call was derived from; absent if the token is unrestricted.
    pub(crate) line: Option<Span>,
}

/// The policy and rules that a request is checked against.
pub(crate) struct Asked<'a> {
    /// The bound program.
    pub(crate) program: &'a Program,
    pub(crate) rules: &'a Rules,
    pub(crate) id: TokenId,
}

/// The first call found that the proxy lets through, from the token's lines in order. `None`: there may be one all the
/// same.
pub(crate) fn witness(asked: &Asked<'_>, token: &Token, endpoints: &[String]) -> Option<Call> {
    let permits = token.limits.iter().filter(|limit| limit.effect == Effect::Permit);
    let of_lines = permits.filter_map(|limit| of_line(asked, limit));
    let first = of_lines.into_iter().next();
    first.or_else(|| {
        let anywhere = token
            .attributes
            .unrestricted
            .then(|| of_endpoints(asked, endpoints));
        anywhere.flatten()
    })
}

fn of_endpoints(asked: &Asked<'_>, endpoints: &[String]) -> Option<Call> {
    let paths = endpoints.iter().map(|endpoint| endpoint.trim_end_matches('*'));
    paths
        .filter_map(|path| asked.call(Method::Get, path, &[], None, None))
        .next()
}

fn of_line(asked: &Asked<'_>, limit: &Limit) -> Option<Call> {
    const METHODS: [Method; 7] = [
        Method::Get,
        Method::Post,
        Method::Put,
        Method::Patch,
        Method::Delete,
        Method::Head,
        Method::Options,
    ];
    let needs_body = limit.nodes.iter().any(|node| node.operator.needs_value());
    let mut methods: Vec<Method> = METHODS
        .into_iter()
        .filter(|method| limit.methods.contains(*method))
        .collect();
    // With a body those that have one come first.
    methods.sort_by_key(|method| needs_body && !carries_body(*method));
    let (paths, base) = (paths(asked, limit), asked.rules.base().as_str());
    for method in methods {
        for path in &paths {
            for turn in 0..VALUES {
                let query = query(limit, base, turn);
                let bodies = match (needs_body, carries_body(method)) {
                    (true, _) => vec![Some(body(limit, base, turn).to_string())],
                    (false, true) => vec![Some("{}".to_owned()), None],
                    (false, false) => vec![None],
                };
                for body in bodies {
                    if let Some(call) = asked.call(method, path, &query, body.as_deref(), Some(limit.span)) {
                        return Some(call);
                    }
                }
                if limit.params.is_empty() && !needs_body {
                    break;
                }
            }
        }
    }
    None
}

fn carries_body(method: Method) -> bool {
    matches!(method, Method::Post | Method::Put | Method::Patch)
}

/// Paths below the base that the line's URL may be about.
fn paths(asked: &Asked<'_>, limit: &Limit) -> Vec<String> {
    let base = asked.rules.base().as_str();
    let of = |text: String| {
        let text = text.replace(BASE_URL_MARK, base);
        if let Some(below) = text.strip_prefix(base) {
            return below.to_owned();
        }
        if text.starts_with('/') {
            return text;
        }
        // The regexp had its own idea of scheme and host.
        let path = text
            .split_once("://")
            .map(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default());
        path.map_or_else(|| format!("/{text}"), str::to_owned)
    };
    let mut paths: Vec<String> = samples(&limit.url.hir, PATHS).into_iter().map(of).collect();
    let mut seen = std::collections::BTreeSet::new();
    paths.retain(|path| seen.insert(path.clone()));
    paths
}

/// The parameters that the line demands, each with its `turn`th value.
fn query(limit: &Limit, base: &str, turn: usize) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for name in limit
        .params
        .iter()
        .filter(|param| param.operator.needs_value())
        .map(|param| &param.name)
    {
        if pairs.iter().any(|(known, _)| known == name) {
            continue;
        }
        let values = limit
            .params
            .iter()
            .filter(|param| param.operator.needs_value() && param.name == *name)
            .map(|param| &param.pattern);
        let values = common_values(&values.collect::<Vec<_>>(), base);
        pairs.extend(turned(values, turn).map(|value| (name.clone(), value)));
    }
    pairs
}

/// The body that the line demands, each node with its `turn`th value.
fn body(limit: &Limit, base: &str, turn: usize) -> Value {
    let mut root = Value::Object(Map::new());
    for node in limit.nodes.iter().filter(|node| node.operator.needs_value()) {
        let same = limit
            .nodes
            .iter()
            .filter(|other| other.operator.needs_value() && other.path == node.path);
        let kinds = same.clone().find_map(|node| node.kinds);
        let patterns: Vec<&Pattern> = same.map(|node| &node.pattern).collect();
        if let Some(text) = turned(common_values(&patterns, base), turn) {
            put(&mut root, &node.path.0, typed(text, kinds));
        }
    }
    root
}

/// Values that may satisfy all of these patterns, those first that do.
fn common_values(patterns: &[&Pattern], base: &str) -> Vec<String> {
    let of_pattern = |pattern: &&Pattern| {
        let bound = pattern.side.zip(Bound::parse(&pattern.text));
        let near = bound.map(|(side, bound)| bound.near(side)).unwrap_or_default();
        let texts = samples(&pattern.hir, VALUES).into_iter();
        near.into_iter()
            .chain(texts.map(|text| text.replace(BASE_URL_MARK, base)))
    };
    let mut values: Vec<String> = patterns.iter().flat_map(of_pattern).collect();
    if let [_, _, ..] = patterns {
        let matchers: Vec<Matcher> = patterns
            .iter()
            .filter_map(|pattern| Matcher::new(&pattern.hir).ok())
            .collect();
        values.sort_by_key(|value| !matchers.iter().all(|matcher| matcher.matches(value)));
    }
    values
}

fn turned(values: Vec<String>, turn: usize) -> Option<String> {
    let at = turn.min(values.len().checked_sub(1)?);
    values.into_iter().nth(at)
}

/// Converts a text to a JSON value: of the type that the line names, otherwise of the type that the text looks like.
fn typed(text: String, kinds: Option<Kinds>) -> Value {
    let read = || serde_json::from_str::<Value>(&text).ok();
    let value = match kinds {
        Some(kinds) if kinds.has(Kind::String) => None,
        Some(_) => read(),
        None => read().filter(|value| value.is_boolean() || value.is_null()),
    };
    value.unwrap_or(Value::String(text))
}

/// Puts a value at a place, making what lacks on the way.
fn put(place: &mut Value, steps: &[Step], value: Value) {
    let Some((step, rest)) = steps.split_first() else {
        *place = value;
        return;
    };
    match step {
        Step::Name(name) => {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            if let Some(members) = place.as_object_mut() {
                put(members.entry(name).or_insert(Value::Null), rest, value);
            }
        }
        Step::Each => {
            if !place.is_array() {
                *place = Value::Array(vec![Value::Null]);
            }
            if let Some(first) = place.as_array_mut().and_then(|items| items.first_mut()) {
                put(first, rest, value);
            }
        }
    }
}

/// Characters to escape in a query: all except unreserved ones (RFC 3986 section 2.3). A path also keeps `/`.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const PATH: &AsciiSet = &QUERY.remove(b'/');

impl Asked<'_> {
    /// The call of these parts, if the proxy lets it through.
    fn call(
        &self,
        method: Method,
        path: &str,
        query: &[(String, String)],
        body: Option<&str>,
        line: Option<Span>,
    ) -> Option<Call> {
        // The URL, encoded as a client would send it.
        let base = self.rules.base();
        let mut url = format!("{}{}", base.as_str(), utf8_percent_encode(path, PATH));
        for (at, (name, value)) in query.iter().enumerate() {
            url.push(if at == 0 { '?' } else { '&' });
            url.push_str(&format!(
                "{}={}",
                utf8_percent_encode(name, QUERY),
                utf8_percent_encode(value, QUERY)
            ));
        }
        // The head of the request that the snippet would make.
        let target = url.strip_prefix(base.origin())?;
        let length = body.unwrap_or_default().len().to_string();
        let mut headers: Vec<(&[u8], &[u8])> = vec![(b"host", base.authority().as_bytes())];
        if body.is_some() {
            headers.push((b"content-type", b"application/json"));
            headers.push((b"content-length", length.as_bytes()));
        }
        let raw = RawHead {
            method: method.as_str(),
            target: target.as_bytes(),
            version: Version::Http11,
            headers: &headers,
            authority: None,
            body: body.map_or(Framing::None, |body| Framing::Length(body.len() as u64)),
        };
        // The same decision as in the proxy, so that no snippet is refused.
        let body_bytes = body.unwrap_or_default().as_bytes();
        would_allow(self.program, self.rules, self.id, &raw, body_bytes).then(|| Call {
            method,
            url,
            body: body.map(str::to_owned),
            line,
        })
    }
}
