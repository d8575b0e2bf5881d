#!/usr/bin/env python3
"""Calls whose names are spelled as parsers read them and policies do not write them; judged by the parameters that Rails then has.

    rails_check.py policies
    rails_check.py attack --proxy PORT --rails PORT --tokens TOKENS.json [--number N] [--seed S]"""
import argparse
import collections
import http.client
import json
import random
import sys
import urllib.parse


def values(found):
    """Every scalar in it."""
    if isinstance(found, dict):
        return [value for below in found.values() for value in values(below)]
    if isinstance(found, list):
        return [value for below in found for value in values(below)]
    return [found]


def at(params, *path):
    """Every scalar at a path, or below it."""
    for step in path:
        if isinstance(params, list):
            params = [below.get(step) for below in params if isinstance(below, dict) and step in below]
        elif isinstance(params, dict) and step in params:
            params = params[step]
        else:
            return []
    return values(params)


def project(params):
    return at(params, "issue", "project_id")


# By token: its lines, and whether parameters are as they say.
POLICIES = {
    "node-equal": (["[post]/issues[JsonData::issue.project_id==ex]"], lambda p: project(p) == ["ex"]),
    "node-optional": (["[post]/issues[JsonData::issue.project_id?=ex]"], lambda p: set(project(p)) <= {"ex"}),
    "node-not": (["[post]/issues[JsonData::issue.project_id!=secret]"], lambda p: "secret" not in project(p)),
    "node-forbid": (["[post]/issues", "!/issues[JsonData::issue.project_id==secret]"], lambda p: "secret" not in project(p)),
    "object-only": (["[post]/issues[JsonData::issue.subject?=.*][JsonData::issue.only]"],
                    lambda p: not isinstance(p.get("issue"), dict) or set(p["issue"]) <= {"subject"}),
    "parameter-equal": (['[post]/issues[QueryParam::"issue[project_id]"==ex]'], lambda p: set(project(p)) == {"ex"}),
    "parameter-optional": (['[post]/issues[QueryParam::"issue[project_id]"?=ex]'], lambda p: set(project(p)) <= {"ex"}),
    "parameter-not": (['[post]/issues[QueryParam::"issue[project_id]"!=secret]'], lambda p: "secret" not in project(p)),
    "parameter-forbid": (["[post]/issues", '!/issues[QueryParam::"issue[project_id]"==secret]'], lambda p: "secret" not in project(p)),
    "flat-not": (["[post]/issues[QueryParam::state!=closed]"], lambda p: "closed" not in at(p, "state")),
    "flat-only": (["[post]/issues[QueryParam::state==open][QueryParam::only]"],
                  lambda p: set(p) <= {"state", "issue"} and set(at(p, "state")) == {"open"} and not p.get("issue")),
    "root-only": (["[post]/issues[JsonData::name?=ex][JsonData::only]"], lambda p: set(p) <= {"name", "issue"} and set(at(p, "name")) <= {"ex"}),
}
NAMES = ["issue", "project_id", "state", "subject", "name", "_json", "a", "0"]
VALUES = ["secret", "ex", "closed", "open", "x"]
SPELLINGS = ["{0}", "{0}[{1}]", "[{0}][{1}]", "{0}][{1}]", "]{0}[{1}]", "[[{0}[{1}]", "{0}[[{1}]]", "{0}[{1}", "{0}[]{1}", "{0}[][{1}]",
             "[{0}]", "{0}]", "[{0}", "{0}[]", "{0}[", "{0}.{1}", "{0}[{1}][]", "{0}[{1}]x", "_{0}", "{0}[{1}(1i)]", " {0}", "[]{0}[{1}]"]
PARTS = ["[", "]", "[]", "issue", "project_id", "state", ".", "_json", "name", " "]


def name(rng):
    if rng.random() < 0.2:
        return "".join(rng.choice(PARTS) for _ in range(rng.randint(1, 6)))
    first, second = rng.choices(NAMES, [5, 4, 4, 2, 2, 2, 1, 1], k=2)
    return rng.choice(SPELLINGS).format(first, "project_id" if first == "issue" and rng.random() < 0.7 else second)


def body(rng):
    if rng.random() < 0.15:
        return rng.choice([[{"name": "ex"}], [], [{"name": "secret"}], "ex", None, {}])
    members = {}
    if rng.random() < 0.5:
        members["issue"] = rng.choice([{"project_id": "ex"}, {"project_id": "secret"}, {"subject": "x"}, {}, None, [], False])
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        members[rng.choice(NAMES) if rng.random() < 0.6 else name(rng)] = rng.choice(VALUES)
    return members


# Calls as the lines mean them: by them it shows that what is refused is not all.
PLAIN = {
    "flat-only": [([("state", "open")], {})],
    "node-optional": [([], {"issue": {"subject": "x"}}), ([], {"issue": {"project_id": "ex"}}), ([("a", "x")], {})],
    "object-only": [([], {"issue": {"subject": "x"}, "name": "x"})],
    "parameter-equal": [([("issue[project_id]", "ex")], {"name": "x"}), ([("issue[project_id]", "ex"), ("issue[subject]", "x")], {})],
}


def calls(rng, number):
    tokens = list(POLICIES)
    for token, plain in PLAIN.items():
        for query, members in plain:
            yield token, query, members, True
    for _ in range(number):
        query = [(name(rng), rng.choice(VALUES)) for _ in range(rng.choice([0, 1, 1, 2]))]
        if rng.random() < 0.3:
            query.append(rng.choice([("issue[project_id]", "ex"), ("state", "open")]))
        rng.shuffle(query)
        yield rng.choice(tokens), query, body(rng), False


class Connection:
    """Kept alive; made again where the server closed it."""

    def __init__(self, port):
        self.inner = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def call(self, target, payload, headers):
        for last in (False, True):
            try:
                self.inner.request("POST", target, body=payload, headers=headers | {"Content-Type": "application/json"})
                answer = self.inner.getresponse()
                return answer.status, answer.read()
            except (http.client.RemoteDisconnected, ConnectionError):
                self.inner.close()
                if last:
                    raise


def attack(a):
    with open(a.tokens, encoding="utf-8") as file:
        bearer = {token: {"Authorization": f"Bearer {secret}"} for token, secret in json.load(file).items()}
    proxy, rails = Connection(a.proxy), Connection(a.rails)
    seen, allowed, wrong, would = collections.Counter(), collections.Counter(), [], 0
    for token, query, members, plain in calls(random.Random(a.seed), a.number):
        target = "/issues" + ("?" + urllib.parse.urlencode(query) if query else "")
        payload = json.dumps(members).encode()
        holds = POLICIES[token][1]
        status, text = proxy.call(target, payload, bearer[token])
        if plain and status != 200:
            wrong.append(f"[{token}] {target} {payload.decode()}: status {status}, though it is what the line says")
        if status == 200:
            params = json.loads(text)
            allowed[token] += 1
            seen["allowed"] += 1
            if not holds(params):
                wrong.append(f"[{token}] {target} {payload.decode()}: Rails has {params}")
        elif status == 400 and b'"refused"' in text:
            seen["refused by Rails"] += 1
        else:
            seen[f"{status} {json.loads(text).get('reason', '')}"] += 1
            status, text = rails.call(target, payload, {})
            would += status == 200 and not holds(json.loads(text))
    for line in wrong[:30]:
        print(line)
    print(f"{a.number} calls (seed {a.seed}): " + ", ".join(f"{n} x {what}" for what, n in sorted(seen.items())) +
          f"; of those refused by the proxy {would} would have broken their line; {len(wrong)} wrong")
    if silent := [token for token in POLICIES if not allowed[token]]:
        print(f"error: no call was allowed for {', '.join(silent)}")
        return 1
    return 1 if wrong or not would else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("policies")
    attacks = verbs.add_parser("attack")
    for option, kind, default in (("--proxy", int, None), ("--rails", int, None), ("--tokens", str, None), ("--number", int, 4000),
                                  ("--seed", int, 1)):
        attacks.add_argument(option, type=kind, default=default, required=default is None)
    a = parser.parse_args()
    if a.verb == "policies":
        print(json.dumps({token: {"limits": lines} for token, (lines, _) in POLICIES.items()}, indent=1))
        return 0
    return attack(a)


if __name__ == "__main__":
    sys.exit(main())
