#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzzer over its kept inputs, then on new ones, two at a time:
# tools/fuzz.sh SECONDS-IN-ALL [NAME]. What crashes is left in build-fuzz/found/.
# The canary must crash, or the machinery does not work.
set -eu
cd "$(dirname "$0")/.."

# One fuzzer, in a process of its own: tools/fuzz.sh --one SECONDS PROGRAM.
one()
{
    each=$1 fuzzer=$2
    stem=$(basename "$fuzzer" _fuzz)
    kept=tests/fuzz/corpus/$stem
    grown=build-fuzz/corpus/$stem
    log=build-fuzz/$stem.log
    mkdir -p "$grown"
    if [ "$stem" = canary ]; then
        if "$fuzzer" -runs=1000000 -max_total_time=20 -artifact_prefix=build-fuzz/canary- \
            "$grown" >"$log" 2>&1; then
            echo "fuzz: the canary did not crash: crashes would go unnoticed" >&2
            return 1
        fi
        echo "fuzz: canary crashed, as it must"
        return
    fi
    if { [ ! -d "$kept" ] || "$fuzzer" -runs=0 "$kept" >"$log" 2>&1; } &&
        "$fuzzer" -max_total_time="$each" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
            -artifact_prefix="build-fuzz/found/$stem-" "$grown" $([ ! -d "$kept" ] || echo "$kept") \
            >>"$log" 2>&1; then
        echo "fuzz: $stem: $(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$log" | tail -1) runs"
    else
        tail -40 "$log" >&2
        echo "fuzz: $stem failed; the input is in build-fuzz/found/" >&2
        return 1
    fi
}

export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=0}"
if [ "${1:-}" = --one ]; then
    one "$2" "$3"
    exit
fi

seconds=${1:-60}
only=${2:-}
tools/build.sh fuzz

list=$(find build-fuzz/tests -maxdepth 1 -type f -name "${only:-*}_fuzz" | sort)
[ -n "$list" ] || {
    echo "fuzz: there is no fuzzer $only" >&2
    exit 1
}
count=$(echo "$list" | grep -vc canary_fuzz || true)
[ "$count" -gt 0 ] || count=1
each=$((2 * seconds / count))
[ "$each" -gt 0 ] || each=1
mkdir -p build-fuzz/found
echo "$list" | xargs -P 2 -n 1 tools/fuzz.sh --one "$each"
