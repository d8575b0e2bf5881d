//! Reads a program as data: the rules of its tokens, their matchers, and the steps of automata.
//!
//! For readers that decide by themselves, such as the checker of certificates. Nothing here decides.

use regex_automata::util::primitives::StateID;

use super::{Automaton, Matcher, MatcherId, Program, Rule, TokenId, UrlId, UrlMatcher};

impl Program {
    /// The rules of a token in the order of decision: forbid rules, then permit rules. Of a program that was compiled or read as a
    /// whole; one that was put together from parts has no rules of its own.
    #[must_use]
    pub fn rules_of(&self, token: TokenId) -> Vec<&Rule> {
        let token = self.token(token);
        let ids = token.forbids.iter().chain(token.permits.iter());
        ids.filter_map(|id| self.rule(id)).collect()
    }

    /// The matcher of paths below the base URL; `None` if the program is not bound to a base URL, so that nothing matches.
    #[must_use]
    pub fn path_matcher(&self, id: UrlId) -> Option<&Matcher> {
        match self.url(id) {
            UrlMatcher::Below(matcher) | UrlMatcher::Bound(_, matcher) => Some(matcher),
            UrlMatcher::Unbound(_) => None,
        }
    }

    /// The matcher of values; `None` if the program is not bound to a base URL, so that nothing matches.
    #[must_use]
    pub fn value_matcher(&self, id: MatcherId) -> Option<&Matcher> {
        self.known_value(id)
    }

    /// Whether the upstream merges members of JSON bodies into the query's parameters.
    #[must_use]
    pub fn merges_body(&self) -> bool {
        self.tables.merges_body
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
