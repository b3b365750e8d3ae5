# SPDX-License-Identifier: Apache-2.0
"""What every engine of the benchmark can be asked to do, and what they share.

A peer answers None where it has no such thing. Times are nanoseconds, as the measuring programs print
them: {"median_ns", "p99_ns", "bytes", "items", "count"}.
"""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time
import urllib.request

START_SECONDS = 60
RUN_SECONDS = 3600


class Failure(Exception):
    """A peer that does not work: it is left out, with the reason."""


def run(command, **more):
    """Run to the end; the standard output. Fails with the last words of its errors."""
    more.setdefault("timeout", RUN_SECONDS)
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False,
                          **more)
    if done.returncode != 0:
        raise Failure(f"{command[0]}: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout


def measured(command, **more):
    """The lines of JSON that a measuring program printed, by work."""
    lines = (json.loads(line) for line in run(command, **more).splitlines() if line.startswith("{"))
    return {line["work"]: line for line in lines}


def anonymous_kib(process):
    """Memory of a running process that is its own and no file's; 0 when it ended."""
    try:
        text = pathlib.Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("RssAnon")), 0)


def debian_version(package):
    """Of an installed package with a program of its name, without Debian's own suffixes; or None."""
    if not shutil.which(package):
        return None
    try:
        return run(["dpkg-query", "-W", "-f", "${Version}", package]).split("+")[0]
    except (OSError, Failure):
        return "of unknown version"


def free_port():
    """A port that was free a moment ago."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def forget(folder):
    """Write back and drop from the page cache what lies below a folder."""
    for path in pathlib.Path(folder).rglob("*"):
        if not path.is_file() or path.is_symlink():
            continue
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(handle)


def size_of(folder):
    """Bytes on disk."""
    return sum(path.stat().st_blocks * 512 for path in pathlib.Path(folder).rglob("*") if path.is_file())


class Peer:
    """An engine that is not ours."""
    name = ""
    package = ""        # Debian's
    is_durable = True   # is a live batch on disk when it is acknowledged?
    is_exact = True     # does every digit come back?
    is_embedded = False
    note = ""           # how it is set up

    def __init__(self, bench):
        self.bench = bench
        self.folder = bench.folder / self.name.lower()
        self.child = None

    def find(self):
        """Its version, or None when it is not installed."""
        raise NotImplementedError

    def start(self):
        """Until it answers. Embedded ones have nothing to start."""

    def stop(self):
        """Only what start started."""
        if self.child:
            self.child.terminate()
            try:
                self.child.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
            self.child = None

    def spawn(self, command, address):
        """Start a server in the foreground of its own session and wait until it answers."""
        with open(self.folder / "log", "ab") as log:
            self.child = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log,
                                          stdin=subprocess.DEVNULL, start_new_session=True)
        for _ in range(START_SECONDS * 10):
            if self.child.poll() is not None:
                break
            try:
                with urllib.request.urlopen(address, timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise Failure(f"{self.name} did not start: {(self.folder / 'log').read_text()[-300:]}")

    def prepare(self):
        """A fresh folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def load(self, csv):
        """Load the data set; seconds until it is durable. What the hourly table costs is apart."""
        raise NotImplementedError

    def roll_up(self):
        """Make the hourly table that its users would keep; seconds, or None."""
        return None

    def size(self):
        """Bytes of the data set, without the hourly table."""
        return size_of(self.folder)

    def live(self, folder, count):
        """COUNT batches of FOLDER/N.csv."""
        raise NotImplementedError

    def ask(self, work, count):
        """Measure a question; None where it cannot be asked."""
        raise NotImplementedError

    def answer(self, work):
        """The answer to the first question of a work in the form of answers.py; None where it has none."""
        return None

    def ask_cold(self, work):
        """One question of a fresh process whose files are not in memory; nanoseconds."""
        self.stop()
        forget(self.folder)
        self.start()
        answer = self.ask(work, 1)
        return answer and answer["median_ns"]

    def lines(self, work, lines):
        """A file with a question a line."""
        path = self.bench.folder / f"{self.name.lower()}-{work}.txt"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def http(self, port, work, lines, count):
        """Ask lines over HTTP with the benchmark's own client."""
        warm_up = 3 if count > 1 else 0
        return measured([self.bench.tool("http_bench"), "ask", port, work, count, self.lines(work, lines),
                         warm_up])[work]
