#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The documents as a site: tools/docs.py --output FOLDER writes it as a folder to read anywhere;
tools/embed.py puts the same files into the binary, at /docs/.

Markdown is rendered by cmark-gfm. Around each page come the list of all pages, the page's own
contents, and its neighbours; search.js holds every section's words, so that searching needs no
server. All links are relative. What leads out of the documents, into sources, becomes plain text.
"""
import argparse
import html
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The order of the pages; what stands in docs/ and not here comes last, under "More".
SECTIONS = [
    ("Begin", ["docs/README.md", "docs/start.md", "docs/concepts.md", "docs/glossary.md"]),
    ("Moving from", ["docs/moving/coinmetrics.md", "docs/moving/kiyotaka.md",
                     "docs/moving/aperiodic.md", "docs/moving/oanor.md", "docs/moving/kwery.md"]),
    ("Ask", ["docs/dialects/native.md", "examples/README.md", "docs/http.md", "docs/dialects/*.md", "docs/alerts.md",
             "docs/mcp.md"]),
    ("Data in", ["docs/importing.md", "docs/backfill.md"]),
    ("Operate", ["packaging/README.md", "docs/operating.md", "docs/sizing.md", "docs/scale.md", "docs/backup.md",
                 "docs/operating-clickhouse.md", "docs/clickhouse.md", "docs/benchmarks.md",
                 "SECURITY.md"]),
    ("Exchanges", ["docs/exchanges/*.md"]),
    ("Formats", ["docs/formats/store.md", "docs/formats/*.md"]),
    ("Contribute", ["CONTRIBUTING.md", "ARCHITECTURE.md", "LAYOUT.md", "STYLE.md",
                    "docs/adding-an-exchange.md", "docs/adding-a-dialect.md", "docs/simulator.md",
                    "CHANGELOG.md"]),
    ("More", ["docs/**/*.md"]),
]
OWN = {"docs.css": "web/docs/docs.css", "docs.js": "web/docs/docs.js", "theme.css": "web/theme.css",
       "theme.js": "web/theme.js", "icon.svg": "web/icon.svg"}
# What a page is called in lists, where its own heading says it to the readers of a folder.
TITLES = {"docs/README.md": "Overview", "packaging/README.md": "Installing"}
TAG = re.compile(r"<[^>]+>")
HEADING = re.compile(r"<h([1-6])>(.*?)</h\1>", re.S)


class Page:
    def __init__(self, source, section):
        self.source, self.section = source, section
        relative = source.relative_to(ROOT).as_posix()
        if relative == "docs/README.md":
            self.path = "index.html"
        elif relative.startswith("docs/"):
            self.path = relative[len("docs/"):-len(".md")] + ".html"
        else:
            self.path = "project/" + relative[:-len(".md")].replace("/README", "").lower() + ".html"
        self.text = source.read_text(encoding="utf-8")
        found = re.search(r"^# (.+)$", self.text, re.M)
        self.title = TITLES.get(relative) or re.sub(r"[`*]", "", found.group(1)) if found else source.stem
        self.body, self.contents = "", []

    def link_to(self, path):
        """The address of another file of the site, from this page."""
        return os.path.relpath(path, os.path.dirname(self.path) or ".").replace(os.sep, "/")


def find_pages(root=ROOT):
    pages, seen = [], set()
    for section, patterns in SECTIONS:
        for pattern in patterns:
            for source in sorted(root.glob(pattern)):
                if source not in seen:
                    seen.add(source)
                    pages.append(Page(source, section))
    return pages


def plain(text):
    return html.unescape(TAG.sub("", text)).strip()


def slug_of(text, taken):
    """As GitHub makes them, so that a link into a page works there and here."""
    slug = re.sub(r"[^\w\- ]", "", plain(text).lower()).replace(" ", "-")
    count = taken.get(slug, -1) + 1
    taken[slug] = count
    return f"{slug}-{count}" if count else slug


def render(page, by_source):
    done = subprocess.run(["cmark-gfm", "-e", "table", "-e", "autolink", "-e", "strikethrough"],
                          input=page.text.encode(), stdout=subprocess.PIPE, check=True)
    body, taken = done.stdout.decode(), {}

    def heading(found):
        level, text = int(found.group(1)), found.group(2)
        slug = slug_of(text, taken)
        if level in (2, 3):
            page.contents.append((level, slug, plain(text)))
        anchor = "" if level == 1 else \
            f'<a class="anchor" href="#{slug}" aria-label="Link to {html.escape(plain(text))}">#</a>'
        return f'<h{level} id="{slug}">{text}{anchor}</h{level}>'

    def link(found):
        target, text = html.unescape(found.group(1)), found.group(2)
        if re.match(r"[a-z]+:|#", target):
            return found.group(0)
        name, _, fragment = target.partition("#")
        other = by_source.get((page.source.parent / name).resolve())
        if not other and (page.source.parent / name / "README.md").resolve() in by_source:
            other = by_source[(page.source.parent / name / "README.md").resolve()]
        if not other and (page.source.parent / name).resolve() == ROOT / "README.md":
            other = next((each for each in by_source.values() if each.path == "index.html"), None)
        if not other:
            return text
        address = page.link_to(other.path) + (f"#{fragment}" if fragment else "")
        return f'<a href="{html.escape(address)}">{text}</a>'

    body = HEADING.sub(heading, body)
    body = re.sub(r'<a href="([^"]*)">(.*?)</a>',
                  lambda found: found.group(0) if 'class="anchor"' in found.group(0) else link(found),
                  body, flags=re.S)
    body = re.sub(r"<table>", '<div class="scroll" tabindex="0"><table>', body)
    body = body.replace("</table>", "</table></div>")
    body = body.replace("<pre>", '<pre tabindex="0">')
    page.body = re.sub(r'<(th|td) align="(\w+)">', r'<\1 class="at-\2">', body)


def navigation(page, pages):
    lines = []
    for section, _ in SECTIONS:
        own = [each for each in pages if each.section == section]
        if not own:
            continue
        is_open = page in own or section in ("Begin", "Moving from", "Ask")
        lines.append(f'<details{" open" if is_open else ""}><summary>{section}</summary><ul>')
        for each in own:
            current = ' aria-current="page"' if each is page else ""
            lines.append(f'<li><a href="{page.link_to(each.path)}"{current}>'
                         f"{html.escape(each.title)}</a></li>")
        lines.append("</ul></details>")
    return "\n".join(lines)


def frame(page, pages, home):
    at = pages.index(page)
    before = pages[at - 1] if at > 0 else None
    after = pages[at + 1] if at + 1 < len(pages) else None
    contents = "".join(f'<li class="level-{level}"><a href="#{slug}">{html.escape(text)}</a></li>'
                       for level, slug, text in page.contents)
    neighbours = ""
    if before:
        neighbours += (f'<a rel="prev" href="{page.link_to(before.path)}"><small>Before</small>'
                       f"{html.escape(before.title)}</a>")
    if after:
        neighbours += (f'<a rel="next" href="{page.link_to(after.path)}"><small>Next</small>'
                       f"{html.escape(after.title)}</a>")
    aside = f'<nav class="contents" aria-label="On this page"><p>On this page</p><ul>{contents}</ul></nav>' \
        if len(page.contents) > 1 else ""
    out = f'<a class="quiet-link" href="{page.link_to(home)}">Charts</a>' if home else ""
    return f"""<!doctype html>
<!-- SPDX-License-Identifier: Apache-2.0 -->
<html lang="en" data-root="{page.link_to('.')}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{html.escape(page.title)} · oi</title>
<link rel="icon" href="{page.link_to('assets/icon.svg')}" type="image/svg+xml">
<script src="{page.link_to('assets/theme.js')}"></script>
<link rel="stylesheet" href="{page.link_to('assets/theme.css')}">
<link rel="stylesheet" href="{page.link_to('assets/docs.css')}">
<script src="{page.link_to('assets/docs.js')}" defer></script>
</head>
<body class="documents">
<a class="skip" href="#text">Skip to the text</a>
<header class="top">
<button class="quiet" id="menu" type="button" aria-expanded="false" aria-controls="pages">Pages</button>
<a class="brand" href="{page.link_to('index.html')}" aria-label="oi documents"><img src="{page.link_to('assets/icon.svg')}" alt="" width="22" height="22"><span>oi documents</span></a>
<div class="search" role="search">
<input id="search" type="search" placeholder="Search  /" aria-label="Search the documents" autocomplete="off" spellcheck="false">
<div id="found" hidden><p id="count" role="status"></p><ul></ul></div>
</div>
{out}
<button class="quiet" id="theme" type="button" aria-label="Light or dark">◐</button>
</header>
<div class="columns">
<nav id="pages" aria-label="Pages">
{navigation(page, pages)}
</nav>
<main id="text">
<article>
{page.body}</article>
<nav class="neighbours" aria-label="Before and next">{neighbours}</nav>
</main>
{aside}
</div>
</body>
</html>
"""


def sections_of(page):
    """(fragment, heading, words) of each section, for the search."""
    parts = re.split(r'<h[1-3] id="([^"]*)">(.*?)</h[1-3]>', page.body, flags=re.S)
    for index in range(1, len(parts), 3):
        words = re.sub(r"\s+", " ", plain(parts[index + 2].replace("<", " <")))
        yield parts[index], plain(re.sub(r'<a class="anchor".*?</a>', "", parts[index + 1])), words


def search_index(pages):
    rows = []
    for page in pages:
        for fragment, heading, words in sections_of(page):
            rows.append([page.path, page.title, fragment, heading, words])
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    return "// SPDX-License-Identifier: Apache-2.0\nwindow.oiDocuments = " + text + ";\n"


def build(home=None):
    """(the site as path: bytes, the files that it was made of). `home` is the page that a served
    site leads back to, seen from the site's root."""
    if not shutil.which("cmark-gfm"):
        sys.exit("docs.py: cmark-gfm is missing: run tools/setup.sh run")
    pages = find_pages()
    by_source = {page.source.resolve(): page for page in pages}
    for page in pages:
        render(page, by_source)
    files = {page.path: frame(page, pages, home).encode() for page in pages}
    files["assets/search.js"] = search_index(pages).encode()
    for name, source in OWN.items():
        files["assets/" + name] = (ROOT / source).read_bytes()
    inputs = [page.source for page in pages] + [ROOT / source for source in OWN.values()]
    return files, [str(source) for source in inputs] + [os.path.abspath(__file__)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    output = parser.parse_args().output
    files, _ = build()
    for path, content in files.items():
        file = output / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    print(f"{len(files)} files in {output}; open {output / 'index.html'}")


if __name__ == "__main__":
    main()
