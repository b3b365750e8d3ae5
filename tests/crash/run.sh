#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Hurts a program in every way that a machine can: tests/crash/run.sh BINARY [ROUNDS [SEED [KIND ...]]].
# The kinds are in README.md; without one, all run. The last line is "N passed, N failed".
set -eu
[ $# -ge 1 ] || {
    echo "usage: tests/crash/run.sh BINARY [ROUNDS [SEED [KIND ...]]]" >&2
    exit 2
}
here=$(cd "$(dirname "$0")" && pwd)
PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/crash.py" "$@"
