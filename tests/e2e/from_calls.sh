#!/usr/bin/env bash
# `token new --from`: each call of a collection or an archive is allowed by the lines that were written for it, and others are not.
# usage: from_calls.sh [FILE [BASE [OPENAPI]] [-- FILE …]]    other collections than those in calls/; from_calls_check.py says more
# Needs: python3, a built tokenward (TOKENWARD_BIN).
source "$(dirname "$0")/lib.sh"
need python3
DIR=$OUT/from_calls
rm -rf "$DIR"
mkdir -p "$DIR"
files=("$@")
((${#files[@]})) || files=("$E2E/calls/notes.postman_collection.json" https://notes.example/api "$E2E/calls/notes.yaml"
    -- "$E2E/calls/notes.postman_collection.json" https://notes.example/api -- "$E2E/calls/shop.har")
python3 "$E2E/from_calls_check.py" "$BIN" "$DIR" "${files[@]}"
