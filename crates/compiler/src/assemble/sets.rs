//! The named sets of a policy, as texts: which set includes which.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::source::{SourceKind, SourceSet};

/// What a line that includes a set begins with.
const INCLUDE: &str = "@include";

/// The sets by their names.
#[derive(Debug, Default)]
pub(super) struct Sets(HashMap<String, Set>);

/// The files of one name; more than one is an error, which compiling finds.
#[derive(Debug, Default)]
struct Set {
    files: BTreeMap<String, Arc<str>>,
    includes: Vec<String>,
    lines: usize,
}

impl Sets {
    pub(super) fn of(sources: &SourceSet) -> Self {
        let mut sets: HashMap<String, Set> = HashMap::new();
        for (_, source) in sources
            .iter()
            .filter(|(_, source)| source.kind == SourceKind::Limits)
        {
            let set = sets.entry(source.set_name().to_owned()).or_default();
            set.files.insert(source.path.clone(), Arc::clone(&source.text));
            for line in source.body().lines() {
                set.lines += 1;
                // Anything that is nearly an include may be taken for one here: a set too many in a part changes nothing.
                if let Some(name) = line.trim().strip_prefix(INCLUDE) {
                    set.includes.push(name.trim().to_owned());
                }
            }
        }
        Self(sets)
    }

    /// The names of the sets that are not as they were before.
    pub(super) fn changed_from(&self, before: &Self) -> BTreeSet<String> {
        let names = self.0.keys().chain(before.0.keys());
        let changed = names.filter(|name| {
            let files = |sets: &Self| sets.0.get(*name).map(|set| set.files.clone());
            files(self) != files(before)
        });
        changed.cloned().collect()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The names that lead from these to further sets, these included, whether or not there are sets of these names.
    pub(super) fn reached_from(&self, names: impl IntoIterator<Item = String>) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<String> = names.into_iter().collect();
        while let Some(name) = open.pop() {
            if let Some(set) = self.0.get(&name)
                && !reached.contains(&name)
            {
                open.extend(set.includes.iter().cloned());
            }
            reached.insert(name);
        }
        reached
    }

    /// The files of the sets with these names.
    pub(super) fn files_of(&self, names: &BTreeSet<String>) -> impl Iterator<Item = (String, Arc<str>)> {
        let sets = names.iter().filter_map(|name| self.0.get(name));
        let files = sets.flat_map(|set| &set.files);
        files.map(|(path, text)| (path.clone(), Arc::clone(text)))
    }

    /// The number of lines of the sets with these names.
    pub(super) fn lines_in(&self, names: &BTreeSet<String>) -> usize {
        names
            .iter()
            .filter_map(|name| self.0.get(name))
            .map(|set| set.lines)
            .sum()
    }
}
