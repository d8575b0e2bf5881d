#!/usr/bin/env python3
"""Run the curl lines that `tokenward demo` printed, and the change of policy that it proposes.

    demo_check.py OUTPUT DIRECTORY BINARY
"""
import pathlib
import re
import subprocess
import sys
import time

import audit


def printed(path):
    """[(number, status, command)], once the demo has printed its last line."""
    for _ in range(100):
        calls = re.findall(r"^ *(\d+)\. (\d{3})  .*\n((?: {4}\S.*\n)+)", path.read_text(), re.M)
        calls = [(int(number), int(status), next(line.strip() for line in lines.splitlines() if "curl " in line))
                 for number, status, lines in calls]
        if calls and "Change the policy" in path.read_text():
            return calls
        time.sleep(0.1)
    sys.exit(f"the demo printed no calls:\n{path.read_text()}")


def status(command):
    out = subprocess.run(["bash", "-c", command + " --silent --max-time 10"], stdout=subprocess.PIPE, check=False, timeout=20).stdout
    found = re.match(rb"HTTP/1\.1 (\d{3})", out)
    return int(found[1]) if found else None


def main():
    output, directory, binary = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    calls = printed(output)
    wrong = []
    for number, expected, command in calls:
        got = status(command)
        if got != expected:
            wrong.append(f"call {number}: {got} where {expected} was said: {command}")

    text = output.read_text()
    change = re.search(r"Change the policy: in (\S+), make\n\s+(\S.*)\nread\n\s+(\S.*)\n.*make call (\d+) again: (\d{3})", text)
    if not change:
        sys.exit(f"the demo proposes no change of policy:\n{text}")
    name, before, after, again, expected = change.groups()
    policy = directory.parent / name
    lines = policy.read_text()
    if before not in lines:
        wrong.append(f"{name} has no {before}")
    policy.write_text(lines.replace(before, after))
    command = next(command for number, _, command in calls if number == int(again))
    changed, made = time.monotonic(), 0
    while (got := status(command)) != int(expected) and time.monotonic() - changed < 5:
        made += 1
    took = time.monotonic() - changed
    if got != int(expected) or took > 1:
        wrong.append(f"after the change call {again} gives {got} after {took:.2f} s")

    rows = audit.records(binary, directory / "tokenward.toml")
    # The demo makes each call once itself.
    if len(rows) != 2 * len(calls) + made + 1:
        wrong.append(f"{len(rows)} calls in the audit, {2 * len(calls) + made + 1} were made")
    for line in wrong:
        print("FAIL", line)
    print(f"{len(calls)} printed calls, policy change after {took:.2f} s, {len(wrong)} failures")
    sys.exit(1 if wrong or not calls else 0)


if __name__ == "__main__":
    main()
