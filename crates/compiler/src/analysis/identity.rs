//! Rules that are built alike, found without searching: most of a policy does not change.
//!
//! Rules of one *class* match the same requests. A class is found by hashing, so a policy whose lines only change places
//! takes as long as its lines, and not as their pairs.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use sha2::{Digest, Sha256};

use super::clauses::Ruled;
use crate::{
    ast::{Effect, Operator},
    ir::{Code, Matcher, MatcherId, UrlId, UrlMatcher},
    json::{Kinds, Path},
    method::MethodSet,
};

/// Names a class of rules.
pub(super) type Class = u32;

/// What a matcher is built of.
#[derive(PartialEq, Eq, Hash)]
enum Built {
    Nothing,
    Everything,
    Glob(Code),
    /// The SHA-256 of the automaton's tables, and where it starts: the tables of many lines would take much memory.
    Automaton([u8; 32], usize),
}

/// What a rule is built of; matchers and paths by number.
#[derive(PartialEq, Eq, Hash)]
struct Form {
    effect: Effect,
    methods: MethodSet,
    url: u32,
    params: Vec<(Arc<str>, Operator, u32)>,
    params_only: bool,
    nodes: Vec<(Arc<Path>, Option<Kinds>, Operator, u32)>,
    members: Vec<Arc<Path>>,
    /// Whether bodies merge, if the rule looks at query or body.
    merges: bool,
}

/// Finds the classes of rules of several programs.
#[derive(Default)]
pub(super) struct Identity {
    built: HashMap<Built, u32>,
    urls: HashMap<(usize, UrlId), Option<u32>>,
    values: HashMap<(usize, MatcherId), Option<u32>>,
    forms: HashMap<Form, Class>,
    /// By the addresses of the program, which binds the rule, and of the rule.
    rules: HashMap<(usize, usize), Option<Class>>,
}

impl Identity {
    /// For each of the rules, whether the others have one that is built alike.
    pub(super) fn also_in(&mut self, rules: &[Ruled<'_>], others: &[Ruled<'_>]) -> Vec<bool> {
        // A line that has not changed usually has the place that it had.
        if self.are_alike(rules, others) {
            return vec![true; rules.len()];
        }
        let known: HashSet<Class> = others.iter().filter_map(|other| self.class(*other)).collect();
        let mut is_known = |rule: &Ruled<'_>| self.class(*rule).is_some_and(|class| known.contains(&class));
        rules.iter().map(&mut is_known).collect()
    }

    /// Whether the rules are built like the others, one by one in the same order.
    pub(super) fn are_alike(&mut self, rules: &[Ruled<'_>], others: &[Ruled<'_>]) -> bool {
        let mut is_same = |(one, other): (&Ruled<'_>, &Ruled<'_>)| {
            let class = self.class(*one);
            class.is_some() && class == self.class(*other)
        };
        rules.len() == others.len() && rules.iter().zip(others).all(&mut is_same)
    }

    /// For each of the rules, the position of the first among the others that is built alike.
    pub(super) fn twins(&mut self, rules: &[Ruled<'_>], others: &[Ruled<'_>]) -> Vec<Option<usize>> {
        let mut known: HashMap<Class, usize> = HashMap::new();
        for (at, other) in others.iter().enumerate() {
            if let Some(class) = self.class(*other) {
                known.entry(class).or_insert(at);
            }
        }
        let twin = |rule: &Ruled<'_>| known.get(&self.class(*rule)?).copied();
        rules.iter().map(twin).collect()
    }

    /// The class of a rule; `None` if the rule is not bound, so that nothing is known of it.
    fn class(&mut self, ruled: Ruled<'_>) -> Option<Class> {
        let place = (
            std::ptr::from_ref(ruled.program).addr(),
            std::ptr::from_ref(ruled.rule).addr(),
        );
        if let Some(known) = self.rules.get(&place) {
            return *known;
        }
        let class = self.form(ruled).map(|form| number(&mut self.forms, form));
        self.rules.insert(place, class);
        class
    }

    fn form(&mut self, ruled: Ruled<'_>) -> Option<Form> {
        let rule = ruled.rule;
        let params = rule.params.iter().map(|test| {
            let value = self.value(ruled, test.value)?;
            Some((Arc::clone(&test.name), test.operator, value))
        });
        let params = params.collect::<Option<Vec<_>>>()?;
        let nodes = rule.nodes.iter().map(|test| {
            let value = self.value(ruled, test.value)?;
            Some((Arc::clone(&test.path), test.kinds, test.operator, value))
        });
        let nodes = nodes.collect::<Option<Vec<_>>>()?;
        Some(Form {
            effect: rule.effect,
            methods: rule.methods,
            url: self.url(ruled)?,
            params,
            params_only: rule.params_only,
            nodes,
            members: rule.members.clone(),
            merges: ruled.program.merges_body && (ruled.asks_query() || ruled.asks_json()),
        })
    }

    /// The number of what the rule's URL is built of; `None` if it is not bound.
    pub(super) fn url(&mut self, ruled: Ruled<'_>) -> Option<u32> {
        let id = (std::ptr::from_ref(ruled.program).addr(), ruled.rule.url);
        if let Some(known) = self.urls.get(&id) {
            return *known;
        }
        let number = match ruled.program.url(ruled.rule.url) {
            UrlMatcher::Below(matcher) | UrlMatcher::Bound(_, matcher) => Some(self.number_of(matcher)),
            UrlMatcher::Unbound(_) => None,
        };
        self.urls.insert(id, number);
        number
    }

    /// The number of what a value of the rule's program is built of; `None` if it is not bound.
    pub(super) fn value(&mut self, ruled: Ruled<'_>, value: MatcherId) -> Option<u32> {
        let id = (std::ptr::from_ref(ruled.program).addr(), value);
        if let Some(known) = self.values.get(&id) {
            return *known;
        }
        let matcher = ruled.program.known_value(value);
        let number = matcher.map(|matcher| self.number_of(matcher));
        self.values.insert(id, number);
        number
    }

    fn number_of(&mut self, matcher: &Matcher) -> u32 {
        let built = match matcher {
            Matcher::Nothing => Built::Nothing,
            Matcher::Everything => Built::Everything,
            Matcher::Glob(code) => Built::Glob(code.clone()),
            Matcher::Automaton(automaton) => Built::Automaton(
                Sha256::digest(automaton.to_bytes()).into(),
                automaton.start().as_usize(),
            ),
        };
        number(&mut self.built, built)
    }
}

/// The number of a key; a key that is new gets a new one.
fn number<K: Eq + std::hash::Hash>(known: &mut HashMap<K, u32>, key: K) -> u32 {
    let fresh = u32::try_from(known.len()).unwrap_or(u32::MAX);
    *known.entry(key).or_insert(fresh)
}
