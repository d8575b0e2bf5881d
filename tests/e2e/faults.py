#!/usr/bin/env python3
"""The proxy and the audit's commands on a disk that fails, in every file of the audit: strace answers their system calls.

    faults.py --binary tokenward --directory DIR [--jobs N] [--verbose] [NAME…]

fault_table.py beside it says which call fails, on which file, how often and when. Each fault has a proxy and a store
of its own, with two segments of calls in it. Required of every one: no fault of ours in the log, every call answered in
bounds, no call upstream whose record is not found afterwards exactly once (or that was let pass and counted, where the
setting lets it), metrics that tell, a proxy that goes on when the disk does, a store that opens in seconds and verifies.
"""
import argparse
import concurrent.futures
import contextlib
import datetime
import hashlib
import http.client
import http.server
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from fault_table import COMMANDS, PROXY, TARGETS
from ports import free_ports

ANSWER_LIMIT = 15  # of one call, seconds; the audit's `wait` is 2
RECOVERY_LIMIT = 20  # from the end of the fault to the next call that is recorded
STOP_LIMIT = 45  # the audit gives a hanging disk 30 seconds at the end
OPEN_LIMIT = 5  # from start to listening, debug build, other tests beside
SEED_CALLS = 400  # 8 KiB each that hardly compress: two segments of 4 MiB, and some
SECRET = "faults-0123456789abcdef0123456789abcdef"


# --- the upstream, and calls ----------------------------------------------------------------------------------------------

class Upstream(http.server.ThreadingHTTPServer):
    """Answers all, and remembers the numbers in the paths."""
    daemon_threads, request_queue_size = True, 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.seen, self.lock = [], threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm = "HTTP/1.1", True

    def do_GET(self):  # noqa: N802
        with self.server.lock:
            self.server.seen.append(number(self.path))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_POST = do_GET

    def log_message(self, *_):
        pass


def number(url):
    return int(re.search(r"/n/(\d+)/", url)[1])


def call(port, n):
    """GET where n is even, POST where it is odd: (status, reason code, seconds)."""
    filler = random.Random(n).randbytes(4096).hex()
    began = time.monotonic()
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_LIMIT)) as connection:
        method = "POST" if n % 2 else "GET"
        connection.request(method, f"/n/{n}/?{filler}", headers={"Authorization": f"Bearer {SECRET}"})
        answer = connection.getresponse()
        body = answer.read()
        code = json.loads(body).get("reason") if answer.status >= 400 else None
        return answer.status, code, time.monotonic() - began


class Calls:
    """Calls of one case, by number: what came of them."""

    def __init__(self, first):
        self.numbers, self.answers, self.wrong, self.lock = itertools.count(first), {}, [], threading.Lock()

    def make(self, port):
        with self.lock:
            n = next(self.numbers)
        try:
            answer = call(port, n)
        except (OSError, http.client.HTTPException) as error:
            self.wrong.append(f"call {n} got no answer: {error!r}")
            return None
        self.answers[n] = answer
        return answer

    def several(self, port, count, until=lambda: False):
        def work():
            while not until() and budget and budget.pop():
                self.make(port)
        budget = [True] * count
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


# --- the proxy, and strace ------------------------------------------------------------------------------------------------

# A process that is not dumpable can be traced by root only.
HARDENING = "best-effort" if os.geteuid() == 0 else "off"
CONFIGURATION = """[server]
listen = "127.0.0.1:{listen}"
shutdown_grace = "1s"
hardening = "{hardening}"
[admin]
listen = "127.0.0.1:{admin}"
[upstream]
url = "http://127.0.0.1:{behind}"
public_url = "http://127.0.0.1:{listen}"
product = "generic"
endpoints = ["/*"]
[auth]
methods = "both"
failed_attempts = 0
[limits]
head_size = "64KiB"
[audit]
wait = "2s"
on_failure = "{on_failure}"
cache_size = "1MiB"
reserve_size = "1MiB"
"""
POLICY = """[[token]]
name = "faults"
user = "svc"
secret_hash = "sha256:{digest}"
limit_to = '''
[get]/n/.*
[post]/n/.*
'''
"""


class Proxy:
    def __init__(self, binary, directory, upstream, on_failure):
        self.binary, self.directory, self.process, self.tracer = binary, directory, None, None
        self.config, self.store = directory / "tokenward.toml", directory / ".tokenward/audit"
        (directory / "policies").mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(SECRET.encode()).hexdigest()
        (directory / "policies/tokens.toml").write_text(POLICY.format(digest=digest))
        self.listen, self.admin = free_ports(2)
        behind = upstream.server_address[1]
        self.config.write_text(CONFIGURATION.format(listen=self.listen, admin=self.admin, behind=behind, on_failure=on_failure, hardening=HARDENING))
        self.log, self.trace = directory / "serve.log", directory / "strace.log"

    def start(self, strace=()):
        """Starts it, and waits until it listens: the seconds that took; none if it ended instead."""
        began = time.monotonic()
        with open(self.log, "ab") as log:
            command = [*strace, self.binary, "serve", "--config", str(self.config)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        while time.monotonic() < began + 90:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.listen), timeout=5):
                return time.monotonic() - began
            if self.process.poll() is not None:
                return None
            time.sleep(0.02)
        return None

    def attach(self, strace):
        """Lets strace take hold of the running proxy, all its threads."""
        with open(self.directory / "strace.err", "wb") as errors:
            self.tracer = subprocess.Popen([*strace, "-p", str(self.process.pid)], stdout=errors, stderr=errors)
        until = time.monotonic() + 30
        while self.untraced():
            if self.tracer.poll() is not None or time.monotonic() > until:
                sys.exit("strace cannot trace a process here (is ptrace permitted?):\n" + (self.directory / "strace.err").read_text())
            time.sleep(0.02)

    def tracers(self):
        tracers = set()
        for status in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/status"):
            with contextlib.suppress(OSError):
                tracers.add(int(re.search(r"TracerPid:\s*(\d+)", status.read_text())[1]))
        return tracers

    def untraced(self):
        return 0 in self.tracers()

    def detach(self):
        """Ends the fault; the proxy goes on."""
        for tracer in self.tracers() - {0}:
            os.kill(tracer, signal.SIGTERM)
        until = time.monotonic() + 30
        while self.process.poll() is None and self.tracers() != {0}:
            if time.monotonic() > until:
                sys.exit("strace does not let go")
            time.sleep(0.02)
        if self.tracer:
            self.tracer.wait(30)
            self.tracer = None

    def stop(self, how=signal.SIGTERM):
        """Its exit code; none if it did not end in bounds."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            return None

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.tracer and self.tracer.poll() is None:
            self.tracer.kill()
            self.tracer.wait()

    def get(self, path):
        secret = (self.directory / ".tokenward/admin.secret").read_text().strip()
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.admin, timeout=ANSWER_LIMIT)) as connection:
            connection.request("GET", path, headers={"Authorization": f"Bearer {secret}"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def figure(self, name):
        return sum(float(v) for v in re.findall(rf"^tokenward_audit_{name}(?:{{[^}}]*}})? (\S+)$", self.get("/metrics")[1], re.M))

    def audit(self, *arguments, strace=()):
        command = [*strace, self.binary, "audit", *arguments]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False, cwd=self.directory)


def strace(proxy, fault):
    """strace's command line for a fault; the paths are those of the store's periods of today, and of the next ones."""
    today = datetime.datetime.now(datetime.timezone.utc).date()
    periods = [period for period in proxy.store.iterdir() if period.is_dir()] if proxy.store.exists() else []
    periods += [proxy.store / f"{day}{suffix}" for day in (today, today + datetime.timedelta(1)) for suffix in ("", ".2", ".3", ".4", ".5")]
    paths = {proxy.directory / "no-such-file"}  # without a path strace would take all files
    for name in TARGETS[fault.target]:
        if name.startswith("/"):
            paths |= {proxy.store / name[1:]}
        elif "*" in name:
            paths |= {path for period in periods for path in period.glob(name)}
        else:
            paths |= {period / name if name else period for period in periods}
    calls = fault.calls.split(",")
    command = ["strace", "-f", "-I", "2", "--quiet=all", "-s", "8", "-o", str(proxy.trace), "-e", "trace=" + ",".join(calls), "-e", "signal=none",
               "-e", f"inject={','.join(calls)}:{fault.gives}{':when=' + fault.count if fault.count else ''}"]
    for path in sorted(paths):
        command += ["-P", str(path)]
    return command


def injected(proxy):
    if not proxy.trace.exists():
        return 0
    return len(re.findall(r"\((?:INJECTED|DELAYED)\)", proxy.trace.read_text(errors="replace")))


# --- one fault ------------------------------------------------------------------------------------------------------------

class Case:
    def __init__(self, fault, binary, directory, seeds):
        self.fault, self.upstream, self.directory = fault, Upstream(), directory / fault.name.replace(" ", "-")
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        if fault.seed != "none":
            shutil.copytree(seeds / fault.seed / ".tokenward", self.directory / ".tokenward")
        self.proxy = Proxy(binary, self.directory, self.upstream, fault.on_failure)
        self.calls, self.wrong, self.notes = Calls(100_000), [], []
        self.passed = 0  # as the metrics count them

    def require(self, holds, text):
        if not holds:
            self.wrong.append(text)
        return holds

    def run(self):
        began = time.monotonic()
        try:
            self.under_fault()
            self.afterwards()
        except Exception as error:  # noqa: BLE001
            self.wrong.append(f"{type(error).__name__}: {error}")
        finally:
            self.proxy.kill()
            self.upstream.shutdown()
            self.upstream.server_close()
        return self, time.monotonic() - began

    def under_fault(self):
        proxy, fault = self.proxy, self.fault
        if fault.when == "start":
            took = proxy.start([*strace(proxy, fault), "-D"])
            if not self.require(took is not None, f"the proxy does not start: {self.tail()}"):
                return
            self.notes.append(f"started in {took:.1f} s")
        else:
            self.require(proxy.start() is not None, f"the proxy does not start before the fault: {self.tail()}")
            self.calls.several(proxy.listen, 8)
            self.require(all(status == 200 for status, *_ in self.calls.answers.values()), "calls fail before the fault")
            proxy.attach(strace(proxy, fault))
        if fault.when == "stop":
            began = time.monotonic()
            code = proxy.stop()
            self.notes.append(f"stopped in {time.monotonic() - began:.1f} s with {code}")
            self.require(code is not None, "the proxy does not stop")
        else:
            self.while_running()
        self.require(injected(proxy) > 0, "the fault never came: the case shows nothing")
        for part in fault.names:
            self.require(part in self.text(), f"the log does not tell: {part}")

    def while_running(self):
        proxy, fault = self.proxy, self.fault
        before = len(self.calls.answers)
        # After a failure the audit answers for half a second without another attempt.
        for _ in range(2):
            self.calls.several(proxy.listen, fault.budget // 2)
            if fault.fails:
                time.sleep(0.6)
        self.calls.several(proxy.listen, 4)
        answers = dict(list(self.calls.answers.items())[before:])
        refused = [n for n, (status, code, _) in answers.items() if status != 200]
        odd = {n: answers[n][:2] for n in refused if answers[n][:2] != (503, "audit-unavailable")}
        self.require(not odd, f"answers that are none of the audit's: {odd}")
        slow = [n for n, (*_, took) in answers.items() if took > 10]
        self.require(not slow, f"{len(slow)} calls took over 10 s")
        if fault.on_failure == "allow":
            gets = [n for n in refused if n % 2 == 0]
            self.require(not gets, f"{len(gets)} GETs were refused")
        failures = proxy.figure("failures_total")
        self.notes.append(f"{len(answers)} calls, {len(refused)} refused, {failures:.0f} commits failed, {injected(proxy)} faults")
        if refused:
            # Those that waited too long (`Busy`) are no failed commit.
            self.require(failures or "too slow" in self.text(), "calls were refused, and the metrics show no failure")
        if fault.fails:
            self.require(refused or failures, "the fault was not noticed")
        if failures and fault.count == "" and fault.on_failure == "refuse" and fault.fails:
            status, body = proxy.get("/readyz")
            self.require(status == 503 or not proxy.figure("failing"), f"/readyz says {status} {body} while the audit fails")
        if fault.asks:
            done = proxy.audit("list", "--json", "--config", str(proxy.config), "--limit", "10000")
            told = done.stderr.decode(errors="replace")
            self.notes.append(f"asked: {done.returncode} {told.strip()[-200:]}")
            self.require(done.returncode == 3 and fault.target in told and "Input/output error" in told, f"a question is answered with {done.returncode}: {told}")
        if fault.killed:
            self.passed = proxy.figure("unrecorded_total")
            proxy.kill()
            return
        proxy.detach()
        until = time.monotonic() + RECOVERY_LIMIT
        while (answer := self.calls.make(proxy.listen)) is None or answer[0] != 200 or proxy.figure("failing"):
            if not self.require(time.monotonic() < until, f"the proxy does not recover: {answer}, {proxy.get('/readyz')}"):
                break
            time.sleep(0.1)
        self.calls.several(proxy.listen, 8)
        last = list(self.calls.answers.values())[-8:]
        self.require(all(status == 200 for status, *_ in last), f"calls fail after the fault: {last}")
        self.passed = proxy.figure("unrecorded_total")
        code = proxy.stop()
        self.require(code is not None, "the proxy does not stop after the fault")

    def text(self):
        return self.proxy.log.read_text(errors="replace")

    def tail(self):
        return " | ".join(self.text().splitlines()[-3:])

    def afterwards(self):
        """What is left, without the fault: opened by the proxy, then asked by the commands."""
        proxy = self.proxy
        proxy.kill()
        took = proxy.start()
        if self.require(took is not None, f"the proxy does not start after the fault: {self.tail()}"):
            self.require(took < OPEN_LIMIT, f"the store opened in {took:.1f} s")
            answer = self.calls.make(proxy.listen)
            self.require(answer and answer[0] == 200, f"a call after all gives {answer}")
            self.require(proxy.stop() == 0, f"the proxy ends badly: {self.tail()}")
        self.wrong += self.calls.wrong
        text = self.text()
        for sign in ("panicked", "internal error of tokenward"):
            self.require(sign not in text, f"{text.count(sign)} times in the log: {next((l for l in text.splitlines() if sign in l), '')}")
        listed = proxy.audit("list", "--json", "--config", str(proxy.config), "--limit", "10000")
        if not self.require(listed.returncode == 0, f"audit list: {listed.returncode} {listed.stderr.decode()[-300:]}"):
            return
        found = [number(json.loads(line)["url"]) for line in listed.stdout.splitlines()]
        twice = len(found) - len(set(found))
        self.require(not twice, f"{twice} calls are listed twice")
        before = set(range(SEED_CALLS)) - set(found) if self.fault.seed != "none" else set()
        self.require(not before, f"{len(before)} calls from before the fault are gone")
        missing = set(self.upstream.seen) - set(found)
        if self.fault.on_failure == "allow":
            self.require(len(missing) <= self.passed, f"{len(missing)} calls that went upstream are not found, {self.passed} were counted")
        else:
            self.require(not missing, f"{len(missing)} calls that went upstream are not found: {sorted(missing)[:5]}")
        through = [n for n in self.upstream.seen if n in self.calls.answers and self.calls.answers[n][0] == 503]
        self.require(not through, f"calls that were refused went upstream: {through[:5]}")
        verified = proxy.audit("verify", "--config", str(proxy.config))
        told = verified.stdout.decode()[-400:] + verified.stderr.decode()[-300:]
        self.require(verified.returncode == 0, f"audit verify: {verified.returncode} {told}")
        self.require(self.salvaged() == set(found), "salvage finds other calls than there are")

    def salvaged(self):
        """The calls that are found without the chain, period by period."""
        numbers = set()
        files = ("db", "journal-0", "journal-1")
        # One that could not be begun has none of them: of that, salvage says so.
        for period in sorted(path for path in self.proxy.store.iterdir() if any((path / name).exists() for name in files)):
            file = self.directory / f"{period.name}.jsonl"
            done = self.proxy.audit("salvage", str(period), "-o", str(file))
            if self.require(done.returncode == 0, f"audit salvage {period.name}: {done.stderr.decode()[-300:]}"):
                numbers |= {number(json.loads(line)["url"]) for line in file.read_text().splitlines()}
        return numbers


# --- the commands ---------------------------------------------------------------------------------------------------------

class Command(Case):
    """A question to the files of a store whose reading fails."""

    def under_fault(self):
        proxy, fault = self.proxy, self.fault
        arguments = [str(proxy.config) if a == "CONFIG" else str(self.directory / "made") if a == "NEW" else
                     str(next(p for p in proxy.store.iterdir() if p.is_dir())) if a == "PERIOD" else a for a in fault.command]
        done = proxy.audit(*arguments, strace=strace(proxy, fault))
        told = done.stderr.decode(errors="replace") + (done.stdout.decode(errors="replace") if fault.command[0] == "verify" else "")
        self.notes.append(f"{done.returncode}: {told.strip()[-200:]}")
        self.require(injected(proxy) > 0, "the fault never came: the case shows nothing")
        self.require("panicked" not in told, told)
        if fault.fails:
            self.require(done.returncode in (1, 3), f"exit code {done.returncode}: {told}")
            for part in fault.names:
                self.require(part in told, f"does not name {part}: {told}")
        else:
            self.require(done.returncode == 0, f"exit code {done.returncode}: {told}")


def seeds(binary, directory):
    """Two stores with SEED_CALLS calls in two segments and more: one closed, one as a crash leaves it."""
    upstream = Upstream()
    proxy = Proxy(binary, directory / "closed", upstream, "refuse")
    if proxy.start() is None:
        sys.exit(f"the proxy does not start:\n{proxy.log.read_text()}")
    calls = Calls(0)
    calls.several(proxy.listen, SEED_CALLS)
    if calls.wrong or {status for status, *_ in calls.answers.values()} != {200}:
        sys.exit(f"calls fail without a fault: {calls.wrong[:3]}")
    proxy.process.send_signal(signal.SIGSTOP)
    shutil.copytree(directory / "closed/.tokenward", directory / "crashed/.tokenward")
    proxy.process.send_signal(signal.SIGCONT)
    if proxy.stop() != 0:
        sys.exit(f"the proxy does not stop without a fault:\n{proxy.log.read_text()}")
    for name, journals in ("closed", 0), ("crashed", 2):
        data = [path.stat().st_size for path in (directory / name / ".tokenward/audit").glob("*/db")]
        if len(data) != 1 or data[0] < 8 << 20 or len(list((directory / name).glob(".tokenward/audit/*/journal-*"))) != journals:
            sys.exit(f"the store that is to be {name} is another one: {data}")
    upstream.server_close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--directory", type=pathlib.Path, required=True)
    parser.add_argument("--jobs", type=int, default=6)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("names", nargs="*", help="faults whose names contain one of these; none: all")
    a = parser.parse_args()
    began = time.monotonic()
    shutil.rmtree(a.directory, ignore_errors=True)
    a.directory, a.binary = a.directory.resolve(), str(pathlib.Path(a.binary).resolve())
    seeds(a.binary, a.directory / "seeds")
    seeded = time.monotonic() - began
    chosen = [(kind, fault) for kind, table in ((Case, PROXY), (Command, COMMANDS)) for fault in table
              if not a.names or any(name in fault.name for name in a.names)]
    if len({fault.name for _, fault in chosen}) < len(chosen):
        sys.exit("two faults have one name")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        runs = [pool.submit(lambda kind=kind, fault=fault: kind(fault, a.binary, a.directory, a.directory / "seeds").run()) for kind, fault in chosen]
        for run in runs:
            case, took = run.result()
            if case.wrong or a.verbose:
                print(f"{'FAIL' if case.wrong else 'ok  '} {case.fault.name} ({took:.1f} s): {'; '.join(case.notes)}", flush=True)
            for text in case.wrong:
                print("     ", text[:600])
            failed += bool(case.wrong)
    print(f"{len(chosen)} faults in {time.monotonic() - began:.0f} s ({seeded:.0f} s for the stores), {failed} failed")
    sys.exit(1 if failed or not chosen else 0)


if __name__ == "__main__":
    main()
