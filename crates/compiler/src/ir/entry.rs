//! A line as bytes, in the order in which a decision reads them.
//!
//! | part | bytes |
//! | --- | --- |
//! | line, URL matcher | 4 each, LE |
//! | the probe: four bytes, and where in every matching path they end (0: nowhere) | 4, 1 |
//! | methods, flags | 1 each |
//! | length of the URL's code, of the tests | u16 LE each |
//! | the URL's code | what [`code`] says |
//! | the rule, if it asks for more | 4, LE |
//! | tests of parameters: how many | 1 |
//! | each: operator, name, value | 1, text, value |
//! | tests of nodes, if the rule has any: the number of their questions | 4, LE |
//! | each: type, operator, value | 1, 1, value |
//!
//! A text is its length (u16 LE) and its bytes; a value is `0` and code as a text, or `1` and a matcher (u32 LE).

use std::borrow::Cow;

use super::{
    Code, LineId, Matcher, MatcherId, Rule, RuleId, Tables, UrlId, UrlMatcher,
    asks::Asks,
    code::{self, Beginning},
};
use crate::{
    ast::Effect,
    json::Kinds,
    method::{Method, MethodSet},
};

const HEADER: usize = 19;
/// Bytes of the ids, at the start of the header.
const IDS: usize = 8;
/// Tests of parameters, or of what else the query holds.
const ASKS_QUERY: u8 = 1;
/// The entry's code is the whole URL test.
const CODED: u8 = 2;
/// Every URL matches.
const EVERYTHING: u8 = 4;
/// The entry contains the tests.
const INLINE: u8 = 8;
/// No parameters but those that are tested.
const PARAMS_ONLY: u8 = 16;
/// Tests of nodes, or of what else the body holds.
const ASKS_JSON: u8 = 32;
/// The entry's code must match, and then the URL matcher must: an automaton's tables are far from here.
const GUARDED: u8 = 64;

/// How an entry tests paths.
pub(super) enum PathTest<'c> {
    Code(&'c [u8]),
    Everything,
    /// The URL matcher's answer, asked only where this code matches.
    Matcher(Option<&'c [u8]>),
}

/// An entry in the code. The header is read in parts, as needed: most entries do not match.
#[derive(Clone, Copy)]
pub(super) struct Entry<'c> {
    header: &'c [u8; HEADER],
    flags: u8,
    glob: &'c [u8],
    tests: &'c [u8],
}

impl<'c> Entry<'c> {
    /// Splits the entry at the start of `code` from the bytes.
    #[inline]
    pub(super) fn split(code: &'c [u8]) -> Option<(Self, &'c [u8])> {
        let (header, rest) = code.split_first_chunk::<HEADER>()?;
        let [.., flags, n0, n1, t0, t1] = *header;
        let (glob, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes([n0, n1])))?;
        let (tests, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes([t0, t1])))?;
        let entry = Self {
            header,
            flags,
            glob,
            tests,
        };
        Some((entry, rest))
    }

    #[inline]
    pub(super) fn line(&self) -> LineId {
        let [a, b, c, d, ..] = *self.header;
        LineId(u32::from_le_bytes([a, b, c, d]))
    }

    #[inline]
    pub(super) fn url(&self) -> UrlId {
        let [_, _, _, _, a, b, c, d, ..] = *self.header;
        UrlId(u32::from_le_bytes([a, b, c, d]))
    }

    pub(super) fn methods(&self) -> MethodSet {
        let [.., methods, _, _, _, _, _] = *self.header;
        MethodSet::from_bits(methods)
    }

    /// The kind of path test: only code, everything, or the rule's matcher, perhaps after code.
    pub(super) fn path_test(&self) -> PathTest<'c> {
        match self.flags & (CODED | EVERYTHING | GUARDED) {
            CODED => PathTest::Code(self.glob),
            EVERYTHING => PathTest::Everything,
            GUARDED => PathTest::Matcher(Some(self.glob)),
            _ => PathTest::Matcher(None),
        }
    }

    /// Whether the path may match, by four of its bytes: lines usually differ at the end of the literal that they begin with.
    #[inline]
    pub(super) fn may_match(&self, path: &[u8]) -> bool {
        let [_, _, _, _, _, _, _, _, a, b, c, d, end, ..] = *self.header;
        let end = usize::from(end);
        end == 0 || path.get(..end).and_then(<[u8]>::last_chunk) == Some(&[a, b, c, d])
    }

    /// Whether the probe equals the one that the code determines.
    pub(super) fn is_probed_rightly(&self) -> bool {
        let [_, _, _, _, _, _, _, _, a, b, c, d, end, ..] = *self.header;
        end == 0 || self.glob().and_then(probe) == Some(([a, b, c, d], end))
    }

    #[inline]
    pub(super) fn permits_method(&self, method: Method) -> bool {
        let [.., methods, _, _, _, _, _] = *self.header;
        MethodSet::from_bits(methods).contains(method)
    }

    /// Whether the line has constraints beyond method and URL.
    pub(super) fn constrains(&self) -> bool {
        self.flags & (ASKS_QUERY | ASKS_JSON) != 0
    }

    /// Code that the path of every match matches.
    pub(super) fn glob(&self) -> Option<&'c [u8]> {
        (self.flags & (CODED | GUARDED) != 0).then_some(self.glob)
    }

    /// The literal that the URL begins with, as far as the code determines it.
    pub(super) fn literal(&self) -> Option<&'c [u8]> {
        self.glob().and_then(code::first_literal)
    }

    /// The rule's constraints beyond method and URL, if it has any.
    #[inline]
    pub(super) fn asks(&self, tables: &'c Tables, effect: Effect) -> Option<Asks<'c>> {
        let has = |flag| self.flags & flag != 0;
        if !(has(ASKS_QUERY) || has(ASKS_JSON)) {
            return None;
        }
        let (rule, tests) = self.tests.split_first_chunk()?;
        Some(Asks {
            tables,
            effect,
            line: self.line(),
            rule: RuleId(u32::from_le_bytes(*rule)),
            query: has(ASKS_QUERY),
            params_only: has(PARAMS_ONLY),
            json: has(ASKS_JSON),
            tests: has(INLINE).then_some(tests),
        })
    }

    #[inline]
    pub(super) fn matches_path(&self, tables: &Tables, path: &str) -> bool {
        let coded = || code::matches(self.glob, path.as_bytes());
        match self.flags & (CODED | EVERYTHING | GUARDED) {
            CODED => coded(),
            EVERYTHING => true,
            GUARDED => coded() && tables.url(self.url()).matches(path),
            _ => tables.url(self.url()).matches(path),
        }
    }
}

/// Writes the entry of a rule. `questions`: what its constraints on nodes ask of a body.
pub(super) fn write(
    code: &mut Vec<u8>,
    tables: &Tables,
    (id, rule): (RuleId, &Rule),
    questions: Option<u32>,
) {
    let flag = |flag, set| if set { flag } else { 0 };
    let mut flags = flag(ASKS_QUERY, rule.asks_query())
        | flag(PARAMS_ONLY, rule.params_only)
        | flag(ASKS_JSON, rule.asks_json());
    let (glob, kind) = url_code(tables.url(rule.url));
    let glob = glob.as_deref().map_or(&[][..], Code::as_bytes);
    let glob_length = u16::try_from(glob.len()).unwrap_or(0);
    let glob = if glob_length == 0 { &[] } else { glob };
    // An empty code means no code; a pattern that matches only the empty text uses its matcher.
    flags |= if glob.is_empty() { kind & EVERYTHING } else { kind };
    // The header's end is filled in below, once the length of the tests is known.
    code.extend(rule.line.0.to_le_bytes());
    code.extend(rule.url.0.to_le_bytes());
    let ([p0, p1, p2, p3], end) = probe(glob).unwrap_or_default();
    let behind_ids = code.len();
    code.extend([0; HEADER - IDS]);
    code.extend(glob);
    let tests = code.len();
    let mut tests_length = 0;
    if flags & (ASKS_QUERY | ASKS_JSON) != 0 {
        code.extend(id.0.to_le_bytes());
        tests_length = 4;
        if write_tests(code, tables, rule, questions).is_some()
            && let Ok(length) = u16::try_from(code.len() - tests)
        {
            flags |= INLINE;
            tests_length = length;
        } else {
            code.truncate(tests + 4);
        }
    }
    let ([g0, g1], [t0, t1]) = (glob_length.to_le_bytes(), tests_length.to_le_bytes());
    let rest: [u8; HEADER - IDS] = [p0, p1, p2, p3, end, rule.methods.bits(), flags, g0, g1, t0, t1];
    if let Some(place) = code.get_mut(behind_ids..behind_ids + rest.len()) {
        place.copy_from_slice(&rest);
    }
}

/// The code that tests the URL, or its beginning, if any, and the flag of the kind of test.
pub(crate) fn url_code(url: &UrlMatcher) -> (Option<Cow<'_, Code>>, u8) {
    match url {
        UrlMatcher::Below(Matcher::Everything) | UrlMatcher::Bound(_, Matcher::Everything) => {
            (None, EVERYTHING)
        }
        UrlMatcher::Below(Matcher::Glob(code)) | UrlMatcher::Bound(_, Matcher::Glob(code)) => {
            (Some(Cow::Borrowed(code)), CODED)
        }
        UrlMatcher::Below(Matcher::Automaton(automaton))
        | UrlMatcher::Bound(_, Matcher::Automaton(automaton)) => (
            code::anything_behind(&automaton.prefix()).map(Cow::Owned),
            GUARDED,
        ),
        _ => (None, 0),
    }
}

/// The last bytes of the literal that every match of the code begins with, and its length.
fn probe(code: &[u8]) -> Option<([u8; 4], u8)> {
    let mut literals = code::alternatives(code).map(|code| match code::beginning(code)? {
        Beginning::Whole(literal) | Beginning::Anchored(literal) => Some(literal),
        Beginning::Floating(_) => None,
    });
    let literal = literals.next()??;
    let end = u8::try_from(literal.len()).ok()?;
    let bytes = literal.last_chunk()?;
    literals
        .all(|other| other == Some(literal))
        .then_some((*bytes, end))
}

/// `None`: a name or a count is too large, or the questions about the body were not prepared.
fn write_tests(out: &mut Vec<u8>, tables: &Tables, rule: &Rule, questions: Option<u32>) -> Option<()> {
    if rule.asks_json() && questions.is_none() {
        return None;
    }
    let begun = out.len();
    out.push(u8::try_from(rule.params.len()).ok()?);
    for test in &rule.params {
        out.push(test.operator.number());
        write_text(out, test.name.as_bytes())?;
        write_value(out, tables, test.value);
        u16::try_from(out.len() - begun).ok()?;
    }
    if let Some(questions) = questions {
        out.extend(questions.to_le_bytes());
        for test in &rule.nodes {
            out.push(test.kinds.map_or(0, Kinds::bits));
            out.push(test.operator.number());
            write_value(out, tables, test.value);
            u16::try_from(out.len() - begun).ok()?;
        }
    }
    Some(())
}

fn write_text(out: &mut Vec<u8>, text: &[u8]) -> Option<()> {
    out.extend(u16::try_from(text.len()).ok()?.to_le_bytes());
    out.extend(text);
    Some(())
}

fn write_value(out: &mut Vec<u8>, tables: &Tables, id: MatcherId) {
    if let Matcher::Glob(code) = tables.value(id) {
        let before = out.len();
        out.push(0);
        if write_text(out, code.as_bytes()).is_some() {
            return;
        }
        out.truncate(before);
    }
    out.push(1);
    out.extend(id.0.to_le_bytes());
}
