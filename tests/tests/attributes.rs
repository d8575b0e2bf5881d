//! `tokenward diff` and keys of tokens: it says by which of them a change gives more, as `tokenward_tests::attributes` has it.

use std::{collections::BTreeSet, fmt::Write, fs};

use proptest::{
    collection::vec,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use tokenward_tests::{Invocation, attributes, binary};

/// Pairs of tokens in one run.
const TOKENS: usize = 400;

#[test]
fn a_change_of_keys_gives_more_by_the_keys_that_grow() {
    let mut runner = TestRunner::default();
    let pairs = vec((attributes::attributes(), attributes::attributes()), TOKENS);
    let pairs = pairs.new_tree(&mut runner).unwrap().current();
    let directory = tempfile::tempdir().unwrap();
    for side in ["old", "new"] {
        let mut text = String::new();
        for (at, (old, new)) in pairs.iter().enumerate() {
            let keys = if side == "old" { old } else { new }.keys();
            let hash = format!("{at:064x}");
            writeln!(
                text,
                "[[token]]\nname = \"t{at}\"\nsecret_hash = \"sha256:{hash}\"\nlimit_to = '/rest/a'\n{keys}"
            )
            .unwrap();
        }
        fs::create_dir(directory.path().join(side)).unwrap();
        fs::write(directory.path().join(side).join("tokens.toml"), text).unwrap();
    }
    let diff = Invocation::new(binary(), directory.path());
    let ran = diff
        .arguments(&["diff", "./old", "./new", "--format", "json"])
        .run();
    let report: serde_json::Value =
        serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err));
    let tokens = report["tokens"].as_array().unwrap();
    let mut more = 0;
    for (at, (old, new)) in pairs.iter().enumerate() {
        let name = format!("t{at}");
        let found = tokens.iter().find(|token| token["name"] == name.as_str());
        let changes = found
            .and_then(|token| token["changes"].as_array())
            .into_iter()
            .flatten();
        let widening = changes.filter(|change| change["widens"] == true);
        let keys: BTreeSet<&str> = widening.filter_map(|change| change["key"].as_str()).collect();
        let expected = new.beyond(old);
        assert_eq!(keys, expected, "{old:?}\n{new:?}\n{found:?}");
        assert_eq!(
            found.is_some_and(|token| token["widens"] == true),
            !expected.is_empty(),
            "{old:?}\n{new:?}"
        );
        more += usize::from(!expected.is_empty());
    }
    assert!(more > TOKENS / 2, "{more} of {TOKENS} pairs give more");
    assert_eq!(report["widens"], true);
}
