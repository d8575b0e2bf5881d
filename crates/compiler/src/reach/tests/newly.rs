//! The operations that a change newly allows agree with decisions about generated calls.

use super::*;
use crate::analysis::Cause;

/// The operations that a change from the first lines to the second newly allows, by any cause.
fn named(old: &Program, new: &Program) -> Vec<NewOperation> {
    let catalogue = Catalogue::new(operations(), &base()).unwrap();
    let settings = (Universe::default(), None, &Budget::new(200_000));
    let mut calls = NewCalls::new(&catalogue, settings).unwrap();
    let change = Change {
        old: (old, Some(TokenId(0))),
        new: (new, TokenId(0)),
    };
    let permits = new.lines_of(TokenId(0)).map(|(line, _)| Cause::Permit(line));
    let lifted = old.lines_of(TokenId(0)).map(|(line, _)| Cause::Lifted(line));
    let mut all = Vec::new();
    for cause in permits.chain(lifted) {
        all.extend(calls.by(change, cause, &[]));
    }
    all
}

fn check(old: &[&str], new: &[&str]) -> Result<(), TestCaseError> {
    let (before, after) = (program(&[old.to_vec()]), program(&[new.to_vec()]));
    let named = named(&before, &after);
    for (at, operation) in operations().iter().enumerate() {
        let is_new = |call: &Request| {
            token_allows(&after, TokenId(0), call) && !token_allows(&before, TokenId(0), call)
        };
        let known = named.iter().filter(|one| one.operation == at);
        let known: Vec<Certainty> = known.map(|one| one.certainty).collect();
        let shown = format!("{} {old:?} {new:?} {known:?}", operation.call());
        prop_assert!(!known.contains(&Certainty::Open), "{}", shown);
        let new_call = calls(operation).into_iter().find(is_new);
        prop_assert!(
            new_call.is_none() || known.contains(&Certainty::Found),
            "{} {:?}",
            shown,
            new_call
        );
        // A name is proved by a request of the operation, so of equal lines there is none.
        prop_assert!(old != new || known.is_empty(), "{}", shown);
    }
    Ok(())
}

fn lines() -> impl Strategy<Value = Vec<&'static str>> {
    let some = prop::collection::vec(prop::sample::select(LINES.to_vec()), 1..5);
    some.prop_map(|mut lines| {
        lines.sort_unstable();
        lines.dedup();
        lines.push("[get]/none");
        lines
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn new_operations_agree_with_decisions(old in lines(), new in lines()) {
        check(&old, &new)?;
        check(&old, &old)?;
    }
}

#[test]
fn an_operation_is_named_for_each_of_its_causes() {
    let old = ["[get]/rest/api/issue/.*", "!/rest/api/issue/HR-.*", "[get]/none"];
    let new = [
        "[get]/rest/api/issue/.*",
        "[get,delete]/rest/api/issue/KANBAN-1",
        "[get]/none",
    ];
    let (before, after) = (program(&[old.to_vec()]), program(&[new.to_vec()]));
    let named = named(&before, &after);
    let names: Vec<String> = named
        .iter()
        .map(|one| operations()[one.operation].call())
        .collect();
    // Of the first line by the lifted forbid line, of the second one, and of the lifted line itself.
    assert_eq!(
        names,
        [
            "GET /issue/{key}",
            "GET /issue/{key}/comment/{id}",
            "DELETE /issue/{key}",
            "GET /issue/{key}",
            "GET /issue/{key}/comment/{id}",
        ]
    );
}
