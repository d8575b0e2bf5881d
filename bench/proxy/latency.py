#!/usr/bin/env python3
"""What a durable audit costs: processor time a request, and p99 at half of peak load, beside the same proxy with a buffered audit.

    latency.py --tokens TOKENS.json --load PROXY-LOAD --disk DIRECTORY [--rounds N] [--seconds N] [--connections N] -- \
        DURABLE-PID:PORT BUFFERED-PID:PORT

Turn and turn about: the peak of each (wrk, as many requests as it answers) with its processor time a request; then each at half of
the durable one's peak, open loop, which is what both bounds are about; between those the disk's own fdatasync, with nothing else
under way, as the bound wants it, and, to be compared with it, beside the load of the buffered one. Many short
rounds, of which the median counts: a machine that stops for some milliseconds now and then decides p99 in any one of them.
"Without" is a buffered audit: it keeps the same records, and no call waits for them. The proxy has no mode without an audit.
Exit code 1 where a bound does not hold.
"""
import argparse
import json
import statistics
import subprocess
import sys
import time

from measure import cpu_seconds, load

PATH = "/rest/api/2/issue/KANBAN-100"


def figures(command):
    return read(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))


def read(process):
    words = process.communicate(timeout=120)[0].split()
    if process.returncode:
        sys.exit(f"{process.args[0]} ended with {process.returncode}")
    return {name: int(value) for name, value in zip(words[::2], words[1::2])}


def busy():
    """(ticks of all processors that were not idle, all ticks) since the machine started."""
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def main():
    sys.stdout.reconfigure(line_buffering=True)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", required=True)
    parser.add_argument("--load", required=True)
    parser.add_argument("--disk", required=True)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("servers", nargs=2)
    args = parser.parse_args()
    with open(args.tokens, encoding="utf-8") as file:
        secret = json.load(file)["ci"]
    servers = [tuple(int(number) for number in text.split(":")) for text in args.servers]
    names = ["durable", "buffered"]

    cost, peak = {name: [] for name in names}, {name: [] for name in names}
    for turn in range(args.rounds + 1):
        for name, (pid, port) in zip(names, servers):
            before = cpu_seconds(pid)
            requests, per_second = load(args, port, secret)
            if turn:  # the first warms up
                cost[name].append((cpu_seconds(pid) - before) / requests * 1e6)
                peak[name].append(per_second)
    cpu = {name: statistics.median(cost[name]) for name in names}
    print(f"peak: {statistics.median(peak['durable']):.0f} requests/s durable, {statistics.median(peak['buffered']):.0f} buffered")
    for name in names:
        print(f"{name:9} {cpu[name]:6.1f} us CPU/request ({min(cost[name]):.1f} - {max(cost[name]):.1f})")

    rate = statistics.median(peak["durable"]) / 2
    latency, half, share = ({name: [] for name in names} for _ in range(3))
    alone, beside = [], []
    for turn in range(args.rounds + 1):
        for name, (pid, port) in zip(names, servers):
            calls = [args.load, "calls", str(port), secret, PATH, str(rate), str(args.seconds), str(args.connections)]
            before, ticks = cpu_seconds(pid), busy()
            took = figures(calls)
            if turn:
                latency[name].append(took)
                half[name].append((cpu_seconds(pid) - before) / took["sent"] * 1e6)
                share[name].append((busy()[0] - ticks[0]) / (busy()[1] - ticks[1]))
        syncs = [args.load, "syncs", args.disk, "400"]
        alone.append(figures(syncs))
        under_way = subprocess.Popen(calls, stdout=subprocess.PIPE, text=True)
        time.sleep(min(0.5, args.seconds / 4))
        beside.append(figures(syncs))
        read(under_way)
    print(f"half of that, {rate:.0f} requests/s, over {args.connections} connections; medians of {args.rounds} rounds, microseconds")
    at = {}
    for name in names:
        at[name] = {q: statistics.median(round[q] for round in latency[name]) for q in ("p50", "p90", "p99", "p999")}
        spread = [round["p99"] for round in latency[name]]
        told = ", ".join(f"{q} {value:.0f}" for q, value in at[name].items())
        print(f"{name:9} {told} (p99 {min(spread)} - {max(spread)}); {statistics.median(half[name]):.1f} us CPU/request; "
              f"processors {statistics.median(share[name]):.0%} busy")
    sync = {q: statistics.median(round[q] for round in alone) for q in ("p50", "p99")}
    loaded = {q: statistics.median(round[q] for round in beside) for q in ("p50", "p99")}
    print(f"fdatasync alone p50 {sync['p50']:.0f}, p99 {sync['p99']:.0f}; beside the load p50 {loaded['p50']:.0f}, p99 {loaded['p99']:.0f}")

    growth = statistics.median(half["durable"]) / statistics.median(half["buffered"]) - 1
    bound = at["buffered"]["p99"] + 2 * sync["p99"]
    holds = [growth <= 0.15, at["durable"]["p99"] <= bound]
    print(f"at half of peak: CPU/request grows by {growth:.1%}, bound 15 %: {'holds' if holds[0] else 'DOES NOT HOLD'}")
    print(f"p99 {at['durable']['p99']:.0f}, bound {bound:.0f}: {'holds' if holds[1] else 'DOES NOT HOLD'}")
    sys.exit(0 if all(holds) else 1)


if __name__ == "__main__":
    main()
