#!/usr/bin/env python3
"""What a large policy costs at start and when it changes: time until ready, time until a changed line decides, memory.

    reload.py --binary TOKENWARD --compiler ARTIFACT [--against OTHER] [--tokens N,N] [--artifact-tokens N,N] [--edits N] [--check]

Policies are generated: files of 1,000 tokens, ten lines a token, one line in ten with an alternation. Each row is measured with
OTHER, if it is given, and with TOKENWARD. "In force" is the time from the end of the write of the file to the end of the first call
that the changed line decides; half of the writes are in place, half by a rename. Meanwhile another process calls at a fixed rate:
"lost" are calls that failed, and p99 is that of calls which began within half a second after a write, beside that of the other calls.
Everything listens on loopback addresses only. Linux only. With --check the exit code is 1 if TOKENWARD misses a target.
"""
import argparse
import hashlib
import multiprocessing
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "hostile"))
from hostile import SECRET, Bench, Client, Process, Upstream, free_ports, ok  # noqa: E402

PER_FILE = 1_000
# Seconds after which a row is given up.
PATIENCE = 240.0
# Calls a second of the other process, and connections that share them.
RATE = 300
# After a write, calls that begin within so many seconds count as "during".
DURING = 0.5
# Milliseconds: ready from sources, ready from an artifact, in force. None: no target.
TARGETS = {10_000: (2_000, 50, 100), 100_000: (None, None, 200)}


def lines(token, count):
    key = f"KEY{token}"
    every = [
        f"[get]/rest/api/2/issue/{key}-[0-9]+",
        f"[get,post].*/rest/api/2/issue/{key}-[0-9]+/comment.*",
        f"[get]/rest/api/2/project/{key}/[^/]+",
        f"[get].*/rest/api/2/search[QueryParam::jql==project = {key} .*]",
        f"[get]/rest/tempo-timesheets/4/worklogs/{key}[QueryParam::dateFrom==2026-(0[1-9]|1[0-2])-[0-3][0-9]]",
        f"[post]/rest/api/2/issue[JsonData::fields.project.key=={key}]",
        f"[put,delete]/rest/api/2/issue/{key}-[0-9]+/(assignee|watchers|votes)",
        f"[get]/rest/agile/1\\.0/board/{key}/sprint/[0-9]{{1,6}}/issue",
        "[get]/rest/api/2/(serverInfo|myself)",
        f"[get,put]/rest/api/2/filter/{key}",
    ]
    return every[:count]


def entry(token, count, more=()):
    digest = hashlib.sha256(SECRET.encode()).hexdigest() if more else f"{token + 1:064x}"
    text = "\n".join([*lines(token, count), *more])
    return (f'[[token]]\nname = "token-{token}"\nuser = "user-{token}"\nsecret_hash = "sha256:{digest}"\n'
            f"expires = 2099-01-01T00:00:00Z\nlimit_to = '''\n{text}\n'''\n\n")


class Policy:
    """The files of a policy. One token, in the middle, has the secret that this program knows, and a line that changes."""

    def __init__(self, tokens, count=10):
        self.changing = tokens // 2 + 123 if tokens > 300 else 0
        self.files = {}
        for start in range(0, tokens, PER_FILE):
            name = f"team-{start // PER_FILE:06}.toml"
            self.files[name] = "".join(self.entry(token, count) for token in range(start, min(start + PER_FILE, tokens)))
            if start <= self.changing < start + PER_FILE:
                self.name = name

    def entry(self, token, count):
        more = ["[get]/rest/api/2/steady", "[get]/rest/api/2/version/0"] if token == self.changing else ()
        return entry(token, count, more)

    def version(self, number):
        """The changed file's text: its line permits this number, and no other."""
        return self.files[self.name].replace("/version/0\n", f"/version/{number}\n")


def request(path):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {SECRET}\r\n\r\n".encode()


def serve_upstream(port):
    server = Upstream(ok)
    port.send(server.port)
    threading.Event().wait()


class Apart:
    """The upstream in a process of its own: this one's calls and writes would delay its answers."""

    def __init__(self):
        here, there = multiprocessing.Pipe()
        self.child = multiprocessing.Process(target=serve_upstream, args=(there,), daemon=True)
        self.child.start()
        self.port = here.recv()

    def stop(self):
        self.child.terminate()
        self.child.join()


class Proxy:
    def __init__(self, bench, policies, upstream):
        self.port, admin = free_ports(2)
        folder = bench.folder({})
        (folder / "tokenward.toml").write_text(
            f'policies = "{policies}"\n[server]\nlisten = "127.0.0.1:{self.port}"\n[admin]\nlisten = "127.0.0.1:{admin}"\n'
            f'[upstream]\nurl = "http://127.0.0.1:{upstream.port}"\npublic_url = "http://127.0.0.1:{self.port}"\n'
            '[auth]\nmethods = "both"\nfailed_attempts = 0\n[audit]\ndurability = "buffered"\n')
        began = time.perf_counter()
        self.process = Process([bench.binary, "serve", "--config", str(folder / "tokenward.toml")], folder / "log")
        bench.running.append(self.process)
        self.ready = self.await_answer("/rest/api/2/steady") - began

    def await_answer(self, path, status=200, pause=0.002):
        """The time at which a call to this path was first answered so."""
        client, asked, end = Client(self.port), request(path), time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                if client.ask(asked)[0] == status:
                    client.close()
                    return time.perf_counter()
            except OSError:
                client.close()
                if self.process.child.poll() is not None:
                    sys.exit(self.process.log.read_text(errors="replace")[-2000:])
            time.sleep(pause)
        sys.exit(f"{path} was not answered with {status} in time")


def call_steadily(port, stop, results):
    """Calls at a fixed rate: for each call when it was due, how long it took from then, and whether it was lost."""
    client, asked, calls = Client(port), request("/rest/api/2/steady"), []
    due = time.perf_counter()
    while not stop.is_set():
        due += 1 / RATE
        time.sleep(max(0.0, due - time.perf_counter()))
        try:
            lost = client.ask(asked)[0] != 200
        except OSError:
            lost = True
            client.close()
        calls.append((due, time.perf_counter() - due, lost))
    results.put(calls)


def p99(times):
    return statistics.quantiles(times, n=100)[98] * 1e3 if len(times) > 100 else float("nan")


def measure_edits(proxy, policy, directory, edits):
    """Seconds until each edit was in force, calls lost, p99 of calls near edits and of others, in ms."""
    stop, results = multiprocessing.Event(), multiprocessing.Queue()
    caller = multiprocessing.Process(target=call_steadily, args=(proxy.port, stop, results))
    caller.start()
    time.sleep(3)
    target, took, writes = directory / policy.name, [], []
    for number in range(1, edits + 1):
        text = policy.version(number)
        if number % 2:
            target.write_text(text)
        else:
            new = target.with_name(f".{target.name}")
            new.write_text(text)
            new.rename(target)
        wrote = time.perf_counter()
        writes.append(wrote)
        took.append(proxy.await_answer(f"/rest/api/2/version/{number}") - wrote)
        time.sleep(1)
    stop.set()
    calls = results.get()
    caller.join()
    near = [time for due, time, _ in calls if any(wrote <= due <= wrote + max(DURING, spent) for wrote, spent in zip(writes, took))]
    far = [time for due, time, _ in calls if not any(wrote - 0.1 <= due <= wrote + spent + 1 for wrote, spent in zip(writes, took))]
    return took, sum(lost for _, _, lost in calls), p99(near), p99(far)


def with_bench(binary, directory, work):
    bench = Bench(binary, directory)
    try:
        upstream = Apart()
        bench.running.append(upstream)
        return work(bench, upstream)
    finally:
        bench.stop()


def sources(binary, directory, tokens, edits, starts):
    def work(bench, upstream):
        policy = Policy(tokens)
        folder = bench.folder(policy.files)
        ready = []
        for start in range(starts):
            proxy = Proxy(bench, folder, upstream)
            ready.append(proxy.ready)
            if start + 1 < starts:
                proxy.process.stop()
        memory = proxy.process.memory()
        took, lost, near, far = measure_edits(proxy, policy, folder, edits)
        return {"ready": statistics.median(ready) * 1e3, "memory": memory, "in force": statistics.median(took) * 1e3,
                "slowest": max(took) * 1e3, "lost": lost, "p99 near": near, "p99": far, "memory after": proxy.process.memory()}
    return with_bench(binary, directory, work)


def artifact(binary, compiler, directory, tokens, starts):
    def work(bench, upstream):
        # The texts of more tokens of ten lines would exceed the limit of a policy directory.
        count = 10 if tokens <= 300_000 else 1
        folder = bench.folder(Policy(tokens, count).files)
        compiled = folder.with_suffix(".twp")
        began = time.perf_counter()
        # Without the proofs of `tokenward compile`, which take longest, and leave no trace in the artifact.
        subprocess.run([compiler, str(folder), str(compiled)], check=True, stdin=subprocess.DEVNULL)
        compiling = time.perf_counter() - began
        ready = []
        for _ in range(starts):
            proxy = Proxy(bench, compiled, upstream)
            ready.append(proxy.ready)
            memory = proxy.process.memory()
            proxy.process.stop()
        return {"ready": statistics.median(ready) * 1e3, "memory": memory, "lines": count, "compile": compiling * 1e3,
                "size": compiled.stat().st_size}
    return with_bench(binary, directory, work)


def show(name, row):
    parts = []
    for key, value in row.items():
        if key.startswith("memory") or key == "size":
            parts.append(f"{key} {value / 1e6:.0f} MB")
        elif key in ("lost", "lines"):
            parts.append(f"{key} {value}")
        else:
            parts.append(f"{key} {value:.1f} ms")
    print(f"{name:42} {', '.join(parts)}", flush=True)


def numbers(text):
    return [int(number) for number in text.split(",") if number]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--compiler", required=True, help="the example `artifact` of the compiler")
    parser.add_argument("--against")
    parser.add_argument("--tokens", type=numbers, default=[10_000, 100_000])
    parser.add_argument("--artifact-tokens", type=numbers, default=[10_000])
    parser.add_argument("--edits", type=int, default=10)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, {args.edits} edits, {args.starts} starts; medians")
    missed = []
    with tempfile.TemporaryDirectory(prefix="tokenward-reload-") as directory:
        for name, binary in [("before", args.against), ("now", args.binary)]:
            if binary is None:
                continue
            for tokens in args.tokens:
                row = sources(binary, directory, tokens, args.edits, args.starts)
                show(f"{name}: {tokens} tokens, sources", row)
                ready, _, in_force = TARGETS.get(tokens, (None, None, None))
                if name == "now" and (row["lost"] or ready and row["ready"] > ready or in_force and row["in force"] > in_force):
                    missed.append(f"{tokens} tokens, sources")
            for tokens in args.artifact_tokens:
                row = artifact(binary, args.compiler, directory, tokens, args.starts)
                show(f"{name}: {tokens} tokens, artifact", row)
                ready = TARGETS.get(tokens, (None, None, None))[1]
                if name == "now" and ready and row["ready"] > ready:
                    missed.append(f"{tokens} tokens, artifact")
    for row in missed:
        print(f"missed: {row}")
    sys.exit(1 if args.check and missed else 0)


if __name__ == "__main__":
    main()
