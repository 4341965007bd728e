"""Make the documentation a site of plain files: read from a disk, a memory stick or any web server.

    python docs/site.py FOLDER    writes it there; FOLDER is new, or a site that this wrote before

Pages stand in the four kinds: to learn, to do, to look up, to understand. No page fetches anything from elsewhere, and
each says so to the browser (Content-Security-Policy). The one script searches; without it there is the list of all
headings. A link that leads nowhere, inside a page too, ends the making: exit 1.
"""

from __future__ import annotations

import argparse
import html
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from markdown_it import MarkdownIt
from markdown_it.token import Token

from watchword.report.style import DARK, LIGHT

DOCS = Path(__file__).resolve().parent
LOOK = DOCS / "look"
MARK = "site-of-watchword"
"""A file of this name says that a folder may be written over."""

KINDS = {
    "Tutorial": ("tutorial.md",),
    "How-to": ("howto/*.md", "deploy/*.md", "clause.md"),
    "Reference": ("reference/*.md", "protocol.md", "words.md"),
    "Explanation": ("explanation/*.md", "threat-model.md"),
}
UNLISTED = ("index.md", "rules/*.md")
"""Pages that the list of all pages does not name: the first, and those that one page lists by itself."""

POLICY = "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; base-uri 'none'; form-action 'self'"


@dataclass
class Section:
    """A heading and what stands under it, as words."""

    anchor: str
    heading: str
    words: list[str] = field(default_factory=list)


@dataclass
class Page:
    """One page. ``source`` and ``links`` are relative to docs/; ``body`` is HTML."""

    source: PurePosixPath
    title: str
    body: str
    sections: list[Section]
    links: list[str]

    @property
    def address(self) -> str:
        return str(self.source.with_suffix(".html"))


def main() -> int:
    """Write the site, or say what is broken."""
    parser = argparse.ArgumentParser(description="make the documentation a site of plain files")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    target: Path = parser.parse_args().folder
    if target.exists() and any(target.iterdir()) and not (target / MARK).exists():
        print(f"{target}: holds something that is no site of this; name another folder", file=sys.stderr)
        return 2
    pages = [read(path) for path in sorted(DOCS.rglob("*.md"))]
    wrong = [*unlisted(pages), *broken(pages)]
    if wrong:
        print(*wrong, sep="\n", file=sys.stderr)
        return 1
    write(pages, target)
    print(f"{len(pages)} pages in {target}; begin with {target / 'index.html'}")
    return 0


# -- reading ----------------------------------------------------------------------------------------------------


def read(path: Path) -> Page:
    """One Markdown file as a page."""
    source = PurePosixPath(path.relative_to(DOCS).as_posix())
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("table_open", lambda *_: '<div class="wide"><table>')
    parser.add_render_rule("table_close", lambda *_: "</table></div>")
    parser.add_render_rule("fence", _fence)
    tokens = parser.parse(path.read_text("utf-8"))
    sections, links = _sections(tokens), []
    for one in _every(tokens):
        for name in ("href", "src"):
            if (target := one.attrGet(name)) is not None:
                links.append(str(target))
                one.attrSet(name, re.sub(r"\.md(?=#|$)", ".html", str(target)))
    if not sections:
        raise SystemExit(f"{source}: has no heading")
    return Page(source, sections[0].heading, parser.renderer.render(tokens, parser.options, {}), sections, links)


def _fence(_: object, tokens: list[Token], at: int, *rest: object) -> str:
    """What is typed stands out from what is printed."""
    one = tokens[at]
    lines = [html.escape(line, quote=False) for line in one.content.splitlines()]
    if one.info == "console":
        lines = [f"<b>{line}</b>" if line.startswith("$ ") else line for line in lines]
    return "<pre><code>" + "\n".join(lines) + "</code></pre>\n"


def _sections(tokens: list[Token]) -> list[Section]:
    """The headings, each given the anchor that others give it too (the words in lower case, with hyphens)."""
    found: list[Section] = []
    taken: dict[str, int] = {}
    for at, one in enumerate(tokens):
        if one.type == "heading_open":
            heading = _words(tokens[at + 1])
            plain = re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
            taken[plain] = taken.get(plain, -1) + 1
            anchor = plain if not taken[plain] else f"{plain}-{taken[plain]}"
            one.attrSet("id", anchor)
            found.append(Section(anchor, heading))
        elif found and one.type in ("inline", "fence", "code_block") and tokens[at - 1].type != "heading_open":
            found[-1].words.append(_words(one))
    return found


def _words(token: Token) -> str:
    if token.children is None:
        return token.content
    return "".join(" " if one.type in ("softbreak", "hardbreak") else one.content for one in token.children)


def _every(tokens: Iterable[Token]) -> Iterable[Token]:
    for one in tokens:
        yield one
        yield from _every(one.children or ())


# -- judging ----------------------------------------------------------------------------------------------------


def broken(pages: list[Page]) -> list[str]:
    """A line for each link to a file, or a place in a page, that is not there."""
    anchors = {page.source: {one.anchor for one in page.sections} for page in pages}
    wrong = []
    for page in pages:
        for link in page.links:
            if re.match(r"[a-z]+:", link):
                continue
            name, _, anchor = link.partition("#")
            aim = PurePosixPath(os.path.normpath(page.source.parent / name)) if name else page.source
            if aim.parts[0] == ".." or not (DOCS / aim).is_file():
                wrong.append(f"{page.source}: {link} leads nowhere in docs/")
            elif anchor and anchor not in anchors.get(aim, ()):
                wrong.append(f"{page.source}: {link}: {aim} has no such heading")
    return wrong


def unlisted(pages: list[Page]) -> list[str]:
    """A line for each page that stands in none of the four kinds."""
    known = {path for patterns in (*KINDS.values(), UNLISTED) for one in patterns for path in DOCS.glob(one)}
    return [f"{page.source}: is of none of the four kinds" for page in pages if DOCS / page.source not in known]


# -- writing ----------------------------------------------------------------------------------------------------


def write(pages: list[Page], target: Path) -> None:
    """Every page, what they show and link to, the look, and the search."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    (target / MARK).write_text("")
    titles = {page.source: page for page in pages}
    listed = {kind: [titles[one] for one in _of(patterns)] for kind, patterns in KINDS.items()}
    for page in pages:
        _put(target / page.address, whole(page, listed))
    _put(target / "search.html", whole(search(pages), listed, script=True))
    _put(target / "site.css", style())
    shutil.copyfile(LOOK / "search.js", target / "search.js")
    index = [
        {"at": f"{page.address}#{one.anchor}", "page": page.title, "heading": one.heading, "words": " ".join(one.words)}
        for page in pages
        for one in page.sections
    ]
    _put(target / "index.js", f"var SECTIONS = {json.dumps(index, ensure_ascii=False)};\n")
    for page in pages:
        for link in page.links:
            aim = Path(os.path.normpath(page.source.parent / link.partition("#")[0]))
            if not re.match(r"[a-z]+:", link) and aim.suffix not in ("", ".md"):
                (target / aim).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(DOCS / aim, target / aim)


def whole(page: Page, listed: dict[str, list[Page]], *, script: bool = False) -> str:
    """The page with its frame: skip link, search, the list of all pages, and the policy for the browser."""
    up = "../" * (len(page.source.parts) - 1)
    here = ' aria-current="page"'
    groups = "".join(
        f"<h2>{kind}</h2><ul>"
        + "".join(
            f'<li><a href="{up}{one.address}"{here if one is page else ""}>{html.escape(one.title)}</a></li>'
            for one in some
        )
        + "</ul>"
        for kind, some in listed.items()
    )
    name = "watchword" if page.source.name == "index.md" else f"{html.escape(page.title)} · watchword"
    scripts = f'<script src="{up}index.js" defer></script><script src="{up}search.js" defer></script>' if script else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{name}</title>
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">
<link rel="stylesheet" href="{up}site.css">{scripts}</head>
<body><a class="skip" href="#content">To the content</a>
<header><a class="name" href="{up}index.html">watchword</a>
<form role="search" action="{up}search.html"><label>Search <input type="search" name="q"></label></form></header>
<main id="content">
{page.body}</main>
<nav aria-label="All pages">{groups}</nav>
</body></html>
"""


def search(pages: list[Page]) -> Page:
    """The page that finds: results by script, and below them every heading, for eyes and for a browser's own search."""
    items = "".join(
        f'<li><a href="{page.address}">{html.escape(page.title)}</a>'
        + "".join(
            f' · <a href="{page.address}#{one.anchor}">{html.escape(one.heading)}</a>' for one in page.sections[1:]
        )
        + "</li>"
        for page in sorted(pages, key=lambda one: one.title.lower())
    )
    body = (
        '<h1>Search</h1><div id="found" role="status"></div><ol id="results"></ol>'
        f"<h2>Every page and heading</h2><ul>{items}</ul>"
    )
    return Page(PurePosixPath("search.md"), "Search", body, [], [])


def style() -> str:
    """The style sheet, with the colours whose contrast is tested."""
    light, dark = ("".join(f"--{name}:{value};" for name, value in one.items()) for one in (LIGHT, DARK))
    rules = (LOOK / "site.css").read_text("utf-8")
    return f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{rules}"


def _of(patterns: tuple[str, ...]) -> list[PurePosixPath]:
    return [PurePosixPath(path.relative_to(DOCS).as_posix()) for one in patterns for path in sorted(DOCS.glob(one))]


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
