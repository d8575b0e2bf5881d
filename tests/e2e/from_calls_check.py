#!/usr/bin/env python3
"""`tokenward token new --from` with real collections: each call of a file is allowed by the lines that were written for it.

    from_calls_check.py TOKENWARD DIRECTORY FILE [BASE [OPENAPI]] [-- FILE [BASE [OPENAPI]]]...

FILE is a HAR archive or a Postman collection, and BASE the base URL of its calls (default: that of the first call). This program reads
the calls itself, gives the variables of a collection values, has the lines written, and asks `explain` about each call. Without OPENAPI it
also asks about calls with another last segment of the path, which nobody recorded: none of them may be allowed.
"""
import json
import pathlib
import re
import subprocess
import sys
import urllib.parse

TOKENWARD, DIRECTORY = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
FREE = """[[token]]
name = "free"
user = "svc"
secret_hash = "sha256:{}"
expires = 2099-01-01T00:00:00Z
unrestricted = true
""".format("0" * 63 + "1")
VARIABLE = re.compile(r"\{\{([^{}]+)\}\}")
CONFIGURATION = """[upstream]
public_url = "{}"
product = "generic"
endpoints = ["/*"]
"""


def fail(text):
    sys.exit(f"error: {text}")


def run(directory, *arguments):
    return subprocess.run([TOKENWARD, *map(str, arguments)], cwd=directory, capture_output=True, text=True)


def values(document, base):
    """A value for each variable of a collection: its own, the base URL for the host, or a plain word."""
    own = {one["key"]: str(one.get("value", "")) for one in document.get("variable", []) if one.get("key")}
    names = set(VARIABLE.findall(json.dumps(document)))
    found = {}
    text = json.dumps(document)
    for name in sorted(names):
        is_host = re.search(r"url|host|base", name, re.I)
        # In a JSON body, a value without quotes is a number.
        is_number = re.search(r"[:,\[]\s*\{\{" + re.escape(name) + r"\}\}", text)
        word = "7" if is_number else re.sub(r"\W", "", name).lower() or "x"
        found[name] = own.get(name) or (base if is_host else word)
    return found


def filled(value, known):
    if isinstance(value, str):
        return VARIABLE.sub(lambda match: known[match[1]], value)
    if isinstance(value, list):
        return [filled(one, known) for one in value]
    if isinstance(value, dict):
        return {key: filled(one, known) for key, one in value.items()}
    return value


def requests(items):
    for item in items:
        if "item" in item:
            yield from requests(item["item"])
        elif isinstance(item.get("request"), dict):
            yield item["request"]


def of_collection(document):
    """The calls of a collection: method, URL, headers and body."""
    for request in requests(document["item"]):
        url = request["url"]
        raw = url if isinstance(url, str) else url["raw"]
        headers = [(one["key"], one["value"]) for one in request.get("header") or [] if not one.get("disabled")]
        body = request.get("body") or {}
        mode, text = body.get("mode"), None
        if mode == "raw":
            text = body.get("raw") or None
            language = body.get("options", {}).get("raw", {}).get("language")
            if text and language == "json" and not any(name.lower() == "content-type" for name, _ in headers):
                headers.append(("Content-Type", "application/json"))
        elif mode == "urlencoded":
            text = urllib.parse.urlencode([(one["key"], one["value"]) for one in body["urlencoded"]])
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        elif mode:
            fail(f"this program does not read bodies of the mode {mode}")
        yield request.get("method", "GET"), raw, headers, text


def of_archive(document):
    for entry in document["log"]["entries"]:
        request = entry["request"]
        headers = [(one["name"], one["value"]) for one in request.get("headers", []) if not one["name"].startswith(":")]
        data = request.get("postData") or {}
        text = data.get("text")
        if text is None and data.get("params"):
            text = urllib.parse.urlencode([(one["name"], one.get("value", "")) for one in data["params"]])
        if text is not None and data.get("mimeType"):
            headers = [one for one in headers if one[0].lower() != "content-type"] + [("Content-Type", data["mimeType"])]
        yield request["method"], request["url"], headers, text


# Headers that belong to a connection or to the caller, not to the call.
DROPPED = {"host", "content-length", "authorization", "cookie", "connection", "accept-encoding", "expect", "te", "upgrade"}


def asked(directory, call, change=lambda path: path, token="calls"):
    method, url, headers, body = call
    parts = urllib.parse.urlsplit(url)
    target = change(parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    arguments = ["explain", token, method, target, "--json", "--no-blame"]
    for name, value in headers:
        if name.lower() not in DROPPED:
            arguments += ["-H", f"{name}: {value}"]
    if body:
        arguments += ["-d", body]
    return run(directory, *arguments)


def needs_right(directory, call):
    """Whether a token without limits may not make the call: it issues credentials or gives rights, which lines do not allow."""
    ran = asked(directory, call, token="free")
    return ran.returncode != 0 and json.loads(ran.stdout)["reason"] in ("escalating", "minting")


def without(document, left_out):
    """The document without some calls, by their numbers."""
    numbers = iter(range(10**9))

    def kept(items):
        for item in items:
            if "item" in item:
                yield {**item, "item": list(kept(item["item"]))}
            elif not isinstance(item.get("request"), dict) or next(numbers) not in left_out:
                yield item

    if "log" in document:
        entries = [one for at, one in enumerate(document["log"]["entries"]) if at not in left_out]
        return {**document, "log": {**document["log"], "entries": entries}}
    return {**document, "item": list(kept(document["item"]))}


def other(path):
    return path.rstrip("/").rsplit("/", 1)[0] + "/nobody-recorded-this"


def check(number, file, base=None, openapi=None):
    directory = DIRECTORY / str(number)
    (directory / "policies").mkdir(parents=True)
    document = json.loads(pathlib.Path(file).read_text())
    is_archive = "log" in document
    if not is_archive:
        known = values(document, base or "https://api.example.com")
        document = filled(document, known)
    calls = list((of_archive if is_archive else of_collection)(document))
    if not calls:
        fail(f"{file} has no calls")
    first = urllib.parse.urlsplit(calls[0][1])
    base = base or f"{first.scheme}://{first.netloc}"
    (directory / "tokenward.toml").write_text(CONFIGURATION.format("{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(base))))
    (directory / "policies/free.toml").write_text(FREE)
    left_out = {at for at, call in enumerate(calls) if call[1].startswith(base) and needs_right(directory, call)}
    document = without(document, left_out)
    (directory / "calls.json").write_text(json.dumps(document))
    calls = [call for at, call in enumerate(calls) if call[1].startswith(base) and at not in left_out]
    arguments = ["token", "new", "--name", "calls", "--user", "svc", "--expires", "9d", "--from", "calls.json", "--json",
                 "--file", "policies/calls.toml"]
    if openapi:
        arguments += ["--openapi", pathlib.Path(openapi).resolve()]
    made = run(directory, *arguments)
    if made.returncode != 0:
        fail(f"{file}: {made.stderr.strip()}")
    lines = json.loads(made.stdout)["lines"]
    covered, refused = 0, 0
    for call in calls:
        ran = asked(directory, call)
        if ran.returncode != 0:
            fail(f"{file}: {call[0]} {call[1]} is not allowed by {[line['text'] for line in lines]}: {ran.stdout}{ran.stderr}")
        covered += 1
        known = {(one[0], urllib.parse.urlsplit(one[1]).path) for one in calls}
        path = other(urllib.parse.urlsplit(call[1]).path)
        if not openapi and (call[0], path) not in known:
            if asked(directory, call, other).returncode == 0:
                fail(f"{file}: {call[0]} {path} is allowed, and nobody recorded it")
            refused += 1
    print(f"{pathlib.Path(file).name}: {covered} calls covered by {len(lines)} lines, {refused} other calls refused, "
          f"{len(left_out)} calls that need a right of the token left out")


def main():
    groups, group = [], []
    for argument in sys.argv[3:] + ["--"]:
        if argument == "--":
            groups.append(group)
            group = []
        else:
            group.append(argument)
    for number, arguments in enumerate(group for group in groups if group):
        check(number, *arguments)


main()
