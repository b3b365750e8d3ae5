#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run the unit and contract tests of one build folder, two at a time, and pass their output through.

`meson test` keeps output in a log; here a run reads as a list of promises, stdout to stdout and
stderr to stderr, program by program. The counts go to --counts as "passed failed skipped".
"""
import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import time


def run(test):
    environment = dict(os.environ)
    for name, value in test["env"].items():
        environment.setdefault(name, value)
    started = time.monotonic()
    try:
        done = subprocess.run(test["cmd"], cwd=test["workdir"], env=environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=test["timeout"], check=False)
        code, out, err = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as late:
        code, out = "timeout", late.stdout or b""
        err = (late.stderr or b"") + f"{test['name']}: no end after {late.timeout} s\n".encode()
    except OSError as error:
        code, out, err = "missing", b"", f"{test['name']}: {error}\n".encode()
    return test["name"], code, out, err, time.monotonic() - started


def count(output, code):
    """(passed, failed, skipped) of one program; one that dies without saying so failed once."""
    text = output.decode("utf-8", "replace")
    passed = sum(int(n) for n in re.findall(r"^\[  PASSED  \] (\d+) test\(s\)", text, re.M))
    failed = sum(int(n) for n in re.findall(r"^\[  FAILED  \] (\d+) test\(s\)", text, re.M))
    skipped = sum(int(n) for n in re.findall(r"^\[  SKIPPED \] (\d+) test\(s\)", text, re.M))
    if code != 0 and failed == 0:
        failed = 1
    return passed, failed, skipped


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--counts", required=True)
    parser.add_argument("--only", help="a part of the names of the tests to run")
    options = parser.parse_args()

    listed = json.loads(subprocess.check_output(["meson", "introspect", "--tests", options.build]))
    tests = [test for test in listed if not options.only or options.only in test["name"]]
    totals, broken = [0, 0, 0], []
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for name, code, out, err, seconds in pool.map(run, tests):
            print(f"---- {name} ({seconds:.1f} s)", flush=True)
            sys.stdout.buffer.write(out)
            sys.stdout.flush()
            sys.stderr.buffer.write(err)
            sys.stderr.flush()
            one = count(out + b"\n" + err, code)
            totals = [total + part for total, part in zip(totals, one)]
            if code != 0:
                broken.append(f"{name} ({code})")
    with open(options.counts, "w", encoding="ascii") as handle:
        handle.write("{} {} {}\n".format(*totals))
    print(f"---- {len(tests)} programs, {len(broken)} failed", *broken, flush=True)
    return 1 if broken or totals[1] else 0


if __name__ == "__main__":
    sys.exit(main())
