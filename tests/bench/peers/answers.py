# SPDX-License-Identifier: Apache-2.0
"""One form for the answers of all engines, so that they can be held against one another.

An answer is a list of tuples in the order of time:

    latest, raw_json        time, exchange_time or None, known_time (nanoseconds), contracts, value, mark
    candles, candles_rows   hour since 1970, open, high, low, close, count
    total, total_rows       hour since 1970, sum of the last values
    metrics                 five minutes since 1970, open, high, low, close, last value, last mark, count

Figures are Decimals. ANY stands where an engine does not say.
"""
import decimal

FIVE_MINUTES = 300_000_000_000
ANY = object()
WORKS = ("latest", "candles", "candles_rows", "raw_json", "total", "total_rows", "metrics")
# Of engines whose figures are doubles, or decimals of about 15 digits.
TOLERANCE = decimal.Decimal("1e-12")
decimal.getcontext().prec = 60


def number(text):
    """Exact; None where there is none."""
    return None if text in ("", "\\N", None) else decimal.Decimal(text)


def of_sql(work, rows):
    """Rows as the statements of sql.py give them."""
    if work in ("latest", "raw_json"):
        return [(int(row[1]), number(row[2]), *map(number, row[3:7])) for row in rows]
    # Most write the instant of five minutes, one their number.
    return [(int(row[0]) // FIVE_MINUTES if len(row[0]) > 15 else int(row[0]), *map(number, row[1:])) for row in rows]


def same(left, right, is_exact):
    """Two figures."""
    if left is ANY or right is ANY:
        return True
    if left is None or right is None:
        return left is right
    if left == right:
        return True
    return not is_exact and abs(left - right) <= TOLERANCE * max(abs(left), abs(right))


def disagreement(answer, other, is_exact):
    """A sentence about the first difference, or None."""
    if len(answer) != len(other):
        return f"{len(answer)} rows instead of {len(other)}"
    for i, (left, right) in enumerate(zip(answer, other)):
        if len(left) != len(right) or not all(same(*pair, is_exact) for pair in zip(left, right)):
            tell = lambda row: ", ".join("*" if one is ANY else str(one) for one in row)
            return f"row {i}: ({tell(left)}) instead of ({tell(right)})"
    return None
