#!/usr/bin/env bash
# Runs the audit's, the runtime's and the live tests several times beside busy loops, and counts the failures of each test. A test
# that fails here depends on the speed of the machine. From any directory.
#   tools/test-loaded.sh            ten runs
#   tools/test-loaded.sh 3          three runs
# LOOPS (default 4) is the number of busy loops. PACKAGES names other packages, separated by spaces. FILTER is a filter of
# cargo-nextest, or a part of the tests' names without it. CARGO names another cargo.
# Exit code 1: at least one test failed. Exit code 2: the tests did not run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=${1:-10}
loops=${LOOPS:-4}
cargo=${CARGO:-cargo}
if ! [[ $runs =~ ^[1-9][0-9]*$ && $loops =~ ^[0-9]+$ ]]; then
    echo "test-loaded.sh: RUNS must be a number from 1 on, and LOOPS a number" >&2
    exit 2
fi
read -ra packages <<<"${PACKAGES:-tokenward-audit tokenward-pdp tokenward-runtime tokenward-tests}"
# A selection of packages would build them with other features, and so once more.
selected=()
among=
for package in "${packages[@]}"; do
    selected+=(--package "$package")
    among+="${among:+ | }package($package)"
done
logs=${CARGO_TARGET_DIR:-$PWD/target}/test-loaded
mkdir -p "$logs"
rm -f "$logs"/*.log

# The failures of a run, as `BINARY TEST`, from its log.
if "$cargo" nextest --version >/dev/null 2>&1; then
    # Those that compute without waiting for anything would only make it longer.
    filter=${FILTER:-'not binary(/^(analysis|dialect|differential|findings|fuzz_inputs|links|layers|witnesses)$/)'}
    tests() {
        "$cargo" nextest run --workspace --lib --bins --tests --locked --no-fail-fast --status-level none \
            --final-status-level fail -E "($among) & ($filter)"
    }
    failures() { sed -nE 's/^ +(FAIL|TIMEOUT|ABORT|SIG[A-Z]+|LEAK-FAIL) \[[^]]*\] *(\([^)]*\) )?//p' "$1"; }
else
    tests() { "$cargo" test "${selected[@]}" --lib --bins --tests --locked --no-fail-fast --quiet -- ${FILTER:+"$FILTER"}; }
    failures() { sed -nE 's/^---- (.*) stdout ----$/\1/p' "$1"; }
fi

# Built before the load begins. The live tests take the binary from here.
"$cargo" build --workspace --lib --bins --tests --examples --locked
export TOKENWARD_BIN=${TOKENWARD_BIN:-${CARGO_TARGET_DIR:-$PWD/target}/debug/tokenward}

busy=()
# shellcheck disable=SC2329 # The trap calls it.
stop() { for loop in "${busy[@]}"; do kill "$loop" 2>/dev/null || true; done; }
trap stop EXIT
for ((n = 0; n < loops; n++)); do
    # It ends by itself if this script is gone without having stopped it.
    (while kill -0 $$ 2>/dev/null; do for ((i = 0; i < 100000; i++)); do :; done; done) &
    busy+=($!)
done

failed=0
for ((run = 1; run <= runs; run++)); do
    log=$logs/$run.log
    from=$SECONDS
    if tests >"$log" 2>&1; then
        outcome=ok
    else
        failed=$((failed + 1))
        outcome="$(failures "$log" | wc -l) failed"
        if [[ $outcome == "0 failed" ]]; then
            tail -n 20 "$log" >&2
            echo "test-loaded.sh: the tests of run $run did not run; the whole output is in $log" >&2
            exit 2
        fi
    fi
    echo "run $run of $runs: $outcome, $((SECONDS - from)) s"
done

echo "$failed of $runs runs beside $loops busy loops had failures; logs are in $logs"
for log in "$logs"/*.log; do failures "$log"; done | sort | uniq -c | sort -rn
((failed == 0)) || exit 1
