use std::os::unix::fs::PermissionsExt;
use std::thread;

use jiff::Timestamp;
use tokenward_compiler::call_limits::CallLimits;
use toml_edit::DocumentMut;

use super::*;

fn names(text: &str) -> Vec<String> {
    let sections = sections(text).unwrap();
    sections.into_iter().filter_map(|section| section.name).collect()
}

fn token(name: &str) -> NewToken {
    NewToken {
        name: name.to_owned(),
        users: Users::Named(vec!["svc-ci".to_owned()]),
        secret_hash: format!("sha256:{}", "ab".repeat(32)),
        expires: None,
        owner: None,
        description: None,
        allowed_ips: Vec::new(),
        limits: CallLimits::NONE,
        include: Vec::new(),
        unrestricted: false,
        lines: vec![r"[get]/rest/api/2/issue/KANBAN-\d+".to_owned()],
    }
}

fn add(directory: &Path, file: &str, token: &NewToken) -> Result<(), EditError> {
    Edit::begin(directory, &directory.join(file))?
        .with_token(token)?
        .commit()
}

fn content(directory: &Path, file: &str) -> String {
    fs::read_to_string(directory.join(file)).unwrap()
}

const COMMENTED: &str = "# Ours.\n\n[[token]]   # the first\nname=\"a\"\n   user = 'x'\n# The end.";

#[test]
fn what_stood_there_stays_byte_for_byte() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("x.toml"), COMMENTED).unwrap();
    let new = NewToken {
        expires: Some("2027-06-30T12:00:00.5Z".parse().unwrap()),
        owner: Some("team \"ci\"".to_owned()),
        description: Some("tab\there".to_owned()),
        include: vec!["jira-read".to_owned(), "more".to_owned()],
        users: Users::Named(vec!["a".to_owned(), "b".to_owned()]),
        ..token("b")
    };
    add(directory.path(), "x.toml", &new).unwrap();
    let after = content(directory.path(), "x.toml");
    assert!(after.starts_with(COMMENTED));
    insta::assert_snapshot!(after);
    let read: DocumentMut = after.parse().unwrap();
    assert_eq!(read["token"][1]["owner"].as_str(), Some("team \"ci\""));
    assert_eq!(
        read["token"][1]["limit_to"].as_str(),
        Some("[get]/rest/api/2/issue/KANBAN-\\d+\n")
    );
}

#[test]
fn limits_are_written_as_they_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let limits = CallLimits {
        rate: Some("600/60s".parse().unwrap()),
        burst: CallLimits::count(100),
        concurrent: CallLimits::count(5),
        max_body: Some(1 << 20),
    };
    let new = NewToken { limits, ..token("a") };
    add(directory.path(), "a.toml", &new).unwrap();
    let text = content(directory.path(), "a.toml");
    assert!(
        text.contains("\nrate = \"600/1m\"\nburst = 100\nconcurrent = 5\nmax_body = \"1MiB\"\n"),
        "{text}"
    );
    let sources = tokenward_compiler::source::SourceSet::from_files([("a.toml".to_owned(), text)]);
    let program = tokenward_compiler::compile(&sources).program.unwrap();
    assert_eq!(program.tokens().next().unwrap().1.limits, limits);
}

#[test]
fn an_absent_file_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let new = NewToken {
        users: Users::Any,
        ..token("a")
    };
    add(directory.path(), "new.toml", &new).unwrap();
    insta::assert_snapshot!(content(directory.path(), "new.toml"));
}

#[test]
fn line_ends_permissions_and_links_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let real = directory.path().join("real.toml");
    fs::write(&real, "# one\r\n").unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("real.toml", directory.path().join("link.toml")).unwrap();
    add(directory.path(), "link.toml", &token("a")).unwrap();
    let text = content(directory.path(), "real.toml");
    assert!(text.starts_with("# one\r\n\r\n[[token]]\r\nname"), "{text}");
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(
        fs::symlink_metadata(directory.path().join("link.toml"))
            .unwrap()
            .is_symlink()
    );
    let left: Vec<_> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "nothing else is left behind: {left:?}");
}

#[test]
fn a_name_taken_anywhere_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("sub")).unwrap();
    fs::write(directory.path().join("sub/other.toml"), COMMENTED).unwrap();
    let error = add(directory.path(), "x.toml", &token("a")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the name `a` is taken in `sub/other.toml`; choose another"
    );
    assert!(!directory.path().join("x.toml").exists());
}

#[test]
fn forms_that_cannot_be_added_to_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let at = |file: &str| directory.path().join(file);
    fs::write(at("broken.toml"), "[[token]\n").unwrap();
    fs::write(at("inline.toml"), "token = [{ name = 'z' }]\n").unwrap();
    let refused = |file: &str| add(directory.path(), file, &token("a")).unwrap_err();
    assert!(matches!(refused("broken.toml"), EditError::NotToml(_)));
    assert!(matches!(refused("inline.toml"), EditError::NotSections(_)));
    assert!(matches!(refused("x.limits"), EditError::NotAPolicyFile(_)));
    assert!(matches!(refused(".x.toml"), EditError::NotAPolicyFile(_)));
    for name in ["invariants.toml", "reviewed.toml"] {
        assert!(matches!(refused(name), EditError::NotForTokens(_)), "{name}");
    }
    assert!(matches!(refused("../x.toml"), EditError::Elsewhere { .. }));
    assert!(matches!(
        refused("no/x.toml"),
        EditError::Io {
            doing: "find the directory of",
            ..
        }
    ));
    assert_eq!(content(directory.path(), "broken.toml"), "[[token]\n");
    for line in ["a'''b", "a\nb"] {
        let new = NewToken {
            lines: vec![line.to_owned()],
            ..token("a")
        };
        assert!(matches!(
            add(directory.path(), "x.toml", &new),
            Err(EditError::NotALine(_))
        ));
    }
}

#[test]
fn a_change_by_another_program_is_not_lost() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.toml");
    fs::write(&path, "# before\n").unwrap();
    let prepared = Edit::begin(directory.path(), &path)
        .unwrap()
        .with_token(&token("a"))
        .unwrap();
    fs::write(&path, "# theirs\n").unwrap();
    assert!(matches!(prepared.commit(), Err(EditError::Changed(_))));
    assert_eq!(content(directory.path(), "x.toml"), "# theirs\n");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn many_at_once_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        for writer in 0..4 {
            let directory = directory.path();
            scope.spawn(move || {
                for number in 0..5 {
                    add(directory, "x.toml", &token(&format!("t{writer}-{number}"))).unwrap();
                }
            });
        }
    });
    let mut written = names(&content(directory.path(), "x.toml"));
    written.sort();
    written.dedup();
    assert_eq!(written.len(), 20);
}

/// Every kind of change at once, in one file: each is there in the end, and so is every comment.
#[test]
fn changes_of_all_kinds_at_once_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    for number in 0..6 {
        add(directory, "x.toml", &token(&format!("t{number}"))).unwrap();
    }
    let path = directory.join("x.toml");
    let commented = content(directory, "x.toml").replace("[[token]]\n", "# kept\n[[token]]\n");
    fs::write(&path, commented).unwrap();
    let until: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
    let change = |name: &str, changes: &[Change]| {
        let prepared = Edit::of_token(directory, name).unwrap().unchanged();
        prepared.with(name, changes).unwrap().commit().unwrap();
    };
    thread::scope(|scope| {
        scope.spawn(|| change("t0", &[Change::Text(Key::Name, "renamed".to_owned())]));
        scope.spawn(|| change("t1", &[Change::Revoked]));
        scope.spawn(|| {
            for number in 0..5 {
                change("t2", &[Change::Lines(vec![format!("/rest/{number}")])]);
            }
        });
        scope.spawn(|| change("t3", &[Change::Moment(Key::Expires, until)]));
        scope.spawn(|| change("t4", &[Change::Text(Key::SecretHash, "sha256:new".to_owned())]));
        scope.spawn(|| {
            for number in 0..5 {
                add(directory, "x.toml", &token(&format!("new{number}"))).unwrap();
            }
        });
    });
    let after = content(directory, "x.toml");
    assert_eq!(after.matches("# kept").count(), 6, "{after}");
    let all = sections(&after).unwrap();
    let of = |name: &str| all.iter().find(|one| one.name.as_deref() == Some(name)).unwrap();
    assert_eq!(all.len(), 11);
    assert!(of("renamed").text("secret_hash").is_some());
    assert!(of("t1").says(&after, "revoked", "true"));
    assert_eq!(of("t2").text("limit_to"), Some("/rest/4\n"));
    assert!(of("t3").says(&after, "expires", "2030-01-01T00:00:00Z"));
    assert_eq!(of("t4").text("secret_hash"), Some("sha256:new"));
}

#[test]
fn a_repository_left_half_done_is_not_written_to() {
    let directory = tempfile::tempdir().unwrap();
    let policies = directory.path().join("policies");
    fs::create_dir_all(&policies).unwrap();
    add(&policies, "x.toml", &token("a")).unwrap();
    fs::create_dir(directory.path().join(".git")).unwrap();
    fs::write(directory.path().join(".git/MERGE_HEAD"), "").unwrap();
    let refused = Edit::of_token(&policies, "a").unwrap_err().to_string();
    assert!(
        refused.contains("in the middle of a merge") && refused.contains("git merge --continue"),
        "{refused}"
    );
    assert!(matches!(
        add(&policies, "x.toml", &token("b")),
        Err(EditError::HalfDone { .. })
    ));
    fs::remove_file(directory.path().join(".git/MERGE_HEAD")).unwrap();
    let text = content(&policies, "x.toml");
    fs::write(
        policies.join("x.toml"),
        format!("<<<<<<< HEAD\n{text}=======\n>>>>>>> other\n"),
    )
    .unwrap();
    assert!(matches!(
        Edit::of_token(&policies, "a"),
        Err(EditError::Conflict(_))
    ));
    assert!(matches!(
        add(&policies, "x.toml", &token("b")),
        Err(EditError::Conflict(_))
    ));
}

#[test]
fn a_token_that_is_not_there_is_told_with_the_nearest() {
    let directory = tempfile::tempdir().unwrap();
    add(directory.path(), "x.toml", &token("ci-comments")).unwrap();
    let error = Edit::of_token(directory.path(), "ci-coments")
        .unwrap_err()
        .to_string();
    assert!(error.ends_with("did you mean `ci-comments`?"), "{error}");
    let renamed = Edit::of_token(directory.path(), "ci-comments")
        .unwrap()
        .unchanged()
        .with(
            "ci-comments",
            &[Change::Text(Key::Name, "ci-comments".to_owned())],
        );
    assert!(matches!(renamed, Err(EditError::NameTaken { .. })));
}

#[test]
fn the_prepared_policy_has_the_new_text_and_the_other_files() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("set.limits"), "/rest/x\n").unwrap();
    let path = directory.path().join("x.toml");
    let prepared = Edit::begin(directory.path(), &path)
        .unwrap()
        .with_token(&token("a"))
        .unwrap();
    let sources = prepared.sources();
    let paths: Vec<&str> = sources.iter().map(|(_, source)| source.path.as_str()).collect();
    assert_eq!(paths, ["set.limits", "x.toml"]);
    assert!(!path.exists(), "nothing is written before commit");
}

#[test]
fn a_text_replaces_only_the_text_that_it_was_made_from() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("set.limits");
    fs::write(&path, "/rest/x\n").unwrap();
    let edit = || Edit::of_file(directory.path(), &path).unwrap();
    let stale = edit().replacing("/rest/w\n", "/rest/z\n".to_owned());
    assert!(matches!(stale, Err(EditError::Changed(_))));
    let prepared = edit().replacing("/rest/x\n", "/rest/y\n".to_owned()).unwrap();
    fs::write(&path, "/rest/other\n").unwrap();
    assert!(matches!(prepared.commit(), Err(EditError::Changed(_))));
    assert_eq!(content(directory.path(), "set.limits"), "/rest/other\n");
    let prepared = edit().replacing("/rest/other\n", "/rest/y\n".to_owned()).unwrap();
    prepared.commit().unwrap();
    assert_eq!(content(directory.path(), "set.limits"), "/rest/y\n");
}
