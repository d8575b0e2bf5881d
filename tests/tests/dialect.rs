//! Classes of the dialect against the `regex` crate: folding, negation and set operations in every combination.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed expectation is a test's way to fail"
)]

use proptest::{prelude::*, sample::select};
use regex::Regex;
use tokenward_compiler::{
    ast,
    ir::Matcher,
    regexp::{self, Case},
    source::{SourceSet, Span},
};

/// Parts of classes that both read alike, or alike once the ASCII classes of Perl are written out.
const ITEMS: &[&str] = &[
    "a",
    "k",
    "K",
    "s",
    "é",
    "É",
    "ß",
    "σ",
    "ſ",
    "a-f",
    "X-Z",
    "0-4",
    "α-ω",
    "\\p{Lu}",
    "\\P{Lu}",
    "\\p{Ll}",
    "\\P{Ll}",
    "\\pL",
    "\\PL",
    "\\p{Greek}",
    "\\P{Greek}",
    "\\p{sc!=Greek}",
    "\\P{sc!=Greek}",
    "\\p{sc=Latin}",
    "\\p{Lt}",
    "[:alpha:]",
    "[:^alpha:]",
    "[:upper:]",
    "[:^upper:]",
    "[:lower:]",
    "[:^lower:]",
    "[:punct:]",
    "[:^xdigit:]",
    "[:ascii:]",
    "\\d",
    "\\D",
    "\\w",
    "\\W",
    "\\s",
    "\\S",
];

/// Items that are no classes by themselves, or read otherwise there.
fn is_single(item: &str) -> bool {
    item.starts_with('\\')
}

fn class() -> impl Strategy<Value = String> {
    let items = prop::collection::vec(select(ITEMS), 1..4).prop_map(|items| items.concat());
    let leaf = (any::<bool>(), items).prop_map(|(negated, items)| bracketed(negated, &items));
    let nested = leaf.prop_recursive(3, 12, 3, |inner| {
        let operator = select(&["", "&&", "--", "~~"][..]);
        (any::<bool>(), inner.clone(), operator, inner).prop_map(|(negated, one, operator, other)| {
            bracketed(negated, &format!("{one}{operator}{other}"))
        })
    });
    let singles: Vec<&str> = ITEMS.iter().copied().filter(|item| is_single(item)).collect();
    prop_oneof![1 => select(singles).prop_map(str::to_owned), 4 => nested]
}

fn bracketed(negated: bool, items: &str) -> String {
    format!("[{}{items}]", if negated { "^" } else { "" })
}

fn ours(pattern: &str, case: Case) -> Matcher {
    let sources = SourceSet::from_files([("x.limits".to_owned(), pattern.to_owned())]);
    let (source, _) = sources.iter().next().unwrap();
    let whole = ast::Pattern {
        span: Span {
            source,
            start: 0,
            end: pattern.len(),
        },
        placeholders: Vec::new(),
    };
    let parsed = regexp::parse(&whole, pattern).expect(pattern);
    Matcher::new(&regexp::translate(&parsed.tree, case, None).expect(pattern)).expect(pattern)
}

/// The crate's reading, once Java's ASCII classes are written out.
fn theirs(pattern: &str) -> Regex {
    let written_out = [
        ("\\d", "[0-9]"),
        ("\\D", "[^0-9]"),
        ("\\w", "[0-9A-Za-z_]"),
        ("\\W", "[^0-9A-Za-z_]"),
        ("\\s", "[\\t-\\r ]"),
        ("\\S", "[^\\t-\\r ]"),
    ];
    let pattern = written_out
        .iter()
        .fold(pattern.to_owned(), |pattern, (from, to)| {
            pattern.replace(from, to)
        });
    Regex::new(&format!("\\A(?:{pattern})\\z")).expect(&pattern)
}

fn ascii() -> impl Iterator<Item = char> {
    (0..128_u8).map(char::from)
}

/// Characters with several cases, in scripts of one case, at the ends of the planes.
const BEYOND: &str = "éÉßẞſKÅåΩωΩσςΣǅǄǆĞğİıµμ٣日\u{7f}\u{80}\u{d7ff}\u{e000}\u{10fffd}";

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn classes_have_the_characters_that_the_regex_crate_has(class in class()) {
        let (ours, theirs) = (ours(&class, Case::AsWritten), theirs(&class));
        for character in ascii().chain(BEYOND.chars()) {
            let text = character.to_string();
            prop_assert_eq!(ours.matches(&text), theirs.is_match(&text), "{} on {:?}", class, character);
        }
    }

    /// A forbid line's URL is folded as the crate folds.
    #[test]
    fn classes_are_folded_before_they_are_negated(class in class()) {
        let (ours, theirs) = (ours(&class, Case::Ignored), theirs(&format!("(?i){class}")));
        for character in ascii().chain(BEYOND.chars()) {
            let text = character.to_string();
            prop_assert_eq!(ours.matches(&text), theirs.is_match(&text), "{} on {:?}", class, character);
        }
    }

    /// `(?i)` folds ASCII letters only, so it is compared on ASCII, in classes that name no letter of another case beyond.
    #[test]
    fn classes_without_regard_to_case_have_the_same_ascii_characters(class in class()) {
        prop_assume!(!class.contains('ſ'));
        let pattern = format!("(?i){class}");
        let (ours, theirs) = (ours(&pattern, Case::AsWritten), theirs(&pattern));
        for character in ascii() {
            let text = character.to_string();
            prop_assert_eq!(ours.matches(&text), theirs.is_match(&text), "{} on {:?}", class, character);
        }
    }
}

#[test]
fn a_negated_class_without_regard_to_case_has_neither_case() {
    for pattern in [
        r"(?i)\P{Lu}",
        "(?i)[[:^upper:]]",
        r"(?i)[^\p{Lu}]",
        r"(?i)\p{sc!=Latin}",
        r"(?i)[\P{Ll}]",
    ] {
        let matcher = ours(pattern, Case::AsWritten);
        assert!(!matcher.matches("a") && !matcher.matches("A"), "{pattern}");
        assert!(matcher.matches("1"), "{pattern}");
    }
}
