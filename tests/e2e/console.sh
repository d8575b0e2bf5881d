#!/usr/bin/env bash
# The console of a running proxy: the flows of people in Chromium, and its API as described, by schemathesis. Needs: python3 with pip,
# node, a built tokenward, and what console_pages.sh installs.
source "$(dirname "$0")/lib.sh"
need python3 curl
DIR=$OUT/console-live
rm -rf "$DIR"
mkdir -p "$DIR"
cd "$DIR"
start console-demo "$BIN" demo --port 0
for _ in $(seq 200); do
    grep -q '^Sign in' "$LOGS/console-demo.log" && break
    kill -0 "$LAST" 2>/dev/null || { tail -n 20 "$LOGS/console-demo.log" >&2; die "the demo has ended"; }
    sleep 0.1
done
# Its address comes first.
grep -v " INFO " "$LOGS/console-demo.log" | head -n 1 | grep -q "^Console: " || die "the demo does not begin with the console's address"
address=$(sed -n 's/^Console: //p' "$LOGS/console-demo.log")
secret=$(cat .tokenward-demo/admin.secret)
base=${address%/console/}
# The flows of people come first, since the API's test may revoke their tokens. The packages are those of console_pages.sh.
modules=${TOKENWARD_NPM:-$OUT/console-npm}
if command -v chromium >/dev/null && [ -d "$modules/node_modules/playwright-core" ]; then
    node "$E2E/console/live.mjs" "$base" "$secret" "$modules" "$(command -v chromium)" "$DIR/shots"
else
    die "Chromium or playwright-core is missing; run tests/e2e/console_pages.sh first, which installs both"
fi
tools=$OUT/schemathesis
if [ ! -x "$tools/bin/schemathesis" ]; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet 'schemathesis==4.*' >"$LOGS/pip-schemathesis.log" 2>&1 ||
        { tail -n 20 "$LOGS/pip-schemathesis.log" >&2; die "schemathesis cannot be installed"; }
fi
curl -fsS -H "Authorization: Bearer $secret" "$base/v1/openapi.json" >openapi.json
# In each run the same calls. A method that the description does not have is answered without the header Allow, as actix does.
"$tools/bin/schemathesis" run openapi.json --url "$base" --header "Authorization: Bearer $secret" \
    --exclude-checks unsupported_method --max-examples 40 --seed 20261124 --no-color
