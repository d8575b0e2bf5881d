#!/usr/bin/env python3
"""Send odd requests through the proxy to a Tomcat that echoes its reading, and compare that with the audit's.

A request is fine if the proxy (or Tomcat) refused it, or if Tomcat's method, path and parameters equal those of the canonical
URL that the audit recorded: the text that the policy matched. Prints the count of differences; 0 is required.
"""
import argparse
import ast
import collections
import json
import random
import re
import socket
import sys
import urllib.parse

import audit

TIMEOUT = 5

# Pieces of paths and of queries that servers are known to read in more than one way; one piece a word.
SEGMENTS = [""] + r"""
    issue EX-1 user .. . %2e%2e %2E .%2e ;x=y ..; a;b %3b %2f %5c \ %00 %0a %0d%0a %20 + %2B %252e %25 %25zz %zz %c0%ae %ff %C3%A9
    %EF%BC%8F %E2%80%AE ~ %7e %7C | {x} %3F %23 a:b a@b * ' " < ^ ` !$&()*,= %2524 ... .... %u002e
    """.split() + ["\xc3\xa9"]
PAIRS = [""] + r"""
    jql=q jql jql= =v jql=a+b jql=a%20b jql=%2B jql=%26 jql=%3D j%71l=q JQL=q a[]=1 a%5B%5D=1 jql=%zz jql=%ff jql=%00 x=1;jql=q jql=q%3Bx
    jql=%C3%A9 jql=q=r x?jql=q jql=%0a jql=%25 jql=% jql=%2 a=b/../c _=1 jql=%E2%80%AE jql=<> jql=" jql=' jql=%F0%9F%98%80 jql=%ED%A0%80
    %6A=%6A
    """.split() + ["jql=\xc3\xa9"]


def matrix(path, extra):
    """The targets and framings of the shared script, without running it."""
    wanted = {"TARGETS", "H", "P", "F", "T"}
    tree = ast.parse(open(path, encoding="utf-8").read())
    names = {"extra": extra}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in wanted:
            exec(compile(ast.Module([node], []), path, "exec"), names)  # noqa: S102 - the shared script's own data
    return names["TARGETS"], names["H"], names["T"]


def random_targets(count, seed):
    """Paths and queries glued from pieces that servers are known to read in more than one way."""
    rng = random.Random(seed)
    segments, parts = SEGMENTS, PAIRS
    for _ in range(count):
        path = "/rest/api/2"
        for _ in range(rng.randint(1, 3)):
            path += "/" + "".join(rng.choice(segments) for _ in range(rng.choice((1, 1, 1, 2))))
        if rng.random() < 0.6:
            path += "?" + "&".join(rng.choice(parts) for _ in range(rng.randint(1, 3)))
        yield path.encode("latin-1")


def send(port, raw, timeout=TIMEOUT):
    """The first answer to these bytes: (status or None, body)."""
    out = b""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as s:
        try:
            s.sendall(raw)
            while chunk := s.recv(65536):
                out += chunk
        except (TimeoutError, ConnectionError):
            pass
    while out.startswith(b"HTTP/1.1 1"):
        out = out.partition(b"\r\n\r\n")[2]
    head, _, body = out.partition(b"\r\n\r\n")
    found = re.match(rb"HTTP/1\.[01] (\d{3})", head)
    if b"transfer-encoding: chunked" in head.lower():
        body = dechunk(body)
    return (int(found[1]) if found else None), body


def dechunk(body):
    out = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        n = int(size.partition(b";")[0], 16)
        if n == 0:
            break
        out, body = out + body[:n], body[n + 2:]
    return out


def form_pairs(raw):
    """The pairs of a form in a well-framed request."""
    head, _, body = raw.partition(b"\r\n\r\n")
    lower = head.lower()
    if b"application/x-www-form-urlencoded" not in lower:
        return []
    if b"transfer-encoding" in lower:
        body = dechunk(body)
    elif found := re.search(rb"content-length:\s*(\d+)", lower):
        body = body[:int(found[1])]
    else:
        body = b""
    return urllib.parse.parse_qsl(body.decode("latin-1"), keep_blank_values=True)


def java_params(pairs):
    """What echo.jsp prints of a parameter map."""
    values = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    order = sorted(values, key=lambda name: name.encode("utf-16-be"))
    return "".join(f"{name}=[{', '.join(values[name])}] " for name in order)


def echo(body):
    """echo.jsp's lines, or None if this is no echo. A line break within a value stays in it."""
    text = body.decode("utf-8", "replace")
    keys = ("method", "requestURI", "servletPath", "pathInfo", "queryString", "params", "headers")
    found = re.fullmatch("".join(rf"{k}=(?P<{k}>.*)\n" for k in keys), text.replace("\r\n", "\n"), re.S)
    return found.groupdict() if found else None


def difference(row, reading, raw, bound):
    """What Tomcat read otherwise than the audit says the policy matched, or None."""
    url = urllib.parse.urlsplit(row["url"])
    path = urllib.parse.unquote(url.path, errors="strict")
    tomcat = reading["servletPath"] + ("" if reading["pathInfo"] == "null" else reading["pathInfo"])
    if tomcat != path:
        return f"path: Tomcat {tomcat!r}, policy {path!r}"
    if reading["method"] != row["method"]:
        return f"method: Tomcat {reading['method']!r}, policy {row['method']!r}"
    query = urllib.parse.parse_qsl(url.query, keep_blank_values=True, errors="strict")
    pairs = query + ([] if bound else form_pairs(raw))
    if reading["params"] != java_params(pairs):
        return f"parameters: Tomcat {reading['params']!r}, policy {java_params(pairs)!r}"
    if bound and [value for name, value in query if name == "jql"] != ["q"] * len(query):
        return f"the bound token let this pass: {query}"
    if "authorization=" in reading["headers"].lower():
        return "the client's Authorization reached Tomcat"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("matrix", "tokens", "binary", "config"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    tokens = json.load(open(a.tokens, encoding="utf-8"))

    requests = []  # (label, token, bytes without id)
    for token, secret in tokens.items():
        auth = f"Authorization: Bearer {secret}"
        targets, headers, framings = matrix(a.matrix, [auth])
        head = headers + b"X-Request-Id: @ID@\r\n"
        for target in targets:
            label = target.decode("latin-1")
            requests.append((f"GET {label}", token, b"GET " + target + b" HTTP/1.1\r\n" + head + b"\r\n"))
            requests.append((f"POST {label}", token, b"POST " + target + b" HTTP/1.1\r\n" + head +
                             b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"))
        for label, raw in framings:
            # Framings that bring their own header lines get the token and the id as well; those with an Authorization of their
            # own go once with ours beside it and once with ours in its place.
            line = re.search(rb"[A-Za-z]+ \S+ HTTP/1\.[01]\r?\n", raw)
            ours = b"X-Request-Id: @ID@\r\n" + (b"" if auth.encode() in raw else auth.encode() + b"\r\n")
            requests.append((label, token, raw[:line.end()] + ours + raw[line.end():]))
            if b"Authorization: Basic YTpi" in raw:
                own = raw.replace(auth.encode() + b"\r\n", b"").replace(b"Authorization: Basic YTpi", auth.encode())
                requests.append((label + " (its own)", token, own[:line.end()] + b"X-Request-Id: @ID@\r\n" + own[line.end():]))
        for target in random_targets(a.random if token == "open" else a.random // 3, a.seed):
            requests.append((f"random {target.decode('latin-1')}", token, b"GET " + target + b" HTTP/1.1\r\n" + head + b"\r\n"))

    # The first one has Tomcat compile its page, which takes a busy machine a while.
    send(a.port, requests[0][2].replace(b"@ID@", b"first"), 60)
    answers = []
    for number, (label, token, raw) in enumerate(requests):
        ident = f"m{number:05d}"
        answers.append((ident, label, token, raw, *send(a.port, raw.replace(b"@ID@", ident.encode()))))

    rows = {row["client_request_id"]: row for row in audit.records(a.binary, a.config)
            if row.get("client_request_id")}
    seen = collections.Counter()
    bad = []
    for ident, label, token, raw, status, body in answers:
        reading = echo(body) if status == 200 else None
        row = rows.get(ident)
        if reading is None:
            if status is None or 200 <= status < 400 or status >= 500:
                bad.append((label, token, f"neither refused nor an echo: status {status}, {body[:80]!r}"))
            elif row and row["verdict"] == "allow":
                seen["refused by Tomcat"] += 1
            else:
                seen["refused by the proxy"] += 1
        elif row is None:
            bad.append((label, token, "reached Tomcat without a record in the audit"))
        else:
            wrong = difference(row, reading, raw, token == "bound")
            if wrong:
                bad.append((label, token, wrong))
            else:
                seen["read alike"] += 1
    for label, token, wrong in bad[:40]:
        print(f"DIFFERENCE [{token}] {label!r}: {wrong}")
    print(f"{len(answers)} requests (seed {a.seed}): " + ", ".join(f"{n} {what}" for what, n in sorted(seen.items())) +
          f"; {len(bad)} differences")
    if not seen["read alike"] or not seen["refused by the proxy"]:
        print("error: nothing was compared")
        sys.exit(1)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
