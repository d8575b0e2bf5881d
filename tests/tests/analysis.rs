//! The analysis against brute force: what it says of two policies is held against the reference evaluator on sampled
//! requests, and every witness is judged by it.

#![expect(clippy::expect_used, clippy::panic, reason = "what fails here fails the test")]

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use tokenward_compiler::{
    BaseUrl,
    analysis::{Analysis, Comparison, Difference, Universe},
    compile,
    ir::Program,
    method::Method,
    policy::Token,
    resolve_policy,
    source::SourceSet,
};
use tokenward_tests::{
    generate, living,
    reference::{self, Body, Outcome, Place},
    small, witness,
};

/// One policy in both forms.
struct Policy {
    program: Program,
    token: Token,
    file: String,
}

impl Policy {
    fn new(lines: &[String], unrestricted: bool, place: Place<'_>) -> Self {
        let file = generate::token_file(&living::lines(lines, unrestricted), unrestricted);
        let sources = SourceSet::from_files([("t.toml".to_owned(), file.clone())]);
        let program = compile(&sources).program.expect("what is generated compiles");
        let base = BaseUrl::parse(place.base).expect("a base URL");
        let program = program.bind(&base).expect("binds").merging_body(place.merges);
        let token = resolve_policy(&sources).tokens.remove(0);
        Self { program, token, file }
    }

    fn decide(&self, place: Place<'_>, request: &reference::Request) -> Outcome {
        reference::decide(&self.token, place, request)
    }
}

fn compare(old: &Policy, new: &Policy, universe: Universe) -> Comparison {
    let token = |policy: &Policy| policy.program.tokens().next().map(|(id, _)| id);
    let mut analysis = Analysis::new(&old.program, &new.program, universe, 100_000).expect("starts");
    match analysis.compare(token(old), token(new)) {
        Ok(comparison) => comparison,
        Err(fault) => panic!("{fault}\n{}\n{}", old.file, new.file),
    }
}

/// What holds of one direction.
fn holds(
    difference: &Difference,
    more: &Policy,
    less: &Policy,
    place: Place<'_>,
    samples: &[reference::Request],
) -> Result<(), TestCaseError> {
    for finding in &difference.findings {
        let request = witness::as_reference(&finding.witness);
        let by_line = finding.denied_by.is_some();
        let is_denied = match less.decide(place, &request) {
            Outcome::Forbid(_) => by_line,
            // A request that is refused as ambiguous is not allowed, and no line denies it.
            Outcome::NoLine | Outcome::Ambiguous => !by_line,
            Outcome::Allow(_) => false,
        };
        prop_assert!(
            matches!(more.decide(place, &request), Outcome::Allow(_)) && is_denied,
            "{} does not tell apart\n{}\n{}",
            finding.witness,
            more.file,
            less.file
        );
    }
    if difference.is_none() {
        for request in samples {
            // A request that is refused as ambiguous is not allowed either.
            let allows = |policy: &Policy| matches!(policy.decide(place, request), Outcome::Allow(_));
            prop_assert!(
                !allows(more) || allows(less),
                "missed {request:?}\n{}\n{}",
                more.file,
                less.file
            );
        }
    }
    Ok(())
}

/// Whether the request is in the universe that the analysis was told.
fn possible(universe: Universe, request: &reference::Request) -> bool {
    let bodiless = matches!(request.method, Method::Get | Method::Head) && !universe.get_body;
    (!bodiless || request.body == Body::Absent)
        && (!universe.canonical_paths || !request.path.chars().any(char::is_control))
}

/// Two policies that have most lines in common, as a change has them, or none.
fn change() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    let lines = || prop::collection::vec(generate::line(), 0..3);
    let common = lines().prop_flat_map(|common| (Just(common.clone()), Just(common).prop_shuffle()));
    (common, lines(), lines()).prop_map(|((was, is), old, new)| {
        let with = |mut lines: Vec<String>, own: Vec<String>| {
            lines.extend(own);
            if lines.is_empty() {
                lines.push("/b".to_owned());
            }
            lines
        };
        (with(was, old), with(is, new))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sampled_request_contradicts_the_analysis(
        (old, new) in change(),
        unrestricted in (prop::bool::weighted(0.1), prop::bool::weighted(0.1)),
        samples in prop::collection::vec(generate::request(), 32),
        merges in any::<bool>(),
        base in prop::sample::select(&["https://h", "https://h/ctx", "http://h.example/ctx/rest"][..]),
        universe in (any::<bool>(), any::<bool>()).prop_map(|(canonical_paths, get_body)| Universe { canonical_paths, get_body }),
    ) {
        let place = Place { base, merges };
        let (old, new) = (Policy::new(&old, unrestricted.0, place), Policy::new(&new, unrestricted.1, place));
        let samples: Vec<_> = samples.into_iter().filter(|request| possible(universe, request)).collect();
        let there = compare(&old, &new, universe);
        holds(&there.newly_allowed, &new, &old, place, &samples)?;
        holds(&there.newly_denied, &old, &new, place, &samples)?;
        let back = compare(&new, &old, universe);
        if there.newly_allowed.inconclusive.is_none() && back.newly_denied.inconclusive.is_none() {
            prop_assert_eq!(there.newly_allowed.is_none(), back.newly_denied.is_none());
        }
        prop_assert!(compare(&old, &old, universe).is_equivalent());
        prop_assert!(compare(&new, &new, universe).is_equivalent());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_small_request_contradicts_the_analysis(
        old in prop::collection::vec(small::line(), 1..4),
        new in prop::collection::vec(small::line(), 1..4),
        merges in prop::bool::weighted(0.3),
    ) {
        let place = Place { base: "https://h", merges };
        let (old, new) = (Policy::new(&old, false, place), Policy::new(&new, false, place));
        let comparison = compare(&old, &new, Universe::default());
        for (difference, more, less) in [(&comparison.newly_allowed, &new, &old), (&comparison.newly_denied, &old, &new)] {
            holds(difference, more, less, place, &[])?;
            let mut missed = None;
            if difference.is_none() {
                missed = small::requests()
                    .find(|request| request.allowed_by(&more.program) == Some(true) && request.allowed_by(&less.program) != Some(true));
            }
            prop_assert!(missed.is_none(), "missed {:?}\n{}\n{}", missed, more.file, less.file);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    /// Of three policies of a few common lines: what is within a policy that is within a third, is within the third; and
    /// two that are within each other are equivalent.
    #[test]
    fn inclusion_is_an_order(
        pool in prop::collection::vec(small::line(), 3..6),
        picks in prop::collection::vec(prop::collection::vec(any::<bool>(), 6), 3),
    ) {
        let place = Place { base: "https://h", merges: false };
        let policies: Vec<Policy> = picks
            .iter()
            .map(|picks| {
                let picked = pool.iter().zip(picks).filter(|(_, picked)| **picked).map(|(line, _)| line.clone());
                let mut lines: Vec<String> = picked.collect();
                if lines.is_empty() {
                    lines.push("/nothing/of/the/kind".to_owned());
                }
                Policy::new(&lines, false, place)
            })
            .collect();
        // Whether all that the one allows, the other does; `None` if that is open.
        let is_within = |one: &Policy, other: &Policy| {
            let beyond = compare(other, one, Universe::default()).newly_allowed;
            (beyond.inconclusive.is_none()).then_some(beyond.findings.is_empty())
        };
        for a in &policies {
            prop_assert_eq!(is_within(a, a), Some(true));
            for b in &policies {
                let (there, back) = (is_within(a, b), is_within(b, a));
                if there == Some(true) && back == Some(true) {
                    prop_assert!(compare(a, b, Universe::default()).is_equivalent());
                }
                for c in &policies {
                    if there == Some(true) && is_within(b, c) == Some(true) {
                        prop_assert_ne!(is_within(a, c), Some(false), "{}\n{}\n{}", a.file, b.file, c.file);
                    }
                }
            }
        }
    }
}

/// Fewer than one of 10,000 pairs is inconclusive. The pairs are the same in every run.
#[test]
fn generated_pairs_are_settled() {
    let mut runner = TestRunner::deterministic();
    let small = || prop::collection::vec(small::line(), 1..4);
    let (changes, pairs) = (change(), (small(), small()));
    let (mut open, count) = (Vec::new(), cases());
    for at in 0..count {
        let (old, new) = match at % 2 {
            0 => changes.new_tree(&mut runner).expect("generates").current(),
            _ => pairs.new_tree(&mut runner).expect("generates").current(),
        };
        let place = Place {
            base: "https://h",
            merges: at % 5 == 0,
        };
        let (old, new) = (Policy::new(&old, false, place), Policy::new(&new, false, place));
        let comparison = compare(&old, &new, Universe::default());
        let differences = [comparison.newly_allowed, comparison.newly_denied];
        if differences
            .iter()
            .any(|difference| difference.inconclusive.is_some())
        {
            open.push(format!("{}\n{}", old.file, new.file));
        }
    }
    println!("{} of {count} pairs are inconclusive", open.len());
    assert!(open.len() * 10_000 <= count as usize, "{}", open.join("\n"));
}

/// More on demand: `TOKENWARD_CASES=100000 cargo test -p tokenward-tests --test analysis --release`.
fn cases() -> u32 {
    std::env::var("TOKENWARD_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(512)
}
