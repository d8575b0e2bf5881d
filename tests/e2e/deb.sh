#!/usr/bin/env bash
# The Debian package of a binary: built twice with the same digest, without an error of lintian, installed, run as its own user,
# upgraded, removed and purged. The system that it is installed into is this one, with all changes in memory: a mount namespace
# with an overlay, which ends with the script. As root or with sudo on Debian, with dpkg-deb, strip, lintian, setpriv and systemd-sysusers.
# usage: deb.sh [BINARY]
source "$(dirname "$0")/lib.sh"
need dpkg-deb strip lintian unshare setpriv systemd-sysusers curl
BINARY=$(realpath "${1:-$BIN}")
DIR=$OUT/deb
rm -rf "$DIR"
mkdir -p "$DIR/first" "$DIR/second"

# `make install` with its defaults: everything is below PREFIX, the binary is stripped, the unit starts the installed one.
make --no-print-directory -C "$ROOT" install BINARY="$BINARY" DESTDIR="$DIR/staged" >"$LOGS/install.log" 2>&1 ||
    { cat "$LOGS/install.log" >&2; die "make install fails"; }
[ "$(cd "$DIR/staged" && find . -type f | LC_ALL=C sort | tr '\n' ' ')" = "./usr/local/bin/tokenward \
./usr/local/lib/systemd/system/tokenward.service ./usr/local/share/bash-completion/completions/tokenward \
./usr/local/share/doc/tokenward/tokenward.toml ./usr/local/share/fish/vendor_completions.d/tokenward.fish \
./usr/local/share/man/man1/tokenward.1 ./usr/local/share/zsh/vendor-completions/_tokenward " ] || die "make install: other files"
"$DIR/staged/usr/local/bin/tokenward" --version
strip -o "$DIR/stripped" "$BINARY"
cmp "$DIR/stripped" "$DIR/staged/usr/local/bin/tokenward" || die "make install does not strip"
grep -q '^ExecStart=/usr/local/bin/tokenward ' "$DIR/staged/usr/local/lib/systemd/system/tokenward.service"

"$ROOT/tools/deb.sh" "$BINARY" "$DIR/first" >"$LOGS/deb.log" 2>&1 || { cat "$LOGS/deb.log" >&2; die "the package is not built"; }
# Another time, another umask.
(umask 077 && sleep 1 && "$ROOT/tools/deb.sh" "$BINARY" "$DIR/second" >>"$LOGS/deb.log" 2>&1)
package=$(echo "$DIR"/first/*.deb)
cmp "$package" "$DIR"/second/*.deb || die "the package differs when it is built again"
echo "$(basename "$package"): $(stat -c %s "$package") bytes, the same when built again"

lintian --fail-on error --info --allow-root "$package" >"$LOGS/lintian.log" 2>&1 || { cat "$LOGS/lintian.log" >&2; die "lintian has errors"; }
echo "lintian: no errors; warnings: $(grep -c '^W:' "$LOGS/lintian.log" || true)"

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
"${as_root[@]}" unshare --mount --fork "$E2E/deb_installed.sh" "$package" $(free_ports 2) >"$LOGS/deb_installed.log" 2>&1 ||
    { tail -n 30 "$LOGS/deb_installed.log" >&2; die "the installed package does not work (log: $LOGS/deb_installed.log)"; }
echo "installed, run, upgraded, removed and purged"
