#!/usr/bin/env bash
# Installs what the end-to-end tests run, and nothing that is there already: Tomcat, PHP, Puma, Rails, Redmine, strace, lintian and curl by
# apt-get (as root, or with sudo), the `jira` client into $OUT/venv by pip, prism into $OUT/npm, newman and httpyac into $OUT/clients by npm, the
# frameworks into $OUT/frameworks-*, the schema of SARIF and its validator into $OUT/sarif and $OUT/schema-venv, pre-commit and a YAML reader into
# $OUT/ci-venv. Everything else of these tests works offline.
source "$(dirname "$0")/lib.sh"
need python3 npm node

apt_packages=()
command -v curl >/dev/null || apt_packages+=(curl)
command -v ip >/dev/null || apt_packages+=(iproute2)
command -v strace >/dev/null || apt_packages+=(strace)
command -v unshare >/dev/null || apt_packages+=(util-linux)
# Not the package `tomcat10`: it would start a server of its own.
[ -x /usr/share/tomcat10/bin/catalina.sh ] || apt_packages+=(tomcat10-common)
command -v tomcat10-instance-create >/dev/null || apt_packages+=(tomcat10-user)
command -v php >/dev/null || apt_packages+=(php-cli)
command -v strip >/dev/null || apt_packages+=(binutils)
command -v lintian >/dev/null || apt_packages+=(lintian)
command -v nvim >/dev/null || apt_packages+=(neovim)
command -v tmux >/dev/null || apt_packages+=(tmux)
command -v systemd-sysusers >/dev/null || apt_packages+=(systemd-standalone-sysusers)
# With Rack.
command -v puma >/dev/null || apt_packages+=(puma)
command -v setpriv >/dev/null || apt_packages+=(util-linux)
dpkg-query --status ruby-actionpack >/dev/null 2>&1 || apt_packages+=(ruby-actionpack)
redmine_database=/var/lib/dbconfig-common/sqlite3/redmine/instances/default/redmine_default
[ -f /usr/share/redmine/config.ru ] || apt_packages+=(redmine redmine-sqlite)
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
# Where Debian's Redmine meets a newer bundler than Debian's, its set-up fails: that bundler wants a folder for each gem. So they are
# made, and the set-up is repeated.
set_up_redmine() {
    local place specification
    for place in /usr/share/rubygems-integration/all /usr/share/rubygems-integration/3.1.0 \
        /usr/lib/x86_64-linux-gnu/rubygems-integration/3.1.0; do
        for specification in "$place"/specifications/*.gemspec; do
            [ ! -f "$specification" ] || "${as_root[@]}" mkdir -p "$place/gems/$(basename "$specification" .gemspec)"
        done
    done
    printf '%s\n' 'redmine redmine/instances/default/dbconfig-install boolean true' \
        'redmine redmine/instances/default/database-type select sqlite3' | "${as_root[@]}" debconf-set-selections
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive dpkg --configure redmine >>"$LOGS/apt.log" 2>&1 ||
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive dpkg-reconfigure redmine >>"$LOGS/apt.log" 2>&1
    "${as_root[@]}" test -f "$redmine_database"
}

if ((${#apt_packages[@]})); then
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || die "not root, and no sudo: install ${apt_packages[*]}"
    echo "apt-get install ${apt_packages[*]}"
    "${as_root[@]}" apt-get update -qq >"$LOGS/apt.log" 2>&1
    install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${apt_packages[@]}")
    "${install[@]}" >>"$LOGS/apt.log" 2>&1 || { set_up_redmine && "${install[@]}" >>"$LOGS/apt.log" 2>&1; } ||
        { tail -n 20 "$LOGS/apt.log" >&2; die "apt-get failed"; }
fi
"${as_root[@]}" test -f "$redmine_database" || set_up_redmine || { tail -n 20 "$LOGS/apt.log" >&2; die "Redmine cannot be set up"; }

pip_into() { # pip_into DIRECTORY PACKAGE…
    local place=$1
    shift
    [ "$(cat "$place/.installed" 2>/dev/null)" != "$*" ] || return 0
    echo "pip install $*"
    python3 -m venv --clear "$place"
    "$place/bin/pip" install --quiet --disable-pip-version-check "$@" >"$LOGS/pip.log" 2>&1 ||
        { tail -n 20 "$LOGS/pip.log" >&2; die "pip failed"; }
    echo "$*" >"$place/.installed"
}

npm_into() { # npm_into DIRECTORY PACKAGE…
    local place=$1
    shift
    [ "$(cat "$place/.installed" 2>/dev/null)" != "$*" ] || return 0
    echo "npm install $*"
    rm -rf "$place"
    mkdir -p "$place"
    npm install --prefix "$place" --no-audit --no-fund --no-package-lock --loglevel=error "$@" >"$LOGS/npm.log" 2>&1 ||
        { tail -n 20 "$LOGS/npm.log" >&2; die "npm failed"; }
    echo "$*" >"$place/.installed"
}

pip_into "$OUT/venv" jira==3.10.5
pip_into "$OUT/frameworks-venv" flask==3.1.2 gunicorn==23.0.0 Django==5.2.8 djangorestframework==3.16.1
pip_into "$OUT/schema-venv" jsonschema==4.25.1
pip_into "$OUT/lsp-venv" pytest-lsp==1.0.1 check-jsonschema==0.39.0
pip_into "$OUT/ci-venv" PyYAML==6.0.3 jsonschema==4.25.1 pre-commit==4.5.0
npm_into "$OUT/sarif" @microsoft/jest-sarif@1.0.0-beta.0
npm_into "$OUT/npm" @stoplight/prism-cli@5.14.2
npm_into "$OUT/clients" newman@6.2.2 httpyac@6.16.7
npm_into "$OUT/frameworks-npm" express@5.1.0 method-override@3.0.0 qs@6.17.1 qs-before@npm:qs@6.14.0
