"""The policy of the benchmark, and the requests that it allows.

Each token has ten lines for a project of its own: nine that permit, of which one checks the query and two check the JSON body, and one
that forbids.
"""
import hashlib
import json

LINES = """[get]/rest/api/2/(serverInfo|myself|field)
[get]/rest/api/2/project/{key}
[get]/rest/api/2/search[QueryParam::jql==project ?= ?{key}]
[get]/rest/api/2/issue/{key}-[0-9]+
[post]/rest/api/2/issue/{key}-[0-9]+/attachments
[get]/rest/agile/1\\.0/board/{key}/issue
[post]/rest/api/2/issue/{key}-100/comment.*
[post]/rest/api/2/filter[JsonData::editable:boolean==false]
[put]/rest/api/2/issue/{key}-[0-9]+[JsonData::summary==ci]
!/rest/api/2/issue/{key}-666
"""
PER_FILE = 1000


def key(number):
    """The project of a token."""
    return f"K{number}"


def secret(number):
    """The secret of a token: fixed, and of no use outside the benchmark."""
    return "twd_" + hashlib.sha256(f"benchmark {number}".encode()).hexdigest()[:40]


def entry(number, lines=LINES):
    """The text of a token in a policy file."""
    digest = hashlib.sha256(secret(number).encode()).hexdigest()
    return (f'[[token]]\nname = "{key(number).lower()}"\nuser = "svc"\nsecret_hash = "sha256:{digest}"\n'
            f"limit_to = '''\n{lines.format(key=key(number))}'''\n")


def write(directory, count):
    """Writes the policy of `count` tokens, 1,000 in a file."""
    directory.mkdir(parents=True)
    for first in range(0, count, PER_FILE):
        numbers = range(first, min(first + PER_FILE, count))
        (directory / f"tokens-{first}.toml").write_text("".join(map(entry, numbers)))


def request(number, method, path, body=b"", kind="application/json", port=80):
    """The bytes of a request with a token."""
    head = f"{method} {path.format(key=key(number))} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {secret(number)}\r\n"
    if body:
        head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def filter_body(size):
    """A JSON body of about `size` bytes for the line that checks `editable`: many small members, the checked one last."""
    entries, taken = [], 60
    while taken + 60 < size:
        item = {"id": 10_000 + len(entries), "name": "Open issues", "on": True}
        taken += len(json.dumps(item)) + 2
        entries.append(item)
    text = json.dumps({"jql": "", "shared": entries, "editable": False})
    padding = "x" * max(0, size - len(text))
    return json.dumps({"jql": padding, "shared": entries, "editable": False}).encode()


def write_requests(file, requests):
    """Writes requests in the form that wrk.lua and proxy-load read."""
    with open(file, "wb") as out:
        for bytes_ in requests:
            out.write(f"{len(bytes_)}\n".encode() + bytes_)
