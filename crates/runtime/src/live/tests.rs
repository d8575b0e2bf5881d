use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokenward_compiler::BaseUrl;
use tokenward_compiler::analysis::{Served, Universe};
use tokenward_compiler::source::SourceSet;
use tokenward_pdp::config::Config;
use tokenward_testbed::{Stopwatch, eventually};

use super::watch::Watcher;
use super::*;
use crate::authoring::keys::ArtifactKey;

fn token(name: &str, secret: &str, line: &str) -> String {
    let hash = hex::encode(tokenward_pdp::secret::hash(secret));
    format!(
        "[[token]]\nname = \"{name}\"\nuser = \"u\"\nsecret_hash = \"sha256:{hash}\"\nexpires = 2099-01-01T00:00:00Z\nlimit_to = '''\n{line}\n'''\n"
    )
}

fn open(directory: &Path) -> Arc<Policies> {
    let base = BaseUrl::parse("https://jira.example.com").unwrap();
    let book = if directory.is_dir() {
        directory.join(".revoked")
    } else {
        revoked::beside(directory)
    };
    let revocations = Revocations::open(&book).unwrap();
    Arc::new(Policies::open(directory, settings(base), ModeInForce::default(), revocations).unwrap())
}

fn settings(base: BaseUrl) -> LoadSettings {
    LoadSettings {
        base,
        merges: false,
        universe: Universe::default(),
        served: Served::of(["/rest/*".to_owned()], false),
    }
}

fn names(policies: &Policies) -> Vec<String> {
    policies
        .current()
        .program()
        .tokens()
        .map(|(_, token)| token.name.clone())
        .collect()
}

/// Waits until a change takes effect, for at most the promised second.
#[track_caller]
fn within_a_second(holds: impl Fn() -> bool) {
    let watch = Stopwatch::start();
    eventually("the change takes effect", || holds().then_some(()));
    let took = watch.took();
    assert!(took < Duration::from_secs(1), "{took:?}");
}

/// Writes a policy of two tokens, of which the second has this line.
fn two(directory: &Path, line: &str) {
    let text = token("good", "one", "/rest/.*") + &token("faulty", "two", &format!("/rest/.*\n{line}"));
    fs::write(directory.join("a.toml"), text).unwrap();
}

#[test]
fn a_start_refuses_only_the_tokens_of_faulty_lines() {
    let folder = tempfile::tempdir().unwrap();
    // Errors of the language, under every configuration and under this one.
    for line in [
        "![delete]/rest/.* # nobody",
        "![delete]rest/.*",
        "![delete]https://other.example.com/.*",
    ] {
        two(folder.path(), line);
        let policies = open(folder.path());
        let live = policies.current();
        assert_eq!(live.refused(), ["faulty"], "{line}");
        assert_eq!(names(&policies), ["good", "faulty"]);
        let failure = policies.status().failure.unwrap();
        assert!(
            failure.contains("policy-error") && failure.contains("faulty"),
            "{failure}"
        );
        // The refused token has no lines left, or lines that it may not use.
        let (id, _) = live.program().tokens().nth(1).unwrap();
        assert!(live.refuses(id));
        // The same policy changes nothing, and a corrected one is taken.
        policies.reload();
        assert_eq!(policies.current().refused(), ["faulty"], "{line}");
        two(folder.path(), "![delete]/rest/.*");
        policies.reload();
        assert!(policies.current().refused().is_empty(), "{line}");
        assert_eq!(policies.status().failure, None);
        fs::remove_file(folder.path().join(".revoked")).ok();
    }
}

#[test]
fn a_start_with_another_error_fails() {
    let folder = tempfile::tempdir().unwrap();
    let broken = token("a", "one", "/rest/.*").replace("user = \"u\"\n", "");
    fs::write(folder.path().join("a.toml"), broken).unwrap();
    let base = BaseUrl::parse("https://jira.example.com").unwrap();
    let revocations = Revocations::open(&folder.path().join(".revoked")).unwrap();
    let opened = Policies::open(folder.path(), settings(base), ModeInForce::default(), revocations);
    assert!(opened.is_err());
}

#[test]
fn a_reload_refuses_errors_and_warns_of_lines_without_effect_here() {
    let folder = tempfile::tempdir().unwrap();
    two(folder.path(), "![delete]/rest/x");
    let policies = open(folder.path());
    let before = policies.current().program().digest().to_owned();
    two(folder.path(), "![delete]rest/x");
    policies.reload();
    assert_eq!(policies.current().program().digest(), before);
    assert!(policies.status().failure.unwrap().contains("TW0026"));
    two(folder.path(), "![delete]https://other.example.com/.*");
    policies.reload();
    assert_ne!(policies.current().program().digest(), before);
    assert!(policies.current().refused().is_empty());
    let dead = policies.status().dead;
    assert!(dead.len() == 1 && dead[0].contains("a.toml:16"), "{dead:?}");
}

#[test]
fn a_broken_policy_keeps_the_old_one_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.toml");
    fs::write(&file, token("a", "one", "[get]/rest/a")).unwrap();
    let policies = open(folder.path());
    let before = policies.current().program().digest().to_owned();

    fs::write(&file, token("a", "one", "[get]/rest/(a")).unwrap();
    policies.reload();
    assert_eq!(policies.current().program().digest(), before);
    let status = policies.status();
    assert_eq!((status.succeeded, status.failed), (1, 1));
    assert!(status.failure.unwrap().contains("a.toml"), "names the file");

    fs::write(&file, token("b", "one", "[get]/rest/a")).unwrap();
    policies.reload();
    assert_eq!(names(&policies), ["b"]);
    assert!(policies.status().failure.is_none());
}

#[test]
fn a_revocation_counts_although_another_file_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.toml"), token("a", "one", "[get]/rest/a")).unwrap();
    let policies = open(folder.path());
    let hash = tokenward_pdp::secret::hash("one");
    assert!(!policies.revocations().has(&hash));

    fs::write(folder.path().join("broken.toml"), "[[token]\n").unwrap();
    let revoked = token("a", "one", "[get]/rest/a").replace("user =", "revoked = true\nuser =");
    fs::write(folder.path().join("a.toml"), revoked).unwrap();
    policies.reload();
    assert_eq!(policies.status().failed, 1);
    assert!(policies.revocations().has(&hash));
}

#[test]
fn a_revocation_is_undone_by_no_edit_and_no_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.toml");
    let plain = token("a", "one", "[get]/rest/a");
    let revoked = plain.replace("user =", "revoked = true\nuser =");
    fs::write(&file, &plain).unwrap();
    let policies = open(folder.path());
    let validity = policies.validity([0; 32], policies.current().program().tokens().next().unwrap().1);
    assert!(!validity.is_lost());
    fs::write(&file, &revoked).unwrap();
    policies.reload();
    assert!(validity.is_lost());
    fs::write(&file, &plain).unwrap();
    policies.reload();
    let hash = tokenward_pdp::secret::hash("one");
    assert!(policies.revocations().has(&hash));
    assert_eq!(policies.secrets_of("a"), [hash]);
    assert!(open(folder.path()).revocations().has(&hash));
}

/// Lines that take seconds to compile: each needs an automaton of thousands of states.
fn slow_lines() -> String {
    (0..800).fold(String::new(), |lines, at| {
        lines + &format!("/rest/{at}/(a|b)*a(a|b){{11}}\n")
    })
}

#[test]
fn a_revocation_does_not_wait_for_a_slow_compilation() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.toml");
    fs::write(&file, token("a", "one", "[get]/rest/a")).unwrap();
    let policies = open(folder.path());
    let _watcher = Watcher::start(Arc::clone(&policies)).unwrap();
    // Another file keeps the compiler busy, and its own revocation does not wait for that either.
    let revoked = |name: &str, secret: &str, lines: &str| {
        token(name, secret, lines).replace("user =", "revoked = true\nuser =")
    };
    let is_revoked = |secret: &str| {
        policies
            .revocations()
            .is_permanent(&tokenward_pdp::secret::hash(secret))
    };
    fs::write(
        folder.path().join("slow.toml"),
        revoked("slow", "two", &slow_lines()),
    )
    .unwrap();
    within_a_second(|| is_revoked("two"));
    // Revocations that come while it is busy, from a file that was there and from a new one.
    fs::write(&file, revoked("a", "one", "[get]/rest/a")).unwrap();
    within_a_second(|| is_revoked("one"));
    fs::write(
        folder.path().join("b.toml"),
        revoked("b", "three", "[get]/rest/a"),
    )
    .unwrap();
    within_a_second(|| is_revoked("three"));
    assert_eq!(names(&policies), ["a"], "still compiling");
}

#[test]
fn each_side_of_a_conflict_revokes_for_good() {
    let plain = "owner = \"x\"\nuser =";
    for (ours, theirs) in [("revoked = true\n", ""), ("", "revoked = true\n")] {
        for base in ["", "||||||| merged common ancestors\nowner = \"y\"\n"] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("a.toml");
            let before = token("a", "one", "[get]/rest/a").replace("user =", plain);
            fs::write(&file, &before).unwrap();
            let policies = open(folder.path());
            let _watcher = Watcher::start(Arc::clone(&policies)).unwrap();
            let conflict = format!(
                "<<<<<<< HEAD\n{ours}owner = \"a\"\n{base}=======\n{theirs}owner = \"b\"\n>>>>>>> topic\nuser ="
            );
            fs::write(&file, before.replace(plain, &conflict)).unwrap();
            let hash = tokenward_pdp::secret::hash("one");
            within_a_second(|| policies.revocations().is_permanent(&hash));
            within_a_second(|| policies.status().failed > 0);
            assert_eq!(names(&policies), ["a"]);
            fs::write(&file, before).unwrap();
            assert!(
                open(folder.path()).revocations().is_permanent(&hash),
                "kept by a restart"
            );
        }
    }
}

#[test]
fn a_broken_file_suspends_until_it_parses_and_nothing_keeps_that() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.toml");
    let both = token("a", "one", "[get]/rest/a") + &token("b", "two", "[get]/rest/b");
    fs::write(&file, &both).unwrap();
    let policies = open(folder.path());
    let _watcher = Watcher::start(Arc::clone(&policies)).unwrap();
    let live = policies.current();
    let [of_a, of_b] = ["a", "b"].map(|name| {
        let (_, token) = live
            .program()
            .tokens()
            .find(|(_, token)| token.name == name)
            .unwrap();
        policies.validity(token.secret_hash, token)
    });
    let broken = |more: &str| both.replacen("user =", &format!("{more}\nbroken = \nuser ="), 1);
    // Comments and strings revoke nobody.
    for harmless in [
        "# revoked = true",
        "description = \"\"\"\nrevoked = true\n\"\"\"",
        "description = 'revoked = true'",
    ] {
        let failed = policies.status().failed;
        fs::write(&file, broken(harmless)).unwrap();
        within_a_second(|| policies.status().failed > failed);
        assert!(!of_a.is_lost() && policies.suspended().is_empty(), "{harmless}");
    }
    for _ in 0..2 {
        fs::write(&file, broken("revoked = true")).unwrap();
        within_a_second(|| of_a.is_lost());
        assert!(!of_b.is_lost());
        assert_eq!(policies.suspended(), ["a"]);
        assert_eq!(policies.revocations().count(), 0);
        assert!(!folder.path().join(".revoked").exists(), "not on disk");
        // Neither the other file of an editor nor a second error lifts it; that the file parses does.
        fs::write(folder.path().join("c.toml"), "[[").unwrap();
        fs::remove_file(folder.path().join("c.toml")).unwrap();
        assert!(of_a.is_lost());
        fs::write(&file, &both).unwrap();
        within_a_second(|| !of_a.is_lost());
        assert!(policies.suspended().is_empty());
    }
    // A token that the broken file names by its name alone, and one that nobody knows.
    fs::write(
        &file,
        broken("revoked = true").replace("secret_hash", "secret_hsah"),
    )
    .unwrap();
    within_a_second(|| of_a.is_lost());
    fs::remove_file(&file).unwrap();
    within_a_second(|| !of_a.is_lost());
}

#[test]
fn a_token_that_is_no_longer_in_the_policy_is_suspended_for_its_calls_in_progress() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.toml");
    let text = token("a", "one", "[get]/rest/a");
    fs::write(&file, &text).unwrap();
    let policies = open(folder.path());
    let live = policies.current();
    let (_, of_a) = live.program().tokens().next().unwrap();
    let of_a = policies.validity(of_a.secret_hash, of_a);
    fs::write(&file, "").unwrap();
    policies.reload();
    assert!(names(&policies).is_empty() && !of_a.is_lost());
    fs::write(&file, text.replace("user =", "revoked = true\nbroken = \nuser =")).unwrap();
    policies.reload();
    assert!(of_a.is_lost());
    fs::write(&file, &text).unwrap();
    policies.reload();
    assert!(!of_a.is_lost());
    assert_eq!(names(&policies), ["a"]);
}

#[test]
fn revocations_whose_file_vanishes_while_serving_are_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.toml");
    fs::write(&file, token("a", "one", "[get]/rest/a")).unwrap();
    let policies = open(folder.path());
    let book = folder.path().join(".revoked");
    policies.revocations().add([[1; 32], [2; 32]]).unwrap();
    let _watcher = Watcher::start(Arc::clone(&policies)).unwrap();
    fs::remove_file(&book).unwrap();
    within_a_second(|| book.exists());
    let again = Revocations::open(&book).unwrap();
    assert!([[1; 32], [2; 32]].iter().all(|hash| again.is_permanent(hash)));
}

#[test]
fn a_file_that_is_no_text_hides_no_revocation() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("team")).unwrap();
    fs::write(
        folder.path().join("team/a.toml"),
        token("a", "one", "[get]/rest/a"),
    )
    .unwrap();
    let policies = open(folder.path());
    fs::write(folder.path().join("b.toml"), b"\xff").unwrap();
    let revoked = token("a", "one", "[get]/rest/a").replace("user =", "revoked = true\nuser =");
    fs::write(folder.path().join("team/a.toml"), revoked).unwrap();
    policies.reload();
    assert_eq!(policies.status().failed, 1);
    assert!(policies.revocations().has(&tokenward_pdp::secret::hash("one")));
}

#[test]
fn edits_renames_and_new_files_take_effect() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.toml");
    fs::write(&file, token("a", "one", "[get]/rest/a")).unwrap();
    let policies = open(folder.path());
    let _watcher = Watcher::start(Arc::clone(&policies)).unwrap();

    fs::write(&file, token("edited", "one", "[get]/rest/a")).unwrap();
    within_a_second(|| names(&policies) == ["edited"]);

    let new = folder.path().join(".a.toml.swp");
    fs::write(&new, token("renamed", "one", "[get]/rest/a")).unwrap();
    fs::rename(&new, &file).unwrap();
    within_a_second(|| names(&policies) == ["renamed"]);

    fs::write(
        folder.path().join("b.toml"),
        token("second", "two", "[get]/rest/a"),
    )
    .unwrap();
    within_a_second(|| names(&policies).len() == 2);

    fs::remove_file(&file).unwrap();
    within_a_second(|| names(&policies) == ["second"]);
}

#[test]
fn a_swapped_link_takes_effect_each_time() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["one", "two", "three"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(
            folder.path().join(name).join("a.toml"),
            token(name, name, "[get]/rest/a"),
        )
        .unwrap();
    }
    let link = folder.path().join("policies");
    symlink("one", &link).unwrap();
    let policies = open(&link);
    let _watcher = Watcher::start(Arc::clone(&policies)).unwrap();
    for name in ["two", "three", "one"] {
        let next = folder.path().join("next");
        symlink(name, &next).unwrap();
        fs::rename(&next, &link).unwrap();
        within_a_second(|| names(&policies) == [name]);
    }
}

#[test]
fn a_config_map_update_takes_effect() {
    // In Kubernetes, files are links through `..data`, which is replaced.
    let folder = tempfile::tempdir().unwrap();
    for version in ["..1", "..2"] {
        fs::create_dir(folder.path().join(version)).unwrap();
        fs::write(
            folder.path().join(version).join("a.toml"),
            token(version, version, "[get]/rest/a"),
        )
        .unwrap();
    }
    symlink("..1", folder.path().join("..data")).unwrap();
    symlink("..data/a.toml", folder.path().join("a.toml")).unwrap();
    let policies = open(folder.path());
    let _watcher = Watcher::start(Arc::clone(&policies)).unwrap();
    symlink("..2", folder.path().join("..data_tmp")).unwrap();
    fs::rename(folder.path().join("..data_tmp"), folder.path().join("..data")).unwrap();
    within_a_second(|| names(&policies) == ["..2"]);
}

#[test]
fn a_link_out_of_the_directory_keeps_the_old_policy_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (policies, elsewhere) = (folder.path().join("policies"), folder.path().join("elsewhere"));
    for (directory, name) in [(&policies, "honest"), (&elsewhere, "evil")] {
        fs::create_dir(directory).unwrap();
        fs::write(directory.join("a.toml"), token(name, name, "[get]/rest/a")).unwrap();
    }
    let live = open(&policies);
    for (link, target) in [("b.toml", "../elsewhere/a.toml"), ("team", "../elsewhere")] {
        symlink(target, policies.join(link)).unwrap();
        live.reload();
        assert_eq!(names(&live), ["honest"]);
        let failure = live.status().failure.unwrap();
        assert!(
            failure.contains(link) && failure.contains("outside the policy directory"),
            "{failure}"
        );
        fs::remove_file(policies.join(link)).unwrap();
    }
    live.reload();
    assert!(live.status().failure.is_none());
}

#[test]
fn a_directory_that_was_replaced_is_watched_on() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("policies");
    let write = |name: &str| {
        let new = folder.path().join("new");
        fs::create_dir(&new).unwrap();
        fs::write(new.join("a.toml"), token(name, name, "[get]/rest/a")).unwrap();
        new
    };
    fs::rename(write("first"), &directory).unwrap();
    let policies = open(&directory);
    let _watcher = Watcher::start(Arc::clone(&policies)).unwrap();
    fs::rename(&directory, folder.path().join("old")).unwrap();
    fs::rename(write("second"), &directory).unwrap();
    within_a_second(|| names(&policies) == ["second"]);
    fs::write(directory.join("a.toml"), token("third", "third", "[get]/rest/a")).unwrap();
    within_a_second(|| names(&policies) == ["third"]);
}

/// Configures `[keys] artifact_public_keys`, as in secure mode.
#[test]
fn an_artifact_that_is_not_signed_as_configured_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.twp");
    let key = ArtifactKey::generate(&folder.path().join("a.key")).unwrap();
    let program = |keys: &str, line: &str| {
        let text = token("a", "one", line).replace("user =", &format!("{keys}user ="));
        let sources = SourceSet::from_files([("a.toml".to_owned(), text)]);
        tokenward_compiler::compile(&sources).program.unwrap()
    };
    let good = key.sign(&program("", "[get]/rest/aaa"));
    let mut config = Config::default();
    config.keys.artifact_public.push(key.public());
    let base = BaseUrl::parse("https://jira.example.com").unwrap();
    let start = || {
        let revocations = Revocations::open(&revoked::beside(&file)).unwrap();
        Policies::open(
            &file,
            settings(base.clone()),
            ModeInForce::of(&config),
            revocations,
        )
    };
    fs::write(&file, &good).unwrap();
    let policies = start().unwrap();
    let digest = policies.current().program().digest().to_owned();

    // The attack that signatures prevent: patch a path in the code, and correct the digest, which needs no key.
    let mut patched = good.clone();
    let at = good.windows(4).rposition(|part| part == b"/aaa").unwrap();
    for place in (0..=at).filter(|place| good[*place..].starts_with(b"/aaa")) {
        patched[place..place + 4].copy_from_slice(b"/bbb");
    }
    let header = tokenward_compiler::artifact::HEADER;
    let fits = Sha256::new()
        .chain_update(&patched[..12])
        .chain_update(&patched[header..])
        .finalize();
    patched[12..44].copy_from_slice(&fits);
    let other = ArtifactKey::generate(&folder.path().join("b.key")).unwrap();
    let revoking = program("revoked = true\n", "[get]/rest/aaa");
    for (bytes, why) in [
        (patched, "was changed after it was signed"),
        (
            tokenward_compiler::artifact::encode(&revoking),
            "it is not signed",
        ),
        (
            other.sign(&revoking),
            "which is not in [keys] artifact_public_keys",
        ),
    ] {
        fs::write(&file, bytes).unwrap();
        policies.reload();
        assert_eq!(policies.current().program().digest(), digest);
        let failure = policies.status().failure.unwrap();
        assert!(
            failure.contains(why) && failure.contains("policy.twp"),
            "{failure}"
        );
        let revoked = policies.revocations().has(&tokenward_pdp::secret::hash("one"));
        assert!(
            !revoked,
            "whoever may not change the policy may not revoke by it: {why}"
        );
        let refused = start().err().unwrap().to_string();
        assert!(refused.contains(why), "{refused}");
    }
    fs::write(&file, key.sign(&revoking)).unwrap();
    policies.reload();
    assert!(policies.status().failure.is_none());
    assert!(policies.revocations().has(&tokenward_pdp::secret::hash("one")));
}

#[test]
fn an_artifact_stands_in_for_the_directory() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.twp");
    let write = |name: &str| {
        let sources = SourceSet::from_files([("a.toml".to_owned(), token(name, "one", "[get].*/rest/a"))]);
        let bytes =
            tokenward_compiler::artifact::encode(&tokenward_compiler::compile(&sources).program.unwrap());
        let new = folder.path().join("policy.twp.new");
        fs::write(&new, bytes).unwrap();
        fs::rename(&new, &file).unwrap();
    };
    write("first");
    let policies = open(&file);
    assert_eq!(names(&policies), ["first"]);
    let _watcher = Watcher::start(Arc::clone(&policies)).unwrap();
    write("second");
    within_a_second(|| names(&policies) == ["second"]);
    // A damaged policy changes nothing, and is reported.
    fs::write(&file, b"TWPOLICY").unwrap();
    within_a_second(|| policies.status().failed > 0);
    assert_eq!(names(&policies), ["second"]);
    assert!(policies.status().failure.unwrap().contains("damaged"));
    write("third");
    within_a_second(|| names(&policies) == ["third"]);
    assert!(policies.status().failure.is_none());
}

#[test]
fn a_reload_gives_what_a_start_gives() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let tokens = |file: &str, count: usize, line: &str| -> String {
        let tokens = (0..count).map(|n| token(&format!("{file}{n}"), &format!("{file} secret {n}"), line));
        tokens.collect()
    };
    let put = |file: &str, text: String| fs::write(path.join(format!("{file}.toml")), text).unwrap();
    put("a", tokens("a", 300, "/rest/a"));
    put("b", tokens("b", 100, "/rest/b"));
    let policies = open(path);
    let check = |what: &str, succeeded: u64| {
        policies.reload();
        let (reloaded, started) = (policies.current(), open(path).current());
        let (reloaded, started) = (reloaded.program(), started.program());
        let whole = SourceSet::read_dir(path, tokenward_compiler::source::Links::WithinDirectory).unwrap();
        let whole = tokenward_compiler::compile(&whole).program.unwrap();
        assert_eq!(reloaded.digest(), started.digest(), "{what}");
        assert_eq!(reloaded.digest(), whole.digest(), "{what}");
        for (_, token) in whole.tokens() {
            let lines = |program: &Program| -> Vec<_> {
                let id = program.token_by_secret_hash(&token.secret_hash).unwrap();
                let lines = program.lines_of(id).map(|(_, line)| format!("{line:?}"));
                lines.collect()
            };
            assert_eq!(lines(reloaded), lines(&whole), "{what}");
        }
        assert_eq!(policies.status().succeeded, succeeded, "{what}");
    };
    check("no change", 1);
    put("a", tokens("a", 300, "/rest/a").replacen("/rest/a", "/rest/z", 7));
    check("some lines", 2);
    put("a", format!("# first\n{}", tokens("a", 299, "/rest/a")));
    check("places, and a token less", 3);
    put("c", tokens("c", 1, "/rest/c"));
    check("a file more", 4);
    // A token of another file has the secret: nothing of the change counts, and its repair is a change like any other.
    put(
        "c",
        tokens("c", 1, "/rest/c") + &token("again", "b secret 3", "/rest/c"),
    );
    policies.reload();
    assert_eq!(policies.status().failed, 1);
    assert!(names(&policies).iter().all(|name| name != "again"));
    put("c", tokens("c", 2, "/rest/c"));
    check("the repair", 5);
    fs::remove_file(path.join("b.toml")).unwrap();
    check("a file less", 6);
}
