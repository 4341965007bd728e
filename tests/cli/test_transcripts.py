"""Every command as people see it: the words typed, the exit code, what is printed (see ``transcripts``).

A transcript's first line says where it begins: ``Begins in nothing.``, ``in alliance.`` or ``in work.`` (conftest).
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from transcripts import parse, play

from watchword.cli import parser

HERE = Path(__file__).parent
BEGINS = re.compile(r"Begins in (nothing|alliance|work)\.\n")


@pytest.mark.parametrize("path", sorted(HERE.glob("*.txt")), ids=lambda path: path.stem)
def test_each_command_answers_as_written(path: Path, stage: Callable[[str], Path]) -> None:
    """What was typed then gives what was printed then: words, verdicts and exit codes are a promise to scripts."""
    text = path.read_text("utf-8")
    begins = BEGINS.match(text)
    assert begins is not None, f"{path.name}: where does it begin?"
    play(parse(text), stage(begins[1]), WATCHWORD_SOURCE=str(HERE.parents[1]))


def test_every_command_is_typed_in_some_transcript() -> None:
    """A command that no transcript types has no promise."""
    typed = "\n".join(path.read_text("utf-8") for path in HERE.glob("*.txt"))
    missing = [name for name in _commands(parser(), "watchword") if not re.search(rf"\$ .*{name}(?![\w-])", typed)]
    assert missing == []


def _commands(tree: argparse.ArgumentParser, name: str) -> Iterator[str]:
    below = [action for action in tree._actions if isinstance(action, argparse._SubParsersAction)]
    for action in below:
        for word, command in action.choices.items():
            yield from _commands(command, f"{name} {word}")
    if not below:
        yield name
