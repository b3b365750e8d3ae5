# SPDX-License-Identifier: Apache-2.0
"""VictoriaMetrics: five metrics a market."""
import http.client
import json
import time
import urllib.parse

from . import peer, sql
from .answers import ANY, number

def encoded(text):
    """For a URL."""
    return urllib.parse.quote(text, safe="")


class VictoriaMetrics(peer.Peer):
    """Over HTTP."""
    name = "VictoriaMetrics"
    package = "victoria-metrics"
    is_durable = False  # it answers before anything is synced
    is_exact = False    # about 15 digits are kept, times are milliseconds
    note = "five metrics a market, loaded as line protocol (its CSV knows no empty field); answers before data is durable, keeps about 15 digits; it has no export of plain columns"

    def find(self):
        return peer.debian_version("victoria-metrics")

    def prepare(self):
        super().prepare()
        self.port = peer.free_port()

    def start(self):
        self.spawn(["victoria-metrics", f"-storageDataPath={self.folder}/data", "-retentionPeriod=100y",
                    f"-httpListenAddr=127.0.0.1:{self.port}", "-loggerLevel=WARN", "-influxSkipMeasurement",
                    "-search.maxPointsPerTimeseries=1000000"], f"http://127.0.0.1:{self.port}/health")

    def get(self, target, body=None, size=0):
        """One request; it must succeed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=peer.RUN_SECONDS,
                                                blocksize=1 << 20)
        connection.request("POST" if body else "GET", target, body=body,
                           headers={"Content-Length": str(size)} if body else {})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if answer.status >= 300:
            raise peer.Failure(text[:300])
        return text

    def load(self, csv):
        lines = self.bench.lines_of(csv)
        started = time.monotonic()
        with open(lines, "rb") as body:
            self.get("/write?precision=ns", body, lines.stat().st_size)
        self.get("/internal/force_flush")
        seconds = time.monotonic() - started
        lines.unlink()
        self.get("/internal/force_merge")
        time.sleep(min(30, 1 + seconds / 2))
        return seconds

    def size(self):
        return peer.size_of(self.folder / "data" / "data") + peer.size_of(self.folder / "data" / "indexdb")

    def live(self, folder, count):
        # Under another name, so that the data set stays what it is.
        lines = [f"POST /write?precision=ns&extra_label=world=live\t@{self.bench.lines_of(folder / f'{i}.csv')}"
                 for i in range(count)]
        return peer.measured([self.bench.tool("http_bench"), "ask", self.port, "live", count,
                              self.lines("live", lines), 0])["live"]

    def questions(self, work):
        """Lines of requests; None where it has no such thing."""
        data = self.bench.data
        span = {"candles": (data.from_200h, "1h"), "total": (data.start, "1h"), "metrics": (data.start, "5m")}
        metric = 'contract_count{{market="{}",world=""}}'

        def ranged(query):
            start, step = span[work]
            seconds = {"1h": 3600, "5m": 300}[step]
            if "candlestick" in query:  # stamped with its start
                first, last = start // 10**9, data.to // 10**9 - seconds
            else:  # a window is open at its left: the last millisecond of an hour sees the hour
                first, last = start // 10**9 + seconds - 0.001, data.to // 10**9 - 0.001
            return (f"GET /api/v1/query_range?query={encoded(query)}&start={first:.3f}&end={last:.3f}&step={step}"
                    "&nocache=1")
        if work == "latest":
            lines = [f"GET /api/v1/query?query={encoded(f'last_over_time({metric.format(m)}[1h])')}"
                     f"&time={data.to // 10**9}&nocache=1" for m in data.markets]
        elif work in ("candles_rows", "total_rows"):
            return self.questions(work.removesuffix("_rows"))  # it knows only rows
        elif work in ("candles", "metrics"):
            lines = [ranged(f"rollup_candlestick({metric.format(m)}[{span[work][1]}])") for m in data.markets]
        elif work == "total":
            members = "|".join(str(i) for i in range(60))
            lines = [ranged(f'sum(last_over_time(value_usd{{market=~"{members}",world=""}}[1h]))')]
        elif work == "raw_json":
            end = min(data.to, data.start + 1_000_000 * 10**9) // 10**9
            lines = [f"GET /api/v1/export?match[]={encoded(f'{{market={chr(34)}{m}{chr(34)},world={chr(34) * 2}}}')}"
                     f"&start={data.start // 10**9}&end={end}" for m in data.ticking]
        else:
            return None
        return lines

    def ask(self, work, count):
        lines = self.questions(work)
        return lines and self.http(self.port, work, lines, count)

    def answer(self, work):
        line = self.questions(work)[0].removeprefix("GET ")
        if work == "raw_json":  # it cannot be told to end behind so many rows
            return self.of_export(self.get(line.split("&end=")[0]))
        text = self.get(line)
        result = json.loads(text, parse_float=number, parse_int=number)["data"]["result"]
        if work == "latest":
            return [(ANY, ANY, ANY, number(result[0]["value"][1]), ANY, ANY)]
        width = sql.FIVE_MINUTES if work == "metrics" else sql.HOUR
        series = {one["metric"].get("rollup", ""): {int(when * 1000) * 10**6 // width: number(value)
                                                    for when, value in one["values"]} for one in result}
        if work.startswith("total"):
            return [(hour, value) for hour, value in sorted(series[""].items())]
        behind = (ANY, ANY, ANY) if work == "metrics" else (ANY,)
        return [(hour, series["open"][hour], series["high"].get(hour), series["low"].get(hour),
                 series["close"].get(hour), *behind) for hour in sorted(series["close"])]

    def of_export(self, text):
        """A line of JSON a metric, or several, becomes rows."""
        rows = {}
        for line in text.splitlines():
            found = json.loads(line, parse_float=number, parse_int=number)
            name = found["metric"]["__name__"]
            for when, value in zip(found["timestamps"], found["values"]):
                rows.setdefault(int(when) * 10**6, {})[name] = value
        found = [(when, ANY, ANY, row.get("contract_count"), row.get("value_usd"), row.get("mark_price"))
                 for when, row in sorted(rows.items())]
        return found[:100_000]
