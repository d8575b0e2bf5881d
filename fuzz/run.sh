#!/usr/bin/env bash
# One fuzz target for a while. usage: run.sh BINARIES DIRECTORY SECONDS TARGET
# What it says goes to DIRECTORY/logs/TARGET, and to the terminal if it found something. FUZZ_SEED, a number, makes runs alike.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
binaries=$1 directory=$2 seconds=$3 target=$4

mkdir -p "$directory/corpus/$target" "$directory/artifacts" "$directory/logs"
dictionary=()
[[ -f dictionaries/$target.dict ]] && dictionary=("-dict=dictionaries/$target.dict")
log=$directory/logs/$target
if "$binaries/$target" "$directory/corpus/$target" "$directory/seeds/$target" "${dictionary[@]}" \
    -artifact_prefix="$directory/artifacts/$target-" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -max_len=8192 -seed="${FUZZ_SEED:-0}" -print_final_stats=1 -verbosity=0 >"$log" 2>&1; then
    executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    echo "fuzz $target: $executed inputs in $seconds s, nothing found"
else
    tail -n 60 "$log"
    echo "fuzz $target: FOUND SOMETHING; see $directory/artifacts and $log"
    exit 1
fi
