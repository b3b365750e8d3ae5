# SPDX-License-Identifier: Apache-2.0
"""The Markdown that docs/benchmarks.md holds, from what run.py measured."""

# Work, what it is called, and what it is held against: (the peers' works that are like it).
ROWS = (
    ("load", "bulk load from CSV"),
    ("live", "live batch of 12,000 rows"),
    ("latest", "newest value of a market"),
    ("candles", "200 hourly candles"),
    ("candles_rows", "200 hourly candles, from rows"),
    ("raw_columns", "100,000 rows as columns"),
    ("raw_json", "100,000 rows as JSON"),
    ("total", "hourly USD closes of 60 markets"),
    ("total_rows", "the same total from rows"),
    ("metrics", "a month of five-minute metrics as a file"),
)


def duration(nanoseconds):
    """Three digits and a unit."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}" if nanoseconds < 1000 * size else f"{nanoseconds / size:.0f} {unit}"
    return f"{nanoseconds:.0f} ns"


def median(engine, work):
    """Or None."""
    return engine["works"].get(work, {}).get("median_ns")


def ratio(engines, work):
    """The best peer's time over ours: embedded ones against the library, servers against the server."""
    inside, outside, *peers = engines
    best = None
    for one in peers:
        theirs = median(one, work)
        ours = median(inside if one["is_embedded"] else outside, work) or median(inside, work)
        if work in ("load", "live"):
            ours = median(inside, work)
        if work == "live" and not one["is_durable"]:
            continue
        if theirs and ours and (best is None or theirs / ours < best[0]):
            best = (theirs / ours, one["name"])
    return f"{best[0]:.3g} x {best[1]}" if best else "-"


def cell(engine, work):
    """Median, p99 behind it, cold below it."""
    found = engine["works"].get(work)
    if not found:
        return "-"
    text = duration(found["median_ns"])
    if found.get("p99_ns") and found.get("count", 1) > 1:
        text += f" ({duration(found['p99_ns'])})"
    cold = median(engine, work + "_cold")
    return text + (f", cold {duration(cold)}" if cold else "")


def table(head, rows):
    """Markdown."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def per_row(floors, work):
    """Bytes a row of one column, or of all."""
    found = floors[work]
    return found["bytes"] / found["items"]


def rate(found):
    """Items a second, in millions."""
    return found["items"] / found["median_ns"] * 1e3


def floor_rows(found):
    """Ours beside what the machine can do at all."""
    inside, outside = found["engines"][:2]
    floors, works = found["floors"], inside["works"]
    copy = floors["floor_copy"]
    yield ("decode all columns, one core", f"{rate(floors['decode_all']):.0f} M rows/s",
           f"copying the same bytes: {copy['bytes'] / copy['median_ns']:.1f} GB/s",
           f"{copy['median_ns'] / floors['decode_all']['median_ns']:.2f} of it")
    yield ("encode, one core", f"{rate(floors['encode']):.1f} M rows/s", "-", "-")
    sync = floors["floor_sync"]
    yield ("live batch, durable", duration(works["live"]["median_ns"]),
           f"write + fdatasync of {sync['bytes']} bytes: {duration(sync['median_ns'])}",
           f"{works['live']['median_ns'] / sync['median_ns']:.1f} x")
    for work, name in ROWS:
        ours, bare = outside["works"].get(work), floors.get("floor_http_" + work)
        if ours and bare:
            yield (f"{name} over HTTP, {ours['bytes']:,} bytes", duration(ours["median_ns"]),
                   f"bare HTTP: {duration(bare['median_ns'])}", f"{ours['median_ns'] / bare['median_ns']:.1f} x")


def extra_rows(inside):
    """What is asked through the layer above the store, as the API asks it."""
    for work, name in ROWS:
        if work + "_query" in inside["works"]:
            yield name, cell(inside, work + "_query")
    yield "checkpoint behind a live batch", cell(inside, "checkpoint")


def write_report(found):
    """The whole page's measured part."""
    engines, machine, floors = found["engines"], found["machine"], found["floors"]
    inside = engines[0]
    lines = [f"Measured {found['when']} on {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
             f"{machine['system']}, kernel {machine['kernel']}, load {machine['load']:.1f} at the start; "
             f"{found['rows']:,} rows (scale {found['scale']:g}), {found['seconds']} s in all.", "",
             "Median (99th percentile), cold: first question of a fresh process, files not in memory. The ratio is the "
             "best peer's median over ours: embedded engines against the library, servers against the server where it has "
             "such an answer.", ""]
    rows = [("bytes a row", *(f"{one['bytes_per_row']:.2f}" if i != 1 else "" for i, one in enumerate(engines)), "")]
    for work, name in ROWS:
        rows.append((name, *(cell(one, work) for one in engines), ratio(engines, work)))
    lines += table(("work", *(f"{one['name']} {one['version']}" for one in engines), "best peer"), rows)
    load = inside["works"]["load"]
    lines += [f"Loading: {rate(load):.2f} M rows/s. With one known time a batch, as collected data has: "
              f"{inside['bytes_per_row_collected']:.2f} bytes a row. Memory of its own: {inside['import_mib']} MiB to import, "
              f"{inside['server_mib']} MiB to serve.", ""]
    lines += table(("work", "oi", "the machine alone", "ratio"), floor_rows(found))
    lines += table(("in the process, with parsing and names", "time"), extra_rows(inside))
    columns = [(name.removeprefix("column_").replace("_", " "), f"{per_row(floors, name):.2f}")
               for name in floors if name.startswith("column_")]
    lines += table(("column, codec alone", "bytes a row"), columns)
    for one in engines[2:]:
        marks = ("" if one["is_durable"] else " **Not durable when acknowledged.**") + (
            "" if one["is_exact"] else " **Digits are lost.**")
        hourly = f" The hourly table took {one['roll_up_s']:.1f} s more." if one.get("roll_up_s") else ""
        lines.append(f"* {one['name']} {one['version']}: {one['note']}.{marks}{hourly}")
        lines += [f"  {work}: {reason}" for work, reason in one["failures"].items()]
    return "\n".join(lines) + "\n"
