#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The default run with more of everything, then what does not fit into it.
set -eu
cd "$(dirname "$0")/.."

FUZZ_SECONDS=${FUZZ_SECONDS:-7200} CRASH_ROUNDS=${CRASH_ROUNDS:-10000} ./test
# The store against its model over many random logs: ./test tries 150.
OI_TEST_LOGS=${OI_TEST_LOGS:-10000} build-debug/tests/store_contract_test
# The collector over its whole week, calm days and moods; another one each night.
OI_TEST_MINUTES=1440 build-release/tests/collector_day_contract_test
OI_TEST_MINUTES=10080 OI_TEST_SEED=${SEED:-$(date +%s)} build-release/tests/collector_week_contract_test
# A million random requests to every dialect, then 100,000 over sockets to a server under TSan.
OI_RANDOM_REQUESTS=${OI_RANDOM_REQUESTS:-1000000} build-debug/tests/dialect_random_contract_test
counts=$(mktemp)
trap 'rm -f "$counts"' EXIT
tools/build.sh thread
tools/run_tests.py build-thread --counts "$counts"
tools/random_requests.sh build-thread "${OI_RANDOM_SOCKETS:-100000}"
# A cluster of ClickHouse, killed process by process.
tools/setup.sh cluster
tests/cluster/run.sh build-release/oi "${CLUSTER_ROUNDS:-2}" "${SEED:-$(date +%s)}"
# A current ClickHouse: Debian's is of 2018.
tests/current/run.sh build-debug
# The packages, in a clean Debian; chroot needs root.
if [ "$(id -u)" -eq 0 ]; then
    make package-test
fi
ALL=1 tools/tidy.sh
