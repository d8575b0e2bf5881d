//! What is claimed of lines and invariants, against brute force over all small requests.

#![expect(clippy::expect_used, clippy::panic, reason = "what fails here fails the test")]

use proptest::prelude::*;
use tokenward_compiler::{
    BaseUrl, Compilation,
    analysis::{Analysis, Served, Universe, prove_optimised},
    compile,
    diagnostic::{Code, Diagnostic},
    findings,
    invariants::Invariants,
    ir::Program,
    source::{SourceSet, Span},
};
use tokenward_tests::{generate, living, small};

struct Compiled {
    sources: SourceSet,
    compilation: Compilation,
    program: Program,
}

fn base() -> BaseUrl {
    BaseUrl::parse("https://h").expect("a base URL")
}

fn compiled(files: &[(&str, String)], merges: bool) -> Compiled {
    let files = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), text.clone()));
    let sources = SourceSet::from_files(files);
    let compilation = compile(&sources);
    let program = compilation.program.as_ref().expect("what is generated compiles");
    let program = program.bind(&base()).expect("binds").merging_body(merges);
    Compiled {
        sources,
        compilation,
        program,
    }
}

const ASKED: (Universe, u64) = (
    Universe {
        canonical_paths: true,
        get_body: false,
    },
    Analysis::BUDGET,
);

fn findings(policy: &Compiled) -> Vec<Diagnostic> {
    match findings::find(
        &policy.program,
        &policy.compilation.source_map,
        &[],
        (ASKED.0, &Served::everything(), ASKED.1),
        |_, _| {},
    ) {
        Ok(found) => found.diagnostics,
        Err(fault) => panic!("{fault}"),
    }
}

/// The line in which a span lies.
fn whole_line(sources: &SourceSet, span: Span) -> &str {
    let text = sources.get(span.source).map_or("", |source| &source.text);
    let before = text.get(..span.start).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let rest = text.get(start..).unwrap_or_default();
    rest.split('\n').next().unwrap_or_default()
}

/// The first small request on which two programs differ, bodies that either refuses aside.
fn differs(one: &Program, other: &Program) -> Option<small::SmallRequest> {
    small::requests().find(|request| {
        let said = (request.allowed_by(one), request.allowed_by(other));
        said.0.is_some() && said.1.is_some() && said.0 != said.1
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    /// A line that is said to do nothing can be taken out; one that is taken back permits nothing; what is said to be equal
    /// is.
    #[test]
    fn what_is_found_holds_of_every_small_request(
        lines in prop::collection::vec(small::line(), 1..5),
        merges in prop::bool::weighted(0.3),
    ) {
        let lines = living::lines(&lines, false);
        let policy = compiled(&[("t.toml", generate::token_file(&lines, false))], merges);
        for finding in findings(&policy) {
            // A part of a line stands for the line.
            let text = match whole_line(&policy.sources, finding.primary.span) {
                line if lines.iter().any(|known| known == line) => line,
                _ => policy.sources.text(finding.primary.span),
            };
            let line = policy.sources.line_number(finding.primary.span).checked_sub(8);
            match finding.code {
                Code::EmptyLine | Code::DeadHere | Code::CoveredLine | Code::IdleForbid => {
                    let at = line.expect("a line of the token");
                    let mut left = lines.clone();
                    prop_assert_eq!(left.remove(at), text);
                    if left.is_empty() {
                        left.push(living::NOTHING.to_owned());
                    }
                    let without = compiled(&[("t.toml", generate::token_file(&left, false))], merges);
                    let differs = differs(&policy.program, &without.program);
                    prop_assert!(differs.is_none(), "{} {text}: {differs:?} in {lines:?}", finding.code);
                }
                Code::TakenBack => {
                    // One line with all forbid lines, or all lines.
                    let kept = |other: &String| text == "\"t\"" || other == text || other.starts_with('!');
                    let left: Vec<String> = lines.iter().filter(|other| kept(other)).cloned().collect();
                    let alone = compiled(&[("t.toml", generate::token_file(&left, false))], merges);
                    let allowed = small::requests().find(|request| request.allowed_by(&alone.program) == Some(true));
                    prop_assert!(allowed.is_none(), "{text}: {allowed:?} in {lines:?}");
                }
                other => prop_assert!(false, "{other} {}", finding.headline),
            }
        }
    }

    /// What the optimiser makes of any policy is proved to be what went in.
    #[test]
    fn the_optimised_program_is_the_plain_one(lines in prop::collection::vec(generate::line(), 1..40), merges in any::<bool>()) {
        let lines = living::lines(&lines, false);
        let policy = compiled(&[("t.toml", generate::token_file(&lines, false))], merges);
        let proved = prove_optimised(&policy.program, &policy.program, ASKED, |_, _| {});
        prop_assert!(proved.is_ok(), "{:?} {lines:?}", proved.err());
    }

    /// Two tokens that are found to be of equal reach allow the same small requests; those that are not found do not differ
    /// by less than a request (their comparison says which).
    #[test]
    fn equal_reach_is_equal(
        one in prop::collection::vec(small::line(), 1..3),
        other in prop::collection::vec(small::line(), 1..3),
    ) {
        let (one, other) = (living::lines(&one, false), living::lines(&other, false));
        let second = generate::token_file(&other, false).replace("\"t\"", "\"t2\"").replace("11", "22");
        let policy = compiled(&[("t.toml", generate::token_file(&one, false) + &second)], false);
        let found = findings(&policy).iter().any(|finding| finding.code == Code::EqualReach);
        let mut ids = policy.program.tokens().map(|(id, _)| id);
        let (Some(a), Some(b)) = (ids.next(), ids.next()) else { panic!("two tokens") };
        let differs = small::requests().find(|request| {
            let said = (request.allowed(&policy.program, a), request.allowed(&policy.program, b));
            said.0.is_some() && said.1.is_some() && said.0 != said.1
        });
        prop_assert!(!(found && differs.is_some()), "{differs:?} {one:?} {other:?}");
        if !found {
            let mut analysis = Analysis::new(&policy.program, &policy.program, ASKED.0, ASKED.1).expect("starts");
            let comparison = analysis.compare(Some(a), Some(b)).expect("no fault");
            prop_assert!(!comparison.is_equivalent(), "{one:?} {other:?}");
        }
    }

    /// An invariant that is proved holds of every small request; one that does not hold of one is not proved.
    #[test]
    fn invariants_hold_of_every_small_request(
        lines in prop::collection::vec(small::line(), 1..4),
        demand in prop::collection::vec(small::line(), 1..3),
        kind in prop::sample::select(&["never", "only", "always"][..]),
        merges in prop::bool::weighted(0.3),
    ) {
        let (lines, demand) = (living::lines(&lines, false), living::lines(&demand, false));
        let invariant = format!("[[{kind}]]\nname = \"i\"\nlines = '''\n{}\n'''\n", demand.join("\n"));
        let file = generate::token_file(&lines, false);
        let policy = compiled(&[("t.toml", file), ("invariants.toml", invariant)], merges);
        let mut wrong = Vec::new();
        let invariants = Invariants::read(&policy.sources, &base(), merges, &mut wrong).expect("binds").expect("one");
        let proof = invariants
            .prove(&policy.program, &policy.compilation.source_map, ASKED, |_, _| {})
            .expect("no fault");
        let described = compiled(&[("t.toml", generate::token_file(&demand, false))], merges);
        let breaks = |request: &small::SmallRequest| {
            let (allowed, asked) = (request.allowed_by(&policy.program), request.allowed_by(&described.program));
            match kind {
                "never" => allowed == Some(true) && asked == Some(true),
                "only" => allowed == Some(true) && asked == Some(false),
                _ => allowed == Some(false) && asked == Some(true),
            }
        };
        let broken = small::requests().find(breaks);
        if proof.diagnostics.is_empty() {
            prop_assert!(broken.is_none(), "{kind} {broken:?}\n{lines:?}\n{demand:?}");
        }
    }
}

/// More on demand, as for the analysis.
fn cases() -> u32 {
    std::env::var("TOKENWARD_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(512)
}
