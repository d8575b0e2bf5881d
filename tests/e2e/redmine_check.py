#!/usr/bin/env python3
"""Attacks on a policy for Redmine that names the project `ex`; judged by what Redmine then has in the project `secret`.

    redmine_check.py policies REDMINE                      prints the policies, for tokens.py
    redmine_check.py attack REDMINE PROXY TOKENS.json      makes the calls, and says what they came to
"""
import collections
import http.client
import json
import sys
import urllib.parse

KEY = {"X-Redmine-API-Key": "a" * 40}  # The administrator's, from the shared seed.
# Spellings of `issue.project_id` and of what is above and below it: some parser of names reads each so.
NESTED = ["issue[project_id]", "[issue][project_id]", "issue][project_id]", "]issue[project_id]", "[[issue[project_id]",
          "issue[[project_id]]", "issue[project_id", "issue[project_id]]", "[issue[project_id]", "issue]]]project_id", "issue[]project_id",
          "issue[][project_id]", "issue[project_id][]", "issue", "issue[]", "[issue]", "issue.project_id", "Issue[project_id]",
          "_issue[project_id]", "!issue[project_id]", " issue[project_id]", "issue['project_id']", "issue[project_id(1i)]"]
FLAT = ["[project_id]", "project_id]", "]project_id", "[[project_id", "project_id[]", "project_id[0]", "[]project_id", "Project_id",
        "project.id", " project_id", "_project_id", "!project_id", "project_id(1i)"]


class Failed(Exception):
    pass


def call(origin, method, target, headers, body=None):
    url = urllib.parse.urlsplit(origin)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    headers = dict(headers)
    if body is not None:
        headers["Content-Type"] = "application/json"
    connection.request(method, target, body=None if body is None else json.dumps(body), headers=headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    try:
        return answer.status, json.loads(text) if text else None
    except ValueError:
        return answer.status, text


def project_ids(redmine):
    status, answer = call(redmine, "GET", "/projects.json", KEY)
    if status != 200:
        raise Failed(f"Redmine's projects: status {status}")
    return {project["identifier"]: project["id"] for project in answer["projects"]}


def policies(redmine):
    secret = f"(secret|{project_ids(redmine)['secret']})"
    of_ex = "[post]/projects/ex/issues.json"
    lines = {
        "equal": ["[post]/issues.json[JsonData::issue.project_id==ex]"],
        "not": [f"[post]/issues.json[JsonData::issue.project_id!={secret}]"],
        "optional": [f"{of_ex}[JsonData::issue.project_id?=ex]"],
        "only": [f"{of_ex}[JsonData::issue.subject==.*][JsonData::issue.tracker_id?=.*][JsonData::issue.only]"],
        "forbid": ["[post]/issues.json", f"!/issues.json[JsonData::issue.project_id=={secret}]"],
        "list": ["[get]/issues.json[QueryParam::project_id==ex]"],
        "list-not-more": ["[get]/issues.json[QueryParam::project_id==ex][QueryParam::only]"],
        "list-forbid": ["[get]/projects/ex/issues.json", f"!/projects/ex/issues.json[QueryParam::project_id=={secret}]"],
    }
    return {key: {"limits": limits} for key, limits in lines.items()}


def issue(project, subject):
    fields = {"tracker_id": 1, "subject": subject}
    return {"issue": fields | ({"project_id": project} if project else {})}


def attacks(secret):
    """(token, method, path, query, body) of each."""
    for value in ("secret", str(secret)):
        for token, path in (("equal", "/issues.json"), ("not", "/issues.json"), ("forbid", "/issues.json"),
                            ("optional", "/projects/ex/issues.json"), ("only", "/projects/ex/issues.json")):
            project = None if token == "only" else "ex"
            for name in NESTED:
                query = [(name, value)]
                if name in ("issue", "issue[]", "[issue]"):
                    query += [("issue[tracker_id]", "1"), ("issue[subject]", "attack")]
                yield token, "POST", path, query, issue(project, "attack")
                if token != "equal":
                    yield token, "POST", path, query + [("issue[subject]", "attack"), ("issue[tracker_id]", "1")], {}
                # What is beside it stands for the body's whole object, which is then gone.
                yield token, "POST", path, query + [("[issue][subject]", "attack"), ("[issue][tracker_id]", "1")], issue(project, "attack")
            for name in NESTED[:8] + ["project_id", "Project_id", "[project_id]"]:
                yield token, "POST", path, [], issue(project, "attack") | {name: value}
                yield token, "POST", path, [], {name: value, "subject": "attack", "tracker_id": 1}
        for token, path in (("list", "/issues.json"), ("list-not-more", "/issues.json"), ("list-forbid", "/projects/ex/issues.json")):
            for name in FLAT:
                query = [] if token == "list-forbid" else [("project_id", "ex")]
                yield token, "GET", path, query + [(name, value)], None
                yield token, "GET", path, [(name, value)] + query, None


def names_secret(answer):
    return any(found.get("project", {}).get("name") == "Secret" for found in (answer or {}).get("issues", [])) if isinstance(answer, dict) else False


def secret_issues(redmine):
    status, answer = call(redmine, "GET", "/issues.json?project_id=secret&status_id=*", KEY)
    if status != 200:
        raise Failed(f"Redmine's issues of `secret`: status {status}")
    return answer["total_count"]


def attack(redmine, proxy, tokens):
    bearer = {token: {"Authorization": f"Bearer {secret}"} for token, secret in tokens.items()}
    before = secret_issues(redmine)
    legitimate = [
        ("equal", "POST", "/issues.json", issue("ex", "legitimate"), 201),
        ("not", "POST", "/issues.json", issue("ex", "legitimate"), 201),
        ("forbid", "POST", "/issues.json", issue("ex", "legitimate"), 201),
        ("optional", "POST", "/projects/ex/issues.json", issue(None, "legitimate"), 201),
        ("only", "POST", "/projects/ex/issues.json", issue(None, "legitimate"), 201),
        ("list", "GET", "/issues.json?project_id=ex&limit=5&sort=id&f%5B%5D=status_id&op%5Bstatus_id%5D=o", None, 200),
        ("list-not-more", "GET", "/issues.json?project_id=ex", None, 200),
        ("list-forbid", "GET", "/projects/ex/issues.json?limit=5", None, 200),
        ("equal", "POST", "/issues.json", issue("secret", "plain"), 403),
        ("list", "GET", "/issues.json?project_id=secret", None, 403),
    ]
    wrong = []
    for token, method, target, body, expected in legitimate:
        status, answer = call(proxy, method, target, bearer[token], body)
        if status != expected:
            wrong.append(f"{method} {target} {body} [{token}]: status {status}, {expected} expected: {answer}")
    seen = collections.Counter()
    ids = project_ids(redmine)
    for token, method, path, query, body in attacks(ids["secret"]):
        target = path + ("?" + urllib.parse.urlencode(query) if query else "")
        status, answer = call(proxy, method, target, bearer[token], body)
        code = answer.get("reason") if isinstance(answer, dict) else None
        seen[f"{status} {code or ''}".strip()] += 1
        after = secret_issues(redmine)
        if after != before:
            wrong.append(f"MADE IN SECRET: {method} {target} {json.dumps(body)} [{token}]: status {status}")
            before = after
        if names_secret(answer):
            wrong.append(f"SHOWN: {method} {target} [{token}]: status {status}")
    # Straight to Redmine the same attack does make one: so a zero above means something.
    target = "/issues.json?" + urllib.parse.urlencode([("[issue][project_id]", "secret"), ("[issue][tracker_id]", "1"), ("issue][subject]", "proof")])
    status, _ = call(redmine, "POST", target, KEY, issue("ex", "proof"))
    if status != 201 or secret_issues(redmine) != before + 1:
        wrong.append(f"the attack without the proxy made no issue (status {status}): this test shows nothing")
    for line in wrong[:30]:
        print(line)
    print(f"{len(legitimate)} plain calls, {sum(seen.values())} attacks: " + ", ".join(f"{n} x {what}" for what, n in sorted(seen.items())) +
          f"; {len(wrong)} wrong")
    return 1 if wrong else 0


def main():
    try:
        if sys.argv[1:2] == ["policies"] and len(sys.argv) == 3:
            print(json.dumps(policies(sys.argv[2]), indent=1))
        elif sys.argv[1:2] == ["attack"] and len(sys.argv) == 5:
            with open(sys.argv[4], encoding="utf-8") as file:
                return attack(sys.argv[2], sys.argv[3], json.load(file))
        else:
            print(__doc__, file=sys.stderr)
            return 2
    except Failed as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
