#!/usr/bin/env python3
"""Tokenward next to what people would pick instead: CPU time a request, throughput, latency, large bodies, reload and start.

    bench.py --binary TOKENWARD --target DIRECTORY [--rounds N] [--seconds N] [--quick] [--only PART,…] [--peers NAME,…]

All servers run on loopback, under the same load and in front of the same upstream, turn and turn about; the medians over the rounds
count. Parts: calls, rates, bodies, reload, allocations, start. Writes DIRECTORY/bench-proxy/results.json, and from it performance.md
and performance.svg there. `--quick` makes every row once, with short runs and small policies: it proves that each row works, and its
figures are not measurements. Any response but 2xx, and any server that does not start, ends the benchmark with exit code 1. Linux,
x86-64 or ARM64, Debian's packages; two processors or more.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import time

import policy
import processes
import report
import restart
from load import Load
from peers import Bench
from tools import Tools, certificate

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tests" / "e2e"))
from ports import free_ports  # noqa: E402

PARTS = ["calls", "rates", "bodies", "reload", "allocations", "start"]
ISSUE = "/rest/api/2/issue/{key}-100"
# Name: method, path, size of the JSON body, connections.
CALLS = {
    "get": ("GET", ISSUE, 0, 32),
    "post-150": ("POST", "/rest/api/2/filter", 150, 32),
    "post-10k": ("POST", "/rest/api/2/filter", 10_000, 32),
    "up-1m": ("POST", ISSUE + "/attachments", 1_000_000, 8),
    "down-1m": ("GET", "/rest/api/2/issue/{key}-1000000", 0, 8),
    "tls-resumed": ("GET", ISSUE, 0, 8),
    "http2": ("GET", ISSUE, 0, 32),
}
TLS = ["tls-resumed", "http2"]
# These rows are measured on two processors as well.
ON_TWO = ["get", "post-150", "post-10k"]
PROXIES = ["tokenward", "tokenward-buffered", "nginx", "nginx-lua", "modsecurity", "haproxy", "envoy", "actix", "hyper"]
# ModSecurity's rules are about the JSON bodies; on other rows it would measure nothing of its own.
JUDGED = ["post-150", "post-10k"]
BODIES = {"100 B": 100, "1 KB": 1_000, "10 KB": 10_000, "100 KB": 100_000, "1 MB": 1_000_000, "10 MB": 10_000_000}
BODY_PEERS = ["tokenward", "nginx", "nginx-lua", "modsecurity"]
RATE_PEERS = ["direct", *PROXIES]
# Requests that a server must refuse before it is measured: one that lets everything pass would be fast.
BAD = {
    "token": lambda: policy.request(0, "GET", ISSUE).replace(policy.secret(0).encode(), b"twd_unknown"),
    "path": lambda: policy.request(0, "GET", "/rest/api/2/issue/{key}-666"),
    "body": lambda: policy.request(0, "POST", "/rest/api/2/filter", b'{"editable": true}'),
}
REFUSES = {"tokenward": BAD, "tokenward-buffered": BAD, "nginx-lua": BAD, "envoy": ["token", "path"], "modsecurity": ["token", "body"]}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--target", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--rate", type=int, default=3000)
    parser.add_argument("--tokens", type=int)
    parser.add_argument("--large", type=int, default=1_000_000, help="the larger policy of `start`")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", type=lambda text: text.split(","), default=PARTS)
    parser.add_argument("--peers", type=lambda text: text.split(","), default=RATE_PEERS)
    args = parser.parse_args()
    args.rounds = args.rounds or (1 if args.quick else 5)
    args.seconds = args.seconds or (1 if args.quick else 4)
    args.tokens = args.tokens or (1_000 if args.quick else 10_000)
    unknown = [name for name in args.only if name not in PARTS] + [name for name in args.peers if name not in RATE_PEERS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}")
    return args


class Cores:
    """Which processors the measured server has, and which the load and the upstream."""

    def __init__(self, count):
        mine = processes.processors()
        if len(mine) < 2:
            sys.exit("error: the benchmark needs two processors")
        self.count = count
        self.server = ",".join(map(str, mine[:count]))
        # With too few processors, load and upstream share the server's.
        self.rest = ",".join(map(str, mine[count:] or mine))


class Run:
    """One run of the benchmark."""

    def __init__(self, args):
        self.args = args
        directory = args.target / "bench-proxy"
        shutil.rmtree(directory / "run", ignore_errors=True)
        (directory / "run").mkdir(parents=True)
        self.directory = directory
        self.tools = Tools(directory / "tools")
        built = args.target / "bench/release"
        keys = certificate(directory / "run/tls")
        self.bench = Bench(self.tools, directory / "run", args.binary.resolve(), built, keys, args.tokens, free_ports)
        self.load = Load(self.tools, built / "proxy-load", directory / "run", keys, min(1_000, args.tokens))
        self.results = {"about": self.about(), "calls": [], "rates": [], "bodies": [], "reload": [], "start": [], "allocations": []}

    def about(self):
        """Machine, versions and settings."""
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.machine())
        own = subprocess.run([self.args.binary, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, stdout=subprocess.PIPE, text=True, check=False)
        locked = {name: version(HERE / "forwarders/Cargo.lock", name) for name in ("actix-web", "awc", "hyper")}
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
        return {"date": datetime.date.today().isoformat(), "machine": f"{model}, {os.cpu_count()} processors, {memory:.0f} GiB",
                "kernel": platform.release(), "load_before": os.getloadavg()[0], "tokenward": f"{own} ({commit.stdout.strip()})",
                "versions": self.tools.versions() | locked, "quick": self.args.quick, "rounds": self.args.rounds,
                "seconds": self.args.seconds, "tokens": self.args.tokens, "rate": self.args.rate,
                "processors": len(processes.processors())}

    def peers(self, names):
        """Those of the names that are to be measured."""
        return [name for name in names if name in self.args.peers]

    def serve(self, name, count, cores, tls=False):
        """Starts a server, and sends it the requests that it must refuse."""
        server = self.bench.start(name, count, cores.server, tls)
        for kind in [] if tls else REFUSES.get(name, []):
            status = restart.call(server.port, BAD[kind]())
            if status not in (401, 403):
                sys.exit(f"error: {name} answered {status} to a request with a wrong {kind}")
        return server

    def closed(self, row, server, cores):
        """Runs a row once: microseconds of CPU a request, requests a second, and the share of its processors that it used."""
        method, path, size, connections = CALLS[row]
        seconds = self.args.seconds
        before, begun = server.cpu(), time.monotonic()
        if row == "http2":
            done, rate = self.load.h2load(server.port, max(1, round(seconds)), cores.rest)
        else:
            kind = "application/octet-stream" if row == "up-1m" else "application/json"
            body = bytes(size) if row == "up-1m" else policy.filter_body(size) if size else b""
            requests = self.load.requests(row, method, path, body, kind)
            if row == "tls-resumed":
                done, rate = self.load.resumed(server.port, requests, seconds, connections, cores.rest)
            else:
                done, rate = self.load.wrk(server.port, requests, max(1, round(seconds)), connections, cores.rest)
        spent = server.cpu() - before
        return spent / done * 1e6, rate, spent / (time.monotonic() - begun) / cores.count

    def turns(self, names, once):
        """Calls `once` for each name in turn, and returns the results of all rounds but the first, which warms up."""
        warm = 0 if self.args.quick else 1
        found = {name: [] for name in names}
        for turn in range(self.args.rounds + warm):
            for name in names:
                result = once(name)
                if turn >= warm:
                    found[name].append(result)
        return found

    def calls(self, count):
        """Every kind of call, with servers that have so many processors."""
        cores = Cores(count)
        self.bench.start_upstream(cores.rest)
        for tls in (False, True):
            rows = [row for row in CALLS if (row in TLS) == tls and (count == 1 or row in ON_TWO)]
            names = [name for name in self.peers(PROXIES) if not (tls and name in ("modsecurity", "tokenward-buffered"))]
            servers = {name: self.serve(name, count, cores, tls) for name in names if rows}
            for row in rows:
                some = [name for name in names if name != "modsecurity" or row in JUDGED]
                found = self.turns(some, lambda name, row=row, servers=servers: self.closed(row, servers[name], cores))
                for name in some:
                    cpu, rate, busy = (list(values) for values in zip(*found[name]))
                    self.add("calls", row=row, peer=name, processors=count, cpu=cpu, rate=rate, busy=busy)
            for server in servers.values():
                server.stop()

    def rates(self):
        """Latency at a fixed rate, also of the upstream without a proxy."""
        cores = Cores(2)
        self.bench.start_upstream(cores.rest)
        names = self.peers(RATE_PEERS)
        servers = {name: self.serve(name, 2, cores) for name in names}
        for row in ("get", "post-150"):
            method, path, size, connections = CALLS[row]
            requests = self.load.requests(row, method, path, policy.filter_body(size) if size else b"")
            some = [name for name in names if name != "modsecurity" or row in JUDGED]
            found = self.turns(some, lambda name, requests=requests, connections=connections: self.load.send(
                servers[name].port, requests, self.args.rate, self.args.seconds, connections, cores.rest))
            for name in some:
                percentiles = {p: [one[p] for one in found[name]] for p in ("p50", "p99", "p999")}
                self.add("rates", row=row, peer=name, rate=self.args.rate, **percentiles)
        for name in names:
            if name != "direct":
                servers[name].stop()

    def bodies(self):
        """JSON bodies of all sizes that are checked."""
        cores = Cores(1)
        self.bench.start_upstream(cores.rest)
        servers = {name: self.serve(name, 1, cores) for name in self.peers(BODY_PEERS)}
        limit, too_slow = (20 if self.args.quick else 120), set()
        for size, count in BODIES.items():
            requests = self.load.requests(f"body-{count}", "POST", "/rest/api/2/filter", policy.filter_body(count))

            def once(name, requests=requests, count=count):
                if (name, count) in too_slow:
                    return None
                before, seconds = servers[name].cpu(), max(1, round(self.args.seconds))
                if count < 100_000:
                    done = self.load.wrk(servers[name].port, requests, seconds, 32, cores.rest)
                else:
                    done = self.load.one_by_one(servers[name].port, requests, seconds, limit, cores.rest)
                if done is None:
                    # What has taken longer than the limit would take longer again with larger bodies.
                    too_slow.update((name, more) for more in BODIES.values() if more >= count)
                    return None
                return (servers[name].cpu() - before) / done[0] * 1e6, done[1]

            for name, all_ in self.turns(list(servers), once).items():
                if (name, count) in too_slow:
                    self.add("bodies", size=size, bytes=count, peer=name, over=limit)
                    continue
                cpu, rate = (list(values) for values in zip(*all_))
                self.add("bodies", size=size, bytes=count, peer=name, cpu=cpu, rate=rate)
        for server in servers.values():
            server.stop()

    def reload(self):
        """A changed line among many tokens, under load."""
        self.bench.start_upstream(None)
        for tokens in ([2_000] if self.args.quick else [10_000, 100_000]):
            self.results["reload"].append(restart.reload(self.bench, self.load, tokens, 1 if self.args.quick else 3))
            self.save()

    def start(self):
        """The time until the first call is answered, and memory."""
        self.bench.start_upstream(None)
        for tokens in ([1_000, 2_000] if self.args.quick else [10_000, self.args.large]):
            self.results["start"] += restart.start(self.bench, tokens, self.args.rounds if tokens <= 10_000 else 1)
            self.save()

    def allocations(self):
        """Allocations a call, by the guard in bench/path."""
        guard = HERE.parent / "path/path.py"
        if not guard.exists() or not shutil.which("valgrind"):
            self.add("allocations", missing="bench/path and valgrind are needed")
            return
        command = [guard, "--binary", self.args.binary.resolve(), *(["--cases", "get"] if self.args.quick else [])]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            sys.exit(f"error: bench/path/path.py: exit code {done.returncode}\n{done.stderr[-2000:]}")
        for line in done.stdout.splitlines():
            words = line.replace(",", " ").split()
            if "allocations" in words:
                self.add("allocations", call=words[0], count=float(words[words.index("allocations") - 1].rstrip(";")))

    def add(self, part, **row):
        """Adds a row of results, and shows it."""
        self.results[part].append(row)
        shown = {name: round(statistics.median(value), 2) if isinstance(value, list) else value for name, value in row.items()}
        print(part, *(f"{name}={value}" for name, value in shown.items()), flush=True)
        self.save()

    def save(self):
        """Writes all results so far, and the report of them."""
        (self.directory / "results.json").write_text(json.dumps(self.results, indent=1) + "\n")
        report.write(self.results, self.directory)


def version(lock, name):
    """The version of a crate in a lock file."""
    lines = lock.read_text().splitlines()
    at = lines.index(f'name = "{name}"')
    return lines[at + 1].split('"')[1]


def leave(number, _frame):
    """Ends the benchmark; a second signal does not interrupt the end of the servers."""
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    sys.exit(128 + number)


def main():
    args = arguments()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
    try:
        run = Run(args)
        for part in args.only:
            if part == "calls":
                run.calls(1)
                run.calls(2)
            else:
                getattr(run, part)()
    finally:
        processes.stop_all()
    print(f"wrote {run.directory}/performance.md and performance.svg")


if __name__ == "__main__":
    main()
