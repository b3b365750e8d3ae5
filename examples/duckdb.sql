-- SPDX-License-Identifier: Apache-2.0
-- oi with DuckDB: a question's answer is a table at an address. duckdb < examples/duckdb.sql
-- With keys: CREATE SECRET (TYPE http, BEARER_TOKEN 'KEY'). SET force_download = true asks once
-- instead of for each part of the file, which matters where calls are counted.
INSTALL httpfs;
LOAD httpfs;

-- Figures are texts with every digit: choose the type that your question wants.
CREATE TABLE candles AS
SELECT "start", market, close::DECIMAL(38, 8) AS coins, price_close::DOUBLE AS price
FROM read_parquet('http://127.0.0.1:8080/oi/v1/open-interest?coin=BTC&kind=PERPETUAL&interval=1h&format=parquet');

-- The newest candle of each market, largest first.
SELECT market, arg_max(coins, "start") AS coins, round(max_by(coins * price, "start") / 1e6) AS millions
FROM candles
GROUP BY market
ORDER BY coins DESC
LIMIT 5;

-- Which markets grew while the price fell, over what is there.
SELECT market, round(100 * (arg_max(coins, "start") / arg_min(coins, "start") - 1), 2) AS percent
FROM candles
GROUP BY market
HAVING percent > 0 AND arg_max(price, "start") < arg_min(price, "start")
ORDER BY percent DESC
LIMIT 5;
