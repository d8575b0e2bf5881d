#!/usr/bin/env bash
# Servers of other families than Tomcat behind the proxy: Flask on gunicorn (WSGI), Express on Node with `qs` and
# `method-override`, PHP with what Symfony and Laravel make of it, and Rack on Puma with what Rails does. For every odd
# target, body and header of a seeded lot the proxy refuses, or the framework reads exactly what the policy matched and the
# audit recorded.
# Needs: what install.sh installs, the shared data, a built tokenward.
source "$(dirname "$0")/lib.sh"
need python3 node php puma
[ -f "$SHARED/real/tomcat/raw_matrix.py" ] || die "no shared data at $SHARED; name the place in TOKENWARD_SHARED"
status=0

run() { # run NAME PRODUCT UPSTREAM-COMMAND… ({} stands for the port)
    local name=$1 product=$2 dir=$OUT/frameworks-$1 proxy admin upstream
    shift 2
    rm -rf "$dir"
    mkdir -p "$dir"
    read -r proxy admin upstream <<<"$(free_ports 3)"
    start "$name" "${@//\{\}/$upstream}"
    await_port "$name" "$upstream" 60
    cat >"$dir/policies.json" <<'JSON'
{"open": {"limits": ["/.*", "!.*/never", "![delete].*"]},
 "bound": {"limits": ["/.*[QueryParam::jql==q][QueryParam::only]"]},
 "json": {"limits": ["[post]/.*[JsonData::a:number==1][JsonData::b?=x][JsonData::only]"]},
 "unless": {"limits": ["/.*[QueryParam::jql!=r]"]}}
JSON
    python3 "$E2E/tokens.py" "$dir/policies.json" "$dir/policies" "$dir/tokens.json"
    cat >"$dir/tokenward.toml" <<TOML
[server]
listen = "127.0.0.1:$proxy"
[admin]
listen = "127.0.0.1:$admin"
[upstream]
url = "http://127.0.0.1:$upstream"
public_url = "https://127.0.0.1"
product = "$product"
endpoints = ["/*"]
[auth]
methods = "both"
failed_attempts = 0
[limits]
# Some framings never end their body.
body_timeout = "1s"
TOML
    echo "== $name behind product = \"$product\""
    serve "$name-proxy" "$dir" "$proxy"
    python3 "$E2E/frameworks_check.py" --matrix "$SHARED/real/tomcat/raw_matrix.py" --tokens "$dir/tokens.json" \
        --binary "$BIN" --config "$dir/tokenward.toml" --port "$proxy" --random "${TOKENWARD_RANDOM_TARGETS:-250}" \
        --seed "${TOKENWARD_SEED:-1}" || status=1
    stop_all
}

gunicorn=("$OUT/frameworks-venv/bin/gunicorn" --chdir "$E2E/frameworks" --worker-class gthread --threads 4 --workers 1
    --bind "127.0.0.1:{}" flask_app:app)
express=(env NODE_PATH="$OUT/frameworks-npm/node_modules" node "$E2E/frameworks/express_app.js" "{}")
php=(php -S "127.0.0.1:{}" "$E2E/frameworks/php_app.php")
rack=(puma --quiet -b "tcp://127.0.0.1:{}" "$E2E/frameworks/rack_app.ru")
run flask generic "${gunicorn[@]}"
run express generic "${express[@]}"
run php generic "${php[@]}"
run rack generic "${rack[@]}"
run flask-jira jira "${gunicorn[@]}"
exit $status
