//! Edits as people make them, each with what the analysis must say of it.

use super::{Analysis, Comparison, Inconclusive, RequestBody, Universe};
use crate::{BaseUrl, compile, ir::Program, source::SourceSet};

fn program(lines: &str, merges: bool) -> Program {
    let file = format!(
        "[[token]]\nname = \"t\"\nuser = \"u\"\nsecret_hash = \"sha256:{}\"\nlimit_to = '''\n{lines}\n'''\n",
        "11".repeat(32)
    );
    let compilation = compile(&SourceSet::from_files([("t.toml".to_owned(), file)]));
    let program = compilation
        .program
        .unwrap_or_else(|| panic!("{:?}", compilation.diagnostics));
    program
        .bind(&BaseUrl::parse("https://h").unwrap())
        .unwrap()
        .merging_body(merges)
}

fn compare_within(old: &str, new: &str, merges: bool, budget: u64) -> Comparison {
    let (old, new) = (program(old, merges), program(new, merges));
    let token = |program: &Program| program.tokens().next().map(|(id, _)| id);
    let mut analysis = Analysis::new(&old, &new, Universe::default(), budget).unwrap();
    analysis.compare(token(&old), token(&new)).unwrap()
}

fn compare(old: &str, new: &str) -> Comparison {
    compare_within(old, new, false, Analysis::BUDGET)
}

/// The witnesses of both directions, a line each; `?` for what is inconclusive.
fn said(comparison: &Comparison) -> String {
    let mut out = String::new();
    for (sign, difference) in [('+', &comparison.newly_allowed), ('-', &comparison.newly_denied)] {
        for finding in &difference.findings {
            out.push_str(&format!("{sign} {}\n", finding.witness));
        }
        if difference.inconclusive.is_some() {
            out.push_str(&format!("{sign} ?\n"));
        }
    }
    out
}

#[track_caller]
fn check(old: &str, new: &str, expected: &str) {
    let comparison = compare(old, new);
    assert_eq!(said(&comparison), expected, "{old}\n{new}");
    // Turned round, the signs are.
    let back = compare(new, old);
    assert_eq!(back.newly_allowed.is_none(), comparison.newly_denied.is_none());
    assert_eq!(back.newly_denied.is_none(), comparison.newly_allowed.is_none());
}

#[test]
fn a_missing_boundary_widens() {
    check("/i/K-[0-9]+", "/i/K-[0-9]+.*", "+ GET /i/K-0a\n");
    check("/i/K-1(/.*)?", "/i/K-1.*", "+ GET /i/K-1a\n");
    check("/rest/x", ".*/rest/x", "+ GET /a/rest/x\n");
}

#[test]
fn a_method_widens() {
    check("[get]/a", "[get,delete]/a", "+ DELETE /a\n");
    check("[get]/a", "/a", "+ POST /a\n");
    check("/a", "/a\n![delete]/a", "- DELETE /a\n");
}

#[test]
fn what_is_only_written_otherwise_is_equivalent() {
    for (old, new) in [
        ("/a|/b", "/b\n/a"),
        ("/a(/b)?", "/a\n/a/b"),
        ("[get,post]/a", "[get]/a\n[post]/a"),
        (
            "/a[QueryParam::n==.*]\n/a[QueryParam::n?=x]",
            "/a[QueryParam::n==.+|]\n/a[QueryParam::n?=x|y]",
        ),
        ("[post]/a[JsonData::n==a|b]", "[post]/a[JsonData::n==[ab]]"),
        ("/[a-z]+", "/[a-y]+\n/[a-z]*z[a-z]*"),
        ("/a/.*", "/a/.*\n/a/b"),
        ("/a\n!/a/b", "/a"),
        ("[get]/a[JsonData::n?=x]", "[get]/a"),
        // What the proxy refuses makes no difference.
        ("/a/[^/]+", "/a/[^/;]+"),
        ("/a/.*", "/a/.*\n/a//b"),
    ] {
        check(old, new, "");
    }
}

#[test]
fn ranges_types_and_roots() {
    check(
        "/a[QueryParam::n<=500]",
        "/a[QueryParam::n<500.01]",
        "+ GET /a?n=500.001\n",
    );
    check("/a[QueryParam::n<5]", "/a[QueryParam::n<=5]", "+ GET /a?n=5\n");
    check("/a[QueryParam::n>0]", "/a[QueryParam::n>=-1]", "+ GET /a?n=0\n");
    check(
        "/a[QueryParam::d>=2020-03-01]",
        "/a[QueryParam::d>2020-02-28]",
        "+ GET /a?d=2020-02-29\n",
    );
    check("/a[QueryParam::n<5]", "/a[QueryParam::n?<5]", "+ GET /a\n");
    // Exactly the same numbers and days.
    for (old, new) in [
        ("/a[QueryParam::n<=5.0]", "/a[QueryParam::n<=5]"),
        (
            "/a[QueryParam::n>=0][QueryParam::n<=0]",
            "/a[QueryParam::n==0([.]0{1,14})?]",
        ),
        (
            "/a[QueryParam::n>4][QueryParam::n<5]",
            "/a[QueryParam::n==4[.]0*[1-9][0-9]*][QueryParam::n<=5]",
        ),
        (
            "/a[QueryParam::d>=2019-02-01][QueryParam::d<2019-03-01]",
            "/a[QueryParam::d==2019-02-(0[1-9]|1[0-9]|2[0-8])]",
        ),
        ("/a\n!/a[QueryParam::n?>5]", "/a[QueryParam::n<=5]"),
        ("[post]/a[JsonData::n:number|string<5]", "[post]/a[JsonData::n<5]"),
        ("[post]/a[JsonData::$.n==x]", "[post]/a[JsonData::n==x]"),
    ] {
        check(old, new, "");
    }
    check(
        "[post]/a[JsonData::n:number<=1]",
        "[post]/a[JsonData::n:number|null<=1]",
        "+ POST /a with application/json: {\"n\": null}\n",
    );
    check(
        "[post]/a\n![post]/a[JsonData::n>1]",
        "[post]/a\n![post]/a[JsonData::n>2]",
        "+ POST /a with application/json: {\"n\": \"2\"}\n",
    );
    check(
        "[post]/a[JsonData::$:string==x|1]",
        "[post]/a[JsonData::$==x|1]",
        "+ POST /a with application/json: 1\n",
    );
    check(
        "[post]/a[JsonData::$[*].n==x]",
        "[post]/a[JsonData::$[*].n==x|y]",
        "+ POST /a with application/json: [{\"n\": \"y\"}]\n",
    );
    check("[post]/a[JsonData::$==x]", "[post]/a[JsonData::$?=x]", "");
    // Bound to the base.
    check(
        "/a[QueryParam::u==https://h/x]",
        "/a[QueryParam::u=={BASE_URL}/x|{BASE_URL}/y]",
        "+ GET /a?u=https%3A%2F%2Fh%2Fy\n",
    );
}

#[test]
fn constraints_on_parameters() {
    check("/a[QueryParam::n==x]", "/a", "+ GET /a\n");
    check("/a[QueryParam::n==x]", "/a[QueryParam::n?=x]", "+ GET /a\n");
    check("/a[QueryParam::n==x]", "/a[QueryParam::n==x|y]", "+ GET /a?n=y\n");
    check("/a[QueryParam::n!=x]", "/a", "+ GET /a?n=x\n");
    check(
        "/a[QueryParam::n==x][QueryParam::only]",
        "/a[QueryParam::n==x]",
        "+ GET /a?n=x&x=\n",
    );
    check("/a\n!/a[QueryParam::n==x]", "/a", "+ GET /a?n=x\n");
    // One value that is forbidden is enough, all must be permitted.
    check(
        "/a[QueryParam::n?=x]",
        "/a\n!/a[QueryParam::n==[^x].*]",
        "+ GET /a?n=\n",
    );
}

#[test]
fn constraints_on_bodies() {
    let json = "with application/json:";
    check("[post]/a[JsonData::n==x]", "[post]/a", "+ POST /a\n");
    check(
        "[post]/a[JsonData::n?=x]",
        "[post]/a",
        &format!("+ POST /a {json} {{\"n\": \"\"}}\n"),
    );
    check(
        "[post]/a[JsonData::n:boolean==false]",
        "[post]/a[JsonData::n==false]",
        &format!("+ POST /a {json} {{\"n\": \"false\"}}\n"),
    );
    check(
        "[post]/a[JsonData::n==x][JsonData::only]",
        "[post]/a[JsonData::n==x]",
        &format!("+ POST /a {json} {{\"n\": \"x\", \"x\": 1}}\n"),
    );
    check(
        "[post]/a[JsonData::n==1]",
        "[post]/a[JsonData::n:string==1]",
        &format!("- POST /a {json} {{\"n\": 1}}\n"),
    );
    check(
        "[post]/a\n![post]/a[JsonData::n==5]",
        "[post]/a",
        &format!("+ POST /a {json} {{\"n\": \"5\"}}\n"),
    );
}

#[test]
fn elements_of_arrays() {
    let json = "with application/json:";
    check(
        "[post]/a[JsonData::l[*]==x]",
        "[post]/a[JsonData::l[*]==x|y]",
        &format!("+ POST /a {json} {{\"l\": [\"y\"]}}\n"),
    );
    check(
        "[post]/a[JsonData::l[*].n==x]",
        "[post]/a[JsonData::l[*].n?=x]",
        "+ POST /a\n",
    );
    // Of two things that the lines forbid, an array can have one each.
    check(
        "[post]/a[JsonData::l[*]==.*]\n![post]/a[JsonData::l[*]==x]",
        "[post]/a[JsonData::l[*]==.*]\n![post]/a[JsonData::l[*]==x]\n![post]/a[JsonData::l[*]==y]",
        &format!("- POST /a {json} {{\"l\": [\"y\"]}}\n"),
    );
}

#[test]
fn upstreams_that_merge() {
    let old = "[post]/a[QueryParam::n==x]";
    // The body could bring another `n`, so the line does not match then.
    let comparison = compare_within(
        old,
        "[post]/a[QueryParam::n==x]\n[post]/a[JsonData::n==y][QueryParam::n==x]",
        true,
        Analysis::BUDGET,
    );
    assert!(comparison.is_equivalent(), "{}", said(&comparison));
    let comparison = compare_within(
        old,
        "[post]/a[QueryParam::n==x]\n[post]/a[JsonData::m==y]",
        true,
        Analysis::BUDGET,
    );
    // The first line needs the body to know its `n`. So the second is asked too, and refuses a variant of its `m`.
    assert_eq!(
        said(&comparison),
        "+ POST /a with application/json: {\"m\": \"y\"}\n\
         - POST /a?n=x with application/json: {\"M\": 1}\n"
    );
}

#[test]
fn responsible_lines_are_named() {
    let (old, new) = (program("/a\n!/a/b.*\n/a/b", false), program("/a\n/a/b.*", false));
    let token = |program: &Program| program.tokens().next().map(|(id, _)| id);
    let mut analysis = Analysis::new(&old, &new, Universe::default(), Analysis::BUDGET).unwrap();
    let comparison = analysis.compare(token(&old), token(&new)).unwrap();
    let [finding] = comparison.newly_allowed.findings.as_slice() else {
        panic!("{}", said(&comparison));
    };
    assert_eq!(finding.allowed_by.map(|id| new.line(id).text), Some("/a/b.*"));
    assert_eq!(finding.denied_by.map(|id| old.line(id).text), Some("!/a/b.*"));
    assert_eq!(finding.witness.body, RequestBody::Absent);
}

#[test]
fn tokens_that_come_and_go() {
    let program = program("/a", false);
    let token = program.tokens().next().map(|(id, _)| id);
    let mut analysis = Analysis::new(&program, &program, Universe::default(), Analysis::BUDGET).unwrap();
    assert_eq!(said(&analysis.compare(None, token).unwrap()), "+ GET /a\n");
    assert_eq!(said(&analysis.compare(token, None).unwrap()), "- GET /a\n");
    assert!(analysis.compare(None, None).unwrap().is_equivalent());
}

#[test]
fn hostile_pairs_end() {
    let chain = |letter: char| format!("/{}", format!(".*{letter}").repeat(20));
    for (old, new) in [
        (chain('a'), chain('b')),
        ("/(a|b)*a(a|b){9}".to_owned(), "/(a|b)*b(a|b){9}".to_owned()),
        ("/[a-z]{1,200}".to_owned(), "/[a-y]{1,200}".to_owned()),
        ("/(.*a){6}.*".to_owned(), "/.*a.*a.*a.*a.*a.*a.*".to_owned()),
    ] {
        let comparison = compare_within(&old, &new, false, 20_000);
        for difference in [&comparison.newly_allowed, &comparison.newly_denied] {
            assert_ne!(difference.inconclusive, Some(Inconclusive::CaseVariants));
        }
    }
}

#[test]
fn a_question_that_takes_too_long_leaves_the_others_their_share() {
    let (hard, easy) = ("/(a|b)*a(a|b){9}", "/easy");
    let old = "/(a|b)*";
    for new in [[old, hard, easy], [easy, old, hard]] {
        let comparison = compare_within(old, &new.join("\n"), false, 60);
        let found = &comparison.newly_allowed;
        assert_eq!(found.inconclusive, Some(Inconclusive::Budget));
        assert_eq!(said(&comparison), "+ GET /easy\n+ ?\n");
    }
    assert_eq!(
        said(&compare(old, &[old, hard, easy].join("\n"))),
        "+ GET /easy\n"
    );
}

#[test]
fn a_spent_budget_is_never_a_pass() {
    let comparison = compare_within("/a*b*c*d*e*", "/(a|b|c|d|e)*", false, 3);
    assert_eq!(comparison.newly_allowed.inconclusive, Some(Inconclusive::Budget));
    assert!(!comparison.is_equivalent() && !comparison.newly_allowed.is_none());
}

#[test]
fn names_that_differ_in_case_alone_are_modelled() {
    let json = "with application/json:";
    // The proxy refuses a body with either name if lines read both.
    let both = "[post]/a[JsonData::n==x]\n[post]/a[JsonData::N==x]";
    check(
        "[post]/a[JsonData::n==x]",
        both,
        &format!("- POST /a {json} {{\"n\": \"x\"}}\n"),
    );
    check(both, "[post]/a[JsonData::N==x]\n[post]/a[JsonData::n==x]", "");
    // A body has the one or the other, and a line that reads neither allows it.
    check("/b\n[post]/a[JsonData::n==x][JsonData::N==x]", "/b", "");
    check(
        "/b",
        "/b\n[post]/a[JsonData::n?=x][JsonData::N?=x]",
        "+ POST /a\n",
    );
    check(
        "[post]/a[JsonData::N?=x]",
        "[post]/a[JsonData::n?=x]",
        &format!("+ POST /a {json} {{\"n\": \"x\"}}\n- POST /a {json} {{\"N\": \"x\"}}\n"),
    );
    // A permit line that needs no body decides before the lines behind it look at one.
    check("/a\n[post]/a[JsonData::n==x]", "/a\n[post]/a[JsonData::N==x]", "");
}

#[test]
fn no_body_has_a_control_character_in_a_name() {
    check("/b", "/b\n[post]/a[JsonData::\"n\tm\"==x]", "");
}

#[test]
fn no_body_nests_deeper_than_the_proxy_reads() {
    let path = |depth: usize| vec!["n"; depth].join(".");
    for (depth, reached) in [(128, true), (129, false)] {
        let comparison = compare("/b", &format!("/b\n[post]/a[JsonData::{}==x]", path(depth)));
        assert_eq!(
            comparison.newly_allowed.findings.len(),
            usize::from(reached),
            "{depth}"
        );
        assert_eq!(comparison.newly_allowed.inconclusive, None);
    }
    // Arrays count as well.
    let elements = |depth: usize| format!("[post]/a[JsonData::${}==x]", "[*]".repeat(depth));
    for (depth, reached) in [(128, true), (129, false)] {
        let comparison = compare("/b", &format!("/b\n{}", elements(depth)));
        assert_eq!(
            comparison.newly_allowed.findings.len(),
            usize::from(reached),
            "{depth}"
        );
    }
}
