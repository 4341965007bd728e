"""What README and docs show is what happens: every command in them is run, every generated page is up to date.

A fenced block marked ``console`` is a transcript (see ``transcripts``); the blocks of one page run in order in one
empty folder. Only what this very test would be caught in is not run: cloning, ``make test`` and its kin.
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.catalog.server import new_database
from gate.shared import server as server
from transcripts import matches, parse, play

from watchword.cli import parser

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
NOT_RUN = re.compile(r"^(git clone|cd watchword|make (test|demo|lint|bench))\b")


def _typed(page: Path) -> list[object]:
    text = page.read_text("utf-8")
    return [
        one
        for block in BLOCK.finditer(text)
        for one in parse(block[1], text.count("\n", 0, block.start(1)) + 1)
        if not NOT_RUN.match(one.command)
    ]


@pytest.mark.parametrize("page", [p for p in PAGES if _typed(p)], ids=lambda p: str(p.relative_to(ROOT)))
def test_every_command_of_the_page_does_what_the_page_shows(
    page: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A reader who types what stands there sees what stands there."""
    tmp_path.joinpath("verify.py").symlink_to(ROOT / "verify.py")
    more = {"WATCHWORD_SOURCE": str(ROOT)}
    if "$DATABASE" in page.read_text("utf-8"):
        more["DATABASE"] = new_database(str(request.getfixturevalue("server").folder), "howto")
    play(_typed(page), tmp_path, **more)  # type: ignore[arg-type]


def test_no_command_hides_in_a_block_that_is_not_run() -> None:
    """A line that looks typed stands in a console block, or nowhere."""
    for page in PAGES:
        outside = BLOCK.sub("", page.read_text("utf-8"))
        assert not re.search(r"^\$ watchword", outside, re.MULTILINE), page


def test_generated_pages_are_up_to_date() -> None:
    """The reference is what the code says today."""
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_links_between_pages_lead_somewhere() -> None:
    """A relative link names a file that is there."""
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"


def test_every_page_for_people_is_reached_from_the_index() -> None:
    """A page that nobody is sent to is not read."""
    docs = ROOT / "docs"
    index = (docs / "index.md").read_text("utf-8")
    pages = [page for page in docs.rglob("*.md") if page.name != "index.md" and page.parent.name != "rules"]
    assert [str(page.relative_to(docs)) for page in pages if f"({page.relative_to(docs)})" not in index] == []


def test_every_form_of_json_output_is_listed() -> None:
    """A ``schema`` that a command prints stands in docs/reference/json.md, and none stands there that none prints."""
    printed = {
        schema
        for path in (ROOT / "src").rglob("*.py")
        for schema in re.findall(
            r"""(?:"schema": |^SCHEMA = |\["schema"\] = )"(watchword-[a-z-]+/1)""", path.read_text("utf-8"), re.M
        )
    }
    listed = set(re.findall(r"`(watchword-[a-z-]+/1)`", (ROOT / "docs" / "reference" / "json.md").read_text("utf-8")))
    assert len(printed) > 30
    assert printed == listed


def test_every_command_that_can_say_no_is_in_the_table_of_exit_codes() -> None:
    """Whatever a command's own function returns but 0 and 2 stands there. Fails when a row is taken out."""
    page = ROOT.joinpath("docs", "reference", "exit-codes.md").read_text("utf-8")
    listed = {name.removeprefix("watchword ").split(" --")[0] for name in re.findall(r"`([a-z -]+)`", page)}
    missing = []
    for words, run in _commands(parser(), ()):
        module, _, function = run.partition(":")
        tree = ast.parse(ROOT.joinpath("src", "watchword", "cli", f"{module}.py").read_text("utf-8"))
        body = next(one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == function)
        said = [ast.unparse(one.value) for one in ast.walk(body) if isinstance(one, ast.Return) and one.value]
        if any(re.search(r"\b1\b", one) for one in said) and " ".join(words) not in listed:
            missing.append(" ".join(words))
    assert missing == []


def _commands(one: argparse.ArgumentParser, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    below = [action for action in one._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield words, one.get_default("run")
    for action in below:
        for word, child in action.choices.items():
            yield from _commands(child, (*words, word))


def test_the_readme_shows_both_commands_and_what_the_first_prints() -> None:
    """The first screen has make demo with its output, and make test."""
    text = (ROOT / "README.md").read_text("utf-8")
    assert "$ make demo" in text and "$ make test" in text
    assert "REFUSED" in text.split("\n## ")[0]


@pytest.mark.parametrize(
    ("wanted", "came", "fits"),
    [
        ("a … c", "a b c", True),
        ("a … c", "a b\nc", False),
        ("a\n…\nc", "a\nb\nb\nc", True),
        ("a\n…", "a", True),
        ("a", "a\nb", False),
        ("a.c", "abc", False),
    ],
)
def test_the_comparison_is_not_too_kind(wanted: str, came: str, fits: bool) -> None:
    """Three dots stand for what they say and for nothing more."""
    assert matches(wanted, came) is fits
