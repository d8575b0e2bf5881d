//! Fixes: what findings offer, what is proved about it, and which texts stay.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed expectation is a test's way to fail"
)]

mod cases;

use tokenward_compiler::{
    BaseUrl,
    analysis::{Analysis, Budget, Served, Universe},
    compile,
    diagnostic::{Code, Diagnostic, Fix, Offer, Proof, Severity, Unproved},
    findings, fix,
    lint::{self, LintSet, Settings},
    source::SourceSet,
};

use cases::CASES;

/// The beginning of 2026.
const NOW: i64 = 1_767_225_600_000;

fn entry(name: &str, digit: char, rest: &str) -> String {
    let hash = digit.to_string().repeat(64);
    format!(
        "[[token]]\nname = \"{name}\"\nuser = \"svc-{name}\"\nsecret_hash = \"sha256:{hash}\"\nexpires = 2030-01-01T00:00:00Z\n{rest}"
    )
}

fn policy(lines: &str) -> SourceSet {
    files(&[(
        "ci.toml",
        &entry("ci", '1', &format!("limit_to = '''\n{lines}\n'''\n")),
    )])
}

fn files(files: &[(&str, &str)]) -> SourceSet {
    let files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    SourceSet::from_files(files)
}

/// The findings of a policy, with proofs of their fixes.
fn proved(sources: &SourceSet) -> Vec<Diagnostic> {
    let base = BaseUrl::parse("https://jira.example.com").unwrap();
    let budget = Budget::new(Analysis::BUDGET);
    let compilation = compile(sources);
    let mut found = compilation.diagnostics;
    if let Some(program) = &compilation.program {
        let program = program.bind(&base).unwrap();
        let served = Served::of(["/rest/*".to_owned()], false);
        let asked = (Universe::default(), &served, &budget);
        let source_map = &compilation.source_map;
        let more = findings::find(&program, source_map, &found, asked, |_, _| {}).unwrap();
        found.extend(more.diagnostics);
        let policy = lint::Policy {
            sources,
            program: &program,
            source_map,
            reserved: None,
        };
        let settings = Settings {
            set: LintSet::Pedantic,
            expires_within_ms: 0,
            now_ms: NOW,
        };
        let lints = lint::find(policy, settings, &mut found, asked).unwrap();
        found.extend(lints.diagnostics);
    }
    fix::prove(&asked(sources, &base, &budget), &mut found).unwrap();
    found
}

fn asked<'p>(sources: &'p SourceSet, base: &'p BaseUrl, budget: &'p Budget) -> fix::Policy<'p> {
    fix::Policy {
        sources,
        base,
        merges: false,
        universe: Universe::default(),
        proxied: None,
        budget,
    }
}

/// The finding with a code.
fn finding(sources: &SourceSet, code: &str) -> Diagnostic {
    let mut found = proved(sources).into_iter();
    let wanted = found.find(|found| found.code.as_str() == code);
    wanted.unwrap_or_else(|| panic!("no {code} in {:?}", proved(sources)))
}

/// The lines of the policy with a fix.
fn lines(sources: &SourceSet, fix: &Fix) -> String {
    let edited = fix::edited(sources, &fix.edits);
    let (_, source) = edited.iter().next().unwrap();
    let block = source.text.split("'''").nth(1).unwrap();
    block.trim_matches('\n').to_owned()
}

#[test]
fn each_fix_is_proved() {
    let mut wrong = Vec::new();
    for (before, code, after, proof) in CASES {
        let sources = policy(before);
        let found = finding(&sources, code);
        let Some(fix) = found.fixes.first() else {
            wrong.push(format!("{before}: {code} has no fix"));
            continue;
        };
        let (is, said) = (lines(&sources, fix), &fix.proof);
        if is != *after || said.name() != *proof {
            wrong.push(format!("{before}: {code}\n{is}\n{said}"));
        }
        if !found.code.offer().includes(proof) {
            wrong.push(format!("{before}: {code} offers {:?}", found.code.offer()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_only_the_author_knows_has_no_fix() {
    for (line, code) in [
        // A header cannot be tested, and `id` may be a parameter or a member.
        ("[get]/rest/a[Header::b==c]", "TW0102"),
        ("[get]/rest/a[id==5]", "TW0102"),
        // A form may be sent as a query or as a body.
        ("[get]/rest/a[FormData::b==c]", "TW0102"),
        // What is repeated may be the digit or the number, and numbers may have zeros before them.
        ("[get]/rest/a/[1-100]+", "TW0029"),
        ("[get]/rest/a/[001-100]", "TW0029"),
        // Half a character, and a control character.
        ("[get]/rest/a%C3", "TW0020"),
        ("[get]/rest/a%20b%00", "TW0020"),
    ] {
        let found = finding(&policy(line), code);
        assert!(found.fixes.is_empty(), "{line}: {:?}", found.fixes);
    }
}

#[test]
fn a_narrower_fix_shows_a_request_that_is_lost() {
    let found = finding(&policy(r"[get]/rest/api/2/issue/KANBAN-1.*"), "TW0505");
    let Proof::Narrower { lost } = &found.fixes[0].proof else {
        panic!("{found:?}");
    };
    assert_eq!(lost.token, "ci");
    assert!(
        lost.request.request.starts_with("GET /rest/api/2/issue/KANBAN-1"),
        "{lost:?}"
    );
    assert!(
        lost.request
            .curl
            .contains("https://jira.example.com/rest/api/2/issue/KANBAN-1")
    );
}

#[test]
fn a_fixed_policy_has_no_such_finding() {
    for (before, code, _, proof) in CASES.iter().filter(|(.., proof)| *proof != "unproved") {
        let sources = policy(before);
        let found = finding(&sources, code);
        let edited = fix::edited(&sources, &found.fixes[0].edits);
        let left = proved(&edited);
        assert!(
            !left.iter().any(|found| found.code.as_str() == *code),
            "{before}: {proof}, {left:?}"
        );
    }
}

#[test]
fn what_others_judged_stays() {
    let line = "[get].*/rest/a";
    let judged = policy(&format!("# allow TW0508: other reasons\n{line}"));
    let proof = &finding(&judged, "TW0504").fixes[0].proof;
    assert_eq!(*proof, Proof::Unproved(Unproved::Excepted));
    let tokens = entry("ci", '1', &format!("limit_to = '''\n{line}\n'''\n"));
    let review = format!("[[reviewed]]\ntoken = \"ci\"\nline = '{line}'\nwhy = \"x\"\n");
    let reviewed = files(&[("ci.toml", &tokens), ("reviewed.toml", &review)]);
    let proof = &finding(&reviewed, "TW0504").fixes[0].proof;
    assert_eq!(*proof, Proof::Unproved(Unproved::Reviewed));
}

#[test]
fn a_line_of_a_set_is_proved_for_every_token() {
    let both = [
        entry("a", '1', "include = [\"read\"]\n"),
        entry("b", '2', "include = [\"read\"]\nlimit_to = '[get]/rest/x.*'\n"),
    ];
    let sources = files(&[
        ("ci.toml", &both.join("\n")),
        ("read.limits", "[get]/rest/x\n[get]/rest/x\n[get].*/rest/y\n"),
    ]);
    let double = finding(&sources, "TW0108");
    assert_eq!(double.fixes[0].proof, Proof::Equivalent);
    let open = finding(&sources, "TW0504");
    assert_eq!(open.fixes[0].proof.name(), "narrower");
    // A set that no token includes gives no access.
    let unused = files(&[
        ("ci.toml", &entry("a", '1', "limit_to = '[get]/rest/x'\n")),
        ("read.limits", "[post]/rest/y[JsonData::b==false]\n"),
    ]);
    let found = finding(&unused, "TW0103");
    assert_eq!(found.fixes[0].proof, Proof::Unproved(Unproved::NoToken));
}

#[test]
fn a_fix_that_does_not_compile_is_refused() {
    // TOML has no line break between single quotes.
    let sources = files(&[(
        "ci.toml",
        &entry("ci", '1', "limit_to = '[get]/rest/a|/rest/b'\n"),
    )]);
    let found = finding(&sources, "TW0511");
    assert!(
        matches!(found.fixes[0].proof, Proof::Unproved(Unproved::Faulty(_))),
        "{found:?}"
    );
    // A token needs a line.
    let sources = policy("[get]/rest/b[QueryParam::x==a][QueryParam::x==b]");
    let found = finding(&sources, "TW0107");
    assert!(
        matches!(found.fixes[0].proof, Proof::Unproved(Unproved::Faulty(_))),
        "{found:?}"
    );
}

#[test]
fn fixes_that_need_each_other_are_not_proved_together() {
    let sources = policy("[get]/rest/a\n[get]/rest/a");
    let (_, source) = sources.iter().next().unwrap();
    let id = sources.iter().next().unwrap().0;
    let start = source.text.find("[get]").unwrap();
    let length = "[get]/rest/a".len();
    let remove = |start| {
        let span = tokenward_compiler::source::Span {
            source: id,
            start,
            end: start + length,
        };
        Fix::of(span, "")
    };
    let (first, second) = (remove(start), remove(start + length + 1));
    let base = BaseUrl::parse("https://jira.example.com").unwrap();
    let budget = Budget::new(Analysis::BUDGET);
    let policy = asked(&sources, &base, &budget);
    assert_eq!(fix::together(&policy, &[&first]).unwrap(), Proof::Equivalent);
    assert_eq!(fix::together(&policy, &[&second]).unwrap(), Proof::Equivalent);
    assert_ne!(
        fix::together(&policy, &[&first, &second]).unwrap(),
        Proof::Equivalent
    );
}

#[test]
fn one_finding_is_proved_by_itself() {
    let sources = policy("[get].*/rest/a\n[get]/rest/b\n[get]/rest/b");
    let mut found = proved(&sources);
    found.retain(|found| !found.fixes.is_empty());
    let base = BaseUrl::parse("https://jira.example.com").unwrap();
    let budget = Budget::new(Analysis::BUDGET);
    for found in found {
        let mut alone = [found.clone()];
        fix::prove(&asked(&sources, &base, &budget), &mut alone).unwrap();
        assert_eq!(alone[0].fixes, found.fixes);
    }
}

#[test]
fn table_pages_and_code_agree() {
    let table = include_str!("../../../../docs/fixes.md");
    for code in Code::ALL {
        let offer = code.offer();
        let row = table
            .lines()
            .find_map(|line| line.strip_prefix(&format!("| {code} | ")));
        let row = row.unwrap_or_else(|| panic!("no row for {code}"));
        let (words, content) = row.split_once(" | ").unwrap();
        let content = content.strip_suffix(" |").unwrap().replace("\\|", "|");
        assert_eq!(words, offer.words(), "{code}");
        let (_, section) = code.page().split_once("\n## Fix\n\n").unwrap();
        // A page begins with a capital letter.
        let expected = format!("{words}. {content}");
        assert!(
            section.trim_end().eq_ignore_ascii_case(&expected),
            "{code}: {section}"
        );
        assert!(offer == Offer::None || code.severity() == Severity::Warning || offer != Offer::Equivalent);
    }
}
