//! Commands that a repository has in every place in which git looks for one.

use std::fs;
use std::path::{Path, PathBuf};

use crate::repository::{Repository, script};

/// Plants a command that leaves a file in `ran` in every place of a repository in which git looks for one.
pub(super) fn plant(it: &Repository) -> PathBuf {
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

pub(super) fn none_ran(ran: &Path) {
    let names: Vec<_> = fs::read_dir(ran)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(names.is_empty(), "{names:?}");
}
