# SPDX-License-Identifier: Apache-2.0
"""InfluxDB 1: a measurement with a tag for the market, loaded as its line protocol."""
import concurrent.futures
import http.client
import pathlib
import shutil
import time
import urllib.parse

from . import peer, sql
from .answers import number

CONFIG = """reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  index-version = "tsi1"
  max-series-per-database = 0
  query-log-enabled = false
  cache-max-memory-size = "4g"
  cache-snapshot-write-cold-duration = "5s"
[coordinator]
  max-select-point = 0
[http]
  bind-address = "127.0.0.1:{http}"
  log-enabled = false
  max-body-size = 0
  max-row-limit = 0
[monitor]
  store-enabled = false
"""
PIECE = 4 << 20
SETTLE_SECONDS = 40
CANDLE = ("FIRST(contract_count) AS o,MAX(contract_count) AS hi,MIN(contract_count) AS lo,LAST(contract_count) AS c")
MEMBERS = "market =~ /^[1-5]?[0-9]$/"


class InfluxDB(peer.Peer):
    """Over HTTP; its WAL is synced before it answers."""
    name = "InfluxDB"
    package = "influxdb"
    is_exact = False  # figures are doubles
    note = ("one point a row with the market as its tag, figures as doubles, an hourly table; its line protocol is made "
            "of the CSV before the clock runs, and sent over two connections")

    def find(self):
        if not shutil.which("influxd"):
            return None
        try:
            return peer.run(["dpkg-query", "-W", "-f", "${Version}", "influxdb"]).split("+")[0].replace("~", "")
        except (OSError, peer.Failure):
            return "of unknown version"

    def prepare(self):
        super().prepare()
        self.port = peer.free_port()
        (self.folder / "conf").write_text(CONFIG.format(folder=self.folder, http=self.port, rpc=peer.free_port()))

    def start(self):
        self.spawn(["influxd", "-config", self.folder / "conf"], f"http://127.0.0.1:{self.port}/ping")

    def request(self, method, target, body=None, headers=None):
        """One; it must succeed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=peer.RUN_SECONDS)
        connection.request(method, target, body=body, headers=headers or {})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if answer.status >= 300 or '"error"' in text[:1000]:
            raise peer.Failure(text[:300])
        return text

    def target(self, text, database="oi"):
        """Of a statement."""
        return f"/query?db={database}&epoch=ns&q={urllib.parse.quote(text, safe='')}"

    def load(self, csv):
        lines = self.bench.lines_of(csv)
        self.request("POST", self.target("CREATE DATABASE oi"))
        started = time.monotonic()
        with open(lines, "rb") as file, concurrent.futures.ThreadPoolExecutor(2) as pool:
            waiting = []
            while piece := b"".join(file.readlines(PIECE)):
                waiting.append(pool.submit(self.request, "POST", "/write?db=oi&precision=ns", piece))
                if len(waiting) > 3:
                    waiting.pop(0).result()
            for one in waiting:
                one.result()
        seconds = time.monotonic() - started
        lines.unlink()
        self.settle()
        return seconds

    def settle(self):
        """Until it has stopped to compact what was loaded, or long enough."""
        until, before, same = time.monotonic() + SETTLE_SECONDS, -1, 0
        while time.monotonic() < until and same < 5:
            time.sleep(2)
            now = self.size()
            same = same + 1 if now == before else 0
            before = now

    def roll_up(self):
        started = time.monotonic()
        data = self.bench.data
        self.request("POST", self.target(
            f"SELECT {CANDLE},LAST(value_usd) AS v,LAST(mark_price) AS p,COUNT(contract_count) AS n INTO oi_1h FROM oi "
            f"WHERE time>={data.start} AND time<{data.to} GROUP BY time(1h),market fill(none)"))
        return time.monotonic() - started

    def size(self):
        def of(path):
            try:
                return path.stat().st_blocks * 512
            except OSError:
                return 0  # a compaction has just taken it away
        return sum(of(path) for path in pathlib.Path(self.folder / "data" / "oi").rglob("*") if path.is_file())

    def live(self, folder, count):
        self.request("POST", self.target("CREATE DATABASE live"))
        lines = []
        for i in range(count):
            own = self.bench.lines_of(folder / f"{i}.csv")
            lines.append(f"POST /write?db=live&precision=ns\t@{own}")
        try:
            return peer.measured([self.bench.tool("http_bench"), "ask", self.port, "live", count,
                                  self.lines("live", lines), 0])["live"]
        finally:
            self.request("POST", self.target("DROP DATABASE live"))

    def statements(self, work):
        """Or None."""
        data = self.bench.data
        until = f"time<{data.to}"
        if work == "latest":
            return [f"SELECT * FROM oi WHERE market='{m}' AND time>={data.to - sql.HOUR} ORDER BY time DESC LIMIT 1"
                    for m in data.markets]
        if work == "candles":
            return [f"SELECT o,hi,lo,c,n FROM oi_1h WHERE market='{m}' AND time>={data.from_200h}" for m in data.markets]
        if work == "candles_rows":
            return [f"SELECT {CANDLE},COUNT(contract_count) AS n FROM oi WHERE market='{m}' AND time>={data.from_200h} "
                    f"AND {until} GROUP BY time(1h) fill(none)" for m in data.markets]
        if work == "raw_json":
            return [f"SELECT * FROM oi WHERE market='{m}' LIMIT 100000" for m in data.ticking]
        if work == "total":
            return [f"SELECT SUM(v) AS v FROM oi_1h WHERE {MEMBERS} AND time>={data.start} AND {until} "
                    "GROUP BY time(1h) fill(none)"]
        if work == "total_rows":
            return [f"SELECT SUM(v) AS v FROM (SELECT LAST(value_usd) AS v FROM oi WHERE {MEMBERS} AND "
                    f"time>={data.start} AND {until} GROUP BY time(1h),market fill(none)) WHERE time>={data.start} AND "
                    f"{until} GROUP BY time(1h) fill(none)"]
        if work == "metrics":
            return [f"SELECT {CANDLE},LAST(value_usd) AS v,LAST(mark_price) AS p,COUNT(contract_count) AS n FROM oi "
                    f"WHERE market='{m}' AND time>={data.start} AND {until} GROUP BY time(5m) fill(none)"
                    for m in data.markets]
        return None

    def ask(self, work, count):
        statements = self.statements(work)
        return statements and self.http(self.port, work, ["GET " + self.target(text) for text in statements], count)

    def answer(self, work):
        statements = self.statements(work)
        if not statements:
            return None
        text = self.request("GET", self.target(statements[0]), headers={"Accept": "application/csv"})
        head, *rows = (line.split(",") for line in text.splitlines())
        rows = [dict(zip(head, row)) for row in rows]
        unit = sql.FIVE_MINUTES if work == "metrics" else sql.HOUR
        take = {"latest": ("contract_count", "value_usd", "mark_price"), "total": ("v",),
                "candles": ("o", "hi", "lo", "c", "n"), "metrics": ("o", "hi", "lo", "c", "v", "p", "n")}
        take["raw_json"], take["candles_rows"], take["total_rows"] = take["latest"], take["candles"], take["total"]
        found = []
        for row in rows:
            figures = tuple(number(row[name]) for name in take[work])
            when = int(row["time"])
            if work in ("latest", "raw_json"):
                stamp = row.get("exchange_time")
                found.append((when, number(stamp) if stamp else None, number(row["database_time"]), *figures))
            else:
                found.append((when // unit, *figures))
        return found
