#!/usr/bin/env python3
"""Generates names of parameters, asks each framework's own parser where it files them, and compares with the paths that the proxy
takes such a name to stand for: these must have every one of the parser's.

usage: check.py --ours COMMAND [--number N] [--seed S] PARSER=COMMAND…"""
import argparse
import json
import random
import shlex
import subprocess
import sys

PARTS = ["[", "]", "[]", "][", ".", "..", " ", "_", "!", "'", '"', "(1i)", "(", ")", "-", "+", "%", "=", "&", "é", "K", "0", "7", "25",
         "a", "b", "c", "A", "issue", "project_id", "__proto__", "constructor", "_method", "[a]", "[b]", "['a']", "[0]", ".b", "[ ]"]
FIXED = ["issue", "issue[project_id]", "[issue][project_id]", "issue][project_id]", "]issue[project_id]", "[[issue[project_id]",
         "issue[]project_id", "issue[[project_id]]", "[]issue", "issue[project_id]x", "issue[project_id", "issue.project_id",
         " issue[project_id]", "issue[project_id][", "issue[", "issue[]", "issue[][project_id]", "issue[0][project_id]", "_issue[a]",
         "!issue.a", "issue[a(1i)]", "a" + "[b]" * 40, "a" + "[b]" * 7 + "c", "a" + ".b" * 12, "[" * 50 + "a", "a" + "[" * 50,
         "a[]" * 9, "issue[project_id]]", "[issue", "]", "[", "[]", "[][a]", "a.", ".a", "a[.b]", "a[b].c[d", "a]b[c]"]


def names(number, seed):
    rng = random.Random(seed)
    yield from FIXED
    for _ in range(number):
        name = "".join(rng.choice(PARTS) for _ in range(rng.randint(1, 9)))
        yield name[: rng.randint(1, len(name))] if rng.random() < 0.2 else name


def ask(command, given):
    done = subprocess.run(shlex.split(command), input="".join(json.dumps(name) + "\n" for name in given), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
    answers = done.stdout.splitlines()
    if done.returncode or len(answers) != len(given):
        sys.exit(f"error: `{command}` answered {len(answers)} of {len(given)} names, exit code {done.returncode}\n{done.stderr}")
    return done.stderr.strip().splitlines()[-1:], [json.loads(answer) for answer in answers]


def has(ours, theirs):
    """Whether a path of ours is theirs: as it is, with an element for an index, or cut where it is too long."""
    same = lambda own, their: own is None or their is None or own == their
    return any(all(map(same, own, theirs)) and (len(own) == len(theirs) or len(own) == 32 < len(theirs)) for own in ours)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True)
    parser.add_argument("--number", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("parsers", nargs="+")
    a = parser.parse_args()
    given = list(names(a.number, a.seed))
    ours = ask(a.ours, given)[1]
    missing = 0
    for label, command in (entry.split("=", 1) for entry in a.parsers):
        version, theirs = ask(command, given)
        filed = [(name, path, own) for name, paths, own in zip(given, theirs, ours) for path in paths]
        lacking = [(name, path, own) for name, path, own in filed if not has(own, path)]
        for name, path, own in lacking[:10]:
            print(f"MISSING {label}: {name!r} is {path!r}, ours {own!r}")
        print(f"{label} ({' '.join(version)}): {len(given)} names, {len(filed)} paths, {len(lacking)} missing")
        if not filed:
            print(f"error: {label} filed nothing")
        missing += len(lacking) + (not filed)
    sys.exit(1 if missing else 0)


main()
