//! Lints of tokens: their end, and the calls that need a key.

use tokenward_compiler::{compile, diagnostic::Code, findings::Reserved, ir::Token, lint::LintSet};

use super::support::{all, bound, file, head};

#[test]
fn tokens_end_by_the_clock_that_is_given() {
    let until = |time: &str, set| {
        let head = head().replace("2030-01-01T00:00:00Z", time);
        let sources = file(&format!("{head}limit_to = '[get]/rest/a'\n"));
        let (found, ..) = all(&sources, set, None);
        found.iter().map(|one| one.headline.clone()).collect::<Vec<_>>()
    };
    let past = until("2025-12-31T23:59:59Z", LintSet::Regular);
    assert_eq!(past, ["`ci` expired on 2025-12-31T23:59:59Z"]);
    assert_eq!(until("2026-01-01T00:00:00Z", LintSet::Regular).len(), 1);
    assert_eq!(until("2026-01-20T00:00:00Z", LintSet::Regular), [""; 0]);
    let soon = until("2026-01-20T00:00:00Z", LintSet::Pedantic);
    assert_eq!(soon, ["`ci` expires in 19 days, on 2026-01-20T00:00:00Z"]);
    assert_eq!(until("2026-02-01T00:00:00Z", LintSet::Pedantic), [""; 0]);
}

#[test]
fn an_auditor_sees_what_reaches_credentials_and_rights() {
    let keys = "[[token]]\nname = \"escalate\"\nuser = \"u\"\nsecret_hash = \"sha256:2222222222222222222222222222222222222222222222222222222222222222\"\nexpires = 2030-01-01\nlimit_to = '[put](?i)/rest/api/2/user'\n";
    let reserving = bound(&compile(&file(keys)));
    let reserved = Reserved {
        program: &reserving,
        lacks: &|token: &Token, _: &str| !token.escalate,
        refuses: &|_| false,
    };
    let of = |key: &str, line: &str, set| {
        let sources = file(&format!("{}{key}\nlimit_to = '{line}'\n", head()));
        let (found, ..) = all(&sources, set, Some(&reserved));
        found
            .into_iter()
            .filter(|one| one.code == Code::ReachesReserved)
            .map(|one| one.witness.unwrap().request)
            .collect::<Vec<_>>()
    };
    let line = "[get,put]/rest/api/2/[a-z]+";
    assert_eq!(of("escalate = true", line, LintSet::Auditor).len(), 1);
    assert_eq!(of("escalate = true", line, LintSet::Pedantic), [""; 0]);
    assert_eq!(of("", line, LintSet::Auditor), [""; 0]);
    let other = "[get,put]/rest/api/2/issue/[A-Z]+";
    assert_eq!(of("escalate = true", other, LintSet::Auditor), [""; 0]);

    // A call that also needs a key which the token lacks is not shown.
    let keys = |name: &str, digit: &str, lines: &str| {
        format!(
            "[[token]]\nname = \"{name}\"\nuser = \"u\"\nsecret_hash = \"sha256:{}\"\nexpires = 2030-01-01\nlimit_to = '{lines}'\n",
            digit.repeat(64)
        )
    };
    let both = [
        keys("mint", "2", "/rest/pat/[a-z]+"),
        keys("escalate", "3", "/rest/pat/[a-y]+"),
    ]
    .concat();
    let reserving = bound(&compile(&file(&both)));
    let reserved = Reserved {
        program: &reserving,
        lacks: &|token: &Token, key: &str| {
            key == "escalate" && !token.escalate || key == "mint" && !token.mint
        },
        refuses: &|_| false,
    };
    let shown = |lines: &str| {
        let sources = file(&format!("{}mint = true\nlimit_to = '''\n{lines}\n'''\n", head()));
        let (found, ..) = all(&sources, LintSet::Auditor, Some(&reserved));
        let found = found.into_iter().filter(|one| one.code == Code::ReachesReserved);
        found.map(|one| one.witness.unwrap().request).collect::<Vec<_>>()
    };
    assert_eq!(shown("[get]/rest/.*"), ["GET /rest/pat/z"]);
    assert_eq!(shown("[get]/rest/pat/[a-c]+"), [""; 0]);
    // Nor one that the token's own lines forbid.
    let [other] = &shown("[get]/rest/.*\n!/rest/pat/z")[..] else {
        panic!("one finding")
    };
    assert!(other.contains('z') && other != "GET /rest/pat/z", "{other}");
}
