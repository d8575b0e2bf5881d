//! The oracle: the plainest reading of the specification, slow and obvious.
//!
//! It shares the compiler's resolved policy and nothing behind it: patterns are compiled anew from their text by the
//! `regex` crate, JSON is a tree, and every rule is a sentence of the specification turned into code. Whatever decides
//! requests is held against it.

use std::{cell::RefCell, collections::HashMap, sync::LazyLock};

use regex::Regex;
use tokenward_compiler::{
    ast::{Effect, Operator},
    decide::Media,
    json::{Kind, Path, Step},
    method::Method,
    policy::{Limit, Node, Param, Pattern, Token},
    range::Side,
    regexp::Anchor,
};

/// A JSON value; numbers keep their digits.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// The digits as sent.
    Number(String),
    /// A string's text.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object. A body that is inspected has no name twice in one.
    Object(Vec<(String, Json)>),
}

/// How deep arrays and objects may stand in each other; what is deeper is not JSON.
pub const MOST_NESTING: usize = 128;

impl Json {
    /// How deep arrays and objects stand in each other.
    #[must_use]
    pub fn nesting(&self) -> usize {
        let deepest = |inner: &mut dyn Iterator<Item = &Self>| inner.map(Self::nesting).max().unwrap_or(0);
        match self {
            Self::Array(elements) => 1 + deepest(&mut elements.iter()),
            Self::Object(members) => 1 + deepest(&mut members.iter().map(|(_, value)| value)),
            _ => 0,
        }
    }
}

/// What a request's body is.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// None.
    Absent,
    /// JSON, by its head and its text.
    Json(Json),
    /// JSON by its head, and not by its text.
    Broken,
    /// Something else.
    Opaque(Media),
}

/// A request, all of it.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// The decoded path below the base URL.
    pub path: String,
    /// The decoded parameters.
    pub query: Vec<(String, Option<String>)>,
    /// The body.
    pub body: Body,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Allowed by the permit line of this index among the token's lines, or by `unrestricted`.
    Allow(Option<usize>),
    /// Denied by the forbid line of this index.
    Forbid(usize),
    /// Denied for want of a line.
    NoLine,
    /// Refused as ambiguous: a name in an inspected body differs from a constrained one in case alone, is there twice, or has a
    /// control character.
    Ambiguous,
}

/// Where the proxy stands.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The public URL without a final `/`.
    pub base: &'a str,
    /// Whether the upstream merges members of JSON bodies into parameters.
    pub merges: bool,
}

/// Decides as the specification says.
#[must_use]
pub fn decide(token: &Token, place: Place<'_>, request: &Request) -> Outcome {
    match &request.body {
        Body::Json(json) if json.nesting() > MOST_NESTING => {
            let broken = Request {
                body: Body::Broken,
                ..request.clone()
            };
            decide_shallow(token, place, &broken)
        }
        _ => decide_shallow(token, place, request),
    }
}

fn decide_shallow(token: &Token, place: Place<'_>, request: &Request) -> Outcome {
    // A forbid line that matches whatever the body says denies before the body is read.
    let lines = || token.limits.iter().enumerate();
    let forbids = || lines().filter(|(_, line)| line.effect == Effect::Forbid);
    let permits = || lines().filter(|(_, line)| line.effect == Effect::Permit);
    if let Some((index, _)) = forbids().find(|(_, line)| head(line, place, request) == Some(true)) {
        return Outcome::Forbid(index);
    }
    let first_certain = permits()
        .find(|(_, line)| head(line, place, request) == Some(true))
        .map(|(index, _)| index);
    let looks = |index: usize| first_certain.is_none_or(|certain| index < certain);
    let inspecting: Vec<_> = forbids()
        .chain(permits().filter(|(index, _)| looks(*index)))
        .filter(|(_, line)| head(line, place, request).is_none())
        .collect();
    if let Body::Json(json) = &request.body
        && (inspecting.iter().any(|(_, line)| has_case_variant(line, json))
            || !inspecting.is_empty() && has_doubtful_name(json))
    {
        return Outcome::Ambiguous;
    }
    for (index, line) in inspecting {
        match (body(line, place, request), line.effect) {
            (true, Effect::Forbid) => return Outcome::Forbid(index),
            (true, Effect::Permit) => return Outcome::Allow(Some(index)),
            (false, _) => {}
        }
    }
    match first_certain {
        Some(index) => Outcome::Allow(Some(index)),
        None if token.attributes.unrestricted => Outcome::Allow(None),
        None => Outcome::NoLine,
    }
}

/// Whether the line matches by all but the content of the body; `None`: the content decides.
fn head(line: &Limit, place: Place<'_>, request: &Request) -> Option<bool> {
    if !line.methods.contains(request.method) || !url(line, place, &request.path) {
        return Some(false);
    }
    let forbid = line.effect == Effect::Forbid;
    let constrains_query = !line.params.is_empty() || line.params_only;
    let constrains_json = !line.nodes.is_empty() || !line.members.is_empty();
    if matches!(request.body, Body::Opaque(Media::Form | Media::Multipart))
        && (constrains_query || constrains_json)
    {
        return Some(forbid);
    }
    if !line
        .params
        .iter()
        .all(|param| query(param, (line.effect, place), &request.query))
    {
        return Some(false);
    }
    if line.params_only
        && !request
            .query
            .iter()
            .all(|(name, _)| line.params.iter().any(|param| param.name == *name))
    {
        return Some(false);
    }
    if place.merges && constrains_json && request.query.iter().any(|(name, _)| merges_with_node(line, name)) {
        return Some(forbid);
    }
    let root = Path(Vec::new());
    if place.merges
        && line.members.contains(&root)
        && !request
            .query
            .iter()
            .all(|(name, _)| line.params.iter().any(|param| param.name == *name))
    {
        return Some(false);
    }
    match &request.body {
        Body::Json(_) | Body::Broken if constrains_json || place.merges && constrains_query => None,
        Body::Opaque(_) if constrains_json => Some(forbid),
        Body::Absent => Some(body(line, place, request)),
        _ => Some(true),
    }
}

fn merges_with_node(line: &Limit, name: &str) -> bool {
    let mut paths = line.nodes.iter().map(|node| &node.path).chain(&line.members);
    paths.any(
        |path| matches!(path.0.first(), Some(Step::Name(first)) if first_name(first) == first_name(name)),
    )
}

/// The name of the whole of which `n[…]` is a part.
fn first_name(name: &str) -> &str {
    name.split('[').next().unwrap_or(name)
}

/// Whether the content of the body satisfies the line.
fn body(line: &Limit, place: Place<'_>, request: &Request) -> bool {
    let empty = Json::Object(Vec::new());
    let json = match &request.body {
        Body::Absent => &empty,
        Body::Json(json) => json,
        Body::Broken | Body::Opaque(_) => return line.effect == Effect::Forbid,
    };
    if place.merges
        && let Json::Object(members) = json
    {
        for param in &line.params {
            if members
                .iter()
                .any(|(member, _)| first_name(member) == first_name(&param.name))
            {
                return line.effect == Effect::Forbid;
            }
        }
    }
    if place.merges
        && line.params_only
        && !matches!(request.body, Body::Absent)
        && !only(line, &Path(Vec::new()), json)
    {
        return false;
    }
    line.nodes
        .iter()
        .all(|test| node(test, (line.effect, place), json))
        && line.members.iter().all(|path| only(line, path, json))
}

/// Compiled regexps that are kept.
const MOST_KNOWN: usize = 500;

/// The pattern's text, as the `regex` crate reads it once Java's ASCII classes are written out.
fn regex(text: &str, flags: &str) -> Regex {
    let text = text
        .replace("\\d", "[0-9]")
        .replace("\\w", "[0-9A-Za-z_]")
        .replace("\\s", "[\\t-\\r ]")
        .replace("\\D", "[^0-9]")
        .replace("\\W", "[^0-9A-Za-z_]")
        .replace("\\S", "[^\\t-\\r ]")
        .replace("\\b", "(?-u:\\b)");
    // The URL of a forbid line ignores the case of every letter, `(?i)` that of ASCII letters.
    let text = if flags.contains('i') {
        text
    } else {
        with_case_of_others(&text)
    };
    compiled(&format!("\\A(?s{flags}:{text})\\z"))
}

/// The pattern with the case of each letter outside ASCII, also after `(?i)`. The generator has no such letters in classes.
fn with_case_of_others(text: &str) -> String {
    // The crate folds properties by Unicode. The generator has none in classes.
    let text = match text.contains("(?i)") {
        true => text
            .replace("\\P{Lu}", "(?-i:[^\\p{Lu\u{0}}a-z])")
            .replace("\\p{Lu}", "(?-i:[\\p{Lu}a-z])")
            .replace('\u{0}', ""),
        false => text.to_owned(),
    };
    let other = |character: char| match character.is_ascii() {
        true => character.to_string(),
        false => format!("(?-i:{character})"),
    };
    text.chars().map(other).collect()
}

/// The regexp of a text. Compiling takes most of the time of a decision, and the lines of a policy are asked about many
/// requests, so those of late are kept.
fn compiled(text: &str) -> Regex {
    thread_local! {
        static KNOWN: RefCell<HashMap<String, Regex>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some(regexp) = known.get(text) {
            return regexp.clone();
        }
        #[expect(
            clippy::expect_used,
            reason = "the generator writes regexps that the crate knows"
        )]
        let regexp = Regex::new(text).expect("a regexp of the generator");
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(text.to_owned(), regexp.clone());
        regexp
    })
}

/// The names of the public URL.
const BASE_URLS: [&str; 3] = ["{BASE_URL}", "{JIRA_URL}", "{CONFLUENCE_URL}"];

fn with_base(text: &str, place: Place<'_>) -> String {
    let escaped = format!("(?:{})", regex::escape(place.base));
    BASE_URLS
        .iter()
        .fold(text.to_owned(), |text, name| text.replace(name, &escaped))
}

fn url(line: &Limit, place: Place<'_>, path: &str) -> bool {
    let text = line.url.text.strip_prefix('!').unwrap_or(&line.url.text);
    let starts_with_base = BASE_URLS.iter().any(|name| text.starts_with(name));
    let text = with_base(text, place);
    let whole = |path: &str| match line.anchor {
        Anchor::Below if !starts_with_base => path.to_owned(),
        Anchor::Below | Anchor::Whole => format!("{}{path}", place.base),
    };
    match line.effect {
        Effect::Permit => regex(&text, "").is_match(&whole(path)),
        Effect::Forbid => {
            let pattern = regex(&text, "i");
            let mut variants = vec![path.to_owned()];
            for _ in 0..2 {
                for variant in variants.clone() {
                    for suffix in ["/", ".json", ".xml"] {
                        let cut = variant.len().saturating_sub(suffix.len());
                        if variant.is_char_boundary(cut)
                            && variant.split_at(cut).1.eq_ignore_ascii_case(suffix)
                        {
                            variants.push(variant.split_at(cut).0.to_owned());
                        }
                    }
                }
            }
            variants.iter().any(|variant| pattern.is_match(&whole(variant)))
        }
    }
}

/// What holds of a value by its text.
fn matching(pattern: &Pattern, operator: Operator, place: Place<'_>) -> impl Fn(&str) -> Matching + use<> {
    let bound = pattern.text.clone();
    let side = match operator {
        Operator::Within(side) | Operator::WithinOrAbsent(side) => Some(side),
        Operator::All | Operator::AllOrAbsent | Operator::None => None,
    };
    let text = with_base(&pattern.text, place);
    let regexp = side.is_none().then(|| regex(&text, ""));
    move |text| match (&regexp, side) {
        (Some(regexp), _) if regexp.is_match(text) => Matching::Yes,
        (None, Some(side)) => compare(text, side, &bound),
        _ => Matching::No,
    }
}

/// Whether a value matches, or is on a side of a bound.
#[derive(Clone, Copy, PartialEq)]
enum Matching {
    Yes,
    No,
    /// It is not a value of the bound's form.
    Malformed,
}

/// A number as an integer, in units of 10^-15; or a date as one.
fn ordinal(text: &str) -> Option<(bool, i128)> {
    static FORMS: LazyLock<[Regex; 3]> = LazyLock::new(|| {
        [
            r"-?(0|[1-9][0-9]*)(\.[0-9]+)?",
            "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
            "....-(04|06|09|11)-31|....-02-3.|....-02-29",
        ]
        .map(|form| regex(form, ""))
    });
    let [number, date, day_of_few] = &*FORMS;
    let is_number = number.is_match(text);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if is_number && digits.len() <= 15 {
        let fraction = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let value = digits.parse::<i128>().ok()? * 10_i128.pow(15 - u32::try_from(fraction).ok()?);
        let negative = text.starts_with('-');
        return (value != 0 || !negative).then_some((false, if negative { -value } else { value }));
    }
    if !date.is_match(text) {
        return None;
    }
    let short = day_of_few.is_match(text);
    let year: u32 = text.split('-').next()?.parse().ok()?;
    let leap = year.is_multiple_of(400) || year.is_multiple_of(4) && !year.is_multiple_of(100);
    (!short || leap && text.ends_with("-02-29")).then_some((true, digits.parse().ok()?))
}

fn compare(text: &str, side: Side, bound: &str) -> Matching {
    let (Some((is_date, value)), Some((date_bound, bound))) = (ordinal(text), ordinal(bound)) else {
        return Matching::Malformed;
    };
    let on_side = match side {
        Side::Below => value < bound,
        Side::UpTo => value <= bound,
        Side::From => value >= bound,
        Side::Above => value > bound,
    };
    match (is_date == date_bound, on_side) {
        (false, _) => Matching::Malformed,
        (true, true) => Matching::Yes,
        (true, false) => Matching::No,
    }
}

fn query(param: &Param, (effect, place): (Effect, Place<'_>), query: &[(String, Option<String>)]) -> bool {
    let matching = matching(&param.pattern, param.operator, place);
    let values: Vec<bool> = query
        .iter()
        .filter(|(name, _)| *name == param.name)
        .map(
            |(_, value)| match (effect, matching(value.as_deref().unwrap_or(""))) {
                (_, Matching::Yes) | (Effect::Forbid, Matching::Malformed) => true,
                (_, Matching::No) | (Effect::Permit, Matching::Malformed) => false,
            },
        )
        .collect();
    let (absent, any, all) = (
        values.is_empty(),
        values.contains(&true),
        !values.contains(&false),
    );
    match (effect, param.operator) {
        (Effect::Permit, Operator::All | Operator::Within(_)) => !absent && all,
        (Effect::Permit, Operator::AllOrAbsent | Operator::WithinOrAbsent(_)) => all,
        (Effect::Permit, Operator::None) => !any,
        (Effect::Forbid, Operator::All | Operator::Within(_)) => any,
        (Effect::Forbid, Operator::AllOrAbsent | Operator::WithinOrAbsent(_)) => absent || any,
        (Effect::Forbid, Operator::None) => absent || !all,
    }
}

/// What a path leads to.
#[derive(Default)]
struct Found<'j> {
    nodes: Vec<&'j Json>,
    /// A step of the wrong kind.
    misfit: bool,
    /// A name that was not there, outside of any `[*]`.
    absent: bool,
    /// An element under `[*]` without the node.
    lacking: bool,
}

fn find<'j>(json: &'j Json, steps: &[Step], under_each: bool, found: &mut Found<'j>) {
    match (steps.split_first(), json) {
        (None, _) => found.nodes.push(json),
        (Some((Step::Name(name), rest)), Json::Object(members)) => {
            match members.iter().find(|(member, _)| member == name) {
                Some((_, value)) => find(value, rest, under_each, found),
                None if under_each => found.lacking = true,
                None => found.absent = true,
            }
        }
        (Some((Step::Each, rest)), Json::Array(elements)) => {
            elements
                .iter()
                .for_each(|element| find(element, rest, true, found));
        }
        (Some(_), _) => found.misfit = true,
    }
}

fn found<'j>(json: &'j Json, path: &Path) -> Found<'j> {
    let mut found = Found::default();
    find(json, &path.0, false, &mut found);
    found
}

/// The scalars that a value stands for; whether an object is among them.
fn scalars(json: &Json, values: &mut Vec<(Kind, String)>) -> bool {
    match json {
        Json::Null => values.push((Kind::Null, "null".to_owned())),
        Json::Boolean(value) => values.push((Kind::Boolean, value.to_string())),
        Json::Number(digits) => values.push((Kind::Number, digits.clone())),
        Json::String(text) => values.push((Kind::String, text.clone())),
        Json::Array(elements) => {
            let objects: Vec<bool> = elements.iter().map(|element| scalars(element, values)).collect();
            return objects.contains(&true);
        }
        Json::Object(_) => return true,
    }
    false
}

fn node(test: &Node, (effect, place): (Effect, Place<'_>), json: &Json) -> bool {
    let found = found(json, &test.path);
    let mut values = Vec::new();
    let objects: Vec<bool> = found
        .nodes
        .iter()
        .map(|node| scalars(node, &mut values))
        .collect();
    let object = objects.contains(&true);
    let matching = matching(&test.pattern, test.operator, place);
    let plain = regex(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?", "");
    let types: Vec<Kind> = test.kinds.into_iter().flat_map(|kinds| kinds.iter()).collect();
    let typed = |(kind, _): &(Kind, String)| types.is_empty() || types.contains(kind);
    // A null that a list names needs no match; but `!=` asks for none.
    let listed_null =
        |(kind, _): &(Kind, String)| *kind == Kind::Null && types.len() > 1 && types.contains(kind);
    let matches = |value: &(Kind, String)| matching(&value.1) == Matching::Yes;
    let meets = |value: &(Kind, String)| matches(value) || listed_null(value);
    let not_surely_outside = |value: &(Kind, String)| matching(&value.1) != Matching::No || !typed(value);
    let shortest =
        |(kind, text): &(Kind, String)| *kind != Kind::Number || plain.is_match(text) && text != "-0";
    match effect {
        Effect::Permit => {
            let readable = !found.misfit && !object && !found.lacking;
            let all = !values.is_empty() && values.iter().all(|value| typed(value) && meets(value));
            let nothing = found.nodes.is_empty();
            readable
                && match test.operator {
                    Operator::All | Operator::Within(_) => all,
                    Operator::AllOrAbsent | Operator::WithinOrAbsent(_) => nothing || all,
                    Operator::None => values
                        .iter()
                        .all(|value| typed(value) && shortest(value) && !matches(value)),
                }
        }
        Effect::Forbid => {
            let nothing = values.is_empty() || found.absent || found.lacking;
            let unreadable = found.misfit || object;
            unreadable
                || match test.operator {
                    Operator::All => values.iter().any(|value| meets(value) || !shortest(value)),
                    Operator::AllOrAbsent => {
                        nothing || values.iter().any(|value| meets(value) || !shortest(value))
                    }
                    Operator::Within(_) => values.iter().any(not_surely_outside),
                    Operator::WithinOrAbsent(_) => nothing || values.iter().any(not_surely_outside),
                    Operator::None => {
                        nothing
                            || values
                                .iter()
                                .any(|value| !matches(value) || !typed(value) || !shortest(value))
                    }
                }
        }
    }
}

fn only(line: &Limit, path: &Path, json: &Json) -> bool {
    let found = found(json, path);
    let named = |member: &str| {
        let paths: Vec<&Path> = line
            .nodes
            .iter()
            .map(|test| &test.path)
            .chain(&line.members)
            .collect();
        paths.iter().any(|other| {
            other.0.len() > path.0.len()
                && other.0.iter().zip(&path.0).all(|(one, other)| one == other)
                && other.0.get(path.0.len()) == Some(&Step::Name(member.to_owned()))
        })
    };
    !found.misfit
        && !found.lacking
        && found.nodes.iter().all(|node| match node {
            Json::Object(members) => members.iter().all(|(member, _)| named(member)),
            _ => false,
        })
}

/// Whether some object has a name twice, or one with a control character.
#[must_use]
pub fn has_doubtful_name(json: &Json) -> bool {
    match json {
        Json::Object(members) => members.iter().enumerate().any(|(at, (name, value))| {
            let twice = members.iter().take(at).any(|(before, _)| before == name);
            twice || name.chars().any(char::is_control) || has_doubtful_name(value)
        }),
        Json::Array(elements) => elements.iter().any(has_doubtful_name),
        _ => false,
    }
}

/// Whether some object on the way of a constrained path has a member that differs from the step in case alone.
fn has_case_variant(line: &Limit, json: &Json) -> bool {
    fn walk(json: &Json, steps: &[Step]) -> bool {
        match (steps.split_first(), json) {
            (Some((Step::Name(name), rest)), Json::Object(members)) => {
                members.iter().any(|(member, value)| {
                    member != name && member.to_lowercase() == name.to_lowercase()
                        || member == name && walk(value, rest)
                })
            }
            (Some((Step::Each, rest)), Json::Array(elements)) => {
                elements.iter().any(|element| walk(element, rest))
            }
            _ => false,
        }
    }
    line.nodes
        .iter()
        .map(|test| &test.path)
        .chain(&line.members)
        .any(|path| walk(json, &path.0))
}

impl std::fmt::Display for Json {
    /// The text as a client would send it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        fn quoted(text: &str, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("\"")?;
            for character in text.chars() {
                match character {
                    '"' | '\\' => write!(f, "\\{character}")?,
                    character if u32::from(character) < 0x20 => write!(f, "\\u{:04x}", u32::from(character))?,
                    character => write!(f, "{character}")?,
                }
            }
            f.write_str("\"")
        }
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Number(digits) => f.write_str(digits),
            Self::String(text) => quoted(text, f),
            Self::Array(elements) => {
                f.write_str("[")?;
                for (index, element) in elements.iter().enumerate() {
                    write!(f, "{}{element}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (index, (name, value)) in members.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { "," })?;
                    quoted(name, f)?;
                    write!(f, ":{value}")?;
                }
                f.write_str("}")
            }
        }
    }
}
