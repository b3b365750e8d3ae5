# SPDX-License-Identifier: Apache-2.0
"""The n-th write or sync of the database file fails: EIO, ENOSPC, a short write."""
import signal

from kill import check_collected, wait_for_early_minute
from rig import Server, acknowledged, check, copy_store

FAULTS = ("eio", "enospc", "short")
CALLS_A_COMMIT = 7  # about


def plan(random, calls):
    """One call that fails; a third of them the last one of a commit, which is a case of its own."""
    if random.random() < 0.3:
        return {"at": random.randint(1, max(calls // CALLS_A_COMMIT, 1)), "how": "head"}
    return {"at": random.randint(1, calls), "how": random.choice(FAULTS)}


def importing(world, random, data):
    """An import says what is wrong, ends with 1, and goes on when the fault is over."""
    files = random.sample(world.files, len(world.files))
    fault = plan(random, world.import_calls)
    code, _, err = world.rig.import_files(data, files, fault=fault)
    done = acknowledged(err)
    check(code in (0, 1), f"exit {code} at {fault}: {err}")
    check(code == 0 or "oi import: " in err, f"no sentence at {fault}: {err}")
    check(code != 0 or len(done) == len(files), f"success without reports at {fault}: {err}")
    if world.rig.has_store(data):
        world.rig.verify(data)
        world.rig.check_rows(data, files, done)
    else:
        check(not done, "the store of acknowledged rows is gone")
    world.rig.finish_import(data, files)


def loading(world, random, data):
    """A bulk load says what is wrong, ends with 1, and goes on when the fault is over."""
    fault = plan(random, world.bulk_calls)
    code, _, err = world.rig.import_files(data, [world.bulk_file], fault=fault)
    done = acknowledged(err)
    check(code in (0, 1), f"exit {code} at {fault}: {err}")
    check(code == 0 or "oi import: " in err, f"no sentence at {fault}: {err}")
    if world.rig.has_store(data):
        world.rig.verify(data)
        world.rig.check_rows(data, [world.bulk_file], done)
    world.rig.finish_import(data, [world.bulk_file])


def collecting(world, random, data):
    """A server that collects meets a fault, serves on, and collects on."""
    wait_for_early_minute()
    copy_store(world.demo_store, data)
    fault = plan(random, world.collect_calls)
    with Server(world.rig, data, ("--demo",), fault) as server:
        if server.port is None:
            code = server.kill()
            check(code == 1, f"it does not start at {fault} with {code}: {server.said()}")
            answered = {}
        else:
            enough = lambda: len(found := server.latest()) >= world.live_markets and found
            answered = server.wait_for(enough)
            check(answered, f"it does not collect on after {fault}: {server.said()}")
            check(server.get("/readyz")[0] == 200, f"not ready after {fault}")
            code = server.kill(signal.SIGTERM)
            check(code == 0, f"it stops with {code} after {fault}: {server.said()}")
    check_collected(world.rig, data, answered)


def checkpointing(world, random, data):
    """A checkpoint fails: nothing is lost, the server stops in order."""
    copy_store(world.full_store, data)
    fault = plan(random, world.stop_calls)
    with Server(world.rig, data, fault=fault) as server:
        code = server.kill(signal.SIGTERM)
        check(code in (0, 1), f"it stops with {code} at {fault}: {server.said()}")
    world.rig.verify(data)
    world.rig.check_rows(data, world.files, {file.path for file in world.files})


# So many of ten rounds each.
ROUNDS = [importing] * 4 + [loading] + [collecting] * 2 + [checkpointing] * 3
