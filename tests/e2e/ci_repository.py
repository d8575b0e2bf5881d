"""A policy repository with a protected branch, and the pull requests that the jobs of docs/ci judge."""

import os
import shutil
import subprocess
from pathlib import Path

HASH = "1" * 64
NARROW = "[get]/rest/api/2/issue/KANBAN-\\d+"
WIDE = "[get]/rest/api/2/issue/.*"
CONFIGURATION = """policies = "policies"
[upstream]
url = "http://127.0.0.1:8090"
public_url = "https://jira.example.com"
product = "jira"
[auth]
never_act_as = ["admin"]
"""
INVARIANTS = """[[never]]
name = "nobody-deletes"
why = "Deleting is for administrators."
lines = '''
[delete].*
'''
"""


def policy(line, expires=True):
    """A policy file with one token in its canonical spelling."""
    until = "expires = 2099-01-01T00:00:00Z\n" if expires else ""
    return (
        f'[[token]]\nname = "ci"\nuser = "svc-ci"\nsecret_hash = "sha256:{HASH}"\n{until}'
        f"limit_to = '''\n{line}\n'''\n"
    )


BASE = {
    "tokenward.toml": CONFIGURATION,
    "policies/ci.toml": policy(NARROW),
    "policies/invariants.toml": INVARIANTS,
    ".github/workflows/tokenward.yml": "the copy of docs/ci/github.yml\n",
}
REVIEW = f"[[reviewed]]\ntoken = \"ci\"\nline = '{WIDE}'\nwhy = \"trust me\"\n"
SCRIPT = '#!/bin/sh\ntouch "$TOKENWARD_MARKER" MARKER\nexit 0\n'
WIDENED = {"policies/ci.toml": policy(WIDE)}
# Each pull request: the files that it writes; `None` removes one.
PULL_REQUESTS = {
    "innocent": {"README.md": "An explanation.\n"},
    "narrows": {"policies/ci.toml": policy("[get]/rest/api/2/issue/KANBAN-1")},
    "widens": WIDENED,
    "other-directory": {
        "tokenward.toml": CONFIGURATION.replace('"policies"', '"other"'),
        "other/ci.toml": policy(WIDE),
    },
    "no-configuration": {"tokenward.toml": None} | WIDENED,
    "looser-configuration": {"tokenward.toml": CONFIGURATION.replace('["admin"]', "[]")},
    "warnings-allowed": {"tokenward.toml": 'warnings = "show"\n' + CONFIGURATION} | WIDENED,
    "no-invariants": {"policies/invariants.toml": None},
    "own-review": {"policies/reviewed.toml": REVIEW} | WIDENED,
    "own-baseline": {
        "accepted.toml": f"[[accepted]]\ncode = \"TW0301\"\ntoken = \"ci\"\nline = '{WIDE}'\nwhy = \"fine\"\n",
    }
    | WIDENED,
    "excepted-line": {"policies/ci.toml": policy(f"# allow TW0301: trust me\n{WIDE}")},
    "no-workflow": {".github/workflows/tokenward.yml": "on: push\njobs: {}\n", ".gitlab-ci.yml": "x: {script: 'true'}\n"}
    | WIDENED,
    "scripts": {
        "tokenward": SCRIPT,
        "bin/tokenward": SCRIPT,
        "Makefile": "all:\n\ttouch MARKER\n",
        ".pre-commit-config.yaml": "repos: []\n",
        ".githooks/post-checkout": SCRIPT,
        ".gitattributes": "* filter=x diff=x\n",
        ".mailmap": "Owner <owner@example.com> <t@example.com>\n",
    }
    | WIDENED,
    "linked-directory": {"policies": Path("other"), "other/ci.toml": policy(WIDE)},
    "unread-file": {"policies/ci.toml": None, "policies/ci.tml": policy(NARROW), "policies/two.toml": policy(WIDE)},
    "no-policy": {"policies/ci.toml": "[[token]\n"},
}
# These pass; all others fail.
INNOCENT = {"innocent", "narrows"}


class Repository:
    """A bare repository with `main`, and `refs/pull/NUMBER/head` and `/merge` as GitHub makes them."""

    def __init__(self, place, number, change):
        self.bare, work = place / "origin.git", place / "author"
        self.marker = place / "MARKER"
        place.mkdir(parents=True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(place),
            "GIT_CONFIG_NOSYSTEM": "1",
            "TOKENWARD_MARKER": str(self.marker),
        }
        for part in ("AUTHOR", "COMMITTER"):
            self.environment |= {f"GIT_{part}_NAME": "T", f"GIT_{part}_EMAIL": "t@example.com"}
        self.git(place, "init", "-q", "--bare", "-b", "main", str(self.bare))
        self.git(place, "init", "-q", "-b", "main", str(work))
        self.commit(work, BASE)
        self.git(work, "push", "-q", str(self.bare), "main")
        self.git(work, "checkout", "-q", "-b", "change")
        self.commit(work, change)
        self.git(work, "push", "-q", str(self.bare), f"change:refs/pull/{number}/head")
        self.git(work, "checkout", "-q", "main")
        self.git(work, "merge", "-q", "--no-ff", "-m", "merge", "change")
        self.git(work, "push", "-q", str(self.bare), f"main:refs/pull/{number}/merge")

    def commit(self, work, files):
        for name, content in files.items():
            file = work / name
            if file.is_dir() and not file.is_symlink():
                shutil.rmtree(file)
            elif content is None:
                file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                file.symlink_to(content)
                continue
            file.write_text(content)
            if content.startswith("#!"):
                file.chmod(0o755)
        self.git(work, "add", "-A")
        self.git(work, "commit", "-q", "-m", "change")

    def clone(self, place, reference):
        """What a runner has: the whole history, and this reference checked out."""
        place.mkdir(parents=True, exist_ok=True)
        self.git(place, "init", "-q", ".")
        self.git(place, "remote", "add", "origin", str(self.bare))
        self.git(place, "fetch", "-q", "origin", f"+{reference}:refs/remotes/request", "+refs/heads/*:refs/remotes/origin/*")
        self.git(place, "checkout", "-q", "--detach", "refs/remotes/request")

    def sha(self, reference):
        return self.git(self.bare, "rev-parse", reference).strip()

    def git(self, place, *arguments):
        command = ["git", *arguments]
        ran = subprocess.run(command, cwd=place, env=self.environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran
        return ran.stdout
