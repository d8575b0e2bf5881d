#!/usr/bin/env python3
"""What hostile clients, upstreams and policies cost, each row held to its budget.

    hostile.py --binary TOKENWARD [--against OTHER] [--rows NAME,…] [--directory DIR]

Runs each row with OTHER, if it is given, and with TOKENWARD, and nginx where it is a peer and installed. Prints the measured values and
the budgets. The exit code is 1 if TOKENWARD misses a budget, and 2 if a row could not be measured. Everything listens on loopback
addresses only. Linux only: CPU time and memory are read from /proc. Policies are generated, so that each run has the same.
"""
import argparse
import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tests" / "e2e"))
from ports import free_ports  # noqa: E402

SECRET = "twd_" + "a" * 32
MB = 1 << 20
# A command or an answer that takes longer than this counts as this long.
CAP = 60.0


class Unmeasured(Exception):
    """A row could not be measured."""


class Process:
    """A server of this run, stopped by its process id."""

    def __init__(self, command, log, descriptors=None):
        self.log = log
        if descriptors:
            command = ["/bin/sh", "-c", f'ulimit -n {descriptors} && exec "$@"', "sh", *command]
        with open(log, "wb") as out:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.pid = self.child.pid

    def await_port(self, port, seconds=CAP):
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            if self.child.poll() is not None or time.monotonic() > end:
                raise Unmeasured(f"does not listen on port {port}: {self.log.read_text(errors='replace')[-1000:]}")
            time.sleep(0.02)

    def family(self):
        pids = [self.pid]
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{self.pid}/task"):
                children = pathlib.Path(f"/proc/{self.pid}/task/{thread}/children").read_text().split()
                pids += [int(child) for child in children]
        return pids

    def cpu(self):
        """CPU seconds so far, of all threads that are alive."""
        total = 0
        for pid in self.family():
            for thread in os.listdir(f"/proc/{pid}/task"):
                with contextlib.suppress(OSError):
                    total += int(pathlib.Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[0])
        return total / 1e9

    def memory(self):
        """Resident bytes."""
        pages = pathlib.Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def stop(self):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(15)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()


class Upstream:
    """An upstream that answers each head as `answer(connection, head)` does."""

    def __init__(self, answer):
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as reader:
            while True:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    line = reader.readline()
                    if not line:
                        return
                    head += line
                self.answer(connection, head)

    def stop(self):
        self.listener.close()


def ok(connection, _head):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def token(name, lines, secret=SECRET, more=""):
    digest = hashlib.sha256(secret.encode()).hexdigest()
    return (f'[[token]]\nname = "{name}"\nuser = "svc"\nsecret_hash = "sha256:{digest}"\nexpires = 2099-01-01T00:00:00Z\n{more}'
            f"limit_to = '''\n{lines}\n'''\n")


class Bench:
    """One binary under test, with servers that end with the row."""

    def __init__(self, binary, directory):
        self.binary = os.path.abspath(binary) if binary else None
        self.directory = directory
        self.running = []

    def folder(self, files):
        """A new directory with these files."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.directory))
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return folder

    def upstream(self, answer=ok):
        upstream = Upstream(answer)
        self.running.append(upstream)
        return upstream

    def proxy(self, files, upstream, limits="", server="workers = 1", product="jira", descriptors=None):
        """A proxy with these policy files; gives it with its port."""
        port, admin = free_ports(2)
        folder = self.folder({f"policies/{name}": text for name, text in files.items()})
        (folder / "tokenward.toml").write_text(
            f'policies = "policies"\n[server]\nlisten = "127.0.0.1:{port}"\n{server}\n[admin]\nlisten = "127.0.0.1:{admin}"\n'
            f'[upstream]\nurl = "http://127.0.0.1:{upstream.port}"\npublic_url = "http://127.0.0.1:{port}"\nproduct = "{product}"\n'
            f'[auth]\nmethods = "both"\nfailed_attempts = 0\n[limits]\n{limits}\n')
        process = Process([self.binary, "serve", "--config", str(folder / "tokenward.toml")], folder / "log", descriptors)
        self.running.append(process)
        process.await_port(port)
        process.folder, process.admin = folder, admin
        return process, port

    def certificate(self):
        """A directory with a certificate for nobody, and its key."""
        folder = self.folder({})
        try:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                            "-subj", "/CN=a", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise Unmeasured(f"openssl makes no certificate: {error}") from error
        (folder / "key.pem").chmod(0o600)
        return folder

    def tls(self):
        """Settings of `[server]` for TLS."""
        folder = self.certificate()
        return f'workers = 1\n[server.tls]\ncertificate = "{folder}/cert.pem"\nkey = "{folder}/key.pem"'

    def nginx(self, server, events="worker_connections 1024;", listen=""):
        program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if program is None:
            return None, None
        (port,) = free_ports(1)
        folder = self.folder({})
        paths = "".join(f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(
            f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; events {{ {events} }}\n"
            f"http {{ access_log off; {paths} keepalive_requests 1000000; server {{ listen 127.0.0.1:{port} {listen}; {server} }} }}\n")
        process = Process([program, "-p", str(folder), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"], folder / "log")
        self.running.append(process)
        process.await_port(port)
        return process, port

    def stop(self):
        for server in self.running:
            server.stop()
        self.running = []

    def command(self, folder, *arguments):
        """Seconds that the command took in this directory, and its output."""
        began = time.monotonic()
        try:
            done = subprocess.run([self.binary, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=CAP, check=False, cwd=folder)
        except subprocess.TimeoutExpired:
            return CAP, ""
        return time.monotonic() - began, done.stdout.decode(errors="replace")


class Client:
    """A connection, opened anew when the server closed it."""

    def __init__(self, port, source=None, timeout=CAP):
        self.port, self.source, self.timeout = port, source, timeout
        self.socket = None

    def connect(self):
        source = (self.source, 0) if self.source else None
        self.socket = socket.create_connection(("127.0.0.1", self.port), self.timeout, source_address=source)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def ask(self, request):
        """Sends the request, and gives status, head and body."""
        if self.socket is None:
            self.connect()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(request)
        status, head, body = self.answer()
        if b"connection: close" in head.lower():
            self.close()
        return status, head, body

    def answer(self):
        data = self.rest
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, data = data.split(b"\r\n\r\n", 1)
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":", 1)[1])
        while len(data) < length:
            data += self._more()
        self.rest = data[length:]
        return int(head.split(b" ", 2)[1]), head, data[:length]

    def _more(self):
        part = self.socket.recv(65536)
        if not part:
            raise Unmeasured("the connection ended before an answer")
        return part


class Http2Client:
    """A connection with HTTP/2 over TLS that sends heads, each field literal and never indexed (RFC 7541, 6.2.3). `window` is the
    client's window for each stream."""

    def __init__(self, port, window=65_535):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        plain = socket.create_connection(("127.0.0.1", port), CAP)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(plain)
        settings = (4).to_bytes(2, "big") + window.to_bytes(4, "big")
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self.frame(4, 0, 0, settings)
                            + self.frame(8, 0, 0, (1 << 30).to_bytes(4, "big")))  # a window for all the answers
        self.stream = -1

    @staticmethod
    def frame(kind, flags, stream, payload):
        return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload

    @staticmethod
    def text(value):
        """A string literal without Huffman coding (RFC 7541, 5.2)."""
        length, prefix = len(value), b"\x7f"
        if length < 127:
            return bytes([length]) + value
        length -= 127
        while length >= 128:
            prefix += bytes([length % 128 + 128])
            length //= 128
        return prefix + bytes([length]) + value

    def begin(self, head):
        """Sends an HTTP/1 head as a stream without a body."""
        first, *lines = head.rstrip(b"\r\n").split(b"\r\n")
        method, path, _ = first.split(b" ", 2)
        fields = [(b":method", method), (b":scheme", b"https"), (b":authority", b"a"), (b":path", path)]
        for line in lines:
            name, value = line.split(b":", 1)
            # HTTP/2 has no field for the connection (RFC 9113, 8.2.2).
            if name.lower() not in (b"host", b"connection"):
                fields.append((name.lower(), value.strip()))
        block = b"".join(b"\x10" + self.text(name) + self.text(value) for name, value in fields)
        parts = [block[at:at + 16_384] for at in range(0, len(block), 16_384)]
        self.stream += 2
        frames = b"".join(self.frame(9 if n else 1, (4 if n == len(parts) - 1 else 0) | (0 if n else 1), self.stream, part)
                          for n, part in enumerate(parts))
        self.socket.sendall(frames)

    def ask(self, head):
        """Sends an HTTP/1 head as a stream without a body, and waits until the stream ends."""
        self.begin(head)
        while True:
            size, kind, flags, stream = self.frame_head()
            self.exactly(size)
            if kind == 7:
                raise Unmeasured("the server ends the connection")
            # A reset (RST_STREAM) is an answer to a malformed head.
            if stream == self.stream and (kind == 3 or (kind in (0, 1) and flags & 1)):
                return

    def frame_head(self):
        head = self.exactly(9)
        return int.from_bytes(head[:3], "big"), head[3], head[4], int.from_bytes(head[5:], "big")

    def exactly(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise Unmeasured("the connection ended before an answer")
            data += part
        return data

    def close(self):
        self.socket.close()


def request(line, more="", secret=SECRET):
    return f"{line} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {secret}\r\n{more}\r\n".encode()


def filled(text, size):
    return text * (size // len(text))


def heads():
    """Heads without a valid token, most of about 57 KB."""
    size = 56_000
    words = "".join(f"{filled('a-', 248)}b{n}: x\r\n" for n in range(90))
    keys = "".join(f"x-{n}-api-key: {filled('k', 600)}\r\n" for n in range(90))
    targets = {
        "segments": filled("/a", size), "dots": filled("/.a", size), "escapes": "/" + filled("%41", size),
        "pairs": "/x?" + filled("a=b&", size), "encoded prefixes": "/x?a=" + filled("dHdkX", size),
        "long value": "/x?a=" + filled("t%25", size), "accents": filled("/%c3%a9", size),
    }
    fields = {
        "authorization parts": "Authorization: " + filled("a ", size), "authorization": "Authorization: Basic " + filled("YWFh", size),
        "connection": "Connection: " + filled("a,", size), "content-type": "Content-Type: a/b" + filled(";a=b", size),
        "value": "X-Note: " + filled("t", size), "encoded prefix": "X-Note: " + filled("dHdkX", size),
        "words": words, "keys": keys, "long name": filled("a-", size) + ": x", "cookie": "Cookie: " + filled("a=b; ", size),
        "state": "Tracestate: " + filled("a=1,", size),
        "parameters": "Content-Type: a/b" + "".join(f";a{n}=b" for n in range(size // 9)),
    }
    # Short ones that are shown whole, next to many secrets to search them for.
    secrets = "Authorization: Token " + " ".join(f"secret-number-{n:02}-abcdefgh" for n in range(16))
    shown = {
        "like secrets": "/" + filled("secretnu", 2000), "like escaped secrets": "/x?a=" + filled("secretnu%25", 2000),
        "shown pairs": "/x?" + filled("a=b&", 400) + filled("c", 1500), "256 pairs": "/x?" + filled("a=b&", 1024),
        "pieces": "/" + filled("a;", 2000),
    }
    made = {what: f"GET /rest{target} HTTP/1.1\r\nHost: a\r\n{secrets}\r\n\r\n" for what, target in shown.items()}
    made |= {what: f"GET /rest{target} HTTP/1.1\r\nHost: a\r\n\r\n" for what, target in targets.items()}
    made |= {what: f"GET /rest/x HTTP/1.1\r\nHost: a\r\n{field.rstrip()}\r\n\r\n" for what, field in fields.items()}
    return {what: text.encode() for what, text in made.items()}


def worst_head(process, port, more=b"", connect=Client):
    """The largest CPU time a head, in ms, and which it is. `more` is added to each head that has no credentials."""
    worst = (0.0, "")
    for what, head in heads().items():
        if more and b"\r\nAuthorization:" in head:
            continue
        head = head[:-2] + more + b"\r\n"
        client = connect(port)
        for _ in range(10):
            client.ask(head)
        number, before, spent = 0, process.cpu(), 0.0
        # Until it is exact enough, or costs too much anyway.
        while number < 1000 and spent < 1.0:
            for _ in range(100):
                client.ask(head)
            number += 100
            spent = process.cpu() - before
        client.close()
        worst = max(worst, (spent / number * 1000, what))
    return worst


def row_heads(bench):
    process, port = bench.proxy({"a.toml": token("t", "/rest/.*")}, bench.upstream())
    value, what = worst_head(process, port)
    return value, what


def row_token_heads(bench):
    process, port = bench.proxy({"a.toml": token("t", "/rest/none")}, bench.upstream())
    return worst_head(process, port, f"Authorization: Bearer {SECRET}\r\n".encode())


def row_http2_heads(bench):
    """The heads of 57 KB as HTTP/2; what TLS takes is in it."""
    process, port = bench.proxy({"a.toml": token("t", "/rest/.*")}, bench.upstream(), server=bench.tls())
    return worst_head(process, port, connect=Http2Client)


def peer_http2_heads(bench):
    tls = bench.certificate()
    process, port = bench.nginx(f"large_client_header_buffers 8 64k; ssl_certificate {tls}/cert.pem; ssl_certificate_key {tls}/key.pem; "
                                "location / { return 401; }", listen="ssl http2")
    return worst_head(process, port, connect=Http2Client) if process else None


def peer_heads(bench):
    process, port = bench.nginx("large_client_header_buffers 8 64k; client_header_buffer_size 64k; location / { return 401; }")
    return worst_head(process, port) if process else None


def row_chunks(bench):
    """Resident bytes for each byte of inspected bodies that arrive in chunks of one byte."""
    process, port = bench.proxy({"a.toml": token("t", "[post]/rest/j[JsonData::a==1]")}, bench.upstream())
    client = Client(port)
    client.ask(request("GET /rest/x"))
    before, number, size = process.memory(), 10, 600_000
    head = request("POST /rest/j", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n")
    block = b"1\r\nx\r\n" * 20_000
    clients = []
    for _ in range(number):
        client = Client(port)
        client.connect()
        client.socket.sendall(head)
        for _ in range(size // 20_000):
            client.socket.sendall(block)
        clients.append(client)
    settle(process)
    grown = process.memory() - before
    for client in clients:
        client.close()
    return grown / (number * size), f"{number} bodies of {size // 1000} KB"


def settle(process):
    """Waits until the process has nothing to do."""
    end = time.monotonic() + CAP
    while time.monotonic() < end:
        before = process.cpu()
        time.sleep(0.3)
        if process.cpu() - before < 0.01:
            return


def row_bodies(bench):
    """Megabytes of bodies that one token keeps in memory until it gets 503 with Retry-After; more than 400 count as unbounded."""
    process, port = bench.proxy({"a.toml": token("t", "[post]/rest/j[JsonData::a==1]")}, bench.upstream(),
                                "max_connections_per_client = 4096")
    head = request("POST /rest/j", f"Content-Type: application/json\r\nContent-Length: {MB}\r\n")
    clients = []
    refused = "never refused"
    while len(clients) < 400:
        client = Client(port)
        client.connect()
        client.socket.sendall(head + b"x" * (MB - 1))
        client.socket.settimeout(0.02)
        clients.append(client)
        with contextlib.suppress(TimeoutError):
            status, answer, body = client.answer()
            reason = json.loads(body)["reason"]
            retry = b"retry-after" in answer.lower()
            refused = f"{status} {reason}{'' if retry else ' without Retry-After'}"
            break
    for client in clients:
        client.close()
    return len(clients), refused


def valid_calls(port, line="GET /rest/x", number=20):
    """The longest time of a call on a new connection, in ms."""
    worst = 0.0
    for _ in range(number):
        began = time.monotonic()
        client = Client(port)
        status, _, _ = client.ask(request(line))
        worst = max(worst, (time.monotonic() - began) * 1000)
        client.close()
        if status != 200:
            raise Unmeasured(f"a valid call got {status}")
    return worst


def idle(port, number, sources):
    """Connections that say nothing, from several addresses."""
    opened = []
    for n in range(number):
        client = Client(port, source=f"127.0.1.{1 + n % sources}", timeout=2)
        with contextlib.suppress(OSError):
            client.connect()
            opened.append(client)
    return opened


def row_idle(bench):
    process, port = bench.proxy({"a.toml": token("t", "/rest/.*")}, bench.upstream(),
                                'max_connections = 400\nmax_connections_per_client = 100\nhead_timeout = "20s"')
    clients = idle(port, 400, 4)
    time.sleep(0.3)
    worst = valid_calls(port)
    for client in clients:
        client.close()
    return worst, "400 idle from 4 addresses"


def peer_idle(bench):
    process, port = bench.nginx("location / { return 200 ok; }", "worker_connections 400;")
    if process is None:
        return None
    clients = idle(port, 400, 4)
    time.sleep(0.3)
    try:
        worst = valid_calls(port)
    except (Unmeasured, OSError) as error:
        return CAP * 1000, str(error)[:40]
    finally:
        for client in clients:
            client.close()
    return worst, ""


def row_readers(bench):
    """Resident KiB for each client that reads nothing of a large answer."""
    body = b"x" * (8 * MB)

    def answer(connection, _head):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    process, port = bench.proxy({"a.toml": token("t", "/rest/.*")}, bench.upstream(answer))
    before, number, clients = process.memory(), 40, []
    for _ in range(number):
        client = Client(port)
        source = socket.socket()
        source.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        source.connect(("127.0.0.1", port))
        client.socket = source
        source.sendall(request("GET /rest/x"))
        clients.append(client)
    settle(process)
    grown = process.memory() - before
    for client in clients:
        client.close()
    return grown / number / 1024, f"{number} clients"


def row_http2_readers(bench):
    """Resident KiB for each HTTP/2 connection that reads nothing of 100 large answers."""
    body = b"x" * (8 * MB)

    def answer(connection, _head):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    process, port = bench.proxy({"a.toml": token("t", "/rest/.*")}, bench.upstream(answer), server=bench.tls())
    before, number, clients = process.memory(), 5, []
    for _ in range(number):
        client = Http2Client(port, window=1 << 30)
        for _ in range(100):
            client.begin(request("GET /rest/x"))
        clients.append(client)
    settle(process)
    grown = process.memory() - before
    for client in clients:
        client.close()
    return grown / number / 1024, f"{number} connections of 100 streams"


OTHER = "twd_" + "b" * 32


def flood(bench, descriptors):
    """A proxy with a token that wants 10,000 calls at once over HTTP/2. The upstream never answers them. Gives the proxy, its port,
    the connections and the bytes by which its memory grew."""
    def silent(connection, head):
        if b"/rest/free" in head:
            ok(connection, head)
        else:
            connection.recv(1)
    process, port = bench.proxy({"t.toml": token("t", "/rest/.*"), "o.toml": token("o", "/rest/.*", OTHER)}, bench.upstream(silent),
                                server=bench.tls(), descriptors=descriptors)
    before, clients = process.memory(), []
    for _ in range(100):
        # The old proxy accepts no more once its descriptors are used up.
        with contextlib.suppress(OSError, Unmeasured):
            client = Http2Client(port)
            clients.append(client)
            for _ in range(100):
                client.begin(request("GET /rest/slow"))
        if process.cpu() > CAP or len(clients) % 10 == 0 and not can_connect(port):
            break
    time.sleep(1)
    return process, port, clients, process.memory() - before


def can_connect(port):
    """Whether a new connection gets a TLS handshake within a second."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as plain:
            context.wrap_socket(plain).close()
        return True
    except OSError:
        return False


def row_flood(bench):
    """The longest time of another token's call, in ms, while one token wants 10,000 calls at once; 2,000 descriptors."""
    process, port, clients, _ = flood(bench, 2000)
    worst = 0.0
    for _ in range(10):
        began = time.monotonic()
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with socket.create_connection(("127.0.0.1", port), 10) as plain, context.wrap_socket(plain) as other:
                other.sendall(request("GET /rest/free", "Connection: close\r\n", secret=OTHER))
                if not other.recv(65536).startswith(b"HTTP/1.1 200"):
                    return CAP * 1000, "another token's call is refused"
        except OSError as error:
            return CAP * 1000, str(error)[:60]
        worst = max(worst, (time.monotonic() - began) * 1000)
    for client in clients:
        client.close()
    return worst, f"{len(clients)} connections of 100 streams"


def row_flood_memory(bench):
    """MB by which the proxy grows while one token wants 10,000 calls at once."""
    _, _, clients, grown = flood(bench, None)
    for client in clients:
        client.close()
    return grown / MB, ""


def row_flood_revocation(bench):
    """Seconds until a file revokes the token that wants 10,000 calls at once; 2,000 descriptors. Its streams are reset then."""
    process, _, clients, _ = flood(bench, 2000)
    (process.folder / "policies" / "t.toml").write_text(token("t", "/rest/.*", more="revoked = true\n"))
    began = time.monotonic()
    store = process.folder / ".tokenward" / "audit.revoked"
    while time.monotonic() - began < CAP:
        if store.exists() and store.stat().st_size > 0:
            break
        time.sleep(0.01)
    took = time.monotonic() - began
    for client in clients:
        client.close()
    return took, ""


def row_left(bench):
    """Calls at the upstream under `concurrent = 10` whose clients have left."""
    running = []

    def slow(connection, _head):
        running.append(connection)
        time.sleep(CAP)
    process, port = bench.proxy({"a.toml": token("t", "/rest/.*", more="concurrent = 10\n")}, bench.upstream(slow))
    for _ in range(40):
        client = Client(port)
        client.connect()
        client.socket.sendall(request("GET /rest/x"))
        time.sleep(0.03)
        client.close()
    time.sleep(0.3)
    return len(running), "of 40"


def row_refusals(bench):
    """Records of 3,000 calls that are over a rate."""
    process, port = bench.proxy({"a.toml": token("t", "/rest/.*", more='rate = "1/1h"\n')}, bench.upstream())
    client = Client(port)
    for _ in range(3000):
        client.ask(request("GET /rest/x"))
    client.close()
    process.stop()
    _, listed = bench.command(process.folder, "audit", "list", "--json", "--limit", "10000")
    return listed.count('"rate-limit"'), ""


def row_interims(bench):
    """Seconds until a call ends whose upstream sends interim responses without end."""
    def flood(connection, _head):
        block = b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000
        while True:
            connection.sendall(block)
    process, port = bench.proxy({"a.toml": token("t", "/rest/.*")}, bench.upstream(flood), 'upstream_timeout = "10s"')
    client, before, began = Client(port), process.cpu(), time.monotonic()
    status, _, body = client.ask(request("GET /rest/x"))
    took = time.monotonic() - began
    spent = process.cpu() - before
    client.close()
    return took, f"{status} {json.loads(body)['reason']}, {spent:.2f} s CPU"


def row_parameters(bench):
    """CPU milliseconds of a call with 250 parameters against 2,000 constrained lines of other URLs."""
    lines = "\n".join(f"[get].*/other/{n}/x.*[QueryParam::p{n % 250}==(ab?)*c?][QueryParam::q{n}?=b]" for n in range(2000))
    process, port = bench.proxy({"a.toml": token("t", lines)}, bench.upstream(), product="generic")
    query = "&".join(f"p{n}[a]={'ab' * 20}" for n in range(250))
    return per_call(process, port, request(f"GET /rest/other?{query}"), 403)


def per_call(process, port, ask, expected):
    client = Client(port)
    status, _, body = client.ask(ask)
    if status != expected:
        raise Unmeasured(f"{status} in place of {expected}: {body[:200]}")
    number, before, spent = 0, process.cpu(), 0.0
    while number < 200 and spent < 2.0:
        client.ask(ask)
        number += 1
        spent = process.cpu() - before
    client.close()
    return spent / number * 1000, f"{status} {json.loads(body).get('reason', '')}"


def json_policy():
    return "\n".join(f"[post]/rest/j[JsonData::a{n}.b{n}==x+][JsonData::c{n}==y]" for n in range(500))


def json_body():
    members = ",".join(f'"a{n}":{{"b{n}":"x{n}","c":[{n}]}}' for n in range(30_000))
    return ("{" + members[:MB - 20].rsplit(",\"a", 1)[0] + "}").encode()


def row_json(bench):
    """CPU milliseconds of a call with 1 MB of JSON against 500 lines' names."""
    process, port = bench.proxy({"a.toml": token("t", json_policy())}, bench.upstream())
    body = json_body()
    head = request("POST /rest/j", f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n")
    return per_call(process, port, head + body, 403)


def row_json_names(bench):
    """The same under a preset whose servers read brackets in names as paths."""
    members = ",".join(f'"a{n}[b{n}][c]":"x{n}"' for n in range(40_000))
    body = ("{" + members[:MB - 20].rsplit(",\"a", 1)[0] + "}").encode()
    lines = json_policy().replace("/rest/j", "/issues.json")
    process, port = bench.proxy({"a.toml": token("t", lines)}, bench.upstream(), product="redmine")
    head = request("POST /issues.json", f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n")
    return per_call(process, port, head + body, 400)


def row_beside_json(bench):
    """The longest time of a small call, in ms, while one token has 1 MB JSON bodies judged. One worker."""
    process, port = bench.proxy({"a.toml": token("t", json_policy()), "b.toml": token("o", "/rest/.*", secret="twd_" + "b" * 32)},
                                bench.upstream())
    body = json_body()
    ask = request("POST /rest/j", f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n") + body
    ends = threading.Event()

    def load():
        client = Client(port)
        with contextlib.suppress(OSError, Unmeasured):
            while not ends.is_set():
                client.ask(ask)
    threads = [threading.Thread(target=load, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    times = []
    small = request("GET /rest/x", secret="twd_" + "b" * 32)
    client = Client(port)
    end = time.monotonic() + 3
    while time.monotonic() < end:
        began = time.monotonic()
        client.ask(small)
        times.append((time.monotonic() - began) * 1000)
    ends.set()
    for thread in threads:
        thread.join()
    # The machine's own pauses are in the longest ones.
    times.sort()
    return times[int(len(times) * 0.95)], f"95th of {len(times)}, median {statistics.median(times):.1f}"


def compiling(bench, files, *more):
    folder = bench.folder(files)
    return bench.command(folder, "compile", *more, str(folder))


def row_empty_tokens(bench):
    took, output = compiling(bench, {"a.toml": "[[token]]\n" * 30_000})
    return took, output.strip().rsplit("\n", 1)[-1][:50]


def chained(number):
    files = {f"s{n}.limits": f"@include s{n + 1}\n/rest/a{n}\n" for n in range(number - 1)}
    files[f"s{number - 1}.limits"] = "/rest/last\n"
    return files


def row_chained_sets(bench):
    files = chained(5000) | {"a.toml": token("t", "/rest/x", more='include = ["s0"]\n')}
    took, output = compiling(bench, files)
    return took, output.strip().rsplit("\n", 1)[-1][:50]


def row_wide_lines(bench):
    lines = "\n".join(f"[get].*/rest/{n}.*/a{n % 7}.*" for n in range(2000))
    took, output = compiling(bench, {"a.toml": token("t", lines)}, "--check")
    return took, "inconclusive" if "inconclusive" in output else output.strip().rsplit("\n", 1)[-1][:50]


def row_revocation(bench):
    """Seconds from a file that revokes a token to its first 401, while a policy that compiles slowly is put in place."""
    calm = token("t", "/rest/.*")
    process, port = bench.proxy({"t.toml": calm}, bench.upstream())
    client = Client(port)
    if client.ask(request("GET /rest/x"))[0] != 200:
        raise Unmeasured("the token does not work")
    policies = process.folder / "policies"
    wide = "\n".join(f"[get].*/rest/{n}.*/a{n % 7}.*/b{n % 11}.*" for n in range(1500))
    for name, text in (chained(3000) | {"slow.toml": token("slow", wide, "twd_" + "c" * 32, 'include = ["s0"]\n')}).items():
        (policies / name).write_text(text)
    time.sleep(0.7)
    (policies / "t.toml").write_text(token("t", "/rest/.*", more="revoked = true\n"))
    began = time.monotonic()
    while time.monotonic() - began < CAP:
        if client.ask(request("GET /rest/x"))[0] == 401:
            return time.monotonic() - began, ""
        time.sleep(0.01)
    return CAP, "still works"


# Name, what, unit, budget, measurement, peer.
ROWS = [
    ("heads", "unauthenticated head of 57 KB, the worst", "ms CPU", 0.2, row_heads, peer_heads),
    ("token-heads", "the same with a valid token", "ms CPU", 2.0, row_token_heads, None),
    ("http2-heads", "unauthenticated head, HTTP/2 over TLS", "ms CPU", 0.4, row_http2_heads, peer_http2_heads),
    ("chunks", "1-byte chunks: memory for each byte kept", "x", 2.0, row_chunks, None),
    ("bodies", "bodies of one token in memory until 503", "MB", 256, row_bodies, None),
    ("idle", "a valid call while all slots are idle", "ms", 100, row_idle, peer_idle),
    ("readers", "memory of a client that reads nothing", "KiB", 384, row_readers, None),
    ("h2-readers", "the same of HTTP/2, 100 streams", "KiB", 8192, row_http2_readers, None),
    ("flood", "a call while a token wants 10,000 at once", "ms", 100, row_flood, None),
    ("flood-mem", "memory of these calls", "MB", 512, row_flood_memory, None),
    ("flood-rev", "revocation by file of this token", "s", 1.0, row_flood_revocation, None),
    ("left", "concurrent = 10: calls whose client has left", "", 10, row_left, None),
    ("refusals", "records of 3,000 calls over a rate", "", 1200, row_refusals, None),
    ("interims", "upstream's flood of 1xx: until the call ends", "s", 1.0, row_interims, None),
    ("parameters", "250 parameters x 2,000 constrained lines", "ms CPU", 1.0, row_parameters, None),
    ("json", "1 MB JSON x 500 lines' names", "ms CPU", 10.0, row_json, None),
    ("json-names", "1 MB JSON x 500 names, bracket preset", "ms CPU", 10.0, row_json_names, None),
    ("beside", "a small call while 1 MB JSON is judged", "ms", 100, row_beside_json, None),
    ("tokens", "30,000 empty [[token]]", "s", 1.0, row_empty_tokens, None),
    ("sets", "5,000 chained sets", "s", 1.0, row_chained_sets, None),
    ("wide", "check of 2,000 .* lines", "s", 5.0, row_wide_lines, None),
    ("revocation", "revocation by file behind a slow compile", "s", 1.0, row_revocation, None),
]


def measured(bench, measure):
    """The value and its note; the value is None if it could not be measured."""
    try:
        result = measure(bench)
    except (Unmeasured, OSError, ValueError, KeyError) as error:
        return None, f"{type(error).__name__}: {error}"[:300]
    finally:
        bench.stop()
    return result if result is not None else (None, "")


def show(value):
    if value is None:
        return "-"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--against")
    parser.add_argument("--rows", help="only these rows, separated by commas")
    parser.add_argument("--directory", type=pathlib.Path)
    args = parser.parse_args()
    wanted = args.rows.split(",") if args.rows else [row[0] for row in ROWS]
    unknown = set(wanted) - {row[0] for row in ROWS}
    if unknown:
        parser.error(f"no rows {', '.join(sorted(unknown))}; there are {', '.join(row[0] for row in ROWS)}")
    directory = args.directory or pathlib.Path(tempfile.mkdtemp(prefix="tokenward-hostile-"))
    directory.mkdir(parents=True, exist_ok=True)
    missed = failed = False
    print(f"{'row':11} {'what':46} {'before':>8} {'now':>8} {'budget':>8} {'nginx':>8}")
    for name, what, unit, budget, measure, peer in ROWS:
        if name not in wanted:
            continue
        before, before_note = measured(Bench(args.against, directory), measure) if args.against else (None, "")
        now, note = measured(Bench(args.binary, directory), measure)
        nginx, nginx_note = measured(Bench(args.binary, directory), peer) if peer else (None, "")
        verdict = "not measured" if now is None else "" if now <= budget else "MISSED"
        failed |= now is None
        missed |= verdict == "MISSED"
        print(f"{name:11} {what:46} {show(before):>8} {show(now):>8} {show(budget):>8} {show(nginx):>8} {unit:7} {verdict}", flush=True)
        for label, text in (("before", before_note), ("now", note), ("nginx", nginx_note)):
            if text:
                print(f"{'':11}   {label}: {text}", flush=True)
    if not args.directory:
        shutil.rmtree(directory, ignore_errors=True)
    sys.exit(1 if missed else 2 if failed else 0)


if __name__ == "__main__":
    main()
