//! The parts of a line in which it permits more than another one.
//!
//! A line matches if all of its parts match. So a request that one line permits and another does not fails in some part of the
//! other. For each part there is a question of its own: is there a request that matches the one line, and not this part of the other?

use std::collections::BTreeSet;

use super::{
    super::{
        Exhausted,
        clauses::Ruled,
        explanation::{Constrained, Widened},
        prover::Prover,
    },
    part::{Draft, Part},
    text::{LineText, Tests},
};
use crate::{
    json::{Path, Step},
    method::Method,
};

/// Methods in the order in which they are listed: those that read, those that write, the others.
const LISTED: [Method; 7] = [
    Method::Get,
    Method::Post,
    Method::Put,
    Method::Patch,
    Method::Delete,
    Method::Head,
    Method::Options,
];
/// The share of the run's steps that a question may take: one of so many.
const SHARES: u64 = 64;

/// Two permit lines, and their texts.
pub(super) struct Lines<'q> {
    pub(super) new: Ruled<'q>,
    pub(super) old: Ruled<'q>,
    pub(super) texts: (LineText<'q>, LineText<'q>),
}

impl Lines<'_> {
    /// The parts in which the new line permits more, in the order of the line, and whether a question was not settled.
    pub(super) fn widened(&self, prover: &mut Prover<'_>) -> (Vec<Widened>, bool) {
        let mut asking = Asking {
            lines: self,
            prover,
            is_open: false,
            ways: Vec::new(),
        };
        asking.methods();
        asking.path();
        asking.parameters();
        asking.nodes();
        (asking.ways, asking.is_open)
    }
}

struct Asking<'a, 'q, 'p> {
    lines: &'a Lines<'q>,
    prover: &'a mut Prover<'p>,
    is_open: bool,
    ways: Vec<Widened>,
}

impl Asking<'_, '_, '_> {
    /// Whether the new line matches a request that this part of the old one does not.
    fn is_beyond(&mut self, part: &Part) -> bool {
        match self
            .prover
            .request_of(&[self.lines.new], &[part.ruled()], (SHARES, None))
        {
            Ok(request) => request.is_some(),
            Err(Exhausted) => {
                self.is_open = true;
                false
            }
        }
    }

    fn methods(&mut self) {
        let (new, old) = (self.lines.new.rule.methods, self.lines.old.rule.methods);
        let is_added = |method: &Method| new.contains(*method) && !old.contains(*method);
        let added: Vec<Method> = LISTED.into_iter().filter(is_added).collect();
        if !added.is_empty() {
            self.ways.push(Widened::Methods(added));
        }
    }

    fn path(&mut self) {
        if !self.is_beyond(&Part::path(self.lines.old)) {
            return;
        }
        let (new, old) = &self.lines.texts;
        let (old, new) = super::excerpt::excerpts(old.url(), new.url());
        self.ways.push(Widened::Path { old, new });
    }

    fn parameters(&mut self) {
        let (new, old) = (self.lines.new, self.lines.old);
        let names: BTreeSet<&str> = old.rule.params.iter().map(|test| &*test.name).collect();
        for name in names {
            if !self.is_beyond(&Part::constraints(old, Draft::parameter(old, name))) {
                continue;
            }
            let is_there = new.rule.params.iter().any(|test| &*test.name == name);
            let (new, old) = &self.lines.texts;
            let (new, old) = (new.of_parameter(name), old.of_parameter(name));
            let subject = Constrained::Parameter(name.to_owned());
            self.ways
                .push(constraint(subject, &old, is_there.then_some(&new)));
        }
        if old.rule.params_only && self.is_beyond(&Part::constraints(old, Draft::only_parameters(old))) {
            let names = |of: super::super::clauses::Ruled<'_>| -> BTreeSet<String> {
                of.rule.params.iter().map(|test| test.name.to_string()).collect()
            };
            let named = match new.rule.params_only {
                true => names(new).difference(&names(old)).cloned().collect(),
                false => Vec::new(),
            };
            self.ways.push(Widened::Others { object: None, named });
        }
    }

    fn nodes(&mut self) {
        let (new, old) = (self.lines.new, self.lines.old);
        let mut known: Vec<&Path> = Vec::new();
        for test in &old.rule.nodes {
            if known.contains(&&*test.path) {
                continue;
            }
            known.push(&test.path);
            if !self.is_beyond(&Part::constraints(old, Draft::node(old, &test.path))) {
                continue;
            }
            let is_there = new.rule.nodes.iter().any(|theirs| theirs.path == test.path);
            let (new, old) = &self.lines.texts;
            let (new, old) = (new.of_node(&test.path), old.of_node(&test.path));
            self.ways.push(constraint(
                Constrained::node(&test.path),
                &old,
                is_there.then_some(&new),
            ));
        }
        for object in &old.rule.members {
            if !self.is_beyond(&Part::constraints(old, Draft::only_members(old, object))) {
                continue;
            }
            let named = match new.rule.members.contains(object) {
                true => members(new, object)
                    .difference(&members(old, object))
                    .cloned()
                    .collect(),
                false => Vec::new(),
            };
            let object = Some(object.to_string());
            self.ways.push(Widened::Others { object, named });
        }
    }
}

fn constraint(subject: Constrained, old: &Tests<'_>, new: Option<&Tests<'_>>) -> Widened {
    // Operators are shown if one of them is not `==`.
    let is_plain = old.are_plain() && new.is_none_or(Tests::are_plain);
    let shown = |tests: &Tests<'_>| if is_plain { tests.plain() } else { tests.whole() };
    match new.map(shown) {
        Some(new) => Widened::Values {
            subject,
            old: shown(old),
            new,
        },
        None => Widened::Removed {
            subject,
            old: shown(old),
        },
    }
}

/// The members of an object that a rule names.
fn members(of: Ruled<'_>, object: &Path) -> BTreeSet<String> {
    let below = of
        .paths()
        .filter_map(|path| path.0.strip_prefix(object.0.as_slice()));
    let names = below.filter_map(|steps| match steps.first() {
        Some(Step::Name(name)) => Some(name.clone()),
        _ => None,
    });
    names.collect()
}
