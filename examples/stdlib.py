#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oi with Python's standard library: page through a market's candles and find its largest change.

Figures are texts with every digit; Decimal keeps them so, float would not.
"""
import json
import os
import urllib.parse
import urllib.request
from decimal import Decimal

URL = os.environ.get("OI_URL", "http://127.0.0.1:8080")
KEY = os.environ.get("OI_KEY")


def ask(path, **parameters):
    request = urllib.request.Request(f"{URL}{path}?{urllib.parse.urlencode(parameters)}")
    if KEY:
        request.add_header("Authorization", f"Bearer {KEY}")
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply, parse_float=Decimal)


def candles(market, interval, pages=3):
    """The newest candles, page behind page, oldest first."""
    rows, after = [], None
    for _ in range(pages):
        page = ask("/oi/v1/open-interest", market=market, interval=interval, limit=50,
                   **({"after": after} if after else {}))
        rows = page["data"] + rows
        after = page["next"]
        if not after:
            break
    return rows


def main():
    rows = candles("binance:usdm:BTCUSDT", "1h")
    changes = [(Decimal(row["close"]) - Decimal(row["open"]), row) for row in rows]
    change, row = max(changes, key=lambda pair: abs(pair[0]))
    print(f"{len(rows)} candles of {row['market']}, in {row['unit']}, {row['sides']} side counted")
    print(f"largest change: {change:+} in the hour from {row['start']}")


if __name__ == "__main__":
    main()
