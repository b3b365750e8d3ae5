# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL with a primary key of market and time, and an hourly table."""
import os
import pathlib
import shutil
import time

from . import answers, peer, sql

DIALECT = {
    "first": lambda column: f"(array_agg({column} ORDER BY time))[1]",
    "last": lambda column: f"(array_agg({column} ORDER BY time DESC))[1]",
    "bucket": lambda column, width: f"{column}/{width}",
}
COLUMNS = ("market int NOT NULL, time bigint NOT NULL, exchange_time bigint, database_time bigint NOT NULL, "
           "contract_count numeric, value_usd numeric, mark_price numeric")
SETTINGS = """
listen_addresses = '127.0.0.1'
shared_buffers = 2GB
effective_cache_size = 8GB
maintenance_work_mem = 1GB
work_mem = 128MB
max_wal_size = 4GB
wal_compression = lz4
max_parallel_workers_per_gather = 1
jit = off
"""


def summary(work, text, count):
    """The last `count` lines of psql's `Time: 1.234 ms`, as the measuring programs say it."""
    times = [int(float(line.split()[1]) * 1e6) for line in text.splitlines() if line.startswith("Time:")]
    times = sorted(times[-count:])
    return {"work": work, "count": len(times), "median_ns": times[len(times) // 2],
            "p99_ns": times[len(times) * 99 // 100], "mean_ns": sum(times) // len(times), "bytes": 0, "items": 0}


class PostgreSQL(peer.Peer):
    """Over its wire, timed by psql, which counts until the last row is there."""
    name = "PostgreSQL"
    package = "postgresql"
    note = "primary key (market, time), 2 GB of buffers, an hourly table; timed by psql over loopback"

    def find(self):
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        if not found or not shutil.which("psql"):
            return None
        self.binaries = found[-1].parent
        return peer.run([found[-1], "--version"]).split()[2]

    def owner(self):
        """It refuses to run as root: then as the user that its package made."""
        return ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []

    def control(self, *arguments):
        """pg_ctl; its log is its own."""
        peer.run([*self.owner(), self.binaries / "pg_ctl", "-D", self.folder / "data", "-l",
                  self.folder / "data/log", "-w", *arguments], cwd="/")

    def prepare(self):
        super().prepare()
        self.port = peer.free_port()
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
        peer.run([*self.owner(), self.binaries / "initdb", "-D", self.folder / "data", "-A", "trust",
                  "-U", "postgres", "--no-locale", "-E", "UTF8"], cwd="/")
        with open(self.folder / "data/postgresql.conf", "a", encoding="utf-8") as file:
            file.write(SETTINGS + f"port = {self.port}\nunix_socket_directories = '{self.folder}'\n")

    def start(self):
        self.control("start")
        self.child = True

    def stop(self):
        if self.child:
            self.control("-m", "fast", "stop")
            self.child = None

    def query(self, *statements, **more):
        """Statements, one after the other."""
        command = ["psql", "-h", "127.0.0.1", "-p", self.port, "-U", "postgres", "-qAtX", "-v", "ON_ERROR_STOP=1"]
        return peer.run(command + [part for text in statements for part in ("-c", text)], **more)

    def timed(self, work, statements, count):
        """Statements in turn; what psql says each took."""
        script = "\\timing on\n\\o /dev/null\n" + "".join(
            statements[i % len(statements)].rstrip(";") + ";\n" for i in range(count + (count > 1)))
        text = peer.run(["psql", "-h", "127.0.0.1", "-p", self.port, "-U", "postgres", "-qAtX", "-v",
                         "ON_ERROR_STOP=1", "-f", "-"], input=script)
        return summary(work, text, count)

    def load(self, csv):
        self.query(f"CREATE TABLE oi({COLUMNS})")
        started = time.monotonic()
        self.query(f"\\copy oi FROM '{csv}' WITH (FORMAT csv, HEADER)", "ALTER TABLE oi ADD PRIMARY KEY(market,time)",
                   "VACUUM ANALYZE oi", "CHECKPOINT")
        return time.monotonic() - started

    def roll_up(self):
        started = time.monotonic()
        self.query("CREATE TABLE oi_1h AS " + sql.by_ends(sql.HOUR, ""), "ALTER TABLE oi_1h ADD PRIMARY KEY(market,h)",
                   "VACUUM ANALYZE oi_1h")
        return time.monotonic() - started

    def size(self):
        return int(self.query("SELECT pg_total_relation_size('oi')"))

    def live(self, folder, count):
        self.query(f"CREATE TABLE live({COLUMNS}, PRIMARY KEY(market,time))")
        lines = [f"\\copy live FROM '{folder}/{i}.csv' WITH (FORMAT csv, HEADER)" for i in range(count)]
        script = "\\timing on\n" + "\n".join(lines) + "\n"
        text = peer.run(["psql", "-h", "127.0.0.1", "-p", self.port, "-U", "postgres", "-qAtX", "-f", "-"],
                        input=script)
        self.query("DROP TABLE live")
        return summary("live", text, count)

    def statements(self):
        """By work."""
        statements = sql.questions(self.bench.data, DIALECT)
        # Faster here than an array of everything.
        statements["total_rows"] = [
            f"SELECT h,sum(v) FROM (SELECT DISTINCT ON (market,time/{sql.HOUR}) time/{sql.HOUR} h,value_usd v FROM oi "
            f"WHERE market<60 ORDER BY market,time/{sql.HOUR},time DESC) x GROUP BY h ORDER BY h"]
        return statements

    def answer(self, work):
        statements = self.statements()
        statements["raw_json"] = statements["raw_columns"]
        return answers.of_sql(work, [line.split("|") for line in self.query(statements[work][0]).splitlines()])

    def ask(self, work, count):
        statements = self.statements()
        statements["raw_json"] = [f"SELECT row_to_json(x) FROM ({text}) x" for text in statements["raw_columns"]]
        if work not in statements:
            return None
        slow = work in ("total_rows", "raw_json", "raw_columns", "metrics")
        return self.timed(work, statements[work], min(count, 10) if slow else count)
