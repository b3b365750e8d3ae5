#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oi over ClickHouse beside ClickHouse asked directly: what passes through oi costs how much?

    tests/bench/clickhouse.py [--oi build/oi] [--markets 50] [--days 10]

Starts Debian's clickhouse-server on the loopback with a folder of its own and ends it. Prints rows a
second of an import, and the median time of the same question asked through oi (which keeps answers of
ClickHouse in memory, and once more without) and of ClickHouse; with
--days 75 also of the first byte of a long answer.
"""
import argparse
import http.client
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from peers import clickhouse, peer  # noqa: E402

MINUTE, START = 60, 1767225600  # 2026-01-01
LISTENING = "http://127.0.0.1:"


def ask(port, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request("POST" if body else "GET", path, body=body)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status}: {text[:300].decode()}")
    return text


def target_of(path, i):
    """A target of its own each time, for the same rows: oi keeps whole answers by target."""
    return path.replace("{start}", f"2025-12-01T00:00:{i:02}Z")


def median_ms(port, path, body, count=31):
    times = []
    for i in range(count):
        started = time.perf_counter()
        ask(port, target_of(path, i), body)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def first_byte_ms(port, path, body, count=10):
    """How long the first byte of the body takes, and then all of it; medians."""
    first, whole = [], []
    for i in range(count):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        started = time.perf_counter()
        connection.request("POST" if body else "GET", target_of(path, i), body=body)
        answer = connection.getresponse()
        answer.read(1)
        first.append((time.perf_counter() - started) * 1000)
        while answer.read(1 << 20):
            pass
        whole.append((time.perf_counter() - started) * 1000)
        connection.close()
    return statistics.median(first), statistics.median(whole)


def write_csv(path, markets, rows):
    with open(path, "w") as file:
        file.write("time,coin,oi,mark\n")
        for row in range(rows):
            for market in range(markets):
                file.write(f"{(START + row * MINUTE) * 1000},C{market},"
                           f"{1000 + (row * 7919 + market) % 997}.{market:02},{50000 + row % 311}.5\n")


def compare(oi_port, bare_port, clickhouse_port, rows):
    hours = ("SELECT intDiv(time,3600000000000) h, argMin(open_interest_mantissa,time), max(open_interest_mantissa), "
             "min(open_interest_mantissa), argMax(open_interest_mantissa,time) FROM oi.readings WHERE instrument={} "
             "GROUP BY h ORDER BY h DESC LIMIT 200 FORMAT JSONCompact")
    closes = ("SELECT h, sum(v) FROM (SELECT instrument, intDiv(time,3600000000000) h, argMax(open_interest_mantissa,time) v "
             "FROM oi.readings GROUP BY instrument, h) GROUP BY h ORDER BY h FORMAT JSONCompact")
    candles = ("SELECT intDiv(time,3600000000000) h, argMin(v,time), max(v), min(v), argMax(v,time) FROM "
               "(SELECT time, sum(open_interest_mantissa) v FROM oi.readings GROUP BY time) GROUP BY h ORDER BY h "
               "FORMAT JSONCompact")
    raw = ("SELECT time, open_interest_mantissa, open_interest_exponent FROM oi.readings WHERE instrument=1 "
           "ORDER BY time LIMIT 10000 FORMAT JSONCompact")
    base = "/oi/v1/open-interest?unit=coins&start={start}&limit="
    questions = [
        ("200 hourly candles", base + "200&market=hyperliquid:perp:C0&interval=1h&order=desc", hours.format(1)),
        ("hourly candles of the total of all markets", base + "2000&exchange=hyperliquid&interval=1h&total=true", candles),
        ("the same, asking directly for closes alone", base + "1999&exchange=hyperliquid&interval=1h&total=true", closes),
        ("10,000 rows", base + "10000&market=hyperliquid:perp:C0", raw),
    ]
    for name, target, statement in questions:
        through, bare, direct = (median_ms(*which) for which in (
            (oi_port, target, None), (bare_port, target, None), (clickhouse_port, "/", statement)))
        print(f"{name}: {through:.1f} ms through oi, {direct:.1f} ms asked directly, {through / direct:.2f} x; "
              f"nothing kept {bare:.1f} ms, {bare / direct:.2f} x")
    if rows < 100_000:
        print("the first byte of 100,000 rows: not measured, it takes --days 75")
        return
    raw = raw.replace("10000", "100000")
    through = first_byte_ms(oi_port, base + "100000&market=hyperliquid:perp:C0", None)
    direct = first_byte_ms(clickhouse_port, "/", raw)
    for i, what in enumerate(("first byte", "last byte")):
        print(f"{what} of 100,000 rows: {through[i]:.1f} ms through oi, {direct[i]:.1f} ms asked directly, "
              f"{through[i] / direct[i]:.2f} x")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--oi", default="build/oi")
    parser.add_argument("--markets", type=int, default=50)
    parser.add_argument("--days", type=int, default=10)
    options = parser.parse_args()
    rows = options.days * 1440
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for part in ("data", "scratch", "files", "schemas"):
            (folder / part).mkdir()
        http_port, tcp_port = peer.free_port(), peer.free_port()
        (folder / "config.xml").write_text(clickhouse.CONFIG.format(folder=folder, http=http_port, tcp=tcp_port))
        (folder / "users.xml").write_text(clickhouse.USERS)
        server = subprocess.Popen(["clickhouse-server", f"--config-file={folder}/config.xml"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        fronts = []
        try:
            for _ in range(200):
                try:
                    ask(http_port, "/ping")
                    break
                except OSError:
                    time.sleep(0.05)
            store = ["--store", f"clickhouse://127.0.0.1:{http_port}/oi", "--data", str(folder / "oi")]
            subprocess.run([options.oi, "clickhouse", "init", *store[:2]], check=True)
            write_csv(folder / "rows.csv", options.markets, rows)
            started = time.perf_counter()
            subprocess.run([options.oi, "import", "csv", "--time", "time:ms", "--oi", "oi", "--mark", "mark", "--unit", "coins",
                            "--sides", "1", "--market", "hyperliquid-{coin}-future", *store, str(folder / "rows.csv")],
                           check=True)
            seconds = time.perf_counter() - started
            print(f"import: {options.markets * rows / seconds:,.0f} rows/s ({seconds:.1f} s)")
            ports = []
            for keep in ("64", "0"):
                front = subprocess.Popen([options.oi, "serve", "--no-collect", "--listen", "127.0.0.1:0", "--store",
                                          f"{store[1]}?keep={keep}", "--data", str(folder / keep)],
                                         stdout=subprocess.PIPE, text=True)
                fronts.append(front)
                ports.append(int(front.stdout.readline().split(LISTENING)[1].split()[0].rstrip("/")))
            compare(*ports, http_port, rows)
        finally:
            for process in (*fronts, server):
                process.terminate()
                process.wait()


if __name__ == "__main__":
    main()
