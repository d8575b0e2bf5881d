//! What `tokenward audit` writes is there whole, or not at all.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use tokenward_testbed::{Invocation, Ran, Running};

use crate::proxy::{call, listening, serve};
use crate::tokenward;

/// Runs `tokenward audit`, whose files may have so many blocks of 512 bytes: what is written past that fails, as on a full disk.
fn limited(root: &Path, arguments: &[&str], blocks: u32) -> Ran {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    Invocation::new("sh", root)
        .arguments(&["-c", &script, "sh", tokenward::BINARY, "audit"])
        .arguments(arguments)
        .run()
}

/// Runs `tokenward audit`: its exit code and standard error.
fn run(root: &Path, arguments: &[&str]) -> (i32, String) {
    let ran = tokenward::run(root, &[&["audit"], arguments].concat());
    (ran.code, ran.err)
}

fn names(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A proxy with some calls in its audit.
fn with_calls() -> (TempDir, Running) {
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    let (address, tables) = listening();
    fs::create_dir(root.join("policies")).unwrap();
    fs::write(root.join("policies/none.toml"), "").unwrap();
    fs::write(
        root.join("tokenward.toml"),
        format!("[audit]\npath = 'audit'\n{tables}"),
    )
    .unwrap();
    let serving = serve(root);
    for n in 0..5 {
        call(address, &format!("/rest/{n}"));
    }
    (directory, serving)
}

#[test]
fn what_could_not_be_written_leaves_nothing() {
    let (directory, serving) = with_calls();
    let root = directory.path();
    let mut serving = Some(serving);
    for place in ["beside the proxy", "from the files"] {
        let before = names(root);
        for arguments in [
            &["export", "-o", "n"][..],
            &["export", "--csv", "-o", "n"],
            &["export", "--parquet", "-o", "n"],
            &["export", "-o", "n", "--proof", "p"],
            &["backup", "n"],
        ] {
            let failed = limited(root, arguments, 1);
            let said = &failed.err;
            assert_eq!(failed.code, 3, "{place} {arguments:?}: {said}");
            assert!(said.contains("cannot write"), "{place} {arguments:?}: {said}");
            assert!(!said.contains("proof"), "{place} {arguments:?}: {said}");
            assert_eq!(names(root), before, "{place} {arguments:?}");
        }
        drop(serving.take());
    }
    // Enough for the calls, too little for what proves them.
    let before = names(root);
    let url = ["export", "--url", "/rest/1", "-o", "n", "--proof", "p"];
    assert_eq!(limited(root, &url, 2).code, 3);
    assert_eq!(names(root), before);
    for arguments in [&["export", "-o", "n", "--proof", "p"][..], &["backup", "b"]] {
        assert_eq!(run(root, arguments).0, 0);
    }
    assert_eq!(names(root).len(), before.len() + 3);
}

#[test]
fn nothing_is_written_over_and_one_name_is_not_given_twice() {
    let (directory, serving) = with_calls();
    drop(serving);
    let root = directory.path();
    let before = names(root);
    for proof in ["n", "./n", "policies/../n", "n.partial"] {
        let (code, said) = run(root, &["export", "-o", "n", "--proof", proof]);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("name the same file"), "{said}");
        assert_eq!(names(root), before);
    }
    fs::write(root.join("mine"), "mine").unwrap();
    for arguments in [
        &["export", "-o", "mine"][..],
        &["export", "-o", "n", "--proof", "mine"],
        &["backup", "mine"],
    ] {
        let (code, said) = run(root, arguments);
        assert!(matches!(code, 2 | 3), "{said}");
        assert!(said.contains("already exists"), "{said}");
    }
    assert_eq!(fs::read_to_string(root.join("mine")).unwrap(), "mine");
    assert_eq!(names(root).len(), before.len() + 1);
}

#[test]
fn a_salvage_of_nothing_is_not_fine() {
    let (directory, serving) = with_calls();
    drop(serving);
    let root = directory.path();
    let salvage = |place: &str| run(root, &["salvage", place, "-o", "n"]);
    let (code, said) = salvage("audit");
    assert!(
        code == 2 && said.contains("specify one of its periods: 2"),
        "{said}"
    );
    let (code, said) = salvage("policies");
    assert!(code == 2 && said.contains("has no file of a period"), "{said}");
    assert!(!root.join("n").exists());
    let period = names(&root.join("audit"))
        .into_iter()
        .find(|name| name.starts_with('2'));
    let period = root.join("audit").join(period.unwrap());
    for file in ["db", "journal-0", "journal-1"] {
        if let Ok(found) = fs::metadata(period.join(file)) {
            fs::write(period.join(file), vec![7; usize::try_from(found.len()).unwrap()]).unwrap();
        }
    }
    let (code, said) = salvage(period.to_str().unwrap());
    assert!(code == 1 && said.contains("no block of"), "{said}");
    assert!(!root.join("n").exists());
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let (directory, serving) = with_calls();
    drop(serving);
    let root = directory.path();
    assert_eq!(run(root, &["backup", "copy"]).0, 0);
    for within in ["audit/copy", "audit/2090-01-01", "copy/x"] {
        let (code, said) = run(root, &["backup", within]);
        assert!(code == 2 && said.contains("within the audit"), "{said}");
        assert!(!root.join(within).exists());
    }
    for (wrong, told) in [
        (["--since", "1h", "--until", "2h"].as_slice(), "--since is later"),
        (&["--status", "0"], "from 100 to 999"),
        (&["--line", "x:abc"], "`abc` is not a line number"),
        (&["--line", "x:0"], "`0` is not a line number"),
    ] {
        let (code, said) = run(root, &[&["list"], wrong].concat());
        assert!(code == 2 && said.contains(told), "{wrong:?}: {said}");
    }
}
