#!/usr/bin/env python3
"""`tokenward reach` with real descriptions of APIs.

    reach_check.py TOKENWARD DESCRIPTIONS DIRECTORY POLICIES

Each result for a sample of operations is asked again with `ask`, which takes the operation as a line. Versions are compared after
operations were removed, moved and added by this program, which knows the right answer.
"""
import gzip
import json
import os
import pathlib
import random
import re
import resource
import subprocess
import sys
import time
from urllib.parse import urlsplit

TOKENWARD, DESCRIPTIONS, DIRECTORY, POLICIES = sys.argv[1], *map(pathlib.Path, sys.argv[2:])
# Few, for a debug build; a release takes about an eighth of a second for each.
TOKENS = int(os.environ.get("TOKENWARD_REACH_TOKENS", "20"))
SAMPLES = 40
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


def fail(text):
    sys.exit(f"error: {text}")


def run(*arguments, codes=(0,)):
    ran = subprocess.run([TOKENWARD, *map(str, arguments)], cwd=DIRECTORY, capture_output=True, text=True)
    if ran.returncode not in codes:
        fail(f"{arguments}: exit code {ran.returncode}\n{ran.stdout[:2000]}\n{ran.stderr[:2000]}")
    return ran


def unpacked():
    """The descriptions, as files in the directory."""
    for path in sorted(DESCRIPTIONS.iterdir()):
        name = path.name.removesuffix(".gz")
        if not name.endswith(".json"):
            continue
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        (DIRECTORY / name).write_bytes(data)


def configure(product, url):
    text = f'[upstream]\nproduct = "{product}"\npublic_url = "{url}"\nendpoints = ["/*"]\n'
    (DIRECTORY / "tokenward.toml").write_text(text)


def token(name, number, lines):
    block = "\n".join(lines)
    return (f'[[token]]\nname = "{name}"\nuser = "svc"\nexpires = 2040-01-01T00:00:00Z\n'
            f'secret_hash = "sha256:{number:064x}"\nlimit_to = \'\'\'\n{block}\n\'\'\'\n')


def policy(name, tokens):
    place = DIRECTORY / name
    place.mkdir(exist_ok=True)
    text = "\n".join(token(f"t{number}", number, lines) for number, lines in enumerate(tokens))
    (place / "tokens.toml").write_text(text)
    return place


def line_of(name, context):
    """An operation as a line below the public URL, which has this path: a parameter is one segment."""
    method, path = name.split(" ", 1)
    path = path.removeprefix(context)
    pieces = re.split(r"(\{[^{}]*\})", path)
    regexp = "".join("[^/]+" if piece.startswith("{") else re.escape(piece) for piece in pieces)
    return f"[{method.lower()}]{regexp}"


def plain_parameters(document):
    """The names of operations whose parameters are plain texts, so that a line can say the same."""
    plain = set()
    for path, item in document["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            own = []
            for parameter in item.get("parameters", []) + item[method].get("parameters", []):
                reference = parameter.get("$ref")
                if reference:
                    parameter = document
                    for part in reference.removeprefix("#/").split("/"):
                        parameter = parameter[part.replace("~1", "/").replace("~0", "~")]
                if parameter.get("in") == "path":
                    own.append(parameter)
            simple = all(
                parameter.get("schema", {}).get("type", "string") == "string"
                and not {"enum", "pattern", "$ref", "oneOf", "anyOf", "allOf"} & parameter.get("schema", {}).keys()
                and not any(key.startswith("x-multi") for key in parameter)
                for parameter in own)
            if simple:
                plain.add((method.upper(), path))
    return plain


def agree(file, product, url, tokens, prefix):
    """`ask` gives the same extents."""
    configure(product, url)
    place = policy(f"policy-{product}", tokens)
    document = json.loads((DIRECTORY / file).read_text())
    plain = plain_parameters(document)
    found = json.loads(run("reach", "--json", "--openapi", file, place).stdout)
    if not found["settled"]:
        fail(f"{file}: not settled")
    names = [operation["name"] for operation in found["operations"]]
    chosen = [name for name in names
              if (name.split(" ", 1)[0], name.split(" ", 1)[1].removeprefix(prefix)) in plain and name.split()[0].lower() in METHODS]
    chosen = random.Random(7).sample(chosen, min(SAMPLES, len(chosen)))
    words = {"all": "full", "some": "part"}
    for name in chosen:
        asked = json.loads(run("ask", "--json", "--policies", place, line_of(name, urlsplit(url).path)).stdout)
        expected = {one["token"]: words.get(one["extent"], one["extent"]) for one in asked["tokens"] if one["may"]}
        given = {one["token"]: cell["extent"] for one in found["tokens"] for cell in one["operations"]
                 if cell["operation"] == name and cell["extent"] in ("full", "part")}
        if expected != given:
            fail(f"{file}: {name}: ask says {expected}, reach says {given}")
    reached = {one["token"]: one["reached"] for one in found["tokens"]}
    print(f"{file}: {len(names)} operations, {len(chosen)} asked again; reached: {reached}")


def drift(file, product, url, line):
    """Of a version with some operations less, exactly those that a line matches are reported."""
    configure(product, url)
    place = policy("policy-drift", [[line]])
    new = json.loads((DIRECTORY / file).read_text())
    old = json.loads(json.dumps(new))
    removed = random.Random(11).sample([path for path in old["paths"]], 25)
    for path in removed:
        del old["paths"][path]
    (DIRECTORY / "old.json").write_text(json.dumps(old))
    found = json.loads(run("reach", "--json", "--openapi", file, "--against", "old.json", place, codes=(1,)).stdout)
    added = sorted(change["operation"] for change in found["changes"] if change["kind"] == "added")
    expected = sum(1 for path in removed for method in new["paths"][path] if method in METHODS)
    if len(added) != expected or any(change["kind"] == "removed" for change in found["changes"]):
        fail(f"drift of {file}: {len(added)} added, {expected} expected")
    if found["unreviewed"] == 0:
        fail(f"drift of {file}: nothing was found")
    reviews = "".join(f'[[reviewed]]\ntoken = "t0"\nkey = "operation"\nvalue = {json.dumps(name)}\nwhy = "a test"\n' for name in added)
    (place / "reviewed.toml").write_text(reviews)
    run("reach", "--openapi", file, "--against", "old.json", place)
    back = json.loads(run("reach", "--json", "--openapi", "old.json", "--against", file, place).stdout)
    if sorted(change["operation"] for change in back["changes"] if change["kind"] == "removed") != added:
        fail(f"drift of {file}: removed operations differ from added ones")
    print(f"{file}: {len(added)} operations added, {found['unreviewed']} of them reached")


def scale():
    """Many tokens and all operations of GitHub."""
    configure("generic", "https://api.github.com")
    tokens = []
    for number in range(TOKENS):
        repository = rf"/repos/acme/repo-{number}"
        tokens.append([
            f"[get]{repository}/.*",
            f"[get,post]{repository}/issues",
            rf"[get,patch]{repository}/issues/\d+",
            f"[post]{repository}/issues/.*/comments[JsonData::body:string==.*]",
            f"[get]/orgs/acme/teams/team-{number}(/.*)?",
            f"[put,delete]{repository}/contents/docs/.*",
            "[get]/user",
            "[get]/search/issues[QueryParam::q==repo:acme/.*]",
            f"!{repository}/actions/secrets.*",
            f"![delete]{repository}/contents/docs/keep.*",
        ])
    place = policy("policy-scale", tokens)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    begin = time.monotonic()
    shown = run("reach", "--openapi", "github-api.json", place).stdout
    took = time.monotonic() - begin
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(shown.splitlines()[0])
    print(f"GitHub, {TOKENS} tokens: {took:.1f} s, peak of memory {max(peak, before) // 1024} MB")
    one = policy("policy-one", [["[get]/repos/acme/.*"]])
    begin = time.monotonic()
    run("reach", "--openapi", "github-api.json", one)
    print(f"GitHub, one token: {time.monotonic() - begin:.1f} s")


def main():
    unpacked()
    jira = [
        [r"[get]/rest/api/2/issue/KANBAN-\d+", r"[get,post]/rest/api/2/issue/KANBAN-\d+/comment", "[get]/rest/api/2/search[QueryParam::jql==.*]"],
        [r"/rest/api/2/.*", "![delete]/rest/api/2/.*"],
        [r"[get]/rest/.*", "!/rest/api/2/user.*"],
        [r"[get]/rest/api/2/project/[^/]+(/.*)?", r"[put]/rest/api/2/project/HR/.*", "!/rest/api/2/project/HR/role.*"],
        [r"/nothing"],
    ]
    agree("jira-dc-10.3.24.json", "jira", "https://jira.example.com", jira, "/rest")
    wiki = [[r"[get]/rest/api/content/.*"], [r"/rest/api/.*", "![delete,put]/rest/api/content/1.*"]]
    agree("confluence-dc-10.0.3.json", "confluence", "https://wiki.example.com/confluence", wiki, "/confluence")
    hub = [[r"[get]/repos/acme/.*", "!/repos/acme/secret/.*"], [r"/orgs/acme/.*", r"[delete]/repos/acme/[a-z]+"]]
    agree("github-api.json", "generic", "https://api.github.com", hub, "")
    drift("jira-dc-10.3.24.json", "jira", "https://jira.example.com", "/rest/api/2/.*")
    scale()


main()
