#!/usr/bin/env python3
"""Allocations that one request makes on the whole path, by the place in the code.

    places.py --binary TOKENWARD [--case NAME] [--requests N] [--frames N]

Starts the proxy under valgrind's dhat, as `path.py` does under callgrind, and lists each place that allocates in at least half of
the requests: how often a request, how many bytes, and the functions, the innermost first. A debug build shows the lines too. Places
of the start that allocate as often are in the list as well; more requests make them fewer. Exit codes: 0 listed, 3 nothing was
measured. Linux only.
"""
import argparse
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

from path import CASES, START_SECONDS, Upstream, await_port, lay_out, send

# Functions of the libraries that stand between the allocator and the code that wants memory.
BETWEEN = ("alloc::", "<alloc::", "malloc", "realloc", "calloc", "aligned_alloc", "core::", "<core::", "std::", "<std::", "__rust",
           "hashbrown", "bytes::", "<bytes::", "<T as ", "http::", "with_capacity", "to_vec", "to_owned", "from_iter", "collect")
# A place that allocates in a smaller share of the requests does so once for many.
LEAST = 0.5


def profile(binary, case, requests):
    """What dhat counted in a process that serves so many requests."""
    line, body, status = CASES[case]
    with tempfile.TemporaryDirectory(prefix="tokenward-places-") as temporary:
        directory = pathlib.Path(temporary)
        port = lay_out(directory, Upstream().port)
        out, log = directory / "dhat.out", directory / "log"
        with open(log, "wb") as output:
            child = subprocess.Popen(
                ["valgrind", "--tool=dhat", "--num-callers=40", f"--dhat-out-file={out}", str(binary), "serve", "--config",
                 str(directory / "tokenward.toml")], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            send(await_port(child, port, log), port, line, body, status, requests)
            child.send_signal(signal.SIGTERM)
            child.wait(START_SECONDS)
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
        return json.loads(out.read_text(encoding="utf-8"))


def places(found, requests):
    """(allocations a request, bytes each, functions) of each place, the most frequent first."""
    names = [name.split(": ", 1)[-1] for name in found["ftbl"]]
    for point in sorted(found["pps"], key=lambda point: -point["tbk"]):
        if point["tbk"] >= requests * LEAST:
            frames = [names[frame] for frame in point["fs"]]
            yield point["tbk"] / requests, point["tb"] / point["tbk"], [name for name in frames if not name.startswith(BETWEEN)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--case", choices=CASES, default="get")
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--frames", type=int, default=4)
    args = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("nothing measured: there is no valgrind", file=sys.stderr)
        return 3
    try:
        found = profile(args.binary.resolve(), args.case, args.requests)
    except (OSError, AssertionError, subprocess.TimeoutExpired, ValueError) as error:
        print(error, file=sys.stderr)
        return 3
    for count, size, frames in places(found, args.requests):
        print(f"{count:6.2f} x {size:.0f} bytes")
        for frame in frames[:args.frames]:
            print(f"       {frame[:150]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
