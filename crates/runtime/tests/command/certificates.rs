//! `--certificates` of `tokenward compile` and `tokenward ask`, and the check of what they write.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tokenward_verify::{Report, verify};

use crate::policy::{EXPIRES, token};
use crate::tokenward::{run, succeed};

const INVARIANTS: &str = "\
[[never]]\nname = \"nobody-deletes\"\nlines = '[delete]/.*'\n
[[only]]\nname = \"below-rest\"\nlines = '/rest/.*'\n";

/// A directory with these lines of a token `ci` in `policies`, and with invariants.
fn policies(lines: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    let place = directory.path().join("policies");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("a.toml"), token("ci", "11", EXPIRES, lines)).unwrap();
    fs::write(place.join("invariants.toml"), INVARIANTS).unwrap();
    directory
}

/// Checks a certificate about these compiled files.
fn checked(directory: &Path, certificate: &str, policies: &[&str]) -> Result<Report, String> {
    let read = |name: &str| fs::read(directory.join(name)).unwrap();
    let certificate = String::from_utf8(read(certificate)).unwrap();
    let policies: Vec<Vec<u8>> = policies.iter().map(|name| read(name)).collect();
    verify(&certificate, &policies)
}

#[test]
fn a_check_writes_certificates_of_invariants_and_findings() {
    let directory = policies("[get]/rest/a.*\n[get]/rest/ab");
    let arguments = [
        "compile",
        "--lint",
        "none",
        "-o",
        "p.twp",
        "--certificates",
        "c.jsonl",
    ];
    let (code, _, err) = run(directory.path(), &arguments).apart();
    assert_eq!(code, 0, "{err}");
    let said = "3 certificates written to `c.jsonl` (3 proofs, 0 requests); 0 answers without a certificate; the compiled invariants \
                in `c.jsonl.twp`";
    assert!(err.contains(said), "{err}");
    let report = checked(directory.path(), "c.jsonl", &["p.twp", "c.jsonl.twp"]).unwrap();
    assert_eq!((report.claims.len(), report.open.len()), (3, 0), "{report:?}");
    for expected in [
        "no request is allowed by \"ci\" of policy 0 and by \"nobody-deletes\" of policy 1",
        "\"ci\" of policy 0 allows nothing beyond \"below-rest\" of policy 1",
        "\"ci\" of policy 0 with only a.toml:8 `[get]/rest/ab` allows nothing beyond \"ci\" of policy 0 with only a.toml:7 `[get]/rest/a.*`",
    ] {
        let expected = format!("{expected} (GET and HEAD without a body)");
        assert!(report.claims.contains(&expected), "{expected}: {report:?}");
    }
    // The compiled invariants are no policy that anybody can use.
    let served = succeed(directory.path(), &["inspect", "c.jsonl.twp"]);
    assert!(served.contains("nobody-deletes"), "{served}");
}

#[test]
fn a_broken_invariant_has_its_request_and_what_does_not_compile_has_none() {
    let directory = policies("/rest/a");
    let check = ["compile", "--check", "--certificates", "c.jsonl"];
    let (code, _, err) = run(directory.path(), &check).apart();
    assert_eq!(code, 1, "{err}");
    // The same policy without its invariants is compiled to the same program.
    fs::remove_file(directory.path().join("policies/invariants.toml")).unwrap();
    succeed(directory.path(), &["compile", "-o", "p.twp"]);
    let report = checked(directory.path(), "c.jsonl", &["p.twp", "c.jsonl.twp"]).unwrap();
    let expected = "\"ci\" of policy 0 and by \"nobody-deletes\" of policy 1 allows DELETE \"/rest/a\"";
    assert!(
        report.claims.iter().any(|claim| claim.starts_with(expected)),
        "{report:?}"
    );
    fs::write(directory.path().join("policies/a.toml"), "[[token]\n").unwrap();
    let (code, _, err) = run(
        directory.path(),
        &["compile", "--check", "--certificates", "d.jsonl"],
    )
    .apart();
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("no certificates are written to `d.jsonl`"), "{err}");
    assert!(!directory.path().join("d.jsonl").exists());
}

#[test]
fn an_answer_has_certificates() {
    let directory = policies("[get]/rest/a.*");
    succeed(directory.path(), &["compile", "-o", "p.twp"]);
    let two =
        token("ci", "11", EXPIRES, "[get]/rest/a.*") + &token("two", "22", EXPIRES, "[get]/rest/(a|b).*");
    let ask = |arguments: &[&str]| {
        let all = [&["ask", "--certificates", "c.jsonl"], arguments].concat();
        run(directory.path(), &all).apart()
    };
    let (code, _, err) = ask(&["never [delete].*"]);
    assert_eq!(code, 0, "{err}");
    let report = checked(directory.path(), "c.jsonl", &["p.twp", "c.jsonl.twp"]).unwrap();
    let never = "no request is allowed by \"ci\" of policy 0 and by \"the question\" of policy 1 (GET and HEAD without a body)";
    assert_eq!(report.claims, [never]);
    let (code, _, err) = ask(&["GET .*"]);
    assert_eq!(code, 0, "{err}");
    let report = checked(directory.path(), "c.jsonl", &["p.twp", "c.jsonl.twp"]).unwrap();
    assert_eq!((report.claims.len(), report.open.len()), (2, 0), "{report:?}");
    // Of another question it is refused.
    fs::copy(
        directory.path().join("c.jsonl"),
        directory.path().join("get.jsonl"),
    )
    .unwrap();
    assert_eq!(ask(&["never [delete].*"]).0, 0);
    let refusal = checked(directory.path(), "get.jsonl", &["p.twp", "c.jsonl.twp"]).unwrap_err();
    assert!(refusal.contains("is not given"), "{refusal}");

    fs::write(directory.path().join("policies/a.toml"), two).unwrap();
    succeed(directory.path(), &["compile", "-o", "p.twp"]);
    let (code, _, err) = ask(&["--equal", "ci", "two"]);
    assert_eq!(code, 1, "{err}");
    let report = checked(directory.path(), "c.jsonl", &["p.twp"]).unwrap();
    assert_eq!((report.claims.len(), report.open.len()), (2, 0), "{report:?}");
    let missing = ["ask", "--certificates", "missing/c.jsonl", "never [delete].*"];
    let (code, _, err) = run(directory.path(), &missing).apart();
    assert_eq!(code, 3, "{err}");
}
