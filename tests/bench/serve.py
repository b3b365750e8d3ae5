#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures oi's server against a hand-written epoll loop and against other engines' own servers.

    serve.py --build build --output build/bench --page docs/benchmarks.md     # make bench-serve

Everything is a ratio of one run. The tables are written after every part, so that a run that is ended
early has what it came to; what fails is said in its row, and the rest goes on.
"""
import argparse
import json
import pathlib
import resource
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import run
from peers import clickhouse, peer, postgres, victoria
from peers.oi import Oi, OiHttp, iso, market

CONNECTIONS, SECONDS = 64, 3
LISTENERS, ROUNDS = 10_000, 5
# Sixty members of a total, of a row a minute for 30 days, and two of a row every ten seconds.
run.MARKETS, run.TICKING = 60, 2
MARK = ("<!-- serve -->", "<!-- /serve -->")
TROUBLE = run.TROUBLE


class Part:
    """A row of the tables."""

    def __init__(self, title, wanted=""):
        self.title, self.wanted, self.value = title, wanted, "not measured"


class Serve:
    """One run."""

    def __init__(self, options, folder):
        self.bench = run.Bench(options, folder)
        self.options = options
        self.parts, self.peers = [], {}
        self.started = time.monotonic()
        self.seconds = options.seconds

    def tool(self):
        """The client and its floors."""
        return str(self.bench.tool("serve_bench"))

    def load(self, port, work, lines, connections=CONNECTIONS, seconds=None):
        """Keep connections busy; what the client counted."""
        path = self.bench.folder / f"serve-{work}.txt"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return peer.measured([self.tool(), "load", port, connections, seconds or self.seconds, path, work],
                             timeout=60)[work]

    def floor(self, size, connections=CONNECTIONS):
        """Requests a second of the epoll loop for an answer of so many bytes."""
        with subprocess.Popen([self.tool(), "hello", str(size), "2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as child:
            try:
                port = int(child.stdout.readline())
                return self.load(port, "floor", ["GET /"], connections)
            finally:
                child.stdin.close()

    def row(self, title, wanted, call):
        """A part that may fail."""
        part = Part(title, wanted)
        self.parts.append(part)
        try:
            part.value = call()
        except TROUBLE as failure:
            part.value = f"failed: {type(failure).__name__}: {failure}"[:200].replace("\n", " ").replace("|", "/")
        run.say(f"serve: {title}: {part.value}")
        self.write()

    def write(self):
        """The tables, as far as they are."""
        lines = ["", f"Measured {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC in "
                 f"{time.monotonic() - self.started:.0f} s, {CONNECTIONS} connections unless said, client and server on "
                 f"one machine of {len(open('/proc/cpuinfo', encoding='ascii').read().split('processor')) - 1} cores. "
                 "The floor is an epoll loop without a parser that answers as many bytes (`tests/bench/serve_bench.c`).",
                 "", "| what | wanted | measured |", "|---|---|---|"]
        lines += [f"| {part.title} | {part.wanted} | {part.value} |" for part in self.parts]
        if self.peers:
            works = sorted({work for found in self.peers.values() for work in found if work != "failed"})
            lines += ["", "Requests a second, 64 connections, the same question (`oi / peer` in parentheses):", "",
                      "| engine | " + " | ".join(works) + " |", "|---" * (len(works) + 1) + "|"]
            for name, found in self.peers.items():
                cells = []
                for work in works:
                    if work not in found:
                        cells.append(found.get("failed", "-"))
                        continue
                    ours = self.peers.get("oi", {}).get(work)
                    ratio = f" ({ours / found[work]:.1f} x)" if ours and name != "oi" and found[work] else ""
                    cells.append(f"{found[work]:,}{ratio}")
                lines.append(f"| {name} | " + " | ".join(cells) + " |")
        lines.append("")
        self.options.output.mkdir(parents=True, exist_ok=True)
        (self.options.output / "serve.md").write_text("\n".join(lines), encoding="utf-8")
        if self.options.page:
            put_on_page(self.options.page, "\n".join(lines))


def put_on_page(page, text):
    """Between the marks, which are put at the end where they are not there yet."""
    old = page.read_text(encoding="utf-8")
    if MARK[0] not in old:
        old = old.rstrip("\n") + f"\n\n# Serving\n\n{MARK[0]}\n{MARK[1]}\n"
    before, rest = old.split(MARK[0], 1)
    after = rest.split(MARK[1], 1)[1]
    page.write_text(before + MARK[0] + "\n" + text + "\n" + MARK[1] + after, encoding="utf-8")


def targets(data):
    """The questions, as the native API takes them."""
    return {
        "newest value": [f"GET /oi/v1/open-interest?{market(m)}&unit=reported&limit=1" for m in data.markets],
        "200 candles": [f"GET /oi/v1/open-interest?{market(m)}&interval=1h&unit=reported&order=asc"
                        f"&start={iso(data.from_200h)}" for m in data.markets],
        "total": [f"GET /oi/v1/open-interest?exchange=bench&coin=BTC&interval=1h&unit=usd&total=true&order=asc"
                  f"&start={iso(data.from_200h)}"],
    }


def size_of(port, target):
    """Bytes of one answer's body."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as one:
        one.sendall(f"{target} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
        text = b""
        while piece := one.recv(1 << 20):
            text += piece
    head, _, body = text.partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise peer.Failure(text[:200].decode(errors="replace"))
    return len(body)


def against_floor(serve, served, lines):
    """Requests a second, and the ratio to the floor for as many bytes."""
    size = size_of(served.port, lines[0])
    ours, floor = serve.load(served.port, "oi", lines), serve.floor(size)
    return ours["per_second"], (f"{ours['per_second'] / max(1, floor['per_second']):.2f} of the floor "
                                f"({ours['per_second']:,} a second of {size:,} bytes, p99 {ours['p99_ns'] / 1e6:.1f} ms)")


def against_floor_of(serve, served, work, lines):
    """The same, kept for the comparison with peers."""
    per_second, text = against_floor(serve, served, lines)
    serve.peers.setdefault("oi", {})[work] = per_second
    return text


def many_points(serve, served, data):
    """100,000 rows: the rate of a connection, the first byte."""
    line = (f"GET /oi/v1/open-interest?{market(data.ticking[0])}&unit=reported&start={iso(data.start)}&limit=100000")
    one = serve.load(served.port, "many", [line], connections=1)
    return (f"{one['bytes_per_second'] / 1e9:.2f} GB/s, first byte {one['first_byte_ns'] / 1e6:.2f} ms, "
            f"{one['median_ns'] / 1e6:.0f} ms in all")


def slow_readers(serve, served, data, count=200):
    """What a reader that stops costs: it asks for 100,000 rows and reads none."""
    line = (f"GET /oi/v1/open-interest?{market(data.ticking[0])}&unit=reported&start={iso(data.start)}&limit=100000"
            " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    before, readers = peer.anonymous_kib(served.child.pid), []
    try:
        for _ in range(count):
            reader = socket.create_connection(("127.0.0.1", served.port), timeout=20)
            reader.sendall(line.encode())
            readers.append(reader)
        time.sleep(3)
        grown = peer.anonymous_kib(served.child.pid) - before
    finally:
        for reader in readers:
            reader.close()
    return f"{max(0, grown) / count:.0f} KiB each, {count} of them"


def month_file(serve, served, data):
    """A month of 5m as a file: the first time, and again."""
    lines = [f"GET /oi/v1/open-interest?{market(m)}&interval=5m&unit=reported&order=asc&start={iso(data.start)}"
             f"&end={iso(data.to)}&limit=100000&format=parquet" for m in range(40)]
    cold = served.http(served.port, "cold", lines, 40)
    warm = serve.load(served.port, "warm", lines[:1], connections=1)
    size = size_of(served.port, lines[0])
    floor = serve.floor(size, connections=1)
    return (f"cold {cold['median_ns'] / 1e6:.1f} ms, warm {warm['median_ns'] / 1e6:.2f} ms of {size:,} bytes "
            f"({warm['per_second'] / max(1, floor['per_second']):.2f} of the floor)")


class Listeners:
    """Sockets that wait for messages."""

    def __init__(self, serve, port, target, count):
        self.child = subprocess.Popen([serve.tool(), "listen", str(port), str(count), target], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            self.hear(60)
        except TROUBLE:
            self.close()
            raise

    def hear(self, seconds):
        """The next line of the client."""
        ready, _, _ = select.select([self.child.stdout], [], [], seconds)
        line = self.child.stdout.readline() if ready else ""
        if not line:
            raise peer.Failure("the listeners are silent" if self.child.poll() is None
                               else self.child.stderr.read().strip()[-200:])
        return json.loads(line)

    def round(self, push):
        """One message to all: what it took."""
        self.child.stdin.write("\n")
        self.child.stdin.flush()
        time.sleep(0.05)
        push()
        return self.hear(40)

    def close(self):
        """Gone, and the sockets with it."""
        self.child.kill()
        self.child.wait()


def median_round(rounds, count):
    """The middle one by its p99; all must have been reached."""
    if any(one["reached"] < count for one in rounds):
        raise peer.Failure(f"only {min(one['reached'] for one in rounds)} of {count} were reached")
    return sorted(rounds, key=lambda one: one["p99_ns"])[len(rounds) // 2]


def bare_push(serve, count):
    """The floor: a loop of writes."""
    with subprocess.Popen([serve.tool(), "pusher", str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as child:
        listeners = None
        try:
            listeners = Listeners(serve, int(child.stdout.readline()), "/", count)

            def push():
                child.stdin.write("\n")
                child.stdin.flush()
            return median_round([listeners.round(push) for _ in range(ROUNDS)], count)
        finally:
            if listeners:
                listeners.close()
            child.kill()


def live_push(serve, served, data, found):
    """A row that another process appends, to everybody."""
    count = min(LISTENERS, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 500) - 100
    folder = serve.bench.folder
    before = peer.anonymous_kib(served.child.pid)
    listeners = Listeners(serve, served.port, f"/oi/v1/stream?{market(data.markets[0])}", count)
    found["idle"] = f"{count:,} open, {(peer.anonymous_kib(served.child.pid) - before) / count:.1f} KiB each"
    try:
        rounds = []
        for i in range(ROUNDS):
            path = folder / f"push-{i}.csv"
            when = data.to + (i + 1) * run.MINUTE
            path.write_text("market,time,exchange_time,database_time,contract_count,value_usd,mark_price\n"
                            f"{data.markets[0]},{when},,{when},{1000 + i}.5,1000,10\n", encoding="ascii")
            rounds.append(listeners.round(lambda path=path: append(serve, served, path)))
        ours = median_round(rounds, count)
    finally:
        listeners.close()
    time.sleep(1)
    floor = bare_push(serve, count)
    return (f"p99 {ours['p99_ns'] / 1e6:.0f} ms, {ours['p99_ns'] / max(1, floor['p99_ns']):.1f} x of a bare loop of "
            f"writes ({floor['p99_ns'] / 1e6:.0f} ms), {count:,} listeners")


def append(serve, served, path):
    """One row, by a process of its own."""
    from peers.oi import IMPORT  # pylint: disable=import-outside-toplevel
    peer.run([serve.bench.tool("oi"), "import", "csv", "--data", served.store, "--name", "bench", *IMPORT, path])


def held(serve, served):
    """1,000 connections that each ask now and then, none refused."""
    return f"{serve.load(served.port, 'held', ['GET /healthz'], connections=1000)['per_second']:,} requests a second over 1,000 connections"


def measure_oi(serve, csv):
    """Our server over its store."""
    data, engine = serve.bench.data, Oi(serve.bench)
    engine.prepare()
    engine.load(csv)
    served, found = OiHttp(serve.bench, engine), {}
    questions = targets(data)
    served.start()
    try:
        serve.row("newest value", "0.8 of the floor",
                  lambda: against_floor_of(serve, served, "newest value", questions["newest value"]))
        serve.row("200 candles", "0.6 of the floor",
                  lambda: against_floor_of(serve, served, "200 candles", questions["200 candles"]))
        serve.row("a total of 60 markets, 200 candles", "", lambda: against_floor_of(serve, served, "total", questions["total"]))
        serve.row("100,000 rows as JSON, one connection", "1 GB/s, first byte under 2 ms",
                  lambda: many_points(serve, served, data))
        serve.row("a reader that stops", "under 1 MiB", lambda: slow_readers(serve, served, data))
        serve.row("a month of 5m as Parquet", "cold under 5 ms, warm as fast as sendfile",
                  lambda: month_file(serve, served, data))
        serve.row("1,000 connections", "held", lambda: held(serve, served))
        serve.row("a row to 10,000 WebSockets", "within 3 x of a bare loop, under 150 ms",
                  lambda: live_push(serve, served, data, found))
        serve.row("10,000 idle WebSockets", "held", lambda: found.get("idle", "not measured"))
    finally:
        served.stop()


def ask_postgres(serve, engine, statements):
    """pgbench at as many connections, prepared statements."""
    program = engine.binaries / "pgbench"
    script = serve.bench.folder / "pgbench.sql"
    script.write_text(";\n".join(statements[:1]) + ";\n", encoding="utf-8")
    text = peer.run([program, "-h", "127.0.0.1", "-p", engine.port, "-U", "postgres", "-n", "-M", "prepared", "-c",
                     CONNECTIONS, "-j", 2, "-T", serve.seconds, "-f", script, "postgres"], timeout=60)
    return int(float(next(line for line in text.splitlines() if line.startswith("tps")).split()[2]))


def questions_of(engine):
    """Its requests by work, as http_bench takes them; None: over its own wire."""
    names = {"newest value": "latest", "200 candles": "candles", "total": "total"}
    if isinstance(engine, victoria.VictoriaMetrics):
        return {ours: engine.questions(theirs) for ours, theirs in names.items()}
    statements = engine.statements()
    if isinstance(engine, clickhouse.ClickHouse):
        return {ours: [f"POST /\t{text} FORMAT JSONCompact" for text in statements[theirs]]
                for ours, theirs in names.items()}
    return {ours: statements[theirs] for ours, theirs in names.items()}


def measure_peer(serve, kind, csv):
    """One engine, the same questions."""
    engine = kind(serve.bench)
    if engine.find() is None:
        serve.peers[engine.name] = {"failed": "not installed"}
        return
    found = serve.peers.setdefault(engine.name, {})
    try:
        engine.prepare()
        engine.start()
        engine.load(csv)
        engine.roll_up()
        for work, lines in questions_of(engine).items():
            try:
                if kind is postgres.PostgreSQL:
                    found[work] = ask_postgres(serve, engine, lines)
                else:
                    found[work] = serve.load(engine.port, "peer", lines)["per_second"]
            except TROUBLE as failure:
                run.say(f"serve: {engine.name}: {work}: {failure}")
            run.say(f"serve: {engine.name}: {work}: {found.get(work)}")
            serve.write()
    except TROUBLE as failure:
        found["failed"] = "failed"
        run.say(f"serve: {engine.name} failed: {failure}")
    finally:
        try:
            engine.stop()
        except TROUBLE as failure:
            run.say(f"serve: {engine.name} does not stop: {failure}")
        shutil.rmtree(engine.folder, ignore_errors=True)
        serve.write()


def main():
    """Everything, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("build/bench"))
    parser.add_argument("--page", type=pathlib.Path)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="of every load")
    parser.add_argument("--limit", type=int, default=330, help="seconds after which no further engine is begun")
    options = parser.parse_args()
    options.cold = 0
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard) if hard > soft else (soft, hard))
    with tempfile.TemporaryDirectory(prefix="oi-serve-") as folder:
        pathlib.Path(folder).chmod(0o755)  # PostgreSQL runs as a user of its own
        serve = Serve(options, pathlib.Path(folder))
        data = serve.bench.data
        csv = serve.bench.generate("rows.csv", run.MARKETS, run.TICKING, data.minutes)
        data.rows = sum(1 for _ in open(csv, "rb")) - 1
        try:
            measure_oi(serve, csv)
        except TROUBLE as failure:
            serve.parts.append(Part("oi", ""))
            serve.parts[-1].value = f"failed: {failure}"[:200]
        for kind in (victoria.VictoriaMetrics, clickhouse.ClickHouse, postgres.PostgreSQL):
            if time.monotonic() - serve.started > options.limit:
                run.say(f"serve: no time for {kind.name}")
                continue
            measure_peer(serve, kind, csv)
        serve.write()


if __name__ == "__main__":
    sys.exit(main())
