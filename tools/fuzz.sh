#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzzer over its kept inputs, then on new ones: tools/fuzz.sh SECONDS-IN-ALL [NAME].
# What crashes is left in build-fuzz/found/. The canary must crash, or the machinery does not work.
set -eu
cd "$(dirname "$0")/.."

seconds=${1:-60}
only=${2:-}
tools/build.sh fuzz

list=$(find build-fuzz/tests -maxdepth 1 -type f -name '*_fuzz' | sort)
count=0
for fuzzer in $list; do
    case $fuzzer in *canary_fuzz) ;; *) count=$((count + 1)) ;; esac
done
[ "$count" -gt 0 ] || count=1
each=$((seconds / count))
[ "$each" -gt 0 ] || each=1
mkdir -p build-fuzz/found
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=0}"

failed=0
for fuzzer in $list; do
    stem=$(basename "$fuzzer" _fuzz)
    [ -z "$only" ] || [ "$only" = "$stem" ] || continue
    kept=tests/fuzz/corpus/$stem
    grown=build-fuzz/corpus/$stem
    mkdir -p "$grown"
    log=build-fuzz/$stem.log
    if [ "$stem" = canary ]; then
        if "$fuzzer" -runs=1000000 -max_total_time=20 -artifact_prefix=build-fuzz/canary- \
            "$grown" >"$log" 2>&1; then
            echo "fuzz: the canary did not crash: crashes would go unnoticed" >&2
            failed=1
        else
            echo "fuzz: canary crashed, as it must"
        fi
        continue
    fi
    if { [ ! -d "$kept" ] || "$fuzzer" -runs=0 "$kept" >"$log" 2>&1; } &&
        "$fuzzer" -max_total_time="$each" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
            -artifact_prefix="build-fuzz/found/$stem-" "$grown" $([ ! -d "$kept" ] || echo "$kept") \
            >>"$log" 2>&1; then
        echo "fuzz: $stem: $(grep -c . "$log") lines, $(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$log" | tail -1) runs"
    else
        tail -40 "$log" >&2
        echo "fuzz: $stem failed; the input is in build-fuzz/found/" >&2
        failed=1
    fi
done
exit $failed
