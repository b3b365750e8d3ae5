#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The house rules that a program can check, each with a name.

A line is excused by /* allow RULE: reason */ on it or on the line above; a source file without a unit
test says /* no unit test: reason */. A suppression that excuses nothing is a fault itself. Sizes only
warn.
"""
import argparse
import pathlib
import re
import sys

SPDX = "SPDX-License-Identifier: Apache-2.0"
SPDX_SUFFIXES = {".c", ".h", ".def", ".py", ".sh", ".js", ".mjs", ".css", ".html"}
SKIPPED_FOLDERS = {"node_modules", ".git", "corpus", "fixtures"}
FUNCTION_LINES, FILE_LINES = 70, 800

BANNED_CALL = re.compile(
    r"\b(strcpy|strcat|stpcpy|sprintf|vsprintf|gets|strtok|atoi|atol|atoll|atof|strtod|strtof|strtold|"
    r"gmtime|localtime|ctime|asctime|rand|srand|random|srandom)\s*\(")
FLOAT_FORMAT = re.compile(r"%[-+ #0]*[0-9*]*(?:\.[0-9*]+)?L?[aAeEfFgG]")
FLOAT_TYPE = re.compile(r"\b(double|float)\b")
FLOAT_FOLDERS = {"series", "simulator"}  # statistics, and the model of a market
# Where those two get their floating point from, and the format that has a column type for it.
FLOAT_STEMS = {"random", "decimal", "decimal_double", "parquet"}
TYPEDEF = re.compile(r"^\s*typedef\s+(struct|enum|union)\b(?!.*\()")  # function types may be
SUPPRESSION = re.compile(r"/\*\s*allow ([a-z-]+):\s*(.*?)\s*\*/")
NO_UNIT_TEST = re.compile(r"/\*\s*no unit test:\s*(.*?)\s*\*/", re.S)
SYSTEM_INCLUDE = re.compile(r"^\s*#\s*include\s+<([^>]+)>")
THIRD_PARTY = re.compile(
    r"^(uv\.h|curl/|openssl/|lmdb\.h|yajl/|zlib\.h|libdeflate\.h|zstd\.h|zip\.h|xxhash\.h|wslay/|llhttp\.h)")
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
RULES = {"banned-call", "float-format", "float-type", "typedef", "third-party", "size"}


def blank(text, keep_strings):
    """The text without comments, and without what strings say, line for line."""
    def replace(match):
        token = match.group(0)
        if keep_strings and token[0] == '"':
            return token
        if token[0] in "\"'":
            # An apostrophe between digits separates thousands.
            if token[0] == "'" and match.start() and text[match.start() - 1].isdigit():
                return token.replace("'", " ")
            return token[0] * 2
        return re.sub(r"[^\n]", " ", token)
    return TOKEN.sub(replace, text)


class Checker:
    """Faults and warnings of one tree."""

    def __init__(self, root):
        self.root = root
        self.faults = []
        self.warnings = []
        self.users = {}  # a third-party header -> the files that include it

    def fault(self, rule, path, line, message):
        where = f"{path.relative_to(self.root)}:{line}" if line else f"{path.relative_to(self.root)}"
        self.faults.append(f"{where}: {message} [{rule}]")

    def files(self, *parts):
        base = self.root.joinpath(*parts)
        for path in sorted(base.rglob("*")) if base.is_dir() else []:
            relative = path.relative_to(self.root).parts
            if path.is_file() and not any(
                    part in SKIPPED_FOLDERS or part.startswith("build") for part in relative[:-1]):
                yield path

    def check_spdx(self):
        for folder in ("src", "tests", "tools", "web"):
            for path in self.files(folder):
                if path.suffix not in SPDX_SUFFIXES and path.name != "meson.build":
                    continue
                head = path.read_text(encoding="utf-8").splitlines()[:3]
                if path.suffix in (".c", ".h", ".def"):
                    good = head[:1] == [f"/* {SPDX} */"]
                else:
                    good = any(SPDX in line for line in head)
                if not good:
                    self.fault("spdx", path, 1, f"does not begin with {SPDX}")

    def check_code(self, path):
        """The rules about lines of one C file."""
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        code = blank(text, keep_strings=False).splitlines()
        strings = blank(text, keep_strings=True).splitlines()
        in_source = path.relative_to(self.root).parts[0] == "src"
        folder = path.relative_to(self.root).parts[1]
        suppressions = {}
        for number, line in enumerate(lines, 1):
            for rule, reason in SUPPRESSION.findall(line):
                if rule not in RULES:
                    self.fault("suppression", path, number, f"there is no rule '{rule}'")
                elif len(reason) < 10:
                    self.fault("suppression", path, number, "a suppression needs its reason")
                else:
                    suppressions[(rule, number)] = False

        def excused(rule, number):
            # On the line itself, or in the comment that ends on a line just above.
            for near in (number, number - 1):
                if (rule, near) in suppressions:
                    suppressions[(rule, near)] = True
                    return True
            return False

        def report(rule, number, message):
            if not excused(rule, number):
                self.fault(rule, path, number, message)

        for number, line in enumerate(code, 1):
            found = BANNED_CALL.search(line)
            if found:
                report("banned-call", number, f"{found.group(1)} is banned")
            if TYPEDEF.search(line):
                report("typedef", number, "no typedef for structs and enums")
            if in_source and folder not in FLOAT_FOLDERS and path.stem not in FLOAT_STEMS:
                if FLOAT_TYPE.search(line):
                    report("float-type", number, "floating point lives in series/ and simulator/")
                formats = re.findall(r'"(?:\\.|[^"\\])*"', strings[number - 1])
                if any(FLOAT_FORMAT.search(one.replace("%%", "")) for one in formats):
                    report("float-format", number, "no floating-point format")
            include = SYSTEM_INCLUDE.search(line)
            if in_source and include and THIRD_PARTY.search(include.group(1)):
                if not excused("third-party", number):
                    self.users.setdefault(include.group(1), []).append((path, number))
        if path.suffix == ".h" and "#pragma once" not in code:
            self.fault("pragma-once", path, 1, "a header says #pragma once")
        self.check_sizes(path, code, excused)
        for (rule, number), used in suppressions.items():
            if not used:
                self.fault("suppression", path, number, f"nothing to excuse from '{rule}'")

    def check_sizes(self, path, code, excused):
        name = path.relative_to(self.root)
        if len(code) > FILE_LINES and not excused("size", 2):
            self.warnings.append(f"{name}: {len(code)} lines")
        start = None
        for number, line in enumerate(code, 1):
            if line.startswith("{"):
                start = number
            elif line.startswith("}") and start:
                if number - start - 1 > FUNCTION_LINES and not excused("size", start):
                    self.warnings.append(f"{name}:{start}: a function of {number - start - 1} lines")
                start = None

    def check_third_party(self):
        for header, users in self.users.items():
            for path, number in users[1:]:
                self.fault("third-party", path, number,
                           f"<{header}> is already wrapped by {users[0][0].relative_to(self.root)}")
            for path, number in users:
                if path.suffix == ".h":
                    self.fault("third-party", path, number, f"<{header}> belongs into a .c")

    def adapters(self, kind):
        """Names in exchanges.def and the like."""
        path = self.root / "src" / f"{kind}s" / f"{kind}s.def"
        if not path.is_file():
            return path, []
        text = blank(path.read_text(encoding="utf-8"), keep_strings=False)
        return path, re.findall(rf"^\s*OI_{kind.upper()}\((\w+)\)", text, re.M)

    def check_adapters(self):
        for kind in ("exchange", "dialect"):
            listed, names = self.adapters(kind)
            folder = self.root / "src" / f"{kind}s"
            for name in names:
                source = folder / f"{name}.c"
                if not source.is_file():
                    self.fault("adapter", listed, 0, f"{name} has no {source.name}")
                    continue
                fixtures = self.root / "tests" / "fixtures" / f"{kind}s" / name
                if not fixtures.is_dir() or not any(fixtures.iterdir()):
                    self.fault("adapter", source, 0, f"no fixtures in tests/fixtures/{kind}s/{name}/")
                if kind == "dialect" and not (self.root / f"docs/dialects/{name}.md").is_file():
                    self.fault("adapter", source, 0, f"no docs/dialects/{name}.md")
                if kind == "exchange" and "https://" not in re.sub(
                        r"https://[\w.-]*api[\w.-]*", "", source.read_text(encoding="utf-8")):
                    self.fault("adapter", source, 0, "a convention names the page that says so")
            for source in folder.glob("*.c") if folder.is_dir() else []:
                found = re.search(rf"^const struct oi_{kind} oi_{kind}_(\w+) = ",
                                  source.read_text(encoding="utf-8"), re.M)
                if found and found.group(1) not in names:
                    self.fault("adapter", source, 0, f"not listed in {listed.name}")

    def check_unit_tests(self):
        def read(name):
            path = self.root / name
            return path.read_text(encoding="utf-8") if path.is_file() else ""
        built, tested = read("src/meson.build"), read("tests/meson.build")
        in_contract = set(self.adapters("exchange")[1]) | set(self.adapters("dialect")[1])
        for source in self.files("src"):
            if source.suffix != ".c":
                continue
            folder, stem = source.parent.name, source.stem
            if (folder, stem) != ("cli", "main") and f"'{source.name}'" not in built:
                self.fault("listed", source, 0, "not listed in src/meson.build")
            test = self.root / "tests" / "unit" / folder / f"{stem}_test.c"
            excuse = NO_UNIT_TEST.search(source.read_text(encoding="utf-8"))
            if test.is_file():
                if f"'{folder}/{stem}'" not in tested:
                    self.fault("listed", test, 0, "not listed in tests/meson.build")
                if excuse:
                    self.fault("suppression", source, 0, "says it has no unit test, but it has one")
            elif excuse:
                if len(excuse.group(1)) < 10:
                    self.fault("suppression", source, 0, "a suppression needs its reason")
            elif folder in ("exchanges", "dialects") and stem in in_contract:
                continue  # the contract suite runs over it
            else:
                self.fault("unit-test", source, 0, f"no {test.relative_to(self.root)}")
        for test in self.files("tests", "unit"):
            source = self.root / "src" / test.parent.name / test.name.replace("_test.c", ".c")
            header = source.with_suffix(".h")
            if test.suffix == ".c" and not source.is_file() and not header.is_file():
                self.fault("unit-test", test, 0, "tests no source file")

    def check_folders(self):
        for folder in sorted((self.root / "src").iterdir()):
            if folder.is_dir() and any(folder.glob("*.[ch]")) and not (folder / "README.md").is_file():
                self.fault("readme", folder, 0, "a folder says in README.md what it is and why")

    def check_locks(self):
        for path in self.files():
            if path.name == "package-lock.json" and '"resolved"' in path.read_text(encoding="utf-8"):
                self.fault("lock", path, 0, "names a registry host: "
                           "npm install --omit-lockfile-registry-resolved=true")

    def run(self):
        self.check_spdx()
        for folder in ("src", "tests"):
            for path in self.files(folder):
                if path.suffix in (".c", ".h"):
                    self.check_code(path)
        self.check_third_party()
        self.check_adapters()
        self.check_unit_tests()
        self.check_folders()
        self.check_locks()
        return self


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    checker = Checker(parser.parse_args().root).run()
    for warning in checker.warnings:
        print(f"source: warning: {warning}", file=sys.stderr)
    for fault in checker.faults:
        print(f"source: {fault}", file=sys.stderr)
    return 1 if checker.faults else 0


if __name__ == "__main__":
    sys.exit(main())
