# SPDX-License-Identifier: Apache-2.0
"""ClickHouse as its users set it up: MergeTree by market and time, and an hourly table."""
import http.client
import time

from . import answers, peer, sql

DIALECT = {
    "first": lambda column: f"argMin({column},time)",
    "last": lambda column: f"argMax({column},time)",
    "bucket": lambda column, width: f"intDiv({column},{width})",
}
COLUMNS = ("market UInt32, time Int64, exchange_time Nullable(Int64), database_time Int64, "
           "contract_count Decimal64(4), value_usd Decimal64(8), mark_price Decimal64(10)")
ENGINE = ("ENGINE=ReplacingMergeTree(database_time) "
          "PARTITION BY toYYYYMM(toDateTime(intDiv(time,1000000000))) ORDER BY (market,time)")
CONFIG = """<?xml version="1.0"?>
<yandex>
 <logger><level>warning</level><log>{folder}/server.log</log><errorlog>{folder}/error.log</errorlog></logger>
 <http_port>{http}</http_port><tcp_port>{tcp}</tcp_port><listen_host>127.0.0.1</listen_host>
 <max_concurrent_queries>100</max_concurrent_queries><keep_alive_timeout>600</keep_alive_timeout>
 <uncompressed_cache_size>1073741824</uncompressed_cache_size><mark_cache_size>1073741824</mark_cache_size>
 <path>{folder}/data/</path><tmp_path>{folder}/scratch/</tmp_path>
 <user_files_path>{folder}/files/</user_files_path><format_schema_path>{folder}/schemas/</format_schema_path>
 <users_config>{folder}/users.xml</users_config><default_profile>default</default_profile>
 <default_database>default</default_database><timezone>UTC</timezone><mlock_executable>false</mlock_executable>
 <compression incl="none"><case><min_part_size>0</min_part_size><min_part_size_ratio>0</min_part_size_ratio>
 <method>lz4</method></case></compression>
</yandex>
"""
USERS = """<?xml version="1.0"?>
<yandex><profiles><default><max_memory_usage>8000000000</max_memory_usage><max_threads>2</max_threads>
<log_queries>0</log_queries></default></profiles>
<users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile>
<quota>default</quota></default></users>
<quotas><default><interval><duration>3600</duration><queries>0</queries><errors>0</errors>
<result_rows>0</result_rows><read_rows>0</read_rows><execution_time>0</execution_time></interval></default></quotas>
</yandex>
"""


class ClickHouse(peer.Peer):
    """Over HTTP; columns as RowBinary, text as JSONEachRow."""
    name = "ClickHouse"
    package = "clickhouse-server"
    is_durable = False  # 18.16 does not sync the files of a part
    note = "MergeTree ordered by (market, time), lz4, 2 threads, an hourly table; 18.16 syncs nothing and has no Parquet: metrics are its Native format"

    def find(self):
        # 18.16 does not tell its version but in an answer.
        return peer.debian_version("clickhouse-server")

    def prepare(self):
        super().prepare()
        self.port, tcp = peer.free_port(), peer.free_port()
        for name in ("data", "scratch", "files", "schemas"):
            (self.folder / name).mkdir()
        (self.folder / "config.xml").write_text(CONFIG.format(folder=self.folder, http=self.port, tcp=tcp))
        (self.folder / "users.xml").write_text(USERS)

    def start(self):
        self.spawn(["clickhouse-server", f"--config-file={self.folder}/config.xml"],
                   f"http://127.0.0.1:{self.port}/ping")

    def query(self, text):
        """One statement; what it answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=peer.RUN_SECONDS)
        connection.request("POST", "/", body=text)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        if answer.status != 200:
            raise peer.Failure(body[:300])
        return body

    def load(self, csv):
        # 18.16 takes only \N for a NULL; its own spelling of the file is made before the clock runs.
        own = self.bench.folder / "clickhouse.csv"
        self.bench.respell(csv, own)
        self.query("DROP TABLE IF EXISTS oi")
        self.query(f"CREATE TABLE oi ({COLUMNS}) {ENGINE}")
        started = time.monotonic()
        self.post(own, "oi")
        seconds = time.monotonic() - started
        own.unlink()
        self.query("OPTIMIZE TABLE oi FINAL")
        return seconds

    def post(self, path, table):
        """A file into a table."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=peer.RUN_SECONDS,
                                                blocksize=1 << 20)
        with open(path, "rb") as body:
            connection.request("POST", f"/?query=INSERT%20INTO%20{table}%20FORMAT%20CSVWithNames", body=body,
                               headers={"Content-Length": str(path.stat().st_size)})
            answer = connection.getresponse()
            text = answer.read().decode()
        connection.close()
        if answer.status != 200:
            raise peer.Failure(text[:300])

    def roll_up(self):
        started = time.monotonic()
        self.query("DROP TABLE IF EXISTS oi_1h")
        self.query("CREATE TABLE oi_1h (market UInt32, h Int64, o Decimal64(4), hi Decimal64(4), lo Decimal64(4), "
                   "c Decimal64(4), v Decimal64(8), p Decimal64(10), n UInt64) ENGINE=MergeTree ORDER BY (market,h)")
        self.query("INSERT INTO oi_1h " + sql.hourly(DIALECT))
        self.query("OPTIMIZE TABLE oi_1h FINAL")
        return time.monotonic() - started

    def size(self):
        return int(self.query("SELECT sum(bytes_on_disk) FROM system.parts WHERE table='oi' AND active"))

    def live(self, folder, count):
        self.query("DROP TABLE IF EXISTS live")
        self.query(f"CREATE TABLE live ({COLUMNS}) {ENGINE}")
        lines = []
        for i in range(count):
            own = folder / f"{i}.ch"
            self.bench.respell(folder / f"{i}.csv", own)
            lines.append(f"POST /?query=INSERT%20INTO%20live%20FORMAT%20CSVWithNames\t@{own}")
        measured = peer.measured([self.bench.tool("http_bench"), "ask", self.port, "live", count,
                                  self.lines("live", lines), 0])["live"]
        self.query("DROP TABLE live")
        return measured

    def statements(self):
        """By work."""
        statements = sql.questions(self.bench.data, DIALECT)
        statements["raw_json"] = statements["raw_columns"]
        # What its users write: a time from which on, so that not the whole market is sorted.
        last_hour = self.bench.data.to - sql.HOUR
        statements["latest"] = [text.replace(" ORDER BY", f" AND time>={last_hour} ORDER BY")
                                for text in statements["latest"]]
        return statements

    def answer(self, work):
        text = self.query(self.statements()[work][0] + " FORMAT TabSeparated")
        return answers.of_sql(work, [line.split("\t") for line in text.splitlines()])

    def ask(self, work, count):
        statements, formats = self.statements(), {"raw_columns": "RowBinary", "metrics": "Native"}
        kind = "JSONEachRow" if work == "raw_json" else formats.get(work, "JSONCompact")
        return self.http(self.port, work, [f"POST /\t{text} FORMAT {kind}" for text in statements[work]], count)
