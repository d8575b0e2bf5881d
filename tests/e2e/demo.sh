#!/usr/bin/env bash
# `tokenward demo` as its user meets it: each printed curl line does what is said of it, an edited policy takes effect within a
# second, the audit has every call. Needs: python3, curl, a built tokenward.
source "$(dirname "$0")/lib.sh"
need python3 curl
DIR=$OUT/demo
rm -rf "$DIR"
mkdir -p "$DIR"
cd "$DIR"
start demo "$BIN" demo --port 0
python3 "$E2E/demo_check.py" "$LOGS/demo.log" "$DIR/.tokenward-demo" "$BIN"
