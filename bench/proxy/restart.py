"""Reload under load, and start: how long each takes, and what it costs."""
import json
import shutil
import socket
import statistics
import subprocess
import sys
import time

import policy
import processes
from load import end

RATE = 1_000
CONNECTIONS = 32
# So many seconds of load before the change, and after it.
BEFORE, AFTER = 2, 1
# What takes longer, in seconds, is reported as that.
LIMIT = 1800


def call(port, request):
    """The status of a response, or 0 if there is none."""
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.settimeout(30)
            connection.sendall(request)
            line = connection.recv(64)
    except OSError:
        return 0
    return int(line.split()[1]) if line.startswith(b"HTTP/1.1 ") else 0


def await_status(process, port, request, status, give_up=False):
    """Returns the time at which the response first has the status. After the limit: None with `give_up`, otherwise the end."""
    end_ = time.monotonic() + LIMIT
    while time.monotonic() < end_:
        if process.poll() is not None:
            processes.fail(process, "ended")
        if call(port, request) == status:
            return time.time()
        time.sleep(0.002)
    if give_up:
        return None
    processes.fail(process, f"did not answer {status} within {LIMIT} s")


def sources(bench, tokens):
    """The policy files of so many tokens."""
    directory = bench.directory / f"policies-{tokens}"
    if not directory.exists():
        policy.write(directory, tokens)
    return directory


def reload(bench, load, tokens, rounds):
    """Changes a line of one token under load, several times. Times in milliseconds."""
    here = bench.place(f"reload-{tokens}")
    policies = sources(bench, tokens)
    port = bench.ports(1)[0]
    log = bench.directory / "logs" / f"reload-{tokens}.log"
    process = processes.start("reload", bench.tokenward(here, port, 2, policies=policies), log)
    await_status(process, port, policy.request(0, "GET", "/rest/api/2/myself"), 200)
    requests = load.requests("reload", "GET", "/rest/api/2/issue/{key}-100")
    number = tokens - 1
    file = policies / f"tokens-{number // policy.PER_FILE * policy.PER_FILE}.toml"
    before = file.read_text()
    found = [change(process, port, load, requests, here, number, file, turn) for turn in range(rounds)]
    file.write_text(before)
    processes.stop(process)
    row = {name: [one[name] for one in found] for name in found[0]} | {"tokens": tokens, "rate": RATE}
    print("reload", json.dumps(row), flush=True)
    return row


def change(process, port, load, requests, here, number, file, turn):
    """One change: the line for the token's project gets a further project."""
    log = here / f"calls-{turn}"
    running = load.begin(port, requests, RATE, CONNECTIONS, log, "load")
    time.sleep(BEFORE)
    key = policy.key(number)
    line = f"[get]/rest/api/2/project/{key}\n"
    probe = policy.request(number, "GET", f"/rest/api/2/project/NEW{turn}")
    if call(port, probe) != 403:
        sys.exit("error: the call is allowed before the change")
    new = file.with_suffix(".new")
    new.write_text(file.read_text().replace(line, f"[get]/rest/api/2/project/NEW{turn}\n{line}"))
    begun = time.time()
    new.rename(file)
    swapped = await_status(process, port, probe, 200)
    time.sleep(AFTER)
    calls = end(running, log)
    quiet = [took for due, took, _ in calls if due < begun]
    during = [took for due, took, _ in calls if begun <= due <= swapped] or quiet
    return {"swap": (swapped - begun) * 1e3, "lost": sum(not answered for *_, answered in calls), "sent": len(calls),
            "p99_before": percentile(quiet), "p99_during": percentile(during), "longest": max(during)}


def percentile(values, share=0.99):
    """A percentile of a list."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def start(bench, tokens, rounds):
    """The time from the start of the process to its first response, and memory, from sources and from a compiled policy."""
    policies = sources(bench, tokens)
    compiled = bench.directory / f"policy-{tokens}.twp"
    begun = time.monotonic()
    # The budget for all proofs together grows with it.
    budget = str(200_000 * max(1, tokens // 100))
    try:
        done = subprocess.run([bench.binary, "compile", policies, "--output", compiled, "--budget", budget], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        done = None
    if done and done.returncode:
        sys.exit(f"error: {done.stdout[-2000:]}")
    took = time.monotonic() - begun
    rows = [{"tokens": tokens, "from": "sources", "compile": took, **ready(bench, tokens, policies, rounds)},
            {"tokens": tokens, "from": "compiled policy", "compile": took,
             **(ready(bench, tokens, compiled, rounds) if done else {"seconds": None})}]
    for row in rows:
        print("start", json.dumps(row), flush=True)
    return rows


def ready(bench, tokens, path, rounds):
    """Starts the proxy several times."""
    seconds, resident, highest = [], [], []
    request = policy.request(tokens - 1, "GET", "/rest/api/2/myself")
    for _ in range(rounds):
        here = bench.place("start")
        shutil.rmtree(here / ".tokenward", ignore_errors=True)
        port = bench.ports(1)[0]
        command = bench.tokenward(here, port, 2, policies=path)
        begun = time.time()
        process = processes.start("start", command, bench.directory / "logs/start.log")
        answered = await_status(process, port, request, 200, give_up=True)
        if answered is None:
            processes.stop(process)
            return {"seconds": None}
        seconds.append(answered - begun)
        now, most = processes.memory(process.pid)
        resident.append(now)
        highest.append(most)
        processes.stop(process)
    return {"seconds": statistics.median(seconds), "resident": statistics.median(resident), "highest": statistics.median(highest)}
