//! Exceptions: comments, keys of tokens and directories that keep a finding from being reported.

use tokenward_compiler::{
    diagnostic::Code,
    lint::{self, DirectoryException, Exceptions, Judged, LintSet},
    source::SourceSet,
};

use super::support::{all, file, head, policy};

/// What is left after the exceptions: codes, and those of the exceptions that are not needed.
fn excepted(sources: &SourceSet, directories: &[(Code, &str)], set: LintSet) -> Vec<String> {
    let directories = directories.iter().map(|(code, directory)| DirectoryException {
        code: *code,
        directory: (*directory).to_owned(),
        place: None,
    });
    let mut errors = Vec::new();
    let exceptions = Exceptions::read(sources, directories.collect(), &mut errors);
    let (mut found, allowed, _) = all(sources, set, None);
    found.extend(errors);
    let judged = Judged {
        set,
        lints_settled: true,
        findings_settled: true,
        without: &[],
    };
    exceptions.apply(sources, &mut found, &allowed, judged);
    found
        .iter()
        .map(|one| format!("{} {}", one.code, one.headline))
        .collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_comment_excepts_the_line_below_it() {
    let wide = "[get]/rest/api/2/issue.*";
    let of = |lines: &str| excepted(&policy(lines), &[], LintSet::Regular);
    assert_eq!(
        of(&format!("# allow TW0505: the client reads all\n{wide}")),
        NOTHING
    );
    assert_eq!(of(&format!("# allow TW0505: x\n# more of it\n{wide}")), NOTHING);
    // Of another line, or from another code, it is not needed, and excepts nothing.
    for lines in [
        format!("# allow TW0505: x\n[get]/rest/a\n{wide}"),
        format!("# allow TW0508: x\n{wide}"),
    ] {
        let found = of(&lines);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().any(|one| one.starts_with("TW0505")), "{found:?}");
        assert!(found.iter().any(|one| one.starts_with("TW0521")), "{found:?}");
    }
    // Without a reason, or above nothing, it is an error, and excepts nothing.
    for lines in [
        format!("# allow TW0505\n{wide}"),
        format!("# allow TW0505: \n{wide}"),
        format!("# allow TW0505: x\n\n{wide}"),
        format!("# allow TW0011: x\n{wide}"),
        format!("{wide}\n# allow TW0505: x"),
    ] {
        let found = of(&lines);
        assert_eq!(found.len(), 2, "{lines}: {found:?}");
        assert!(found.iter().any(|one| one.starts_with("TW0520")), "{found:?}");
    }
    // Warnings that are no lints are excepted too.
    let untyped = "[post]/rest/a[JsonData::b==true]";
    assert_eq!(
        of(&format!("# allow TW0103: a string will do\n{untyped}")),
        NOTHING
    );
    // Whether a lint that did not run would find something is not known.
    let lines = format!("# allow TW0511: x\n{untyped}");
    assert!(!of(&lines).iter().any(|one| one.starts_with("TW0521")));
}

#[test]
fn comments_in_sets_count_and_elsewhere_they_are_errors() {
    let token = (
        "ci.toml".to_owned(),
        format!("# allow TW0101: x\n{}include = [\"a\"]\n", head()),
    );
    let set = (
        "a.limits".to_owned(),
        "# allow TW0505: x\n[get]/rest/api/2/issue.*\n".to_owned(),
    );
    let sources = SourceSet::from_files([token, set]);
    let found = excepted(&sources, &[], LintSet::Regular);
    assert_eq!(
        found,
        ["TW0520 this exception is not above a limit line, and has no effect"]
    );
}

/// A block begins behind its quote, and a file behind its byte-order mark.
#[test]
fn comments_on_first_lines_count() {
    let wide = "[get]/rest/api/2/issue.*";
    let block = format!("{}limit_to = '''# allow TW0505: x\n{wide}'''\n", head());
    assert_eq!(excepted(&file(&block), &[], LintSet::Regular), NOTHING);
    let token = format!("{}include = [\"a\"]\n", head());
    let set = format!("\u{feff}# allow TW0505: x\n{wide}\n");
    let sources = SourceSet::from_files([("ci.toml".to_owned(), token), ("a.limits".to_owned(), set)]);
    assert_eq!(excepted(&sources, &[], LintSet::Regular), NOTHING);
    // On the last line it is above nothing.
    let block = format!("{}limit_to = '''[get]/rest/a\n# allow TW0505: x'''\n", head());
    assert_eq!(
        excepted(&file(&block), &[], LintSet::Regular),
        ["TW0520 this exception is not above a limit line, and has no effect"]
    );
}

#[test]
fn a_token_excepts_with_a_reason() {
    let of = |entry: &str, expires: &str| {
        let head = head().replace("expires = 2030-01-01T00:00:00Z\n", expires);
        let text = format!("{head}lint_allow = [{entry}]\nlimit_to = '[get]/rest/a'\n");
        excepted(&file(&text), &[], LintSet::Regular)
    };
    assert_eq!(of("\"TW0101: renewed by hand\"", ""), NOTHING);
    assert_eq!(
        of("\"TW0101\"", ""),
        ["TW0520 the exception from TW0101 has no reason"]
    );
    let found = of("\"TW0101: x\"", "expires = 2030-01-01\n");
    assert_eq!(
        found,
        ["TW0521 this exception from TW0101 is not needed: there is no such finding"]
    );
    assert_eq!(
        of("\"TW0501: kept for the audit\"", "expires = 2020-01-01\n"),
        NOTHING
    );
}

#[test]
fn a_directory_is_excepted_by_the_configuration() {
    let text = format!("{}limit_to = '[get].*/rest/a'\n", head());
    let of = |directory: &str| {
        let sources = SourceSet::from_files([("legacy/ci.toml".to_owned(), text.clone())]);
        excepted(&sources, &[(Code::Unanchored, directory)], LintSet::Regular)
    };
    assert_eq!(of("legacy"), NOTHING);
    assert_eq!(of(""), NOTHING);
    for other in ["leg", "legacy/ci", "other"] {
        let found = of(other);
        assert!(found.len() == 2 && found[1].starts_with("TW0521"), "{found:?}");
    }
}

#[test]
fn an_exception_never_hides_an_error_or_a_warning_of_the_gate() {
    for code in Code::ALL {
        let is_gate = code.as_str().starts_with("TW03") || code.as_str().starts_with("TW02");
        if is_gate || code.severity() == tokenward_compiler::diagnostic::Severity::Error {
            assert!(!lint::can_be_excepted(*code), "{code}");
        }
    }
}
