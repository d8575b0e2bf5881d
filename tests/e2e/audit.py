"""The proxy's audit as the command shows it: one dictionary a call."""
import json
import subprocess


def records(binary, config, limit=10_000):
    """Every call that the running proxy with this configuration has recorded, oldest first."""
    command = [binary, "audit", "list", "--json", "--config", str(config), "--limit", str(limit)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr.decode(errors='replace')}")
    rows = [json.loads(line) for line in done.stdout.decode().splitlines() if line.strip()]
    return sorted(rows, key=lambda row: row["sequence"])
