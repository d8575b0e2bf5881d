//! Pairs of policies in front of products that merge query and body: what the comparison says of them is held against what the proxy
//! itself does with each request of a universe of spellings.

use std::{collections::HashMap, sync::LazyLock};

use proptest::{collection::vec, prelude::*, sample::select};
use tokenward_compiler::{
    BaseUrl,
    analysis::{Analysis, Cause, Difference, Finding, Obstacle, Request, RequestBody, Universe},
    closest::json,
    compile,
    ir::{Program, TokenId},
    method::Method,
    source::SourceSet,
};
use tokenward_runtime::fuzzing::Forwarder;

use super::Tally;
use crate::generate;

const BASE: &str = "https://a.example";

/// The products that parse names.
const PRODUCTS: &[&str] = &["gitlab", "redmine", "generic"];

/// A proxy in front of each of them.
static PROXIES: LazyLock<HashMap<&str, Forwarder>> = LazyLock::new(|| {
    let base = BaseUrl::parse(BASE).expect("a base URL");
    let proxy = |product| (product, Forwarder::new(product, &base).expect("a product"));
    PRODUCTS.iter().copied().map(proxy).collect()
});

/// The beginnings of lines.
const URLS: &[&str] = &["/x", "/y", "/.*", "[post]/x", "[get]/x", "[post]/[xy]"];

/// Constraints, which lines combine.
const CONSTRAINTS: &[&str] = &[
    "[QueryParam::role==1]",
    "[QueryParam::role?=1]",
    "[QueryParam::role!=2]",
    "[QueryParam::ROLE==1]",
    "[QueryParam::\"role[]\"?=1]",
    "[QueryParam::\"a[b]\"==1]",
    "[QueryParam::a?=1]",
    "[QueryParam::only]",
    "[JsonData::role==1]",
    "[JsonData::role?=1]",
    "[JsonData::a.b==1]",
    "[JsonData::a.b?=1]",
    "[JsonData::a.c?=1]",
    "[JsonData::b!=2]",
    "[JsonData::l[*].b?=1]",
    "[JsonData::only]",
    "[JsonData::a.only][JsonData::a.b?=1]",
];

/// Names and values of queries.
const QUERIES: &[&str] = &[
    "",
    "role=1",
    "role=2",
    "ROLE=1",
    "role[]=1",
    "role[x]=1",
    "[role]=1",
    "_role=1",
    "a[b]=1",
    "A[b]=1",
    "a.b=1",
    "a[c]=1",
    "a=1",
    "b=1",
    "x=1",
    "x[role]=1",
    "x[b]=1",
    "l=1",
    "role=1&a[b]=1",
    "role=1&ROLE=1",
];

/// JSON bodies.
const BODIES: &[&str] = &[
    "{}",
    r#"{"role":1}"#,
    r#"{"ROLE":1}"#,
    r#"{"role":1,"x":1}"#,
    r#"{"a":{"b":1}}"#,
    r#"{"a":{"B":1}}"#,
    r#"{"a":{"b":1,"c":1}}"#,
    r#"{"a":{"b":1},"x":1}"#,
    r#"{"a":1}"#,
    r#"{"a":null,"x":1}"#,
    r#"{"b":1}"#,
    r#"{"c":1}"#,
    r#"{"x":1}"#,
    r#"{"x":{"b":1}}"#,
    r#"{"x":{"role":1}}"#,
    r#"{"a.b":1}"#,
    r#"{"a[b]":1}"#,
    r#"{"l":[{"b":1}]}"#,
    r#"{"l":[{"B":1}]}"#,
    r#"[{"b":1}]"#,
    "1",
];

/// Two policies of one token, and the product.
#[derive(Clone, Debug)]
pub struct NamePair {
    /// The lines of the one.
    pub old: Vec<String>,
    /// The lines of the other.
    pub new: Vec<String>,
    /// The product at the upstream.
    pub product: &'static str,
}

/// A pair, mostly of common lines.
pub fn name_pair() -> impl Strategy<Value = NamePair> {
    let line = || {
        let parts = (
            prop::bool::weighted(0.15),
            select(URLS),
            vec(select(CONSTRAINTS), 0..3),
        );
        parts.prop_map(|(forbids, url, mut constraints)| {
            constraints.dedup();
            let only = |one: &&str| !(forbids && one.contains("only"));
            let constraints: String = constraints.into_iter().filter(only).collect();
            format!("{}{url}{constraints}", if forbids { "!" } else { "" })
        })
    };
    let lines = move |most| vec(line(), 0..most);
    (lines(3), lines(3), lines(3), select(PRODUCTS)).prop_map(|(common, old, new, product)| {
        let with = |own: Vec<String>| {
            let mut all = common.clone();
            all.extend(own);
            // No request matches it: a token has at least one line that permits.
            all.push("/never".to_owned());
            all
        };
        NamePair {
            old: with(old),
            new: with(new),
            product,
        }
    })
}

/// Judges a pair; `None` if the compiler refuses one of the policies.
///
/// # Panics
/// The comparison says what the proxy does not do.
#[must_use]
pub fn judge_names(pair: &NamePair) -> Option<Tally> {
    let base = BaseUrl::parse(BASE).expect("a base URL");
    let proxy = PROXIES.get(pair.product).expect("a product");
    let bind = |lines: &[String]| {
        let file = generate::token_file(lines, false);
        let sources = SourceSet::from_files([("t.toml".to_owned(), file)]);
        let program = compile(&sources).program?;
        Some(program.bind(&base).expect("binds").merging_body(true))
    };
    let (old, new) = (bind(&pair.old)?, bind(&pair.new)?);
    let mut analysis = Analysis::new(&old, &new, Universe::default(), Analysis::BUDGET).expect("starts");
    analysis = analysis.behind(proxy.proxied(), proxy.proxied());
    let comparison = match analysis.compare(Some(token(&old)), Some(token(&new))) {
        Ok(comparison) => comparison,
        Err(fault) => panic!("{fault}\n{pair:?}"),
    };
    let requests = requests();
    let judged = |program: &Program| -> Vec<bool> {
        let forwards = |request: &Request| proxy.obstacles(program, token(program), request).is_empty();
        requests.iter().map(forwards).collect()
    };
    let (before, after) = (judged(&old), judged(&new));
    let mut tally = Tally {
        pairs: 1,
        requests: requests.len(),
        decisions: 2 * requests.len(),
        ..Tally::default()
    };
    let directions = [
        (&comparison.newly_allowed, (&new, &after), (&old, &before)),
        (&comparison.newly_denied, (&old, &before), (&new, &after)),
    ];
    for (difference, more, less) in directions {
        for finding in &difference.findings {
            is_shown(pair, proxy, finding, (more.0, less.0));
        }
        let mut beyond = requests.iter().zip(more.1).zip(less.1);
        let beyond = beyond.find(|((_, allows), denies)| **allows && !**denies);
        if let Some(((request, _), _)) = beyond {
            assert!(
                explains(difference),
                "{request} is forwarded by only one of {pair:?}, and not found: {difference:?}"
            );
        }
        tally.questions += 1;
        tally.inconclusive += usize::from(difference.inconclusive.is_some());
        tally.witnesses += difference.findings.len();
    }
    Some(tally)
}

/// Whether the difference says that requests are, or may be, forwarded by one side only.
fn explains(difference: &Difference) -> bool {
    let may_be_forwarded = |finding: &Finding| !Obstacle::are_certain(&finding.obstacles);
    difference.inconclusive.is_some() || difference.findings.iter().any(may_be_forwarded)
}

/// A request that is shown is forwarded by the one side, and not by the other.
fn is_shown(pair: &NamePair, proxy: &Forwarder, finding: &Finding, (more, less): (&Program, &Program)) {
    let said = |program| proxy.obstacles(program, token(program), &finding.witness);
    let (allowing, denying) = (said(more), said(less));
    assert!(
        allowing.is_empty() == finding.obstacles.is_empty() && !denying.is_empty(),
        "{} is shown: {allowing:?} {denying:?}\n{pair:?}\n{finding:?}",
        finding.witness
    );
    if let Cause::Refused(_) = finding.cause {
        let by_name = Obstacle::Setting("relax.ambiguous_parameter".to_owned());
        // In a body that is read, a name in another letter case is refused for any product.
        let by_case = Obstacle::Refused("body".to_owned());
        let is_refused = denying == [by_name] || denying == [by_case];
        assert!(is_refused, "{} {denying:?}\n{pair:?}", finding.witness);
    }
}

fn token(program: &Program) -> TokenId {
    program.tokens().next().map(|(id, _)| id).expect("a token")
}

/// Every request of the universe.
fn requests() -> Vec<Request> {
    let query = |text: &&str| -> Vec<(String, String)> {
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    };
    let mut bodies = vec![RequestBody::Absent];
    bodies.extend(
        BODIES
            .iter()
            .map(|text| RequestBody::Json(json(text.as_bytes()).expect("JSON"))),
    );
    let mut requests = Vec::new();
    for path in ["/x", "/y"] {
        for query in QUERIES.iter().map(query) {
            for (method, count) in [(Method::Get, 1), (Method::Post, bodies.len())] {
                requests.extend(bodies.iter().take(count).map(|body| Request {
                    method,
                    path: path.to_owned(),
                    query: query.clone(),
                    body: body.clone(),
                }));
            }
        }
    }
    requests
}
