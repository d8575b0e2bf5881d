#!/usr/bin/env python3
"""Keep the proxy busy for a while with all that goes wrong in a day, and check that nothing of it shows.

    soak.py --binary tokenward --directory DIR --seconds 600

Half of the peak rate that these clients reach, beside it clients that abort and clients that are slow, an upstream that fails in
every way, and a policy that changes each second. Required, else exit code 1: every answer is the one that its request must get,
every answered call is in the audit with the verdict that its client saw, the audit verifies, every reload was taken up without one
that failed, and the proxy's resident memory after the first third does not grow. Loopback alone; standard library alone.
"""
import argparse
import collections
import hashlib
import json
import os
import pathlib
import random
import re
import secrets
import signal
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time

from ports import free_ports

THREADS = 6
PEAK_SECONDS = 8
USER = "svc"


# --- the upstream -------------------------------------------------------------------------------------------------------------

def upstream(listener):
    while True:
        try:
            stream, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=converse, args=(stream,), daemon=True).start()


def read_head(reader):
    lines = []
    while line := reader.readline(65536):
        if line == b"\r\n":
            return lines
        lines.append(line.decode("latin-1").rstrip("\r\n"))
    return None


def converse(stream):
    """Echoes each request; its target asks for failures: …/close, …/partial, …/error, …/slow."""
    with stream, stream.makefile("rb") as reader:
        try:
            while lines := read_head(reader):
                method, target, _ = lines[0].split(" ")
                fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}
                if "chunked" in fields.get("transfer-encoding", ""):
                    while size := int(reader.readline(), 16):
                        reader.read(size + 2)
                    reader.readline()
                reader.read(int(fields.get("content-length", 0)))
                body = f"{method} {target} {fields.get('x-forwarded-user')}".encode()
                if target.endswith("/close"):
                    return
                if target.endswith("/slow"):
                    time.sleep(0.2)
                status = "500 Broken" if target.endswith("/error") else "200 OK"
                length = len(body) + (1000 if target.endswith("/partial") else 0)
                stream.sendall(f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n".encode() + body)
                if target.endswith("/partial"):
                    return
        except (OSError, ValueError):
            return


# --- clients ------------------------------------------------------------------------------------------------------------------

class Bench:
    def __init__(self, port, tokens):
        self.port, self.tokens = port, tokens
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.wrong, self.answered = [], []
        self.counts = collections.Counter()
        self.rate = None  # honest requests a second, all threads together; None: as many as there can be

    def fault(self, what):
        with self.lock:
            self.wrong.append(what)

    def seen(self, kind, ident=None, verdict=None):
        with self.lock:
            self.counts[kind] += 1
            if ident:
                self.answered.append((ident, verdict))


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb")

    def close(self, reset=False):
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.reader.close()
        self.socket.close()

    def answer(self):
        """Status, fields and body; the body is None if it broke off."""
        lines = read_head(self.reader)
        if not lines:
            raise ConnectionError("no answer")
        fields = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
        body = b""
        try:
            if "chunked" in fields.get("transfer-encoding", ""):
                while size := int(self.reader.readline() or b"x", 16):
                    body += self.reader.read(size + 2)[:size]
                self.reader.readline()
            else:
                length = int(fields.get("content-length", 0))
                body = self.reader.read(length)
                if len(body) < length:
                    body = None
        except (OSError, ValueError):
            body = None
        return int(lines[0].split(" ")[1]), fields, body


def request(method, target, secret, body=b"", kind=None):
    head = f"{method} {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n"
    if kind:
        head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def cases(rng, tokens, number):
    """One honest request, its kind, and what must come of it: status, echoed body, verdict."""
    steady, flip, target = tokens["steady"], tokens["flip"], f"/rest/api/2/steady/{number}"
    echo = lambda method, target: f"{method} {target} {USER}".encode()  # noqa: E731
    pick = rng.random()
    if pick < 0.5:
        return request("GET", target + "?a=b%20c", steady), "allowed", {200}, echo("GET", target + "?a=b%20c"), "allow"
    if pick < 0.6:
        return request("GET", f"/rest/api/2/other/{number}", steady), "denied", {403}, None, "deny"
    if pick < 0.7:
        body = b'{"editable":false,"x":"' + b"y" * rng.choice([1, 1000, 60000]) + b'"}'
        return request("POST", target, steady, body, "application/json"), "allowed body", {200}, echo("POST", target), "allow"
    if pick < 0.75:
        return request("POST", target, steady, b'{"editable":true}', "application/json"), "denied body", {403}, None, "deny"
    if pick < 0.78:
        return request("GET", target + "/../x", steady), "refused", {400}, None, "refuse"
    if pick < 0.81:
        return request("GET", target, "x" * 40), "stranger", {401, 429}, None, "refuse"
    if pick < 0.95:
        # The policy changes each second, so either answer may be right; each with its own verdict.
        return request("GET", f"/rest/api/2/flip/{number}", flip), "in between", {200, 403}, None, None
    if pick < 0.965:
        return request("GET", target + "/close", steady), "upstream closes", {502}, None, "allow"
    if pick < 0.98:
        return request("GET", target + "/error", steady), "upstream errs", {500}, None, "allow"
    return request("GET", target + "/partial", steady), "upstream breaks off", {200}, b"broken", "allow"


def honest(bench, seed):
    rng, connection, number, due = random.Random(seed), None, 0, time.monotonic()
    while not bench.stop.is_set():
        if bench.rate:
            due = max(due + THREADS / bench.rate, time.monotonic() - 1)
            time.sleep(max(0, due - time.monotonic()))
        number += 1
        raw, kind, statuses, body, verdict = cases(rng, bench.tokens, f"{seed}-{number}")
        try:
            connection = connection or Connection(bench.port)
            connection.socket.sendall(raw)
            status, fields, got = connection.answer()
        except (OSError, ValueError) as error:
            bench.fault(f"{kind}: {error!r}")
            connection = None
            continue
        if status not in statuses:
            bench.fault(f"{kind}: {status}, {got!r}")
        elif body == b"broken":
            if got is not None:
                bench.fault(f"{kind}: a part was passed on as the whole")
        elif body is not None and got != body:
            bench.fault(f"{kind}: {got!r}, and not {body!r}")
        verdict = verdict or ("allow" if status == 200 else "deny")
        bench.seen(kind, fields.get("x-request-id"), verdict if status not in (401, 429) else None)
        if got is None or fields.get("connection") == "close":
            connection.close()
            connection = None


def aborting(bench, seed):
    rng = random.Random(seed)
    while not bench.stop.is_set():
        try:
            connection = Connection(bench.port)
            target = f"/rest/api/2/steady/a{rng.random()}" + rng.choice(["", "/slow", "/partial"])
            raw = request("POST", target, bench.tokens["steady"], b'{"editable":false,"x":"' + b"y" * 200_000 + b'"}', "application/json")
            connection.socket.sendall(raw[:rng.choice([5, 60, 200, 70_000, len(raw)])])
            time.sleep(rng.random() * 0.05)
            connection.close(reset=rng.random() < 0.5)
            bench.seen("aborted")
        except OSError:
            pass
        time.sleep(0.05)


def slow(bench, seed):
    rng = random.Random(seed)
    while not bench.stop.is_set():
        try:
            connection = Connection(bench.port)
            target = f"/rest/api/2/steady/s{seed}-{rng.random()}"
            for byte in request("POST", target, bench.tokens["steady"], b'{"editable":false}', "application/json"):
                connection.socket.sendall(bytes([byte]))
                time.sleep(0.004)
                if bench.stop.is_set():
                    connection.close()
                    return
            status, fields, body = connection.answer()
            if status != 200 or body != f"POST {target} {USER}".encode():
                bench.fault(f"slow: {status} {body!r}")
            bench.seen("slow", fields.get("x-request-id"), "allow")
            connection.close()
        except OSError as error:
            bench.fault(f"slow: {error!r}")


# --- the proxy ----------------------------------------------------------------------------------------------------------------

def policy(tokens, flip):
    lines = {"steady": "[get]/rest/api/2/steady/.*\n[post]/rest/api/2/steady/.*[JsonData::editable==false]",
             "flip": "[get]/rest/api/2/flip/.*" if flip else "[get]/rest/api/2/flop/.*"}
    return "".join(f'[[token]]\nname = "{name}"\nuser = "{USER}"\nsecret_hash = "sha256:{hashlib.sha256(secret.encode()).hexdigest()}"\n'
                   f"limit_to = '''\n{lines[name]}\n'''\n" for name, secret in tokens.items())


def configuration(listen, admin, behind):
    return f"""[server]
listen = "127.0.0.1:{listen}"
[admin]
listen = "127.0.0.1:{admin}"
[upstream]
url = "http://127.0.0.1:{behind}"
public_url = "http://127.0.0.1:{listen}"
[upstream.identity]
mode = "trusted-header"
header = "X-Forwarded-User"
[auth]
methods = "both"
failed_attempts = 0
[audit]
outsiders_per_minute = 1000000
cache_size = "8MiB"
"""


def metrics(admin, secret):
    with socket.create_connection(("127.0.0.1", admin), timeout=30) as s:
        s.sendall(f"GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\nConnection: close\r\n\r\n".encode())
        text = b""
        while chunk := s.recv(65536):
            text += chunk
    return text.decode("utf-8", "replace")


def resident_kib(pid):
    return int(re.search(r"VmRSS:\s*(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--directory", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=int, default=600)
    a = parser.parse_args()
    (a.directory / "policies").mkdir(parents=True)
    listen, admin = free_ports(2)
    behind = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=upstream, args=(behind,), daemon=True).start()
    tokens = {name: secrets.token_hex(20) for name in ("steady", "flip")}
    place = a.directory / "policies/tokens.toml"
    place.write_text(policy(tokens, True))
    config = a.directory / "tokenward.toml"
    config.write_text(configuration(listen, admin, behind.getsockname()[1]))
    log = open(a.directory / "serve.log", "wb")
    proxy = subprocess.Popen([a.binary, "serve", "--config", str(config)], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        code = soak(a, proxy, Bench(listen, tokens), admin, place)
    finally:
        proxy.kill()
        proxy.wait()
        if (a.directory / "serve.log").stat().st_size < 4000:
            sys.stdout.write((a.directory / "serve.log").read_text(errors="replace"))
    sys.exit(code)


def soak(a, proxy, bench, admin, place):
    config = str(a.directory / "tokenward.toml")
    until = time.monotonic() + 30
    while True:
        try:
            Connection(bench.port).close()
            break
        except OSError:
            if proxy.poll() is not None or time.monotonic() > until:
                print("error: the proxy does not listen")
                return 1
            time.sleep(0.05)
    secret = (a.directory / ".tokenward/admin.secret").read_text().strip()
    clients = [threading.Thread(target=honest, args=(bench, seed)) for seed in range(THREADS)]
    for client in clients:
        client.start()
    time.sleep(PEAK_SECONDS)
    peak = sum(bench.counts.values()) / PEAK_SECONDS
    bench.rate = peak / 2
    clients += [threading.Thread(target=aborting, args=(bench, 100 + n)) for n in range(2)]
    clients += [threading.Thread(target=slow, args=(bench, 200 + n)) for n in range(2)]
    for client in clients[THREADS:]:
        client.start()
    began, before, resident, reloads = time.monotonic(), sum(bench.counts.values()), [], 0
    while time.monotonic() - began < a.seconds and proxy.poll() is None:
        reloads += 1
        beside = place.with_suffix(".new")
        beside.write_text(policy(bench.tokens, reloads % 2 == 0))
        os.replace(beside, place)
        resident.append(resident_kib(proxy.pid))
        time.sleep(max(0, began + reloads - time.monotonic()))
    took = time.monotonic() - began
    rate = (sum(bench.counts.values()) - before) / took
    bench.stop.set()
    for client in clients:
        client.join()
    problems = [f"{len(bench.wrong)} wrong answers: {wrong}" for wrong in bench.wrong[:10]]
    if proxy.poll() is not None:
        return failed([f"the proxy ended with {proxy.returncode}"] + problems)

    shown = metrics(admin, secret)
    figure = lambda name: sum(float(v) for v in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", shown, re.M))  # noqa: E731
    if figure("tokenward_panics_total"):
        problems.append("the proxy panicked")
    proxy.send_signal(signal.SIGTERM)
    proxy.wait(60)
    exported = subprocess.run([a.binary, "audit", "export", "--json", "--config", config], stdout=subprocess.PIPE, check=True).stdout
    rows = {row["request_id"]: row["verdict"] for row in map(json.loads, exported.decode().splitlines())}
    lost = [ident for ident, _ in bench.answered if ident not in rows]
    other = [ident for ident, verdict in bench.answered if verdict and rows.get(ident) not in (None, verdict)]
    if lost or other or not bench.answered:
        problems.append(f"of {len(bench.answered)} answered calls {len(lost)} are not in the audit and {len(other)} have another verdict there")
    verified = subprocess.run([a.binary, "audit", "verify", "--config", config], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if verified.returncode:
        problems.append("the audit does not verify: " + verified.stdout.decode(errors="replace")[-300:])
    text = (a.directory / "serve.log").read_text(errors="replace")
    if "was not replaced" in text or "panicked" in text:
        problems.append("a reload failed, or something panicked: see serve.log")
    third = max(1, len(resident) // 3)
    first, last = statistics.median(resident[third:2 * third] or resident), statistics.median(resident[-third:])
    if last > first * 1.05 + 2048:
        problems.append(f"resident memory grew from {first:.0f} to {last:.0f} KiB")
    print(f"{took:.0f} s, {reloads} reloads; peak {peak:.0f} requests a second, then {rate:.0f}; resident {first / 1024:.1f} MiB in the "
          f"second third, {last / 1024:.1f} MiB in the last (most {max(resident) / 1024:.1f}); {len(rows)} calls in the audit")
    print(", ".join(f"{kind} {count}" for kind, count in sorted(bench.counts.items())))
    return failed(problems) if problems else 0


def failed(problems):
    for problem in problems:
        print("error:", problem)
    return 1


if __name__ == "__main__":
    main()
