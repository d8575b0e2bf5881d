#!/usr/bin/env bash
# The report in Chromium: the example policies against Jira's description. No fault of accessibility, nothing loaded, no scrolling
# sideways, and a PDF. Needs: node, a built tokenward (TOKENWARD_BIN), the shared descriptions, and what console_pages.sh installs.
source "$(dirname "$0")/lib.sh"
need node
[ -d "$SHARED/openapi" ] || die "no shared data at $SHARED; name the place in TOKENWARD_SHARED"
modules=${TOKENWARD_NPM:-$OUT/console-npm}
if ! command -v chromium >/dev/null || [ ! -d "$modules/node_modules/axe-core" ]; then
    die "Chromium, playwright-core or axe-core is missing; run tests/e2e/console_pages.sh first, which installs them"
fi
DIR=$OUT/report
rm -rf "$DIR"
mkdir -p "$DIR/old" "$DIR/empty"
cd "$DIR"
printf '[upstream]\nproduct = "jira"\npublic_url = "https://jira.example.com"\n' >tokenward.toml
# The base of the comparison has one line less, so that the page has changes.
cp -r "$ROOT/policies/." old/
cp tokenward.toml old.toml
file=$(grep -lE '^\[get' old/*.toml | head -n 1)
sed -i '0,/^\[get/{/^\[get/d}' "$file"
description=$SHARED/openapi/jira-dc-10.3.24.json
page() { # page NAME ARGUMENT…
    local name=$1 code=0
    shift
    "$BIN" report -o "$name.html" "$@" >"$LOGS/report-$name.log" 2>&1 || code=$?
    # 1: the page shows something to look at.
    if ((code > 1)); then
        tail -n 20 "$LOGS/report-$name.log" >&2
        die "report: exit code $code"
    fi
}
page whole --policies "$ROOT/policies" --openapi "$description" --against ./old --old-config old.toml
page plain --policies "$ROOT/policies"
node "$E2E/report/check.mjs" "$DIR" "$modules" "$(command -v chromium)" "$DIR/shots"
