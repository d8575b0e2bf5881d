#!/usr/bin/env bash
# Run by deb.sh in a mount namespace of its own: deb_installed.sh PACKAGE PORT ADMIN-PORT. Installs the package into an overlay over this system.
set -euxo pipefail
package=$1 port=$2 admin=$3
scratch=$(mktemp -d)
mount -t tmpfs tmpfs "$scratch"
mkdir "$scratch"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$scratch/upper,workdir=$scratch/work" "$scratch/root"
root=$scratch/root
cp "$package" "$root/tokenward.deb"
for place in proc dev; do mount --rbind "/$place" "$root/$place"; done
inside() { chroot "$root" /usr/bin/env LC_ALL=C "$@"; }
is() { [ "$(inside stat -c '%a %U:%G' "$1")" = "$2 $3" ]; }

# Installed: files, modes, owners, user. Nothing runs.
inside dpkg -i /tokenward.deb
inside tokenward --version
is /etc/tokenward 750 root:tokenward
is /etc/tokenward/policies 750 root:tokenward
is /etc/tokenward/tokenward.toml 640 root:tokenward
is /var/lib/tokenward 700 tokenward:tokenward
inside getent passwd tokenward | grep -q ':/var/lib/tokenward:/usr/sbin/nologin$'
grep -q '^ExecStart=/usr/bin/tokenward serve' "$root/lib/systemd/system/tokenward.service"
inside grep -q tokenward /usr/share/bash-completion/completions/tokenward
inside dpkg --verify tokenward

# As its own user: the configuration is readable, the proxy starts and refuses a call without a token.
sed -i "s/:8080/:$port/; s/:8081/:$admin/" "$root/etc/tokenward/tokenward.toml"
as_user=(setpriv --reuid tokenward --regid tokenward --clear-groups)
inside "${as_user[@]}" tokenward compile --check --config /etc/tokenward/tokenward.toml
# Not by `inside`: the process id must be the proxy's own.
chroot "$root" "${as_user[@]}" tokenward serve --config /etc/tokenward/tokenward.toml &
proxy=$!
trap 'kill "$proxy" 2>/dev/null || true' EXIT
for _ in $(seq 200); do
    status=$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:$port/rest/api/2/myself || true)
    [ "$status" = 000 ] || break
    kill -0 "$proxy"
    sleep 0.1
done
[ "$status" = 401 ]
kill "$proxy"
wait "$proxy"
is /var/lib/tokenward/admin.secret 600 tokenward:tokenward

# Upgraded: a changed configuration and changed owners stay.
chmod 600 "$root/etc/tokenward/tokenward.toml"
inside dpkg --force-confold -i /tokenward.deb
grep -q ":$port" "$root/etc/tokenward/tokenward.toml"
is /etc/tokenward/tokenward.toml 600 root:tokenward

# Removed: configuration and state stay. Purged: the audit and the revocations stay.
inside dpkg -r tokenward
[ -f "$root/etc/tokenward/tokenward.toml" ] && [ ! -e "$root/usr/bin/tokenward" ]
inside dpkg -P tokenward
[ ! -e "$root/etc/tokenward/tokenward.toml" ] && [ -d "$root/var/lib/tokenward/audit" ]
