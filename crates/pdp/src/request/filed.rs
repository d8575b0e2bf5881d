//! Indexes the names on one side of a request (the query or a JSON body) by the paths that frameworks read from them,
//! and compares constrained names with them.
//!
//! Each name is parsed once. A constrained name is looked up by its first step, so the cost is the sum of the numbers
//! of names and lines, not their product.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use tokenward_compiler::json;

use super::parameter_paths::{Path, Step, is_plain, parameter_paths};

/// The name under which Rails stores a JSON body that is not an object.
const RAILS_ROOT: &str = "_json";

/// Names, indexed by the first steps of their paths.
#[derive(Debug, Default)]
pub(crate) struct Filed<'n> {
    names: Vec<Filing<'n>>,
    /// Maps the hash of a [`Beginning`] to the last entry of its list of names. Two beginnings with the same hash only
    /// cost useless comparisons.
    by_beginning: HashMap<u64, usize>,
    /// Entries of the lists. INVARIANT: each leads to an earlier one.
    lists: Vec<Entry>,
    keys: RandomState,
}

#[derive(Debug)]
struct Filing<'n> {
    name: &'n str,
    /// Paths of the name; empty for a plain name, whose only path is the name itself.
    paths: Vec<Path<'n>>,
}

#[derive(Debug)]
struct Entry {
    name: usize,
    before: Option<usize>,
}

/// Beginning of a path, regardless of letter case.
#[derive(Clone, Copy)]
enum Beginning<'s> {
    /// The path begins with this step, with any continuation.
    Step(First<'s>),
    /// The path begins with this step, and ends there or continues with an array element.
    Short(First<'s>),
    /// The path begins with these two steps.
    Pair(First<'s>, &'s str),
}

/// First step of a path.
#[derive(Clone, Copy)]
enum First<'s> {
    Name(&'s str),
    /// An element of an array; an index also counts as one.
    Element,
}

impl<'s> Beginning<'s> {
    /// Returns the beginning of a path with this first step and the path's second one.
    fn of(first: First<'s>, path: &'s [Step<'_>]) -> Self {
        match path.get(1) {
            Some(Step::Name(second)) => Self::Pair(first, second),
            Some(Step::Each) | None => Self::Short(first),
        }
    }

    fn hash(self, keys: &RandomState) -> u64 {
        let (kind, first, second) = match self {
            Self::Step(first) => (0, first, ""),
            Self::Short(first) => (1, first, ""),
            Self::Pair(first, second) => (2, first, second),
        };
        let mut hasher = keys.build_hasher();
        hasher.write_u8(kind);
        if let First::Name(name) = first {
            hasher.write(folded(name).as_bytes());
        }
        // The byte 0xff occurs in no name, so names cannot run together.
        hasher.write_u8(0xff);
        hasher.write(folded(second).as_bytes());
        hasher.finish()
    }
}

impl<'n> Filed<'n> {
    /// Indexes the names. Cost: linear in the names.
    pub(crate) fn new(names: impl Iterator<Item = &'n str>) -> Self {
        let mut filed = Self::default();
        for name in names {
            filed.add(name);
        }
        filed
    }

    fn add(&mut self, name: &'n str) {
        if is_plain(name) {
            self.list_path(&[Step::Name(Cow::Borrowed(name))], self.names.len());
            self.names.push(Filing {
                name,
                paths: Vec::new(),
            });
        } else {
            self.add_paths(name, parameter_paths(name));
        }
    }

    fn add_paths(&mut self, name: &'n str, paths: Vec<Path<'n>>) {
        for path in &paths {
            self.list_path(path, self.names.len());
        }
        self.names.push(Filing { name, paths });
    }

    fn list_path(&mut self, path: &[Step<'_>], name: usize) {
        let firsts = match path.first() {
            Some(Step::Name(first)) => [
                Some(First::Name(first)),
                is_index(first).then_some(First::Element),
            ],
            Some(Step::Each) => [Some(First::Element), None],
            None => return,
        };
        for first in firsts.into_iter().flatten() {
            for beginning in [Beginning::Step(first), Beginning::of(first, path)] {
                self.list(beginning.hash(&self.keys), name);
            }
        }
    }

    fn list(&mut self, key: u64, name: usize) {
        let last = self.by_beginning.get(&key).copied();
        // Several paths of one name can have the same beginning.
        if last
            .and_then(|last| self.lists.get(last))
            .is_some_and(|entry| entry.name == name)
        {
            return;
        }
        self.by_beginning.insert(key, self.lists.len());
        self.lists.push(Entry { name, before: last });
    }

    fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    fn beginning(&self, beginning: Beginning<'_>) -> impl Iterator<Item = &Filing<'n>> {
        let start = self.by_beginning.get(&beginning.hash(&self.keys)).copied();
        let entries = std::iter::successors(start.and_then(|at| self.lists.get(at)), |entry| {
            self.lists.get(entry.before?)
        });
        entries.filter_map(|entry| self.names.get(entry.name))
    }

    fn begins(&self, first: First<'_>) -> bool {
        self.beginning(Beginning::Step(first)).next().is_some()
    }

    /// Whether the name of a parameter, or of one above or below it, occurs in a spelling for which `is_own` is false.
    pub(crate) fn has_parameter(&self, name: &str, is_own: impl Fn(&str) -> bool) -> bool {
        if self.is_empty() {
            return false;
        }
        if is_plain(name) {
            // Every path that begins with the only step is the same or below it.
            let mut same = self.beginning(Beginning::Step(First::Name(name)));
            return same.any(|filing| !is_own(filing.name));
        }
        parameter_paths(name)
            .iter()
            .any(|path| self.has_near(path, &is_own))
    }

    /// Whether a member at a path of the body, or one above or below it, occurs in a spelling for which `is_own` is
    /// false.
    pub(crate) fn has_node(&self, path: &[json::Step], is_own: impl Fn(&str) -> bool) -> bool {
        let Some((json::Step::Name(first), rest)) = path.split_first() else {
            return false;
        };
        // In nearly all requests the name occurs in its own spelling, or not at all.
        let mut same = self.beginning(Beginning::Step(First::Name(first)));
        if is_plain(first) && same.all(|filing| is_own(filing.name)) {
            return false;
        }
        parameter_paths(first).into_iter().any(|mut path| {
            path.extend(rest.iter().map(step));
            self.has_near(&path, &is_own)
        })
    }

    fn has_near(&self, path: &[Step<'_>], is_own: &impl Fn(&str) -> bool) -> bool {
        let first = match path.first() {
            Some(Step::Name(name)) => First::Name(name),
            Some(Step::Each) => First::Element,
            None => return false,
        };
        let near = |filing: &Filing<'_>| !is_own(filing.name) && filing.is_near(path);
        match Beginning::of(first, path) {
            Beginning::Pair(..) => {
                self.beginning(Beginning::Short(first)).any(near)
                    || self.beginning(Beginning::of(first, path)).any(near)
            }
            Beginning::Step(_) | Beginning::Short(_) => self.beginning(Beginning::Step(first)).any(near),
        }
    }

    /// Whether a name occurs whose paths begin like those of this parameter. Upstreams that merge both sides mostly do
    /// so at the root: one object replaces the other.
    pub(crate) fn shares_root(&self, name: &str) -> bool {
        if self.is_empty() {
            return false;
        }
        if is_plain(name) {
            return self.begins(First::Name(name));
        }
        parameter_paths(name)
            .iter()
            .any(|path| self.begins_as(path.first()))
    }

    /// Whether a name occurs whose paths begin like that of a node in the body on the other side.
    pub(crate) fn shares_root_of_node(&self, path: &[json::Step]) -> bool {
        match path.first() {
            Some(json::Step::Name(name)) => self.shares_root(name),
            Some(json::Step::Each) => self.begins(First::Element) || self.begins(First::Name(RAILS_ROOT)),
            None => self.begins(First::Name(RAILS_ROOT)),
        }
    }

    fn begins_as(&self, step: Option<&Step<'_>>) -> bool {
        match step {
            Some(Step::Name(name)) => self.begins(First::Name(name)),
            Some(Step::Each) => self.begins(First::Element),
            None => false,
        }
    }

    /// Whether a name occurs that Rails' `wrap_parameters` would store at the second step of the parameter's paths.
    pub(crate) fn has_wrapped(&self, name: &str) -> bool {
        !self.is_empty()
            && !is_plain(name)
            && parameter_paths(name)
                .iter()
                .any(|path| self.begins_as(path.get(1)))
    }

    /// Whether a name occurs that Rails' `wrap_parameters` would store at the second step of a node's path.
    pub(crate) fn has_wrapped_node(&self, path: &[json::Step]) -> bool {
        match path {
            [json::Step::Name(_), json::Step::Name(name), ..] => self.shares_root(name),
            [json::Step::Name(_), json::Step::Each, ..] => self.begins(First::Element),
            // An element of the root, or the root itself: nothing is stored in these.
            _ => false,
        }
    }

    /// Indexes the names by their paths without the first step: `issue[project_id]` by `project_id`. Names with a single
    /// step are left out.
    pub(crate) fn below_root(&self) -> Self {
        let mut below = Self::default();
        for filing in &self.names {
            let tails = filing.paths.iter().filter_map(|path| path.get(1..));
            let paths: Vec<Path<'n>> = tails.filter(|tail| !tail.is_empty()).map(<[_]>::to_vec).collect();
            if !paths.is_empty() {
                below.add_paths(filing.name, paths);
            }
        }
        below
    }

    /// Whether a member at a path of the body, or one above or below it, occurs in any spelling.
    pub(crate) fn has_any_node(&self, path: &[json::Step]) -> bool {
        self.has_node(path, |_| false)
    }

    /// Whether a name leads, in any spelling, to a member of any object of the root at a path of the body, or below it. A
    /// name that ends above it holds a text there, not an object. To be called on what [`Self::below_root`] returns.
    pub(crate) fn leads_to_node(&self, path: &[json::Step]) -> bool {
        let ends_above = |own: &[Step<'_>]| own.len() <= path.len();
        self.has_node(path, |name| {
            parameter_paths(name).iter().all(|own| ends_above(own))
        })
    }

    /// Whether a name occurs that Rails' `wrap_parameters` would store in this object.
    pub(crate) fn has_wrapped_in(&self, object: &str) -> bool {
        const LEFT_OUT: [&str; 3] = ["authenticity_token", "_method", "utf8"];
        self.names
            .iter()
            .any(|filing| filing.name != object && !LEFT_OUT.contains(&filing.name))
    }
}

fn step(step: &json::Step) -> Step<'_> {
    match step {
        json::Step::Name(name) => Step::Name(Cow::Borrowed(name.as_str())),
        json::Step::Each => Step::Each,
    }
}

impl Filing<'_> {
    fn is_near(&self, path: &[Step<'_>]) -> bool {
        // A plain name has one step, by which it was found.
        self.paths.is_empty() || self.paths.iter().any(|own| are_near(own, path))
    }
}

/// Whether one of two paths leads to the other, or both to the same node.
fn are_near(one: &[Step<'_>], other: &[Step<'_>]) -> bool {
    one.iter().zip(other).all(|pair| match pair {
        (Step::Name(one), Step::Name(other)) => folded(one) == folded(other),
        // An element may have any index, and some readers treat an object as an array.
        (Step::Each, _) | (_, Step::Each) => true,
    })
}

fn is_index(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// Folds the case of a name: names that differ only in case become equal.
fn folded(name: &str) -> Cow<'_, str> {
    if name
        .bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
    {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(json::case_key(name))
    }
}

#[cfg(test)]
mod tests;
