#!/usr/bin/env bash
# `compile` and `diff` in the formats of CI systems: SARIF is valid by the schema of OASIS, and the others have what their readers
# require. Needs: python3, a built tokenward; the schema and its validator are installed by install.sh.
source "$(dirname "$0")/lib.sh"
need python3
DIR=$OUT/formats
rm -rf "$DIR"
mkdir -p "$DIR"
SCHEMA=$(find "$OUT/sarif/node_modules/@microsoft/jest-sarif" -name 'sarif-2.1.0*.json' | head -n 1)
[ -n "$SCHEMA" ] || die "the schema of SARIF is missing; tests/e2e/install.sh installs it"
"$OUT/schema-venv/bin/python" "$E2E/formats_check.py" "$BIN" "$DIR" "$SCHEMA" "$ROOT" "$SHARED"
