#!/usr/bin/env bash
# The proxy's audit, and the commands that read it, on a disk that fails: strace answers the system calls on the audit's files,
# the database's own among them, with EIO, ENOSPC, nothing written, or late. tests/e2e/fault_table.py has the faults.
# Needs: python3, strace and the right to trace one's own processes (ptrace), a built tokenward. usage: faults.sh [NAME…]
source "$(dirname "$0")/lib.sh"
need python3 strace
[ -x "$BIN" ] || die "there is no $BIN: build it with \`make build\`, or name one in TOKENWARD_BIN"
strace -f -o "$LOGS/strace.log" -e inject=fsync:error=EIO true 2>"$LOGS/strace.err" ||
    die "strace may not trace a process here, so nothing of this is tested: $(head -n 1 "$LOGS/strace.err"); permit ptrace (in a container: --cap-add SYS_PTRACE)"
python3 "$E2E/faults.py" --binary "$BIN" --directory "$OUT/faults" "$@"
