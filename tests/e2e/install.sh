#!/usr/bin/env bash
# Installs what the end-to-end tests run, and nothing that is there already: Tomcat, PHP, Puma, strace and curl by apt-get (as root,
# or with sudo), the `jira` client into $OUT/venv by pip, prism into $OUT/npm, newman and httpyac into $OUT/clients by npm, the
# frameworks into $OUT/frameworks-*. Everything else of these tests works offline.
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
# With Rack.
command -v puma >/dev/null || apt_packages+=(puma)
if ((${#apt_packages[@]})); then
    as_root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "not root, and no sudo: install ${apt_packages[*]}"
        as_root=(sudo)
    fi
    echo "apt-get install ${apt_packages[*]}"
    "${as_root[@]}" apt-get update -qq >"$LOGS/apt.log" 2>&1
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${apt_packages[@]}" \
        >>"$LOGS/apt.log" 2>&1 || { tail -n 20 "$LOGS/apt.log" >&2; die "apt-get failed"; }
fi

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
pip_into "$OUT/frameworks-venv" flask==3.1.2 gunicorn==23.0.0
npm_into "$OUT/npm" @stoplight/prism-cli@5.14.2
npm_into "$OUT/clients" newman@6.2.2 httpyac@6.16.7
npm_into "$OUT/frameworks-npm" express@5.1.0 method-override@3.0.0
