#!/usr/bin/env python3
"""PyPI's `jira` and curl through the proxy, each call compared with the same call straight to the upstream.

Allowed calls give the direct answer; forbidden ones give a 403 that the client shows; afterwards the audit has every call that
was made, and no other.
"""
import argparse
import collections
import json
import subprocess
import sys
import time
import urllib.parse

import jira
from requests.adapters import HTTPAdapter

import audit

failures = []
made = []  # (method, path, decoded query, status) of every call to the proxy
checks = 0


def check(what, fine, detail=""):
    global checks
    checks += 1
    if not fine:
        failures.append(f"{what}: {detail}")


def remember(method, url, status):
    parts = urllib.parse.urlsplit(url)
    query = tuple(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
    made.append((method, urllib.parse.unquote(parts.path), query, status))


def watch(port):
    """Records every HTTP call of the `jira` client to the proxy, as it leaves."""
    plain = HTTPAdapter.send

    def send(self, request, **options):
        answer = plain(self, request, **options)
        if urllib.parse.urlsplit(request.url).port == port:
            remember(request.method, request.url, answer.status_code)
        return answer

    HTTPAdapter.send = send


def task(project):
    return {"project": {"key": project}, "summary": "x", "issuetype": {"name": "Task"}}


CALLS = {
    "reader": {
        "myself": (True, lambda j: j.myself()),
        "issue": (True, lambda j: j.issue("KANBAN-100").raw),
        "issue with fields": (True, lambda j: j.issue("KANBAN-100", fields="summary", expand="names").raw),
        "comments": (True, lambda j: [c.raw for c in j.comments("KANBAN-100")]),
        "transitions": (True, lambda j: j.transitions("KANBAN-100")),
        "projects": (True, lambda j: [p.raw for p in j.projects()]),
        "project": (True, lambda j: j.project("KANBAN").raw),
        "fields": (True, lambda j: j.fields()),
        "search": (True, lambda j: [i.raw for i in j.search_issues("project = KANBAN", maxResults=1)]),
        "search elsewhere": (False, lambda j: j.search_issues("project = HR", maxResults=1)),
        "another project": (False, lambda j: j.project("HR")),
        "comment": (False, lambda j: j.add_comment("KANBAN-100", "hi")),
        "create": (False, lambda j: j.create_issue(fields=task("KANBAN"))),
        "permissions": (False, lambda j: j.my_permissions()),
    },
    "commenter": {
        "comment": (True, lambda j: j.add_comment("KANBAN-100", "gr\u00fc\u00df dich").raw),
        "worklog": (True, lambda j: j.add_worklog("KANBAN-100", timeSpent="3h").raw),
        "filter": (True, lambda j: j.create_filter("n", "d", "project=KANBAN", favourite=False).raw),
        "create": (True, lambda j: j.create_issue(fields=task("KANBAN"), prefetch=False).raw),
        "worklog in days": (False, lambda j: j.add_worklog("KANBAN-100", timeSpent="3d")),
        "favourite filter": (False, lambda j: j.create_filter("n", "d", "project=KANBAN", favourite=True)),
        "create elsewhere": (False, lambda j: j.create_issue(fields=task("HR"))),
        "comment elsewhere": (False, lambda j: j.add_comment("KANBAN-1000", "hi")),
        "myself": (False, lambda j: j.myself()),
        "delete": (False, lambda j: j.issue("KANBAN-100").delete()),
    },
}


def outcome(call, client):
    try:
        return "answer", json.dumps(call(client), sort_keys=True, default=str)
    except jira.JIRAError as error:
        return error.status_code, f"{error} {error.text}"


def jira_calls(args, direct, token, secret, scheme):
    how = {"basic_auth": (args.user, secret)} if scheme == "basic" else {"token_auth": secret}
    through = jira.JIRA(server=f"http://127.0.0.1:{args.proxy}", max_retries=0, timeout=20, **how)
    for name, (allowed, call) in CALLS[token].items():
        what = f"jira {scheme} {token} {name}"
        got, text = outcome(call, through)
        if allowed:
            expected = outcome(call, direct)
            check(what, expected[0] == "answer", f"the direct call failed: {expected}")
            check(what, (got, text) == expected, f"{got} {text[:300]} instead of {expected[1][:300]}")
        else:
            check(what, got == 403, f"{got} {text[:300]}")
            check(what, "no-line" in text or "forbid" in text, f"the client does not show why: {text[:300]}")


def curl(args, port, path, auth, *options):
    """(status, exit code, body, error text) of one curl call; those to the proxy are remembered."""
    url = f"http://127.0.0.1:{port}{path}"
    command = ["curl", "--silent", "--show-error", "--max-time", "20", "--write-out", "\n%{http_code} %{method}", *auth, *options, url]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30, check=False)
    body, _, last = done.stdout.rpartition(b"\n")
    status, _, method = last.decode().partition(" ")
    if port == args.proxy:
        remember(method, url, int(status))
    return int(status), done.returncode, body, done.stderr.decode(errors="replace")


def curl_calls(args, tokens, scheme):
    def auth(secret):
        return ["-u", f"{args.user}:{secret}"] if scheme == "basic" else ["--oauth2-bearer", secret]

    direct = ["-u", "direct:password"]
    js = ("-H", "Content-Type: application/json", "--data-binary")
    big = json.dumps({"body": "x" * 2_000_000})
    with open(args.config + ".big.json", "w", encoding="ascii") as file:
        file.write(big)
    comment = "/rest/api/2/issue/KANBAN-100/comment"
    allowed = [
        ("reader", "/rest/api/2/issue/KANBAN-100?fields=summary&expand=names", ()),
        ("reader", "/rest/api/2/serverInfo", ("--compressed",)),
        ("reader", "/rest/api/2/search?jql=project%20%3D%20KANBAN&maxResults=1", ()),
        ("reader", "/rest/api/2/search", ("-G", "--data-urlencode", "jql=project=KANBAN")),
        ("commenter", comment, (*js, '{"body":"hi"}')),
        ("commenter", comment + "?expand=names", (*js, '{"body":"hi"}')),
        ("commenter", comment, (*js, "@" + args.config + ".big.json")),  # over 1 MB: curl asks with Expect: 100-continue
        ("commenter", comment, (*js, '{"body":"hi"}', "-H", "Transfer-Encoding: chunked")),
        ("commenter", "/rest/api/2/filter", (*js, '{"name":"n","favourite":false}')),
    ]
    for token, path, options in allowed:
        what = f"curl {scheme} {token} {path} {' '.join(options)[:80]}"
        got = curl(args, args.proxy, path, auth(tokens[token]), *options)
        expected = curl(args, args.upstream, path, direct, *options)
        check(what, 200 <= expected[0] < 300, f"the direct call failed: {expected[0]} {expected[2][:200]} {expected[3]}")
        check(what, got[:3] == expected[:3], f"{got[0]} {got[2][:300]} {got[3]} instead of {expected[0]} {expected[2][:300]}")
        if "-G" in options:  # curl has put the data into the query
            method, at, _, status = made.pop()
            made.append((method, at, (("jql", "project=KANBAN"),), status))

    forbidden = [
        ("reader", 403, "/rest/api/2/user?accountId=1", ()),
        ("reader", 403, "/rest/api/2/search?jql=project%3DKANBAN&jql=project%3DHR", ()),
        ("reader", 403, "/rest/api/2/issue/KANBAN-100", ("-X", "DELETE")),
        ("reader", 403, "/rest/api/2/issue/KANBAN-100", ("-I",)),
        ("commenter", 403, "/rest/api/2/filter", (*js, '{"name":"n","favourite":"false"}')),
        ("commenter", 403, "/rest/api/2/filter", ("--data", "favourite=false")),
        ("commenter", 403, "/rest/api/2/issue/KANBAN-100", ("-X", "DELETE")),
        ("reader", 400, "/rest/api/2/issue/%2e%2e/user", ("--path-as-is",)),
    ]
    for token, status, path, options in forbidden:
        what = f"curl {scheme} {token} {path} {' '.join(options)[:80]}"
        got = curl(args, args.proxy, path, auth(tokens[token]), "--fail-with-body", *options)
        check(what, got[0] == status, f"{got[0]} {got[2][:300]}")
        check(what, got[1] == 22, f"curl's exit code {got[1]}")
        if "-I" not in options:
            try:
                problem = json.loads(got[2])
            except ValueError:
                problem = {}
            check(what, problem.get("status") == status and problem.get("reason") and problem.get("request_id"), got[2][:300])
    wrong = curl(args, args.proxy, "/rest/api/2/serverInfo", auth("0" * 40))
    check(f"curl {scheme} wrong secret", wrong[0] == 401, wrong[:3])


def audited(args):
    """The audit against what was made, once the last outcome is in it."""
    for _ in range(100):
        rows = audit.records(args.binary, args.config)
        if len(rows) >= len(made) and all(row.get("outcome") for row in rows):
            break
        time.sleep(0.1)
    recorded = collections.Counter()
    for row in rows:
        parts = urllib.parse.urlsplit(row["url"])
        query = tuple(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        recorded[row["method"], urllib.parse.unquote(parts.path), query, (row.get("outcome") or {}).get("status")] += 1
        if row["verdict"] == "allow":
            line = row.get("line") or {}
            check(f"audit of {row['url']}", row["token"] and row["user"] and line.get("file") and line.get("number"), row)
    expected = collections.Counter(made)
    for call, count in (expected - recorded).items():
        check("audit", False, f"{count} of this call are missing: {call}")
    for call, count in (recorded - expected).items():
        check("audit", False, f"{count} of this call were never made: {call}")
    check("audit", bool(rows), "it is empty")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("tokens", "methods", "user", "binary", "config"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--proxy", type=int, required=True)
    parser.add_argument("--upstream", type=int, required=True)
    args = parser.parse_args()
    with open(args.tokens, encoding="utf-8") as file:
        tokens = json.load(file)
    direct = jira.JIRA(server=f"http://127.0.0.1:{args.upstream}", basic_auth=("direct", "password"), max_retries=0, timeout=20)
    watch(args.proxy)
    for scheme in ("basic", "bearer"):
        if args.methods in (scheme, "both"):
            for token in CALLS:
                jira_calls(args, direct, token, tokens[token], scheme)
            curl_calls(args, tokens, scheme)
    audited(args)
    for failure in failures:
        print("FAIL", failure)
    print(f"{len(made)} calls through the proxy, {checks} checks, {len(failures)} failures")
    sys.exit(1 if failures or not made else 0)


if __name__ == "__main__":
    main()
