"""The documentation as a site: whole, offline, and readable by everybody."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent.parent
AXE = Path(os.environ.get("WATCHWORD_CONFORMANCE", Path(sys.prefix) / "conformance"))
AXE = AXE / "node_modules" / "axe-core" / "axe.min.js"
LOOKED_AT = ("index", "search", "protocol", "tutorial", "howto/data", "reference/commands", "rules/pickle-call")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


class Aims(HTMLParser):
    """What a page points at, and the places in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, _: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attrs if name in ("href", "src", "action") and value]
        self.ids |= {value for name, value in attrs if name == "id" and value}


def made(target: Path, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    more = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, root / "docs" / "site.py", target]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=more)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("docs") / "site"
    done = made(target)
    assert done.returncode == 0, done.stderr
    return target


def test_every_page_is_there_and_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    """Also into pages: an anchor is there. Nothing is fetched from elsewhere, and every page forbids it."""
    pages = {path: Aims(path.read_text("utf-8")) for path in site.rglob("*.html")}
    sources = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    assert {path.relative_to(site) for path in pages} == sources | {Path("search.html")}
    for path, aims in pages.items():
        assert "default-src 'none'" in path.read_text("utf-8"), path
        for link in aims.links:
            if link.startswith("https://"):
                continue
            name, _, anchor = link.partition("#")
            aim = Path(os.path.normpath(path.parent / name)) if name else path
            assert aim.is_file() and aim.is_relative_to(site), f"{path}: {link}"
            assert not anchor or anchor in pages[aim].ids, f"{path}: {link}"
    fetched = re.findall(r"(?:src|url\()=?[\"']?https?:", "".join(p.read_text("utf-8") for p in site.rglob("*.*ml")))
    assert fetched == []


def test_every_page_is_reached_from_the_list_of_all_or_from_the_rules(site: Path) -> None:
    """The four kinds name each page once; the page of a rule is reached from the list of rules."""
    listed = re.search(r'<nav aria-label="All pages">(.*?)</nav>', (site / "index.html").read_text("utf-8"))
    assert listed is not None
    names = re.findall(r'href="([^"]*)"', listed[1])
    assert re.findall(r"<h2>([^<]*)</h2>", listed[1]) == ["Tutorial", "How-to", "Reference", "Explanation"]
    rules = {str(PurePosixPath("reference") / link) for link in Aims((site / "reference/rules.html").read_text()).links}
    rules = {os.path.normpath(one) for one in rules}
    assert len(names) == len(set(names))
    for path in site.rglob("*.html"):
        at = path.relative_to(site).as_posix()
        assert at in names or at in rules or at in ("index.html", "search.html"), at


def test_a_link_that_leads_nowhere_ends_the_making(tmp_path: Path) -> None:
    """To a file, to a heading, or out of docs; and a page of no kind is named too. Nothing is written."""
    docs = tmp_path / "docs"
    (docs / "look").mkdir(parents=True)
    (docs / "site.py").write_bytes((ROOT / "docs" / "site.py").read_bytes())
    links = "[a](none.md) [b](#there) [c](../x.md) [d](words.md#deep) [e](words.md#good)"
    (docs / "index.md").write_text(f"# Here\n\n{links}\n")
    (docs / "words.md").write_text("# Words\n\n## Good\n")
    (docs / "stray.md").write_text("# Stray\n")
    done = made(tmp_path / "site", tmp_path)
    assert done.returncode == 1 and done.stderr.splitlines() == [
        "stray.md: is of none of the four kinds",
        "index.md: none.md leads nowhere in docs/",
        "index.md: #there: index.md has no such heading",
        "index.md: ../x.md leads nowhere in docs/",
        "index.md: words.md#deep: words.md has no such heading",
    ]
    assert not (tmp_path / "site").exists()


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    """Only a new or empty folder, or a site made before, is written over."""
    (tmp_path / "letters.txt").write_text("mine")
    done = made(tmp_path)
    assert (done.returncode, [path.name for path in tmp_path.iterdir()]) == (2, ["letters.txt"])


def test_a_reader_without_a_network_searches_and_reads(site: Path) -> None:
    """From files, under the page's own policy: the search finds, and axe finds no fault, in light and in dark."""
    pytest.importorskip("playwright", reason="a browser's driver is not installed (make heavy)")
    from web.browsers import started

    if not AXE.is_file():
        pytest.skip("axe-core is not there (make heavy)")
    script, found = AXE.read_text("utf-8"), []
    with started() as browser:
        for scheme in ("light", "dark"):
            page = browser.new_context(color_scheme=scheme).new_page()
            page.goto((site / "index.html").as_uri())
            page.fill("input[name=q]", "Pickle CALL posix")
            page.keyboard.press("Enter")
            page.wait_for_selector("#results li")
            assert "hold “Pickle CALL posix”" in page.inner_text("#found")
            for name in LOOKED_AT:
                page.goto((site / f"{name}.html").as_uri())
                page.evaluate(script)
                told = page.evaluate("(tags) => axe.run({ runOnly: tags })", WCAG)
                found += [(scheme, name, one["id"], one["nodes"][0]["html"][:200]) for one in told["violations"]]
    assert found == []
