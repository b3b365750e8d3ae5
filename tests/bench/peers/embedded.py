# SPDX-License-Identifier: Apache-2.0
"""SQLite and DuckDB: engines in the caller's own process."""
import os
import shutil
import time

from . import answers, peer, sql


class Embedded(peer.Peer):
    """A program that loads, asks and runs statements over one database file."""
    is_embedded = True
    dialect = {}

    def program(self, verb, *arguments):
        """Run it; what it measured."""
        return peer.measured(self.command() + [verb, self.folder / "data.db", *arguments],
                             env={**os.environ, "BENCH_PEERS": str(self.bench.peers)})

    def command(self):
        """How it is called."""
        raise NotImplementedError

    def load(self, csv):
        return self.program("load", csv)["load"]["median_ns"] / 1e9

    def live(self, folder, count):
        return self.program("live", folder, count)["live"]

    def statements(self):
        """By work."""
        return sql.questions(self.bench.data, self.dialect)

    def ask(self, work, count):
        statements = self.statements()
        if work not in statements:
            return None
        return self.program("ask", work, count, self.lines(work, statements[work]))[work]


# By work, the digits behind the point of each figure that SQLite has as an integer.
SCALES = {"latest": (0, 0, 4, 8, 10), "raw_json": (0, 0, 4, 8, 10), "candles": (4, 4, 4, 4, 0),
          "candles_rows": (4, 4, 4, 4, 8, 10, 0), "total": (8,), "total_rows": (8,), "metrics": (4, 4, 4, 4, 8, 10, 0)}


class SQLite(Embedded):
    """Called in C."""
    name = "SQLite"
    package = "sqlite3"
    note = "WAL, synchronous=FULL, WITHOUT ROWID by (market, time), scaled integers, an hourly table"
    # Statements with a first or a last are written otherwise, below.
    dialect = {"bucket": lambda column, width: f"{column}/{width}", "first": str, "last": str}

    def find(self):
        if not self.bench.tool("sqlite_bench").exists() or not shutil.which("sqlite3"):
            return None
        return peer.run(["sqlite3", "--version"]).split()[0]

    def command(self):
        return [self.bench.tool("sqlite_bench")]

    def statements(self):
        data, found = self.bench.data, super().statements()
        found["candles_rows"] = [sql.by_ends(sql.HOUR, f" WHERE market={m} AND time>={data.from_200h}") + " ORDER BY h"
                                 for m in data.markets]
        found["metrics"] = [sql.by_ends(sql.FIVE_MINUTES, f" WHERE market={m}") + " ORDER BY h" for m in data.markets]
        # A bare column beside max() is of the row that has it: the fastest way it knows.
        found["total_rows"] = [f"SELECT h,sum(v) FROM (SELECT time/{sql.HOUR} AS h,max(time),value_usd AS v FROM oi "
                               "WHERE market<60 GROUP BY market,h) GROUP BY h ORDER BY h"]
        return found

    def answer(self, work):
        statements = self.statements()
        statements["raw_json"] = statements["raw_columns"]
        text = peer.run(["sqlite3", "-separator", "|", self.folder / "data.db", statements[work][0]])
        rows = [line.split("|") for line in text.splitlines()]
        if work in ("candles_rows", "metrics"):
            rows = [row[1:] for row in rows]  # the market
        found = [(*row[:-len(SCALES[work])], *(figure and figure.scaleb(-digits) for figure, digits in
                                               zip(row[-len(SCALES[work]):], SCALES[work])))
                 for row in answers.of_sql(work, rows)]
        if work == "candles_rows":
            return [(*row[:5], row[7]) for row in found]
        return found

    def roll_up(self):
        started = time.monotonic()
        self.program("run", "CREATE TABLE oi_1h(market INTEGER, h INTEGER, o, hi, lo, c, v, p, n, "
                            "PRIMARY KEY(market, h)) WITHOUT ROWID; INSERT INTO oi_1h " + sql.by_ends(sql.HOUR, ""))
        return time.monotonic() - started


class DuckDB(Embedded):
    """Called from Node."""
    name = "DuckDB"
    note = "decimals, 2 threads, an hourly table; called from Node, results fetched as columns"
    dialect = {
        "bucket": lambda column, width: f"({column}//{width})",
        "first": lambda column: f"arg_min({column},time)",
        "last": lambda column: f"arg_max({column},time)",
    }

    def find(self):
        try:
            return peer.run(self.command() + ["version"],
                            env={**os.environ, "BENCH_PEERS": str(self.bench.peers)}).strip().lstrip("v")
        except (OSError, peer.Failure):
            return None

    def command(self):
        return ["node", self.bench.source / "peers/duckdb.mjs"]

    def answer(self, work):
        statements = super().statements()
        statements["raw_json"] = statements["raw_columns"]
        text = peer.run(self.command() + ["answer", self.folder / "data.db", self.lines("answer", statements[work][:1])],
                        env={**os.environ, "BENCH_PEERS": str(self.bench.peers)})
        return answers.of_sql(work, [line.split("|") for line in text.splitlines()])

    def statements(self):
        found = super().statements()
        path = self.folder / "metrics.parquet"
        found["metrics"] = [f"COPY ({text}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
                            for text in found["metrics"]]
        return found

    def ask(self, work, count):
        measured = super().ask(work, count)
        if work == "metrics":
            measured["bytes"] = (self.folder / "metrics.parquet").stat().st_size
        return measured

    def roll_up(self):
        started = time.monotonic()
        self.program("run", "CREATE TABLE oi_1h AS " + sql.hourly(self.dialect) + " ORDER BY market,h")
        return time.monotonic() - started
