"""Load on a server: closed loop by wrk and h2load, open loop and resumed TLS by proxy-load."""
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

import policy
import processes

SCRIPT = pathlib.Path(__file__).resolve().parent / "wrk.lua"


class Load:
    """The programs that send requests, and the processors that they use."""

    def __init__(self, tools, driver, directory, certificate, callers):
        self.tools, self.driver, self.directory = tools, driver, directory
        self.certificate, self.callers = certificate, callers

    def requests(self, name, method, path, body=b"", kind="application/json"):
        """Writes a file of requests: of many tokens, but of one if the bodies are large."""
        file = self.directory / f"requests-{name}"
        if not file.exists():
            callers = self.callers if len(body) < 100_000 else 1
            policy.write_requests(file, [policy.request(number, method, path, body, kind) for number in range(callers)])
        return file

    def output(self, command, cores, environment=None, seconds=0):
        """Runs a program on the processors for the load, and returns what it prints."""
        command = [self.tools.find(str(command[0])), *map(str, command[1:])]
        if cores:
            command = ["taskset", "--cpu-list", cores, *command]
        environment = {**self.tools.environment, **(environment or {})}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False, timeout=seconds + 120)
        if done.returncode:
            sys.exit(f"error: {' '.join(command)}\n{done.stdout}")
        return done.stdout

    def wrk(self, port, requests, seconds, connections, cores):
        """(requests, requests a second) of as many as the server answers; a failed one ends the benchmark."""
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s",
                   SCRIPT, f"http://127.0.0.1:{port}"]
        out = self.output(command, cores, {"TOKENWARD_REQUESTS": str(requests)}, seconds)
        if "Non-2xx" in out or "Socket errors" in out:
            sys.exit(f"error: port {port}, {requests.name}:\n{out}")
        return int(re.search(r"(\d+) requests in", out)[1]), float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])

    @staticmethod
    def one_by_one(port, requests, seconds, limit, cores):
        """The same one after another on one connection, so that none is cut off; None if a response takes longer than the limit."""
        with open(requests, "rb") as file:
            request = file.read(int(file.readline()))
        mine = os.sched_getaffinity(0)
        os.sched_setaffinity(0, map(int, cores.split(",")))
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as connection:
                connection.settimeout(limit)
                done, begun = 0, time.monotonic()
                while not done or time.monotonic() < begun + seconds:
                    connection.sendall(request)
                    expect_success(connection, port)
                    done += 1
        except TimeoutError:
            return None
        finally:
            os.sched_setaffinity(0, mine)
        return done, done / (time.monotonic() - begun)

    def h2load(self, port, seconds, cores):
        """The same over HTTP/2 with TLS: 4 connections with 8 requests at a time each."""
        command = ["h2load", "-t1", "-c4", "-m8", f"--duration={seconds}", "-H",
                   f"Authorization: Bearer {policy.secret(0)}",
                   f"https://127.0.0.1:{port}/rest/api/2/issue/{policy.key(0)}-100"]
        out = self.output(command, cores, seconds=seconds)
        done = re.search(r"requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored", out)
        if not done or "Application protocol: h2" not in out or int(done[2]) != int(done[1]) or int(done[3]) + int(done[4]):
            sys.exit(f"error: port {port}, HTTP/2:\n{out}")
        return int(done[1]), float(re.search(r", ([\d.]+) req/s", out)[1])

    def resumed(self, port, requests, seconds, connections, cores):
        """The same with a TLS connection for each request that resumes a session."""
        found = figures(self.output([self.driver, "resumed", port, requests, self.certificate / "ca.pem", seconds, connections],
                                    cores, seconds=seconds))
        # The first connection of each lane has nothing to resume.
        if found["resumed"] < found["sent"] - connections:
            sys.exit(f"error: port {port}: {found['resumed']} of {found['sent']} connections resumed a session")
        return found["sent"], found["sent"] / found["micros"] * 1e6

    def send(self, port, requests, rate, seconds, connections, cores):
        """Percentiles, in microseconds, of requests at a fixed rate."""
        found = figures(self.output([self.driver, "send", port, requests, rate, seconds, connections], cores, seconds=seconds))
        if found["lost"]:
            sys.exit(f"error: port {port}: {found['lost']} of {found['sent']} requests were lost")
        return found

    def begin(self, port, requests, rate, connections, log, name):
        """Starts requests at a fixed rate, until `end`."""
        command = [self.driver, "send", str(port), str(requests), str(rate), "stdin", str(connections), str(log)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        process.bench = (name, log)
        processes.STARTED.append(process)
        return process


def end(process, log):
    """Ends what `begin` started. Returns its calls: (due, taken, answered), in seconds of the Unix time and milliseconds."""
    process.communicate(timeout=120)
    processes.STARTED.remove(process)
    calls = []
    with open(log, encoding="ascii") as file:
        for line in file:
            due, took, answered = line.split()
            calls.append((int(due) / 1e6, int(took) / 1e3, answered == "1"))
    return calls


def expect_success(connection, port):
    """Reads a response with `Content-Length`; any but 2xx ends the benchmark."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            break
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    if not head.startswith(b"HTTP/1.1 2") or not length:
        sys.exit(f"error: port {port} answered {head[:200]!r}")
    while len(body) < int(length[1]):
        body += connection.recv(65536)


def figures(text):
    """Names and numbers of a line of proxy-load."""
    words = text.split()
    return {name: int(value) for name, value in zip(words[::2], words[1::2])}
