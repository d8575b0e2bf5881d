//! Puts lines together that differ in one part.

use std::collections::{BTreeSet, HashMap};

use super::draft::{Draft, Part};

/// Puts equal drafts together, in the order of their first calls.
pub(super) fn equal(drafts: Vec<Draft>) -> Vec<Draft> {
    by_key(drafts, |draft| {
        format!("{:?}{:?}", draft.parts, draft.without(&Part::Method))
    })
}

/// Puts drafts together that differ in one part, until none do. The parts of the path come first, from its end: ids are mostly there.
pub(super) fn merged(mut drafts: Vec<Draft>) -> Vec<Draft> {
    loop {
        let before = drafts.len();
        let parts: BTreeSet<Part> = drafts
            .iter()
            .flat_map(|draft| draft.parts.keys().cloned())
            .collect();
        for part in parts.into_iter().rev() {
            // A segment may only have alternatives, not be absent.
            let key = |draft: &Draft| match (&part, draft.parts.contains_key(&part)) {
                (Part::Segment(_), false) => format!("{:?}", draft.calls),
                (Part::Query(_) | Part::Method | Part::Segment(_), _) => {
                    format!("{:?}", draft.without(&part))
                }
            };
            drafts = by_key_with(drafts, key, |kept, other| {
                let absent = || BTreeSet::from([None]);
                let more = other.parts.get(&part).cloned().unwrap_or_else(absent);
                kept.parts.entry(part.clone()).or_insert_with(absent).extend(more);
            });
        }
        if drafts.len() == before {
            return drafts;
        }
    }
}

fn by_key(drafts: Vec<Draft>, key: impl Fn(&Draft) -> String) -> Vec<Draft> {
    by_key_with(drafts, key, |_, _| ())
}

fn by_key_with(
    drafts: Vec<Draft>,
    key: impl Fn(&Draft) -> String,
    mut join: impl FnMut(&mut Draft, &Draft),
) -> Vec<Draft> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut out: Vec<Draft> = Vec::new();
    for draft in drafts {
        let key = key(&draft);
        match places.get(&key).and_then(|at| out.get_mut(*at)) {
            None => {
                places.insert(key, out.len());
                out.push(draft);
            }
            Some(kept) => {
                join(kept, &draft);
                kept.calls.extend(draft.calls);
                kept.operations.extend(draft.operations);
                kept.open.extend(draft.open);
            }
        }
    }
    out
}
