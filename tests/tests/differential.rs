//! Whatever decides, decides as the reference does: random policies, random requests, line by line.

use proptest::prelude::*;
use tokenward_compiler::{compile, source::SourceSet};
use tokenward_tests::{compose, generate, living, property, reference::Place};

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_program_decides_as_the_reference_does(
        file in generate::policy(),
        requests in prop::collection::vec(generate::request(), 24),
        merges in any::<bool>(),
        base in prop::sample::select(property::BASES),
    ) {
        let file = living::file(&file);
        let sources = SourceSet::from_files([("t.toml".to_owned(), file.clone())]);
        prop_assert!(compile(&sources).program.is_some(), "{}", file);
        property::agree(&file, Place { base, merges }, &requests);
    }

    #[test]
    fn freely_composed_regexps_match_as_the_reference_has_it(
        file in compose::policy(),
        requests in prop::collection::vec(compose::request(), 24),
        base in prop::sample::select(property::BASES),
    ) {
        property::agree(&file, Place { base, merges: false }, &requests);
    }
}

/// More on demand: `TOKENWARD_CASES=100000 cargo test -p tokenward-tests --test differential --release`.
fn cases() -> u32 {
    std::env::var("TOKENWARD_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(1000)
}
