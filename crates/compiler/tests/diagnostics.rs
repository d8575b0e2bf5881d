//! What people are told: every folder below `fixtures/` is a policy, and a snapshot of all that there is to say of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed expectation is a test's way to fail"
)]

use std::{collections::BTreeSet, fs, path::Path};

use tokenward_compiler::{
    BaseUrl, Compilation,
    analysis::{Analysis, Budget, Served, Universe},
    call_limits::CallLimits,
    ceiling::Ceiling,
    compile, compile_within,
    diagnostic::{Code, Severity, render_json, render_text, sort},
    earlier, findings,
    invariants::Invariants,
    lint,
    seal::Mode,
    source::{Links, SourceSet},
    units,
};

#[test]
fn every_fixture_is_told_what_is_wrong() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut seen = BTreeSet::new();
    let mut names: Vec<_> = fs::read_dir(&fixtures)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    for name in names {
        let sources = SourceSet::read_dir(&fixtures.join(&name), Links::Refuse).unwrap();
        // One folder is of secure mode; nobody has the private half of its key.
        let key = "ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29";
        let mode = match name.to_str() {
            Some("seals") => Mode::Secure(vec![key.parse().unwrap()]),
            _ => Mode::Standard,
        };
        // Another is of a configuration that limits tokens, at the beginning of 2026.
        let ceiling = match name.to_str() {
            Some("ceiling") => ceiling(),
            _ => Ceiling::default(),
        };
        let mut compilation = compile_within(&sources, &mode, &ceiling, 1_767_225_600_000);
        let errors = compilation
            .diagnostics
            .iter()
            .any(|finding| finding.severity == Severity::Error);
        assert_eq!(compilation.program.is_none(), errors, "{name:?}");
        prove(&sources, &mut compilation);
        if name == "lints" {
            lint(&sources, &mut compilation);
        }
        seen.extend(compilation.diagnostics.iter().map(|finding| finding.code));
        insta::assert_snapshot!(
            name.to_str().unwrap(),
            render_text(&sources, &compilation.diagnostics, false)
        );
    }
    // Those speak of two policies: the command's tests show them, `tests/command/hostile_pull_requests` of the runtime above all.
    seen.extend([
        Code::NewAccess,
        Code::StaleReview,
        Code::NewCredential,
        Code::NewUser,
        Code::LongerLife,
        Code::MoreAddresses,
        Code::ActsForMore,
        Code::NewMint,
        Code::NewUnrestricted,
        Code::LiftedForbid,
        Code::LooserConfiguration,
        Code::LostInvariant,
        Code::FreedToken,
        Code::UnacceptedReview,
        Code::GrownSet,
        Code::OpenComparison,
        Code::NewEscalate,
        Code::MoreCalls,
        Code::LatentAccess,
        Code::LiftedNames,
    ]);
    // This needs a budget that is too small: see the next test.
    seen.insert(Code::OpenInvariant);
    // These speak of a configuration: `tests/command/proofs.rs` and `forwarded.rs` of the runtime show them.
    seen.extend([Code::UnusableToken, Code::LatentBreach]);
    // These speak of a baseline: the tests of `reports` show them.
    seen.extend([Code::StaleBaseline, Code::Unacceptable]);
    // These speak of files of tests: `tests/test_cases.rs` and `tests/command/policy_tests.rs` of the runtime show them.
    seen.extend([
        Code::PolicyInTests,
        Code::TestRequest,
        Code::TestToken,
        Code::TestCaller,
        Code::TestExpectation,
        Code::TestName,
    ]);
    let unseen: Vec<_> = Code::ALL.iter().filter(|code| !seen.contains(code)).collect();
    assert!(unseen.is_empty(), "no fixture shows {unseen:?}");
}

#[test]
fn invariants_beyond_the_budget_are_open() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/invariants");
    let sources = SourceSet::read_dir(&fixture, Links::Refuse).unwrap();
    let compilation = compile_within(&sources, &Mode::Standard, &Ceiling::default(), 1_767_225_600_000);
    let base = BaseUrl::parse("https://jira.example.com").unwrap();
    let program = compilation.program.as_ref().unwrap().bind(&base).unwrap();
    let invariants = Invariants::read(&sources, &base, false, &mut Vec::new());
    let asked = (Universe::default(), 1_u64);
    let proof = invariants.unwrap().unwrap();
    let proof = proof.prove(&program, &compilation.source_map, asked, |_, _| {});
    let open = |found: &tokenward_compiler::diagnostic::Diagnostic| found.code == Code::OpenInvariant;
    assert!(proof.unwrap().diagnostics.iter().any(open));
}

fn ceiling() -> Ceiling {
    Ceiling {
        limits: CallLimits {
            rate: Some("600/1m".parse().unwrap()),
            burst: CallLimits::count(100),
            concurrent: CallLimits::count(10),
            max_body: Some(1 << 20),
        },
        max_lifetime: units::duration("90d"),
    }
}

/// Adds what the analysis has to say.
fn prove(sources: &SourceSet, compilation: &mut Compilation) {
    let base = BaseUrl::parse("https://jira.example.com").unwrap();
    let findings = &mut compilation.diagnostics;
    let invariants = Invariants::read(sources, &base, false, findings).unwrap();
    let Some(program) = compilation
        .program
        .as_ref()
        .map(|program| program.bind(&base).unwrap())
    else {
        return;
    };
    let asked = (Universe::default(), Analysis::BUDGET);
    let proved = findings::find(
        &program,
        &compilation.source_map,
        findings,
        (asked.0, &Served::everything(), asked.1),
        |_, _| {},
    )
    .unwrap();
    assert_eq!(proved.inconclusive, 0);
    findings.extend(proved.diagnostics);
    let read = (&program, &compilation.source_map);
    let reread = earlier::rereadings(sources, read, (asked.0, None, asked.1)).unwrap();
    findings.extend(earlier::diagnostics(&reread, &program));
    if let Some(invariants) = invariants {
        let served = Served::everything();
        findings.extend(invariants.idle((asked.0, &served, asked.1)).unwrap());
        let proof = invariants
            .prove(&program, &compilation.source_map, asked, |_, _| {})
            .unwrap();
        findings.extend(proof.diagnostics);
    }
}

/// Adds what the lints have to say, of the strictest set, at the beginning of 2026.
fn lint(sources: &SourceSet, compilation: &mut Compilation) {
    let base = BaseUrl::parse("https://jira.example.com").unwrap();
    let program = compilation.program.as_ref().unwrap().bind(&base).unwrap();
    // The calls that need `escalate = true`.
    let keys = format!(
        "[[token]]\nname = \"escalate\"\nuser = \"u\"\nsecret_hash = \"sha256:{}\"\nexpires = 2030-01-01\nlimit_to = '[put]/rest/api/2/user'\n",
        "99".repeat(32)
    );
    let keys = compile(&SourceSet::from_files([("keys.toml".to_owned(), keys)]));
    let keys = keys.program.unwrap().bind(&base).unwrap();
    let reserved = findings::Reserved {
        program: &keys,
        lacks: &|token, _| !token.escalate,
        refuses: &|_| false,
    };
    let policy = lint::Policy {
        sources,
        program: &program,
        source_map: &compilation.source_map,
        reserved: Some(&reserved),
    };
    let settings = lint::Settings {
        set: lint::LintSet::Auditor,
        expires_within_ms: 30 * 86_400_000,
        now_ms: 1_767_225_600_000,
    };
    let served = Served::of(["/rest/*".to_owned()], false);
    let budget = Budget::new(Analysis::BUDGET);
    let found = &mut compilation.diagnostics;
    let exceptions = lint::Exceptions::read(sources, Vec::new(), found);
    let lints = lint::find(policy, settings, found, (Universe::default(), &served, &budget)).unwrap();
    found.extend(lints.diagnostics);
    let judged = lint::Judged {
        set: settings.set,
        lints_settled: lints.open == 0,
        findings_settled: true,
        without: &[],
    };
    exceptions.apply(sources, found, &lints.allowed, judged);
    sort(found);
}

#[test]
fn every_page_has_its_sections() {
    for code in Code::ALL {
        let page = code.page();
        assert!(
            page.starts_with(&format!("# {code}: {}\n", code.title())),
            "{page}"
        );
        for section in ["## What", "## Why", "## Example", "## Instead", "## Fix"] {
            assert!(page.contains(section), "{code} has no {section}");
        }
    }
}

#[test]
fn json_names_the_place() {
    let file = "[[token]]\nname = \"é\" \nusr = \"x\"\n".to_owned();
    let sources = SourceSet::from_files([("a.toml".to_owned(), file)]);
    let text = render_json(&sources, &compile(&sources).diagnostics);
    let rows: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let unknown = rows.iter().find(|row| row["code"] == "TW0002").unwrap();
    assert_eq!(
        (&unknown["file"], &unknown["line"], &unknown["column"]),
        (&"a.toml".into(), &3.into(), &1.into())
    );
    assert_eq!(unknown["help"], "did you mean `user`?");
}

#[test]
fn names_of_users_hold_nothing_that_nobody_sees() {
    let hash = "1".repeat(64);
    for hidden in [
        "\\u200B", "\\u200D", "\\u00AD", "\\u202E", "\\u2066", "\\uFEFF", "\\u0007", "\\u2028",
    ] {
        for key in [
            "user = \"svc@\"",
            "users = [\"a\", \"svc@\"]",
            "user = \"svc\"\non_behalf_of = [\"a@\"]",
        ] {
            let keys = key.replace('@', hidden);
            let file = format!(
                "[[token]]\nname = \"t\"\n{keys}\nsecret_hash = \"sha256:{hash}\"\nlimit_to = '''\n/rest/x\n'''\n"
            );
            let compilation = compile(&SourceSet::from_files([("a.toml".to_owned(), file)]));
            assert!(compilation.program.is_none(), "{keys}");
            let told =
                |finding: &tokenward_compiler::diagnostic::Diagnostic| finding.headline.contains("control");
            assert!(compilation.diagnostics.iter().any(told), "{keys}");
        }
    }
}

#[test]
fn a_policy_that_does_not_compile_still_revokes() {
    let hash = "11".repeat(32);
    let file =
        format!("[[token]]\nname = \"a\"\nsecret_hash = \"sha256:{hash}\"\nrevoked = true\nlimit_to = '('\n");
    let compilation = compile(&SourceSet::from_files([("a.toml".to_owned(), file)]));
    assert!(compilation.program.is_none());
    assert_eq!(compilation.revoked, [[0x11; 32]]);
}
