#!/usr/bin/env bash
# `tokenward token snippet` in every language, each run by its real client against the proxy: curl, Node, Python, httpyac for
# the .http file, newman for Postman's collection, and PowerShell where `pwsh` is installed (no package registry has it). In a
# network namespace with nothing but loopback, since clients may ask for updates, or follow what they find in answers.
# Needs: what install.sh installs, a built tokenward, and the right to make a network namespace.
if [ -z "${TOKENWARD_INSIDE:-}" ]; then
    export TOKENWARD_INSIDE=1
    flags=(--net)
    [ "$(id -u)" = 0 ] || flags=(--net --map-root-user)
    exec unshare "${flags[@]}" bash "$0" "$@"
fi
source "$(dirname "$0")/lib.sh"
need python3 node curl ip
ip link set lo up
[ "$(ip -o link show | wc -l)" = 1 ] || die "this network namespace has more than loopback"

DIR=$OUT/snippets
rm -rf "$DIR"
mkdir -p "$DIR/policies"
cd "$DIR"
PROXY=4040 ADMIN=4041 UPSTREAM=4042

config() { # config METHODS TOP KEYS
    cat >"$DIR/tokenward.toml" <<TOML
policies = "policies"
$2
[server]
listen = "127.0.0.1:$PROXY"
[admin]
listen = "127.0.0.1:$ADMIN"
[upstream]
url = "http://127.0.0.1:$UPSTREAM"
public_url = "http://127.0.0.1:$PROXY"
product = "jira"
[auth]
methods = "$1"
failed_attempts = 0
[keys]
$3
TOML
}

round() { # round NAME: the proxy with the configuration as it is, each token's snippets in each language
    echo "== $1"
    serve "snippets-$1" "$DIR" $PROXY
    python3 "$E2E/snippets.py" --binary "$BIN" --upstream $UPSTREAM --clients "$OUT/clients/node_modules/.bin" --round "$1"
    kill "$LAST"
    wait "$LAST" || die "the proxy did not stop well: see $LOGS/snippets-$1.log"
}

config basic '' 'sealing_keys = [".tokenward/sealing.key"]'
"$BIN" keys new sealing >/dev/null
round standard-basic
config bearer '' 'sealing_keys = [".tokenward/sealing.key"]'
round standard-bearer
# The switch to secure mode: a key, what was there sealed, no sealing key any more.
config basic '' ''
"$BIN" keys new signing >/dev/null
config basic 'mode = "secure"' "signing_key = \".tokenward/signing.key\"
public_keys = [\"$(cat .tokenward/signing.key.pub)\"]"
"$BIN" token seal --all
round secure-basic
