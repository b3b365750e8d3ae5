#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The house rules as a test: all checks run, then it fails if one did.
set -u
cd "$(dirname "$0")/.." || exit 1

failed=0
run()
{
    name=$1
    shift
    if "$@"; then
        echo "check: $name passed"
    else
        echo "check: $name FAILED" >&2
        failed=1
    fi
}

format()
{
    git ls-files -co --exclude-standard '*.c' '*.h' | xargs -r clang-format --dry-run -Werror
}

run 'checks can fail' tools/check_selftest.py
run 'format' format
run 'layers' tools/check_layers.py
run 'source' tools/check_source.py
run 'links' tools/check_links.py
run 'tidy' tools/tidy.sh
exit $failed
