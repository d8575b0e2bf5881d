"""Writes policies with many kinds of findings, runs `compile` in each format, and validates the documents.

Also formats the shared mistakes: each is formatted with a proof, or refused because it cannot be parsed.

usage: formats_check.py TOKENWARD DIRECTORY SCHEMA ROOT SHARED
"""

import json
import re
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import jsonschema

BINARY, DIRECTORY, SCHEMA, ROOT, SHARED = sys.argv[1:]
CONFIGURATION = '[upstream]\nurl = "http://127.0.0.1:8090"\npublic_url = "https://jira.example.com"\nproduct = "jira"\n'
HASH = "1" * 64
# `minLength` and formats are checked too.
CHECKER = jsonschema.FormatChecker()


def policies():
    """Directories with policies: the mistakes that people make, each by itself, and the examples."""
    cases = tomllib.loads((Path(ROOT) / "tests/corpus/mistakes/cases.toml").read_text())["case"]
    for case in cases:
        if "lines" not in case:
            continue
        place = Path(DIRECTORY) / case["name"]
        (place / "policies/Grüße % [a]").mkdir(parents=True)
        (place / "tokenward.toml").write_text(CONFIGURATION)
        text = f'[[token]]\nname = "ci"\nuser = "svc-ci"\nsecret_hash = "sha256:{HASH}"\nlimit_to = \'\'\'\n{case["lines"]}\'\'\'\n'
        (place / "policies/Grüße % [a]/ci.toml").write_text(text)
        (place / "policies/nearly.limit").write_text("/rest/x\n")
        yield place
    place = Path(DIRECTORY) / "absent"
    place.mkdir()
    (place / "tokenward.toml").write_text(CONFIGURATION)
    yield place


def run(place, form):
    command = [BINARY, "compile", "--check", "--format", form, "policies"]
    ran = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert ran.returncode in (0, 1, 3), (place, ran)
    return ran.returncode, ran.stdout


def check_sarif(place, schema):
    code, out = run(place, "sarif")
    document = json.loads(out)
    jsonschema.Draft7Validator(schema, format_checker=CHECKER).validate(document)
    [sarif] = document["runs"]
    rules = sarif["tool"]["driver"]["rules"]
    for result in sarif["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"], (place, result)
        assert result["partialFingerprints"]["tokenwardFinding/v1"], (place, result)
        for location in result["locations"]:
            uri = location["physicalLocation"]["artifactLocation"]["uri"]
            assert re.fullmatch(r"[A-Za-z0-9/._~!$&'()*+,;=@%-]+", uri) and not uri.startswith("/"), uri
    assert sarif["invocations"][0]["executionSuccessful"] == (code != 3), (place, code)
    return len(sarif["results"]), sum("fixes" in result for result in sarif["results"])


def check_gitlab(place):
    code, out = run(place, "gitlab")
    issues = json.loads(out)
    assert code == 0 or issues, place
    prints = [issue["fingerprint"] for issue in issues]
    assert len(set(prints)) == len(prints), place
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}, issue
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker"), issue
        assert not issue["location"]["path"].startswith(("/", "./")), issue
        assert issue["location"]["lines"]["begin"] >= 1, issue


def check_junit(place):
    code, out = run(place, "junit")
    root = ElementTree.fromstring(out)
    cases = root.findall("./testsuite/testcase")
    failures, errors = root.findall(".//failure"), root.findall(".//error")
    for counted in (root, root.find("testsuite")):
        counts = tuple(int(counted.get(name)) for name in ("tests", "failures", "errors"))
        assert counts == (len(cases), len(failures), len(errors)), (place, counts)
    assert bool(failures or errors) == (code != 0), place


def check_github(place):
    _, out = run(place, "github")
    *commands, last = out.splitlines()
    assert last.startswith("tokenward: "), out
    for command in commands:
        assert re.fullmatch(r"::(error|warning) ([a-zA-Z]+=[^:,]*)(,[a-zA-Z]+=[^:,]*)*::.+", command), command
    for kind in ("::error ", "::warning "):
        assert sum(command.startswith(kind) for command in commands) <= 10, out


def check_diff(schema):
    """A change that allows more, in each format."""
    place = Path(DIRECTORY) / "diff"
    for side, lines in (("old", "[get]/rest/a"), ("new", "[get]/rest/a\n[post]/rest/b")):
        (place / side).mkdir(parents=True)
        text = f'[[token]]\nname = "ci"\nuser = "svc"\nsecret_hash = "sha256:{HASH}"\nexpires = 2090-01-01\nlimit_to = \'\'\'\n{lines}\n\'\'\'\n'
        (place / side / "ci.toml").write_text(text)
    (place / "tokenward.toml").write_text(CONFIGURATION)
    # Paths are relative to the top of the checkout. So the place is one of its own, wherever this test runs.
    subprocess.run(["git", "init", "--quiet", place], check=True)
    texts = {}
    for form in ("sarif", "gitlab", "junit", "github"):
        command = [BINARY, "diff", "--old-config", "tokenward.toml", "--format", form, "old", "new"]
        ran = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        assert ran.returncode == 1 and "new/ci.toml" in ran.stdout, ran
        texts[form] = ran.stdout
    jsonschema.Draft7Validator(schema, format_checker=CHECKER).validate(json.loads(texts["sarif"]))
    [issue] = json.loads(texts["gitlab"])
    assert issue["check_name"] == "TW0301" and issue["severity"] == "critical", issue
    assert len(ElementTree.fromstring(texts["junit"]).findall(".//failure")) == 1, texts["junit"]
    assert texts["github"].startswith("::error file=new/ci.toml,line=8,"), texts["github"]
    # A side that cannot be read: a document that says so.
    for form in ("sarif", "gitlab", "junit", "json"):
        command = [BINARY, "diff", "--old-config", "tokenward.toml", "--format", form, "old", "absent"]
        ran = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        assert ran.returncode == 3 and "absent" in ran.stdout, ran
        texts[form] = ran.stdout
    jsonschema.Draft7Validator(schema, format_checker=CHECKER).validate(json.loads(texts["sarif"]))
    assert json.loads(texts["gitlab"]) and json.loads(texts["json"])["widens"] is True, texts
    assert len(ElementTree.fromstring(texts["junit"]).findall(".//error")) == 1, texts["junit"]


def check_fmt():
    """Formats each mistake once, which must be enough; the number of formatted ones."""
    formatted = 0
    for mistake in sorted((Path(SHARED) / "mistakes").iterdir()):
        place = Path(DIRECTORY) / "fmt" / mistake.name
        shutil.copytree(mistake, place)
        before = {file: file.read_bytes() for file in place.rglob("*") if file.is_file()}
        codes = []
        for arguments in ([], ["--check"]):
            command = [BINARY, "fmt", *arguments, "policies"]
            codes.append(subprocess.run(command, cwd=place, capture_output=True, check=False).returncode)
        assert codes in ([0, 0], [2, 2]), (mistake, codes)
        if codes == [2, 2]:
            readable = [file for file in before if file.suffix == ".toml" and file.read_bytes() == before[file]]
            assert readable, mistake
        formatted += codes == [0, 0]
    return formatted


schema = json.loads(Path(SCHEMA).read_text())
count = results = fixes = 0
for place in policies():
    found, fixed = check_sarif(place, schema)
    check_gitlab(place)
    check_junit(place)
    check_github(place)
    count, results, fixes = count + 1, results + found, fixes + fixed
assert count > 30 and results > 80 and fixes > 0, (count, results, fixes)
check_diff(schema)
formatted = check_fmt()
assert formatted > 40, formatted
print(f"{formatted} of the shared mistakes are formatted, the others cannot be parsed")
print(f"{count} policies, {results} results, {fixes} with fixes: all documents are valid")
