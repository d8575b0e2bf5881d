//! What a rule asks of a body, worked out once for all rules that ask the same.

use std::collections::HashMap;

use super::Rule;
use crate::json::{Path, Slot, Wanted};

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
        static ROOT: Path = Path(Vec::new());
        Self {
            nodes: rule.nodes.iter().map(|test| wanted.node(&test.path)).collect(),
            members: rule.members.iter().map(|path| wanted.members(path)).collect(),
            root: (merges && rule.asks_query()).then(|| wanted.members(&ROOT)),
        }
    }
}

/// The questions of many rules, each once.
#[derive(Default)]
pub(crate) struct Known<'p> {
    ids: HashMap<(Vec<&'p Path>, &'p [Path]), u32>,
    pub(crate) questions: Vec<Questions>,
}

impl<'p> Known<'p> {
    /// The questions of a rule; `None` if it has none.
    pub(crate) fn of(&mut self, rule: &'p Rule) -> Option<u32> {
        if !rule.asks_json() {
            return None;
        }
        let key = (
            rule.nodes.iter().map(|test| &*test.path).collect(),
            rule.members.as_slice(),
        );
        let id = *self.ids.entry(key).or_insert_with(|| {
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
