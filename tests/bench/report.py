# SPDX-License-Identifier: Apache-2.0
"""The Markdown that docs/benchmarks.md holds, from what run.py measured."""
from goals import CANDLES, duration, goal_rows, median, rate, ratio

# Work, and what it is called.
ROWS = (
    ("load", "bulk load from CSV"),
    ("live", "live batch of 12,000 rows"),
    ("latest", "newest value of a market"),
    ("candles", CANDLES),
    ("candles_rows", CANDLES + ", from rows"),
    ("raw_columns", "100,000 rows as columns"),
    ("raw_json", "100,000 rows as JSON"),
    ("total", "hourly USD closes of 60 markets"),
    ("total_rows", "the same total from rows"),
    ("metrics", "a month of five-minute metrics as a file"),
)


def cell(engine, work):
    """Median, p99 behind it, cold below it."""
    found = engine["works"].get(work)
    if not found:
        return "failed" if work in engine["failures"] or "all" in engine["failures"] else "-"
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


def floor_rows(found):
    """Ours beside what the machine can do at all."""
    outside, floors, day = found["oi"][1], found["floors"], found["day"]
    if "decode_all" in floors:
        copy = floors["floor_copy"]
        yield ("decode all columns, one core", f"{rate(floors['decode_all']):.0f} M rows/s",
               f"copying the same bytes: {copy['bytes'] / copy['median_ns']:.1f} GB/s",
               f"{copy['median_ns'] / floors['decode_all']['median_ns']:.2f} of it")
        yield ("encode, one core", f"{rate(floors['encode']):.1f} M rows/s", "-", "-")
    if day:
        sync, live = day["works"]["floor_sync"], day["works"]["live"]
        yield ("live batch, durable", duration(live["median_ns"]),
               f"write + fdatasync of {sync['bytes']:,} bytes: {duration(sync['median_ns'])}",
               f"{live['median_ns'] / sync['median_ns']:.1f} x")
    for work, name in ROWS:
        ours, bare = outside["works"].get(work), floors.get("floor_http_" + work)
        if ours and bare:
            yield (f"{name} over HTTP, {ours['bytes']:,} bytes", duration(ours["median_ns"]),
                   f"bare HTTP: {duration(bare['median_ns'])}", f"{ours['median_ns'] / bare['median_ns']:.1f} x")


def extra_rows(inside, day):
    """What is asked through the layer above the store, as the API asks it."""
    for work, name in ROWS:
        if work + "_query" in inside["works"]:
            yield name, cell(inside, work + "_query")
    if day:
        yield "checkpoint behind a live batch", cell({**day, "failures": {}}, "checkpoint")


def scale_rows(found):
    """The same questions of more rows."""
    inside, many, day = found["oi"][0], found["many"] or {"works": {}}, found["day"] or {"works": {}}
    columns = [{**one, "failures": {}} for one in (inside, many, day)]
    columns[0] = {**inside, "works": {work: one for work, one in inside["works"].items() if not work.endswith("_cold")}}
    yield ("bytes a row", *(f"{one['bytes_per_row']:.2f}" if one.get("bytes_per_row") else "-" for one in columns))
    for work, name in ROWS:
        yield (name, *(cell(one, work) for one in columns))


def describe_peer(one):
    """How it was set up, what it cannot do, and whether it agrees."""
    marks = ("" if one["is_durable"] else " **Not durable when acknowledged.**") + (
        "" if one["is_exact"] else " **Digits are lost.**")
    hourly = f" The hourly table took {one['roll_up_s']:.1f} s more." if one.get("roll_up_s") else ""
    yield f"* {one['name']} {one['version']}: {one['note']}.{marks}{hourly}"
    if one["agreements"]:
        how = "digit by digit" if one["is_exact"] else "within 1e-12"
        yield f"  Agrees with oi {how}: {', '.join(one['agreements'])}."
    for work, text in one["disagreements"].items():
        yield f"  **Disagrees with oi** in {work}: {text}"
    for work, reason in one["failures"].items():
        yield f"  Failed, {work}: {reason}"


def write_report(found):
    """The whole page's measured part."""
    machine, floors = found["machine"], found["floors"]
    inside, outside = found["oi"]
    engines = [inside, outside, *found["peers"].values()]
    lines = [f"Measured {found['when']} on {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
             f"{machine['system']}, kernel {machine['kernel']}, load {machine['load']:.1f} at the start; "
             f"{found['rows']:,} rows (scale {found['scale']:g}), {found['seconds']} s in all.", "",
             "## Goals", ""]
    lines += table(("work", "at least", "measured", ""), goal_rows(found))
    lines += ["## Engines", "",
              "Median (99th percentile), cold: first question of a fresh process, files not in memory. The ratio is the "
              "best peer's median over ours: embedded engines against the library, servers against the server where it "
              "has such an answer.", ""]
    live = {"works": {**inside["works"], "live": (found["day"] or {"works": {}})["works"].get("live")}}
    shown = [{**inside, **live}, *engines[1:]]
    rows = [("bytes a row", *(f"{one['bytes_per_row']:.2f}" if i != 1 and one.get("bytes_per_row") else "-"
                              for i, one in enumerate(shown)), "")]
    for work, name in ROWS:
        best = ratio(found, work)
        rows.append((name, *(cell(one, work) for one in shown), f"{best[0]:.3g} x {best[1]}" if best else "-"))
    lines += table(("work", *(f"{one['name']} {one['version']}" for one in shown), "best peer"), rows)
    lines += table(("work", "oi", "the machine alone", "ratio"), floor_rows(found))
    lines += table(("in the process, with parsing and names", "time"), extra_rows(inside, found["day"]))
    many, day = found["many"], found["day"]
    lines += ["## Scale", ""] + table(
        ("in the process", f"{found['rows']:,} rows", f"{many['rows']:,} rows" if many else "not measured",
         f"{day['rows']:,} rows, collected minute by minute" if day else "not measured"), scale_rows(found))
    columns = [(name.removeprefix("column_").replace("_", " "), f"{per_row(floors, name):.2f}")
               for name in floors if name.startswith("column_")]
    lines += ["## Bytes", ""] + table(("column, codec alone", "bytes a row"), columns)
    lines += ["## How the peers were set up", ""]
    for one in engines[2:]:
        lines += describe_peer(one)
    lines += [f"* {name} failed: {reason}" for name, reason in found["failures"].items()]
    return "\n".join(lines) + "\n"
