#!/usr/bin/env bash
# Redmine behind the proxy: attacks that spell a parameter as Rack parses it and the policy does not write it. Judged by Redmine's
# state: none makes or shows an issue of the project that the policy leaves out, and the calls that it permits work.
# Needs: python3, the redmine, redmine-sqlite and puma packages, root or sudo, the shared data, a built tokenward.
source "$(dirname "$0")/lib.sh"
need python3 puma setpriv
[ -f "$SHARED/real/redmine/redmine-seed.rb" ] || die "no shared data at $SHARED; name the place in TOKENWARD_SHARED"
installed=/var/lib/dbconfig-common/sqlite3/redmine/instances/default/redmine_default
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo -n)
"${as_root[@]}" test -f "$installed" || die "Redmine is not set up; tests/e2e/install.sh does it"

DIR=$OUT/redmine
"${as_root[@]}" rm -rf "$DIR"
mkdir -p "$DIR"
read -r upstream <<<"$(free_ports 1)"

# A database and a home of this run's own. Redmine's user must reach them, wherever the output is.
state=$(mktemp -d /tmp/tokenward-redmine.XXXXXX)
trap 'stop_all; "${as_root[@]}" rm -rf "$state"' EXIT
"${as_root[@]}" cp "$installed" "$state/redmine.sqlite3"
"${as_root[@]}" chown -R www-data:www-data "$state"
redmine() { # redmine COMMAND…: as Redmine's user, in its folder, on that database
    cd /usr/share/redmine
    exec "${as_root[@]}" setpriv --reuid=www-data --regid=www-data --init-groups env -i PATH=/usr/bin:/bin HOME="$state" \
        RAILS_ENV=production REDMINE_INSTANCE=default X_DEBIAN_SITEID=default SCHEMA=/dev/null \
        DATABASE_URL="sqlite3:$state/redmine.sqlite3" "$@"
}
(redmine bundle exec rails runner - <"$SHARED/real/redmine/redmine-seed.rb") >"$LOGS/redmine-seed.log" 2>&1 ||
    { tail -n 20 "$LOGS/redmine-seed.log" >&2; die "Redmine's database could not be filled"; }

start redmine redmine puma -e production -b "tcp://127.0.0.1:$upstream" -t 1:4 --dir /usr/share/redmine config.ru
await_port redmine "$upstream" 60

python3 "$E2E/redmine_check.py" policies "http://127.0.0.1:$upstream" >"$DIR/policies.json"
status=0
for product in redmine generic; do
    dir=$DIR/$product
    mkdir -p "$dir"
    read -r proxy admin <<<"$(free_ports 2)"
    python3 "$E2E/tokens.py" "$DIR/policies.json" "$dir/policies" "$dir/tokens.json"
    echo 'svc = { basic = "admin:admin12345" }' >"$dir/credentials.toml"
    chmod 600 "$dir/credentials.toml"
    cat >"$dir/tokenward.toml" <<TOML
[server]
listen = "127.0.0.1:$proxy"
[admin]
listen = "127.0.0.1:$admin"
[upstream]
url = "http://127.0.0.1:$upstream"
public_url = "http://127.0.0.1:$proxy"
product = "$product"
[upstream.identity]
mode = "per-user"
credentials = "$dir/credentials.toml"
[auth]
methods = "both"
failed_attempts = 0
TOML
    echo "== product = \"$product\""
    serve "redmine-$product" "$dir" "$proxy"
    python3 "$E2E/redmine_check.py" attack "http://127.0.0.1:$upstream" "http://127.0.0.1:$proxy" "$dir/tokens.json" || status=1
done
exit $status
