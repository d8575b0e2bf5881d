"""Checks the JSON Schemas with check-jsonschema: on the policy of the distribution, on the mistakes that are valid TOML, and on bad samples.

usage: schemas_check.py ROOT SHARED DIRECTORY BINARY
"""

import json
import os
import subprocess
import sys
from pathlib import Path

root, shared, directory, binary = (Path(argument) for argument in sys.argv[1:])
schemas = root / "docs" / "schemas"
command = Path(sys.executable).with_name("check-jsonschema")
samples = directory / "samples"
samples.mkdir(parents=True, exist_ok=True)

HASH = "sha256:" + 64 * "0"
TOKEN = f'[[token]]\nname = "a"\nuser = "u"\nsecret_hash = "{HASH}"\nlimit_to = "/x"\n'
GOOD = {
    "tokens": [
        TOKEN,
        TOKEN + 'expires = 2030-01-01T00:00:00Z\nrate = "600/1m"\nmax_body = "1MiB"\nlint_allow = ["TW0101: why"]\n',
        TOKEN.replace('user = "u"', "any_user = true"),
    ],
    "invariants": ['[[never]]\nname = "n"\nlines = "/x"\n'],
    "reviewed": ['[[reviewed]]\ntoken = "a"\nline = "/x"\nwhy = "w"\n'],
    "baseline": ['[[accepted]]\ncode = "TW0101"\ntoken = "a"\nline = "/x"\nwhy = ""\n'],
    "credentials": ['alice = { basic = "alice:p" }\nbob = { token = "t" }\n'],
    "tokenward": ['[upstream]\nurl = ["http://a", "http://b"]\n', ""],
}
BAD = {
    "tokens": [
        TOKEN + 'expire = 2030-01-01T00:00:00Z\n',
        TOKEN + 'expires = "soon"\n',
        TOKEN + 'revoked = "true"\n',
        TOKEN + "unrestricted = false\n",
        TOKEN + 'rate = "fast"\n',
        TOKEN + "burst = 0\n",
        TOKEN + 'users = ["v"]\n',
        TOKEN.replace('user = "u"\n', ""),
        TOKEN.replace('"u"', '"a:b"'),
        TOKEN.replace(HASH, "sha256:0"),
        TOKEN + 'lint_allow = ["all"]\n',
        '[token]\nname = "a"\n',
        "[[tokens]]\n",
    ],
    "invariants": ['[[never]]\nname = "n"\n', '[[sometimes]]\nname = "n"\nlines = "/x"\n'],
    "reviewed": ['[[reviewed]]\ntoken = "a"\nline = "/x"\n', '[[reviewed]]\nline = "/x"\nwhy = "w"\n'],
    "baseline": ['[[accepted]]\ncode = "TW1"\ntoken = "a"\nline = "/x"\nwhy = "w"\n'],
    "credentials": ['alice = { basic = "a", token = "b" }\n', 'alice = "p"\n'],
    "tokenward": [
        '[upstream]\nproduct = "gira"\n',
        '[server]\nlisten = 80\n',
        'polices = "x"\n',
        '[limits]\nhead_timeout = "10 seconds"\n',
        '[audit.values]\nquery = "forget"\n',
    ],
}


def refused(schema: str, files: list[Path]) -> dict[Path, str]:
    """The files that a schema refuses, each with the reason. One process reads all of them: each start takes as long as hundreds of files."""
    if not files:
        return {}
    ran = subprocess.run(
        [command, "--schemafile", schemas / f"{schema}.schema.json", "--default-filetype", "toml", "-o", "json", *files],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(directory)},
    )
    if ran.returncode not in (0, 1):
        sys.exit(f"check-jsonschema failed: {ran.stdout}{ran.stderr}")
    report = json.loads(ran.stdout)
    found = [*report.get("errors", []), *report.get("parse_errors", [])]
    assert bool(found) == (ran.returncode == 1), ran.stdout
    return {Path(one["filename"]): one["message"] for one in found}


def kind(file: Path) -> str:
    if "tests" in file.parts[-2:-1]:
        return "tests"
    return {"invariants.toml": "invariants", "reviewed.toml": "reviewed"}.get(file.name, "tokens")


def written(schema: str, word: str, texts: list[str]) -> list[Path]:
    files = []
    for number, text in enumerate(texts):
        file = samples / f"{schema}-{word}-{number}.toml"
        file.write_text(text)
        files.append(file)
    return files


faults = []
metaschemas = subprocess.run(
    [command, "--check-metaschema", *sorted(schemas.glob("*.json"))], capture_output=True, text=True, check=False
)
if metaschemas.returncode != 0:
    faults.append(f"a schema is not one: {metaschemas.stdout}{metaschemas.stderr}")
good: dict[str, list[Path]] = {"tokenward": [root / "tokenward.toml"]}
for file in sorted((root / "policies").rglob("*.toml")):
    good.setdefault(kind(file), []).append(file)
# The codes of findings about keys and values, of which a schema knows some.
OF_KEYS = {"TW0001", "TW0002", "TW0003", "TW0004", "TW0007", "TW0008", "TW0018", "TW0028", "TW0520"}
counts = {"mistakes": 0, "good": 0, "bad": 0}
for file in sorted((shared / "mistakes").rglob("*.toml")):
    if file.name == "tokenward.toml":
        continue
    ran = subprocess.run(
        [binary, "compile", "--check", "--format", "json", file.parent], capture_output=True, text=True, check=False, cwd=directory
    )
    codes = {json.loads(line).get("code") for line in ran.stdout.splitlines()}
    # What the command cannot read, such as UTF-16, is not TOML either.
    if ran.returncode not in (0, 1) or codes & OF_KEYS:
        continue
    counts["mistakes"] += 1
    good.setdefault(kind(file), []).append(file)
for schema, texts in GOOD.items():
    files = written(schema, "good", texts)
    counts["good"] += len(files)
    good.setdefault(schema, []).extend(files)
for schema, files in good.items():
    faults.extend(f"{file}: {why}\n{file.read_text()}" for file, why in refused(schema, files).items())
for schema, texts in BAD.items():
    files = written(schema, "bad", texts)
    counts["bad"] += len(files)
    seen = refused(schema, files)
    faults.extend(f"accepted: {schema}:\n{file.read_text()}" for file in files if file not in seen)
print("\n".join(faults))
print(f"schemas: {counts['mistakes']} mistakes in lines, {counts['good']} good and {counts['bad']} bad samples, {len(faults)} faults")
sys.exit(1 if faults else 0)
