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
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moved<'a> {
    /// The operation in the old version.
    pub from: &'a Operation,
    /// The operation in the new version.
    pub to: &'a Operation,
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
/// Two operations are the same if they have the same calls: the method, the bases and the path, whatever the parameters in the path
/// are called. If they share the calls at one base and differ at another, the operation has moved. Of the remaining ones, those with
/// the same `operationId` have moved; an id that one document gives twice proves nothing.
pub fn compare<'a>(old: &'a Description, new: &'a Description) -> Comparison<'a> {
    let (mut whole, mut single) = (HashMap::new(), HashMap::new());
    for (place, operation) in old.operations.iter().enumerate() {
        let calls = calls(operation);
        for call in &calls {
            single.entry(call.clone()).or_insert(place);
        }
        whole.entry(calls).or_insert(place);
    }
    let (old_ids, new_ids) = (unique_ids(old), unique_ids(new));
    let mut pairs: Vec<Option<usize>> = Vec::new();
    let (mut used, mut kept) = (HashSet::new(), HashSet::new());
    for operation in &new.operations {
        let calls = calls(operation);
        let found = whole
            .get(&calls)
            .or_else(|| calls.iter().find_map(|call| single.get(call)))
            .copied();
        used.extend(found);
        pairs.push(found);
        kept.extend(calls);
    }
    let mut out = Comparison::default();
    for (to, found) in new.operations.iter().zip(pairs) {
        let by_id = || {
            to.id
                .as_deref()
                .filter(|id| new_ids.contains_key(id))
                .and_then(|id| old_ids.get(id).copied())
        };
        let found = found.or_else(|| by_id().filter(|place| used.insert(*place)));
        let Some(from) = found.and_then(|place| old.operations.get(place)) else {
            out.added.push(to);
            continue;
        };
        if calls(from) != calls(to) {
            out.moved.push(Moved { from, to });
        }
        if to.deprecated && !from.deprecated {
            out.deprecated.push(to);
        }
    }
    // A document may give one operation twice; neither of them is gone while the other one is there.
    let is_gone = |(place, operation): &(usize, &Operation)| {
        !used.contains(place) && calls(operation).iter().all(|call| !kept.contains(call))
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

/// The calls of an operation, one for each base, as texts that are equal for equal calls.
fn calls(operation: &Operation) -> BTreeSet<String> {
    let form = operation.template.form();
    let call = |base: &String| format!("{} {base}{form}", operation.method);
    operation.bases.iter().map(call).collect()
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
