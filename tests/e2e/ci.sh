#!/usr/bin/env bash
# The jobs of docs/ci, step by step as the files say, on a scratch repository with pull requests: innocent ones, one that widens
# access, and ones that try to change what judges them. The hooks of .pre-commit-hooks.yaml by the real pre-commit.
# Needs: python3, git, curl, a built tokenward; PyYAML, jsonschema and pre-commit are installed by install.sh.
source "$(dirname "$0")/lib.sh"
need python3 git curl sha256sum
[ -x "$BIN" ] || die "there is no $BIN: build it with \`make build\`, or name one in TOKENWARD_BIN"
DIR=$OUT/ci
rm -rf "$DIR"
mkdir -p "$DIR"
SCHEMA=$(find "$OUT/sarif/node_modules/@microsoft/jest-sarif" -name 'sarif-2.1.0*.json' | head -n 1)
[ -n "$SCHEMA" ] || die "the schema of SARIF is missing; tests/e2e/install.sh installs it"
"$OUT/ci-venv/bin/python" "$E2E/ci_check.py" "$BIN" "$DIR" "$SCHEMA" "$ROOT" "$OUT/ci-venv/bin"
