"""A fleet of two proxies on one NATS server, step by step. `fleet_check.py TOKENWARD DIRECTORY NATS-SERVER`."""
import atexit
import base64
import hashlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

from ports import free_ports

BIN, DIR, SERVER = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
STALE = 3
SECRETS = {name: f"twd_{letter * 32}592xh" for name, letter in [("one", "a"), ("two", "b"), ("three", "c"), ("four", "d"), ("stays", "e")]}
PATIENCE = 60
processes = {}
cluster = []


def start(name, *command):
    log = open(DIR / f"{name}.log", "ab")
    processes[name] = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)


def end(name, how=signal.SIGTERM):
    process = processes.pop(name)
    process.send_signal(how)
    process.wait(30)


def end_all():
    for name in list(processes):
        processes[name].kill()
        processes[name].wait()


atexit.register(end_all)


def run(where, *arguments, code=0):
    done = subprocess.run([BIN, *arguments, "--config", str(DIR / where / "tokenward.toml")], cwd=DIR / where, capture_output=True, text=True, timeout=PATIENCE)
    assert code is None or done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def eventually(what, look):
    stop = time.monotonic() + PATIENCE
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > stop:
            for proxy in ("p1", "p2"):
                print(f"--- {proxy}:", *(DIR / f"{proxy}.log").read_text(errors="replace").splitlines()[-15:], sep="\n", file=sys.stderr)
            sys.exit(f"error: never came: {what}")
        time.sleep(0.02)


def reason(proxy, token, path="/rest/a"):
    """The reason of a refusal; `allowed` for a call that was allowed, since there is no upstream."""
    connection = http.client.HTTPConnection("127.0.0.1", PORTS[proxy][0], timeout=20)
    try:
        credentials = base64.b64encode(f"svc:{SECRETS[token]}".encode()).decode()
        connection.request("GET", path, headers={"Authorization": f"Basic {credentials}"})
        answer = connection.getresponse()
        body = answer.read()
        found = json.loads(body).get("reason", "?")
        if found == "fleet-stale":
            assert answer.status == 503, answer.status
        return "allowed" if found == "upstream-unreachable" else found
    except (OSError, ValueError, http.client.HTTPException):
        return "no answer"
    finally:
        connection.close()


def status(proxy):
    try:
        return json.loads(run(proxy, "fleet", "status", "--json", code=None).splitlines()[0])
    except (ValueError, IndexError):
        return {}


def connected():
    """A connection to the first server that listens."""
    for port in (NATS, *cluster[:3]):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=20)
        except OSError:
            continue
    raise ConnectionRefusedError


class Nats:
    """The few words of the protocol that these tests need."""

    def __init__(self):
        self.socket = connected()
        self.reader = self.socket.makefile("rb")
        self.reader.readline()
        self.socket.sendall(b'CONNECT {"verbose":false}\r\n')

    def ask(self, subject, payload=b""):
        self.socket.sendall(b"SUB inbox.x 1\r\n")
        self.socket.sendall(f"PUB {subject} inbox.x {len(payload)}\r\n".encode() + payload + b"\r\n")
        while True:
            line = self.reader.readline()
            if line.startswith(b"MSG"):
                length = int(line.split()[-1])
                answer = self.reader.read(length + 2)[:-2]
                self.socket.sendall(b"UNSUB 1\r\n")
                return json.loads(answer)
            assert line, "the server closed the connection"


def nats(subject, payload=b""):
    return Nats().ask(subject, payload)


def start_server():
    start("nats", SERVER, "-js", "-a", "127.0.0.1", "-p", str(NATS), "-sd", str(DIR / "store"))

    def listens():
        try:
            Nats()
            return True
        except OSError:
            return False

    eventually("the server listens", listens)


def hash_of(token):
    return hashlib.sha256(SECRETS[token].encode()).hexdigest()


def say(text):
    print(f"{time.monotonic() - BEGAN:6.1f} s  {text}", flush=True)


BEGAN = time.monotonic()
ports = free_ports(5)
NATS = ports[0]
SERVERS = f"'nats://127.0.0.1:{NATS}'"
PORTS = {"p1": ports[1:3], "p2": ports[3:5]}

# Keys, policies and configurations. `ops` has the policies and the private keys; the proxies have neither.
for where in ("ops", "p1", "p2"):
    (DIR / where / "policies").mkdir(parents=True)
public = {}
for key in ("fleet", "revoking", "stranger"):
    subprocess.run([BIN, "keys", "new", "fleet", str(DIR / "ops" / f"{key}.key")], check=True, capture_output=True)
    public[key] = (DIR / "ops" / f"{key}.key.pub").read_text().strip()


def configure(where, more=""):
    port, admin = PORTS.get(where, (0, 0))
    listen = f"[server]\nlisten = '127.0.0.1:{port}'\n[admin]\nlisten = '127.0.0.1:{admin}'\n" if port else ""
    node = f"node = '{where}'\n" if port else ""
    (DIR / where / "tokenward.toml").write_text(
        f"{listen}[fleet]\nname = 'main'\nsource = 'nats'\nservers = [{SERVERS}]\n{node}max_staleness = '{STALE}s'\n"
        f"public_keys = ['{public['fleet']}']\nrevoking_keys = ['{public['revoking']}']\npoll = '200ms'\n{more}"
    )


def allow(path):
    tokens = "".join(
        f"[[token]]\nname = \"{name}\"\nuser = \"svc\"\nsecret_hash = \"sha256:{hash_of(name)}\"\nexpires = 2099-01-01T00:00:00Z\nlimit_to = '''\n[get]/rest/{path}\n'''\n"
        for name in SECRETS
    )
    (DIR / "ops" / "policies" / "all.toml").write_text(tokens)


configure("ops", "revoking_key = 'revoking.key'\n")
configure("p1")
configure("p2")
allow("a")


def publish(code=0):
    return run("ops", "publish", "--to", "nats", "--key", "fleet.key", "--expires", "7d", code=code)


# Without a server, and without streams.
assert "cannot connect to NATS" in run("ops", "fleet", "check", code=3)
start_server()
assert "is missing" in run("ops", "fleet", "check", code=1)
assert "no stream" in publish(code=3)
run("ops", "fleet", "create", "--replicas", "1")
assert "as needed" in run("ops", "fleet", "check")
assert "exist already" in run("ops", "fleet", "create")
say("streams are created and as needed")

publish()
for proxy in PORTS:
    start(proxy, BIN, "serve", "--config", str(DIR / proxy / "tokenward.toml"))
for proxy in PORTS:
    eventually(f"{proxy} serves", lambda: reason(proxy, "stays") == "allowed")
say("two proxies took version 1 from the server and proved that they are fresh")

allow("b")
assert "version 2" in publish()
for proxy in PORTS:
    eventually(f"{proxy} takes version 2", lambda: reason(proxy, "stays", "/rest/b") == "allowed")
    assert reason(proxy, "stays") == "no-line"
allow("a")
publish()
for proxy in PORTS:
    eventually(f"{proxy} takes version 3", lambda: reason(proxy, "stays") == "allowed")
say("a new version is in force on both")

# Revocation.
began = time.monotonic()
told = run("ops", "token", "revoke", "one")
took = time.monotonic() - began
assert "In force on all 2 proxies" in told, told
for proxy in PORTS:
    assert reason(proxy, "one") == "revoked", reason(proxy, "one")
    assert reason(proxy, "stays") == "allowed"
say(f"revoked on both; the command took {took * 1000:.0f} ms")

# What nobody signed counts for nothing, is told, and makes nobody stale.
signed = nats("$JS.API.STREAM.MSG.GET.tokenward-control-main", json.dumps({"last_by_subj": f"tokenward.main.revocation.{hash_of('one')}"}).encode())
entry = base64.b64decode(signed["message"]["data"])
forged = entry.replace(hash_of("one").encode(), hash_of("stays").encode())
for payload in (forged, entry, b"", b"\xff" * 300):
    assert "seq" in nats(f"tokenward.main.revocation.{hash_of('stays')}", payload)
assert "seq" in nats("tokenward.main.manifest", b"tokenward-manifest 1\n")
for proxy in PORTS:
    eventually(f"{proxy} tells of forged entries", lambda: status(proxy).get("engine", {}).get("ignored", 0) >= 1)
    eventually(f"{proxy} tells of the manifest", lambda: "not a manifest" in (status(proxy).get("not_taken") or ""))
    assert reason(proxy, "stays") == "allowed"
    assert not status(proxy)["engine"]["stale"]
# A forged entry that hides a revocation is replaced by the signed one.
assert "seq" in nats(f"tokenward.main.revocation.{hash_of('one')}", b"gone")


def stored(token):
    found = nats("$JS.API.STREAM.MSG.GET.tokenward-control-main", json.dumps({"last_by_subj": f"tokenward.main.revocation.{hash_of(token)}"}).encode())
    return base64.b64decode(found.get("message", {}).get("data", ""))


eventually("the signed entry is back", lambda: stored("one") == entry)
say("forged, moved, empty and malformed entries count for nothing, and a hidden revocation is written back")

# The server dies: calls are refused once the proof is too old, and not before somebody could know.
end("nats", signal.SIGKILL)
for proxy in PORTS:
    eventually(f"{proxy} is stale", lambda: reason(proxy, "stays") == "fleet-stale")
    assert status(proxy)["engine"]["stale"]
say("after SIGKILL of the server, both proxies refuse calls")
told = run("ops", "token", "revoke", "two", code=3)
assert "is kept" in told, told
start_server()
for proxy in PORTS:
    eventually(f"{proxy} is fresh", lambda: reason(proxy, "stays") == "allowed")
    assert reason(proxy, "one") == "revoked"
say("the server is back, and so are both proxies")
# The next command sends what the last one could not.
assert "In force on all 2" in run("ops", "token", "revoke", "three")
for proxy in PORTS:
    assert reason(proxy, "two") == "revoked" == reason(proxy, "three")
say("a revocation of the time without a server was repeated")

# The stream is wiped. What was revoked stays revoked, and the entries come back.
assert nats("$JS.API.STREAM.DELETE.tokenward-control-main").get("success")
for proxy in PORTS:
    eventually(f"{proxy} is stale", lambda: reason(proxy, "stays") == "fleet-stale")
run("ops", "fleet", "create", "--replicas", "1")
for proxy in PORTS:
    eventually(f"{proxy} is fresh", lambda: reason(proxy, "stays") == "allowed")
for token in ("one", "two", "three"):
    eventually(f"the entry of {token} is written back", lambda: stored(token).startswith(b"tokenward-revocation 1\n"))
    for proxy in PORTS:
        assert reason(proxy, token) == "revoked"
say("after a wipe, the entries are written back, and nothing revoked worked")

# A proxy that was away learns at its start; one that is silent is named.
end("p2")
told = run("ops", "token", "revoke", "four", "--fleet-wait", "1s", code=1)
assert "In force on 1 of 2" in told and "p2" in told, told
start("p2", BIN, "serve", "--config", str(DIR / "p2" / "tokenward.toml"))
eventually("p2 serves", lambda: reason("p2", "stays") == "allowed")
for token in ("one", "two", "three", "four"):
    assert reason("p2", token) == "revoked", token
say("a proxy that was away knows all revocations before its first call")

# A policy after the wipe names revocations in the new order.
allow("b")
run("ops", "publish", "--to", "nats", "--key", "fleet.key", "--expires", "7d", "--version", "4")
for proxy in PORTS:
    eventually(f"{proxy} takes version 4", lambda: reason(proxy, "stays", "/rest/b") == "allowed")
say("version 4 is in force")
# Stopped in the middle of everything: SIGSTOP of the server.
processes["nats"].send_signal(signal.SIGSTOP)
for proxy in PORTS:
    eventually(f"{proxy} is stale", lambda: reason(proxy, "stays", "/rest/b") == "fleet-stale")
processes["nats"].send_signal(signal.SIGCONT)
for proxy in PORTS:
    eventually(f"{proxy} is fresh", lambda: reason(proxy, "stays", "/rest/b") == "allowed")
say("a server that hangs makes both stale, until it goes on")
end_all()

# A cluster of three, from nothing: the leader of the stream is killed.
cluster = free_ports(6)
names = ["n1", "n2", "n3"]
routes = ",".join(f"nats://127.0.0.1:{port}" for port in cluster[3:])


def start_member(name):
    at = names.index(name)
    start(name, SERVER, "-js", "-a", "127.0.0.1", "-p", str(cluster[at]), "-sd", str(DIR / f"store-{name}"), "-n", name, "--cluster_name", "fleet",
          "--cluster", f"nats://127.0.0.1:{cluster[3 + at]}", "--routes", routes)


for name in names:
    start_member(name)
SERVERS = ", ".join(f"'nats://127.0.0.1:{port}'" for port in cluster[:3])
for proxy in PORTS:
    shutil.rmtree(DIR / proxy / ".tokenward")
for proxy in PORTS:
    configure(proxy)
configure("ops", "revoking_key = 'revoking.key'\n")
eventually("the cluster has streams", lambda: "Created" in run("ops", "fleet", "create", code=None) or "exist" in run("ops", "fleet", "create", code=None))
eventually("the cluster is as needed", lambda: run("ops", "fleet", "check", code=None).count("3 replicas") == 2)
eventually("the cluster has a policy", lambda: "published" in run("ops", "publish", "--to", "nats", "--key", "fleet.key", "--expires", "7d", code=None))
for proxy in PORTS:
    start(proxy, BIN, "serve", "--config", str(DIR / proxy / "tokenward.toml"))
for proxy in PORTS:
    eventually(f"{proxy} serves", lambda: reason(proxy, "one", "/rest/b") == "allowed")
NATS = cluster[0]
leader = eventually("the stream has a leader", lambda: nats("$JS.API.STREAM.INFO.tokenward-control-main").get("cluster", {}).get("leader"))
end(leader, signal.SIGKILL)
killed = time.monotonic()
told = eventually("a revocation reaches all proxies without the leader", lambda: (lambda text: text if "In force on all 2" in text else None)(run("ops", "token", "revoke", "one", code=None)))
took = time.monotonic() - killed
for proxy in PORTS:
    assert reason(proxy, "one", "/rest/b") == "revoked"
    eventually(f"{proxy} is fresh", lambda: reason(proxy, "stays", "/rest/b") == "allowed")
say(f"{leader}, the leader, was killed; a revocation was in force on both after {took:.1f} s")
start_member(leader)
eventually("the member is back", lambda: all(not member.get("offline") and member.get("current") for member in nats("$JS.API.STREAM.INFO.tokenward-control-main").get("cluster", {}).get("replicas", [{"offline": True}])))
print("ok")
