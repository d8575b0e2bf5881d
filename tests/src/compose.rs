//! Regexps composed freely over a small alphabet, and texts over the same: where [`crate::generate`] has pieces that meet by design,
//! these meet by chance, in combinations nobody thought of.

use proptest::{collection::vec, prelude::*, sample::select};

use crate::{generate, reference::Request};

pub(crate) const ATOMS: &[&str] = &[
    "a", "b", "ab", "1", "/", "k", "-", "é", ".", "[ab]", "[^a]", "[a-z]", "\\d", "\\w", "[^/]", "[0-9a]",
    "\\.", "(?i:k)", "[\\d-]", "\\bab", "",
];
pub(crate) const STARTS: &[&str] = &[
    "/",
    "/",
    ".*",
    ".*/",
    "/rest",
    "",
    "https?://[^/]+",
    "{BASE_URL}",
    "(?i)/",
    "/.*",
];
pub(crate) const QUANTIFIERS: &[&str] = &["*", "+", "?", "{1,2}", "{0,3}", "{2}", "*?"];
/// What texts are made of.
pub(crate) const LETTERS: &[&str] = &["a", "b", "1", "/", "k", "-", "é", "A", ".", "K", "\n", ".json"];
pub(crate) const PATHS: &[&str] = &["/", "/", "/rest", "/rest/", "/ctx/rest/"];
const NAMES: &[&str] = &["n", "m", "o"];

/// A regexp.
pub fn pattern() -> impl Strategy<Value = String> {
    let atom = select(ATOMS).prop_map(str::to_owned);
    atom.prop_recursive(3, 12, 3, |inner| {
        let quantifier = select(QUANTIFIERS);
        prop_oneof![
            4 => vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            2 => (inner.clone(), quantifier).prop_map(|(inner, quantifier)| format!("({inner}){quantifier}")),
            1 => vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join("|"))),
            1 => (inner.clone(), inner).prop_map(|(one, other)| format!("{one}.*{other}")),
        ]
    })
}

fn line() -> impl Strategy<Value = String> {
    let query = (select(NAMES), select(&["==", "!=", "?="][..]), pattern())
        .prop_map(|(name, operator, value)| format!("[QueryParam::{name}{operator}{value}]"));
    let json = (select(NAMES), select(&["==", "!=", "?="][..]), pattern())
        .prop_map(|(name, operator, value)| format!("[JsonData::{name}{operator}{value}]"));
    let url = (select(STARTS), pattern()).prop_map(|(start, rest)| format!("{start}{rest}"));
    let forbid = prop::bool::weighted(0.25);
    let constraints = vec(prop_oneof![query, json], 0..2);
    (forbid, url, constraints).prop_map(|(forbid, url, constraints)| {
        format!("{}{url}{}", if forbid { "!" } else { "" }, constraints.concat())
    })
}

/// A token file of one token with up to eight lines. It may have lines that do not compile.
pub fn policy() -> impl Strategy<Value = String> {
    prop_oneof![9 => vec(line(), 1..8), 1 => vec(line(), 16..32)]
        .prop_map(|lines| generate::token_file(&lines, false))
}

fn text(most: usize) -> impl Strategy<Value = String> {
    vec(select(LETTERS), 0..most).prop_map(|parts| parts.concat())
}

/// A request with a path and values over the alphabet of the patterns.
pub fn request() -> impl Strategy<Value = Request> {
    let start = select(PATHS);
    (generate::request(), start, text(8), vec(text(4), 4)).prop_map(|(mut request, start, rest, values)| {
        request.path = format!("{start}{rest}");
        for ((_, value), text) in request.query.iter_mut().zip(values) {
            *value = value.take().map(|_| text);
        }
        request
    })
}
