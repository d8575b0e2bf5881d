#!/usr/bin/env python3
"""Measures `tokenward lsp` and `tokenward compile --check` on a policy of 1,000 tokens with 10 lines each.

    bench/lsp/lsp.py [--binary target/release/tokenward] [--rounds 20]

Two layouts: all tokens in one file of about 700 KB, and 10 tokens in each of 100 files. Each is measured without findings, and with one
finding in each token. For each, this program opens a file as an editor does, then changes a line, asks for a hover, a completion and
quick fixes, and measures the time until the answer. A change is answered when the editor gets the findings of the changed text.
Behind each time is the time of the processor for the answer, which other programs on the machine change less. The whole check in the
background, which begins after a pause, is not in it.

Exit code 1: the median of an answer takes longer than 50 ms, or a check takes more than 2 s. Needs only Python 3.9.
"""

import argparse
import json
import os
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

TOKENS, LINES = 1000, 10
ANSWER_MS, CHECK_S = 50, 2
CONFIGURATION = """[upstream]
url = "http://127.0.0.1:8090"
public_url = "https://jira.example.com"
product = "jira"
"""


def token(number, has_finding):
    """A token of one team: ten lines as people write them."""
    key = f"TEAM{number}"
    first = f"[get]/rest/api/2/issue/{key}-1.json" if has_finding else f"[get]/rest/api/2/issue/{key}-\\d+"
    lines = [
        first,
        f"[get]/rest/api/2/issue/{key}-\\d+/comment",
        f"[post]/rest/api/2/issue/{key}-\\d+/comment",
        f"[put]/rest/api/2/issue/{key}-\\d+[JsonData::fields.labels[*]==team{number}|ci]",
        f"[get]/rest/api/2/project/{key}",
        f"[get]/rest/api/2/project/{key}/versions",
        f"[get]/rest/api/2/search[QueryParam::jql==project = {key}][QueryParam::maxResults?<=100]",
        f"[post]/rest/api/2/version[JsonData::project=={key}]",
        f"[get]/rest/api/2/component/{number}\\d{{2}}",
        "[get]/rest/api/2/myself",
    ]
    assert len(lines) == LINES
    return (
        f'[[token]]\nname = "ci-{number}"\nuser = "svc-{number}"\nsecret_hash = "sha256:{number:064x}"\n'
        f"expires = 2099-01-01T00:00:00Z\nlimit_to = '''\n" + "\n".join(lines) + "\n'''\n\n"
    )


def write_policy(place, files, has_findings):
    (place / "policies").mkdir(parents=True)
    (place / "tokenward.toml").write_text(CONFIGURATION)
    each = TOKENS // files
    for file in range(files):
        texts = (token(number, has_findings) for number in range(file * each, (file + 1) * each))
        (place / f"policies/team{file}.toml").write_text("".join(texts))


class Editor:
    """A client of the server. A thread reads, so that the time of an answer is that of its arrival."""

    def __init__(self, binary, place):
        command = [binary, "lsp"]
        self.process = subprocess.Popen(command, cwd=place, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.messages = queue.Queue()
        self.last = 0
        threading.Thread(target=self.read, daemon=True).start()
        self.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        self.tell("initialized", {})

    def read(self):
        out = self.process.stdout
        while True:
            length = None
            while (line := out.readline()).strip():
                name, value = line.split(b":", 1)
                if name.lower() == b"content-length":
                    length = int(value)
            if length is None:
                self.messages.put((time.perf_counter(), None))
                return
            body = out.read(length)
            self.messages.put((time.perf_counter(), json.loads(body)))

    def write(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def tell(self, method, params):
        self.write({"method": method, "params": params})

    def next(self):
        try:
            when, message = self.messages.get(timeout=120)
        except queue.Empty:
            raise SystemExit("the server does not answer") from None
        if message is None:
            raise SystemExit("the server ended")
        return when, message

    def ask(self, method, params):
        """Asks, and returns the answer and the time that it took in milliseconds."""
        self.last += 1
        begin = time.perf_counter()
        self.write({"id": self.last, "method": method, "params": params})
        while True:
            when, message = self.next()
            if message.get("id") == self.last and "method" not in message:
                if "error" in message:
                    raise SystemExit(f"{method}: {message['error']}")
                return message["result"], (when - begin) * 1000

    def findings(self, uri, version, begin, is_wanted=lambda found: True):
        """Waits for the findings of a version of a document that are as wanted."""
        while True:
            when, message = self.next()
            params = message.get("params", {})
            if message.get("method") != "textDocument/publishDiagnostics" or params["uri"] != uri:
                continue
            if params.get("version") == version and is_wanted(params["diagnostics"]):
                return params["diagnostics"], (when - begin) * 1000

    def processor(self):
        """Time of the processor in milliseconds, without the thread that checks the whole policy."""
        total = 0
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            try:
                if (task / "comm").read_text().strip() != "lsp-whole":
                    total += int((task / "schedstat").read_text().split()[0])
            except OSError:
                pass  # The thread has ended.
        return total / 1_000_000

    def end(self):
        self.ask("shutdown", None)
        self.tell("exit", None)
        self.process.stdin.close()
        self.process.wait(timeout=60)


def measure_editor(binary, place, rounds):
    """Times of each kind of answer in milliseconds, and the memory of the server."""
    file = sorted((place / "policies").iterdir())[0]
    text, uri = file.read_text(), file.as_uri()
    editor = Editor(binary, place)
    times = {kind: [] for kind in ("open", "change", "hover", "completion", "actions")}

    def timed(kind, run):
        before = editor.processor()
        answer, clock = run()
        times[kind].append((clock, editor.processor() - before))
        return answer

    def opened():
        begin = time.perf_counter()
        item = {"uri": uri, "languageId": "toml", "version": 1, "text": text}
        editor.tell("textDocument/didOpen", {"textDocument": item})
        return editor.findings(uri, 1, begin)

    timed("open", opened)
    lines = text.split("\n")
    version = 1
    # A file with many findings shows the first 500.
    places = [at for at, line in enumerate(lines) if "/versions" in line][:400]
    document = {"uri": uri}
    for round_number in range(rounds):
        line = places[len(places) * round_number // rounds]
        # The line gets an unescaped dot, which is a finding with a proof, and loses it again.
        for old, new in ((lines[line], lines[line] + ".x"), (lines[line] + ".x", lines[line])):
            version += 1

            def changed(line=line, old=old, new=new, version=version):
                where = {"start": {"line": line, "character": 0}, "end": {"line": line, "character": len(old)}}
                identified = {"uri": uri, "version": version}
                change = {"textDocument": identified, "contentChanges": [{"range": where, "text": new}]}
                begin = time.perf_counter()
                editor.tell("textDocument/didChange", change)

                def is_answer(found):
                    return any(one["range"]["start"]["line"] == line for one in found) == (len(new) > len(old))

                return editor.findings(uri, version, begin, is_answer)

            timed("change", changed)
            hover = {"textDocument": document, "position": {"line": line, "character": 12}}
            timed("hover", lambda hover=hover: editor.ask("textDocument/hover", hover))
            at = {"line": line, "character": 1}
            completion = {"textDocument": document, "position": at}
            timed("completion", lambda asked=completion: editor.ask("textDocument/completion", asked))
            actions = {"textDocument": document, "range": {"start": at, "end": at}, "context": {"diagnostics": []}}
            timed("actions", lambda asked=actions: editor.ask("textDocument/codeAction", asked))
    with open(f"/proc/{editor.process.pid}/status") as status:
        memory = next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))
    editor.end()
    return times, memory


def measure_check(binary, place):
    """Time of a check in seconds: on the clock, and of the processor."""
    before = os.times()
    begin = time.perf_counter()
    ran = subprocess.run([binary, "compile", "--check"], cwd=place, capture_output=True, text=True, check=False)
    clock = time.perf_counter() - begin
    after = os.times()
    if ran.returncode != 0:
        raise SystemExit(f"compile --check: {ran.returncode}: {ran.stderr[-2000:]}")
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return clock, processor


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="target/release/tokenward")
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    binary = str(Path(arguments.binary).resolve())
    is_slow = False
    print("| policy | check | opened | change | hover | completion | quick fixes | memory |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for files in (1, TOKENS // 10):
        for has_findings in (False, True):
            with tempfile.TemporaryDirectory() as directory:
                place = Path(directory)
                write_policy(place, files, has_findings)
                checks = [measure_check(binary, place) for _ in range(3)]
                times, memory = measure_editor(binary, place, arguments.rounds)
            clock, processor = min(checks)
            cells = [f"{clock:.2f} s ({processor:.2f} s)"]
            is_slow |= clock > CHECK_S
            for kind, measured in times.items():
                middle = statistics.median(clock for clock, _ in measured)
                own = statistics.median(own for _, own in measured)
                cells.append(f"{middle:.1f} ms ({own:.1f} ms)")
                is_slow |= kind != "open" and middle > ANSWER_MS
            name = f"{files} file{'s' if files > 1 else ''}, {'a finding in each token' if has_findings else 'no findings'}"
            print(f"| {name} | {' | '.join(cells)} | {memory} MB |", flush=True)
    return 1 if is_slow else 0


if __name__ == "__main__":
    sys.exit(main())
