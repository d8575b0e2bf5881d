//! Reads a program as data: the rules of its tokens, their matchers, and the steps of automata.
//!
//! For readers that decide by themselves, such as the checker of certificates. Nothing here decides.

mod pattern;

use regex_automata::util::primitives::StateID;

pub use pattern::{Pattern, Position};

use super::{Automaton, Matcher, MatcherId, Program, Rule, TokenId, UrlId, UrlMatcher};
use crate::{
    ast::{Effect, Operator},
    json::{Kinds, Path, Step, case_key},
};

impl Program {
    /// The token at a position in the policy. Of a program that was compiled or read as a whole.
    #[must_use]
    pub fn token_at(&self, position: usize) -> Option<TokenId> {
        let id = TokenId(u32::try_from(position).ok()?);
        self.tokens.get(position).map(|_| id)
    }

    /// The rules of a token in the order of decision: forbid rules, then permit rules. Of a program that was compiled or read as a
    /// whole; one that was put together from parts has no rules of its own.
    #[must_use]
    pub fn rules_of(&self, token: TokenId) -> Vec<&Rule> {
        let token = self.token(token);
        let ids = token.forbids.iter().chain(token.permits.iter());
        ids.filter_map(|id| self.rule(id)).collect()
    }

    /// The matcher of paths below the base URL. If the program is not bound to a base URL, nothing matches.
    #[must_use]
    pub fn path_matcher(&self, id: UrlId) -> &Matcher {
        match self.url(id) {
            UrlMatcher::Below(matcher) | UrlMatcher::Bound(_, matcher) => matcher,
            UrlMatcher::Unbound(_) => &Matcher::Nothing,
        }
    }

    /// The matcher of values. If the program is not bound to a base URL, nothing matches.
    #[must_use]
    pub fn value_matcher(&self, id: MatcherId) -> &Matcher {
        self.known_value(id).unwrap_or(&Matcher::Nothing)
    }

    /// A rule's line as people wrote it, and its place.
    #[must_use]
    pub fn shown(&self, rule: &Rule) -> String {
        let line = self.line(rule.line);
        format!("{}:{} `{}`", line.file, line.number, line.text)
    }

    /// Whether a rule is built like one of another program: the same parts in the same order, with matchers that are built alike.
    #[must_use]
    pub fn has_alike(&self, rule: &Rule, other: &Program, theirs: &Rule) -> bool {
        let heads = |rule: &Rule| (rule.effect, rule.methods, rule.params_only);
        let path = || self.path_matcher(rule.url).is(other.path_matcher(theirs.url));
        if heads(rule) != heads(theirs) || !path() {
            return false;
        }
        let (own, their) = (rule.value_tests(), theirs.value_tests());
        let alike = |(own, their): (&ValueTest<'_>, &ValueTest<'_>)| {
            let named = (own.0, own.1, own.3) == (their.0, their.1, their.3);
            named && self.value_matcher(own.2).is(other.value_matcher(their.2))
        };
        let same = rule.members == theirs.members && own.len() == their.len();
        same && own.iter().zip(&their).all(alike)
    }

    /// Whether the upstream merges members of JSON bodies into the query's parameters.
    #[must_use]
    pub fn merges_body(&self) -> bool {
        self.tables.merges_body
    }
}

/// A constraint on the values of a parameter (`Ok`) or of a node of the body (`Err`): the operator, the matcher of values, and the
/// types of values that it is about.
pub type ValueTest<'p> = (Result<&'p str, &'p Path>, Operator, MatcherId, Option<Kinds>);

impl Rule {
    /// Whether it denies what it matches.
    #[must_use]
    pub fn forbids(&self) -> bool {
        self.effect == Effect::Forbid
    }

    /// The constraints on values.
    #[must_use]
    pub fn value_tests(&self) -> Vec<ValueTest<'_>> {
        let params = self
            .params
            .iter()
            .map(|test| (Ok(&*test.name), test.operator, test.value, None));
        let nodes = self.nodes.iter();
        let nodes = nodes.map(|test| (Err(&*test.path), test.operator, test.value, test.kinds));
        params.chain(nodes).collect()
    }
}

impl Path {
    /// The name of the body's member with which it begins; equal for names that differ only in letter case. `None` if it begins with
    /// elements, or has no steps.
    #[must_use]
    pub fn first_name(&self) -> Option<String> {
        match self.0.first()? {
            Step::Name(name) => Some(case_key(name)),
            Step::Each => None,
        }
    }

    /// Whether both begin with a name, and the names differ only in letter case.
    #[must_use]
    pub fn is_variant(&self, other: &Self) -> bool {
        let alike = self.first_name().is_some() && self.first_name() == other.first_name();
        alike && self.0.first() != other.0.first()
    }
}

impl UrlId {
    /// The id at a position in the program's table of URL matchers. One that the program does not have matches nothing.
    #[must_use]
    pub fn numbered(number: u32) -> Self {
        Self(number)
    }

    /// The position in the program's table of URL matchers.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

impl MatcherId {
    /// The id at a position in the program's table of value matchers. One that the program does not have matches nothing.
    #[must_use]
    pub fn numbered(number: u32) -> Self {
        Self(number)
    }

    /// The position in the program's table of value matchers.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

impl Automaton {
    /// The number of the state from which texts are read.
    #[must_use]
    pub fn first_state(&self) -> u32 {
        self.start().as_u32()
    }

    /// The number of the state after one more byte. `state`: a number that this automaton gave.
    #[must_use]
    pub fn state_after(&self, state: u32, byte: u8) -> u32 {
        let state = StateID::new(state as usize).unwrap_or(StateID::ZERO);
        self.next(state, byte).as_u32()
    }

    /// Whether a text that leads to this state matches. `state`: a number that this automaton gave.
    #[must_use]
    pub fn matches_in(&self, state: u32) -> bool {
        self.accepts(StateID::new(state as usize).unwrap_or(StateID::ZERO))
    }

    /// Whether two automata have the same tables and start in the same state.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.place() == other.place() || self.start() == other.start() && self.to_bytes() == other.to_bytes()
    }

    /// The class of a byte: bytes of one class lead from any state to the same.
    #[must_use]
    pub fn byte_class(&self, byte: u8) -> u8 {
        self.class(byte)
    }
}
