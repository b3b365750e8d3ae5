#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare the includes of src/ with the layer table that opens ARCHITECTURE.md.

Fails on a row that names itself or a lower row, a folder missing from the table, an include that the
row does not allow, another folder's _internal.h, and two files of one name.
"""
import argparse
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def read_table(text):
    """Yield (folder, entries) of the table between the markers."""
    found = re.search(r"<!-- layers -->(.*?)<!-- /layers -->", text, re.S)
    if not found:
        raise ValueError("ARCHITECTURE.md: no table between <!-- layers --> and <!-- /layers -->")
    for line in found.group(1).strip().splitlines()[2:]:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        yield cells[0], cells[1] if len(cells) > 1 else ""


def check(root):
    """A list of sentences, one a fault."""
    faults = []
    allowed = {}
    for folder, entries in read_table((root / "ARCHITECTURE.md").read_text(encoding="utf-8")):
        if entries == "everything above":
            allowed[folder] = set(allowed)
            continue
        allowed[folder] = set(entries.split())
        for entry in allowed[folder]:
            if entry.split("/")[0] not in allowed or entry.split("/")[0] == folder:
                faults.append(f"ARCHITECTURE.md: the row of {folder} names {entry}, not a row above")

    names = {}
    source = root / "src"
    for path in sorted(source.rglob("*")):
        if path.is_dir() or path.suffix not in (".c", ".h", ".def"):
            continue
        where = path.relative_to(root)
        names.setdefault(path.name, []).append(str(where))
        folder = path.relative_to(source).parts[0]
        if len(path.relative_to(source).parts) < 2 or folder not in allowed:
            faults.append(f"{where}: its folder has no row in the table of ARCHITECTURE.md")
            continue
        for included in INCLUDE.findall(path.read_text(encoding="utf-8")):
            target = included.split("/")[0]
            if "/" not in included:
                faults.append(f'{where}: "{included}" does not start at src/')
            elif target == folder:
                continue
            elif included.endswith("_internal.h"):
                faults.append(f"{where}: {included} is private to {target}")
            elif target not in allowed[folder] and included not in allowed[folder]:
                faults.append(f"{where}: {folder} may not include {included}")
    for path in sorted((root / "tests").rglob("*.[ch]")):
        names.setdefault(path.name, []).append(str(path.relative_to(root)))
    for name, places in names.items():
        if len(places) > 1:
            faults.append(f"{' and '.join(places)}: two files of one name")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    faults = check(parser.parse_args().root)
    for fault in faults:
        print(f"layers: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
