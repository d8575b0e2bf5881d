"""Runs the jobs of docs/ci on pull requests, and the hooks of .pre-commit-hooks.yaml with pre-commit.

Each `run:` and `script:` of the files is executed as it is, in a shell with the environment of its job. Actions of others are
replaced by what they do: a checkout, an artifact, an upload.

usage: ci_check.py TOKENWARD DIRECTORY SCHEMA ROOT TOOLS
"""

import concurrent.futures
import contextlib
import hashlib
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.parse
from pathlib import Path

import jsonschema
import yaml

from ci_repository import INNOCENT, PULL_REQUESTS, TESTS, UNTESTED, Repository, policy

BUILT, DIRECTORY, SCHEMA, ROOT, TOOLS = (Path(argument).resolve() for argument in sys.argv[1:])
SECRET = "comment-secret-of-the-report-job"
PINNED = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)+@[0-9a-f]{40}")
EXPRESSION = re.compile(r"\$\{\{ *([a-zA-Z0-9_.]+) *\}\}")
SYSTEM = "/usr/local/bin:/usr/bin:/bin"


def small(built):
    """The binary without its symbols, if there is a tool for that: each job downloads, checks and installs a copy."""
    binary = DIRECTORY / "tokenward"
    stripped = shutil.which("strip") and subprocess.run(["strip", "-o", binary, built], check=False).returncode == 0
    return binary if stripped else built


BINARY = small(BUILT)
DIGEST = hashlib.sha256(BINARY.read_bytes()).hexdigest()
SARIF = jsonschema.Draft7Validator(json.loads(SCHEMA.read_text()))


def shell(script, place, environment, log):
    """Runs a script as both products do: it ends at the first command that fails."""
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    ran = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=120, check=False)
    with log.open("a") as out:
        out.write(f"$ {script}\n{ran.stdout}{ran.stderr}[{ran.returncode}]\n")
    return ran


class GitHub:
    """The workflow of docs/ci/github.yml, which GitHub takes from the base branch."""

    def __init__(self, repository):
        text = (ROOT / "docs/ci/github.yml").read_text()
        self.workflow = yaml.load(text, Loader=yaml.BaseLoader)
        assert self.workflow["permissions"] == {}, "each job names its own"
        assert list(self.workflow["on"]) == ["pull_request_target"], "the base's copy is used"
        self.jobs = self.workflow["jobs"]
        assert self.jobs["gate"]["permissions"] == {"contents": "read"}
        assert "contents" not in self.jobs["report"]["permissions"]
        self.repository = repository

    def run(self, name, number, place):
        """Runs both jobs; returns the gate's outcome, its output, and the comment."""
        values = {
            "github.event.number": str(number),
            "github.base_ref": "main",
            "github.repository": "acme/policies",
            "github.token": SECRET,
            "github.event.pull_request.head.sha": self.repository.sha(f"refs/pull/{number}/head"),
            "vars.TOKENWARD_URL": BINARY.as_uri(),
            "vars.TOKENWARD_SHA256": DIGEST,
        }
        gate = GitHubJob(self, "gate", values, place / "gate")
        gate.run()
        assert SECRET not in gate.seen + gate.given, f"{name}: a token reached the gate"
        report = GitHubJob(self, "report", values, place / "report")
        report.artifacts = gate.artifacts
        report.run()
        assert not report.failed, f"{name}: the report failed: {report.seen}"
        assert report.uploaded == 1, name
        return gate.failed, gate.seen, report.comment


class GitHubJob:
    """A job on a runner of its own."""

    def __init__(self, github, job, values, place):
        self.github, self.job, self.place = github, github.jobs[job], place
        self.work, self.temporary = place / "work", place / "temporary"
        self.work.mkdir(parents=True)
        self.temporary.mkdir()
        self.values = values | {"runner.temp": str(self.temporary)}
        self.failed, self.seen, self.given, self.comment, self.uploaded = [], "", "", None, 0
        self.artifacts, self.path = {}, []
        for name in ("summary", "path"):
            (place / name).touch()
        (place / "bin").mkdir()
        stub = place / "bin/gh"
        stub.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{place}/gh"\nfor last; do :; done\ncp "$last" "{place}/comment"\n')
        stub.chmod(0o755)

    def value(self, text):
        def known(found):
            assert found[1] in self.values, f"an expression that the test does not know: {found[0]}"
            return self.values[found[1]]

        value = EXPRESSION.sub(known, text)
        assert "${{" not in value, text
        return value

    def run(self):
        for step in self.job["steps"]:
            if self.failed and "always()" not in step.get("if", ""):
                continue
            name = step.get("name", step.get("uses"))
            done = self.script(step["run"]) if "run" in step else self.action(step["uses"], step.get("with", {}))
            if not done:
                self.failed.append(name)
        comment = self.place / "comment"
        self.comment = comment.read_text() if comment.exists() else None

    def script(self, script):
        assert "${{" not in script, f"an expression in a script can be a command: {script}"
        environment = {name: self.value(text) for name, text in self.job.get("env", {}).items()}
        environment |= {
            "PATH": ":".join([*self.path, str(self.place / "bin"), SYSTEM]),
            "HOME": str(self.temporary),
            "RUNNER_TEMP": str(self.temporary),
            "GITHUB_ACTIONS": "true",
            "GITHUB_PATH": str(self.place / "path"),
            "GITHUB_STEP_SUMMARY": str(self.place / "summary"),
        }
        ran = shell(script, self.work, environment, self.place / "log")
        self.seen += ran.stdout + ran.stderr
        self.given += json.dumps(environment)
        self.path = (self.place / "path").read_text().split()
        return ran.returncode == 0

    def action(self, uses, given):
        assert PINNED.fullmatch(uses), f"not pinned by a commit: {uses}"
        given = {name: self.value(text) for name, text in given.items()}
        match uses.split("@")[0]:
            case "actions/checkout":
                assert given["persist-credentials"] == "false"
                assert given["fetch-depth"] == "0"
                self.github.repository.clone(self.work, given["ref"])
            case "actions/upload-artifact":
                target = self.place / "artifact"
                shutil.copytree(given["path"], target)
                self.artifacts[given["name"]] = target
            case "actions/download-artifact":
                shutil.copytree(self.artifacts[given["name"]], self.work / given["path"])
            case "github/codeql-action/upload-sarif":
                document = json.loads((self.work / given["sarif_file"]).read_text())
                SARIF.validate(document)
                self.uploaded += 1
            case other:
                raise AssertionError(f"an action that the test does not know: {other}")
        return True


class GitLab:
    """The jobs of docs/ci/gitlab-ci.yml, which another project keeps."""

    def __init__(self, repository):
        self.jobs = yaml.safe_load((ROOT / "docs/ci/gitlab-ci.yml").read_text())
        self.repository = repository

    def run(self, name, number, place):
        comments = []
        with comment_server(comments) as url:
            common = {
                "PATH": f"{place}/bin:{SYSTEM}",
                "HOME": str(place),
                "CI_API_V4_URL": url,
                "CI_MERGE_REQUEST_PROJECT_ID": "7",
                "CI_MERGE_REQUEST_IID": str(number),
                "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
                "TOKENWARD_COMMENT_TOKEN": SECRET,
            }
            (place / "bin").mkdir(parents=True)
            (place / "bin/tokenward").symlink_to(BINARY)
            gate = self.jobs["tokenward:gate"]
            work = place / "work"
            assert gate["variables"]["GIT_DEPTH"] == "0"
            self.repository.clone(work, f"refs/pull/{number}/head")
            failed, seen = self.job(gate, work, common, place / "gate.log")
            given = json.dumps(common | gate["variables"])
            assert SECRET not in seen + given, f"{name}: the comment's token reached the gate"
            report = json.loads((work / gate["artifacts"]["reports"]["codequality"]).read_text())
            assert all({"description", "fingerprint", "severity", "location"} <= set(found) for found in report)
            assert bool(report) == any("compile" in step for step in failed), f"{name}: {report} {failed}"
            comment = self.jobs["tokenward:comment"]
            assert comment["variables"]["GIT_STRATEGY"] == "none"
            other = place / "comment"
            other.mkdir()
            for file in gate["artifacts"]["paths"]:
                shutil.copy(work / file, other / file)
            not_sent, _ = self.job(comment, other, common, place / "comment.log")
            assert not not_sent, name
        [(path, headers, text)] = comments
        assert path == f"/projects/7/merge_requests/{number}/notes"
        assert headers["PRIVATE-TOKEN"] == SECRET
        return failed, seen, text

    @staticmethod
    def job(job, work, common, log):
        environment = common | job.get("variables", {})
        seen = ""
        for script in job["script"]:
            ran = shell(script, work, environment, log)
            seen += ran.stdout + ran.stderr
            if ran.returncode != 0:
                return [script], seen
        return [], seen


@contextlib.contextmanager
def comment_server(comments):
    """A server that keeps the comments that it gets."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            comments.append((self.path, self.headers, urllib.parse.parse_qs(body)["body"][0]))
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def check_pull_request(template, number, name):
    """Judges a pull request on both products; returns a line for each of them."""
    place = DIRECTORY / name
    repository = Repository(place / "repository", template, number, PULL_REQUESTS[name])
    lines = []
    for product in (GitHub(repository), GitLab(repository)):
        kind = type(product).__name__
        failed, seen, comment = product.run(name, number, place / kind)
        assert bool(failed) == (name not in INNOCENT), f"{name} on {kind}: failed steps {failed}\n{seen}"
        if name in UNTESTED:
            judged = failed in (["Test"], ["tokenward test"])
        else:
            judged = all(step in ("Gate", "Test") or "compile --check" in step for step in failed)
            judged = judged and "Test" not in failed[:1]
        assert judged, f"{name} on {kind}: it failed elsewhere: {failed}\n{seen}"
        assert comment, f"{name} on {kind}: no comment"
        if name == "widens":
            assert "allows more" in comment and "/rest/api/2/issue/" in comment, comment
        assert not repository.marker.exists(), f"{name} on {kind}: code of the pull request was run"
        lines.append(f"{name} on {kind}: {'fails at ' + failed[0].splitlines()[0][:60] if failed else 'passes'}")
    return lines


def check_pull_requests():
    """Judges all pull requests, as many at a time as there are processors; their jobs share nothing."""
    template = Repository.template(DIRECTORY / "template")
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        judged = [
            pool.submit(check_pull_request, template, number, name)
            for number, name in enumerate(PULL_REQUESTS, start=1)
        ]
        lines = [line for one in judged for line in one.result()]
    print("\n".join(lines))
    return len(lines)


def check_hooks():
    """Commits with the hooks of this repository: good ones pass, others are refused."""
    place = DIRECTORY / "pre-commit"
    hooks, work, home = place / "hooks", place / "work", place / "home"
    for directory in (hooks, work, home, place / "bin"):
        directory.mkdir(parents=True)
    (place / "bin/tokenward").symlink_to(BINARY)
    environment = {
        "PATH": f"{place}/bin:{TOOLS}:{SYSTEM}",
        "HOME": str(home),
        "PRE_COMMIT_HOME": str(home / "cache"),
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    for part in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{part}_NAME": "T", f"GIT_{part}_EMAIL": "t@example.com"}

    def git(where, *arguments):
        command = ["git", "-c", "protocol.file.allow=always", *arguments]
        return subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False)

    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
    for where in (hooks, work):
        git(where, "init", "-q", "-b", "main")
    git(hooks, "add", ".")
    git(hooks, "commit", "-q", "-m", "hooks")
    revision = git(hooks, "rev-parse", "HEAD").stdout.strip()
    identifiers = [hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())]
    configuration = {"repos": [{"repo": str(hooks), "rev": revision, "hooks": [{"id": name} for name in identifiers]}]}
    (work / ".pre-commit-config.yaml").write_text(yaml.safe_dump(configuration))
    installed = subprocess.run(
        ["pre-commit", "install"], cwd=work, env=environment, capture_output=True, text=True, check=False
    )
    assert installed.returncode == 0, installed
    (work / "tokenward.toml").write_text('[upstream]\nurl = "http://127.0.0.1:9"\n')
    (work / "policies/tests").mkdir(parents=True)
    (work / "policies/tests/ci.toml").write_text(TESTS)
    file = work / "policies/ci.toml"
    for name, text, passes in [
        ("good", policy("[get]/rest/api/2/issue/KANBAN-\\d+"), True),
        ("wrong", policy("[gett]/rest/api/2/issue/KANBAN-\\d+"), False),
        ("unformatted", policy("[put,get]/rest/api/2/issue/KANBAN-\\d+"), False),
        ("warned", policy("[get]/rest/api/2/issue/KANBAN-\\d+", expires=False), False),
        ("untested", policy("[get]/rest/api/2/issue/KANBAN-2"), False),
    ]:
        file.write_text(text)
        git(work, "add", ".")
        done = git(work, "commit", "-q", "-m", name)
        assert (done.returncode == 0) == passes, (name, done)
        print(f"pre-commit: {name} {'passes' if passes else 'is refused'}")
    return len(identifiers)


jobs = check_pull_requests()
hooks = check_hooks()
print(f"ci: {jobs} runs of the jobs, {hooks} hooks: ok")
