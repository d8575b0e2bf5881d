#!/usr/bin/env python3
"""Measures `tokenward reach`: some 1,200 operations, tokens with 10 lines each, time and peak memory.

Every token has its own names, so that few lines are equal, and forbid lines and conditions, so that many answers need a proof.
"""
import argparse
import json
import os
import pathlib
import resource
import sys
import tempfile
import time

AREAS = [f"area{at}" for at in range(1, 31)]
PARTS = ["", "/{item}", "/{item}/comments", "/{item}/comments/{id}", "/{item}/state", "/{item}/labels", "/{item}/labels/{name}",
         "/{item}/files/{path}", "/search", "/settings"]
HEADS = {"r": "/repos/{owner}/{repo}", "o": "/orgs/{org}"}
METHODS = [("get", "post"), ("get", "put", "patch", "delete"), ("get", "post"), ("get", "patch", "delete"), ("get", "put"),
           ("get", "post", "put", "delete"), ("delete",), ("get", "put", "delete"), ("get", "post"), ("get", "patch")]


def description():
    """30 areas with 25 operations each below repositories, and with 17 below organisations."""
    paths = {}
    for area in AREAS:
        for part, methods in zip(PARTS, METHODS):
            paths[f"{HEADS['r']}/{area}{part}"] = operations(methods, "r", area, part)
        for part, methods in zip(PARTS[:6], METHODS):
            paths[f"{HEADS['o']}/{area}{part}"] = operations(methods, "o", area, part)
    return {"openapi": "3.0.3", "info": {"title": "bench", "version": "1"}, "paths": paths}


def operations(methods, kind, area, part):
    name = "".join(letter for letter in part if letter.isalnum())
    numbered = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    names = [word.strip("{}") for word in (HEADS[kind] + part).split("/") if word.startswith("{")]
    text = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names if name != "id"]
    parameters = text + ([numbered] if "id" in names else [])
    return {method: {"operationId": f"{method}_{kind}_{area}_{name}", "parameters": parameters} for method in methods}


def lines(at):
    own, area, other = f"/repos/octo/r{at}", AREAS[at % 30], AREAS[(at * 7 + 3) % 30]
    return [
        f"[get]{own}/.*",
        f"[get,post]{own}/{area}/[0-9]+/comments",
        f"[get]/orgs/org-{at}/.*",
        f"[get]/repos/octo/.*/{other}/.*/labels",
        f"[patch]{own}/{area}/[^/]+[JsonData::state==closed]",
        f"[get]/orgs/.*/{area}/search[QueryParam::q==r{at}]",
        f"[put]{own}/{other}/[^/]+/files/docs.*",
        f"[get,put,patch]/repos/octo/r{at}-[a-z]+/{area}/.*",
        "![delete]/.*",
        f"!{own}/{area}/.*/secret.*",
    ]


def policy(tokens):
    out = []
    for at in range(tokens):
        out.append(f'[[token]]\nname = "t{at}"\nuser = "svc"\nsecret_hash = "sha256:{at:064x}"\nexpires = 2099-01-01T00:00:00Z\n')
        out.append("limit_to = '''\n" + "\n".join(lines(at)) + "\n'''\n")
    return "".join(out)


def run(binary, directory, tokens):
    root = pathlib.Path(directory, str(tokens))
    policies = root / "policies"
    policies.mkdir(parents=True)
    (policies / "bench.toml").write_text(policy(tokens))
    (root / "tokenward.toml").write_text('[upstream]\npublic_url = "https://api.example.com"\nproduct = "generic"\nendpoints = ["/*"]\n')
    (root / "api.json").write_text(json.dumps(description()))
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.chdir(root)
        out = os.open("out.txt", os.O_WRONLY | os.O_CREAT)
        os.dup2(out, 1)
        os.execv(binary, [binary, "reach", "--openapi", "api.json", "policies"])
    _, status, usage = os.wait4(child, 0)
    took = time.monotonic() - started
    first = (root / "out.txt").read_text().splitlines()[:1]
    print(f"{tokens:>6} tokens: {took:6.2f} s, {usage.ru_utime + usage.ru_stime:6.2f} s of CPU, {usage.ru_maxrss // 1024} MiB: {first}")
    return took, os.waitstatus_to_exitcode(status)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--tokens", type=int, nargs="*", default=[10, 100, 1000])
    parser.add_argument("--limit", type=float, default=10.0, help="seconds for the largest number of tokens")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        for tokens in args.tokens:
            took, code = run(os.path.abspath(args.binary), directory, tokens)
            if code != 0:
                sys.exit(f"`tokenward reach` ended with {code}")
    if took > args.limit:
        sys.exit(f"{took:.1f} s, and the limit is {args.limit} s")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
