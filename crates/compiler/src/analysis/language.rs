//! The languages of a program's matchers, named, and the texts that satisfy combinations of them.

mod lazy;
mod walk;

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use regex_automata::util::primitives::StateID;

use super::{
    Budget, Exhausted,
    budget::Work,
    fixed,
    machine::{Machine, Shared},
};
use crate::ir::{Automaton, AutomatonError, Code, Matcher};

/// Names a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct LangId(u32);

impl LangId {
    /// No text.
    pub(super) const NOTHING: Self = Self(0);
    /// Every text.
    pub(super) const EVERYTHING: Self = Self(1);
    /// Every text: valid UTF-8. Unlike [`LangId::EVERYTHING`] an automaton.
    const UTF8: Self = Self(2);
    /// All texts that are not canonical paths.
    pub(super) const NO_PATH: Self = Self(3);
    /// Texts that begin with `/`.
    pub(super) const ROOTED: Self = Self(4);
    /// JSON numbers.
    pub(super) const NUMBER: Self = Self(5);
    /// JSON numbers in shortest plain decimals.
    pub(super) const PLAIN: Self = Self(6);
    /// `true` and `false`.
    pub(super) const BOOLEAN: Self = Self(7);
    /// `null`.
    pub(super) const NULL: Self = Self(8);
    /// URLs that requests can have, under any public URL.
    pub(super) const URL: Self = Self(9);
}

/// Steps that a literal of a goal counts for: it is sorted and hashed.
const STEPS_A_LITERAL: usize = 20;
/// Steps that a byte of a glob's code counts for when its automaton is built.
const STEPS_A_BYTE: usize = 200;
/// Goals of more literals are forgotten when the next question begins.
const REMEMBERED: usize = 32;
/// Bytes that the automaton of a glob may take, and its construction: a long literal takes more than a pattern may.
const GLOB_LIMIT: usize = 64 << 20;

/// A language, and whether the text is to be in it.
pub(super) type Literal = (LangId, bool);

/// The goal of a search for a text: of each entry one alternative, of an alternative all literals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Goal(pub(super) Vec<Vec<Vec<Literal>>>);

impl Goal {
    /// The goal that all of these literals hold.
    pub(super) fn all(literals: impl IntoIterator<Item = Literal>) -> Self {
        Self(literals.into_iter().map(|literal| vec![vec![literal]]).collect())
    }

    fn literals(&self) -> usize {
        self.0
            .iter()
            .flatten()
            .map(|literals| literals.len().max(1))
            .sum()
    }

    /// Simplifies a goal: decides constants, drops repetitions, and puts the parts of unions in their place; `None` if
    /// nothing can satisfy it.
    fn simplified(&self, languages: &Languages) -> Option<Self> {
        let mut entries = Vec::new();
        for alternatives in &self.0 {
            // To refuse a union is to refuse each of its parts.
            if let [literals] = alternatives.as_slice()
                && let [(union, false)] = literals.as_slice()
                && let parts = languages.parts(*union)
                && !parts.is_empty()
            {
                entries.extend(parts.iter().map(|part| vec![vec![(*part, false)]]));
                continue;
            }
            let alternatives = alternatives.iter().flat_map(|literals| languages.apart(literals));
            let mut left: Vec<Vec<Literal>> = alternatives
                .filter(|literals| !literals.iter().any(|literal| constant(*literal) == Some(false)))
                .map(|mut literals| {
                    literals.retain(|literal| constant(*literal).is_none());
                    literals.sort_unstable();
                    literals.dedup();
                    literals
                })
                .collect();
            left.sort_unstable();
            left.dedup();
            match left.first() {
                None => return None,
                // An alternative without literals holds always; it sorts first.
                Some(first) if first.is_empty() => {}
                Some(_) => entries.push(left),
            }
        }
        entries.sort_unstable();
        entries.dedup();
        Some(Self(entries))
    }
}

fn constant((language, wanted): Literal) -> Option<bool> {
    match language {
        LangId::NOTHING => Some(!wanted),
        LangId::EVERYTHING => Some(wanted),
        _ => None,
    }
}

#[derive(PartialEq, Eq, Hash)]
enum Key {
    Code(Code),
    Automaton(usize, StateID),
}

/// A language.
struct Language {
    /// Tests texts.
    matcher: Matcher,
    /// The languages that it is the union of; empty if it is none.
    parts: Vec<LangId>,
    /// How much of a text it leaves open, as far as its form shows: the fewer bytes are fixed, the more.
    fixed: usize,
    /// Built when a search needs it.
    machine: Option<MachineId>,
}

/// Names a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct MachineId(usize);

/// Languages by their ids, the results of searches for them, and the work that is left.
pub(super) struct Languages {
    // INVARIANT: an id is the index of its language; the two constants are never searched for.
    languages: Vec<Language>,
    machines: Vec<Shared>,
    /// Machines of unions of two machines; `None` if that is too large.
    unions: HashMap<(MachineId, MachineId), Option<MachineId>>,
    known: HashMap<Key, LangId>,
    found: HashMap<Goal, Option<String>>,
    found_now: HashMap<Goal, Option<String>>,
    walks: HashMap<(LangId, &'static str), Option<String>>,
    /// The steps that the question may still take.
    pub(super) work: Work,
    visited: u64,
}

impl Languages {
    /// # Errors
    /// An automaton of our own does not build: a bug.
    pub(super) fn new(budget: &Budget) -> Result<Self, AutomatonError> {
        let language = |automaton| Language {
            matcher: Matcher::Automaton(automaton),
            parts: Vec::new(),
            fixed: 0,
            machine: None,
        };
        Ok(Self {
            languages: fixed::all()?.into_iter().map(language).collect(),
            machines: Vec::new(),
            unions: HashMap::new(),
            known: HashMap::new(),
            found: HashMap::new(),
            found_now: HashMap::new(),
            walks: HashMap::new(),
            work: budget.work(),
            visited: 0,
        })
    }

    /// Begins a question that may take one of so many shares of the steps that are left of the run.
    pub(super) fn grant(&mut self, shares: u64) {
        self.found_now.clear();
        self.work.grant(shares);
    }

    /// How many tuples of states have been visited, by all questions.
    pub(super) fn visited(&self) -> u64 {
        self.visited
    }

    /// Whether a text is in a language.
    pub(super) fn has(&self, id: LangId, text: &str) -> bool {
        match id {
            LangId::NOTHING => false,
            LangId::EVERYTHING => true,
            _ => {
                let language = self.languages.get(id.0 as usize);
                language.is_some_and(|language| language.matcher.matches(text))
            }
        }
    }

    /// The machine of a language that is neither a constant nor a union.
    ///
    /// # Errors
    /// The work is spent.
    pub(super) fn machine(&mut self, id: LangId) -> Result<Shared, Exhausted> {
        let id = self.machine_id(id)?;
        self.machines.get(id.0).cloned().ok_or(Exhausted)
    }

    fn machine_id(&mut self, id: LangId) -> Result<MachineId, Exhausted> {
        let index = id.0 as usize;
        let language = self.languages.get(index).ok_or(Exhausted)?;
        if let Some(known) = language.machine {
            return Ok(known);
        }
        let machine = match &language.matcher {
            Matcher::Automaton(automaton) if id == LangId::NO_PATH => {
                let utf8 = self.languages.get(LangId::UTF8.0 as usize);
                let Some(Matcher::Automaton(utf8)) = utf8.map(|language| &language.matcher) else {
                    return Err(Exhausted);
                };
                let machine = refused_paths(automaton, utf8).ok_or(Exhausted)?;
                let machine = self.share(machine);
                if let Some(language) = self.languages.get_mut(index) {
                    language.machine = Some(machine);
                }
                return Ok(machine);
            }
            Matcher::Glob(code) => {
                self.work.take(STEPS_A_BYTE * (code.as_bytes().len() + 8))?;
                let globs = code.globs().ok_or(Exhausted)?;
                let [glob] = globs.as_slice() else {
                    return Err(Exhausted);
                };
                let automaton = Automaton::within(&glob.to_hir(), GLOB_LIMIT).map_err(|_| Exhausted)?;
                Machine::of_bytes(&automaton, &mut self.work)?
            }
            Matcher::Automaton(automaton) if id == LangId::UTF8 => {
                Machine::of_bytes(automaton, &mut self.work)?
            }
            Matcher::Automaton(automaton) => {
                let utf8 = self.languages.get(LangId::UTF8.0 as usize);
                match utf8.map(|language| &language.matcher) {
                    Some(Matcher::Automaton(utf8)) => Machine::of_text(automaton, utf8, &mut self.work)?,
                    _ => return Err(Exhausted),
                }
            }
            Matcher::Nothing | Matcher::Everything => return Err(Exhausted),
        };
        let machine = self.add_machine(machine);
        if let Some(language) = self.languages.get_mut(index) {
            language.machine = Some(machine);
        }
        Ok(machine)
    }

    fn add_machine(&mut self, machine: Machine) -> MachineId {
        self.share(Arc::new(machine))
    }

    fn share(&mut self, machine: Shared) -> MachineId {
        self.machines.push(machine);
        MachineId(self.machines.len() - 1)
    }

    /// The languages that a language is the union of; none if it is none.
    pub(super) fn parts(&self, id: LangId) -> &[LangId] {
        let language = self.languages.get(id.0 as usize);
        language.map_or(&[], |language| &language.parts)
    }

    /// The alternatives that a list of literals stands for, without unions.
    fn apart(&self, literals: &[Literal]) -> Vec<Vec<Literal>> {
        let mut all = vec![Vec::new()];
        for (id, wanted) in literals {
            let parts = self.parts(*id);
            if parts.is_empty() {
                all.iter_mut().for_each(|literals| literals.push((*id, *wanted)));
            } else if *wanted {
                let of_part = |part: &LangId| {
                    let part = *part;
                    all.iter()
                        .map(move |literals| [literals.as_slice(), &[(part, true)]].concat())
                };
                all = parts.iter().flat_map(of_part).collect();
            } else {
                let refused = parts.iter().map(|part| (*part, false));
                all.iter_mut()
                    .for_each(|literals| literals.extend(refused.clone()));
            }
        }
        all
    }

    /// The language of a matcher. A pattern of several globs is the union of their languages: one automaton for all of
    /// them can be larger than all automata apart can ever be.
    ///
    /// # Errors
    /// There are more languages than ids.
    pub(super) fn of(&mut self, matcher: &Matcher) -> Result<LangId, Exhausted> {
        let key = match matcher {
            Matcher::Nothing => return Ok(LangId::NOTHING),
            Matcher::Everything => return Ok(LangId::EVERYTHING),
            Matcher::Glob(code) => Key::Code(code.clone()),
            Matcher::Automaton(automaton) => {
                let (tables, start) = automaton.place();
                Key::Automaton(tables, start)
            }
        };
        if let Some(id) = self.known.get(&key) {
            return Ok(*id);
        }
        let (mut parts, mut fixed) = (Vec::new(), 0);
        if let Matcher::Glob(code) = matcher {
            fixed = code.as_bytes().len();
            let globs = code.globs().ok_or(Exhausted)?;
            if globs.len() > 1 {
                for glob in &globs {
                    let code = Code::new(std::slice::from_ref(glob)).ok_or(Exhausted)?;
                    parts.push(self.of(&Matcher::Glob(code))?);
                }
            }
        }
        let id = LangId(u32::try_from(self.languages.len()).map_err(|_| Exhausted)?);
        self.languages.push(Language {
            // Kept, so that the address of an automaton stays its own.
            matcher: matcher.clone(),
            parts,
            fixed,
            machine: None,
        });
        self.known.insert(key, id);
        Ok(id)
    }

    /// The shortest text with this beginning that the automaton of a language accepts, as a walk of it finds it; `None` if the walk finds
    /// none, or the language has no automaton. Most lines are asked for nothing else, and their machines take far longer to build.
    ///
    /// # Errors
    /// The work is spent.
    pub(super) fn walked(&mut self, id: LangId, begin: &'static str) -> Result<Option<String>, Exhausted> {
        if let Some(known) = self.walks.get(&(id, begin)) {
            return Ok(known.clone());
        }
        let Some(Matcher::Automaton(automaton)) = self
            .languages
            .get(id.0 as usize)
            .map(|language| &language.matcher)
        else {
            return Ok(None);
        };
        let text = walk::walked(automaton, begin, &mut self.work)?;
        self.walks.insert((id, begin), text.clone());
        Ok(text)
    }

    /// The shortest and most readable text that satisfies the goal; printable if such a text exists. Found once.
    ///
    /// # Errors
    /// The work is spent.
    pub(super) fn text(&mut self, goal: &Goal) -> Result<Option<String>, Exhausted> {
        self.work.take(goal.literals() * STEPS_A_LITERAL)?;
        let Some(goal) = goal.simplified(self) else {
            return Ok(None);
        };
        if let Some(found) = self.found.get(&goal).or_else(|| self.found_now.get(&goal)) {
            return Ok(found.clone());
        }
        let found = self.search(&goal)?;
        let found_before = match goal.literals() > REMEMBERED {
            true => &mut self.found_now,
            false => &mut self.found,
        };
        found_before.insert(goal, found.clone());
        Ok(found)
    }
}

/// The machine of the paths that are refused when nothing is relaxed. Nearly every question needs it, and it never changes, so it is
/// built once for all runs and takes no steps of theirs.
fn refused_paths(automaton: &Automaton, utf8: &Automaton) -> Option<Shared> {
    static MACHINE: OnceLock<Option<Shared>> = OnceLock::new();
    let build = || {
        let mut work = Budget::new(u64::MAX).work();
        work.grant(1);
        Machine::of_text(automaton, utf8, &mut work).ok().map(Arc::new)
    };
    MACHINE.get_or_init(build).clone()
}
