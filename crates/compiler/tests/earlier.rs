//! Lines that earlier releases read otherwise (TW0121): what an upgrade changes is found by comparison.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed expectation is a test's way to fail"
)]

use tokenward_compiler::{
    BaseUrl,
    analysis::{Analysis, Budget, Universe},
    compile,
    diagnostic::Code,
    earlier::{Direction, diagnostics, rereadings},
    source::SourceSet,
};

const HEAD: &str = "[[token]]\nname = 't'\nuser = 'svc'\nexpires = 2030-01-01\n\
    secret_hash = 'sha256:1111111111111111111111111111111111111111111111111111111111111111'\n";

fn of_lines(lines: &str) -> Vec<(String, String)> {
    vec![(
        "ci.toml".to_owned(),
        format!("{HEAD}limit_to = '''\n{lines}\n'''\n"),
    )]
}

/// Each change as `LINE DIRECTION: REQUEST`, the line's number counted in its file.
fn changes_of(files: Vec<(String, String)>, budget: u64) -> Vec<String> {
    let sources = SourceSet::from_files(files);
    let compilation = compile(&sources);
    let base = BaseUrl::parse("https://jira.example.com/ctx").unwrap();
    let bound = compilation.program.unwrap().bind(&base).unwrap();
    let universe = Universe::default();
    let read = (&bound, &compilation.source_map);
    let found = rereadings(&sources, read, (universe, None, Budget::new(budget))).unwrap();
    let shown = diagnostics(&found, &bound);
    assert!(
        shown
            .iter()
            .all(|found| found.code == Code::MeansMore && found.help.is_some())
    );
    let shown = found.iter().map(|one| {
        let request = one.witness.as_ref().map_or_else(String::new, ToString::to_string);
        format!("{} {:?}: {request}", one.text, one.direction)
    });
    shown.collect()
}

fn changes(lines: &str) -> Vec<String> {
    changes_of(of_lines(lines), Analysis::BUDGET)
}

#[test]
fn what_a_line_newly_gives_is_found_by_comparison() {
    let mut wrong = Vec::new();
    for (line, expected) in [
        ("[get]^/rest/x$", "More: GET /rest/x"),
        ("[get](?i)^/rest/x", "More: GET /rest/x"),
        ("[get] /rest/x", "More: GET /rest/x"),
        ("[get]\t^/rest/x", "More: GET /rest/x"),
        (
            "[get]/rest/x[QueryParam::u=={BASE_URL}]",
            "More: GET /rest/x?u=https%3A%2F%2Fjira.example.com%2Fctx",
        ),
        (
            "![get]/rest/.*[QueryParam::u!={BASE_URL}]\n[get]/rest/x",
            "More: GET /rest/x?u=https%3A%2F%2Fjira.example.com%2Fctx",
        ),
        (
            "[post]/rest/x[JsonData::$==a]",
            "More: POST /rest/x with application/json: \"a\"",
        ),
        (
            "[post]/rest/x\n![post]/rest/x[JsonData::$.a==b]",
            "More: POST /rest/x",
        ),
        (
            "[get]/rest/x[QueryParam::u!=(?i)\\P{Lu}]",
            "More: GET /rest/x?u=a",
        ),
        ("[get]/rest/.\n![get]/rest/[[:^upper:]]", "More: GET /rest/a"),
    ] {
        let found = changes(line);
        if !found.iter().any(|found| found.contains(expected)) {
            wrong.push(format!("{line}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_read_as_before_is_not_reported() {
    for line in [
        "[get]^.*/rest/x$",
        "[get]^{BASE_URL}/rest/x$",
        "[get]/rest/x$",
        "[get]/a$|^/b$",
        "[get]/rest/x[QueryParam::u==^a$]",
        "[get]/rest/x[JsonData::\"$\"==a]",
        "[post]/rest/x[JsonData::$ref==a]",
        "[get]/rest/[^/]+/\\d+/x{2,3}",
        "[get]/rest/\\P{Lu}",
        "[get]/rest/[(?i)[:^alpha:]]",
        // Language 1 refused these, so no policy had them.
        "[post]/rest/x[JsonData::$:string|null==a]",
        "[post]/rest/x[JsonData::$<=5]",
        "[get] /rest/x[QueryParam::a==b] [QueryParam::c==d]",
    ] {
        assert_eq!(changes(line), [""; 0], "{line}");
    }
}

/// The form suggests a change, and there is none: another line gives the same, or a forbid line takes it back.
#[test]
fn other_lines_count() {
    assert_eq!(changes("[get]/rest/.*\n[get]^/rest/x$"), [""; 0]);
    assert_eq!(changes("![get]/rest/x\n[get]^/rest/x$"), [""; 0]);
    assert_eq!(changes("[get]/rest/x\n! [get] /rest/y"), [""; 0]);
    let found = changes("[get]/rest/x\n[get]^/rest/.$");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(!found[0].ends_with("GET /rest/x"), "{found:?}");
}

#[test]
fn what_a_line_newly_takes_is_found_too() {
    let found = changes("[get]/rest/x[QueryParam::u!={BASE_URL}.*]");
    assert!(
        found
            .iter()
            .any(|found| found.contains("Less: GET /rest/x?u=https%3A%2F%2Fjira.example.com%2Fctx")),
        "{found:?}"
    );
    let found = changes("[post]/rest/x[JsonData::$==a]");
    assert!(
        found
            .iter()
            .any(|found| found.contains("Less: POST /rest/x") && found.contains("{\"$\": \"a\"}")),
        "{found:?}"
    );
}

#[test]
fn a_mark_at_the_beginning_of_a_set_is_looked_at() {
    let token = ("ci.toml".to_owned(), format!("{HEAD}include = ['a']\n"));
    let set = |text: &str| ("a.limits".to_owned(), text.to_owned());
    let found = changes_of(
        vec![token.clone(), set("\u{feff}[get]/rest/x\n[get]/rest/y\n")],
        Analysis::BUDGET,
    );
    assert_eq!(found, ["[get]/rest/x More: GET /rest/x"]);
    let found = changes_of(
        vec![token.clone(), set("\u{feff}# a comment\n[get]/rest/y\n")],
        Analysis::BUDGET,
    );
    assert_eq!(found, [""; 0]);
    let sets = vec![
        token,
        set("\u{feff}@include b\n[get]/rest/y\n"),
        ("b.limits".to_owned(), "[get]/rest/x\n".to_owned()),
    ];
    let found = changes_of(sets, Analysis::BUDGET);
    assert_eq!(found, ["[get]/rest/x More: GET /rest/x"]);
}

#[test]
fn past_the_budget_the_line_may_have_changed() {
    let hard = "[get]^/rest/(.*a){6}.*b.{9}$\n[get]/rest/(.*a.{7}){2}.*";
    let found = changes_of(of_lines(hard), 1);
    assert!(
        found
            .iter()
            .any(|found| found.contains(&format!("{:?}", Direction::Open))),
        "{found:?}"
    );
}

#[test]
fn the_help_is_a_line_that_both_versions_read_alike() {
    let policy = |line: &str| {
        let sources = SourceSet::from_files(of_lines(line));
        let compilation = compile(&sources);
        let base = BaseUrl::parse("https://jira.example.com").unwrap();
        let bound = compilation.program.unwrap().bind(&base).unwrap();
        let asked = (Universe::default(), None, Budget::new(Analysis::BUDGET));
        let found = rereadings(&sources, (&bound, &compilation.source_map), asked).unwrap();
        diagnostics(&found, &bound)
    };
    for line in [
        "[get]^/rest/x$",
        "[get](?i)^/rest/x$",
        "[get] ^/rest/x [QueryParam::a==b]",
        "^/rest/a$|^/rest/b$",
        "[ get, put ]\t/rest/x",
        "/rest/x [QueryParam::a==b]",
    ] {
        let found = policy(line);
        let help = found[0].help.as_ref().unwrap();
        let write = help.split_once("write `").unwrap().1.trim_end_matches('`');
        assert_eq!(policy(write), [], "{line} -> {write}");
    }
}
