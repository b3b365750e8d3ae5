#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures oi and the engines people would otherwise use on the same rows, in the same run.

    run.py --build build --scale 1 --output build/bench     # make bench

Every engine that is installed takes part; --install installs those that are packaged first. One after
the other is loaded and asked, warm and cold, so that none disturbs another, and its answers are held
against oi's. What the machine itself can do is measured in between. Writes bench.json and bench.md after
every part, so that a run that is ended early has what it came to and --resume goes on behind it.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

from peers import answers, clickhouse, embedded, influx, peer, postgres, victoria
from peers.oi import Oi, OiHttp
from report import write_report

MARKETS, TICKING, MINUTES = 500, 10, 43200
START = 1_704_067_200 * 10**9
HOUR, MINUTE = 3600 * 10**9, 60 * 10**9
LIVE_MARKETS, DAY_MINUTES = 12_000, 1440
# With as many minutes as the data set: 89 million rows.
MANY_MARKETS = 2000
# A work is repeated until it took so long, but at least a few times.
WORK_SECONDS, TIMES_MIN = 2, 5
# In docs/benchmarks.md: what follows is measured.
MARK = "<!-- measured -->"

# What is asked, and how often warm at most.
QUESTIONS = {"latest": 300, "candles": 200, "candles_rows": 100, "raw_columns": 30, "raw_json": 150,
             "total": 50, "total_rows": 10, "metrics": 50}
COLD = ("latest", "candles", "candles_rows", "raw_columns", "raw_json", "total", "total_rows", "metrics")
PEERS = (clickhouse.ClickHouse, embedded.DuckDB, victoria.VictoriaMetrics, embedded.SQLite, postgres.PostgreSQL,
         influx.InfluxDB)
# What a broken engine may do to us; the run goes on.
TROUBLE = (peer.Failure, OSError, subprocess.SubprocessError, KeyError, ValueError, IndexError, TypeError,
           ArithmeticError)
# The newest known to work here; its native library comes along.
DUCKDB = "@duckdb/node-api@1.4.4-r.3"


class Data:
    """The data set's extent, and which markets are asked about."""

    def __init__(self, scale):
        self.minutes = max(120, round(MINUTES * scale / 60) * 60)
        self.start, self.to = START, START + self.minutes * MINUTE
        self.from_200h = max(self.start, self.to - 200 * HOUR)
        pick = random.Random(1)
        self.markets = [pick.randrange(MARKETS) for _ in range(50)]
        self.ticking = [MARKETS + i for i in range(TICKING)]
        self.market_count = MARKETS + TICKING
        self.rows = 0


class Bench:
    """Where everything is."""

    def __init__(self, options, folder):
        self.source = pathlib.Path(__file__).resolve().parent
        self.build = pathlib.Path(options.build).resolve()
        self.peers = self.build / "bench-peers"
        self.folder = folder
        self.data = Data(options.scale)
        self.cold_times = options.cold
        self.expected = {}  # oi's answers by work

    def tool(self, name):
        """A program that was built."""
        return self.build / name if name == "oi" else self.build / "tests/bench" / name

    def respell(self, csv, own):
        """Write a NULL as \\N, for who wants it so."""
        with open(own, "wb") as out:
            subprocess.run(["sed", r"s/^\([^,]*,[^,]*\),,/\1,\\N,/", str(csv)], stdout=out, check=True)

    def lines_of(self, csv):
        """The same rows in InfluxDB's line protocol."""
        own = csv.with_name(csv.name + ".lines")
        if csv.name == "rows.csv":
            return self.generate(own.name, MARKETS, TICKING, self.data.minutes, "market", "each", "lines")
        names = ("exchange_time", "database_time", "contract_count", "value_usd", "mark_price")
        with open(csv, encoding="ascii") as rows, open(own, "w", encoding="ascii") as out:
            next(rows)
            for row in rows:
                market, when, *values = row.rstrip("\n").split(",")
                fields = ",".join(f"{name}={value}{'i' if name.endswith('time') else ''}"
                                  for name, value in zip(names, values) if value)
                out.write(f"oi,market={market} {fields} {when}\n")
        return own

    def generate(self, name, *arguments):
        """A file of rows."""
        path = self.folder / name
        with open(path, "wb") as out:
            subprocess.run([str(self.tool("bench_gen")), *map(str, arguments)], stdout=out, check=True)
        return path


def say(text):
    """Progress, for who waits."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def install(bench):
    """What Debian and npm package, without letting Debian start the servers."""
    policy = pathlib.Path("/usr/sbin/policy-rc.d")
    missing = [kind.package for kind in PEERS if kind.package and kind(bench).find() is None]
    if missing:
        as_root = [] if os.getuid() == 0 else ["sudo"]
        made = not policy.exists() and os.getuid() == 0
        if made:
            policy.write_text("#!/bin/sh\nexit 101\n")
            policy.chmod(0o755)
        try:
            subprocess.run(as_root + ["apt-get", "install", "-y", "-q", "--no-install-recommends", "libsqlite3-dev",
                                      *missing], env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, check=False)
        finally:
            if made:
                policy.unlink()
    if not (bench.peers / "node_modules").is_dir():
        bench.peers.mkdir(exist_ok=True)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(bench.peers),
                        DUCKDB], check=False)


def split_minutes(csv, folder, count):
    """The first minutes of a file in the order of time, each in a file of its own; how many."""
    folder.mkdir()
    with open(csv, encoding="ascii") as rows:
        header, minute, out = rows.readline(), -1, None
        for row in rows:
            now = (int(row.split(",", 2)[1]) - START) // MINUTE
            if now != minute:
                if out:
                    out.close()
                minute = now
                if minute == count:
                    return
                out = open(folder / f"{minute}.csv", "w", encoding="ascii")
                out.write(header)
            out.write(row)
        if out:
            out.close()


def attempt(found, work, call):
    """A work that an engine cannot do is left out with its reason; the others go on."""
    try:
        measured = call()
    except TROUBLE as failure:
        found["failures"][work] = f"{type(failure).__name__}: {failure}"[:300]
        say(f"  {work}: failed: {str(failure)[:200]}")
        return
    if measured:
        found["works"][work] = measured
        say(f"  {work}: {measured['median_ns'] / 1000:.1f} us")


def repeat(engine, work, count):
    """Once to see how long it takes, then as often as time allows."""
    once = engine.ask(work, 1)
    if not once:
        return None
    return engine.ask(work, max(TIMES_MIN, min(count, int(WORK_SECONDS * 1e9 / max(1, once["median_ns"])))))


def ask_warm(engine, found):
    """Every question, as often as it takes to know."""
    for work, count in QUESTIONS.items():
        attempt(found, work, lambda work=work, count=count: repeat(engine, work, count))


def ask_cold(bench, engine, found):
    """Questions whose answer is on disk alone."""
    for work in COLD if bench.cold_times else ():
        def cold(work=work):
            times = sorted(filter(None, (engine.ask_cold(work) for _ in range(bench.cold_times))))
            return times and {"median_ns": times[len(times) // 2], "count": len(times)}
        if work in found["works"]:
            attempt(found, work + "_cold", cold)


def compare(bench, engine, found):
    """Its answers beside oi's: the same digits where it keeps digits, else within its precision."""
    for work in answers.WORKS:
        try:
            answer = engine.answer(work)
            if answer is None:
                continue
            expected = bench.expected.get(work)
            differs = "oi gave none" if expected is None else answers.disagreement(answer, expected, engine.is_exact)
        except TROUBLE as failure:
            differs = f"no answer: {type(failure).__name__}: {failure}"[:300]
        if differs:
            found["disagreements"][work] = differs
            say(f"  {work}: DISAGREES with oi: {differs}")
        else:
            found["agreements"].append(work)
    say(f"  agrees in {', '.join(found['agreements']) or 'nothing'}")


def expect_answers(bench, engine):
    """What oi says, for others to be held against."""
    for work in answers.WORKS:
        try:
            bench.expected[work] = engine.answer(work)
        except TROUBLE as failure:
            say(f"  {work}: oi gives no answer: {failure}")


def new_found(engine):
    """What will be known of an engine."""
    return {"name": engine.name, "version": engine.find(), "note": engine.note, "is_durable": engine.is_durable,
            "is_exact": engine.is_exact, "is_embedded": engine.is_embedded, "works": {}, "failures": {},
            "agreements": [], "disagreements": {}}


def measure(bench, engine, csv, live):
    """One engine from its empty folder to the end. `live` is a folder of batches, or None: our own engine."""
    found = new_found(engine)
    if found["version"] is None:
        say(f"{engine.name} is not installed")
        return None
    say(f"{engine.name} {found['version']}")
    started = time.monotonic()
    try:
        engine.prepare()
        engine.start()
        seconds = engine.load(csv)
        found["works"]["load"] = {"median_ns": int(seconds * 1e9), "items": bench.data.rows}
        found["bytes_per_row"] = engine.size() / bench.data.rows
        say(f"  loaded in {seconds:.1f} s, {found['bytes_per_row']:.2f} bytes a row")
        found["roll_up_s"] = engine.roll_up()
        if live:
            compare(bench, engine, found)
        else:
            expect_answers(bench, engine)
        ask_warm(engine, found)
        ask_cold(bench, engine, found)
        if live:
            attempt(found, "live", lambda: engine.live(live, len(list(live.glob("*.csv")))))
    except TROUBLE as failure:
        found["failures"]["all"] = f"{type(failure).__name__}: {failure}"[:300]
        say(f"  {engine.name} failed: {failure}")
    finally:
        try:
            engine.stop()
        except TROUBLE as failure:
            say(f"  {engine.name} does not stop: {failure}")
        if live:
            shutil.rmtree(engine.folder, ignore_errors=True)
    found["seconds"] = round(time.monotonic() - started)
    return found


def read_store(engine, found):
    """Through the store's own interface; what is asked a layer above stays beside it."""
    for work, measured in engine.read_store().items():
        name = {"latest_1000": "latest", "candles_rollups": "candles", "total_closes": "total"}.get(work, work)
        if work == "latest_1000":
            measured = {**measured, **{k: measured[k] / 1000 for k in ("median_ns", "p99_ns", "mean_ns")}}
        if name in found["works"]:
            found["works"][name + "_query"] = found["works"][name]
        found["works"][name] = measured


def measure_oi(bench, csv):
    """oi in the process, then over HTTP."""
    engine = Oi(bench)
    inside = measure(bench, engine, csv, None)
    if "all" in inside["failures"]:
        raise peer.Failure("oi: " + inside["failures"]["all"])
    attempt(inside, "store", lambda: read_store(engine, inside))
    inside["import_mib"] = engine.import_kib // 1024
    served = OiHttp(bench, engine)
    outside = {**inside, "name": served.name, "is_embedded": False, "works": {}, "failures": {}}
    try:
        served.start()
        ask_warm(served, outside)
        inside["server_mib"] = peer.anonymous_kib(served.child.pid) // 1024
        ask_cold(bench, served, outside)
    except TROUBLE as failure:
        outside["failures"]["all"] = f"{type(failure).__name__}: {failure}"[:300]
        say(f"  oi over HTTP failed: {failure}")
    finally:
        served.stop()
    shutil.rmtree(engine.folder, ignore_errors=True)
    return inside, outside


def measure_collected(bench):
    """Bytes a row where every batch has one known time, as a collector's have."""
    csv = bench.generate("batch.csv", MARKETS, TICKING, bench.data.minutes, "market", "batch")
    collected = Oi(bench)
    collected.folder = bench.folder / "collected"
    try:
        collected.prepare()
        collected.load(csv)
        return collected.size() / bench.data.rows
    finally:
        csv.unlink()
        shutil.rmtree(collected.folder, ignore_errors=True)


def measure_day(bench, minutes):
    """A day of the whole world as it is collected: batches, checkpoints behind them, memory, then questions."""
    engine = Oi(bench)
    engine.folder = bench.folder / "day"
    try:
        engine.prepare()
        found = {"minutes": minutes, "works": engine.live_all(minutes)}
        engine.store = engine.folder / "live"
        rows = found["works"]["live"]["items"] * minutes
        found["rows"], found["bytes_per_row"] = rows, engine.size() / rows
        read_store(engine, found)
        served = OiHttp(bench, engine)
        served.start()
        try:
            target = "GET /oi/v1/latest?exchange=bench&limit=100000"
            found["works"]["latest_all"] = served.http(served.port, "latest_all", [target], 20)
            found["server_mib"] = peer.anonymous_kib(served.child.pid) // 1024
        finally:
            served.stop()
        return found
    finally:
        shutil.rmtree(engine.folder, ignore_errors=True)


def measure_many(bench):
    """The same questions where there are four times as many markets."""
    csv = bench.generate("many.csv", MANY_MARKETS, TICKING, bench.data.minutes)
    engine = Oi(bench)
    engine.folder = bench.folder / "many"
    few = bench.data.market_count, bench.data.ticking
    bench.data.market_count, bench.data.ticking = MANY_MARKETS + TICKING, [MANY_MARKETS + i for i in range(TICKING)]
    found = {"works": {}, "failures": {}}
    try:
        engine.prepare()
        seconds = engine.load(csv)
        with open(csv, "rb") as file:
            found["rows"] = sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 24), b"")) - 1
        csv.unlink()
        found["works"]["load"] = {"median_ns": int(seconds * 1e9), "items": found["rows"]}
        found["bytes_per_row"], found["import_mib"] = engine.size() / found["rows"], engine.import_kib // 1024
        ask_warm(engine, found)
        read_store(engine, found)
        return found
    finally:
        bench.data.market_count, bench.data.ticking = few
        csv.unlink(missing_ok=True)
        shutil.rmtree(engine.folder, ignore_errors=True)


def measure_machine(bench):
    """What nothing can be faster than, and the codec alone beside it."""
    return peer.measured([bench.tool("chunk_bench"), 200, max(1, bench.data.minutes // 1440)])


def measure_http(bench, outside):
    """The bare server with answers as long as ours were."""
    floors = {}
    for work in ("latest", "candles", "raw_json", "total_rows"):
        if work in outside["works"]:
            size = outside["works"][work]["bytes"]
            floors["floor_http_" + work] = peer.measured(
                [bench.tool("http_bench"), "floor", size, 2000 if size < 10**5 else 100])[f"floor_http_{size}"]
    return floors


def describe_machine():
    """For who compares."""
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="ascii", errors="replace")
                if line.startswith("model name")), platform.machine())
    memory = next(int(line.split()[1]) for line in open("/proc/meminfo", encoding="ascii") if line.startswith("MemTotal"))
    return {"cpu": cpu, "cores": os.cpu_count(), "memory_gib": round(memory / 2**20), "kernel": platform.release(),
            "system": platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
            "load": os.getloadavg()[0]}


class Run:
    """What has been found so far, kept on disk after every part."""

    def __init__(self, bench, options):
        self.bench, self.options = bench, options
        self.output = pathlib.Path(options.output)
        self.output.mkdir(parents=True, exist_ok=True)
        self.before, self.started = 0, time.monotonic()
        self.found = {"when": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                      "scale": options.scale, "minutes": bench.data.minutes, "machine": describe_machine(), "floors": {},
                      "oi": None, "day": None, "many": None, "peers": {}, "failures": {}}
        path = self.output / "bench.json"
        if options.resume and path.is_file():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["scale"] == options.scale:
                self.found, self.before = kept, kept.get("seconds", 0)
                self.found["failures"] = {}

    def keep(self):
        """Both files, and the page that was asked for."""
        self.found["seconds"] = self.before + round(time.monotonic() - self.started)
        (self.output / "bench.json").write_text(json.dumps(self.found, indent=1) + "\n", encoding="utf-8")
        if not self.found["oi"]:
            return
        try:
            text = write_report(self.found)
        except Exception:  # pylint: disable=broad-except
            traceback.print_exc()  # figures are worth more than their table: bench.json has them
            return
        (self.output / "bench.md").write_text(text, encoding="utf-8")
        if self.options.page:
            page = pathlib.Path(self.options.page)
            head = page.read_text(encoding="utf-8").split(MARK)[0]
            page.write_text(head + MARK + "\n\n" + text, encoding="utf-8")

    def wants(self, name):
        """Was it asked for?"""
        return not self.options.only or name.lower() in self.options.only

    def part(self, name, measure_part):
        """One part; what fails is named in the report and does not end the run."""
        say(f"{name} [{round(time.monotonic() - self.started)} s]")
        try:
            measured = measure_part()
        except TROUBLE as failure:
            traceback.print_exc()
            self.found["failures"][name] = f"{type(failure).__name__}: {failure}"[:300]
            say(f"{name} FAILED: {failure}")
            measured = None
        return measured

    def ours(self, csv):
        """oi alone."""
        bench, found = self.bench, self.found
        found["floors"].update(self.part("the machine and the codec", lambda: measure_machine(bench)) or {})
        both = self.part("oi", lambda: measure_oi(bench, csv))
        if not both:
            sys.exit("bench: oi could not be measured")
        found["oi"] = list(both)
        found["floors"].update(self.part("bare HTTP", lambda: measure_http(bench, both[1])) or {})
        self.keep()
        both[0]["bytes_per_row_collected"] = self.part("collected data", lambda: measure_collected(bench))
        self.keep()

    def scales(self):
        """More markets, more rows."""
        bench, found = self.bench, self.found
        minutes = max(60, round(DAY_MINUTES * min(1, self.options.scale)))
        if not found["day"]:
            found["day"] = self.part("a day of the world", lambda: measure_day(bench, minutes))
            self.keep()
        if not found["many"]:
            found["many"] = self.part("many markets", lambda: measure_many(bench))
            self.keep()

    def rivals(self, csv):
        """One after the other."""
        live = self.bench.folder / "live"
        world = self.bench.generate("world.csv", LIVE_MARKETS, 0, self.options.batches, "time", "batch")
        split_minutes(world, live, self.options.batches)
        world.unlink()
        for kind in PEERS:
            kept = self.found["peers"].get(kind.name)
            if not self.wants(kind.name) or (kept and "all" not in kept["failures"]):
                continue
            found = self.part(kind.name, lambda kind=kind: measure(self.bench, kind(self.bench), csv, live))
            if found:
                self.found["peers"][kind.name] = found
                self.keep()

    def expect(self, csv):
        """oi's answers alone, where a run is resumed for the peers' sake."""
        engine = Oi(self.bench)
        engine.prepare()
        engine.load(csv)
        expect_answers(self.bench, engine)
        shutil.rmtree(engine.folder)

    def all(self):
        """Everything that was asked for and is not there yet."""
        say("making the data set")
        data = self.bench.data
        csv = self.bench.generate("rows.csv", MARKETS, TICKING, data.minutes)
        with open(csv, "rb") as rows:
            data.rows = sum(piece.count(b"\n") for piece in iter(lambda: rows.read(1 << 24), b"")) - 1
        self.found["rows"] = data.rows
        say(f"{data.rows} rows, {csv.stat().st_size >> 20} MiB")
        if not self.found["oi"]:
            self.ours(csv)
        else:
            self.expect(csv)
        if self.wants("scale"):
            self.scales()
        self.rivals(csv)
        self.keep()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build", help="the folder that `ninja bench` built in")
    parser.add_argument("--output", default="build/bench", help="where bench.json and bench.md go")
    parser.add_argument("--scale", type=float, default=1, help="of the 30 days")
    parser.add_argument("--batches", type=int, default=60, help="live batches of a peer")
    parser.add_argument("--cold", type=int, default=3, help="repetitions of each cold question; 0: none")
    parser.add_argument("--only", default="", help="only oi and these, as clickhouse,duckdb,scale")
    parser.add_argument("--resume", action="store_true", help="go on with the bench.json that is there")
    parser.add_argument("--install", action="store_true", help="install the peers that are missing")
    parser.add_argument("--temporary", help="where the data goes: a real disk (default: TMPDIR)")
    parser.add_argument("--page", help="write the tables into this page too, in place of those it has")
    options = parser.parse_args()
    options.only = {name.strip().lower() for name in options.only.split(",") if name.strip()}
    if options.page and not pathlib.Path(options.page).is_file():
        sys.exit(f"bench: there is no {options.page}")
    with tempfile.TemporaryDirectory(prefix="oi-bench-", dir=options.temporary, ignore_cleanup_errors=True) as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user
        bench = Bench(options, folder)
        if options.install:
            install(bench)
        run = Run(bench, options)
        run.all()
    print((run.output / "bench.md").read_text(encoding="utf-8"))
    say(f"{run.found['seconds']} s; {run.output}/bench.json and bench.md")
    disagreements = [f"{one['name']}, {work}: {text}" for one in run.found["peers"].values()
                     for work, text in one["disagreements"].items()]
    if disagreements:
        sys.exit("bench: engines disagree:\n  " + "\n  ".join(disagreements))


if __name__ == "__main__":
    main()
