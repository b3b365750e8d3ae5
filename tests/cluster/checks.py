# SPDX-License-Identifier: Apache-2.0
"""What must hold at the end: every row once on every way to it, quotas within blocks, no answer wrong."""
import csv
import io
import json

from load import is_same, minute_text
from processes import BLOCK, CALLS, DATABASE, EXCHANGES, PASSWORD, USER, run
from rig import ask

# Batches that a turn given up has hidden have no rows in the last word of their event.
VISIBLE = (f"batch IN (SELECT argMax(batch, attempt) FROM {DATABASE}.events GROUP BY sequence "
           "HAVING argMax(row_count, attempt) > 0)")


def compare(rows, truth, minutes):
    """Sentences about (market, time, figure) rows that are missing, twice or other than the truth."""
    faults, found = [], {}
    for market, at, figure in rows:
        if (market, at) in found:
            faults.append(f"{market} {at} is there twice")
        found[market, at] = figure
    for minute in minutes:
        at = minute_text(minute)
        for market, figure in truth.minutes[minute].items():
            if (market, at) not in found:
                faults.append(f"{market} {at} is missing")
            elif not is_same(found[market, at], figure):
                faults.append(f"{market} {at} is {found[market, at]}, not {figure}")
    return faults


def rows_of_node(binary, node, start):
    """Through the command line, asked of one node of ClickHouse alone."""
    store = f"clickhouse://{USER}:{PASSWORD}@127.0.0.1:{node.port}/{DATABASE}"
    rows = []
    for exchange in EXCHANGES:
        code, out, err = run(binary, "query", "--store", store, "--exchange", exchange, "--start", start,
                             "--unit", "coins", "--format", "csv")
        if code != 0:
            return None, err
        rows += [(row["market"], row["time"], row["open_interest"])
                 for row in csv.DictReader(io.StringIO(out)) if row["feed"] == "live"]
    return rows, ""


def rows_of_server(server, key, start):
    """Through a server, page by page."""
    rows = []
    for exchange in EXCHANGES:
        path = f"/oi/v1/open-interest?exchange={exchange}&start={start}&unit=coins&limit=10000"
        page = path
        while page:
            status, body = ask(server.port, page, 30, headers={"Authorization": f"Bearer {key}"})
            if status != 200:
                return None, f"{page}: {status}: {body[:300]}"
            answer = json.loads(body)
            rows += [(row["market"], row["time"], row["open_interest"]) for row in answer["data"]]
            page = f"{path}&cursor={answer['next']}" if answer["next"] else None
    return rows, ""


def faults_of_cluster(nodes):
    """ClickHouse's own word: each visible row once, as many as the events tell, replicas alike."""
    faults = []
    told = nodes[0].query("SELECT sum(n) FROM (SELECT argMax(row_count, attempt) AS n FROM events "
                          "GROUP BY sequence)", database=DATABASE)[0][0]
    for node in nodes:
        whole = node.query("SELECT count(), uniqExact(instrument, feed, time) FROM (SELECT DISTINCT "
                           f"instrument, feed, time, known_time, batch FROM readings WHERE {VISIBLE})",
                           database=DATABASE)
        if whole != [[told, told]]:
            faults.append(f"{node.name} has {whole[0]} rows and keys where the events tell of {told}")
    hashes = {}
    for node in nodes:
        line = node.query("SELECT count(), groupBitXor(cityHash64(instrument, feed, time, known_time, "
                          "batch, open_interest_mantissa, value_usd_mantissa)) FROM readings_local FINAL "
                          f"WHERE {VISIBLE}", database=DATABASE)[0]
        if hashes.setdefault(node.shard, line) != line:
            faults.append(f"{node.name} has {line}, its twin {hashes[node.shard]}")
    return faults


def faults_of_quotas(load, deaths):
    """A death loses a block of each key and can give it out a second time, no more."""
    most = CALLS + BLOCK * deaths
    return [f"{key} was let in {count} times of {CALLS}" for key, count in load.granted.items()
            if count > most]
