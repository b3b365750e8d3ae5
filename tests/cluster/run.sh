#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh BINARY [ROUNDS [SEED [SHARDS]]], run.sh BINARY short [SEED]: the cluster test; skipped where a
# server that it needs is missing. The last line is "N passed, N failed".
set -eu
[ $# -ge 1 ] || {
    echo "usage: tests/cluster/run.sh BINARY [ROUNDS [SEED [SHARDS]]]" >&2
    exit 2
}
seed=${3:-$(date +%s)}
if [ "${2:-1}" = short ]; then
    set -- "$1" --short
else
    set -- "$1" --rounds "${2:-1}" --shards "${4:-2}"
fi
exec python3 -B "$(dirname "$0")/cluster.py" "$@" --seed "$seed"
