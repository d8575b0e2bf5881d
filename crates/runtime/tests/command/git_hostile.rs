//! A repository as an attacker would prepare it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tokenward_testbed::Invocation;

use crate::policy::token;
use crate::repository::{Repository, git, git_succeeds, script};
use crate::tokenward::{BINARY, tokenward};

/// The gate, and what it must say of a token that is new.
const GATE: [&str; 5] = ["compile", "--check", "--no-new-access", "HEAD", "policies"];

fn gate_fails(answer: &(i32, String)) {
    assert!(answer.0 == 1 && answer.1.contains("TW0301"), "{answer:?}");
}

/// Runs `tokenward` in the work tree: its exit code and all that it wrote.
fn answer(it: &Repository, arguments: &[&str]) -> (i32, String) {
    it.run(arguments).together()
}

/// As [`answer`], in any directory and with more environment.
fn answer_in(directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
    tokenward(directory, arguments)
        .environment(environment)
        .run()
        .together()
}

/// One commit on `main`: the token `t` may read `/rest/a`.
fn committed() -> Repository {
    let it = Repository::new();
    it.write("policies/t.toml", &token("t", "11", "", "[get]/rest/a"));
    it.commit("One");
    it
}

#[test]
fn no_other_file_of_the_sources_runs_git() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut left = vec![
        crates.to_owned(),
        crates.parent().unwrap().join("tests/src"),
        crates.parent().unwrap().join("tests/bed"),
    ];
    let mut running = Vec::new();
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let in_tests = path.ends_with("crates/runtime/tests");
            if path.is_dir() && !in_tests {
                left.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                if text.contains("Command::new(\"git\")") || text.contains("join(\"git\")") {
                    running.push(path);
                }
            }
        }
    }
    assert_eq!(running, [crates.join("runtime/src/git/run.rs")]);
}

/// Plants a command that leaves a file in `ran` in every place of a repository in which git looks for one.
fn plant(it: &Repository) -> PathBuf {
    let ran = it.folder().join("ran");
    fs::create_dir(&ran).unwrap();
    let command = |name: &str| {
        let path = it.folder().join("bin").join(name);
        script(
            &path,
            &format!("touch '{}/{name}'; cat 2>/dev/null; exit 0", ran.display()),
        );
        path.display().to_string()
    };
    it.write(
        ".gitattributes",
        "* filter=evil diff=evil merge=evil\n*.toml filter=process diff=other\n",
    );
    it.write(".git/info/attributes", "* filter=evil diff=evil\n");
    let included = it.folder().join("included");
    let mut config = fs::read_to_string(it.top().join(".git/config")).unwrap();
    config.push_str(&format!("[include]\npath = {}\n", included.display()));
    config.push_str(&format!(
        "[includeIf \"gitdir:**\"]\npath = {}\n",
        included.display()
    ));
    for key in [
        "core.fsmonitor",
        "core.sshCommand",
        "core.gitProxy",
        "core.askPass",
        "core.editor",
        "core.pager",
        "core.alternateRefsCommand",
        "sequence.editor",
        "credential.helper",
        "interactive.diffFilter",
        "diff.external",
        "diff.evil.textconv",
        "diff.evil.command",
        "diff.other.textconv",
        "filter.evil.smudge",
        "filter.evil.clean",
        "filter.process.process",
        "merge.evil.driver",
        "gpg.program",
        "gpg.ssh.program",
        "gpg.x509.program",
        "gpg.ssh.defaultKeyCommand",
        "uploadpack.packObjectsHook",
        "remote.origin.uploadpack",
        "remote.origin.vcs",
        "trailer.evil.command",
        "trailer.evil.cmd",
        "pager.log",
        "pager.rev-list",
        "pager.cat-file",
        "browser.evil.cmd",
        "difftool.evil.cmd",
        "mergetool.evil.cmd",
        "man.evil.cmd",
        "sendemail.smtpServer",
        "tar.evil.command",
        "guitool.evil.cmd",
        "instaweb.httpd",
    ] {
        config.push_str(&setting(key, &command(key)));
    }
    for alias in [
        "cat-file",
        "rev-parse",
        "rev-list",
        "log",
        "merge-base",
        "for-each-ref",
        "config",
    ] {
        config.push_str(&setting(
            &format!("alias.{alias}"),
            &format!("!{}", command(alias)),
        ));
    }
    let hooks = it.folder().join("hooks");
    for directory in [hooks.clone(), it.top().join(".git/hooks")] {
        for hook in [
            "post-index-change",
            "post-checkout",
            "reference-transaction",
            "fsmonitor-watchman",
            "pre-auto-gc",
        ] {
            script(
                &directory.join(hook),
                &format!("touch '{}/hook-{hook}'", ran.display()),
            );
        }
    }
    config.push_str(&setting("core.hooksPath", &hooks.display().to_string()));
    config.push_str(&setting("log.showSignature", "true"));
    config.push_str(&setting("protocol.allow", "always"));
    config.push_str(&setting("protocol.ext.allow", "always"));
    config.push_str(&setting(
        "remote.origin.url",
        &format!("ext::{}", command("transport")),
    ));
    config.push_str(&setting("remote.origin.promisor", "true"));
    config.push_str(&setting("remote.origin.partialclonefilter", "blob:none"));
    config = config.replace("repositoryformatversion = 0", "repositoryformatversion = 1");
    config.push_str(&setting("extensions.partialClone", "origin"));
    config.push_str(&setting("extensions.worktreeConfig", "true"));
    fs::write(it.top().join(".git/config"), config).unwrap();
    let worse =
        setting("core.fsmonitor", &command("included")) + &setting("core.pager", &command("included-pager"));
    fs::write(&included, &worse).unwrap();
    fs::write(it.top().join(".git/config.worktree"), worse).unwrap();
    ran
}

fn setting(key: &str, value: &str) -> String {
    let (section, name) = key.rsplit_once('.').unwrap();
    let section = match section.split_once('.') {
        Some((section, sub)) => format!("{section} \"{sub}\""),
        None => section.to_owned(),
    };
    format!("[{section}]\n\t{name} = \"{value}\"\n")
}

fn none_ran(ran: &Path) {
    let names: Vec<_> = fs::read_dir(ran)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn a_command_planted_in_the_repository_runs_nowhere() {
    let it = committed();
    it.write(
        "policies/t.toml",
        &token("t", "11", "", "[get]/rest/a\n[get]/rest/b"),
    );
    it.commit("Two");
    let ran = plant(&it);
    it.write("policies/u.toml", &token("u", "22", "", "/rest/.*"));

    gate_fails(&answer(&it, &GATE));
    gate_fails(&answer(
        &it,
        &["compile", "--check", "--no-new-access", "main~1", "policies"],
    ));
    assert_eq!(answer(&it, &["diff", "main~1..main"]).0, 1);
    assert_eq!(answer(&it, &["diff", "main.."]).0, 1);
    assert_eq!(answer(&it, &["scan", "."]), (0, String::new()));
    assert_eq!(answer(&it, &["scan", "policies"]), (0, String::new()));
    let (code, said) = answer(&it, &["token", "set-limits", "t", "--limit", "[get]/rest/c"]);
    assert!(code == 0, "{said}");
    let (code, said) = answer(&it, &["token", "list"]);
    assert!(code == 0, "{said}");
    none_ran(&ran);

    // The places are real ones: git itself runs what they name.
    git(&it.top(), &["status"]);
    git(&it.top(), &["log", "-p", "--textconv", "--ext-diff"]);
    assert!(ran.join("core.fsmonitor").exists() || ran.join("included").exists());
    assert!(
        ran.join("diff.evil.textconv").exists()
            || ran.join("diff.other.textconv").exists()
            || ran.join("diff.evil.command").exists()
    );
}

#[test]
fn a_missing_object_is_an_error_and_is_not_fetched() {
    let it = committed();
    let blob = it.git(&["rev-parse", "HEAD:policies/t.toml"]);
    let ran = plant(&it);
    let (folder, file) = blob.split_at(2);
    fs::remove_file(it.top().join(".git/objects").join(folder).join(file)).unwrap();
    for arguments in [GATE.as_slice(), &["diff", "HEAD.."], &["scan", "."]] {
        let (code, said) = answer(&it, arguments);
        assert!(code == 3 && said.contains(&blob), "{arguments:?}: {said}");
    }
    none_ran(&ran);
}

#[test]
fn the_environment_of_a_hook_redirects_nothing_and_runs_nothing() {
    let it = committed();
    it.write("examples/u.toml", &token("u", "22", "", "/rest/.*"));
    it.commit("Two");
    it.write("policies/u.toml", &token("u", "22", "", "/rest/.*"));
    let ran = it.folder().join("ran");
    fs::create_dir(&ran).unwrap();
    let evil = it.folder().join("evil");
    script(&evil, &format!("touch '{}/evil'", ran.display()));
    script(
        &it.folder().join("exec/git-rev-parse"),
        &format!("touch '{}/exec'", ran.display()),
    );
    let other = committed();
    let (git, evil) = (
        other.top().join(".git").display().to_string(),
        evil.display().to_string(),
    );
    let trace = ran.join("trace").display().to_string();
    let exec = it.folder().join("exec").display().to_string();
    let environment = [
        ("GIT_DIR", git.as_str()),
        ("GIT_COMMON_DIR", git.as_str()),
        ("GIT_WORK_TREE", "/"),
        ("GIT_INDEX_FILE", "/dev/null"),
        ("GIT_PREFIX", "examples/"),
        ("GIT_OBJECT_DIRECTORY", "/nonexistent"),
        ("GIT_NAMESPACE", "n"),
        ("GIT_CONFIG_COUNT", "2"),
        ("GIT_CONFIG_KEY_0", "core.fsmonitor"),
        ("GIT_CONFIG_VALUE_0", evil.as_str()),
        ("GIT_CONFIG_KEY_1", "core.pager"),
        ("GIT_CONFIG_VALUE_1", evil.as_str()),
        ("GIT_CONFIG_PARAMETERS", "'diff.external=false'"),
        ("GIT_EXTERNAL_DIFF", evil.as_str()),
        ("GIT_PAGER", evil.as_str()),
        ("GIT_SSH", evil.as_str()),
        ("GIT_TRACE", trace.as_str()),
        ("GIT_TRACE2_EVENT", trace.as_str()),
        ("GIT_EXEC_PATH", exec.as_str()),
        ("GIT_REPLACE_REF_BASE", "refs/heads/"),
        ("GIT_LITERAL_PATHSPECS", "0"),
        ("GIT_CEILING_DIRECTORIES", "/"),
    ];
    gate_fails(&answer_in(&it.top(), &GATE, &environment));
    assert_eq!(answer_in(&it.top(), &["diff", "HEAD.."], &environment).0, 1);
    assert_eq!(
        answer_in(&it.top(), &["scan", "."], &environment),
        (0, String::new())
    );
    none_ran(&ran);
}

#[test]
fn a_hook_in_a_linked_work_tree_gets_the_answer_that_a_person_gets() {
    let it = committed();
    it.write("examples/u.toml", &token("u", "22", "", "/rest/.*"));
    it.write(
        "conf/tokenward.toml",
        "policies = \"../policies\"\n[upstream]\nurl = \"http://127.0.0.1:8090\"\npublic_url = \"https://jira.example.com\"\n",
    );
    it.commit("Two");
    let said = it.folder().join("said");
    script(
        &it.top().join(".git/hooks/pre-commit"),
        &format!(
            "env | grep -q '^GIT_DIR=' || exit 7\n'{}' compile --check --no-new-access HEAD policies --config conf/tokenward.toml \
             >'{1}' 2>&1\necho \"code $?\" >>'{1}'\nexit 1",
            BINARY,
            said.display()
        ),
    );
    it.git(&["worktree", "add", "-q", "../w", "-b", "w"]);
    let work_tree = it.folder().join("w");
    fs::copy(
        work_tree.join("examples/u.toml"),
        work_tree.join("policies/u.toml"),
    )
    .unwrap();
    git(&work_tree, &["add", "-A"]);
    let arguments = ["--config", "conf/tokenward.toml"];
    let by_hand = answer_in(&work_tree, &[GATE.as_slice(), &arguments].concat(), &[]);
    gate_fails(&by_hand);
    assert_ne!(git(&work_tree, &["commit", "-qm", "New"]).code, 0);
    let in_hook = fs::read_to_string(said).unwrap();
    assert_eq!(in_hook, format!("{}code 1\n", by_hand.1));
}

#[test]
fn a_directory_that_looks_like_a_bare_repository_is_not_taken_for_one() {
    let it = committed();
    let evil = committed();
    let ran = plant(&evil);
    for entry in ["HEAD", "config", "objects", "refs"] {
        let (from, to) = (
            evil.top().join(".git").join(entry),
            it.top().join("policies").join(entry),
        );
        let copied = Invocation::new("cp", it.folder())
            .arguments(&[Path::new("-r"), &from, &to])
            .run();
        copied.ends(0, &[]);
    }
    // The gate begins at the working directory, and compares with the repository of that.
    it.write("policies/u.toml", &token("u", "22", "", "/rest/.*"));
    let (code, said) = answer(&it, &GATE);
    assert!(code == 1 && said.contains("TW0301"), "{said}");
    for arguments in [["scan", "policies"], ["scan", "."]] {
        let (code, said) = answer(&it, &arguments);
        assert!(
            code == 3 && said.contains("looks like a bare git repository"),
            "{arguments:?}: {said}"
        );
    }
    none_ran(&ran);
}

#[test]
fn a_git_directory_elsewhere_is_used_and_a_linked_or_broken_one_is_an_error() {
    let it = committed();
    it.write("policies/u.toml", &token("u", "22", "", "/rest/.*"));
    let (git, elsewhere) = (it.top().join(".git"), it.folder().join("elsewhere"));
    fs::rename(&git, &elsewhere).unwrap();

    fs::write(&git, "gitdir: ../elsewhere\n").unwrap();
    gate_fails(&answer(&it, &GATE));

    for (content, expected) in [
        ("gitdir: ../absent\n", "absent"),
        ("gitdir: ..\n", "is not a git directory"),
        ("gitdir:\n", "does not name a directory"),
        ("elsewhere\n", "does not name a directory"),
    ] {
        fs::write(&git, content).unwrap();
        for arguments in [GATE.as_slice(), &["scan", "."]] {
            let (code, said) = answer(&it, arguments);
            assert!(code == 3 && said.contains(expected), "{content}: {said}");
        }
    }
    fs::remove_file(&git).unwrap();
    symlink("../elsewhere", &git).unwrap();
    for arguments in [GATE.as_slice(), &["scan", "."]] {
        let (code, said) = answer(&it, arguments);
        assert!(code == 3 && said.contains("is a symbolic link"), "{said}");
    }
    fs::remove_file(&git).unwrap();
    fs::create_dir(&git).unwrap();
    let (code, said) = answer(&it, &["scan", "."]);
    assert!(code == 3 && said.contains("is not a git directory"), "{said}");
}

#[test]
fn replaced_and_grafted_commits_are_not_seen() {
    let it = committed();
    let honest = it.git(&["rev-parse", "HEAD"]);
    it.write("policies/u.toml", &token("u", "22", "", "/rest/.*"));
    let evil = it.commit("Two");
    it.git(&["replace", &honest, &evil]);
    gate_fails(&answer(
        &it,
        &["compile", "--check", "--no-new-access", &honest, "policies"],
    ));
    it.git(&["replace", "-d", &honest]);
    it.write(".git/info/grafts", &format!("{evil} {evil}\n"));
    gate_fails(&answer(
        &it,
        &["compile", "--check", "--no-new-access", "main~1", "policies"],
    ));
}

#[test]
fn an_object_that_is_not_what_its_id_stands_for_is_an_error() {
    let it = committed();
    it.write("policies/u.toml", &token("t", "11", "", "/rest/.*"));
    let object = |revision: &str| {
        let id = it.git(&["rev-parse", revision]);
        let (folder, file) = id.split_at(2);
        it.top().join(".git/objects").join(folder).join(file)
    };
    it.git(&["add", "-A"]);
    let (honest, evil) = (object("HEAD:policies/t.toml"), object(":policies/u.toml"));
    fs::remove_file(it.top().join("policies/t.toml")).unwrap();
    fs::remove_file(&honest).unwrap();
    fs::copy(&evil, &honest).unwrap();
    for arguments in [GATE.as_slice(), &["diff", "HEAD.."], &["scan", "."]] {
        let (code, said) = answer(&it, arguments);
        assert!(code == 3 && said.contains("is damaged"), "{arguments:?}: {said}");
    }
    fs::remove_file(&honest).unwrap();
    fs::write(&honest, "x").unwrap();
    let (code, said) = answer(&it, &["scan", "."]);
    assert_eq!(code, 3, "{said}");
}

#[test]
fn a_name_of_several_things_is_an_error_that_names_them() {
    let it = committed();
    it.write("policies/u.toml", &token("u", "22", "", "/rest/.*"));
    let new = it.commit("Two");
    it.git(&["branch", "base", "main~1"]);
    it.git(&["tag", "base", "main"]);
    let gate = |base: &str| answer(&it, &["compile", "--check", "--no-new-access", base, "policies"]);
    let (code, said) = gate("base");
    assert!(
        code == 3 && said.contains("ambiguous: `refs/heads/base`, `refs/tags/base`"),
        "{said}"
    );
    gate_fails(&gate("refs/heads/base"));
    gate_fails(&gate("heads/base"));
    assert_eq!(gate("refs/tags/base").0, 0);
    assert_eq!(gate(&new).0, 0);

    // A branch with the digits of a commit, whole and shortened.
    let short = new.get(..9).unwrap();
    for name in [new.as_str(), short] {
        it.git(&["update-ref", &format!("refs/heads/{name}"), "main~1"]);
        let (code, said) = gate(name);
        assert!(
            code == 3 && said.contains("ambiguous") && said.contains(&new),
            "{said}"
        );
    }
    it.git(&["update-ref", "refs/heads/HEAD", "main"]);
    let (code, said) = gate("HEAD");
    assert!(code == 3 && said.contains("ambiguous"), "{said}");
}

#[test]
fn a_revision_of_an_odd_form_is_refused_and_a_missing_one_names_the_cure() {
    let it = committed();
    let gate = |base: &str| {
        answer(
            &it,
            &[
                "compile",
                "--check",
                &format!("--no-new-access={base}"),
                "policies",
            ],
        )
    };
    for odd in [
        "--all",
        "-h",
        "main...HEAD",
        "^main",
        ":/One",
        "main:policies",
        "main@{1}",
        "@{u}",
        "@{-1}",
        "main^{tree}",
        "main^{/One}",
        "main^!",
        "main^@",
        "main ",
        "ma*n",
        "[m]ain",
        "ma\\in",
        "main\nmain",
        "~1",
    ] {
        let (code, said) = gate(odd);
        assert!(
            code == 2 && said.contains("not a revision"),
            "{odd}: {code} {said}"
        );
    }
    // Always a path, and there is none.
    assert_eq!(gate("/main").0, 3);
    assert_eq!(gate("@").0, 0);
    assert_eq!(gate("main^0").0, 0);
    let (code, said) = gate("origin/main");
    assert!(
        code == 3 && said.contains("git fetch origin main") && said.contains("fetch-depth: 0"),
        "{said}"
    );
    it.git(&["update-ref", "refs/remotes/origin/release", "main"]);
    let (code, said) = gate("release");
    assert!(code == 3 && said.contains("write `origin/release`"), "{said}");

    // Files of git's own directory that git would take for refs.
    fs::copy(it.top().join(".git/refs/heads/main"), it.top().join(".git/base")).unwrap();
    assert_eq!(gate("base").0, 3);
}

#[test]
fn a_shallow_clone_says_what_to_do() {
    let it = committed();
    it.write("policies/u.toml", &token("u", "22", "", "/rest/.*"));
    it.commit("Two");
    let url = format!("file://{}", it.top().display());
    git_succeeds(it.folder(), &["clone", "-q", "--depth", "1", &url, "shallow"]);
    let shallow = it.folder().join("shallow");
    let (code, said) = answer_in(&shallow, &["diff", "HEAD~1..HEAD"], &[]);
    assert!(
        code == 3 && said.contains("--unshallow") && said.contains("fetch-depth: 0"),
        "{said}"
    );
}

#[test]
fn links_and_submodules_at_a_revision_are_refused() {
    let it = committed();
    let honest = it.git(&["rev-parse", "HEAD"]);
    let (gate, sides) = (
        ["compile", "--check", "--no-new-access", "main", "policies"],
        ["diff", "main..main"],
    );
    let both = |expected: &str| {
        let (code, said) = answer(&it, &sides);
        assert!(code == 3 && said.contains(expected), "{code} {said}");
        it.git(&["checkout", "-q", &honest]);
        let (code, said) = answer(&it, &gate);
        assert!(code == 3 && said.contains(expected), "{code} {said}");
        it.git(&["checkout", "-q", "main"]);
        it.git(&["reset", "-q", "--hard", &honest]);
    };
    it.write("elsewhere/u.toml", &token("u", "22", "", "/rest/.*"));
    symlink("../elsewhere", it.top().join("policies/team")).unwrap();
    it.commit("A linked directory");
    both("`policies/team` at `main` is a symbolic link; replace it by");

    symlink("t.toml", it.top().join("policies/v.toml")).unwrap();
    it.commit("A linked file");
    both("`policies/v.toml` at `main` is a symbolic link");

    fs::rename(it.top().join("policies"), it.top().join("real")).unwrap();
    symlink("real", it.top().join("policies")).unwrap();
    it.commit("The directory itself");
    both("`policies` at `main` is a symbolic link");

    it.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("160000,{honest},policies/sub"),
    ]);
    it.git(&["commit", "-qm", "A submodule"]);
    both("`policies/sub` at `main` is a submodule; replace it by the files that it contains");
}

#[test]
fn links_and_submodules_of_the_directory_are_refused() {
    let it = committed();
    it.write("elsewhere/u.toml", &token("u", "22", "", "/rest/.*"));
    let policies = it.top().join("policies");
    let check = |path: &str| answer(&it, &["compile", "--check", path]);
    for (link, target) in [
        ("team", "../elsewhere"),
        ("v.toml", "t.toml"),
        ("README", "../README"),
        ("x.limits", "absent"),
    ] {
        symlink(target, policies.join(link)).unwrap();
        let (code, said) = check("policies");
        assert!(
            code == 3
                && said.contains(&format!("policies/{link}` is a symbolic link"))
                && said.contains("replace it"),
            "{link}: {said}"
        );
        fs::remove_file(policies.join(link)).unwrap();
    }
    symlink("policies", it.top().join("linked")).unwrap();
    symlink(".", it.top().join("here")).unwrap();
    for path in [
        "linked",
        "linked/",
        "./linked",
        "here/policies",
        "policies/../linked",
    ] {
        let (code, said) = check(path);
        assert!(code == 3 && said.contains("is a symbolic link"), "{path}: {said}");
    }
    let absolute = it.top().join("linked").display().to_string();
    assert_eq!(check(&absolute).0, 3);
    assert_eq!(check(&policies.display().to_string()).0, 0);

    // A submodule within, and the directory as one.
    it.write("policies/sub/.git", "gitdir: ../../.git/modules/sub\n");
    let (code, said) = check("policies");
    assert!(
        code == 3 && said.contains("policies/sub` is a git repository of its own"),
        "{said}"
    );
    fs::remove_dir_all(policies.join("sub")).unwrap();
    it.write("policies/.git", "gitdir: ../.git/modules/policies\n");
    let (code, said) = check("policies");
    assert!(
        code == 3 && said.contains("policies` is a git repository of its own"),
        "{said}"
    );
}

#[test]
fn settings_that_move_the_work_tree_and_links_among_refs_change_no_answer() {
    let it = committed();
    it.write("policies/u.toml", &token("u", "22", "", "/rest/.*"));
    let config = fs::read_to_string(it.top().join(".git/config")).unwrap();
    for more in [
        "[core]\nworktree = /\n",
        "[core]\nbare = true\n",
        "[core]\nworktree = policies\n",
    ] {
        fs::write(it.top().join(".git/config"), format!("{config}{more}")).unwrap();
        gate_fails(&answer(&it, &GATE));
        assert_eq!(answer(&it, &["scan", "."]), (0, String::new()), "{more}");
    }
    fs::write(it.top().join(".git/config"), &config).unwrap();
    let base = it.top().join(".git/refs/heads/base");
    for (target, expected) in [
        ("refs/heads/main", 3),
        ("main", 1),
        ("/etc/hostname", 3),
        ("../../../policies/u.toml", 3),
    ] {
        symlink(target, &base).unwrap();
        let (code, said) = answer(
            &it,
            &["compile", "--check", "--no-new-access", "base", "policies"],
        );
        assert_eq!(code, expected, "{target}: {said}");
        fs::remove_file(&base).unwrap();
    }
}

#[test]
fn a_repository_with_long_ids_is_read_too() {
    let it = committed();
    fs::remove_dir_all(it.top().join(".git")).unwrap();
    it.git(&["init", "-q", "-b", "main", "--object-format=sha256"]);
    it.commit("One");
    assert_eq!(answer(&it, &GATE).0, 0);
    it.write("policies/u.toml", &token("u", "22", "", "/rest/.*"));
    gate_fails(&answer(&it, &GATE));
}

/// As `npm` and `direnv` set it.
#[test]
fn a_git_that_the_repository_contains_is_not_run() {
    let it = committed();
    it.write("policies/u.toml", &token("u", "22", "", "/rest/.*"));
    let ran = it.folder().join("ran");
    script(
        &it.top().join("node_modules/.bin/git"),
        &format!("touch '{}'; exit 0", ran.display()),
    );
    symlink(it.top().join("node_modules/.bin"), it.folder().join("bin")).unwrap();
    let rest = std::env::var("PATH").unwrap();
    for directory in [it.top().join("node_modules/.bin"), it.folder().join("bin")] {
        let path = format!("{}:{rest}", directory.display());
        gate_fails(&answer_in(&it.top(), &GATE, &[("PATH", &path)]));
        let only = directory.display().to_string();
        let (code, said) = answer_in(&it.top(), &GATE, &[("PATH", &only)]);
        assert!(code == 3 && said.contains("git is not installed"), "{said}");
    }
    assert!(!ran.exists());
}

#[test]
fn names_with_control_characters_stay_in_their_line() {
    let evil = "a\n::set-output name=x::\u{1b}[31m";
    let it = committed();
    it.write(&format!("policies/{evil}.toml"), &format!("{evil:?} = 1\n"));
    let is_harmless = |said: &str| {
        let mut lines = said.lines();
        !said.contains('\u{1b}') && lines.all(|line| !line.trim_start().starts_with("::"))
    };
    let (code, said) = answer(&it, &["compile", "--check"]);
    assert!(code == 1 && is_harmless(&said), "{said}");
    fs::remove_file(it.top().join(format!("policies/{evil}.toml"))).unwrap();
    it.write(
        "tokenward.toml",
        "\"a\\n::set-output::\\u001b[31m\" = 1\n[auth]\nmethods = [\"\\n::x\\u001b\"]\n",
    );
    let (code, said) = answer(&it, &["compile", "--check"]);
    assert!(
        code == 2 && said.contains("set-output") && is_harmless(&said),
        "{said}"
    );
    fs::remove_file(it.top().join("tokenward.toml")).unwrap();
    symlink("/etc/hostname", it.top().join(format!("policies/{evil}.toml"))).unwrap();
    it.commit("Two");
    for arguments in [["compile", "--check"], ["diff", "HEAD~1..HEAD"]] {
        let (code, said) = answer(&it, &arguments);
        assert!(
            code == 3 && said.contains("set-output") && is_harmless(&said),
            "{said}"
        );
    }
}

#[test]
fn what_was_not_fetched_is_to_be_fetched() {
    let it = committed();
    let (code, said) = answer(&it, &["compile", "--check", "--no-new-access", "FETCH_HEAD"]);
    assert!(code == 3 && said.contains("git fetch origin main"), "{said}");
}
