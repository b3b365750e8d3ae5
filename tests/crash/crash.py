# SPDX-License-Identifier: Apache-2.0
"""The driver: prepares what rounds start from, runs them, counts. See README.md."""
import concurrent.futures
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import damage
import faults
import kill
import sharing
from rig import TIMEOUT, File, Rig, Server, check

SIZES = {"a": 25000, "b": 1500, "c": 700, "d": 4000, "e": 1}
# A table that goes in bulk, straight into chunks, in two commits.
BULK_ROWS, BULK_PADDING = 12000, 4000
WORKERS = 2
SHOWN = 4000


class World:
    """What rounds start from: files, prepared stores, how long an undisturbed run takes."""

    def __init__(self, rig, seed):
        self.rig = rig
        self.folder = rig.folder
        self.files = [File(rig.folder, name, random.Random(f"{seed} file {name}"), rows)
                      for name, rows in SIZES.items()]
        self.bulk_file = File(rig.folder, "bulk", random.Random(f"{seed} bulk"), BULK_ROWS, BULK_PADDING)
        self.prepare_import()
        self.prepare_bulk()
        self.prepare_stop()
        self.prepare_demo()

    def counted(self):
        """A file for the shim's count, and the plan that fills it."""
        path = self.folder / "count"
        path.write_text("0")
        return path, {"count": path}

    def prepare_import(self):
        """A store with every row, all of it still in the log."""
        self.full_store = self.folder / "full"
        path, fault = self.counted()
        began = time.monotonic()
        code, _, err = self.rig.import_files(self.full_store, self.files, fault=fault)
        self.import_seconds = time.monotonic() - began
        check(code == 0, f"the undisturbed import fails: {err}")
        self.import_calls = int(path.read_text())
        self.rig.check_rows(self.full_store, self.files, {file.path for file in self.files})

    def prepare_bulk(self):
        """How long the large table takes, and that it does go in bulk."""
        store = self.folder / "bulk-trial"
        path, fault = self.counted()
        began = time.monotonic()
        code, _, err = self.rig.import_files(store, [self.bulk_file], fault=fault)
        self.bulk_seconds = time.monotonic() - began
        check(code == 0, f"the undisturbed bulk load fails: {err}")
        self.bulk_calls = int(path.read_text())
        _, out, _ = self.rig.run(["info", "--data", str(store)])
        check(f"{BULK_ROWS} in " in out and "in 0 chunks" not in out, f"it did not go in bulk: {out}")
        self.rig.check_rows(store, [self.bulk_file], {self.bulk_file.path})

    def prepare_stop(self):
        """A store with every row in chunks, as a server leaves it."""
        self.chunked_store = self.folder / "chunked"
        shutil.copytree(self.full_store, self.chunked_store)
        path, fault = self.counted()
        with Server(self.rig, self.chunked_store, fault=fault) as server:
            began = time.monotonic()
            check(server.kill(signal.SIGTERM) == 0, server.said())
            self.stop_seconds = time.monotonic() - began
        self.stop_calls = int(path.read_text())
        self.rig.check_rows(self.chunked_store, self.files, {file.path for file in self.files})

    def prepare_demo(self):
        """A store that a demo takes for its own, past and all."""
        self.demo_store = self.folder / "demo"
        code, _, err = self.rig.import_files(self.demo_store, self.files[-1:])
        check(code == 0, err)
        (self.demo_store / "simulated").write_text("")
        self.trial_store = self.folder / "trial"
        shutil.copytree(self.demo_store, self.trial_store)
        kill.wait_for_early_minute()
        path, fault = self.counted()
        began = time.monotonic()
        with Server(self.rig, self.trial_store, ("--demo",), fault) as server:
            seen = {}
            while time.monotonic() < began + 1.5 or (not seen and time.monotonic() < began + TIMEOUT):
                now = server.latest()
                if len(now) > len(seen):
                    seen, self.collect_seconds = now, time.monotonic() - began
            check(server.kill(signal.SIGTERM) == 0, server.said())
        check(seen, f"the demo collects nothing: {server.said()}")
        self.trial_minute = max(minute for _, minute in seen)
        # Some markets are asked only later in the minute.
        self.live_markets = len(seen) * 2 // 3
        self.collect_calls = int(path.read_text())


def run_round(world, kind, task, number, seed):
    """One round in a folder of its own; the complaint, or None."""
    name = f"{kind}-{number}-{task.__name__}"
    folder = world.folder / name
    folder.mkdir()
    try:
        task(world, random.Random(f"{seed} {name}"), folder / "data")
    except Exception:  # pylint: disable=broad-except
        text = traceback.format_exc()
        return f"FAILED {name}, kept in {folder}\n{text[-SHOWN:]}"
    shutil.rmtree(folder)
    return None


def build_shim(folder):
    """The shim, compiled by whatever compiler is there."""
    path = folder / "fault_shim.so"
    source = pathlib.Path(__file__).with_name("fault_shim.c")
    subprocess.run([os.environ.get("CC", "cc"), "-O1", "-shared", "-fPIC", "-o", path, source,
                    "-ldl"], check=True)
    return str(path)


def list_rounds(rounds, kinds):
    """(kind, task, number) in the order in which they run."""
    listed = []
    for kind, module, share in (("kill", kill, rounds), ("fault", faults, rounds // 3),
                                ("damage", damage, rounds // 4)):
        listed += [(kind, module.ROUNDS[i % len(module.ROUNDS)], i) for i in range(share)]
    listed += [("sharing", task, i) for i, task in enumerate(sharing.ROUNDS)]
    return [one for one in listed if not kinds or one[0] in kinds or one[1].__name__ in kinds]


def main():
    """Returns the exit status."""
    binary = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    seed = sys.argv[3] if len(sys.argv) > 3 else str(int(time.time()))
    listed = list_rounds(rounds, sys.argv[4:])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="oi-crash-"))
    passed, failed, began = {}, 0, time.monotonic()

    print(f"crash: {len(listed)} rounds, SEED={seed}", flush=True)
    world = World(Rig(binary, folder, build_shim(folder)), seed)
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        runs = [(pool.submit(run_round, world, *one, seed), one) for one in listed]
        for run, (kind, task, _) in runs:
            complaint = run.result()
            if complaint:
                failed += 1
                print(complaint, flush=True)
            else:
                name = f"{kind} {task.__name__.replace('_', ' ')}"
                passed[name] = passed.get(name, 0) + 1
    for name, count in passed.items():
        print(f"{count:5d} {name}")
    for note in sharing.NOTES + damage.NOTES:
        print(note)
    if not failed:
        shutil.rmtree(folder)
    print(f"crash: {time.monotonic() - began:.0f} s, SEED={seed}")
    print(f"{sum(passed.values())} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
