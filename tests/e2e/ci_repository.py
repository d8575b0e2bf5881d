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


# What the token may do, before and after each innocent change.
TESTS = """[[test]]
name = "the issue is read"
token = "ci"
request = "GET /rest/api/2/issue/KANBAN-1"
expect = "allow"

[[test]]
name = "other projects are out of reach"
token = "ci"
request = "GET /rest/api/2/issue/HR-1"
expect = "deny"
reason = "no-line"
"""
BASE = {
    "tokenward.toml": CONFIGURATION,
    "policies/ci.toml": policy(NARROW),
    "policies/invariants.toml": INVARIANTS,
    "policies/tests/ci.toml": TESTS,
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
    "breaks-a-test": {"policies/ci.toml": policy("[get]/rest/api/2/issue/KANBAN-2")},
    "removes-the-tests": {"policies/tests/ci.toml": None, "policies/ci.toml": policy("[get]/rest/api/2/issue/KANBAN-1")},
    "no-policy": {"policies/ci.toml": "[[token]\n"},
}
# These pass; all others fail.
INNOCENT = {"innocent", "narrows"}
# These allow nothing new, and fail at the tests.
UNTESTED = {"breaks-a-test", "removes-the-tests"}


class Repository:
    """A bare repository with `main`, and `refs/pull/NUMBER/head` and `/merge` as GitHub makes them."""

    @classmethod
    def template(cls, place):
        """A repository with `main` alone, of which the others are copies."""
        repository = cls.__new__(cls)
        repository.place(place)
        place.mkdir(parents=True)
        repository.git(place, "init", "-q", "--bare", "-b", "main", str(repository.bare))
        repository.git(place, "init", "-q", "-b", "main", str(repository.work))
        repository.commit(repository.work, BASE)
        repository.git(repository.work, "push", "-q", str(repository.bare), "main")
        return repository

    def __init__(self, place, template, number, change):
        self.place(place)
        shutil.copytree(template.bare.parent, place)
        work = self.work
        self.git(work, "checkout", "-q", "-b", "change")
        self.commit(work, change)
        self.git(work, "checkout", "-q", "main")
        self.git(work, "merge", "-q", "--no-ff", "-m", "merge", "change")
        pull = f"refs/pull/{number}"
        self.git(work, "push", "-q", str(self.bare), f"change:{pull}/head", f"main:{pull}/merge")

    def place(self, place):
        self.bare, self.work = place / "origin.git", place / "author"
        self.marker = place / "MARKER"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(place),
            "GIT_CONFIG_NOSYSTEM": "1",
            "TOKENWARD_MARKER": str(self.marker),
        }
        for part in ("AUTHOR", "COMMITTER"):
            self.environment |= {f"GIT_{part}_NAME": "T", f"GIT_{part}_EMAIL": "t@example.com"}

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
