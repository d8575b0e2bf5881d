//! The parts of a line in which it permits more than another one.
//!
//! A line matches if all of its parts match. So a request that one line permits and another does not fails in some part of the
//! other. For each part there is a question of its own: is there a request that matches the one line, and not this part of the other?
//! What another line permitted is not new, and what a forbid line denies is not permitted: such requests do not count.

use std::collections::BTreeSet;

use super::{
    super::{
        clauses::Ruled,
        explanation::{Constrained, Widened},
        prover::Prover,
        witness::Request,
    },
    part::{Draft, Part},
    text::{LineText, Tests},
};
use crate::{
    ir::Rule,
    json::{Path, Step},
    method::{Method, MethodSet},
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
    /// All permit lines of the other policy.
    pub(super) permits: &'q [Ruled<'q>],
    /// The forbid lines of the new line's policy.
    pub(super) forbids: &'q [Ruled<'q>],
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
    /// Whether the new line newly permits a request that this part of the old line does not match.
    fn is_beyond(&mut self, part: &Part) -> bool {
        let lines = self.lines;
        let Some(found) = self.request(&[lines.new], &[part.ruled()]) else {
            self.is_open = true;
            return false;
        };
        // Most often, one question is enough.
        if found.is_none() || lines.permits.len() == 1 && lines.forbids.is_empty() {
            return found.is_some();
        }
        let not = [&[part.ruled()], lines.permits, lines.forbids].concat();
        // What was not settled is wider than the old line at least.
        self.request(&[lines.new], &not)
            .is_none_or(|found| found.is_some())
    }

    /// A request of these rules and none of those; `None`: the question was not settled.
    fn request(&mut self, must: &[Ruled<'_>], not: &[Ruled<'_>]) -> Option<Option<Request>> {
        self.prover.request_of(must, not, (SHARES, None)).ok()
    }

    fn methods(&mut self) {
        let (new, old) = (self.lines.new.rule.methods, self.lines.old.rule.methods);
        let is_added = |method: &Method| new.contains(*method) && !old.contains(*method);
        let added = LISTED.into_iter().filter(is_added);
        let added: Vec<Method> = added.filter(|method| self.is_new(*method)).collect();
        if !added.is_empty() {
            self.ways.push(Widened::Methods(added));
        }
    }

    /// Whether a method that the old line lacks is new where that line permits others. If the new line permits it only elsewhere,
    /// whether it is new there.
    fn is_new(&mut self, method: Method) -> bool {
        let lines = self.lines;
        let permits = lines.permits.iter().copied();
        let others: Vec<Ruled<'_>> = permits
            .filter(|ruled| ruled.rule.methods.contains(method))
            .collect();
        if others.is_empty() {
            return true;
        }
        let of_method = |ruled: Ruled<'_>| Rule {
            methods: MethodSet::EMPTY.with(method),
            ..ruled.rule.clone()
        };
        let (new, old) = (of_method(lines.new), of_method(lines.old));
        let new = Ruled {
            rule: &new,
            ..lines.new
        };
        let old = Ruled {
            rule: &old,
            ..lines.old
        };
        let not = [others.as_slice(), lines.forbids].concat();
        match self.request(&[new, old], &not) {
            Some(None) => {}
            Some(Some(_)) | None => return true,
        }
        let is_elsewhere = matches!(self.request(&[new, old], &[]), Some(None));
        is_elsewhere && !matches!(self.request(&[new], &not), Some(None))
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
            let is_closed = new.rule.params_only;
            let (new, old) = &self.lines.texts;
            let (new, old) = (new.of_parameter(name), old.of_parameter(name));
            let subject = Constrained::Parameter(name.to_owned());
            self.ways
                .push(constraint(subject, &old, is_there.then_some(&new), is_closed));
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
            self.node(&test.path);
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

    /// Names what became of the old line's constraint on a node.
    fn node(&mut self, path: &Path) {
        let (new, old) = (self.lines.new.rule, self.lines.old.rule);
        let has = |rule: &Rule, path: &Path| rule.nodes.iter().any(|test| *test.path == *path);
        let is_related = |other: &Path| other.0.starts_with(&path.0) || path.0.starts_with(&other.0);
        let mut others = new.nodes.iter().map(|test| &*test.path);
        let related = others.find(|other| is_related(other) && !has(old, other));
        let (text, old_text) = &self.lines.texts;
        let tests = old_text.of_node(path);
        self.ways.push(match related {
            Some(related) if !has(new, path) => Widened::Replaced {
                old: format!("{path}{}", tests.whole()),
                new: format!("{related}{}", text.of_node(related).whole()),
            },
            _ => {
                let is_closed = new.members.iter().any(|object| path.0.starts_with(&object.0));
                let is = text.of_node(path);
                let is = has(new, path).then_some(&is);
                constraint(Constrained::node(path), &tests, is, is_closed)
            }
        });
    }
}

/// What became of a constraint. `is_closed`: the new line permits no parameters, or members, but those that it names.
fn constraint(subject: Constrained, old: &Tests<'_>, new: Option<&Tests<'_>>, is_closed: bool) -> Widened {
    // Operators are shown if one of them is not `==`.
    let is_plain = old.are_plain() && new.is_none_or(Tests::are_plain);
    let shown = |tests: &Tests<'_>| if is_plain { tests.plain() } else { tests.whole() };
    match new.map(shown) {
        Some(new) => Widened::Values {
            subject,
            old: shown(old),
            new,
        },
        None if is_closed => Widened::Dropped {
            subject,
            old: shown(old),
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
