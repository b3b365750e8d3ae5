# SPDX-License-Identifier: Apache-2.0
"""What happens around a store that nobody kills: several writers, slow readers, full disks."""
import random as randomness
import shutil
import signal
import socket
import subprocess
import threading
import time

from kill import check_collected, wait_for_early_minute
from rig import IMPORT, File, Server, acknowledged, check, copy_store

NOTES = []
TMPFS_SIZE = 16 << 20
ROOM = 600 << 10  # less than three files of 40,000 rows take
GROWTH_MAX = 2.0


def finish(child):
    """Wait for a child; its stderr."""
    _, err = child.communicate(timeout=60)
    check(child.returncode == 0, f"it ends with {child.returncode}: {err}")
    return err


def start_import(rig, data, files):
    """An import that is not waited for."""
    return rig.start([*IMPORT, "--data", str(data), *(file.path for file in files)])


def two_writers(world, _random, data):
    """Two imports into a store that is not there yet both complete."""
    halves = world.files[::2], world.files[1::2]
    children = [start_import(world.rig, data, half) for half in halves]
    done = set().union(*(acknowledged(finish(child)) for child in children))
    check(len(done) == len(world.files), f"only {done} are reported")
    world.rig.verify(data)
    world.rig.check_rows(data, world.files, done)


def one_file_twice_at_once(world, _random, data):
    """Two imports of the same files at once: every row is there once, and the next one is a no-op."""
    children = [start_import(world.rig, data, world.files) for _ in range(2)]
    for child in children:
        finish(child)
    world.rig.verify(data)
    world.rig.check_rows(data, world.files, {file.path for file in world.files})
    _, _, err = world.rig.import_files(data, world.files)
    check(err.count("already imported") == len(world.files), err)


def serving_while_importing(world, _random, data):
    """A server shows what another process imports, and both keep the store sound."""
    copy_store(world.demo_store, data)
    file = world.files[0]
    with Server(world.rig, data) as server:
        finish(start_import(world.rig, data, world.files))
        market = file.rows[0][0]
        count = sum(row[0] == market for row in file.rows)
        _, body = server.get(f"/oi/v1/open-interest?market={market}&format=csv&limit=1000000")
        check(body.count("\n") == count + 1, f"the server sees {body.count(chr(10)) - 1} of {count} rows")
        check(server.kill(signal.SIGTERM) == 0, server.said())
    world.rig.verify(data)
    world.rig.check_rows(data, world.files, {one.path for one in world.files})


class SlowReader:
    """Asks for a large answer and takes it in sips."""

    def __init__(self, server, path):
        self.link = socket.socket()
        self.link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.link.settimeout(60)
        self.link.connect(("127.0.0.1", server.port))
        self.link.sendall(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n".encode())
        self.taken = self.link.recv(1024)

    def sip(self):
        """Some more: enough for the server to send a little."""
        self.taken += self.link.recv(16384)

    def rest(self):
        """All of it, without the chunks of the transfer."""
        while part := self.link.recv(1 << 20):
            self.taken += part
        self.link.close()
        head, _, body = self.taken.partition(b"\r\n\r\n")
        if b"transfer-encoding: chunked" not in head.lower():
            return body.decode()
        whole = b""
        while body:
            size, _, body = body.partition(b"\r\n")
            whole += body[:int(size, 16)]
            body = body[int(size, 16) + 2:]
        return whole.decode()


class Sipping:
    """While it is entered, every reader takes a sip now and then: who takes none for 30 s is cut off."""

    def __init__(self, readers):
        self.readers, self.is_over = readers, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        """A thread's work."""
        while not self.is_over.wait(2):
            for reader in self.readers:
                reader.sip()

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()


def write_much(world, data, name):
    """Imports and checkpoints; the size of the file afterwards."""
    for i in range(4):
        file = File(data.parent, f"{name}{i}", randomness.Random(i), 12000)
        finish(start_import(world.rig, data, [file]))
        with Server(world.rig, data) as server:
            check(server.kill(signal.SIGTERM) == 0, server.said())
    return (data / "data.mdb").stat().st_size


def slow_reader(world, _random, data):
    """A client that takes its time does not make the file grow, and gets one consistent answer."""
    copy_store(world.chunked_store, data)
    alone = write_much(world, copy_store(world.chunked_store, data.parent / "alone"), "w")
    path = f"/oi/v1/open-interest?market={world.files[0].rows[0][0]}&format=ndjson&limit=1000000"
    with Server(world.rig, data) as server:
        expected = server.get(path)[1]
        began = time.monotonic()
        readers = [SlowReader(server, path) for _ in range(8)]
        with Sipping(readers):
            beside = write_much(world, data, "w")
        for reader in readers:
            answer = reader.rest()
            check(answer == expected, f"a slow reader gets another answer: {len(answer)} of {len(expected)} bytes, "
                  f"{'its beginning' if expected.startswith(answer) else 'not its beginning'}, after "
                  f"{time.monotonic() - began:.0f} s")
        check(server.kill(signal.SIGTERM) == 0, server.said())
    NOTES.append(f"slow reader: the file has {beside / 1e6:.1f} MB, without one {alone / 1e6:.1f} MB")
    check(beside <= alone * GROWTH_MAX, NOTES[-1])
    world.rig.verify(data)


def reader_left_open(world, _random, data):
    """One process stops in the midst of reading, one dies there: the file does not grow, and the stopped one goes on
    with the answer that it began."""
    copy_store(world.chunked_store, data)
    alone = write_much(world, copy_store(world.chunked_store, data.parent / "alone"), "w")
    asked = ["query", "--data", str(data), "--exchange", "okx", "--format", "csv"]
    _, expected, _ = world.rig.run(asked)
    stopped, killed = world.rig.start(asked), world.rig.start(asked)
    begun = stopped.stdout.read(100)
    killed.stdout.read(100)
    stopped.send_signal(signal.SIGSTOP)
    killed.kill()
    killed.communicate()
    try:
        beside = write_much(world, data, "w")
    finally:
        stopped.send_signal(signal.SIGCONT)
    answer = begun + stopped.stdout.read()
    stopped.communicate()
    check(answer == expected, f"a stopped reader gets another answer: {len(answer)} of {len(expected)} bytes")
    NOTES.append(f"reader left open: the file has {beside / 1e6:.1f} MB, without one {alone / 1e6:.1f} MB")
    check(beside <= alone * GROWTH_MAX, NOTES[-1])
    world.rig.verify(data)


class FullBySwitch:
    """A disk that is full as the shim has it."""

    def __init__(self, data):
        self.switch = data.parent / "full"
        self.fault = {"full": self.switch}

    def fill(self):
        """No room from here on."""
        self.switch.write_text("")

    def make_room(self):
        """As much as one likes."""
        self.switch.unlink()


class FullByFilling:
    """A small disk of its own, with another file on it that takes all the room."""

    fault = None

    def __init__(self, folder):
        self.folder = folder

    def fill(self):
        """No room from here on."""
        with open(self.folder / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                pass

    def make_room(self):
        """As much as one likes."""
        (self.folder / "filler").unlink()


def meet_full_disk(world, data, disk, minute):
    """A server on a full disk pauses with a clear message, answers, and goes on by itself."""
    wait_for_next_minute(minute)
    wait_for_early_minute()
    kept = world.rig.query(data)[1]
    disk.fill()
    with Server(world.rig, data, ("--demo",), disk.fault) as server:
        check(server.port, f"it does not start on a full disk: {server.said()}")
        paused = server.wait_for(lambda: server.get("/readyz")[0] == 503 and server.get("/readyz"))
        check(paused and "the disk is full" in paused[1], f"/readyz says {paused}: {server.said()}")
        check(server.get("/healthz")[0] == 200, "it is not alive")
        check('"writing_paused":true' in server.get("/oi/v1/status")[1].replace(" ", ""), "status")
        said = server.said()
        check("no space left" in said.lower() or "disk is full" in said.lower(), f"not clear: {said}")
        check(server.get("/oi/v1/latest?limit=10")[0] == 200, "reads do not go on")
        disk.make_room()
        ready = server.wait_for(lambda: server.get("/readyz")[0] == 200)
        check(ready, f"it does not go on by itself: {server.said()}")
        fresh = lambda: (found := server.latest()) and max(at for _, at in found) > minute and found
        answered = server.wait_for(fresh)
        check(answered, f"it does not collect: {server.said()}")
        check(server.kill(signal.SIGTERM) == 0, server.said())
    check_collected(world.rig, data, answered)
    now = world.rig.query(data)[1]
    check(all(now[feed] == rows for feed, rows in kept.items() if feed != "live"), "rows changed")


def wait_for_next_minute(minute):
    """Until a minute later than this one: a minute is collected once."""
    while time.strftime("%Y-%m-%dT%H:%M:00Z", time.gmtime()) <= minute:
        time.sleep(0.2)


def full_disk_from_the_start(world, _random, data):
    """Nothing was ever collected: it says so and ends, or serves; it does start when there is room."""
    copy_store(world.demo_store, data)
    disk = FullBySwitch(data)
    disk.fill()
    with Server(world.rig, data, ("--demo",), disk.fault) as server:
        code = server.kill(signal.SIGTERM)
        check(code == 0 or (code == 1 and "No space left" in server.said()), server.said())
    with Server(world.rig, data, fault=disk.fault) as server:
        check(server.port and server.get("/oi/v1/markets")[0] == 200, "it does not serve alone")
        check(server.said().count("keys.not_writable") == 1, f"not told once: {server.said()}")
        code, _, err = add_key(world, data, "unlimited", disk.fault)
        check(code == 1 and "No space left" in err, f"a key without room, exit {code}: {err}")
        check(server.get("/oi/v1/markets")[0] == 200, "a key that was not made locks the door")
        disk.make_room()
        lock_door_on_full_disk(world, data, disk, server)
    disk.make_room()
    world.rig.run(["keys", "forget", "unlimited", "--data", str(data)])
    world.rig.run(["keys", "forget", "oanor-free", "--data", str(data)])
    wait_for_early_minute()
    with Server(world.rig, data, ("--demo",), disk.fault) as server:
        answered = server.wait_for(server.latest)
        check(answered, f"it does not collect: {server.said()}")
    check_collected(world.rig, data, answered)


def add_key(world, data, plan, fault=None):
    """(exit code, the key, stderr)."""
    code, out, err = world.rig.run(["keys", "add", "--plan", plan, "--name", plan,
                                    "--data", str(data)], fault)
    return code, out.strip(), err


def lock_door_on_full_disk(world, data, disk, server):
    """Keys are made when there is room, and stay in force when there is none again."""
    keys = [add_key(world, data, plan, disk.fault)[1] for plan in ("unlimited", "oanor-free")]
    status = lambda of, key=None: of.get("/oi/v1/markets", key=key)[0]
    locked = server.wait_for(lambda: status(server) == 401)
    check(locked, f"it does not notice a key: {server.said()}")
    disk.fill()
    with Server(world.rig, data, fault=disk.fault) as other:
        for of in (server, other):
            check(status(of) == 401, "a full disk opens the door")
            check(status(of, keys[0]) == 200, "a key that is not counted does not pass")
            refused = of.wait_for(lambda of=of: status(of, keys[1]) >= 500)
            check(refused, "what cannot be counted is given away")


def full_disk_later(world, _random, data):
    """The instruments are known, readings come and find no room."""
    copy_store(world.trial_store, data)
    meet_full_disk(world, data, FullBySwitch(data), world.trial_minute)


def small_disk(world, _random, data):
    """A real one, of a few MB: the server, and an import."""
    data.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={TMPFS_SIZE}", "tmpfs", data],
                             check=False, capture_output=True, text=True)
    if mounted.returncode != 0:
        NOTES.append(f"small disk: SKIPPED, no disk can be mounted here: {mounted.stderr.strip()}")
        return
    try:
        store = copy_store(world.trial_store, data / "store")
        meet_full_disk(world, store, FullByFilling(data), world.trial_minute)
        import_onto(world, data / "other")
    finally:
        subprocess.run(["umount", "-l", data], check=True)


def import_onto(world, store):
    """An import runs out of room, says so, and goes on when there is some."""
    big = [File(world.folder, f"big{i}", randomness.Random(i), 40000) for i in range(3)]
    ballast = store.parent / "ballast"
    room = shutil.disk_usage(store.parent).free
    ballast.write_bytes(bytes(max(room - ROOM, 0)))
    code, _, err = world.rig.import_files(store, big)
    check(code == 1 and "No space left" in err, f"exit {code}: {err}")
    world.rig.verify(store)
    world.rig.check_rows(store, big, acknowledged(err))
    ballast.unlink()
    world.rig.finish_import(store, big)


ROUNDS = [two_writers, one_file_twice_at_once, serving_while_importing, slow_reader, reader_left_open,
          full_disk_from_the_start, full_disk_later, small_disk]
