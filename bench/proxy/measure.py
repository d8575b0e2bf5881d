#!/usr/bin/env python3
"""CPU time per request of several servers under the same load, in turn; medians over the rounds.

    measure.py --tokens TOKENS.json [--rounds N] [--seconds N] [--connections N] -- NAME:PID:PORT …

The time is utime + stime of the process and its children, from /proc, before and after each run of wrk. The first server is the
one that the others are compared with.
"""
import argparse
import json
import os
import re
import statistics
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("servers", nargs="+")
    args = parser.parse_args()
    with open(args.tokens, encoding="utf-8") as file:
        secret = json.load(file)["ci"]
    servers = []
    for text in args.servers:
        name, pid, port = text.rsplit(":", 2)
        servers.append((name, int(pid), int(port)))
    cost = {name: [] for name, _, _ in servers}
    rate = {name: [] for name, _, _ in servers}
    for turn in range(args.rounds + 1):
        for name, pid, port in servers:
            before = cpu_seconds(pid)
            requests, per_second = load(args, port, secret)
            spent = (cpu_seconds(pid) - before) / requests * 1e6
            if turn:  # the first turn warms up
                cost[name].append(spent)
                rate[name].append(per_second)
    base = statistics.median(cost[servers[0][0]])
    print(f"{args.rounds} rounds of {args.seconds} s each in turn, {args.connections} connections; medians (least - most)")
    for name, _, _ in servers:
        median = statistics.median(cost[name])
        print(f"{name:20} {median:7.1f} us CPU/request ({min(cost[name]):.1f} - {max(cost[name]):.1f}), "
              f"{median / base:5.2f} x {servers[0][0]}, {statistics.median(rate[name]):8.0f} requests/s")


if __name__ == "__main__":
    main()
