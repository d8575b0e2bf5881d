#!/usr/bin/env python3
"""Every token's snippet in every language, run by its real client: the upstream must see exactly the call that was promised.

    snippets.py --binary TOKENWARD --upstream PORT --clients DIRECTORY --round NAME

Runs in the directory with tokenward.toml, beside a running proxy. Makes the tokens if they are not there yet.
"""
import argparse
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time
import urllib.parse

TOKENS = {
    "reader": [r"[get].*/rest/api/2/issue/KANBAN-\d+"],
    "dates": ["[get]/rest/tempo-timesheets/4/worklogs[QueryParam::dateFrom==2018-(0[1-9]|1[0-2])-[0-3][0-9]]"],
    "search": ['[get]/rest/api/2/search[QueryParam::jql==project = "A&B" (AND|OR) x=\'1\'][QueryParam::fields?=x]'],
    "comment": [r"""[post]/rest/api/2/issue/KANBAN-100/comment[JsonData::body==it's "\$x" `é` ‘z’ \{\{n}} %41\\]"""],
    "filter": ["[put]/rest/api/2/filter/[a-f0-9]{8}[JsonData::editable:boolean==false][JsonData::fields.labels[*]==a|b]"],
    "forbidden-first": ["![get]/rest/api/2/user/1", "[get]/rest/api/2/user/[0-9a]"],
    "delete": ["[delete]/rest/api/2/issue/KANBAN-[0-9]"],
}
LANGUAGES = ["curl", "javascript", "python", "powershell", "http", "postman"]
USER = "svc o'neil@example.com"
PATIENCE = 60


class Upstream(http.server.BaseHTTPRequestHandler):
    """Records what arrives."""

    protocol_version = "HTTP/1.1"
    seen = []

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qsl(parts.query, keep_blank_values=True)
        self.seen.append((self.command, urllib.parse.unquote(parts.path), query, body))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer

    def log_message(self, *_):
        pass


def command(language, file, clients, environment):
    """How a snippet is run, and what it is saved as; None if that cannot be done here."""
    if language == "powershell" and not shutil.which("pwsh"):
        return None
    newman = [f"{clients}/newman", "run", file]
    if "TOKENWARD_TOKEN" in environment:
        newman += ["--env-var", "TOKENWARD_TOKEN=" + environment["TOKENWARD_TOKEN"]]
    return {
        "curl": ["bash", file],
        "javascript": ["node", file],
        "python": [sys.executable, file],
        "powershell": ["pwsh", "-NoProfile", "-NonInteractive", "-File", file],
        "http": [f"{clients}/httpyac", "send", file, "--all"],
        "postman": newman,
    }[language]


ENDINGS = {"curl": "sh", "javascript": "mjs", "python": "py", "powershell": "ps1", "http": "http", "postman": "json"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--upstream", type=int, required=True)
    parser.add_argument("--clients", required=True)
    parser.add_argument("--round", required=True)
    a = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", a.upstream), Upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def tokenward(*arguments):
        ran = subprocess.run([a.binary, *arguments], capture_output=True, text=True, timeout=PATIENCE)
        if ran.returncode:
            sys.exit(f"tokenward {' '.join(arguments)}: {ran.stderr}")
        return ran.stdout

    secure = a.round.startswith("secure")
    secrets_file = pathlib.Path("secrets.json")  # of the test alone: a user would have kept them elsewhere
    secrets = json.loads(secrets_file.read_text()) if secrets_file.exists() else {}
    made = not secrets
    for name, lines in TOKENS.items() if made else []:
        limits = [part for line in lines for part in ("--limit", line)]
        arguments = ["--name", name, "--user", USER, "--expires", "1d", "--file", "policies/t.toml", *limits]
        secrets[name] = tokenward("token", "new", *arguments).strip()
    secrets_file.write_text(json.dumps(secrets))
    failures, ran_by, skipped = [], dict.fromkeys(LANGUAGES, 0), set()
    if made:
        await_policy(a, tokenward, secrets)
    folder = pathlib.Path(a.round)
    folder.mkdir()
    for name in TOKENS:
        for language in LANGUAGES:
            told = json.loads(tokenward("token", "snippet", name, "--lang", language, "--json"))
            if (secrets[name] in json.dumps(told)) == secure and language != "http":
                failures.append(f"{name} in {language}: the secret is {'there' if secure else 'not there'}")
            file = folder / f"{name}.{ENDINGS[language]}"
            file.write_text(told["snippet"])
            environment = {"TOKENWARD_TOKEN": secrets[name]} if secure else {}
            arguments = command(language, str(file), a.clients, environment)
            if arguments is None:
                skipped.add(language)
                continue
            before = len(Upstream.seen)
            ran = subprocess.run(
                arguments, capture_output=True, text=True, timeout=PATIENCE,
                env={**os.environ, **environment, "NO_UPDATE_NOTIFIER": "1"},
            )
            seen = Upstream.seen[before:]
            wanted = urllib.parse.urlsplit(told["url"])
            body = json.loads(told["body"]) if told["body"] else None
            expected = (
                told["method"],
                urllib.parse.unquote(wanted.path),
                urllib.parse.parse_qsl(wanted.query, keep_blank_values=True),
                body,
            )
            got = [(method, path, query, json.loads(content) if content else None) for method, path, query, content in seen]
            if got != [expected] or ran.returncode:
                output = (ran.stdout + ran.stderr)[-800:]
                failures.append(f"{name} in {language}: exit {ran.returncode}, upstream saw {got}, not {expected}\n{output}")
            ran_by[language] += 1
    # A wrong secret reaches nobody: the snippets prove something.
    before = len(Upstream.seen)
    text = tokenward("token", "snippet", "reader", "--env")
    wrong = subprocess.run(["bash", "-c", text], capture_output=True, env={**os.environ, "TOKENWARD_TOKEN": "twd_wrong"})
    if not wrong.returncode or len(Upstream.seen) != before:
        failures.append("a wrong secret was let through")
    server.shutdown()
    for failure in failures:
        print("FAILED", failure)
    print(f"{a.round}: {ran_by} snippets ran" + "".join(f"; not run, its client is not installed: {one}" for one in skipped))
    sys.exit(bool(failures))


def await_policy(a, tokenward, secrets):
    """Until the running proxy knows the tokens."""
    end = time.monotonic() + PATIENCE
    last = list(TOKENS)[-1]
    snippet = tokenward("token", "snippet", last)
    while subprocess.run(["bash", "-c", snippet], capture_output=True).returncode:
        if time.monotonic() > end:
            sys.exit("the proxy does not take the tokens up")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
