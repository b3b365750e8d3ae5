# SPDX-License-Identifier: Apache-2.0
"""oi itself, in the process and over HTTP with the built binary."""
import calendar
import csv
import io
import re
import select
import subprocess
import time

from . import peer, sql
from .answers import ANY, number

IMPORT = ["--time", "time:ns", "--exchange-time", "exchange_time:ns", "--known-time", "database_time:ns",
          "--oi", "contract_count", "--value", "value_usd", "--mark", "mark_price", "--unit", "contracts",
          "--sides", "1", "--every", "1m", "--market", "bench:linear:{market}"]
ROUTE = "/oi/v1/open-interest?"


def iso(time_ns):
    """As the API takes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_ns // 10**9))


def nanoseconds(text):
    """Of an ISO time as oi writes it; None for none."""
    if not text:
        return None
    whole, _, part = text.removesuffix("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(part.ljust(9, "0") or 0)


def market(index):
    """As an import names it."""
    return f"market=bench:linear:{index}"


class Oi(peer.Peer):
    """Both ways over one store."""
    name = "oi"
    is_embedded = True
    note = "its defaults"

    def find(self):
        return peer.run([self.bench.tool("oi"), "--version"]).split()[-1]

    def prepare(self):
        super().prepare()
        self.store = self.folder / "store"
        self.port = None
        self.import_kib = 0  # the most memory an import had

    def load(self, csv):
        peer.run([self.bench.tool("store_bench"), "define", self.store, self.bench.data.market_count])
        command = [self.bench.tool("oi"), "import", "csv", "--data", self.store, "--name", "bench", *IMPORT, csv]
        started = time.monotonic()
        log = self.folder / "import.log"
        with open(log, "w", encoding="utf-8") as errors, \
                subprocess.Popen([str(part) for part in command], stderr=errors) as child:
            while child.poll() is None:
                self.import_kib = max(self.import_kib, peer.anonymous_kib(child.pid))
                time.sleep(0.01)
            seconds = time.monotonic() - started
            if child.returncode != 0:
                raise peer.Failure(log.read_text(encoding="utf-8")[-300:])
        return seconds

    def size(self):
        text = peer.run([self.bench.tool("oi"), "info", "--data", self.store])
        return int(re.search(r"(\d+) bytes in use", text).group(1))

    def live(self, folder, count):
        return self.live_all(count)["live"]

    def live_all(self, count):
        """Batches, the checkpoints behind them, and the disk's floor."""
        (self.folder / "live").mkdir(exist_ok=True)
        return peer.measured([self.bench.tool("store_bench"), "live", self.folder / "live", count])

    def targets(self, work):
        """Request targets of the native API; None where a work has none."""
        data = self.bench.data
        hours = f"interval=1h&unit=reported&start={iso(data.from_200h)}&order=asc"
        # As known at an instant after the last row: the same answer, but made from rows.
        as_of = f"&as_of={iso(data.to + 10**15)}"
        if work == "latest":
            return [f"{ROUTE}{market(m)}&unit=reported&limit=1" for m in data.markets]
        if work == "candles":
            return [f"{ROUTE}{market(m)}&{hours}" for m in data.markets]
        if work == "candles_rows":
            return [f"{ROUTE}{market(m)}&{hours}{as_of}" for m in data.markets]
        if work in ("raw_columns", "raw_json"):
            return [f"{ROUTE}{market(m)}&unit=reported&start={iso(data.start)}&limit=100000" for m in data.ticking]
        if work == "total_rows":
            return [f"{ROUTE}exchange=bench&coin=BTC&interval=1h&unit=usd&total=true&order=asc&start={iso(data.start)}"
                    "&limit=1000000"]
        if work == "metrics":
            return [f"{ROUTE}{market(m)}&interval=5m&unit=reported&order=asc&start={iso(data.start)}"
                    f"&end={iso(data.to)}&limit=1000000" for m in data.markets]
        return None

    def ask(self, work, count):
        """In the process, through query/run.h."""
        targets = self.targets(work)
        if not targets:
            return None
        how = {"metrics": "parquet", "raw_json": "render"}.get(work, "drain")
        return peer.measured([self.bench.tool("query_bench"), self.store, work, how, count,
                              self.lines(work, targets)])[work]

    def rows(self, *arguments):
        """What `oi query` prints."""
        text = peer.run([self.bench.tool("oi"), "query", "--data", self.store, "--format", "csv", *arguments])
        return csv.DictReader(io.StringIO(text))

    def answer(self, work):
        data = self.bench.data
        one = ["--market", f"bench:linear:{data.markets[0]}", "--unit", "reported"]
        hours = [*one, "--interval", "1h", "--start", iso(data.from_200h)]
        if work == "total":
            text = peer.run([self.bench.tool("store_bench"), "closes", self.store])
            return [(int(hour), number(value)) for hour, value in (line.split("\t") for line in text.splitlines())]
        if work == "total_rows":
            rows = self.rows("--exchange", "bench", "--coin", "BTC", "--unit", "usd", "--total", "--interval", "1h")
            return [(nanoseconds(row["start"]) // sql.HOUR, number(row["close"])) for row in rows]
        if work in ("latest", "raw_json"):
            rows = self.rows(*one, "--limit", "1") if work == "latest" else self.rows(
                "--market", f"bench:linear:{data.ticking[0]}", "--unit", "reported", "--start", iso(data.start),
                "--limit", "100000")
            return [(nanoseconds(row["time"]), number(nanoseconds(row["exchange_time"])),
                     number(nanoseconds(row["known_time"])), number(row["open_interest"]), number(row["value_usd"]),
                     number(row["mark_price"])) for row in rows]
        width, arguments = sql.HOUR, hours
        if work == "candles_rows":
            arguments = [*hours, "--as-of", iso(data.to + 10**15)]
        if work == "metrics":
            width, arguments = sql.FIVE_MINUTES, [*one, "--interval", "5m"]
        found = []
        for row in self.rows(*arguments):
            behind = (ANY, number(row["price_close"])) if work == "metrics" else ()
            found.append((nanoseconds(row["start"]) // width, number(row["open"]), number(row["high"]),
                          number(row["low"]), number(row["close"]), *behind, number(row["count"])))
        return found

    def read_store(self):
        """In the process, through store/store.h, by the measuring program's own names."""
        return peer.measured([self.bench.tool("store_bench"), "read", self.store])


class OiHttp(Oi):
    """The server over the same store."""
    name = "oi over HTTP"
    is_embedded = False

    def __init__(self, bench, oi):
        super().__init__(bench)
        self.folder, self.store = oi.folder, oi.store

    def start(self):
        self.child = subprocess.Popen(
            [str(self.bench.tool("oi")), "serve", "--no-collect", "--listen", "127.0.0.1:0", "--data",
             str(self.store)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        ready, _, _ = select.select([self.child.stdout], [], [], peer.START_SECONDS)
        line = self.child.stdout.readline() if ready else ""
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        if not found:
            self.stop()
            raise peer.Failure(f"oi did not start: {line}")
        self.port = int(found.group(1))

    def ask(self, work, count):
        targets = self.targets(work)
        if not targets or work in ("metrics", "raw_columns"):
            return None
        return self.http(self.port, work, ["GET " + target for target in targets], count)
