//! Nothing written may silently mean something else: lines as people write them, those that must work and those that must
//! not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed expectation is a test's way to fail"
)]

use tokenward_compiler::{
    compile,
    diagnostic::{Code, Diagnostic, Severity},
    source::SourceSet,
};

/// A policy of one token with these lines.
fn policy(lines: &str) -> SourceSet {
    let file = format!(
        "[[token]]\nname = 't'\nuser = 'svc'\nexpires = 2030-01-01\n\
         secret_hash = 'sha256:1111111111111111111111111111111111111111111111111111111111111111'\n\
         limit_to = '''\n{lines}\n'''\n"
    );
    SourceSet::from_files([("ci.toml".to_owned(), file)])
}

fn errors(sources: &SourceSet) -> Vec<Diagnostic> {
    let compilation = compile(sources);
    let mut found = compilation.diagnostics;
    found.retain(|found| found.severity == Severity::Error);
    assert_eq!(compilation.program.is_none(), !found.is_empty());
    found
}

/// Lines that compile: those of the documentation, and regexps as people write them.
const LEGAL: &str = include_str!("written/legal.limits");

#[test]
fn lines_as_people_write_them_compile() {
    let lines: Vec<&str> = LEGAL
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# "))
        .collect();
    assert!(lines.len() >= 100, "{}", lines.len());
    let mut refused = Vec::new();
    for line in lines {
        for error in errors(&policy(line)) {
            refused.push(format!("{line}\n    {}: {}", error.code, error.headline));
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

/// Lines that are errors: behind `=>` the code, the text at the error's place, and words of the headline or help.
const ERRORS: &str = include_str!("written/errors.txt");

#[test]
fn slips_are_errors_with_a_place_and_a_cure() {
    let mut wrong = Vec::new();
    let mut count = 0;
    let mut lines = ERRORS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# "));
    while let Some(line) = lines.next() {
        count += 1;
        let expected = lines.next().unwrap();
        let mut parts = expected.strip_prefix("  => ").expect(line).split(" | ");
        let (code, place, words) = (
            parts.next().unwrap(),
            parts.next().unwrap(),
            parts.next().unwrap(),
        );
        let sources = policy(&line.replace("<TAB>", "\t").replace("<NBSP>", "\u{a0}"));
        let found = errors(&sources);
        let [error] = found.as_slice() else {
            let found: Vec<_> = found.iter().map(|found| (found.code, &found.headline)).collect();
            wrong.push(format!("{line}\n    {} errors: {found:?}", found.len()));
            continue;
        };
        let said = format!(
            "{}; {}",
            error.headline,
            error.help.as_deref().unwrap_or_default()
        );
        let at = sources.text(error.primary.span);
        if error.code.as_str() != code || at != place.replace("<BAR>", "|") || !said.contains(words) {
            wrong.push(format!("{line}\n  => {} | {at} | {said}", error.code));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 100, "{count}");
}

/// Lines with a warning: its code, and words of its headline or help.
#[test]
fn doubtful_values_are_warnings() {
    for (line, words) in [
        ("!/rest/x[QueryParam::n==\"admin\"]", "write `admin`"),
        ("/rest/x[QueryParam::n=='admin']", "write `admin`"),
        ("/rest/x[QueryParam::n==`admin`]", "write `admin`"),
        ("/rest/x[QueryParam::n==\u{201c}admin\u{201d}]", "write `admin`"),
        (
            "!/rest/x[QueryParam::n==\"admin\"|\"root\"]",
            "write `admin|root`",
        ),
        ("!/rest/x[QueryParam::n=='admin','root']", "write `admin|root`"),
        ("!/rest/x[QueryParam::n==5,6]", "write `5|6`"),
        ("!/rest/x[QueryParam::n?=admin;root]", "write `admin|root`"),
        ("[get]/rest/x[QueryParam::n!=admin, root]", "write `admin|root`"),
        ("[get]/rest/x[QueryParam::n!=HR | PAY]", "write `HR|PAY`"),
        ("!/rest/x[QueryParam::n==(HR | PAY)]", "write `HR|PAY`"),
        ("!/rest/x[JsonData::n==HR or PAY]", "write `HR|PAY`"),
        ("[post]/rest/x[JsonData::n!=HR OR PAY]", "write `HR|PAY`"),
        ("!/rest/x[JsonData::n==.*script.*/i]", "write `(?i).*script.*`"),
        (
            "[post]/rest/x[JsonData::n!=.*script.*/gi]",
            "write `(?i).*script.*`",
        ),
        ("[post]/rest/x[JsonData::n==True]", "write `true`"),
        ("!/rest/x[JsonData::n==None]", "write `null`"),
        ("[post]/rest/x[JsonData::n!=False]", "write `false`"),
        ("!/rest/x[JsonData::n==a&amp;b]", "write `a&b`"),
        (
            "/rest/x[QueryParam::jql==assignee = currentUser()]",
            r"write `assignee = currentUser\(\)`",
        ),
    ] {
        let found = compile(&policy(line)).diagnostics;
        let found: Vec<_> = found
            .iter()
            .filter(|found| found.code == Code::DoubtfulValue)
            .collect();
        let [warning] = found.as_slice() else {
            panic!("{line}: {found:?}")
        };
        let help = warning.help.as_deref().unwrap_or_default();
        assert!(help.contains(words), "{line}: {help}");
    }
    for line in [
        "/rest/x[QueryParam::fields==summary,status]",
        "!/rest/x[QueryParam::n==admin[,]root]",
        "!/rest/x[QueryParam::n==a{1,2}]",
        "/rest/x[QueryParam::q==\\x22admin\"]",
        "/rest/x[QueryParam::q==it's]",
        "/rest/x[QueryParam::jql==a = \"b\" OR c = \"d\"]",
        "!/rest/x[QueryParam::jql==project = HR or project = PAY]",
        "/rest/x[QueryParam::n==this or that]",
        "/rest/x[QueryParam::n==(?:not )?in|out]",
        "!/rest/x[QueryParam::n==HR\\x20or\\x20PAY]",
        "!/rest/x[JsonData::path==.*/src/i]",
        "[post]/rest/x[JsonData::n==(?:True)]",
        "/rest/x[QueryParam::n==True]",
        "!/rest/x[JsonData::n==a[&]amp;b]",
        r"/rest/x[QueryParam::jql==assignee = currentUser\(\)]",
    ] {
        let found = compile(&policy(line)).diagnostics;
        assert!(
            found.iter().all(|found| found.code != Code::DoubtfulValue),
            "{line}: {found:?}"
        );
    }
}

/// A token with other values of its keys.
fn with(user: &str, hash: &str) -> SourceSet {
    let file = format!(
        "[[token]]\nname = 't'\n{user}\nexpires = 2030-01-01\nsecret_hash = 'sha256:{hash}'\nlimit_to = '/rest/x'\n"
    );
    SourceSet::from_files([("ci.toml".to_owned(), file)])
}

#[test]
fn names_of_users_that_nobody_has_are_errors() {
    let hash = "1".repeat(64);
    for user in [
        "user = 'alice,bob'",
        "user = '*'",
        "user = 'svc-.*'",
        "user = ' svc'",
        "user = '@admins'",
        "users = ['a', 'adm*']",
        "user = 'svc'\non_behalf_of = ['*']",
    ] {
        let found = errors(&with(user, &hash));
        let [error] = found.as_slice() else {
            panic!("{user}: {found:?}")
        };
        assert_eq!(error.code, Code::WrongValue, "{user}");
        assert!(error.help.is_some(), "{user}");
    }
    for user in [
        "user = 'site admin'",
        "user = 'a@b.c'",
        "users = ['DOMAIN\\alice', 'HOST$']",
    ] {
        assert!(errors(&with(user, &hash)).is_empty(), "{user}");
    }
}

#[test]
fn a_secret_that_anybody_can_guess_is_an_error() {
    for hash in [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
    ] {
        let found = errors(&with("user = 'svc'", hash));
        assert!(
            found
                .iter()
                .any(|found| found.headline.contains("anybody can guess")),
            "{found:?}"
        );
    }
}

#[test]
fn a_set_that_is_named_with_its_suffix_is_the_one_cause() {
    let file = format!(
        "[[token]]\nname = 't'\nuser = 'svc'\nexpires = 2030-01-01\nsecret_hash = 'sha256:{}'\ninclude = ['a.limits']\n",
        "1".repeat(64)
    );
    let sources = SourceSet::from_files([
        ("a.limits".to_owned(), "/rest/x\n".to_owned()),
        ("ci.toml".to_owned(), file),
    ]);
    let found = compile(&sources).diagnostics;
    let [error] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(error.code, Code::UnknownSet);
    assert_eq!(
        error.help.as_deref(),
        Some("write the name of the set without its suffix: `a`")
    );
}

/// A repeated hyphen is hardly ever meant: people write `{1,100}` for numbers.
#[test]
fn a_counted_hyphen_is_a_warning() {
    let codes = |line: &str| {
        let found = compile(&policy(line)).diagnostics;
        let found = found
            .into_iter()
            .filter(|found| found.code == Code::RepeatedCharacter);
        found
            .map(|found| found.help.unwrap_or_default())
            .collect::<Vec<_>>()
    };
    let [help] = codes("![get]/rest/x/HR-{1,100}").try_into().unwrap();
    assert!(help.contains("for the numbers from 1 to 100"), "{help}");
    for line in [
        "[get]/rest/x/HR(?:-){1,3}",
        "[get]/rest/x/[A-Z]{2,5}-\\d{1,4}",
        "[get]/rest/x/a{2,3}",
    ] {
        assert_eq!(codes(line), [""; 0], "{line}");
    }
}

/// `location /rest/admin/` of a web server also has what is below; `!/rest/admin/` has neither that nor `/rest/admin`.
#[test]
fn a_forbid_line_that_needs_a_final_slash_is_a_warning() {
    let helps = |line: &str| {
        let found = compile(&policy(line)).diagnostics;
        let found = found.into_iter().filter(|found| found.code == Code::ForbidAlias);
        found
            .map(|found| found.help.unwrap_or_default())
            .collect::<Vec<_>>()
    };
    let [help] = helps("!/rest/admin/").try_into().unwrap();
    assert!(help.contains("write `/rest/admin`, which forbids both"), "{help}");
    assert_eq!(
        helps("![get]/rest/api/2/search/[QueryParam::jql==.*HR.*]").len(),
        1
    );
    for line in [
        "!/rest/admin",
        "[get]/rest/admin/",
        "!/rest/admin/.*",
        "!/rest/admin/?",
    ] {
        assert_eq!(helps(line), [""; 0], "{line}");
    }
}
