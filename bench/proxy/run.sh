#!/usr/bin/env bash
# CPU time per request of the proxy (release build) beside nginx as a plain reverse proxy: same run, same upstream (another
# nginx that returns a fixed answer), same load (wrk), turn and turn about. Needs: python3, nginx, wrk. Loopback only.
# usage: run.sh [audit] [--rounds N] [--seconds N] [--connections N]
# With `audit`, without nginx beside: what the durable audit costs, see latency.py. That needs cargo as well.
export TOKENWARD_BIN=${TOKENWARD_BENCH_BIN:-${CARGO_TARGET_DIR:-$(dirname "$0")/../../target}/release/tokenward}
source "$(dirname "$0")/../../tests/e2e/lib.sh"
need python3 nginx wrk
what=proxy
if [[ ${1:-} == audit ]]; then
    what=audit
    shift
fi

DIR=$OUT/bench-proxy
rm -rf "$DIR"
mkdir -p "$DIR/durable" "$DIR/buffered"
read -r upstream plain durable durable_admin buffered buffered_admin <<<"$(free_ports 6)"

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
nginx_conf plain "
    upstream api { server 127.0.0.1:$upstream; keepalive 64; keepalive_requests 1000000000; }
    server {
        listen 127.0.0.1:$plain;
        location /rest/ {
            proxy_pass http://api;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Host \$host;
            proxy_set_header X-Forwarded-User svc;
            proxy_set_header Authorization \"\";
        }
    }"
NGINX=$LAST
await_port bench-plain "$plain" 10

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

if [[ $what == audit ]]; then
    CARGO_TARGET_DIR=$TARGET/bench cargo build --quiet --release --locked --manifest-path "$ROOT/bench/proxy/load/Cargo.toml"
    python3 "$ROOT/bench/proxy/latency.py" --tokens "$DIR/tokens.json" --load "$TARGET/bench/release/proxy-load" --disk "$DIR" \
        "$@" -- "$DURABLE:$durable" "$LAST:$buffered"
    exit
fi
python3 "$ROOT/bench/proxy/measure.py" --tokens "$DIR/tokens.json" "$@" -- \
    "nginx:$NGINX:$plain" "tokenward durable:$DURABLE:$durable" "tokenward buffered:$LAST:$buffered"
