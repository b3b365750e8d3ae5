#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD: the store's contract suites and the system tests of ClickHouse over a current version of
# it instead of Debian's 18.16; skipped where the package cannot be had. The last line is "N passed, N failed".
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || {
    echo "usage: tests/current/run.sh BUILD" >&2
    exit 2
}
build=$(cd "$1" && pwd)
package=@chdb/lib-linux-x64-gnu
version=26.5.3
suites='store store_share store_promises store_ready store_away store_concurrency store_kept'
# Not those that need users, a cluster or a full disk.
tests='every dialect says|large files imported|a file imported|a total is the same|an answer that is cut'

case $(uname -m) in
    x86_64) ;;
    *)
        echo "skipped: the engine of a current ClickHouse comes for x86-64 alone"
        echo '0 passed, 0 failed'
        exit 0
        ;;
esac
if [ ! -f "$build/current/node_modules/$package/libchdb.so" ] &&
    ! npm install --silent --no-audit --no-fund --no-save --prefix "$build/current" "$package@$version"; then
    echo "skipped: $package could not be installed"
    echo '0 passed, 0 failed'
    exit 0
fi
OI_CHDB=$build/current/node_modules/$package/libchdb.so
PATH=$here:$PATH
export OI_CHDB PATH

passed=0
failed=0
# try NAME COMMAND...
try()
{
    name=$1
    shift
    if "$@" >"$build/current/last.log" 2>&1; then
        echo "passed: $name"
        passed=$((passed + 1))
    else
        cat "$build/current/last.log"
        echo "FAILED: $name"
        failed=$((failed + 1))
    fi
}
for suite in $suites; do
    [ ! -x "$build/tests/${suite}_contract_test" ] ||
        OI_TEST_LOGS=1 try "contract/$suite" timeout -k 10 300 "$build/tests/${suite}_contract_test"
done
cd "$here/../system"
OI_BINARY=$build/oi try 'system tests of ClickHouse' timeout -k 10 600 \
    node --test --test-name-pattern="$tests" clickhouse.test.mjs clickhouse_failures.test.mjs
echo "over ClickHouse of $package $version"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
