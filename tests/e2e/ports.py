"""Ports for a server that must be told its own before it can bind it. `ports.py N` prints N of them."""
import contextlib
import itertools
import os
import socket
import sys

# Below those that the system hands out (32768 on), so that no client and no listener on "any port" gets one between here
# and its use; each process begins at another.
_NEXT = itertools.count(10_000 + os.getpid() % 8_000 * 2)


def free_ports(count):
    """Free ports of 127.0.0.1; none is given twice."""
    ports = []
    while len(ports) < count:
        port = next(_NEXT)
        # Bound and not listening: a child that another thread begins just then has the socket too until it is its own program,
        # and whoever awaits the server meanwhile must not find that someone listens.
        with contextlib.suppress(OSError), socket.socket() as held:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind(("127.0.0.1", port))
            ports.append(port)
    return ports


if __name__ == "__main__":
    print(*free_ports(int(sys.argv[1])))
