#!/usr/bin/env bash
# `reach` with real descriptions: the answers agree with `ask`, versions are compared, and a thousand tokens take seconds.
# Needs: python3, a built tokenward (TOKENWARD_BIN; times count only with a release build), the shared descriptions.
source "$(dirname "$0")/lib.sh"
need python3
[ -d "$SHARED/openapi" ] || die "no shared data at $SHARED; name the place in TOKENWARD_SHARED"
DIR=$OUT/reach
rm -rf "$DIR"
mkdir -p "$DIR"
python3 "$E2E/reach_check.py" "$BIN" "$SHARED/openapi" "$DIR" "$ROOT/policies"
