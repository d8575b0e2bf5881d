"""CPU time of processes, and load by wrk.

The CPU time is utime + stime of a process and its children, of all threads, from /proc.
"""
import os
import re
import subprocess
import sys

TICK = os.sysconf("SC_CLK_TCK")


def family(pid):
    pids = [pid]
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
            for child in file.read().split():
                pids += family(int(child))
    return pids


def cpu_seconds(pid):
    total = 0
    for member in family(pid):
        with open(f"/proc/{member}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def load(args, port, secret):
    """(requests, requests a second) of one run of wrk; any answer but 2xx ends the measurement."""
    command = ["wrk", "-t1", f"-c{args.connections}", f"-d{args.seconds}s", "-H", f"Authorization: Bearer {secret}",
               f"http://127.0.0.1:{port}/rest/api/2/issue/KANBAN-100"]
    out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True,
                         timeout=args.seconds + 30).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        sys.exit(f"port {port}:\n{out}")
    return int(re.search(r"(\d+) requests in", out)[1]), float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])
