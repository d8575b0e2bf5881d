//! The store against a map, with reopening, new days and questions as steps.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::sample::{Clock, DAY, NOON, open, outcome, record, run, stored};
use crate::{Entry, Filter, Page, Sequence};

#[derive(Debug, Clone)]
enum Step {
    Append,
    End(prop::sample::Index),
    Reopen,
    NextDay,
    Ask {
        newest_first: bool,
        limit: usize,
        token: Option<u8>,
        from: prop::sample::Index,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let ask = (
        any::<bool>(),
        0_usize..30,
        proptest::option::of(0_u8..4),
        any::<prop::sample::Index>(),
    );
    prop_oneof![
        8 => Just(Step::Append),
        6 => any::<prop::sample::Index>().prop_map(Step::End),
        1 => Just(Step::Reopen),
        1 => Just(Step::NextDay),
        3 => ask.prop_map(|(newest_first, limit, token, from)| Step::Ask { newest_first, limit, token, from }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn it_behaves_like_a_map(steps in proptest::collection::vec(step(), 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        let mut now = NOON;
        let clock = Clock::at(now);
        let mut store = open(dir.path(), &clock);
        let mut model: BTreeMap<Sequence, Entry> = BTreeMap::new();
        // Calls of this process that have not ended; those of an earlier one never will.
        let mut under_way: Vec<Sequence> = Vec::new();
        let mut n = 0_u8;
        // All that was written so far; the first is that the store was opened.
        let mut entries = 1_u64;
        for step in steps {
            match step {
                Step::Append => {
                    n = n.wrapping_add(1);
                    let record = record(n, now);
                    let sequence = stored(&store, record.clone());
                    let before = model.insert(sequence, Entry { sequence, record, outcome: None, is_lost: false });
                    prop_assert!(before.is_none(), "a place was given twice");
                    under_way.push(sequence);
                    entries += 1;
                }
                Step::End(which) if !under_way.is_empty() => {
                    let sequence = under_way.swap_remove(which.index(under_way.len()));
                    let entry = model.get_mut(&sequence).unwrap();
                    let ended = outcome(entry.record.request_id[0]);
                    entry.outcome = Some(ended);
                    store.append_outcome(ended).unwrap();
                    entries += 1;
                }
                Step::End(_) => {}
                Step::Reopen => {
                    store.close().unwrap();
                    store = open(dir.path(), &clock);
                    prop_assert!(store.opened().warnings.is_empty());
                    for sequence in under_way.drain(..) {
                        model.get_mut(&sequence).unwrap().is_lost = true;
                    }
                    entries += 1;
                }
                // A call's outcome is looked for within a week.
                Step::NextDay if now > NOON + 5 * DAY => {}
                Step::NextDay => {
                    now += DAY;
                    clock.set(now);
                }
                Step::Ask { newest_first, limit, token, from } => {
                    // Outcomes are written a little later, if nothing else is.
                    let written = store.next_after(Sequence(entries - 1), Duration::from_secs(20));
                    prop_assert_eq!(run(written), Some(Sequence(entries)));
                    let token = token.map(|t| format!("token-{t}"));
                    let bound = model.keys().nth(from.index(model.len() + 1)).copied();
                    let (after, before) = if newest_first { (None, bound) } else { (bound, None) };
                    let filter = Filter { token: token.clone(), ..Filter::default() };
                    let found = store.query(&filter, Page { after, before, limit, newest_first }).unwrap();
                    let mut expected: Vec<Entry> = model
                        .values()
                        .filter(|e| token.is_none() || e.record.token == token)
                        .filter(|e| after.is_none_or(|a| e.sequence > a) && before.is_none_or(|b| e.sequence < b))
                        .cloned()
                        .collect();
                    if newest_first {
                        expected.reverse();
                    }
                    expected.truncate(limit);
                    prop_assert_eq!(found, expected);
                }
            }
        }
        let verified = store.verify().unwrap();
        prop_assert_eq!(&verified.findings, &[]);
        prop_assert_eq!(verified.last, Some(store.last()));
    }
}
