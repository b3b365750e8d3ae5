# SPDX-License-Identifier: Apache-2.0
"""Damage from outside: bits turned, pages overwritten, the file cut.

Either `oi verify` names it, or it lies where nothing is stored: then every row is answered. And in no
case is a row answered that was never stored, or an answer short of rows without saying so.
"""
import shutil

from rig import Server, check, copy_store

NOTES = []
PAGE = 4096
SIGNALS = []  # deaths of a reader by damaged pages: allowed, counted


def harm(world, random, data, how):
    """Copy a store, log or chunks, and harm the copy; what was done."""
    copy_store(random.choice((world.chunked_store, world.full_store)), data)
    path = data / "data.mdb"
    content = bytearray(path.read_bytes())
    told = how(random, content)
    path.write_bytes(content)
    return told


def turn_bits(random, content):
    """One to eight bits anywhere behind the two heads of the file."""
    places = [random.randrange(2 * PAGE, len(content)) for _ in range(random.randint(1, 8))]
    for place in places:
        content[place] ^= 1 << random.randrange(8)
    return f"bits turned at {places}"


def overwrite_page(random, content):
    """One page becomes zeros, noise or another page."""
    page = random.randrange(2, len(content) // PAGE)
    other = random.randrange(2, len(content) // PAGE) * PAGE
    new = random.choice((bytes(PAGE), random.randbytes(PAGE), bytes(content[other:other + PAGE])))
    content[page * PAGE:(page + 1) * PAGE] = new
    return f"page {page} overwritten"


def cut(random, content):
    """The file ends early."""
    size = random.randrange(1, len(content) - PAGE)
    del content[size:]
    return f"cut at {size}"


def judge(world, data, told):
    """Verify and query agree, and nothing false is answered."""
    code, out, err = world.rig.run(["verify", "--data", str(data)])
    check(code in (0, 1), f"{told}: verify ends with {code}: {out}{err}")
    is_named = code == 1
    check(not is_named or "fault: " in out, f"{told}: verify names nothing: {out}{err}")
    check("cut at" not in told or is_named, f"{told}: verify says nothing")
    code, found, err = world.rig.query(data)
    if code < 0:
        SIGNALS.append(told)
    check(code >= 0 or is_named, f"{told}: a query dies, verify says nothing")
    stored = {file.feed: set(file.rows) for file in world.files}
    for feed, rows in found.items():
        false = set(rows) - stored.get(feed, set())
        check(not false or code < 0, f"{told}: rows that were never stored: {sorted(false)[:3]}")
        check(len(set(rows)) == len(rows), f"{told}: rows twice")
    count = sum(len(rows) for rows in found.values())
    whole = sum(len(rows) for rows in stored.values())
    check(count == whole or code != 0, f"{told}: {count} of {whole} rows, and no word of it: {err}")
    check(count == whole or is_named, f"{told}: {count} of {whole} rows, verify says nothing")
    return is_named


def served(world, data, told):
    """A server on it starts or says why not, answers truly or not at all."""
    stored = {row[:3] for file in world.files for row in file.rows}
    with Server(world.rig, data) as server:
        if server.port is None:
            code = server.kill()
            check(code == 1 or code < 0, f"{told}: the server ends with {code}: {server.said()}")
            return
        reply = server.get("/oi/v1/open-interest?exchange=okx&format=csv&limit=1000000")
        if not reply or reply[0] != 200:
            return
        # An answer that meets damage on its way is broken off, within a line perhaps.
        for line in reply[1].split("\n")[1:-1]:
            cells = line.split(",")
            check((cells[0], cells[4], cells[5]) in stored, f"{told}: false: {line}")


def round_of(how):
    """A round that does one kind of harm."""
    def task(world, random, data):
        told = harm(world, random, data, how)
        judge(world, data, told)
        served(world, data, told)
        shutil.rmtree(data)
    task.__name__ = how.__name__
    return task


ROUNDS = [round_of(turn_bits), round_of(overwrite_page), round_of(cut)]
