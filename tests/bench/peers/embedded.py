# SPDX-License-Identifier: Apache-2.0
"""SQLite and DuckDB: engines in the caller's own process."""
import os
import shutil
import time

from . import peer, sql


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


class SQLite(Embedded):
    """Called in C."""
    name = "SQLite"
    package = "sqlite3"
    note = "WAL, synchronous=FULL, WITHOUT ROWID by (market, time), scaled integers, an hourly table"
    dialect = {
        "bucket": lambda column, width: f"{column}/{width}",
        # Filled by statements() from windows: SQLite has no first or last.
        "first": lambda column: f"max(CASE WHEN first=1 THEN {column} END)",
        "last": lambda column: f"max(CASE WHEN last=1 THEN {column} END)",
    }

    def find(self):
        if not self.bench.tool("sqlite_bench").exists() or not shutil.which("sqlite3"):
            return None
        return peer.run(["sqlite3", "--version"]).split()[0]

    def command(self):
        return [self.bench.tool("sqlite_bench")]

    @staticmethod
    def windowed(text):
        """Rows numbered within their bucket, from both ends."""
        width = sql.FIVE_MINUTES if str(sql.FIVE_MINUTES) in text else sql.HOUR
        where = text[text.index(" FROM oi") + len(" FROM oi"):text.index(" GROUP BY")]
        rows = (f"(SELECT *,row_number() OVER (PARTITION BY market,time/{width} ORDER BY time) AS first,"
                f"row_number() OVER (PARTITION BY market,time/{width} ORDER BY time DESC) AS last FROM oi{where})")
        return text.replace(" FROM oi" + where, f" FROM {rows}")

    def statements(self):
        found = super().statements()
        for work in ("candles_rows", "metrics"):
            found[work] = [self.windowed(text) for text in found[work]]
        # A bare column beside max() is of the row that has it: the fastest way it knows.
        found["total_rows"] = [f"SELECT h,sum(v) FROM (SELECT time/{sql.HOUR} AS h,max(time),value_usd AS v FROM oi "
                               "WHERE market<60 GROUP BY market,h) GROUP BY h ORDER BY h"]
        return found

    def roll_up(self):
        started = time.monotonic()
        self.program("run", "CREATE TABLE oi_1h(market INTEGER, h INTEGER, o, hi, lo, c, v, p, n, "
                            "PRIMARY KEY(market, h)) WITHOUT ROWID; INSERT INTO oi_1h "
                            + self.windowed(sql.hourly(self.dialect)))
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
