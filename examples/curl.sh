#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# oi with curl alone. OI_URL and, where the server has keys, OI_KEY say where and who.
set -eu
url=${OI_URL:-http://127.0.0.1:8080}
ask() { curl -sSf ${OI_KEY:+-H "Authorization: Bearer $OI_KEY"} "$@"; }

echo '# The three largest markets of BTC'
ask "$url/oi/v1/latest?coin=BTC&limit=3&format=csv"

echo '# The last three hours of one, as candles in coins'
ask "$url/oi/v1/open-interest?market=binance:usdm:BTCUSDT&interval=1h&limit=3&format=csv"

echo '# The total of all BTC perpetuals in USD, day by day'
ask "$url/oi/v1/open-interest?coin=BTC&kind=PERPETUAL&interval=1d&total=true&unit=usd&limit=3&format=csv"

echo '# As was known a day ago (nothing, where it was begun today)'
ask -G "$url/oi/v1/open-interest" -d market=binance:usdm:BTCUSDT -d limit=1 -d format=csv \
    -d "as_of=$(date -u -d '1 day ago' +%Y-%m-%dT%H:%M:%SZ)"

echo '# What is missing of it, and why'
ask "$url/oi/v1/coverage?market=binance:usdm:BTCUSDT&format=csv"

echo '# The same candles as a Parquet file'
ask -o "${1:-btc.parquet}" "$url/oi/v1/open-interest?market=binance:usdm:BTCUSDT&interval=1h&format=parquet"
ls -l "${1:-btc.parquet}" | awk '{ print $5 " bytes" }'
