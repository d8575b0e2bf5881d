//! The difference between two versions of a description.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::model::{Description, Operation};

/// The operations that differ between two versions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Comparison<'a> {
    /// Operations of the new version only.
    pub added: Vec<&'a Operation>,
    /// Operations of the old version only.
    pub removed: Vec<&'a Operation>,
    /// Operations with other calls in the new version: another method, path or base.
    pub moved: Vec<Moved<'a>>,
    /// Operations of the new version that are deprecated there and not in the old one. A moved one may be among them.
    pub deprecated: Vec<&'a Operation>,
}

/// An operation before and after its move.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved<'a> {
    /// The operation in the old version.
    pub from: &'a Operation,
    /// The operation in the new version.
    pub to: &'a Operation,
    /// The bases at which its calls are those of no operation of the old version. Empty if ids were exchanged, or if it only lost
    /// bases.
    pub new_bases: Vec<String>,
}

impl Comparison<'_> {
    /// No operation differs.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty()
            && self.removed.is_empty()
            && self.moved.is_empty()
            && self.deprecated.is_empty()
    }
}

/// Compares two versions of a description.
///
/// Two operations are the same if both have the same `operationId`; an id that one document gives twice proves nothing. Of the
/// remaining ones, those are the same that have the same calls: the method, the bases and the path, whatever the parameters in the path
/// are called. Operations that share the calls at one base are the same, too. An operation has moved if its calls differ.
pub fn compare<'a>(old: &'a Description, new: &'a Description) -> Comparison<'a> {
    let old_calls = CallsOf::all(old);
    let pairs = pairs(old, new, &old_calls);
    let kept: HashSet<String> = new.operations.iter().flat_map(calls).collect();
    let mut out = Comparison::default();
    for (to, found) in new.operations.iter().zip(&pairs) {
        let Some(from) = found.and_then(|place| old.operations.get(place)) else {
            out.added.push(to);
            continue;
        };
        let (before, after) = (calls(from), calls(to));
        if before != after {
            let new_bases = new_bases(to, &old_calls);
            out.moved.push(Moved { from, to, new_bases });
        }
        if to.deprecated && !from.deprecated {
            out.deprecated.push(to);
        }
    }
    let used: HashSet<usize> = pairs.into_iter().flatten().collect();
    // A document may give one operation twice; neither of them is gone while the other one is there.
    let is_gone = |(place, operation): &(usize, &Operation)| {
        let is_repeated = |call: &String| kept.contains(call) && old_calls.is_repeated(call);
        !used.contains(place) && !calls(operation).iter().any(is_repeated)
    };
    out.removed = old
        .operations
        .iter()
        .enumerate()
        .filter(is_gone)
        .map(|(_, operation)| operation)
        .collect();
    out
}

/// The old operation of each new one, by its place.
fn pairs(old: &Description, new: &Description, old_calls: &CallsOf) -> Vec<Option<usize>> {
    let (old_ids, new_ids) = (unique_ids(old), unique_ids(new));
    let by_id = |to: &Operation| {
        let id = to.id.as_deref().filter(|id| new_ids.contains_key(id))?;
        old_ids.get(id).copied()
    };
    let mut pairs: Vec<Option<usize>> = new.operations.iter().map(by_id).collect();
    let taken: HashSet<usize> = pairs.iter().flatten().copied().collect();
    for (to, found) in new.operations.iter().zip(&mut pairs) {
        *found = found.or_else(|| old_calls.of(to).filter(|place| !taken.contains(place)));
    }
    pairs
}

/// The bases of an operation at which no old operation has its calls.
fn new_bases(to: &Operation, old_calls: &CallsOf) -> Vec<String> {
    let is_new = |base: &&String| !old_calls.single.contains_key(&call(to, base));
    to.bases.iter().filter(is_new).cloned().collect()
}

/// The places of operations by their calls.
#[derive(Default)]
struct CallsOf {
    whole: HashMap<BTreeSet<String>, usize>,
    /// Each with the number of operations that have it.
    single: HashMap<String, (usize, usize)>,
}

impl CallsOf {
    fn all(of: &Description) -> Self {
        let mut all = Self::default();
        for (place, operation) in of.operations.iter().enumerate() {
            let calls = calls(operation);
            for call in &calls {
                all.single.entry(call.clone()).or_insert((place, 0)).1 += 1;
            }
            all.whole.entry(calls).or_insert(place);
        }
        all
    }

    /// The operation with these calls, or with one of them.
    fn of(&self, operation: &Operation) -> Option<usize> {
        let calls = calls(operation);
        let single = || {
            calls
                .iter()
                .find_map(|call| self.single.get(call).map(|(place, _)| place))
        };
        self.whole.get(&calls).or_else(single).copied()
    }

    fn is_repeated(&self, call: &str) -> bool {
        self.single.get(call).is_some_and(|(_, count)| *count > 1)
    }
}

/// The calls of an operation, one for each base, as texts that are equal for equal calls.
fn calls(operation: &Operation) -> BTreeSet<String> {
    operation.bases.iter().map(|base| call(operation, base)).collect()
}

fn call(operation: &Operation, base: &str) -> String {
    format!("{} {base}{}", operation.method, operation.template.form())
}

/// The places of the operations whose id no other operation has.
fn unique_ids(of: &Description) -> BTreeMap<&str, usize> {
    let mut seen: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, operation) in of.operations.iter().enumerate() {
        if let Some(id) = &operation.id {
            seen.entry(id).or_default().push(place);
        }
    }
    let unique = |(id, places): (_, Vec<usize>)| match places[..] {
        [place] => Some((id, place)),
        _ => None,
    };
    seen.into_iter().filter_map(unique).collect()
}
