# SPDX-License-Identifier: Apache-2.0
"""What every kind of round uses: the program, files with known rows, and the checks after the harm.

A row is compared as text, digit by digit. What the program acknowledged is what it had said before
it died: the report line of a file, the answer to a request.
"""
import csv
import http.client
import io
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

TIMEOUT = 60
START = 1767225600  # 2026-01-01T00:00:00Z
IMPORT = ["import", "csv", "--time", "time", "--oi", "oi", "--mark", "mark", "--unit", "coins",
          "--market", "{market}"]
REPORT = re.compile(r"^(\S+): (\d+) rows: (\d+) stored, (\d+) duplicate, (\d+) refused", re.M)
TROUBLE = re.compile(r"^(\S+): (?!\d+ rows: |already imported|went on behind)", re.M)
KNOWN = re.compile(r"^(\S+): already imported", re.M)


class Failure(Exception):
    """Something that must hold did not."""


def check(fact, sentence):
    """Raise unless `fact`."""
    if not fact:
        raise Failure(sentence)


def decimal(random, digits, places):
    """A figure without needless zeros, as the program prints it."""
    whole = str(random.randrange(10 ** random.randint(1, digits)))
    part = "".join(random.choice("0123456789") for _ in range(random.randint(0, places))).rstrip("0")
    return whole + ("." + part if part else "")


class File:
    """A CSV file and its rows as (market, time, open interest, mark price)."""

    def __init__(self, folder, name, random, rows, padding=0):
        """A long line is as good as many rows to make a file large: what is behind the figures is passed over."""
        markets = [f"okx:swap:{name.upper()}{i}-USDT-SWAP" for i in range(random.randint(1, 4))]
        self.path = str(pathlib.Path(folder, f"{name}.csv"))
        self.feed = f"import:{name}"
        self.rows = []
        for i in range(rows):
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START + i // len(markets) * 60))
            self.rows.append((markets[i % len(markets)], at, decimal(random, 9, 6),
                              decimal(random, 5, 4)))
        with open(self.path, "w", encoding="ascii") as out:
            out.write("market,time,oi,mark,note\n")
            out.writelines(",".join(row) + "," + "-" * padding + "\n" for row in self.rows)


class Rig:
    """The program under test, a folder to work in, and the files."""

    def __init__(self, binary, folder, shim):
        self.binary = str(pathlib.Path(binary).resolve())
        self.folder = pathlib.Path(folder)
        self.shim = shim

    def environment(self, fault=None):
        """Without the caller's settings; with `fault`, the shim and its plan."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OI_")}
        if fault:
            kept["LD_PRELOAD"] = self.shim
            kept.update({f"OI_FAULT_{name.upper()}": str(value) for name, value in fault.items()})
        return kept

    def start(self, arguments, fault=None, **more):
        """The program as a child that is not waited for."""
        return subprocess.Popen([self.binary, *arguments], env=self.environment(fault), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

    def run(self, arguments, fault=None, kill_after=None):
        """Run to the end, or kill it; (exit code, stdout, stderr)."""
        child = self.start(arguments, fault)
        try:
            out, err = child.communicate(timeout=kill_after if kill_after is not None else TIMEOUT)
        except subprocess.TimeoutExpired:
            child.kill()
            out, err = child.communicate()
            check(kill_after is not None, f"{arguments[0]} hangs")
        return child.returncode, out, err

    def import_files(self, data, files, **more):
        """`oi import` of several files."""
        return self.run([*IMPORT, "--data", str(data), *(file.path for file in files)], **more)

    def verify(self, data):
        """The store is sound."""
        code, out, err = self.run(["verify", "--data", str(data)])
        check(code == 0, f"verify fails: {out}{err}")

    def query(self, data, exchange="okx"):
        """(exit code, rows as the files have them by feed, stderr)."""
        code, out, err = self.run(["query", "--data", str(data), "--exchange", exchange,
                                   "--format", "csv"])
        found = {}
        for row in csv.DictReader(io.StringIO(out)):
            if None in row.values():
                continue  # it died in the midst of a line
            found.setdefault(row["feed"], []).append(
                (row["market"], row["time"], row["open_interest"], row["mark_price"]))
        return code, found, err

    def has_store(self, data):
        """Did it live long enough to make one? A store that was never whole says so by itself."""
        code, _, err = self.run(["info", "--data", str(data)])
        if code == 0:
            return True
        check("there is no store" in err or "opening the database" in err, f"info: {err}")
        return False

    def check_rows(self, data, files, acknowledged):
        """The rows of each file are the first ones of it, and all where that was acknowledged."""
        code, found, err = self.query(data)
        if code != 0 and not found and not acknowledged:
            return
        check(code == 0 or not any(found.values()), f"query fails: {err}")
        for file in files:
            rows = found.pop(file.feed, [])
            count = len(rows)
            check(len(set(rows)) == count, f"{file.feed}: a row is there twice")
            check(set(rows) == set(file.rows[:count]),
                  f"{file.feed}: {count} rows are not the first {count} of the file")
            check(file.path not in acknowledged or count == len(file.rows),
                  f"{file.feed}: {count} of {len(file.rows)} acknowledged rows are there")
        check(not found, f"rows of feeds that nobody imported: {list(found)}")

    def finish_import(self, data, files):
        """The same import once more completes, with nothing twice."""
        code, _, err = self.import_files(data, files)
        check(code == 0, f"the import does not go on: {err}")
        done = {match[1]: match for match in REPORT.finditer(err)}
        for file in files:
            match = done.get(file.path)
            check(match or f"{file.path}: already imported" in err, f"{file.path}: no report: {err}")
            check(not match or match.group(2, 3, 4, 5) == (
                str(len(file.rows)), str(len(file.rows)), "0", "0"), f"the count is wrong: {match}")
        self.verify(data)
        self.check_rows(data, files, {file.path for file in files})


def acknowledged(err):
    """Paths of the files that an import has reported as done: no trouble is told of them behind it."""
    told = {match[1] for match in REPORT.finditer(err)} | {match[1] for match in KNOWN.finditer(err)}
    return told - {match[1] for match in TROUBLE.finditer(err)}


class Server:
    """`oi serve` on a free port, with the moods of a context manager."""

    def __init__(self, rig, data, arguments=("--no-collect",), fault=None):
        self.log = tempfile.TemporaryFile("a+", dir=rig.folder, encoding="utf-8")
        self.child = subprocess.Popen(
            [rig.binary, "serve", "--data", str(data), "--listen", "127.0.0.1:0", *arguments],
            env=rig.environment(fault), text=True, stdout=subprocess.PIPE, stderr=self.log)
        found = re.match(r"oi listens on http://([\d.]+):(\d+)", self.child.stdout.readline())
        self.port = int(found[2]) if found else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def said(self):
        """What it has logged so far."""
        self.log.seek(0)
        return self.log.read()

    def get(self, path, timeout=TIMEOUT, key=None):
        """(status, body); None when it is gone."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            link.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
            reply = link.getresponse()
            return reply.status, reply.read().decode()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            link.close()

    def latest(self):
        """Collected readings as {(market, time): open interest}; {} when it is gone."""
        reply = self.get("/oi/v1/latest?limit=100000")
        if not reply or reply[0] != 200:
            return {}
        return {(row["market"], row["time"]): row["open_interest"]
                for row in json.loads(reply[1])["data"] if row["feed"] == "live"}

    def wait_for(self, fact, seconds=TIMEOUT):
        """Look until `fact()` is true; the last answer."""
        until = time.monotonic() + seconds
        while not (answer := fact()) and time.monotonic() < until and self.child.poll() is None:
            time.sleep(0.05)
        return answer

    def kill(self, with_signal=signal.SIGKILL):
        """End it; the exit code."""
        if self.child.poll() is None:
            self.child.send_signal(with_signal)
        try:
            code = self.child.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise Failure("the server does not stop") from None
        self.child.stdout.close()
        return code


def copy_store(source, target):
    """A store of nobody is copied file by file."""
    shutil.copytree(source, target)
    return target
