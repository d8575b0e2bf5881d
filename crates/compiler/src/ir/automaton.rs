//! A dense DFA for the patterns that no simpler matcher holds.

use regex_automata::{
    Anchored, MatchKind,
    dfa::{Automaton as _, StartKind, dense},
    nfa::thompson,
    util::{alphabet, primitives::StateID, start},
};
use regex_syntax::hir::Hir;

/// Bytes that one pattern's automaton may take, as built and while it is being built.
pub const AUTOMATON_LIMIT: usize = 4 << 20;
/// Bytes that the NFA, from which it is built, may take.
const NFA_LIMIT: usize = 8 << 20;

/// Maximum length of a beginning: longer ones distinguish no more lines.
const PREFIX: usize = 64;

/// A pattern as a DFA, and the state from which texts are read.
#[derive(Clone)]
pub struct Automaton {
    dfa: std::sync::Arc<dense::DFA<Vec<u32>>>,
    start: StateID,
}

impl std::fmt::Debug for Automaton {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Automaton({} bytes)", self.dfa.memory_usage())
    }
}

/// Why a pattern has no automaton.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AutomatonError {
    /// The automaton would be too large.
    #[error("the regexp's automaton would take more than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The pattern has a feature that the builder does not support; a bug, since the dialect has no such feature.
    #[error("the regexp has no automaton: {0}")]
    Unsupported(String),
}

impl Automaton {
    /// Builds the DFA of `hir`. Time and memory are bounded by [`AUTOMATON_LIMIT`].
    ///
    /// # Errors
    /// A pattern past the limit.
    pub fn new(hir: &Hir) -> Result<Self, AutomatonError> {
        Self::within(hir, AUTOMATON_LIMIT)
    }

    /// Like [`Automaton::new`], with another limit.
    pub(crate) fn within(hir: &Hir, limit: usize) -> Result<Self, AutomatonError> {
        let too_large = AutomatonError::TooLarge { limit };
        let nfa = thompson::Compiler::new()
            .configure(
                thompson::Config::new()
                    .utf8(false)
                    .shrink(false)
                    .which_captures(thompson::WhichCaptures::None)
                    .nfa_size_limit(Some(NFA_LIMIT.max(limit))),
            )
            .build_from_hir(hir)
            .map_err(|_| too_large.clone())?;
        // MatchKind::All: a whole match may lie on a branch that leftmost-first would have given up.
        let dfa = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .match_kind(MatchKind::All)
                    .start_kind(StartKind::Anchored)
                    .accelerate(false)
                    .dfa_size_limit(Some(limit))
                    .determinize_size_limit(Some(limit)),
            )
            .build_from_nfa(&nfa)
            .map_err(|error| {
                if error.is_size_limit_exceeded() {
                    too_large
                } else {
                    AutomatonError::Unsupported(error.to_string())
                }
            })?;
        Self::of_dfa(dfa)
    }

    /// The tables as bytes, little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (bytes, padding) = self.dfa.to_bytes_little_endian();
        bytes.get(padding..).unwrap_or_default().to_vec()
    }

    /// The automaton of the bytes that [`Automaton::to_bytes`] gave; `None` for any others, and on big-endian machines.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        // The tables are read in place, as words, so the copy begins at a word's alignment.
        let mut aligned = vec![0; bytes.len() + size_of::<u32>()];
        let offset = aligned.as_ptr().align_offset(align_of::<u32>());
        let place = aligned.get_mut(offset..)?.get_mut(..bytes.len())?;
        place.copy_from_slice(bytes);
        let (dfa, read) = dense::DFA::from_bytes(place).ok()?;
        if read != bytes.len() || dfa.memory_usage() > 2 * AUTOMATON_LIMIT {
            return None;
        }
        Self::of_dfa(dfa.to_owned()).ok()
    }

    fn of_dfa(dfa: dense::DFA<Vec<u32>>) -> Result<Self, AutomatonError> {
        let start = dfa
            .start_state(&start::Config::new().anchored(Anchored::Yes))
            .map_err(|error| AutomatonError::Unsupported(error.to_string()))?;
        Ok(Self {
            dfa: std::sync::Arc::new(dfa),
            start,
        })
    }

    /// The automaton of what may follow `prefix` in a match.
    #[must_use]
    pub fn after(&self, prefix: &[u8]) -> Self {
        let start = prefix
            .iter()
            .fold(self.start, |state, byte| self.dfa.next_state(state, *byte));
        Self {
            dfa: std::sync::Arc::clone(&self.dfa),
            start,
        }
    }

    /// The bytes that every match begins with, as long as all other bytes lead to a dead state; at most 64 bytes.
    #[must_use]
    pub fn prefix(&self) -> Vec<u8> {
        let classes = self.dfa.byte_classes();
        let (mut state, mut prefix) = (self.start, Vec::new());
        while prefix.len() < PREFIX && !self.dfa.is_match_state(self.dfa.next_eoi_state(state)) {
            let mut ways = classes
                .representatives(0..=u8::MAX)
                .filter_map(|unit| unit.as_u8())
                .map(|byte| (byte, self.dfa.next_state(state, byte)))
                .filter(|(_, next)| !self.dfa.is_dead_state(*next));
            let (Some((byte, next)), None) = (ways.next(), ways.next()) else {
                break;
            };
            if classes.elements(alphabet::Unit::u8(classes.get(byte))).count() > 1 {
                break;
            }
            prefix.push(byte);
            state = next;
        }
        prefix
    }

    /// Whether no text at all can follow.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.dfa.is_dead_state(self.start)
    }

    /// Whether the whole of `text` matches. Linear, without allocation.
    #[must_use]
    pub fn matches(&self, text: &[u8]) -> bool {
        let mut state = self.start;
        for byte in text {
            state = self.dfa.next_state(state, *byte);
            if self.dfa.is_special_state(state) && self.dfa.is_dead_state(state) {
                return false;
            }
        }
        let state = self.dfa.next_eoi_state(state);
        self.dfa.is_match_state(state)
    }

    /// The state from which texts are read.
    pub(crate) fn start(&self) -> StateID {
        self.start
    }

    /// The state after one more byte.
    pub(crate) fn next(&self, state: StateID, byte: u8) -> StateID {
        self.dfa.next_state(state, byte)
    }

    /// Whether a text that leads to this state matches.
    pub(crate) fn accepts(&self, state: StateID) -> bool {
        self.dfa.is_match_state(self.dfa.next_eoi_state(state))
    }

    /// Whether nothing that leads through this state matches.
    pub(crate) fn is_dead_end(&self, state: StateID) -> bool {
        self.dfa.is_dead_state(state)
    }

    /// Bytes of one class lead from any state to the same.
    pub(crate) fn class(&self, byte: u8) -> u8 {
        self.dfa.byte_classes().get(byte)
    }

    /// The address of the tables, and the start: equal for the same automaton as long as either copy lives.
    pub(crate) fn place(&self) -> (usize, StateID) {
        (std::sync::Arc::as_ptr(&self.dfa).addr(), self.start)
    }

    /// Heap bytes of the DFA.
    #[must_use]
    pub fn memory_usage(&self) -> usize {
        self.dfa.memory_usage()
    }
}
