#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Random requests over sockets to a server of a build that has its own simulated data:
# tools/random_requests.sh BUILD COUNT. Fails when an answer is none, or the server dies or complains.
set -eu
cd "$(dirname "$0")/.."

build=$1
count=$2
folder=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT

"$build/oi" serve --demo --data "$folder/data" --listen 127.0.0.1:0 >"$folder/out" 2>"$folder/errors" &
server=$!
waited=0
until grep -q "listens on http" "$folder/out"; do
    sleep 1
    waited=$((waited + 1))
    [ $waited -lt 300 ] && kill -0 "$server" || { cat "$folder/errors" >&2; exit 1; }
done
port=$(sed -n 's/^oi .* on http:..[^:]*:\([0-9]*\).*/\1/p' "$folder/out" | head -1)
OI_RANDOM_PORT=$port OI_RANDOM_REQUESTS=$count "$build/tests/dialect_random_contract_test"
kill "$server"
wait "$server" && code=0 || code=$?
server=
if [ $code -ne 0 ] || grep -E 'ThreadSanitizer|AddressSanitizer|runtime error' "$folder/errors"; then
    tail -50 "$folder/errors" >&2
    echo "random_requests: the server ended with $code" >&2
    exit 1
fi
