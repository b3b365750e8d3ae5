# SPDX-License-Identifier: Apache-2.0
"""The questions in SQL, where engines agree; each adds what is its own."""

HOUR = 3_600_000_000_000
FIVE_MINUTES = 300_000_000_000
TABLE = "market,time,exchange_time,database_time,contract_count,value_usd,mark_price"


def questions(data, dialect):
    """By work, a statement for each market to be asked about.

    `dialect` gives first(column), last(column) (by time, in a GROUP BY), hours(column, width).
    """
    first, last, bucket = dialect["first"], dialect["last"], dialect["bucket"]
    hour, five = bucket("time", HOUR), bucket("time", FIVE_MINUTES)
    ohlc = (f"{first('contract_count')} AS o,max(contract_count) AS hi,min(contract_count) AS lo,"
            f"{last('contract_count')} AS c")
    return {
        "latest": [f"SELECT * FROM oi WHERE market={m} ORDER BY time DESC LIMIT 1" for m in data.markets],
        "candles": [f"SELECT h,o,hi,lo,c,n FROM oi_1h WHERE market={m} AND h>={data.from_200h // HOUR} ORDER BY h"
                    for m in data.markets],
        "candles_rows": [f"SELECT {hour} AS h,{ohlc},count(*) AS n FROM oi WHERE market={m} "
                         f"AND time>={data.from_200h} GROUP BY h ORDER BY h" for m in data.markets],
        "raw_columns": [f"SELECT * FROM oi WHERE market={m} ORDER BY time LIMIT 100000"
                        for m in data.ticking],
        "total": ["SELECT h,sum(v) FROM oi_1h WHERE market<60 GROUP BY h ORDER BY h"],
        "total_rows": [f"SELECT h,sum(v) FROM (SELECT market,{hour} AS h,{last('value_usd')} AS v FROM oi "
                       f"WHERE market<60 GROUP BY market,h) AS x GROUP BY h ORDER BY h"],
        "metrics": [f"SELECT {five}*{FIVE_MINUTES} AS t,{ohlc},{last('value_usd')} AS v,"
                    f"{last('mark_price')} AS p,count(*) AS n FROM oi WHERE market={m} GROUP BY t ORDER BY t"
                    for m in data.markets],
    }


def hourly(dialect):
    """The hourly table's content."""
    first, last, bucket = dialect["first"], dialect["last"], dialect["bucket"]
    return (f"SELECT market,{bucket('time', HOUR)} AS h,{first('contract_count')} AS o,max(contract_count) AS hi,"
            f"min(contract_count) AS lo,{last('contract_count')} AS c,{last('value_usd')} AS v,"
            f"{last('mark_price')} AS p,count(*) AS n FROM oi GROUP BY market,h")


def by_ends(width, where):
    """Open, high, low, close of each bucket for who has no first and last, but finds both by its key."""
    group = (f"SELECT market,time/{width} AS h,min(time) AS t0,max(time) AS t1,max(contract_count) AS hi,"
             f"min(contract_count) AS lo,count(*) AS n FROM oi{where} GROUP BY market,h")
    return (f"SELECT g.market,g.h,a.contract_count AS o,g.hi,g.lo,b.contract_count AS c,b.value_usd AS v,"
            f"b.mark_price AS p,g.n FROM ({group}) AS g JOIN oi AS a ON a.market=g.market AND a.time=g.t0 "
            "JOIN oi AS b ON b.market=g.market AND b.time=g.t1")
