#!/usr/bin/env bash
# A Rails controller with `wrap_parameters` behind the proxy: for generated queries and bodies, the proxy refuses the call, or the
# parameters that Rails makes of it are what the policy's line says.
# Needs: python3, the puma and ruby-actionpack packages, a built tokenward.
source "$(dirname "$0")/lib.sh"
need python3 puma
DIR=$OUT/rails
rm -rf "$DIR"
mkdir -p "$DIR"
read -r upstream <<<"$(free_ports 1)"
start rails puma --environment production --threads 1:4 --bind "tcp://127.0.0.1:$upstream" "$E2E/parameter_names/rails_app.ru"
await_port rails "$upstream" 60
python3 "$E2E/rails_check.py" policies >"$DIR/policies.json"

status=0
for product in redmine generic; do
    dir=$DIR/$product
    read -r proxy admin <<<"$(free_ports 2)"
    python3 "$E2E/tokens.py" "$DIR/policies.json" "$dir/policies" "$dir/tokens.json"
    cat >"$dir/tokenward.toml" <<TOML
[server]
listen = "127.0.0.1:$proxy"
[admin]
listen = "127.0.0.1:$admin"
[upstream]
url = "http://127.0.0.1:$upstream"
public_url = "http://127.0.0.1:$proxy"
product = "$product"
# The controller of this test has routes without a format; those of Redmine's API end in one.
endpoints = ["/*"]
[auth]
methods = "both"
failed_attempts = 0
TOML
    echo "== product = \"$product\""
    serve "rails-$product" "$dir" "$proxy"
    python3 "$E2E/rails_check.py" attack --proxy "$proxy" --rails "$upstream" --tokens "$dir/tokens.json" \
        --number "${TOKENWARD_RANDOM_CALLS:-4000}" --seed "${TOKENWARD_SEED:-1}" || status=1
done
exit $status
