#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# clang-tidy: its quick checks on every file, and its analyzer, which takes seconds a file, on the
# files that changed last: NEWEST of them (default 40), or with ALL=1 on everything.
set -eu
cd "$(dirname "$0")/.."

tools/build.sh debug src/assets_data.c

sources()
{
    git ls-files -co --exclude-standard 'src/*.c'
}

# Those that changed last: what is not committed, then the history from its newest commit.
changed()
{
    {
        git status --porcelain --no-renames -uall -- 'src/*.c' | cut -c 4-
        git log --format= --name-only --no-renames -- 'src/*.c'
    } | awk '!seen[$0]++' | while read -r file; do
        [ ! -f "$file" ] || echo "$file"
    done | head -n "${NEWEST:-40}"
}

# check FILES-A-PROCESS OPTION...: one for the analyzer, because clang-tidy 14 mistakes names of one
# file for va_start of the one before.
check()
{
    each=$1
    shift
    xargs -r -P 2 -n "$each" clang-tidy -p build-debug --quiet --warnings-as-errors='*' "$@" \
        2>build-debug/tidy.log && return
    # What failed without a finding (a file that does not parse) says so there.
    grep -E 'error:|Error' build-debug/tidy.log >&2 || true
    return 1
}

if [ -n "${ALL:-}" ]; then
    echo "tidy: $(sources | wc -l) files, with the analyzer"
    sources | check 1
else
    newest=build-debug/tidy.newest
    changed >"$newest"
    echo "tidy: $(sources | wc -l) files, the $(wc -l <"$newest") that changed last with the analyzer"
    failed=0
    sources | grep -vxFf "$newest" | check 16 --checks='-clang-analyzer-*' || failed=1
    check 1 <"$newest" || failed=1
    exit $failed
fi
