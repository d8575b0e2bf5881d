#!/usr/bin/env bash
# The bypass vectors of tests/corpus/bypass against the proxy, judged by what a recording upstream saw.
# Needs: python3 and a built tokenward.
source "$(dirname "$0")/lib.sh"
need python3
CORPUS=$ROOT/tests/corpus/bypass
status=0

run() { # run NAME VECTORS POLICIES PRODUCT
    local name=$1 vectors=$2 policies=$3 product=$4 dir=$OUT/bypass-$1 proxy admin upstream
    rm -rf "$dir"
    mkdir -p "$dir"
    read -r proxy admin upstream <<<"$(free_ports 3)"
    python3 "$E2E/tokens.py" "$policies" "$dir/policies" "$dir/tokens.json"
    cat >"$dir/tokenward.toml" <<TOML
[server]
listen = "127.0.0.1:$proxy"
[admin]
listen = "127.0.0.1:$admin"
[upstream]
url = "http://127.0.0.1:$upstream"
public_url = "http://127.0.0.1:$proxy"
product = "$product"
endpoints = ["/*"]
[auth]
methods = "both"
failed_attempts = 0
never_act_as = ["admin", "Root", "site-admin"]
[limits]
# One vector never ends its body: the answer to it has to come while the runner waits.
body_timeout = "1s"
TOML
    echo "== $name vectors"
    serve "bypass-$name" "$dir" "$proxy"
    python3 "$CORPUS/run_vectors.py" --vectors "$vectors" --policies "$policies" --tokens "$dir/tokens.json" \
        --proxy-port "$proxy" --upstream-port "$upstream" --json-depth top --leak-fatal --strict-4xx \
        --report "$dir/report.jsonl" || status=1
    # The runner counts vectors apart whose meaning is debatable. The semantics here decide these:
    python3 - "$dir/report.jsonl" <<'PY' || status=1
import json, sys
decided = {"json-depth", "json-key-case", "json-nul-name", "method-head", "method-param", "needs-ip-limit"}
rows = [json.loads(line) for line in open(sys.argv[1])]
bad = [r for r in rows if r["flag"] in decided and r["result"] != "pass"]
for r in bad:
    print("FAIL (flagged, decided)", r["id"], r["flag"], r["text"])
refused = {"json-key-case": True, "json-nul-name": True, "method-param": True, "json-depth": True}
for r in rows:
    if refused.get(r["flag"]) and r["upstream"]:
        print("FAIL (must be refused)", r["id"], r["flag"]); bad.append(r)
print(f"{len(rows)} vectors ran")
sys.exit(1 if bad or not rows else 0)
PY
    stop_all
}

run open "$CORPUS/vectors-open.jsonl" "$CORPUS/policies.json" jira
run own "$CORPUS/vectors-own.jsonl" "$CORPUS/policies-own.json" jira
run merge "$CORPUS/vectors-merge.jsonl" "$CORPUS/policies-merge.json" generic
for product in jira confluence gitlab redmine generic; do
    run "calls-$product" "$CORPUS/vectors-calls-$product.jsonl" "$CORPUS/policies-calls.json" "$product"
done
run names "$CORPUS/vectors-names.jsonl" "$CORPUS/policies-names.json" jira
exit $status
