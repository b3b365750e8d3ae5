#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prove that every check can fail: each is shown a small sound tree, then one with one fault in it."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

TOOLS = pathlib.Path(__file__).resolve().parent
HEAD = "/* SPDX-License-Identifier: Apache-2.0 */\n"
SOUND = {
    "ARCHITECTURE.md": "<!-- layers -->\n| folder | may include |\n|---|---|\n| base | |\n"
                       "| core | base |\n| net | base |\n| exchanges | base core net/http.h |\n"
                       "| dialects | base core |\n| cli | everything above |\n<!-- /layers -->\n",
    "README.md": "See [the architecture](ARCHITECTURE.md) and [the web](https://example.com).\n",
    "src/meson.build": f"# {HEAD[3:-4]}\n'one.c' 'two.c' 'fine.c'\n",
    "src/base/README.md": "Base.\n",
    "src/base/one.h": HEAD + "#pragma once\n",
    "src/base/one.c": HEAD + '#include "base/one.h"\n\n#include <zlib.h>\n',
    "src/base/one_internal.h": HEAD + "#pragma once\n",
    "src/core/README.md": "Core.\n",
    "src/core/two.c": HEAD + '#include "base/one.h"\n/* strcpy( is only named here */\n'
                             "static const long count = 1'000'000;\n",
    "src/net/README.md": "Net.\n",
    "src/net/http.h": HEAD + "#pragma once\n",
    "src/net/loop.h": HEAD + "#pragma once\n",
    "src/exchanges/README.md": "Exchanges.\n",
    "src/exchanges/exchanges.def": HEAD + "OI_EXCHANGE(fine)\n",
    "src/exchanges/fine.c": HEAD + '#include "net/http.h"\n/* https://example.com/docs */\n'
                                   "const struct oi_exchange oi_exchange_fine = {};\n",
    "tests/meson.build": f"# {HEAD[3:-4]}\n'base/one' 'core/two'\n",
    "tests/unit/base/one_test.c": HEAD,
    "tests/unit/core/two_test.c": HEAD,
    "tests/fixtures/exchanges/fine/http_get.json": "{}\n",
    "web/package-lock.json": "{}\n",
}
# (check, what is planted, where, its text or None to remove it, a part of the complaint)
FAULTS = [
    ("layers", "a lower row", "ARCHITECTURE.md",
     SOUND["ARCHITECTURE.md"].replace("| base | |", "| base | core |"), "not a row above"),
    ("layers", "no table", "ARCHITECTURE.md", "nothing\n", "no table"),
    ("layers", "an unknown folder", "src/odd/odd.h", HEAD + "#pragma once\n", "no row"),
    ("layers", "an include upwards", "src/base/one.c", HEAD + '#include "core/two.h"\n',
     "may not include"),
    ("layers", "a header beside the allowed one", "src/exchanges/fine.c",
     HEAD + '#include "net/loop.h"\n', "may not include"),
    ("layers", "a private header", "src/core/two.c", HEAD + '#include "base/one_internal.h"\n',
     "is private"),
    ("layers", "a path that does not start at src/", "src/base/one.c", HEAD + '#include "one.h"\n',
     "does not start"),
    ("layers", "two files of one name", "src/core/one.c", HEAD, "two files of one name"),
    ("source", "no SPDX line", "src/base/one.c", "int x;\n", "[spdx]"),
    ("source", "no SPDX line in a script", "tools/x.sh", "#!/bin/sh\n", "[spdx]"),
    ("source", "a banned call", "src/core/two.c", HEAD + "int x = atoi(y);\n", "[banned-call]"),
    ("source", "a float", "src/core/two.c", HEAD + "static double x;\n", "[float-type]"),
    ("source", "a float format", "src/core/two.c", HEAD + 'const char *f = "%.3f";\n',
     "[float-format]"),
    ("source", "a typedef", "src/base/one.h", HEAD + "#pragma once\ntypedef struct x y;\n",
     "[typedef]"),
    ("source", "no pragma once", "src/base/one.h", HEAD, "[pragma-once]"),
    ("source", "a library with two wrappers", "src/core/two.c", HEAD + "#include <zlib.h>\n",
     "[third-party]"),
    ("source", "an unused suppression", "src/core/two.c",
     HEAD + "/* allow banned-call: the reason is long enough */\n", "[suppression]"),
    ("source", "a suppression without reason", "src/core/two.c",
     HEAD + "int x = atoi(y); /* allow banned-call: */\n", "[suppression]"),
    ("source", "a suppression of no rule", "src/core/two.c",
     HEAD + "/* allow everything: the reason is long enough */\n", "[suppression]"),
    ("source", "no unit test", "tests/unit/core/two_test.c", None, "[unit-test]"),
    ("source", "an excuse beside a unit test", "src/core/two.c",
     HEAD + "/* no unit test: the reason is long enough */\n", "[suppression]"),
    ("source", "a unit test of nothing", "tests/unit/core/three_test.c", HEAD, "[unit-test]"),
    ("source", "a unit test that is not built", "tests/meson.build",
     f"# {HEAD[3:-4]}\n'base/one'\n", "[listed]"),
    ("source", "a source that is not built", "src/meson.build",
     f"# {HEAD[3:-4]}\n'one.c' 'fine.c'\n", "[listed]"),
    ("source", "an exchange without fixtures", "tests/fixtures/exchanges/fine/http_get.json", None,
     "[adapter]"),
    ("source", "an exchange without evidence", "src/exchanges/fine.c", HEAD, "[adapter]"),
    ("source", "an exchange that is not listed", "src/exchanges/exchanges.def", HEAD, "[adapter]"),
    ("source", "a dialect without a page", "src/dialects/dialects.def", HEAD + "OI_DIALECT(fine)\n",
     "[adapter]"),
    ("source", "a folder without README", "src/core/README.md", None, "[readme]"),
    ("source", "a registry in a lock file", "web/package-lock.json", '{"resolved": "x"}\n', "[lock]"),
    ("links", "a dead link", "README.md", "[gone](docs/gone.md)\n", "leads nowhere"),
]


def run_check(name, root):
    done = subprocess.run([sys.executable, TOOLS / f"check_{name}.py", "--root", root],
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def plant(root, name, text):
    path = root / name
    if text is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def check_formatter(folder):
    """clang-format refuses a line that it would write otherwise."""
    shutil.copy(TOOLS.parent / ".clang-format", folder)
    (folder / "bad.c").write_text("int  main( void ){return 0 ;}\n", encoding="ascii")
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", "bad.c"], cwd=folder,
                          capture_output=True, check=False)
    return done.returncode != 0


def main():
    wrong = []
    with tempfile.TemporaryDirectory() as scratch:
        sound = pathlib.Path(scratch, "sound")
        for name, text in SOUND.items():
            plant(sound, name, text)
        for check in ("layers", "source", "links"):
            code, output = run_check(check, sound)
            if code != 0:
                wrong.append(f"{check}: complains of a sound tree: {output}")
        for number, (check, title, name, text, complaint) in enumerate(FAULTS):
            root = pathlib.Path(scratch, str(number))
            shutil.copytree(sound, root)
            plant(root, name, text)
            code, output = run_check(check, root)
            if code == 0 or complaint not in output:
                wrong.append(f"{check}: does not see {title}: {output}")
        if not check_formatter(pathlib.Path(scratch)):
            wrong.append("clang-format: does not see a badly formatted line")
    for sentence in wrong:
        print(f"selftest: {sentence}", file=sys.stderr)
    print(f"selftest: {len(FAULTS) + 1} planted faults, {len(wrong)} unnoticed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
