#!/usr/bin/env python3
"""Instructions and allocations that one request takes on the whole path, held to the figures in a file.

    path.py --binary TOKENWARD [--figures FILE] [--cases NAME,…] [--keep DIR]

Clocks tell little on a machine that others use; the count of valgrind's callgrind hardly changes from run to run. Each case starts
the proxy under callgrind twice, with durable audit and one worker, and sends more requests in the second run than in the first, one
after another on one connection. The difference of the counts, of all threads, is what the requests took: the start and the end of
the process are not in it. Calls of the allocator's functions are counted the same way.

A case that takes over 3 % more than its figures fails (the audit's writer: 20 %). One that takes much less asks for lower figures, so
that what was won stays won. `--keep` keeps callgrind's files, one for each thread, for callgrind_annotate. Exit codes: 0 all within
their figures, 1 one is not, 3 nothing was measured. Listens on loopback addresses only. Linux only.
"""
import argparse
import hashlib
import json
import math
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tests" / "e2e"))
from ports import free_ports  # noqa: E402

# So many hundredths above its figure a count may be. What the writer does for a call depends on how many it finds at once.
TOLERANCE = (3, 20, 3)
# Threads that wait for a lock of each other spin for a while, which comes to some hundredths. The least of so many attempts counts.
ATTEMPTS = 3
FEW = 100
MANY = 500
# Starting under callgrind takes fifty times as long as otherwise.
START_SECONDS = 120
SECRET = "twd_" + "a" * 32
LINES = """[get]/rest/api/2/(serverInfo|myself|field)
[get]/rest/api/2/project/KANBAN
[get]/rest/api/2/search[QueryParam::jql==project ?= ?KANBAN]
[get].*/rest/api/2/issue/KANBAN-[0-9]+
[get]/rest/api/2/issue/KANBAN-[0-9]+/transitions
[get]/rest/agile/1.0/board/[0-9]+/issue
[post].*/rest/api/2/issue/KANBAN-100/comment.*
[post]/rest/api/2/filter[JsonData::editable==false]
[put]/rest/api/2/issue/KANBAN-[0-9]+[JsonData::fields.labels==ci]
!/rest/api/2/issue/KANBAN-666
"""
FILTER = json.dumps({"name": "Open issues of the board", "jql": "project = KANBAN and resolution = Unresolved order by rank",
                     "editable": False, "favourite": False}).encode()
# Name: request line, body, status.
CASES = {
    "unserved": ("GET /nowhere", b"", 404),
    "denied": ("GET /rest/api/2/project/OTHER", b"", 403),
    "get": ("GET /rest/api/2/issue/KANBAN-100", b"", 200),
    "post-json": ("POST /rest/api/2/filter", FILTER, 200),
}
# The functions that allocate, of libc and of mimalloc. Those of Rust are made of them.
ALLOCATE = re.compile(r"^(?:malloc|calloc|realloc|aligned_alloc|posix_memalign|memalign"
                      r"|mi_(?:malloc|zalloc|calloc|realloc|rezalloc)(?:_aligned)?)(?:@@?.*)?$")
# valgrind gives the number of a thread that has ended to the next one, so that the start's threads count as the worker. The database's
# wait here for each other without a pause, for as long as the machine is busy. No request comes here.
SPINS = re.compile(r"<sled::lazy::Lazy")


# The threads that are counted, by what only they run. Which functions are left after inlining differs from build to build, so a part
# of the names must do. The main thread prepares the same parts of the program, and is never the worker.
COUNTED = {
    "worker": re.compile(r"<?tokenward_(?:runtime::serve::(?:front|http1)|pdp::wire)::"),
    "audit writer": re.compile("tokenward_audit::writer::"),
}


class Unmeasured(Exception):
    """A case could not be measured."""


class Upstream:
    """Answers each request with the same 950 bytes."""

    def __init__(self):
        body = json.dumps({"key": "KANBAN-100", "fields": {"summary": "x" * 900}}).encode()
        self.answer = (b"HTTP/1.1 200 OK\r\nServer: upstream\r\nDate: Mon, 30 Nov 2026 08:00:00 GMT\r\n"
                       b"Content-Type: application/json\r\nContent-Length: %d\r\nConnection: keep-alive\r\n\r\n" % len(body)) + body
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            while read_message(connection) is not None:
                connection.sendall(self.answer)


def read_message(connection):
    """The start line of the next message, which is read with its body; None at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return None
        data += part
    head, _, rest = data.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    left = int(length[1] if length else 0) - len(rest)
    while left > 0:
        part = connection.recv(left)
        if not part:
            return None
        left -= len(part)
    return head.split(b"\r\n", 1)[0].decode()


def lay_out(directory, upstream):
    """Writes the policy and the configuration; gives the port of the proxy."""
    port, admin = free_ports(2)
    policies = directory / "policies"
    policies.mkdir(parents=True)
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    (policies / "ci.toml").write_text(
        f'[[token]]\nname = "ci"\nuser = "svc"\nsecret_hash = "sha256:{digest}"\nlimit_to = \'\'\'\n{LINES}\'\'\'\n')
    (directory / "tokenward.toml").write_text(
        f'policies = "policies"\n[server]\nlisten = "127.0.0.1:{port}"\nworkers = 1\n[admin]\nlisten = "127.0.0.1:{admin}"\n'
        f'[upstream]\nurl = "http://127.0.0.1:{upstream}"\npublic_url = "http://127.0.0.1:{port}"\n'
        f'[auth]\nmethods = "both"\n[audit]\ndurability = "durable"\n')
    return port


def counted(binary, case, requests, kept):
    """Instructions of the worker and of the audit's writer, and allocations, of a process that serves so many requests."""
    line, body, status = CASES[case]
    with tempfile.TemporaryDirectory(prefix="tokenward-path-") as temporary:
        directory = pathlib.Path(temporary)
        port = lay_out(directory, Upstream().port)
        profile = directory / "callgrind.out"
        log = directory / "log"
        with open(log, "wb") as out:
            child = subprocess.Popen(
                ["valgrind", "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={profile}", str(binary), "serve", "--config",
                 str(directory / "tokenward.toml")], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            send(await_port(child, port, log), port, line, body, status, requests)
            child.send_signal(signal.SIGTERM)
            child.wait(START_SECONDS)
        except (OSError, AssertionError, subprocess.TimeoutExpired) as error:
            raise Unmeasured(f"{case}: {error}\n{log.read_text(errors='replace')[-2000:]}") from error
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
        profiles = sorted(directory.glob("callgrind.out-*"))
        if kept:
            for profile in profiles:
                shutil.copy(profile, kept / f"{case}.{requests}.{profile.suffix[1:]}")
        counts = {}
        # The first file is of the main thread.
        for profile in profiles[1:]:
            instructions, allocations, thread = totals(profile)
            # Of several threads with such functions, the one that ran most serves the requests.
            counts[thread] = max(counts.get(thread, (0, 0)), (instructions, allocations))
        if any(thread not in counts for thread in COUNTED):
            raise Unmeasured(f"{case}: only the threads {counts} are in {[profile.name for profile in profiles]}")
        (worker, of_worker), (writer, of_writer) = (counts[thread] for thread in COUNTED)
        return worker, writer, of_worker + of_writer


def measured(binary, case, kept):
    """What one request takes."""
    few = counted(binary, case, FEW, kept)
    many = counted(binary, case, MANY, kept)
    return tuple((more - less) / (MANY - FEW) for more, less in zip(many, few))


def await_port(child, port, log):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and child.poll() is None:
        try:
            return socket.create_connection(("127.0.0.1", port), 5)
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"does not listen on port {port}: {log.read_text(errors='replace')[-1000:]}")


def send(connection, port, line, body, status, requests):
    framing = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    request = (f"{line} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: path/1\r\nAccept: application/json\r\n"
               f"Authorization: Bearer {SECRET}\r\n{framing}\r\n").encode() + body
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(requests):
            connection.sendall(request)
            answer = read_message(connection)
            assert answer and answer.split(" ")[1] == str(status), f"{line} was answered with {answer}"


def totals(profile):
    """(instructions, allocations, the counted thread that it is)."""
    instructions = allocations = 0
    names = {}
    called = inside = ""
    is_of_call = False
    with open(profile, encoding="utf-8", errors="replace") as file:
        for text in file:
            if text.startswith("totals:"):
                instructions += int(text.split()[1])
            elif found := re.match(r"(c?)fn=\((\d+)\)(?: (.*))?$", text):
                if found[3]:
                    names[found[2]] = found[3]
                called, inside = (names[found[2]], inside) if found[1] else (called, names[found[2]])
            elif text.startswith("calls=") and ALLOCATE.match(re.sub(r"'\d+$", "", called)):
                allocations += int(text[6:].split()[0])
            elif SPINS.match(inside) and not is_of_call and (found := re.match(r"[-+*\d]\S* (\d+)$", text)):
                instructions -= int(found[1])
            is_of_call = text.startswith("calls=")
    thread = next((thread for thread, function in COUNTED.items() if any(map(function.match, names.values()))), None)
    return instructions, allocations, thread


def figures(path):
    found = {}
    for text in path.read_text(encoding="utf-8").splitlines():
        if text and not text.startswith("#"):
            name, *numbers = text.split()
            found[name] = tuple(map(float, numbers))
    return found


def verdict(taken, figure):
    if figure is None:
        return "HAS NO FIGURE"
    if any(value > bound * (100 + more) / 100 for value, bound, more in zip(taken, figure, TOLERANCE)):
        return "TOO MANY"
    if any(value < bound * (100 - 2 * more) / 100 for value, bound, more in zip(taken, figure, TOLERANCE)):
        return "ok; lower the figure"
    return "ok"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--figures", type=pathlib.Path)
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--keep", type=pathlib.Path)
    args = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("nothing measured: there is no valgrind", file=sys.stderr)
        return 3
    if args.keep:
        args.keep.mkdir(parents=True, exist_ok=True)
    known = figures(args.figures) if args.figures else {}
    failed = False
    for case in args.cases.split(","):
        figure = known.get(case)
        taken, found = (math.inf,) * len(TOLERANCE), ""
        for _ in range(ATTEMPTS):
            try:
                taken = tuple(map(min, taken, measured(args.binary, case, args.keep)))
            except Unmeasured as error:
                print(error, file=sys.stderr)
                return 3
            found = verdict(taken, figure) if args.figures else ""
            if found != "TOO MANY":
                break
        failed |= bool(found) and not found.startswith("ok")
        bounds = "none" if figure is None else "{:.0f} + {:.0f}, {:.1f}".format(*figure)
        print("{:10} {:8.0f} + {:6.0f} instructions, {:6.1f} allocations".format(case, *taken)
              + (f"; figures {bounds}: {found}" if args.figures else ""), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
