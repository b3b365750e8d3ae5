#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The packages of `make package` in a clean Debian: tests/package/run.sh FOLDER. The tarball is run
# where none of its libraries are installed; the Debian package is installed by apt, its service
# started as the unit says, asked, upgraded, removed and purged. Needs root. The clean root is made
# once and kept (OI_ROOT_CACHE), since its packages come over the network.
set -eu
cd "$(dirname "$0")/../.."

packages=$(readlink -f "${1:-build-package/packages}")
binary=$(readlink -f "${2:-build-package/oi}")
cache=${OI_ROOT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/oi}
suite=bookworm
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
unset OI_LISTEN OI_DATA OI_CONFIG OI_COLLECT

[ "$(id -u)" -eq 0 ] || { echo "package test: needs root, for chroot" >&2 && exit 1; }

work=$(mktemp -d /var/tmp/oi-package.XXXXXX)
root=$work/root
server=
mkdir "$root"

finish()
{
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    umount "$root/proc" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

passed=0
ok()
{
    passed=$((passed + 1))
    echo "ok $passed - $*"
}

# expect TEXT COMMAND...: the command succeeds.
expect()
{
    text=$1
    shift
    if "$@" >"$work/said" 2>&1; then
        ok "$text"
    else
        echo "not ok - $text: $*" >&2
        cat "$work/said" >&2
        exit 1
    fi
}

# The clean root: a minimal Debian with nothing of ours.
archive=$cache/$suite-$(dpkg --print-architecture).tar
if [ ! -f "$archive" ]; then
    command -v debootstrap >/dev/null || apt-get install -y -q --no-install-recommends debootstrap >&2
    echo "# debootstrap $suite" >&2
    mkdir -p "$cache"
    # Without OI_MIRROR it goes to its own.
    debootstrap --variant=minbase "$suite" "$work/new" ${OI_MIRROR:-} >"$work/debootstrap.log" 2>&1 ||
        { tail -20 "$work/debootstrap.log" >&2 && exit 1; }
    tar -C "$work/new" -cf "$archive.part" .
    mv "$archive.part" "$archive"
    rm -rf "$work/new"
fi
tar -C "$root" -xpf "$archive"
cp /etc/resolv.conf "$root/etc/resolv.conf"
mount -t proc proc "$root/proc" 2>/dev/null || echo "# no /proc in the clean root: mount is refused" >&2

in_root()
{
    chroot "$root" "$@"
}

as_oi()
{
    chroot --userspec=oi:oi "$root" "$@"
}

absent()
{
    [ ! -e "$root$1" ]
}

# start COMMAND...: run it in the root until it says where it listens; sets $server and $url.
start()
{
    : >"$work/log"
    "$@" >"$work/log" 2>&1 &
    server=$!
    url=
    for _ in $(seq 300); do
        url=$(sed -n 's/^oi listens on //p' "$work/log")
        [ -z "$url" ] || break
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    [ -n "$url" ] || { cat "$work/log" >&2 && exit 1; }
}

stop()
{
    kill "$server"
    wait "$server"
    server=
}

ask()
{
    curl -sSf --noproxy '*' "$url$1" >"$work/answer"
}

holds()
{
    grep -q "$1" "$work/answer"
}

#### the tarball, where none of its libraries are

tarball=$(ls "$packages"/oi-*-linux-*.tar.gz)
mkdir -p "$root/opt/some place"
tar -C "$root/opt/some place" -xzf "$tarball"
folder="/opt/some place/$(basename "$tarball" .tar.gz)"
expect 'the clean root has no library of ours' \
    sh -c "! ls '$root'/usr/lib/*/libuv.so.1 '$root'/usr/lib/*/libcurl.so.4 2>/dev/null"
expect 'the program of the tarball starts where none is installed' in_root "$folder/oi" --version
mv "$root$folder" "$root/opt/moved"
in_root ln -s /opt/moved/oi /usr/local/bin/oi
expect 'it starts from another place, through a symbolic link' in_root /usr/local/bin/oi --version
start chroot --userspec=nobody:nogroup "$root" /usr/local/bin/oi serve --no-collect \
    --data /tmp/oi-tarball --listen 127.0.0.1:0
expect 'it serves' ask /readyz
expect 'it serves the page' ask /
stop
rm -rf "$root/opt/moved" "$root/usr/local/bin/oi" "$root/tmp/oi-tarball"

#### the Debian package

package=$(ls "$packages"/oi_*.deb)
version=$(dpkg-deb -f "$package" Version)
newer=$version+newer
tools/package.sh deb --binary "$binary" --output "$work/newer" --version "$newer" >/dev/null 2>&1
cp "$package" "$root/tmp/oi.deb"
cp "$work/newer"/oi_*.deb "$root/tmp/newer.deb"
expect 'apt knows its packages' in_root apt-get update -q
expect 'apt installs it with what it needs' \
    in_root apt-get install -y -q --no-install-recommends /tmp/oi.deb
expect "it is version $version" in_root sh -c "oi --version | grep -qx 'oi $version'"
expect 'it has a user of its own without a shell' \
    in_root sh -c 'getent passwd oi | grep -q ":/var/lib/oi:/usr/sbin/nologin$"'
expect 'the data folder is its own' test "$(in_root stat -c '%U:%G %a' /var/lib/oi)" = 'oi:oi 750'
expect 'the settings are for root and the service alone' \
    test "$(in_root stat -c '%U:%G %a' /etc/oi/oi.conf)" = 'root:oi 640'
expect 'its manual and documents are there' \
    sh -c "ls '$root'/usr/share/man/man1/oi-serve.1.gz '$root'/usr/share/doc/oi/html/index.html"
expect 'every file is as it was packed' in_root dpkg --verify oi
expect 'its unit is enabled' test -L "$root/etc/systemd/system/multi-user.target.wants/oi.service"
if command -v systemd-analyze >/dev/null; then
    expect 'systemd finds no fault with the unit' \
        systemd-analyze verify --root="$root" --man=no --recursive-errors=no oi.service
fi

# As the unit does: its command line, its user, its folder.
unit=$root/lib/systemd/system/oi.service
command=$(sed -n 's/^ExecStart=//p' "$unit")
start_service()
{
    # shellcheck disable=SC2086
    start chroot --userspec="$(sed -n 's/^User=//p' "$unit"):$(sed -n 's/^Group=//p' "$unit")" "$root" \
        env "$@" $command
}

cat >"$root/tmp/rows.csv" <<'ROWS'
time,market,open_interest
2026-01-01T00:00:00Z,binance-BTCUSDT-future,1000.5
2026-01-01T01:00:00Z,binance-BTCUSDT-future,1001.25
ROWS
chmod 644 "$root/tmp/rows.csv"
expect 'its user imports a file by the settings' as_oi oi import csv --config /etc/oi/oi.conf \
    --time time --market '{market}' --oi open_interest --unit coins --name rows /tmp/rows.csv
start_service OI_LISTEN=127.0.0.1:0 OI_COLLECT=false
expect 'the service is ready' ask /readyz
expect 'it answers with what was imported' ask '/oi/v1/open-interest?market=binance:usdm:BTCUSDT'
expect 'with its digits' holds 1001.25
expect 'it shows its documents' ask /docs/start.html
stop

printf 'collect = false\nlisten = 127.0.0.1:0\n# ours\n' >>"$root/etc/oi/oi.conf"
cp -p "$root/etc/oi/oi.conf" "$work/oi.conf"
expect 'apt upgrades it without a question' \
    in_root apt-get install -y -q --no-install-recommends /tmp/newer.deb
expect "it is version $newer" \
    test "$(in_root dpkg-query -W -f '${Version} ${db:Status-Status}' oi)" = "$newer installed"
expect 'the changed settings are kept' cmp "$work/oi.conf" "$root/etc/oi/oi.conf"
expect 'their mode is kept' test "$(in_root stat -c '%U:%G %a' /etc/oi/oi.conf)" = 'root:oi 640'
expect 'the data is whole' as_oi oi verify --config /etc/oi/oi.conf
start_service OI_NOTHING=
expect 'the service goes by the changed settings' ask /readyz
expect 'it still answers' ask '/oi/v1/open-interest?market=binance:usdm:BTCUSDT'
expect 'with the same digits' holds 1001.25
stop

expect 'it is removed' in_root apt-get remove -y -q oi
expect 'the program is gone' absent /usr/bin/oi
expect 'the data stays' test -s "$root/var/lib/oi/data.mdb"
expect 'the settings stay' cmp "$work/oi.conf" "$root/etc/oi/oi.conf"
expect 'it comes back' in_root apt-get install -y -q --no-install-recommends /tmp/oi.deb
expect 'with its data' as_oi oi verify --config /etc/oi/oi.conf
expect 'it is purged' in_root apt-get purge -y -q oi
expect 'the data is gone' absent /var/lib/oi
expect 'the settings are gone' absent /etc/oi
expect 'the user is gone' sh -c "! chroot '$root' getent passwd oi"
expect 'nothing of it is left' \
    sh -c "! find '$root/etc' '$root/usr' '$root/lib/systemd' '$root/var/lib/systemd' -name 'oi' -o -name 'oi.service' -o -name 'oi.service.*' | grep ."
echo "$passed passed"
