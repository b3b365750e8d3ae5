#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Configures one kind of build if it is not, and builds it: tools/build.sh KIND [TARGET ...].
#   run      build/          what a user starts; warnings are not errors there
#   release  build-release/  gcc, optimised, warnings are errors
#   package  build-package/  gcc, optimised, with Debian's hardening flags; no tests
#   debug    build-debug/    clang, ASan and UBSan, warnings are errors
#   thread   build-thread/   clang, TSan
#   fuzz     build-fuzz/     clang, libFuzzer, ASan and UBSan
set -eu
cd "$(dirname "$0")/.."

kind=$1
shift
compiler=clang
case $kind in
run)
    folder=build compiler=${CC:-gcc}
    options='--buildtype=release -Dtests=false'
    ;;
release)
    folder=build-release compiler=gcc
    options='--buildtype=release --werror'
    ;;
package)
    folder=build-package compiler=${CC:-gcc}
    options='--buildtype=release -Dtests=false'
    if [ ! -f "$folder/build.ninja" ] && command -v dpkg-buildflags >/dev/null; then
        DEB_BUILD_MAINT_OPTIONS=hardening=+all
        DEB_CFLAGS_STRIP='-g -O2' # Meson's build type says how much is optimised
        export DEB_BUILD_MAINT_OPTIONS DEB_CFLAGS_STRIP
        CFLAGS=$(dpkg-buildflags --get CFLAGS)
        CPPFLAGS=$(dpkg-buildflags --get CPPFLAGS)
        LDFLAGS=$(dpkg-buildflags --get LDFLAGS)
        export CFLAGS CPPFLAGS LDFLAGS
    fi
    ;;
debug)
    folder=build-debug
    options='--buildtype=debug -Doptimization=1 -Db_sanitize=address,undefined --werror'
    ;;
thread)
    folder=build-thread
    options='--buildtype=debug -Doptimization=1 -Db_sanitize=thread --werror'
    ;;
fuzz)
    folder=build-fuzz
    options='--buildtype=debug -Doptimization=1 -Dfuzzers=true'
    ;;
*)
    echo "build: no kind '$kind': run, release, debug, thread or fuzz" >&2
    exit 2
    ;;
esac

# Some two hundred programs are linked for the tests: lld takes half the time of the usual linker.
case $kind in
run | package) ;;
*) ! command -v ld.lld >/dev/null || export CC_LD="${CC_LD:-lld}" ;;
esac

if [ ! -f "$folder/build.ninja" ]; then
    # shellcheck disable=SC2086
    CC=$compiler meson setup $options "$folder" >"$folder.log" 2>&1 || {
        cat "$folder.log" >&2
        rm -rf "$folder" "$folder.log"
        exit 1
    }
    rm -f "$folder.log"
fi
# Meson is silent about a changed list of files, unless the list is wrong.
ninja --quiet -C "$folder" build.ninja >"$folder/configure.log" 2>&1 || {
    cat "$folder/configure.log" >&2
    exit 1
}
# The first build of ./run takes a while and says how far it is; when nothing changed, it is silent.
if [ "$kind" = run ]; then
    [ "$(ninja -n -C "$folder" "$@" | tail -1)" = 'ninja: no work to do.' ] || exec ninja -C "$folder" "$@"
else
    exec ninja --quiet -C "$folder" "$@"
fi
