#!/usr/bin/env bash
# All end-to-end tests, one after the other; a summary at the end. Logs are in target/e2e/logs.
# usage: run.sh [NAME…]    NAME: demo, console_pages, console, formats, ci, classification, bypass, faults, tomcat, frameworks, parameter_names, rails, redmine,
# real_clients, snippets, lsp, deb, playground_texts, reach, from_calls, report, fleet; playground (Chromium; by itself, since it compiles for minutes)
source "$(dirname "$0")/lib.sh"

names=("$@")
((${#names[@]})) || names=(demo console_pages console formats ci classification bypass faults tomcat frameworks parameter_names rails redmine real_clients snippets lsp deb playground_texts reach from_calls report fleet)
summary=()
failures=()
failed=0

step() { # step NAME COMMAND…
    local name=$1 from=$SECONDS outcome=ok
    shift
    echo
    echo "### $name"
    "$@" 2>&1 | tee "$LOGS/step-$name.log" || { outcome=FAILED; failed=1; failures+=("$name"); }
    summary+=("$(printf '%-14s %-6s %4d s' "$name" "$outcome" "$((SECONDS - from))")")
}

step install "$E2E/install.sh"
if ((!failed)); then
    for name in "${names[@]}"; do
        step "$name" "$E2E/$name.sh"
    done
fi
echo
echo "### end to end (logs: $LOGS)"
printf '%s\n' "${summary[@]}"
# Whoever keeps only the end of a long log still sees why.
for name in "${failures[@]}"; do
    echo "--- the end of $name:"
    tail -n 15 "$LOGS/step-$name.log"
done
exit "$failed"
