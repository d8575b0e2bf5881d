"""Processes that the benchmark starts: their output, their end, their CPU time and memory."""
import contextlib
import os
import socket
import subprocess
import sys
import time

from measure import cpu_seconds, family

STARTED = []


def start(name, command, log, cores=None, environment=None):
    """Starts a process, on the given processors if any are named."""
    pinned = ["taskset", "--cpu-list", cores] if cores else []
    with open(log, "wb") as out:
        process = subprocess.Popen([*pinned, *map(str, command)], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment)
    process.bench = (name, log)
    STARTED.append(process)
    return process


def await_port(process, port, seconds=60):
    """Returns when the port accepts a connection; ends the benchmark if the process ends before."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)
    fail(process, f"does not listen on port {port}")


def fail(process, why):
    """Ends the benchmark with the last lines of the process."""
    name, log = process.bench
    with open(log, errors="replace", encoding="utf-8") as file:
        tail = "".join(file.readlines()[-20:])
    sys.exit(f"error: {name} {why}\n{tail}")


def stop(process):
    """Ends a process by its id."""
    if process in STARTED:
        STARTED.remove(process)
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def stop_all():
    """Ends all that runs, last first."""
    for process in reversed(list(STARTED)):
        stop(process)


def memory(pid):
    """(resident, highest resident) memory of a process and its children, in MiB."""
    sums = {"VmRSS": 0, "VmHWM": 0}
    for member in family(pid):
        with open(f"/proc/{member}/status", encoding="ascii") as file:
            for line in file:
                name, _, value = line.partition(":")
                if name in sums:
                    sums[name] += int(value.split()[0])
    return sums["VmRSS"] / 1024, sums["VmHWM"] / 1024


def processors():
    """The processors that this process may use."""
    return sorted(os.sched_getaffinity(0))
