# SPDX-License-Identifier: Apache-2.0
"""What oi wants to reach, beside what was measured."""

CANDLES = "200 hourly candles"
# The same latency at more rows, on a machine that is not quite still.
SAME = 1.5


def duration(nanoseconds):
    """Three digits and a unit."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}" if nanoseconds < 1000 * size else f"{nanoseconds / size:.0f} {unit}"
    return f"{nanoseconds:.3g} ns"


def median(engine, work):
    """Or None."""
    return ((engine or {}).get("works", {}).get(work) or {}).get("median_ns")


def rate(found):
    """Items a second, in millions."""
    return found["items"] / found["median_ns"] * 1e3


def ratio(found, work):
    """The best peer's time over ours, and its name: embedded ones against the library, servers against the server."""
    inside, outside = found["oi"]
    best = None
    for one in found["peers"].values():
        theirs = median(one, work)
        ours = median(inside if one["is_embedded"] else outside, work) or median(inside, work)
        if work == "load":
            ours = median(inside, work)
        if work == "live":
            ours = median(found["day"], work)
        if work == "live" and not one["is_durable"]:
            continue
        if theirs and ours and (best is None or theirs / ours < best[0]):
            best = (theirs / ours, one["name"])
    return best


def goal(work, wanted, measured, is_met):
    """A row; None where it was not measured."""
    return (work, wanted, measured, "not measured" if is_met is None else "met" if is_met else "**not met**")


def against(found, work, name, times):
    """The ratio to the best peer."""
    best = ratio(found, work)
    return goal(name, f"{times:g} x the best peer", f"{best[0]:.3g} x ({best[1]})" if best else "-",
                best and best[0] >= times)


def below(name, value, limit, unit):
    """A number under a limit."""
    return goal(name, f"at most {limit:,g} {unit}", f"{value:,.3g} {unit}" if value is not None else "-",
                None if value is None else value <= limit)


def under(name, nanoseconds, limit):
    """A time under a limit."""
    return goal(name, f"under {duration(limit)}", duration(nanoseconds) if nanoseconds else "-",
                nanoseconds and nanoseconds < limit)


def size_goals(found):
    """Bytes a row."""
    inside = found["oi"][0]
    size = inside["bytes_per_row"]
    yield below("bytes a row, six columns", size, 8, "bytes")
    yield goal("the same with one known time a batch", "reported", f"{inside.get('bytes_per_row_collected') or 0:.3g} bytes",
               True if inside.get("bytes_per_row_collected") else None)
    exact = [(one["bytes_per_row"] / size, one["name"]) for one in found["peers"].values()
             if one["is_exact"] and one.get("bytes_per_row")]
    best = min(exact, default=None)
    yield goal("bytes a row against exact peers", "1.6 x smaller", f"{best[0]:.3g} x ({best[1]})" if best else "-",
               best and best[0] >= 1.6)


def live_goals(found):
    """Durable batches."""
    day = found["day"]
    yield against(found, "live", "live batch of 12,000 rows, durable", 10)
    floor, ours = median(day, "floor_sync"), median(day, "live")
    limit = max(3 * floor, 1e6) if floor else None
    yield goal("live batch beside a bare append + fdatasync", f"under 3 x of it or 1 ms: {duration(limit)}" if limit else "-",
               f"{duration(ours)} ({ours / floor:.3g} x)" if limit else "-", limit and ours <= limit)


def memory_goals(found):
    """Anonymous memory."""
    inside, day = found["oi"][0], found["day"] or {}
    memory = day.get("works", {}).get("live_memory")
    yield below("memory, collecting 12,000 series for a day", memory["bytes"] / 2**20 if memory else None, 1024, "MiB")
    yield below("memory, serving that day", day.get("server_mib"), 1024, "MiB")
    yield below("memory, import", inside.get("import_mib"), 256, "MiB")


def scale_goals(found):
    """Latencies with four times as many rows."""
    for work, name in (("latest", "newest value"), ("candles", CANDLES), ("candles_rows", CANDLES + ", from rows"),
                       ("raw_json", "100,000 rows as JSON"), ("total", "hourly closes of 60 markets"),
                       ("total_rows", "the same from rows"), ("metrics", "a month of metrics")):
        few, many = median(found["oi"][0], work), median(found["many"], work)
        rows = f"{(found['many'] or {}).get('rows', 0) / 1e6:.3g} M"
        yield goal(f"{name}, {rows} rows", f"as at {found['rows'] / 1e6:.3g} M (within {SAME:g} x)",
                   f"{duration(many)} beside {duration(few)}" if few and many else "-",
                   few and many and many <= few * SAME)
    day = found["day"]
    yield goal("a whole-world day", "17.2 M rows of 12,000 series",
               f"{day['rows']:,} rows, {day['bytes_per_row']:.3g} bytes a row" if day else "-",
               None if not day or found["scale"] < 1 else True)


def goal_rows(found):
    """Work, goal, measured, met or not."""
    inside, floors = found["oi"][0], found["floors"]
    yield against(found, "load", "bulk load from CSV to durable", 3)
    speed = rate(inside["works"]["load"])
    yield goal("bulk load from CSV", "10 M rows/s", f"{speed:.3g} M rows/s", speed >= 10)
    yield from live_goals(found)
    yield from size_goals(found)
    if "decode_all" in floors:
        part = floors["floor_copy"]["median_ns"] / floors["decode_all"]["median_ns"]
        yield goal("decode all columns, one core", "0.5 of memory-copy speed", f"{part:.2f} of it", part >= 0.5)
    yield under("newest value, in process", median(inside, "latest"), 200)
    yield under(CANDLES + " from rollups", median(inside, "candles"), 10_000)
    yield under(CANDLES + " from rows", median(inside, "candles_rows"), 150_000)
    yield against(found, "raw_json", "100,000 rows as JSON", 5)
    json = inside["works"].get("raw_json")
    yield goal("JSON, in process", "2 GB/s", f"{json['bytes'] / json['median_ns']:.3g} GB/s" if json else "-",
               json and json["bytes"] / json["median_ns"] >= 2)
    yield against(found, "total", "hourly sum of 60 markets, closes", 5)
    yield against(found, "total_rows", "hourly sum of 60 markets, candles from rows", 3)
    yield against(found, "metrics", "month of five-minute metrics to Parquet", 10)
    theirs, ours = found["peers"].get("DuckDB"), inside["works"].get("metrics")
    file = ((theirs or {}).get("works", {}).get("metrics") or {}).get("bytes")
    yield goal("size of that file", "no larger than DuckDB's", f"{ours['bytes']:,} beside {file:,} bytes" if ours and file else "-",
               None if not ours or not file else ours["bytes"] <= file)
    yield from memory_goals(found)
    yield from scale_goals(found)
