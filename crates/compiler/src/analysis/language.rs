//! The languages of a program's matchers, named, and the texts that satisfy combinations of them.

use std::collections::HashMap;

use regex_automata::util::primitives::StateID;
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, Repetition};

use super::{
    Exhausted,
    budget::Steps,
    fixed,
    product::{Alphabet, Wish, shortest},
};
use crate::ir::{Atom, Automaton, AutomatonError, ByteSet, Code, Glob, Matcher};

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
const STEPS_A_LITERAL: usize = 50;
/// Steps that a byte of a glob's code counts for when its automaton is built.
const STEPS_A_BYTE: usize = 1_000;

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

    /// Simplifies a goal: decides constants and drops repetitions; `None` if nothing can satisfy it.
    fn simplified(&self) -> Option<Self> {
        let mut entries = Vec::new();
        for alternatives in &self.0 {
            let mut left: Vec<Vec<Literal>> = alternatives
                .iter()
                .filter(|literals| !literals.iter().any(|literal| constant(*literal) == Some(false)))
                .map(|literals| {
                    let mut open: Vec<Literal> = literals
                        .iter()
                        .copied()
                        .filter(|literal| constant(*literal).is_none())
                        .collect();
                    open.sort_unstable();
                    open.dedup();
                    open
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

/// Languages by their ids, the results of searches for them, and the budget that is left.
pub(super) struct Languages {
    // INVARIANT: an id is the index of its automaton; the automata of the two constants are never asked.
    automata: Vec<Automaton>,
    known: HashMap<Key, LangId>,
    found: HashMap<Goal, Option<String>>,
    /// The steps that all questions of the run may still take.
    pub(super) steps: Steps,
    /// How many tuples of states may still be visited.
    pub(super) budget: u64,
    granted: u64,
    spent: u64,
}

impl Languages {
    /// # Errors
    /// An automaton of our own does not build: a bug.
    pub(super) fn new(steps: Steps) -> Result<Self, AutomatonError> {
        Ok(Self {
            steps,
            automata: fixed::all()?,
            known: HashMap::new(),
            found: HashMap::new(),
            budget: 0,
            granted: 0,
            spent: 0,
        })
    }

    /// Begins a question: it may visit so many tuples of states.
    pub(super) fn grant(&mut self, budget: u64) {
        self.spent = self.visited();
        (self.budget, self.granted) = (budget, budget);
    }

    /// How many tuples of states have been visited, by all questions.
    pub(super) fn visited(&self) -> u64 {
        self.spent + self.granted.saturating_sub(self.budget)
    }

    /// The automaton of a language; not for the two constants.
    pub(super) fn automaton(&self, id: LangId) -> Option<&Automaton> {
        let constant = matches!(id, LangId::NOTHING | LangId::EVERYTHING);
        (!constant).then(|| self.automata.get(id.0 as usize)).flatten()
    }

    /// The language of a matcher.
    ///
    /// # Errors
    /// The automaton of a glob would pass the limit: it counts as spent.
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
        let automaton = match matcher {
            Matcher::Glob(code) => {
                self.steps.take(STEPS_A_BYTE * code.as_bytes().len())?;
                let globs = code.globs().ok_or(Exhausted)?;
                Automaton::new(&Hir::alternation(globs.iter().map(hir).collect())).map_err(|_| Exhausted)?
            }
            // Kept, so that its address stays its own.
            Matcher::Automaton(automaton) => automaton.clone(),
            Matcher::Nothing | Matcher::Everything => return Err(Exhausted),
        };
        let id = LangId(u32::try_from(self.automata.len()).map_err(|_| Exhausted)?);
        self.automata.push(automaton);
        self.known.insert(key, id);
        Ok(id)
    }

    /// The shortest and most readable text that satisfies the goal; printable if such a text exists. Found once.
    ///
    /// # Errors
    /// The budget is spent.
    pub(super) fn text(&mut self, goal: &Goal) -> Result<Option<String>, Exhausted> {
        self.steps.take(goal.0.len() * STEPS_A_LITERAL)?;
        let Some(goal) = goal.simplified() else {
            return Ok(None);
        };
        if let Some(found) = self.found.get(&goal) {
            return Ok(found.clone());
        }
        let mut ids = vec![LangId::UTF8];
        let mut places = HashMap::from([(LangId::UTF8, 0)]);
        let mut wish: Wish = vec![vec![vec![(0, true)]]];
        for alternatives in &goal.0 {
            let mut entry = Vec::new();
            for literals in alternatives {
                let place = |(id, wanted): &Literal| {
                    let at = *places.entry(*id).or_insert_with(|| {
                        ids.push(*id);
                        ids.len() - 1
                    });
                    (at, *wanted)
                };
                entry.push(literals.iter().map(place).collect());
            }
            wish.push(entry);
        }
        let automata: Vec<&Automaton> = ids
            .iter()
            .filter_map(|id| self.automata.get(id.0 as usize))
            .collect();
        let mut found = shortest(&automata, &wish, (Alphabet::Bytes, &mut self.budget, &self.steps))?;
        if let Some(text) = &found
            && !text.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ')
            && let Some(readable) = shortest(
                &automata,
                &wish,
                (Alphabet::Printable, &mut self.budget, &self.steps),
            )?
        {
            found = Some(readable);
        }
        // UTF-8 is among the automata: nothing is lost here.
        let found = found.and_then(|text| String::from_utf8(text).ok());
        self.found.insert(goal, found.clone());
        Ok(found)
    }
}

/// A glob as a pattern of bytes, which is what its code matches.
fn hir(glob: &Glob) -> Hir {
    let run = |set: &dyn Fn(u8) -> bool, min, max| {
        let bytes = (0..=u8::MAX).filter(|byte| set(*byte));
        let ranges = bytes.map(|byte| ClassBytesRange::new(byte, byte));
        let class = Hir::class(Class::Bytes(ClassBytes::new(ranges)));
        Hir::repetition(Repetition {
            min,
            max,
            greedy: true,
            sub: Box::new(class),
        })
    };
    let atoms = glob.atoms().iter().map(|atom| match atom {
        Atom::Literal(literal) => Hir::literal(literal.clone()),
        Atom::Any => run(&|_| true, 0, None),
        Atom::Run { set, min, max } => run(&|byte| ByteSet::contains(*set, byte), *min, *max),
    });
    Hir::concat(atoms.collect())
}
