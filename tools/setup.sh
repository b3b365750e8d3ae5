#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing: tools/setup.sh run | test | package | cluster. The one list of packages is
# here.
# What is present is not fetched again; without network it works as long as nothing is missing.
set -eu
cd "$(dirname "$0")/.."

purpose=${1:-run}

# To build and to run. node-llhttp carries the C sources of the HTTP parser, cmark-gfm makes the
# documents that the server shows.
packages="gcc libc6-dev make meson ninja-build pkg-config python3 ca-certificates tzdata
    libuv1-dev libcurl4-openssl-dev libssl-dev liblmdb-dev libyajl-dev zlib1g-dev libdeflate-dev
    libzstd-dev libzip-dev libxxhash-dev libwslay-dev libncurses-dev libhiredis-dev node-llhttp
    cmark-gfm"

# To test: the second compiler with its run-time libraries, the checkers, a browser for the page.
if [ "$purpose" = test ]; then
    packages="$packages clang lld llvm libclang-rt-dev clang-format clang-tidy libcmocka-dev git chromium"
    packages="$packages redis-server clickhouse-server"
fi

# To pack: what the program needs is read from it by dpkg-shlibdeps.
if [ "$purpose" != run ]; then
    packages="$packages dpkg-dev"
fi

# To test: a user's tool, for the examples.
if [ "$purpose" = test ]; then
    packages="$packages curl python3-pandas"
fi

# What the cluster test needs besides the above: ZooKeeper as a library, without its desktop Java.
# Apart, because it is large, and because ./test can do without it.
if [ "$purpose" = cluster ]; then
    packages="libzookeeper-java default-jre-headless"
fi

fail()
{
    echo "setup: $*" >&2
    exit 1
}

as_root()
{
    if [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        # The cluster's packages come in the background: nobody is asked for a password there.
        sudo $([ "$purpose" != cluster ] || printf %s -n) env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

install_debian()
{
    as_root apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
}

# Prints those of its arguments that dpkg does not have.
missing_of()
{
    # shellcheck disable=SC2016
    present=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
        sed -n 's/ installed$//p')
    for package in "$@"; do
        case "
$present
" in
        *"
$package
"*) ;;
        *) echo "$package" ;;
        esac
    done
}

command -v dpkg-query >/dev/null ||
    fail "this is not Debian: install the equivalents of $(echo $packages), then call meson yourself."

# shellcheck disable=SC2086
missing=$(missing_of $packages)
# Someone else's Node is as good as Debian's.
if [ "$purpose" != cluster ]; then
    command -v node >/dev/null || missing="$missing nodejs"
    command -v npm >/dev/null || missing="$missing npm"
fi
missing=$(echo $missing)

if [ -n "$missing" ]; then
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        fail "these packages are missing, and there is no sudo to install them with: $missing"
    fi
    echo "setup: installing $missing" >&2
    as_root apt-get update -q >&2 || echo "setup: apt-get update failed; trying all the same" >&2
    # shellcheck disable=SC2086
    if ! install_debian $missing >&2; then
        for package in $missing; do
            install_debian "$package" >&2 ||
                fail "the package '$package' cannot be had from this machine's package sources."
        done
    fi
fi

# npm packages, exactly as locked; a copy of the lock tells what is installed.
install_npm()
{
    [ -f "$1/package-lock.json" ] || return 0
    cmp -s "$1/package-lock.json" "$1/node_modules/.installed-lock" && return 0
    echo "setup: npm packages of $1" >&2
    (cd "$1" && npm ci --no-audit --no-fund --loglevel=error >&2) ||
        fail "the npm packages of $1/package-lock.json cannot be had; is there a network?"
    cp "$1/package-lock.json" "$1/node_modules/.installed-lock"
}

[ "$purpose" != cluster ] || exit 0
install_npm web
if [ "$purpose" = test ]; then
    install_npm tests/system
fi
