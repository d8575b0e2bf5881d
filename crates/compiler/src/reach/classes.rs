//! Lines that match the same requests by their form, as one: a thousand tokens often have the same line, each with its own
//! parameters or not.

use std::{collections::HashMap, sync::Arc};

use crate::{
    analysis::Ruled,
    ast::Effect,
    ir::{Constraints, LineId, Program, RuleId, TokenId, UrlId},
    method::MethodSet,
};

/// Names a class of equal lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Class(pub(super) u32);

/// The classes of the lines of some tokens.
#[derive(Debug, Default)]
pub struct Classes {
    /// A rule of each class.
    rules: Vec<RuleId>,
    known: HashMap<Key, Class>,
}

type Key = (Effect, MethodSet, UrlId, Option<Arc<Constraints>>);

/// The lines of one token.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    pub(super) permits: Vec<(Class, LineId)>,
    pub(super) forbids: Vec<(Class, LineId)>,
}

impl Classes {
    /// Adds the lines of a token.
    pub(super) fn add(&mut self, program: &Program, token: TokenId) -> Lines {
        let token = program.token(token);
        let mut lines = Lines::default();
        for id in token.permits.iter() {
            lines.permits.extend(self.class(program, id));
        }
        for id in token.forbids.iter() {
            lines.forbids.extend(self.class(program, id));
        }
        lines
    }

    fn class(&mut self, program: &Program, id: RuleId) -> Option<(Class, LineId)> {
        let rule = program.rule(id)?;
        let key = (rule.effect, rule.methods, rule.url, rule.constraints.clone());
        let next = Class(u32::try_from(self.rules.len()).ok()?);
        let class = *self.known.entry(key).or_insert(next);
        if class == next {
            self.rules.push(id);
        }
        Some((class, rule.line))
    }

    /// The rule of a class.
    pub(super) fn rule<'p>(&self, program: &'p Program, class: Class) -> Option<Ruled<'p>> {
        let id = self.rules.get(class.0 as usize)?;
        let rule = program.rule(*id)?;
        Some(Ruled { program, rule })
    }
}
