#!/usr/bin/env bash
# Real clients against a real API description: prism serves the Jira Cloud document, the proxy stands before it, PyPI's `jira`
# and curl call through it, with Basic and with Bearer. All of it in a network namespace with nothing but loopback, since these
# clients follow links they find in answers.
# Needs: what install.sh installs, the shared data, a built tokenward, and the right to make a network namespace.
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

DIR=$OUT/real_clients
rm -rf "$DIR"
mkdir -p "$DIR"
PROXY=4020 ADMIN=4021 UPSTREAM=4010

gunzip -c "$SHARED/openapi/jira-cloud-v3.json.gz" >"$DIR/jira-cloud.json"
python3 "$SHARED/real/mkprism.py" "$DIR/jira-cloud.json" "$DIR/prism.json" "http://127.0.0.1:$PROXY" >"$LOGS/mkprism.log"
start prism node "$OUT/npm/node_modules/.bin/prism" mock -h 127.0.0.1 -p $UPSTREAM "$DIR/prism.json"
await_port prism $UPSTREAM 60

cat >"$DIR/policies.json" <<'JSON'
{"reader": {"limits": [
    "[get]/rest/api/2/(serverInfo|myself|field|project|issue/[A-Z]+-\\d+(/comment|/transitions)?)",
    "[get]/rest/api/2/project/KANBAN",
    "[get]/rest/api/2/search[QueryParam::jql==project ?= ?KANBAN]"]},
 "commenter": {"limits": [
    "[get]/rest/api/2/(serverInfo|field|issue/KANBAN-100)",
    "[post].*/rest/api/2/issue/KANBAN-100/comment.*",
    "[post]/rest/api/2/issue/KANBAN-100/worklog[JsonData::timeSpent==\\d+h]",
    "[post]/rest/api/2/filter[JsonData::editable?=false][JsonData::favourite:boolean==false]",
    "[post]/rest/api/2/issue[JsonData::fields.project.key==KANBAN]",
    "![delete].*"]}}
JSON
python3 "$E2E/tokens.py" "$DIR/policies.json" "$DIR/policies" "$DIR/tokens.json" --user svc@example.com
printf 'service-password\n' >"$DIR/account.secret"
cat >"$DIR/users.toml" <<'TOML'
"svc@example.com" = { basic = "svc@example.com:upstream-password" }
TOML
chmod 600 "$DIR/account.secret" "$DIR/users.toml"

# The upstream wants credentials, so each round replaces the token by others: the user's own, then a service account's.
round() { # round NAME METHODS IDENTITY-TOML
    local dir=$DIR/$1
    mkdir -p "$dir"
    cat >"$dir/tokenward.toml" <<TOML
policies = "../policies"
[server]
listen = "127.0.0.1:$PROXY"
[admin]
listen = "127.0.0.1:$ADMIN"
[upstream]
url = "http://127.0.0.1:$UPSTREAM"
public_url = "http://127.0.0.1:$PROXY"
product = "jira"
[upstream.identity]
$3
[auth]
methods = "$2"
failed_attempts = 0
TOML
    echo "== $1: methods = $2"
    serve "real-$1" "$dir" $PROXY
    "$OUT/venv/bin/python" "$E2E/real_clients.py" --proxy $PROXY --upstream $UPSTREAM --tokens "$DIR/tokens.json" \
        --methods "$2" --user svc@example.com --binary "$BIN" --config "$dir/tokenward.toml"
    kill "$LAST"
    wait "$LAST" || die "the proxy did not stop well: see $LOGS/real-$1.log"
}
round per-user both $'mode = "per-user"\ncredentials = "../users.toml"'
round service-account bearer $'mode = "service-account"\nuser = "proxy"\nsecret_file = "../account.secret"'
