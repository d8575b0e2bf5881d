#!/usr/bin/env bash
# The console's pages with made-up data: valid HTML, no fault of accessibility, nothing refused by the Content-Security-Policy, no
# scrolling sideways. Needs: node, npm, Chromium; playwright-core, axe-core and html-validate come from npm. The pages and their
# screenshots are in target/e2e/console.
source "$(dirname "$0")/lib.sh"
need node npm cargo
if ! command -v chromium >/dev/null; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq >"$LOGS/apt-chromium.log" 2>&1
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >>"$LOGS/apt-chromium.log" 2>&1 ||
        { tail -n 20 "$LOGS/apt-chromium.log" >&2; die "Chromium cannot be installed"; }
fi
modules=${TOKENWARD_NPM:-$OUT/console-npm}
if [ ! -d "$modules/node_modules/html-validate" ]; then
    mkdir -p "$modules"
    npm install --prefix "$modules" --no-audit --no-fund --ignore-scripts --no-save playwright-core@1.65.1 axe-core@4.14.1 html-validate@10.17.0 \
        >"$LOGS/npm-console.log" 2>&1 || { tail -n 20 "$LOGS/npm-console.log" >&2; die "npm install failed"; }
fi
pages=$OUT/console/pages
rm -rf "$pages"
mkdir -p "$pages"
(cd "$ROOT" && cargo run --quiet --locked -p tokenward-console --features samples --example gallery -- "$pages")
"$modules/node_modules/.bin/html-validate" --config "$E2E/console/htmlvalidate.json" "$pages"/*.html
# Continuous integration looks at one state of most pages; `make full` and whoever calls this looks at all.
names=()
if [ "${CI:-}" = true ] && [ -z "${WHOLE:-}" ]; then
    names=(overview token tokens-none audit audit-nothing call-denied try-denied review new-token-errors login-failed not-found)
    for page in "$pages"/hostile*.html; do names+=("$(basename "$page" .html)"); done
fi
node "$E2E/console/pages.mjs" "$pages" "$modules" "$(command -v chromium)" "$OUT/console/shots" "${names[@]}"
