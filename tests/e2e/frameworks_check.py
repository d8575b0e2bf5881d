#!/usr/bin/env python3
"""Send odd requests through the proxy to a framework that echoes its reading, and compare that with the audit's.

A request is fine if the proxy (or the framework) refused it, or if the framework's method, path, parameters and body equal what
the policy matched: the canonical URL that the audit recorded, and the body as it was sent. Beyond that, whatever the tokens
`bound`, `json` and `unless` let pass satisfies their lines in the framework's own reading. Prints the count of differences; 0 is required.
"""
import argparse
import base64
import collections
import json
import random
import re
import sys
import urllib.parse

import audit
from tomcat_check import dechunk, matrix, random_targets, send

HEADERS = """
    X-HTTP-Method-Override:DELETE X-HTTP-Method:DELETE X-Method-Override:DELETE x-http-verb:DELETE X_HTTP_Method_Override:DELETE
    X-Original-URL:/never X-Rewrite-URL:/never X-Forwarded-Prefix:/never X-Forwarded-Host:evil.test X-Forwarded-For:10.0.0.1 Script-Name:/never
    SCRIPT_NAME:/never Path-Info:/never Forwarded:for=10.0.0.1 Remote-User:root X-Remote-User:root Cookie:session=1 Content-Encoding:identity
    Connection:x-hop Transfer_Encoding:chunked Expect:100-continue Range:bytes=0-1 Accept-Encoding:gzip TE:trailers Upgrade:h2c
    """.split()
METHODS = ["GET", "POST", "POST", "PUT", "PATCH", "DELETE", "delete", "Get", "HEAD", "OPTIONS", "PROPFIND"]
TYPES = ["application/json", "application/json; charset=utf-8", "application/json;charset=\"utf-16\"", "APPLICATION/JSON", "text/json",
         "application/x-json", "application/vnd.x+json", "text/plain", "application/x-www-form-urlencoded", None,
         "application/x-url-encoded", "application/x-www-form-urlencoded; charset=iso-8859-1", "multipart/form-data; boundary=b",
         "application/json, text/plain", "application/octet-stream"]
JSON_PIECES = r"""
    {"a":1} {"a":2} {"a":1,"a":2} {"a":1,"\u0061":2} {"a":1,"A":2} {"a":1,"b":"x"} {"a":1,"b":"y"} {"a":1,"c":3} {"a":"1"} {"a":1.0}
    {"a":1e0} {"a":[1,1]} {"a":[1,2]} {"a":[]} {"a":{"a":1}} {"a":01} {"a":+1} {"a":NaN} {"a":1,} {a:1} {'a':1} [{"a":1}] {"a":1}{"a":2}
    {"a":1}// {"a":1,"__proto__":{"a":2}} {"a":1,"b":null} {"a":1,"b":["x"]} {"a":1,"b":"\u0078"} {"a":1,"_method":"DELETE"} {} null 1 "a"
    {"a":1,"a\u0000":2} {"a":1,"b":"x","b":"y"} {"a":true} {"\ud800":1,"a":1} {"a":1,"sudo":"root"} {"a":-0} {"a":1,"b":"\x78"}
    """.split() + ["", "\ufeff{\"a\":1}", "{\"a\":\t1}\r\n", " {\"a\":1} ", "{\"a\":1,\"b\":\"x\ny\"}"]
SPELLINGS = "?jql[]=r ?jql[x]=r ?[jql]=r ?jql]=r ?%6aql%5B%5D=r ?+jql=r ?jql[=r ?jql%00=r".split()
FORM_PIECES = "jql=q jql=r _method=DELETE a=1 a[]=2 a%5Bx%5D=3 sudo=root jql;jql=r =x %zz=1 access_token=x a+b=c%20d jql=%ff".split()


def bodies(rng, count):
    """Method, target, header lines and body of requests that have one."""
    for _ in range(count):
        # Half of what is chosen is plain, so that enough passes to be compared.
        method = "POST" if rng.random() < 0.5 else rng.choice(METHODS)
        kind = "application/json" if rng.random() < 0.5 else rng.choice(TYPES)
        if kind is None or "form" in kind or "url-encoded" in kind or rng.random() < 0.15:
            body = "&".join(rng.choice(FORM_PIECES) for _ in range(rng.randint(1, 3)))
        else:
            body = rng.choice(JSON_PIECES)
        target = "/things" + rng.choice([""] * 10 + ["?jql=q", "?jql=q", "?jql=q&jql=q", "?%6aql=%71", "?a=1", "?b=x", "?c=2", "?_method=DELETE", "?a[]=2", "?jql=q&jql[]=r"] + SPELLINGS)
        lines = [] if kind is None else [f"Content-Type: {kind}"]
        if rng.random() < 0.2:
            name, _, value = rng.choice(HEADERS).partition(":")
            lines.append(f"{name}: {value}")
        yield method, target, lines, body.encode("utf-8"), rng.random() < 0.3


def heads(rng, count):
    """Method, target and header lines of requests without a body."""
    for _ in range(count):
        name, _, value = rng.choice(HEADERS).partition(":")
        target = rng.choice(["/things" + rng.choice(SPELLINGS), "/things", "/things?jql=q", "/things?jql=q", "/a%20b?jql=q", "/never", "/Never", "/never/", "/things/../never", "/things%2f..%2fnever"])
        yield rng.choice(METHODS), target, [f"{name}: {value}"]


def framed(method, target, lines, body, chunked):
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(line + "\r\n" for line in lines)
    if chunked:
        data = b"%x\r\n" % len(body) + body + b"\r\n" if body else b""
        return (head + "Transfer-Encoding: chunked\r\n\r\n").encode() + data + b"0\r\n\r\n"
    return (head + f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def sent_body(raw):
    head, _, body = raw.partition(b"\r\n\r\n")
    lower = head.lower()
    if b"transfer-encoding" in lower:
        return dechunk(body)
    found = re.search(rb"\r\ncontent-length:\s*(\d+)", lower)
    return body[:int(found[1])] if found else b""


def leaves(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def grouped(pairs):
    values = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def difference(row, reading, raw, token):
    """What the framework read otherwise than the audit says the policy matched, or None."""
    url = urllib.parse.urlsplit(row["url"])
    path = urllib.parse.unquote(url.path, errors="strict")
    if reading["path"] != path:
        return f"path: {reading['path']!r}, policy {path!r}"
    if reading["method"] != row["method"]:
        return f"method: {reading['method']!r}, policy {row['method']!r}"
    query = urllib.parse.parse_qsl(url.query, keep_blank_values=True, errors="strict", max_num_fields=None)
    if grouped(map(tuple, reading["query"])) != grouped(query):
        return f"query: {reading['query']!r}, policy {query!r}"
    if base64.b64decode(reading["body"]) != sent_body(raw):
        return f"body: {base64.b64decode(reading['body'])!r}, sent {sent_body(raw)!r}"
    if token == "bound":
        merged = [value for _, value in reading["form"]] + leaves(reading["nested"] or {})
        if set(name for name, _ in query) != {"jql"} or any(value != "q" for _, value in query) or any(v != "q" for v in merged):
            return f"the bound token let this pass: {query} {reading['form']} {reading['nested']}"
    if token == "unless":
        named = [value for name, value in query if name == "jql"] + leaves((reading["nested"] or {}).get("jql", []))
        if "r" in named:
            return f"the token of all but one value let this pass: {query} {reading['nested']}"
    if token == "json":
        value = reading["json"]
        if not isinstance(value, dict) or set(value) - {"a", "b"} or "a" not in value or reading["form"]:
            return f"the json token let this pass: {value!r} {reading['form']!r}"
        if any(v != 1 or isinstance(v, bool) for v in leaves(value["a"])) or any(v != "x" for v in leaves(value.get("b", []))):
            return f"the json token let this pass: {value!r}"
    if token == "open" and (row["method"] == "DELETE" or path.lower().rstrip("/").endswith("/never")):
        return "the forbid line was passed by"
    for name, value in reading["headers"].items():
        if name in ("authorization", "cookie", "upgrade", "te", "script-name", "path-info", "remote-user", "forwarded") or \
                name.startswith(("x-http-", "x-method", "x-original", "x-rewrite", "x-forwarded-prefix")) or value in ("10.0.0.1", "root"):
            return f"{name}: {value} reached the framework"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("matrix", "tokens", "binary", "config"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--random", type=int, default=700)
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    tokens = json.load(open(a.tokens, encoding="utf-8"))

    requests = []  # (label, token, bytes without id)
    for number, (token, secret) in enumerate(tokens.items()):
        rng = random.Random(f"{a.seed} {number}")
        auth = f"Authorization: Bearer {secret}"
        ours = ["Host: 127.0.0.1", auth, "X-Request-Id: @ID@", "Connection: close"]
        targets, headers, _ = matrix(a.matrix, [auth])
        head = headers + b"X-Request-Id: @ID@\r\n"
        for target in list(targets) + list(random_targets(a.random, f"{a.seed} {number}")):
            requests.append((f"GET {target.decode('latin-1')}", token, b"GET " + target + b" HTTP/1.1\r\n" + head + b"\r\n"))
        for method, target, lines, body, chunked in bodies(rng, a.random):
            raw = framed(method, target, ours + lines, body, chunked)
            requests.append((f"{method} {target} {lines} {body!r}", token, raw))
        for method, target, lines in heads(rng, a.random // 4):
            raw = (f"{method} {target} HTTP/1.1\r\n" + "".join(f"{line}\r\n" for line in ours + lines) + "\r\n").encode()
            requests.append((f"{method} {target} {lines}", token, raw))

    answers = []
    for number, (label, token, raw) in enumerate(requests):
        ident = f"f{number:05d}"
        answers.append((ident, label, token, raw, *send(a.port, raw.replace(b"@ID@", ident.encode()))))

    rows = {row["client_request_id"]: row for row in audit.records(a.binary, a.config, len(requests) + 1000)
            if row.get("client_request_id")}
    seen, bad = collections.Counter(), []
    for ident, label, token, raw, status, body in answers:
        row = rows.get(ident)
        allowed = row is not None and row["verdict"] == "allow"
        if status is None or status >= 500 and not (allowed and status == 500):
            bad.append((label, token, f"neither refused nor an echo: status {status}, {body[:80]!r}"))
        elif status != 200:
            seen["refused by the framework" if allowed else "refused by the proxy"] += 1
        elif row is None:
            bad.append((label, token, "reached the framework without a record in the audit"))
        elif raw.startswith(b"HEAD"):
            seen["HEAD, without an echo"] += 1
        elif wrong := difference(row, json.loads(body), raw, token):
            bad.append((label, token, wrong))
        else:
            seen[f"read alike ({token})"] += 1
    for label, token, wrong in bad[:40]:
        print(f"DIFFERENCE [{token}] {label!r}: {wrong}")
    print(f"{len(answers)} requests (seed {a.seed}): " + ", ".join(f"{n} {what}" for what, n in sorted(seen.items())) +
          f"; {len(bad)} differences")
    if any(not seen[f"read alike ({token})"] for token in tokens):
        print("error: for some token nothing was compared")
        sys.exit(1)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
