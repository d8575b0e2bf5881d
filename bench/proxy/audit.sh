#!/usr/bin/env bash
# Cost of the durable audit (release build): CPU time per request, and p99 at half of peak, see latency.py. Both proxies have the same
# upstream (an nginx that returns a fixed response) and the same load. Needs: python3, nginx, wrk, cargo. Loopback only.
# usage: audit.sh [--rounds N] [--seconds N] [--connections N]
export TOKENWARD_BIN=${TOKENWARD_BENCH_BIN:-${CARGO_TARGET_DIR:-$(dirname "$0")/../../target}/release/tokenward}
source "$(dirname "$0")/../../tests/e2e/lib.sh"
need python3 nginx wrk
DIR=$OUT/bench-proxy
rm -rf "$DIR"
mkdir -p "$DIR/durable" "$DIR/buffered"
read -r upstream durable durable_admin buffered buffered_admin <<<"$(free_ports 5)"

nginx_conf() { # nginx_conf NAME SERVER-AND-UPSTREAM-BLOCKS
    mkdir -p "$DIR/$1"
    cat >"$DIR/$1/nginx.conf" <<NGINX
daemon off;
worker_processes 2;
pid $DIR/$1/nginx.pid;
error_log $DIR/$1/error.log;
events { worker_connections 1024; }
http {
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path $DIR/$1/body;
    proxy_temp_path $DIR/$1/proxy;
    fastcgi_temp_path $DIR/$1/fastcgi;
    uwsgi_temp_path $DIR/$1/uwsgi;
    scgi_temp_path $DIR/$1/scgi;
    $2
}
NGINX
    start "bench-$1" nginx -p "$DIR/$1" -e "$DIR/$1/error.log" -c "$DIR/$1/nginx.conf"
}

answer="{\"key\":\"KANBAN-100\",\"fields\":{\"summary\":\"$(printf 'x%.0s' $(seq 900))\"}}"
nginx_conf upstream "server { listen 127.0.0.1:$upstream; location / { default_type application/json; return 200 '$answer'; } }"
await_port bench-upstream "$upstream" 10

cat >"$DIR/policies.json" <<'JSON'
{"ci": {"limits": [
    "[get]/rest/api/2/(serverInfo|myself|field)",
    "[get]/rest/api/2/project/KANBAN",
    "[get]/rest/api/2/search[QueryParam::jql==project ?= ?KANBAN]",
    "[get].*/rest/api/2/issue/KANBAN-[0-9]+",
    "[post].*/rest/api/2/issue/KANBAN-100/comment.*",
    "[post]/rest/api/2/filter[JsonData::editable==false]"]}}
JSON
python3 "$E2E/tokens.py" "$DIR/policies.json" "$DIR/policies" "$DIR/tokens.json"
proxy() { # proxy DURABILITY PORT ADMIN-PORT
    cat >"$DIR/$1/tokenward.toml" <<TOML
policies = "../policies"
[server]
listen = "127.0.0.1:$2"
workers = 2
[admin]
listen = "127.0.0.1:$3"
[upstream]
url = "http://127.0.0.1:$upstream"
public_url = "http://127.0.0.1:$2"
[auth]
methods = "both"
[audit]
durability = "$1"
TOML
    serve "bench-$1" "$DIR/$1" "$2"
}
proxy durable "$durable" "$durable_admin"
DURABLE=$LAST
proxy buffered "$buffered" "$buffered_admin"

CARGO_TARGET_DIR=$TARGET/bench cargo build --quiet --release --locked --manifest-path "$ROOT/bench/proxy/load/Cargo.toml"
python3 "$ROOT/bench/proxy/latency.py" --tokens "$DIR/tokens.json" --load "$TARGET/bench/release/proxy-load" --disk "$DIR" \
    "$@" -- "$DURABLE:$durable" "$LAST:$buffered"
