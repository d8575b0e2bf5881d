# Sourced by the scripts beside it: where things are, how a process is started, awaited and stopped.
# shellcheck shell=bash disable=SC2034
set -euo pipefail

E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$E2E/../.." && pwd)
# Data that is not ours to carry: API descriptions, the servers' own files. Beside the checkout, unless said otherwise.
SHARED=${TOKENWARD_SHARED:-$ROOT/../shared}
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
OUT=${TOKENWARD_E2E_OUT:-$TARGET/e2e}
BIN=${TOKENWARD_BIN:-$TARGET/debug/tokenward}
LOGS=$OUT/logs
mkdir -p "$LOGS"

STARTED=()

# Ends what `start` started, last first, each by its own process id.
stop_all() {
    local i pid
    for ((i = ${#STARTED[@]} - 1; i >= 0; i--)); do
        pid=${STARTED[i]}
        kill "$pid" 2>/dev/null || continue
        for _ in $(seq 50); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -9 "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    STARTED=()
}
trap stop_all EXIT
trap 'exit 130' INT TERM

die() {
    echo "error: $*" >&2
    exit 1
}

need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || die "$tool is missing; tests/e2e/install.sh installs what these tests need"
    done
}

# start NAME COMMAND…: runs it in the background, its output in $LOGS/NAME.log; the process id is in $LAST.
start() {
    local name=$1
    shift
    "$@" >"$LOGS/$name.log" 2>&1 </dev/null &
    LAST=$!
    STARTED+=("$LAST")
}

# await_port NAME PORT SECONDS: until 127.0.0.1:PORT accepts; fails at once if process $LAST has ended.
await_port() {
    local name=$1 port=$2 end=$((SECONDS + $3))
    until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        if ! kill -0 "$LAST" 2>/dev/null || ((SECONDS >= end)); then
            tail -n 30 "$LOGS/$name.log" >&2
            die "$name does not listen on port $port"
        fi
        sleep 0.05
    done
}

# free_ports N: N ports of 127.0.0.1 that nobody listens on, separated by spaces.
free_ports() {
    python3 "$E2E/ports.py" "$1"
}

# serve NAME DIR PORT: the proxy with DIR/tokenward.toml.
serve() {
    [ -x "$BIN" ] || die "there is no $BIN: build it with \`make build\`, or name one in TOKENWARD_BIN"
    start "$1" "$BIN" serve --config "$2/tokenward.toml"
    await_port "$1" "$3" 30
}
