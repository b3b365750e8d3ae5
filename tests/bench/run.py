#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures oi and the engines people would otherwise use on the same rows, in the same run.

    run.py --build build --scale 1 --output build/bench     # make bench

Every engine that is installed takes part; --install installs those that are packaged first. One after
the other is loaded and asked, warm and cold, so that none disturbs another. What the machine itself can
do is measured in between. Writes bench.json and bench.md.
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

from peers import clickhouse, embedded, peer, postgres, victoria
from peers.oi import Oi, OiHttp
from report import write_report

MARKETS, TICKING, MINUTES = 500, 10, 43200
START = 1_704_067_200 * 10**9
HOUR, MINUTE = 3600 * 10**9, 60 * 10**9
LIVE_MARKETS = 12_000
# In docs/benchmarks.md: what follows is measured.
MARK = "<!-- measured -->"

# What is asked, and how often warm.
QUESTIONS = {"latest": 300, "candles": 200, "candles_rows": 100, "raw_columns": 30, "raw_json": 30,
             "total": 50, "total_rows": 10, "metrics": 50}
COLD = ("latest", "candles", "candles_rows", "raw_columns", "total_rows", "metrics")
PEERS = (clickhouse.ClickHouse, victoria.VictoriaMetrics, postgres.PostgreSQL, embedded.SQLite,
         embedded.DuckDB)
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

    def tool(self, name):
        """A program that was built."""
        return self.build / name if name == "oi" else self.build / "tests/bench" / name

    def respell(self, csv, own):
        """Write a NULL as \\N, for who wants it so."""
        with open(own, "wb") as out:
            subprocess.run(["sed", r"s/^\([^,]*,[^,]*\),,/\1,\\N,/", str(csv)], stdout=out, check=True)

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
    """A work that a peer cannot do is left out with its reason; the others go on."""
    try:
        measured = call()
    except (peer.Failure, OSError, subprocess.SubprocessError, KeyError) as failure:
        found["failures"][work] = str(failure)[:300]
        say(f"  {work}: {str(failure)[:200]}")
        return
    if measured:
        found["works"][work] = measured
        say(f"  {work}: {measured['median_ns'] / 1000:.1f} us")


def ask_warm(engine, found):
    """Every question, as often as it takes to know."""
    for work, count in QUESTIONS.items():
        attempt(found, work, lambda: engine.ask(work, count))


def ask_cold(bench, engine, found):
    """Questions whose answer is on disk alone."""
    for work in COLD if bench.cold_times else ():
        def cold():
            times = sorted(filter(None, (engine.ask_cold(work) for _ in range(bench.cold_times))))
            return times and {"median_ns": times[len(times) // 2], "count": len(times)}
        if work in found["works"]:
            attempt(found, work + "_cold", cold)


def measure(bench, engine, csv, live):
    """One engine from its empty folder to the end."""
    found = {"name": engine.name, "version": engine.find(), "note": engine.note, "is_durable": engine.is_durable,
             "is_exact": engine.is_exact, "is_embedded": engine.is_embedded, "works": {}, "failures": {}}
    if found["version"] is None:
        say(f"{engine.name} is not installed")
        return None
    say(f"{engine.name} {found['version']}")
    try:
        engine.prepare()
        engine.start()
        seconds = engine.load(csv)
        found["works"]["load"] = {"median_ns": int(seconds * 1e9), "items": bench.data.rows}
        found["bytes_per_row"] = engine.size() / bench.data.rows
        say(f"  loaded in {seconds:.1f} s, {found['bytes_per_row']:.2f} bytes a row")
        found["roll_up_s"] = engine.roll_up()
        ask_warm(engine, found)
        ask_cold(bench, engine, found)
        if live:
            attempt(found, "live", lambda: engine.live(live, len(list(live.glob("*.csv")))))
    except (peer.Failure, OSError, subprocess.SubprocessError) as failure:
        found["failures"]["all"] = str(failure)[:300]
        say(f"  {failure}")
    finally:
        engine.stop()
        if not isinstance(engine, Oi):
            shutil.rmtree(engine.folder, ignore_errors=True)
    return found


def measure_oi(bench, csv, by_batch, batches):
    """oi in the process, then over HTTP, and how it would be as a collector has the data."""
    engine = Oi(bench)
    inside = measure(bench, engine, csv, None)
    if "all" in inside["failures"]:
        raise peer.Failure("oi: " + inside["failures"]["all"])
    for work, measured in engine.read_store().items():
        name = {"latest_1000": "latest", "candles_rollups": "candles", "total_closes": "total"}.get(work, work)
        if work == "latest_1000":
            measured = {**measured, **{k: measured[k] / 1000 for k in ("median_ns", "p99_ns", "mean_ns")}}
        if name in inside["works"]:
            inside["works"][name + "_query"] = inside["works"][name]
        inside["works"][name] = measured
    inside["import_mib"] = engine.import_kib // 1024
    live = engine.live_all(batches)
    inside["works"].update(live=live["live"], checkpoint=live["checkpoint"])
    served = OiHttp(bench, engine)
    outside = {**inside, "name": served.name, "is_embedded": False, "works": {}, "failures": {}}
    try:
        served.start()
        ask_warm(served, outside)
        inside["server_mib"] = peer.anonymous_kib(served.child.pid) // 1024
        ask_cold(bench, served, outside)
    finally:
        served.stop()
    collected = Oi(bench)
    collected.folder = bench.folder / "collected"
    collected.prepare()
    collected.load(by_batch)
    inside["bytes_per_row_collected"] = collected.size() / bench.data.rows
    shutil.rmtree(collected.folder)
    shutil.rmtree(engine.folder)
    return inside, outside, live["floor_sync"]


def measure_machine(bench):
    """What nothing can be faster than, and the codec alone beside it."""
    floors = peer.measured([bench.tool("chunk_bench"), 200, max(1, bench.data.minutes // 1440)])
    return floors


def measure_http(bench, served):
    """The bare server with answers as long as ours were."""
    floors = {}
    for work in ("latest", "candles", "raw_json", "total_rows"):
        if work in served["works"]:
            size = served["works"][work]["bytes"]
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


def run_all(bench, options):
    """Everything; what the report is made of."""
    data = bench.data
    say("making the data set")
    csv = bench.generate("rows.csv", MARKETS, TICKING, data.minutes)
    with open(csv, "rb") as rows:
        data.rows = sum(piece.count(b"\n") for piece in iter(lambda: rows.read(1 << 24), b"")) - 1
    by_batch = bench.generate("batch.csv", MARKETS, TICKING, data.minutes, "market", "batch")
    batches = options.batches
    world = bench.generate("world.csv", LIVE_MARKETS, 0, batches, "time", "batch")
    split_minutes(world, bench.folder / "live", batches)
    world.unlink()
    say(f"{data.rows} rows, {csv.stat().st_size >> 20} MiB")
    machine, floors = describe_machine(), measure_machine(bench)
    inside, outside, sync = measure_oi(bench, csv, by_batch, batches)
    by_batch.unlink()
    floors["floor_sync"] = sync
    floors.update(measure_http(bench, outside))
    engines = [inside, outside]
    for kind in PEERS:
        if options.only and kind.name not in options.only:
            continue
        found = measure(bench, kind(bench), csv, bench.folder / "live")
        if found:
            engines.append(found)
    return {"when": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "scale": options.scale,
            "rows": data.rows, "minutes": data.minutes, "machine": machine, "floors": floors, "engines": engines}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build", help="the folder that `ninja bench` built in")
    parser.add_argument("--output", default="build/bench", help="where bench.json and bench.md go")
    parser.add_argument("--scale", type=float, default=1, help="of the 30 days")
    parser.add_argument("--batches", type=int, default=60, help="live batches")
    parser.add_argument("--cold", type=int, default=3, help="repetitions of each cold question; 0: none")
    parser.add_argument("--only", action="append", help="only this peer; may be repeated")
    parser.add_argument("--install", action="store_true", help="install the peers that are missing")
    parser.add_argument("--temporary", help="where the data goes: a real disk (default: TMPDIR)")
    parser.add_argument("--page", help="write the tables into this page too, in place of those it has")
    options = parser.parse_args()
    if options.page and not pathlib.Path(options.page).is_file():
        sys.exit(f"bench: there is no {options.page}")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="oi-bench-", dir=options.temporary) as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user
        bench = Bench(options, folder)
        if options.install:
            install(bench)
        try:
            found = run_all(bench, options)
        except (peer.Failure, subprocess.SubprocessError) as failure:
            traceback.print_exc()
            sys.exit(f"bench: {failure}")
    found["seconds"] = round(time.monotonic() - started)
    output = pathlib.Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    (output / "bench.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    text = write_report(found)
    (output / "bench.md").write_text(text, encoding="utf-8")
    if options.page:
        page = pathlib.Path(options.page)
        head = page.read_text(encoding="utf-8").split(MARK)[0]
        page.write_text(head + MARK + "\n\n" + text, encoding="utf-8")
    print(text)
    say(f"{found['seconds']} s; {output}/bench.json and bench.md")


if __name__ == "__main__":
    main()
