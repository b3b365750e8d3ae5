#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a large deployment needs, from the figures in docs/benchmarks.md.

`python3 tests/bench/scale.py` prints the tables of docs/scale.md, `--page docs/scale.md` writes them
there. Arithmetic, and a simulation of one writer: second after second it appends what came and moves
series that have a hundred rows in the log into chunks, as upkeep does.
"""

import argparse
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INSTRUMENTS, REQUESTS, SUBSCRIBERS = 100_000, 100_000, 1_000_000

# Measured beside that page, by the commands in docs/scale.md: processor time of one core.
FOLLOW_SEND_US, FOLLOW_STORE_US, REDIS_CALL_US = 1.55, 3.05, 19.4
# As in src/cli/upkeep.c and src/store/store.h.
CROWD, CHUNK_ROWS, LOG_MAX = 100, 4096, 1_000_000


def figure(text, pattern):
    found = re.search(pattern, text)
    if not found:
        sys.exit(f"scale: docs/benchmarks.md has nothing like {pattern}")
    return float(found.group(1).replace(",", ""))


def figures():
    text = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")
    return {
        "append_ms": figure(text, r"live batch, durable \| ([\d.]+) ms"),
        "encode": figure(text, r"encode, one core \| ([\d.]+) M rows/s") * 1e6,
        "decode": figure(text, r"decode all columns, one core \| ([\d.]+) M rows/s") * 1e6,
        "row_bytes": figure(text, r"bytes a row \| [\d.]+ \| [\d.]+ \| ([\d.]+) \|"),
        "clickhouse_bytes": figure(text, r"\| bytes a row \| [\d.]+ \| - \| ([\d.]+) \|"),
        "clickhouse_load_s": figure(text, r"\| bulk load from CSV \| [\d.]+ s \| - \| ([\d.]+) s"),
        "rows": figure(text, r"; ([\d,]+) rows \(scale 1\)"),
        "newest_s": figure(text, r"floor \(([\d,]+) a second of 352 bytes"),
        "candles_s": figure(text, r"floor \(([\d,]+) a second of 51,466 bytes"),
        "candles_us": figure(text, r"\| 200 hourly candles \| ([\d.]+) us \([\d.]+ us\) \|\n"),
        "push_ms": figure(text, r"p99 ([\d.]+) ms, [\d.]+ x of a bare loop of writes"),
        "listeners": figure(text, r"writes \([\d.]+ ms\), ([\d,]+) listeners"),
        "listener_kib": figure(text, r"open, ([\d.]+) KiB each"),
    }


def simulate(measured, rate, series, log_max, seconds=900):
    """One writer, one lock: its share of a second, rows in the log at the end, MB written a second."""
    append_s = measured["append_ms"] / 1000 / 12_000
    group, each = series / 100, rate / series  # a hundred groups of series; rows a second of one
    waiting = [0.0] * 100
    busy, log, written = 0.0, 0.0, 0.0
    for second in range(seconds):
        left = 1.0 - rate * append_s
        written += rate * 3 * measured["row_bytes"]  # the log, before the columns are chunks
        waiting = [rows + each for rows in waiting]
        log = sum(waiting) * group
        for at in sorted(range(100), key=lambda at: -waiting[at]):
            if waiting[at] < CROWD and log <= log_max:
                break
            rows = CHUNK_ROWS / 2 + waiting[at]
            cost = group * (rows / measured["encode"] + CHUNK_ROWS / 2 / measured["decode"])
            if cost > left:
                break
            left -= cost
            written += group * rows * measured["row_bytes"]
            log -= waiting[at] * group
            waiting[at] = 0
        busy += 1.0 - left
    return busy / seconds, log, written / seconds / 1e6


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] +
                     ["| " + " | ".join(row) + " |" for row in rows])


def writers(measured):
    rows = []
    for series, rate, log_max in ((12_000, 200, LOG_MAX), (12_000, 12_000, LOG_MAX), (INSTRUMENTS, INSTRUMENTS, LOG_MAX),
                                  (INSTRUMENTS, INSTRUMENTS, 12 * LOG_MAX), (300_000, 300_000, 40 * LOG_MAX)):
        busy, log, written = simulate(measured, rate, series, log_max)
        gigabytes = rate * 86_400 * measured["row_bytes"] / 1e9
        holds = log < 1.2 * max(log_max, CROWD * series)
        rows.append([f"{series:,}", f"{rate:,}", f"{log_max / 1e6:.0f} M", f"{100 * busy:.1f} %", f"{log / 1e6:.1f} M",
                     f"{written:,.0f} MB/s", f"{gigabytes:,.1f} GB", "yes" if holds else "**no: the log grows**"])
    return table(["series", "rows a second", "log at most", "of one writer", "rows in the log after 15 min", "written",
                  "kept a day", "holds"], rows)


def parts(measured):
    day = INSTRUMENTS * 86_400
    load_s = measured["rows"] / measured["clickhouse_load_s"]
    newest_core = measured["newest_s"] / 2
    candle_bits = REQUESTS * 51_466 * 8 / 1e9
    send_us = measured["push_ms"] * 2000 / measured["listeners"]
    rows = [
        ["kept a day, LMDB", f"{day:,} rows x {measured['row_bytes']} bytes", f"{day * measured['row_bytes'] / 1e9:,.0f} GB"],
        ["kept a day, ClickHouse 18.16", f"x {measured['clickhouse_bytes']} bytes", f"{day * measured['clickhouse_bytes'] / 1e9:,.0f} GB a replica"],
        ["inserts, ClickHouse", f"{INSTRUMENTS:,} of {load_s / 1e6:.1f} M rows/s in bulk", f"{100 * INSTRUMENTS / load_s:.0f} % of a node"],
        ["a follower's rows, sent", f"{INSTRUMENTS:,} x {FOLLOW_SEND_US} us", f"{INSTRUMENTS * FOLLOW_SEND_US / 1e6:.2f} cores of the collector, each"],
        ["a follower's rows, stored", f"{INSTRUMENTS:,} x {FOLLOW_STORE_US} us", f"{INSTRUMENTS * FOLLOW_STORE_US / 1e6:.2f} cores"],
        ["newest values, kept answers", f"{REQUESTS:,} of {newest_core:,.0f} a core", f"{REQUESTS / newest_core:.1f} cores"],
        ["200 candles, kept answers", f"{REQUESTS:,} of {measured['candles_s'] / 2:,.0f} a core", f"{REQUESTS / measured['candles_s'] * 2:.1f} cores"],
        ["200 candles, made each time", f"{REQUESTS:,} x {measured['candles_us']} us more", f"{REQUESTS * measured['candles_us'] / 1e6:.1f} cores more"],
        ["200 candles, the wire", f"{REQUESTS:,} x 51,466 bytes", f"**{candle_bits:.0f} Gbit/s**"],
        ["quotas, plans of 10 a second", f"{REQUESTS:,} calls x {REDIS_CALL_US} us", f"**{REQUESTS * REDIS_CALL_US / 1e6:.1f} cores of a Redis that has one**"],
        ["quotas, plans of 1,000 a second", f"{REQUESTS / 31:,.0f} calls x {REDIS_CALL_US} us", f"{100 * REQUESTS / 31 * REDIS_CALL_US / 1e6:.0f} % of it"],
        ["subscribers, memory", f"{SUBSCRIBERS:,} x {measured['listener_kib']} KiB", f"{SUBSCRIBERS * measured['listener_kib'] / 1024 ** 2:.1f} GiB"],
        ["a market each, a row a second", f"{SUBSCRIBERS:,} x {send_us:.1f} us", f"{SUBSCRIBERS * send_us / 1e6:.1f} cores"],
        ["the same, the wire", f"{SUBSCRIBERS:,} x 250 bytes with their headers", f"{SUBSCRIBERS * 250 * 8 / 1e9:.1f} Gbit/s"],
        ["ten markets each", "ten times that", f"**{SUBSCRIBERS * send_us / 1e5:.0f} cores, {SUBSCRIBERS * 2500 * 8 / 1e9:.0f} Gbit/s**"],
        ["a row that all hear", f"{SUBSCRIBERS:,} x {send_us:.1f} us on 32 cores", f"{SUBSCRIBERS * send_us / 32e6:.2f} s until the last one has it"],
    ]
    return table(["what", "reckoned", "needs"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=pathlib.Path, help="write the tables into this page")
    page = parser.parse_args().page
    measured = figures()
    tables = {"writer": writers(measured), "parts": parts(measured)}
    if not page:
        print("\n\n".join(tables.values()))
        return
    text = page.read_text(encoding="utf-8")
    for name, made in tables.items():
        text = re.sub(rf"<!-- {name} -->\n.*?<!-- /{name} -->",
                      lambda _, name=name, made=made: f"<!-- {name} -->\n\n{made}\n\n<!-- /{name} -->", text, flags=re.S)
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
