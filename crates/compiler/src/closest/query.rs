//! The parameters that a line matches and that are nearest to given ones.

use super::change::Change;
use super::forbidden::{Demand, Refused, demand, permitted};
use super::goal::Goal;
use super::nearest::{self, Shape, Work};
use crate::ir::{Program, Rule};

/// Changed parameters.
pub(super) struct Query {
    pub(super) pairs: Vec<(String, Option<String>)>,
    pub(super) changes: Vec<Change>,
    pub(super) distance: u32,
}

/// The nearest parameters that the line matches.
pub(super) fn nearest(
    program: &Program,
    rule: &Rule,
    given: &[(String, Option<String>)],
    refused: &[Refused<'_>],
    work: &mut Work,
) -> Option<Query> {
    let mut query = Query {
        pairs: given.to_vec(),
        changes: Vec::new(),
        distance: 0,
    };
    let demands: Vec<(&str, Demand)> = demands(rule, refused).collect();
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in &demands {
        if !names.contains(name) {
            names.push(name);
        }
    }
    for name in names {
        let of_name = demands
            .iter()
            .filter(|(of, _)| *of == name)
            .map(|(_, demand)| *demand);
        let values = Values::of(program, of_name)?;
        query.set(name, &values, work)?;
    }
    if rule.params_only {
        let is_named = |name: &str| rule.params.iter().any(|test| *test.name == *name);
        query.remove(|name| !is_named(name));
    }
    Some(query)
}

fn demands<'d>(rule: &'d Rule, refused: &'d [Refused<'_>]) -> impl Iterator<Item = (&'d str, Demand)> {
    let own = rule.params.iter();
    let own = own.map(|test| (&*test.name, permitted(test.operator, test.value)));
    let around = refused.iter().filter_map(|refused| match refused {
        Refused::Parameter(test) => Some((&*test.name, demand(test.operator, test.value))),
        Refused::Url(_) | Refused::Node(_) => None,
    });
    own.chain(around)
}

/// The values that a name may have.
pub(super) struct Values {
    pub(super) goal: Goal,
    pub(super) is_required: bool,
    /// Some text is wanted, so that the nearest one means something.
    pub(super) has_wanted: bool,
}

impl Values {
    pub(super) fn of(program: &Program, demands: impl Iterator<Item = Demand>) -> Option<Self> {
        let mut values = Self {
            goal: Goal::default(),
            is_required: false,
            has_wanted: false,
        };
        for demand in demands {
            values
                .goal
                .add(program.known_value(demand.value)?, demand.wanted)?;
            values.is_required |= demand.is_required;
            values.has_wanted |= demand.wanted;
        }
        Some(values)
    }
}

impl Query {
    fn set(&mut self, name: &str, values: &Values, work: &mut Work) -> Option<()> {
        if !self.pairs.iter().any(|(given, _)| given == name) {
            if values.is_required {
                let near = nearest::nearest(&values.goal, "", Shape::Value, work)?;
                self.distance += near.distance;
                self.change(name, None, Some(near.text.clone()));
                self.pairs.push((name.to_owned(), Some(near.text)));
            }
            return Some(());
        }
        let mut leave_out = false;
        for at in 0..self.pairs.len() {
            let Some((_, value)) = self.pairs.get(at).filter(|(given, _)| given == name) else {
                continue;
            };
            let value = value.clone().unwrap_or_default();
            if values.goal.has(&value) {
                continue;
            }
            let near = (values.is_required || values.has_wanted)
                .then(|| nearest::nearest(&values.goal, &value, Shape::Value, work))
                .flatten();
            match near {
                Some(near) => {
                    self.distance += near.distance;
                    self.change(name, Some(value), Some(near.text.clone()));
                    if let Some((_, value)) = self.pairs.get_mut(at) {
                        *value = Some(near.text);
                    }
                }
                None if values.is_required => return None,
                None => leave_out = true,
            }
        }
        if leave_out {
            self.remove(|given| given == name);
        }
        Some(())
    }

    fn change(&mut self, name: &str, from: Option<String>, to: Option<String>) {
        self.changes.push(Change::Parameter {
            name: name.to_owned(),
            from,
            to,
        });
    }

    fn remove(&mut self, is_left_out: impl Fn(&str) -> bool) {
        let (out, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.pairs)
            .into_iter()
            .partition(|(name, _)| is_left_out(name));
        self.pairs = kept;
        for (name, value) in out {
            self.change(&name, Some(value.unwrap_or_default()), None);
        }
    }
}
