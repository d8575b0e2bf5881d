#!/usr/bin/env bash
# Builds the Debian package of a binary: deb.sh BINARY OUTPUT-DIRECTORY. Needs dpkg-deb and strip (binutils).
# The same commit and binary give the same package: all times are the commit's, all owners root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
binary=$(realpath "$1")
mkdir -p "$2"
output=$(realpath "$2")

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
version=$("$binary" --version | cut -d' ' -f2)-1
architecture=$(dpkg --print-architecture)
# In a directory of its own, so that what an earlier run left is not packaged.
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
umask 022

# The files, as `make install` places them.
make --no-print-directory install BINARY="$binary" DESTDIR="$root" PREFIX=/usr UNITS=/lib/systemd/system
install -d -m 750 "$root/etc/tokenward" "$root/etc/tokenward/policies"
install -d -m 700 "$root/var/lib/tokenward"
install -m 640 deploy/tokenward.toml "$root/etc/tokenward/tokenward.toml"
install -D -m 644 deploy/debian/sysusers.conf "$root/usr/lib/sysusers.d/tokenward.conf"
install -D -m 644 deploy/debian/lintian-overrides "$root/usr/share/lintian/overrides/tokenward"
gzip -9n "$root/usr/share/man/man1/tokenward.1"
documents=$root/usr/share/doc/tokenward
install -m 644 deploy/debian/copyright "$documents/copyright"
gzip -9nc CHANGELOG.md >"$documents/changelog.gz"
printf 'tokenward (%s) unstable; urgency=medium\n\n  * See changelog.gz.\n\n -- %s  %s\n' "$version" \
    "$(sed -n 's/^Maintainer: //p' deploy/debian/control)" "$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")" |
    gzip -9n >"$documents/changelog.Debian.gz"

# The control files. The least C library is the newest version of a symbol that the binary asks for.
glibc=$(grep -aoE 'GLIBC_2\.[0-9]+' "$root/usr/bin/tokenward" | cut -d_ -f2 | sort -uV | tail -n 1)
install -d "$root/DEBIAN"
sed -e "s/@VERSION@/$version/; s/@ARCHITECTURE@/$architecture/; s/@GLIBC@/$glibc/" \
    -e "s/@SIZE@/$(du -sk --apparent-size --exclude=DEBIAN "$root" | cut -f1)/" deploy/debian/control >"$root/DEBIAN/control"
install -m 644 deploy/debian/conffiles "$root/DEBIAN/conffiles"
install -m 755 deploy/debian/{postinst,prerm,postrm} "$root/DEBIAN/"
(cd "$root" && find usr lib -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"

find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
package=$output/tokenward_${version}_$architecture.deb
dpkg-deb --root-owner-group --threads-max=1 -Zxz --build "$root" "$package" >/dev/null
echo "$package: $(stat -c %s "$package") bytes"
