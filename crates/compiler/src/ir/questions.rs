//! What a rule asks of a body, worked out once for all rules that ask the same.

use std::{collections::HashMap, sync::Arc};

use super::{
    Rule,
    bounds::{MOST, SLACK},
};
use crate::json::{Path, Slot, Step, Wanted};

/// What is wanted of the body, and where the answers stand.
#[derive(Clone, Debug)]
pub(crate) struct Questions {
    pub(crate) wanted: Wanted<'static>,
    pub(crate) slots: Slots,
}

/// Where the answers to a rule's questions stand, in the order of its constraints.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    pub(crate) nodes: Vec<Slot>,
    pub(crate) members: Vec<Slot>,
    /// The members of the root, where parameters of the query could stand too.
    pub(crate) root: Option<Slot>,
}

impl Slots {
    /// Asks for what the rule wants, and, if `merges`, for what could stand for its parameters.
    pub(crate) fn ask<'p>(rule: &'p Rule, merges: bool, wanted: &mut Wanted<'p>) -> Self {
        Self {
            nodes: rule.nodes.iter().map(|test| wanted.node(&test.path)).collect(),
            members: rule.members.iter().map(|path| wanted.members(path)).collect(),
            root: (merges && rule.asks_query()).then(|| wanted.members(const { &Path::ROOT })),
        }
    }
}

/// Constraints of a rule, and steps of a path, beyond which nothing is worked out: what asks so much is asked when a body
/// comes.
const WORKED_OUT: usize = 256;

/// The questions of many rules, each once.
pub(crate) struct Known<'p> {
    ids: HashMap<(Vec<&'p Path>, &'p [Arc<Path>]), u32>,
    pub(crate) questions: Vec<Questions>,
    /// Bytes and steps of paths that may still be copied.
    room: usize,
}

impl<'p> Known<'p> {
    /// For the questions of so many rules. Rules of an artifact share what they ask; it is copied in bounds.
    pub(crate) fn of_rules(rules: usize) -> Self {
        Self {
            ids: HashMap::new(),
            questions: Vec::new(),
            room: SLACK + rules.saturating_mul(MOST),
        }
    }

    /// The questions of a rule; `None` if it has none, or asks more than is worked out.
    pub(crate) fn of(&mut self, rule: &'p Rule) -> Option<u32> {
        if !rule.asks_json() || rule.nodes.len() + rule.members.len() > WORKED_OUT {
            return None;
        }
        let size = rule.paths().map(size).sum::<Option<usize>>()?;
        let key = (
            rule.nodes.iter().map(|test| &*test.path).collect(),
            rule.members.as_slice(),
        );
        if size > self.room {
            return self.ids.get(&key).copied();
        }
        let id = *self.ids.entry(key).or_insert_with(|| {
            self.room -= size;
            let mut wanted = Wanted::new();
            let slots = Slots::ask(rule, false, &mut wanted);
            self.questions.push(Questions {
                wanted: wanted.into_owned(),
                slots,
            });
            super::index(self.questions.len() - 1)
        });
        Some(id)
    }
}

/// Steps and bytes of a path; `None` where it has too many steps.
fn size(path: &Path) -> Option<usize> {
    let steps = (path.0.len() <= WORKED_OUT).then_some(&path.0)?;
    let of = |step: &Step| match step {
        Step::Name(name) => name.len() + 1,
        Step::Each => 1,
    };
    Some(steps.iter().map(of).sum())
}
