//! Indexes all patterns of a product's calls in one tree, so that each segment of a path is compared once.

use std::collections::BTreeMap;

use tokenward_compiler::method::Method;

use super::alias::{Routes, Segment, later_beginnings, readings, segments};
use super::calls::{Call, Group, Needs};

/// A node of the tree: the state after the segments up to it have matched.
#[derive(Clone, Debug, Default)]
struct Node {
    /// Nodes after a literal segment, by its text in lower case.
    literals: BTreeMap<String, Node>,
    /// The node after `*`.
    any: Option<Box<Node>>,
    /// The node after `{v?}`, if the path has the version.
    version: Option<Box<Node>>,
    /// The node after `**`.
    many: Option<Box<Node>>,
    /// Calls whose pattern ends at this node.
    ends: Vec<Entry>,
}

/// A call with its group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) group: &'static Group,
    pub(super) call: &'static Call,
}

/// Index of calls by path.
#[derive(Clone, Debug)]
pub(super) struct CallIndex {
    root: Node,
    routes: Routes,
}

impl CallIndex {
    /// Indexes the calls of the groups.
    pub(super) fn new(groups: impl Iterator<Item = &'static Group>, routes: Routes) -> Self {
        let mut root = Node::default();
        for group in groups {
            for call in group.calls {
                let pattern: Vec<&str> = call.path().split('/').filter(|part| !part.is_empty()).collect();
                root.insert(&pattern, Entry { group, call });
            }
        }
        Self { root, routes }
    }

    /// Returns the keys that a token needs for the call: all of them if the path has too many readings to check.
    pub(super) fn needs(&self, method: Method, path: &str) -> Needs {
        let mut needs = Needs::default();
        let judged = self.each(method, path, &mut |entry| {
            needs = needs.and(entry.group.class.needs())
        });
        if judged { needs } else { Needs::ALL }
    }

    /// Passes each call that covers this one to `found`, some perhaps twice. Returns false if not every reading was
    /// checked.
    pub(super) fn each(&self, method: Method, path: &str, found: &mut dyn FnMut(Entry)) -> bool {
        let mut by_method = |entry: &Entry| {
            if entry.call.has(method) {
                found(*entry);
            }
        };
        let readings = readings(path, self.routes);
        let all = [Some(&*readings.plain), readings.loosest.as_deref()];
        for reading in all.into_iter().flatten() {
            let segments = segments(reading);
            let Some(later) = later_beginnings(&segments, self.routes) else {
                return false;
            };
            self.root.walk(&segments, &mut by_method);
            for begin in later {
                self.root
                    .walk(segments.get(begin..).unwrap_or_default(), &mut by_method);
            }
        }
        true
    }
}

impl Node {
    fn insert(&mut self, pattern: &[&str], entry: Entry) {
        let Some((first, rest)) = pattern.split_first() else {
            self.ends.push(entry);
            return;
        };
        let next = match *first {
            "*" => self.any.get_or_insert_default(),
            "**" => self.many.get_or_insert_default(),
            "{v?}" => {
                self.insert(rest, entry);
                self.version.get_or_insert_default()
            }
            literal => self.literals.entry(literal.to_ascii_lowercase()).or_default(),
        };
        next.insert(rest, entry);
    }

    /// Finds the calls whose patterns match the segments. Cost: the number of segments times that of patterns with `**`
    /// before their end; no pattern has two of those.
    fn walk(&self, segments: &[Segment<'_>], found: &mut dyn FnMut(&Entry)) {
        if let Some(many) = &self.many {
            many.ends.iter().for_each(&mut *found);
            let ends_here = many.literals.is_empty() && many.any.is_none() && many.version.is_none();
            if !ends_here {
                for begin in 0..segments.len() {
                    many.step(segments.get(begin..).unwrap_or_default(), found);
                }
            }
        }
        if segments.is_empty() {
            self.ends.iter().for_each(found);
        } else {
            self.step(segments, found);
        }
    }

    /// Follows the nodes that match the first segment.
    fn step(&self, segments: &[Segment<'_>], found: &mut dyn FnMut(&Entry)) {
        let Some((first, rest)) = segments.split_first() else {
            return;
        };
        if let Some(next) = self.literals.get(first.whole) {
            next.walk(rest, found);
        }
        if first.stem != first.whole
            && let Some(next) = self.literals.get(first.stem)
        {
            next.walk(rest, found);
        }
        if let Some(next) = &self.any {
            next.walk(rest, found);
        }
        if let Some(next) = &self.version
            && is_version(first.whole)
        {
            next.walk(rest, found);
        }
    }
}

/// Whether the segment is a version: `latest`, `2`, `1.0`, `2.0.alpha1`.
fn is_version(segment: &str) -> bool {
    segment == "latest" || segment.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests;
