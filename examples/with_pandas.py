#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oi with pandas (Debian: python3-pandas): daily open interest of each exchange, side by side.

CSV needs nothing but pandas. With pyarrow, pandas.read_parquet takes the same address with
format=parquet, where times are nanoseconds and come typed.
"""
import os
from urllib.parse import urlencode

import pandas

URL = os.environ.get("OI_URL", "http://127.0.0.1:8080")
KEY = os.environ.get("OI_KEY")


def daily_usd(coin, exchange):
    query = urlencode({"coin": coin, "exchange": exchange, "kind": "PERPETUAL", "interval": "1d",
                       "total": "true", "unit": "usd", "limit": 30, "format": "csv"})
    table = pandas.read_csv(f"{URL}/oi/v1/open-interest?{query}", parse_dates=["start"],
                            storage_options={"Authorization": f"Bearer {KEY}"} if KEY else None)
    return table.set_index("start")["close"].rename(exchange)


def main():
    table = pandas.concat([daily_usd("BTC", name) for name in ("binance", "bybit", "okx")], axis=1)
    print((table / 1e9).round(2).tail(5).to_string())
    print("share of the last day, in percent:")
    last = table.iloc[-1]
    print((100 * last / last.sum()).round(1).to_string())


if __name__ == "__main__":
    main()
