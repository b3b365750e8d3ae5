#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# clang-tidy on what changed since BASE (by default: since this branch left main, or on main itself
# within a day), or with ALL=1 on everything.
set -eu
cd "$(dirname "$0")/.."

tools/build.sh debug src/assets_data.c
if [ -n "${ALL:-}" ]; then
    files=$(git ls-files -co --exclude-standard 'src/*.c')
else
    base=${BASE:-$(git merge-base HEAD origin/main 2>/dev/null || git merge-base HEAD main 2>/dev/null ||
        true)}
    if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD)" ]; then
        base=$(git rev-list -1 --before='1 day ago' HEAD)
        # In a young history that is everything: the difference to the empty tree.
        [ -n "$base" ] || base=$(git hash-object -t tree /dev/null)
    fi
    files=$({
        git diff --name-only --diff-filter=d "$base" -- 'src/*.c'
        git ls-files -o --exclude-standard 'src/*.c'
    } | sort -u)
fi
[ -n "$files" ] || exit 0
# shellcheck disable=SC2086
echo "tidy: $(echo $files | wc -w) files"
# One file a process: clang-tidy 14 mistakes names of one file for va_start of the one before.
# shellcheck disable=SC2086
printf '%s\n' $files | xargs -P 2 -n 1 clang-tidy -p build-debug --quiet --warnings-as-errors='*' \
    2>build-debug/tidy.log && exit 0
# What failed without a finding (a file that does not parse) says so there.
grep -E 'error:|Error' build-debug/tidy.log >&2 || true
exit 1
