//! What is said of two patterns is what their automata say.

use proptest::prelude::*;
use regex_syntax::hir::Hir;

use super::*;
use crate::{
    analysis::{
        Budget,
        language::{Goal, Languages},
    },
    regexp::{Case, translate},
};

fn matcher(pattern: &str) -> Matcher {
    let tree = regex_syntax::ast::parse::Parser::new().parse(pattern).unwrap();
    let hir: Hir = translate(&tree, Case::AsWritten, None).unwrap();
    Matcher::new(&hir).unwrap()
}

fn pattern() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("/a".to_owned()),
        Just("/b".to_owned()),
        Just("/ab".to_owned()),
        Just(".*".to_owned()),
        Just("/[^/]+".to_owned()),
        Just("/[0-9]+".to_owned()),
        Just("/[a-b]{1,2}".to_owned()),
        Just("/1?".to_owned()),
        Just("/.*/".to_owned()),
    ];
    prop::collection::vec(part, 1..6).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn globs_overlap_where_their_automata_do(one in pattern(), other in pattern()) {
        let (one_matcher, other_matcher) = (matcher(&one), matcher(&other));
        let (Some(ones), Some(others)) = (Paces::of(&one_matcher), Paces::of(&other_matcher)) else {
            return Ok(());
        };
        let found = ones.overlap(&others);
        if let Overlap::Text(text) = &found {
            prop_assert!(one_matcher.matches(text) && other_matcher.matches(text), "{one} {other} {text}");
        }
        // The automata of many `.*` pass their size limit, and say nothing.
        let mut languages = Languages::new(&Budget::new(1_000_000)).unwrap();
        let (Ok(first), Ok(second)) = (languages.of(&one_matcher), languages.of(&other_matcher)) else {
            return Ok(());
        };
        let Ok(shared) = languages.text(&Goal::all([(first, true), (second, true)])) else {
            return Ok(());
        };
        match found {
            Overlap::Nothing => prop_assert_eq!(shared, None),
            Overlap::Text(text) => prop_assert_eq!(shared.map(|shared| shared.len()), Some(text.len())),
            Overlap::Unknown => prop_assert!(false, "{one} {other}"),
        }
    }
}
