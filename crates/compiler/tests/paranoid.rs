//! The optimiser under the analysis: what it makes of every policy here that compiles is proved to be what went in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation is a test's way to fail"
)]

use std::{fs, path::Path};

use tokenward_compiler::{
    BaseUrl,
    analysis::{Analysis, Deviation, Universe, prove_optimised},
    artifact, compile,
    ir::Program,
    source::{Links, SourceSet},
};

const ASKED: (Universe, u64) = (
    Universe {
        canonical_paths: true,
        get_body: true,
    },
    Analysis::BUDGET,
);

fn bound(program: &Program) -> Program {
    program.bind(&BaseUrl::parse("https://h/ctx").unwrap()).unwrap()
}

fn program(lines: &str) -> Program {
    let file = format!(
        "[[token]]\nname = \"t\"\nuser = \"u\"\nsecret_hash = \"sha256:{}\"\nlimit_to = '''\n{lines}\n'''\n",
        "11".repeat(32)
    );
    let sources = SourceSet::from_files([("t.toml".to_owned(), file)]);
    compile(&sources).program.expect("compiles")
}

fn prove(program: &Program) {
    let decoded = artifact::decode(&artifact::encode(program)).unwrap();
    for served in [program, &decoded] {
        let (plain, served) = (bound(program), bound(served));
        prove_optimised(&plain, &served, ASKED, |_, _| {}).unwrap_or_else(|deviation| panic!("{deviation}"));
    }
}

#[test]
fn every_policy_of_the_tests_is_optimised_to_itself() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixtures = fs::read_dir(root.join("tests/fixtures")).unwrap();
    let directories = fixtures.map(|entry| entry.unwrap().path());
    let mut proved = 0;
    for directory in directories.chain([root.join("../../policies")]) {
        if let Some(program) = compile(&SourceSet::read_dir(&directory, Links::Refuse).unwrap()).program {
            prove(&program);
            proved += 1;
        }
    }
    assert!(proved >= 4, "{proved}");
}

/// Long enough for indexes: anchored, floating, neither; with and without constraints.
#[test]
fn indexed_policies_are_optimised_to_themselves() {
    let lines = (0..48).map(|at| match at % 6 {
        0 => format!("[get]/rest/api/2/issue/KEY{at}-[0-9]+"),
        1 => format!(".*/rest/api/2/project/KEY{at}.*"),
        2 => format!("/(a|b)/{at}"),
        3 => format!("!/rest/api/2/issue/KEY{at}/x[QueryParam::n>{at}.5]"),
        4 => {
            format!("[post]/rest/r{at}[JsonData::$[*].n:number|null<={at}][QueryParam::u?={{BASE_URL}}/{at}]")
        }
        _ => format!("[post]/rest/{at}[JsonData::n=={at}][QueryParam::q?=x]"),
    });
    prove(&program(&lines.collect::<Vec<_>>().join("\n")));
}

#[test]
fn what_is_not_the_same_is_told() {
    let deviation = |plain: &str, optimised: &str| {
        let (plain, optimised) = (bound(&program(plain)), bound(&program(optimised)));
        prove_optimised(&plain, &optimised, ASKED, |_, _| {}).unwrap_err()
    };
    let wider = deviation("/a\n!/a/b", "/a.*\n!/a/b");
    assert!(
        matches!(&wider, Deviation::Request { request, .. } if request.path.starts_with("/a")),
        "{wider}"
    );
    let method = deviation("[get]/a", "[get,put]/a");
    assert!(matches!(method, Deviation::Request { .. }), "{method}");
    let lines = deviation("/a\n/b", "/a");
    assert!(matches!(lines, Deviation::Lines { .. }), "{lines}");
}
