"""The tables and the picture of a run."""
import html
import json
import pathlib
import statistics
import sys

CALLS = {
    "get": "GET, 950 B back", "post-150": "POST, 150 B of JSON", "post-10k": "POST, 10 KB of JSON", "up-1m": "POST, 1 MB",
    "down-1m": "GET, 1 MB back", "tls-resumed": "GET, TLS resumed for each", "http2": "GET, HTTP/2 with TLS",
}
COLOURS = {"tokenward": "#1f6f8b", "tokenward-buffered": "#6fb1c7"}
median = statistics.median


def table(head, rows):
    """A table in Markdown; all but the first column to the right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines) + "\n"


def spread(values, digits=1):
    """The median, and the least and the most if there are several."""
    text = f"{median(values):,.{digits}f}"
    return text if len(values) == 1 else f"{text} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def about(facts):
    """Machine, versions and settings."""
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    text = ""
    if facts["quick"]:
        text += ("**This was a quick run on a machine in use. It proves that every row works; its figures are not measurements.** "
                 "`make bench-proxy` measures.\n\n")
    load = f"{facts['load_before']:.1f}"
    text += table(["", ""], [
        ["Date", facts["date"]], ["Machine", f"{facts['machine']}, Linux {facts['kernel']}; load average before the run {load}"],
        ["Tokenward", facts["tokenward"]], ["Others", versions],
        ["Policy", f"{facts['tokens']:,} tokens of ten lines; the calls rotate through the first {min(1000, facts['tokens']):,}"],
        ["Rounds", f"{facts['rounds']} of {facts['seconds']:g} s each, in turn; medians (least–most)"]])
    if facts["processors"] < 4:
        text += (f"With {facts['processors']} processors, the load and the upstream share those of a server on two. Compare the CPU time "
                 "of those rows, not the throughput. The capacity below is computed from the CPU time.\n\n")
    return text


def calls(rows, processors):
    """CPU time and throughput of each kind of call."""
    text = ""
    for call, title in CALLS.items():
        found = [row for row in rows if row["row"] == call and row["processors"] == processors]
        if not found:
            continue
        base = next((median(row["cpu"]) for row in found if row["peer"] == "nginx"), None)
        lines = []
        for row in found:
            cpu = median(row["cpu"])
            limit = "" if median(row["busy"]) >= 0.9 else "\\*"
            lines.append([row["peer"], spread(row["cpu"]), f"{cpu / base:.2f}" if base else "", f"{median(row['rate']):,.0f}{limit}",
                          f"{median(row['busy']):.0%}"])
        text += f"**{title}**\n\n"
        text += table(["server", "µs CPU per request", "× nginx", "requests/s", "busy"], lines)
    if "\\*" in text:
        text += "\\* The server used less than 90 % of its processors; load, upstream or other programs limited the throughput.\n\n"
    return text


def scaling(rows):
    """Two processors compared with one."""
    lines = []
    for row in rows:
        if row["processors"] != 2:
            continue
        one = next((r for r in rows if r["processors"] == 1 and r["row"] == row["row"] and r["peer"] == row["peer"]), None)
        if one:
            capacity = 2 * median(one["cpu"]) / median(row["cpu"])
            lines.append([CALLS[row["row"]], row["peer"], f"{median(row['rate']) / median(one['rate']):.2f}", f"{capacity:.2f}"])
    if not lines:
        return ""
    return ("### Two processors compared with one\n\n`measured` is the ratio of the throughputs. `capacity` is twice the ratio of the CPU "
            "times per request: the ratio that the server could reach if nothing else limited it.\n\n"
            + table(["call", "server", "measured", "capacity"], lines))


def transfer(rows):
    """CPU time of a megabyte."""
    lines = []
    for call, title in (("up-1m", "1 MB up"), ("down-1m", "1 MB down")):
        found = [row for row in rows if row["row"] == call and row["processors"] == 1]
        base = next((median(row["cpu"]) for row in found if row["peer"] == "nginx"), None)
        lines += [[title, row["peer"], f"{median(row['cpu']):,.0f}", f"{median(row['cpu']) / base:.2f}" if base else ""] for row in found]
    return "### CPU time of 1 MB\n\n" + table(["", "server", "µs per MB", "× nginx"], lines) if lines else ""


def rates(rows):
    """Percentiles at a fixed rate, and what each server adds to a direct call."""
    if not rows:
        return ""
    text = (f"### Latency at {rows[0]['rate']:,} requests/s\n\nOpen loop: the time of a request begins when it is due. Servers have two "
            "processors. `p99 added` is the difference to a direct call of the upstream. Milliseconds.\n\n")
    for call in ("get", "post-150"):
        found = [row for row in rows if row["row"] == call]
        direct = next((median(row["p99"]) for row in found if row["peer"] == "direct"), None)
        lines = []
        for row in found:
            added = "" if direct is None else f"{(median(row['p99']) - direct) / 1e3:.2f}"
            lines.append([row["peer"], *(f"{median(row[p]) / 1e3:.2f}" for p in ("p50", "p99", "p999")), added])
        text += f"**{CALLS[call]}**\n\n" + table(["server", "p50", "p99", "p99.9", "p99 added"], lines) if lines else ""
    return text


def bodies(rows):
    """JSON bodies of all sizes."""
    sizes = list(dict.fromkeys(row["size"] for row in rows))
    names = list(dict.fromkeys(row["peer"] for row in rows))
    cell = {(row["size"], row["peer"]): f"over {row['over']} s" if "over" in row else f"{median(row['cpu']):,.0f}" for row in rows}
    if not rows:
        return ""
    return ("### JSON bodies\n\nµs CPU per request on one processor. Tokenward, nginx with Lua and ModSecurity check one member of the body; "
            "nginx only forwards it. Bodies of 100 KB and more are sent one after another. `over` means no response within that time.\n\n"
            + table(["body", *names], [[size, *(cell.get((size, name), "") for name in names)] for size in sizes]))


def reload(rows):
    """A changed line under load."""
    if not rows:
        return ""
    lines = [[f"{row['tokens']:,}", spread(row["swap"], 0), f"{sum(row['lost'])} of {sum(row['sent']):,}", spread(row["p99_before"], 2),
              spread(row["p99_during"], 2), spread(row["longest"], 1)] for row in rows]
    return (f"### Reload under load\n\nA line of one token is changed in the policy files, at {rows[0]['rate']:,} requests/s. `in effect` is the "
            "time from the change of the file to the first call that it allows. Milliseconds.\n\n"
            + table(["tokens", "in effect", "lost requests", "p99 before", "p99 during", "longest during"], lines))


def start(rows):
    """Time and memory of a start."""
    lines = []
    for row in rows:
        if row["seconds"] is None:
            found = ["not within the limit", "", ""]
        else:
            found = [f"{row['seconds']:.2f}", f"{row['resident']:,.0f}", f"{row['highest']:,.0f}"]
        lines.append([f"{row['tokens']:,}", row["from"], *found, f"{row['compile']:.1f}"])
    if not lines:
        return ""
    return ("### Start\n\nThe time from the start of the process to its first response, and resident memory then, in MiB. `compile` is the time "
            "of `tokenward compile -o`. The limit of each is 30 minutes.\n\n"
            + table(["tokens", "from", "ready after s", "memory", "highest", "compile s"], lines))


def allocations(rows):
    """Allocations a call."""
    counted = [[row["call"], f"{row['count']:.1f}"] for row in rows if "call" in row]
    missing = "".join(f"Not counted: {row['missing']}.\n\n" for row in rows if "missing" in row)
    if not rows:
        return ""
    return "### Allocations per call\n\nOf all threads, with durable audit.\n\n" + missing + (table(["call", "allocations"], counted) if counted else "")


def targets(results):
    """What the project wants to reach, and what the run measured."""
    def cpu(call, peer, count=1):
        return next((median(row["cpu"]) for row in results["calls"]
                     if (row["row"], row["peer"], row["processors"]) == (call, peer, count)), None)

    def p99(peer):
        return next((median(row["p99"]) for row in results["rates"] if row["row"] == "get" and row["peer"] == peer), None)

    lines = []

    def add(name, bound, value, unit="", least=False):
        met = value >= bound if least else value <= bound
        lines.append([name, f"{'≥' if least else '≤'} {bound:g}{unit}", f"{value:.2f}{unit}", "met" if met else "missed"])

    for call, bound in (("get", 1.3), ("post-150", 1.4), ("post-10k", 1.4), ("up-1m", 1.3), ("down-1m", 1.3)):
        own = cpu(call, "tokenward")
        for peer, most in (("nginx", bound), ("nginx-lua", 1)):
            if own and cpu(call, peer) and (peer == "nginx" or not call.endswith("1m")):
                add(f"{CALLS[call]}: CPU time, compared with {peer}", most, own / cpu(call, peer), " ×")
    if p99("direct") is not None and p99("tokenward-buffered") is not None:
        add("p99 of a GET added by Tokenward with a buffered audit", 0.4, (p99("tokenward-buffered") - p99("direct")) / 1e3, " ms")
    if cpu("get", "tokenward") and cpu("get", "tokenward", 2):
        add("GET: capacity of two processors, compared with one", 1.8, 2 * cpu("get", "tokenward") / cpu("get", "tokenward", 2), " ×", True)
    for row in results["reload"]:
        tokens = f"{row['tokens']:,} tokens"
        add(f"{tokens}: a changed line is in effect after", 100 if row["tokens"] <= 10_000 else 200, median(row["swap"]), " ms")
        add(f"{tokens}: requests lost in a reload", 0, sum(row["lost"]))
        add(f"{tokens}: p99 during a reload, compared with before", 2, median(row["p99_during"]) / median(row["p99_before"]), " ×")
    for row in results["allocations"]:
        if row.get("call") == "get":
            add("GET: allocations", 10, row["count"])
    return "### Targets\n\n" + table(["", "target", "measured", ""], lines) if lines else ""


def picture(rows):
    """CPU time of each kind of call as bars, in SVG."""
    found = [row for row in rows if row["processors"] == 1 and row["row"] in ("get", "post-150", "post-10k")]
    if not found:
        return None
    parts, top = [], 34
    for call in ("get", "post-150", "post-10k"):
        some = [row for row in found if row["row"] == call]
        most = max((median(row["cpu"]) for row in some), default=1)
        parts.append(f'<text x="10" y="{top}" font-weight="bold">{html.escape(CALLS[call])}: µs CPU per request</text>')
        top += 10
        for row in sorted(some, key=lambda row: median(row["cpu"])):
            cpu = median(row["cpu"])
            width = max(1, 440 * cpu / most)
            parts.append(f'<text x="150" y="{top + 13}" text-anchor="end">{html.escape(row["peer"])}</text>'
                         f'<rect x="158" y="{top + 2}" width="{width:.0f}" height="14" fill="{COLOURS.get(row["peer"], "#b8b8b8")}"/>'
                         f'<text x="{164 + width:.0f}" y="{top + 13}">{cpu:,.1f}</text>')
            top += 19
        top += 28
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="680" height="{top - 20}" font-family="sans-serif" font-size="12">\n'
            '<title>CPU time per request of Tokenward and other proxies</title>\n'
            '<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n")


def markdown(results):
    """The tables of a run."""
    text = about(results["about"])
    for count, title in ((1, "one processor"), (2, "two processors")):
        part = calls(results["calls"], count)
        text += f"### Calls on {title}\n\n{part}" if part else ""
    text += scaling(results["calls"]) + transfer(results["calls"]) + rates(results["rates"]) + bodies(results["bodies"])
    text += reload(results["reload"]) + start(results["start"]) + allocations(results["allocations"])
    if not results["about"]["quick"]:
        text += targets(results)
    return text.rstrip("\n") + "\n"


def write(results, directory):
    """Writes performance.md and performance.svg of a run."""
    (directory / "performance.md").write_text(markdown(results))
    drawn = picture(results["calls"])
    if drawn:
        (directory / "performance.svg").write_text(drawn)


def publish(directory, docs):
    """Replaces the figures on the page of the documentation by those of a run."""
    page = docs / "performance.md"
    begin, end = "<!-- figures: make bench-proxy-publish -->\n", "<!-- end of figures -->\n"
    before, _, rest = page.read_text().partition(begin)
    _, _, after = rest.partition(end)
    results = json.loads((directory / "results.json").read_text())
    drawn = picture(results["calls"])
    if drawn is None or not after and end not in rest:
        sys.exit("error: the run has no calls on one processor, or the page has no place for figures")
    page.write_text(before + begin + "\n" + markdown(results) + "\n" + end + after)
    (docs / "performance.svg").write_text(drawn)


if __name__ == "__main__":
    publish(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
