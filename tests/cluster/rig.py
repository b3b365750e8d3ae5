# SPDX-License-Identifier: Apache-2.0
"""Child processes that are killed and started again, each with a folder, a log and a port of its own."""
import contextlib
import http.client
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

READY = 60
FALLS_MAX = 10


class Failure(Exception):
    """Something that must hold did not."""


def free_port():
    """A port that nobody has at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def environment():
    """Without the caller's own settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("OI_")}


def ask(port, path, timeout=5, **more):
    """(status, body); raises OSError or HTTPException when nobody answers."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    with contextlib.closing(link):
        link.request(more.get("method", "GET"), path, more.get("body"), more.get("headers", {}))
        reply = link.getresponse()
        return reply.status, reply.read().decode()


def until(fact, what, seconds=READY):
    """Look until `fact()` is true and return that."""
    end = time.monotonic() + seconds
    while True:
        try:
            if answer := fact():
                return answer
        except (OSError, http.client.HTTPException):
            pass
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {seconds} s")
        time.sleep(0.1)


class Process:
    """One process of the cluster. Killed, it comes back with the same folder and the same port."""

    kind = ""
    # Of a program that is not ours: its own faults are told and it is started again, as systemd does.
    may_fall = False

    def __init__(self, folder, name):
        self.name = name
        self.folder = pathlib.Path(folder, name)
        self.folder.mkdir()
        self.port = free_port()
        self.child = None
        self.deaths = 0
        self.falls = []     # what it ended with when nobody had killed it
        self.refusals = []  # the same before it was ready: with a sentence, what it needs is not there
        self.was_ready = False
        self.lock = threading.RLock()

    def arguments(self):
        """What to run."""
        raise NotImplementedError

    def is_ready(self):
        """Does it answer?"""
        raise NotImplementedError

    def start(self):
        """Start it; `wait` tells when it answers."""
        self.was_ready = False
        with open(self.folder / "log", "ab") as log:
            # What a killed process leaves behind in the temporary folder is removed with ours.
            self.child = subprocess.Popen(
                self.arguments(), env=environment() | {"TMPDIR": str(self.folder.parent)}, stdout=log,
                stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder)

    def wait(self, seconds=READY):
        """Until it answers."""
        def look():
            self.mind()
            self.was_ready = self.is_ready()
            return self.was_ready
        until(look, f"{self.name} does not answer", seconds)

    def mind(self):
        """Start it again if it has fallen; raise if it may not fall."""
        with self.lock:
            code = self.child.poll() if self.child else None
            if code is None:
                return
            (self.refusals if code > 0 and not self.was_ready else self.falls).append(code)
            if self.falls and not self.may_fall or len(self.falls + self.refusals) > FALLS_MAX:
                raise Failure(f"{self.name} ended with {code}: {self.said()[-600:]}")
            time.sleep(1)
            self.start()

    def kill(self):
        """With -9."""
        with self.lock:
            if self.child and self.child.poll() is None:
                self.child.send_signal(signal.SIGKILL)
                self.child.wait()
                self.deaths += 1
            self.child = None

    def said(self):
        """Its log."""
        return (self.folder / "log").read_text("utf-8", "replace")
