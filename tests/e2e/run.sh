#!/usr/bin/env bash
# All end-to-end tests, one after the other; a summary at the end. Logs are in target/e2e/logs.
# usage: run.sh [NAME…]    NAME: demo, classification, bypass, faults, tomcat, frameworks, parameter_names, rails, redmine,
# real_clients, snippets, deb
source "$(dirname "$0")/lib.sh"

names=("$@")
((${#names[@]})) || names=(demo classification bypass faults tomcat frameworks parameter_names rails redmine real_clients snippets deb)
summary=()
failed=0

step() { # step NAME COMMAND…
    local name=$1 from=$SECONDS outcome=ok
    shift
    echo
    echo "### $name"
    "$@" || { outcome=FAILED; failed=1; }
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
exit "$failed"
