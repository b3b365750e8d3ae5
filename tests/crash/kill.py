# SPDX-License-Identifier: Apache-2.0
"""SIGKILL: of an import, of a collection, of a checkpoint; by the clock or at the n-th write."""
import signal
import threading
import time

from rig import Server, acknowledged, check, copy_store

DEATHS = ("kill-before", "kill-half", "kill-after")


def wait_for_early_minute():
    """A collector that starts at the end of a minute waits for the next one; so do we."""
    second = time.time() % 60
    if second > 50:
        time.sleep(60.5 - second)


def plan(random, calls, seconds):
    """When to die: half of the time by the clock, else at a call that changes the file."""
    if random.random() < 0.5:
        return {"kill_after": random.uniform(0, seconds * 1.1)}
    return {"fault": {"at": random.randint(1, calls), "how": random.choice(DEATHS)}}


def importing(world, random, data):
    """An import dies, perhaps again while it goes on; then it is done."""
    files = random.sample(world.files, len(world.files))
    done = set()
    for _ in range(random.choice((1, 1, 2))):
        _, _, err = world.rig.import_files(data, files,
                                           **plan(random, world.import_calls, world.import_seconds))
        done |= acknowledged(err)
        if world.rig.has_store(data):
            world.rig.verify(data)
            world.rig.check_rows(data, files, done)
        else:
            check(not done, "the store of acknowledged rows is gone")
    world.rig.finish_import(data, files)


def loading(world, random, data):
    """A bulk load dies, and goes on where its last commit was."""
    files, done = [world.bulk_file], set()
    for _ in range(random.choice((1, 1, 2))):
        _, _, err = world.rig.import_files(data, files, **plan(random, world.bulk_calls, world.bulk_seconds))
        done |= acknowledged(err)
        if world.rig.has_store(data):
            world.rig.verify(data)
            world.rig.check_rows(data, files, done)
        else:
            check(not done, "the store of acknowledged rows is gone")
    world.rig.finish_import(data, files)


def read_collected(rig, data):
    """{(market, time): open interest} of every exchange."""
    found = {}
    code, out, err = rig.run(["markets", "--data", str(data), "--format", "csv"])
    check(code == 0, f"markets fails: {err}")
    for exchange in sorted({line.partition(":")[0] for line in out.splitlines()[1:]}):
        code, feeds, err = rig.query(data, exchange)
        check(code == 0 or "no market" in err or "none" in err, f"query fails: {err}")
        for market, at, figure, _ in feeds.get("live", []):
            check((market, at) not in found, f"{market} {at}: a reading is there twice")
            found[market, at] = figure
    return found


def check_collected(rig, data, answered):
    """What the API had answered is there, digit by digit."""
    rig.verify(data)
    found = read_collected(rig, data)
    for key, figure in answered.items():
        check(found.get(key) == figure, f"{key}: answered {figure}, stored {found.get(key)}")


def collecting(world, random, data):
    """A server that collects dies; what it had answered is there, and it starts again."""
    wait_for_early_minute()
    copy_store(world.demo_store, data)
    how = plan(random, world.collect_calls, world.collect_seconds)
    answered = {}
    with Server(world.rig, data, ("--demo",), how.get("fault")) as server:
        timer = threading.Timer(how.get("kill_after", world.collect_seconds * 3), server.child.kill)
        timer.start()
        while server.port and server.child.poll() is None:
            answered.update(server.latest())
        timer.cancel()
        check(server.kill() == -signal.SIGKILL, f"it ended by itself: {server.said()}")
    check_collected(world.rig, data, answered)
    with Server(world.rig, data, ("--demo",)) as server:
        again = server.wait_for(server.latest)
        check(again, f"it does not collect any more: {server.said()}")
        check(server.kill(signal.SIGTERM) == 0, f"it stops with trouble: {server.said()}")
    answered.update(again)
    check_collected(world.rig, data, answered)


def checkpointing(world, random, data):
    """A server that moves its log into chunks as it stops dies; every row is there."""
    copy_store(world.full_store, data)
    how = plan(random, world.stop_calls, world.stop_seconds)
    with Server(world.rig, data, fault=how.get("fault")) as server:
        if server.port:
            server.child.send_signal(signal.SIGTERM)
        if "kill_after" in how:
            time.sleep(how["kill_after"])
            server.child.kill()
        code = server.kill(signal.SIGTERM)
        check(code in (0, -signal.SIGKILL), f"it stops with {code}: {server.said()}")
    world.rig.verify(data)
    world.rig.check_rows(data, world.files, {file.path for file in world.files})


# So many of ten rounds each.
ROUNDS = [importing] * 4 + [loading] + [collecting] * 3 + [checkpointing] * 2
