"""The parties of the exercise: each a folder and the commands it runs there, as processes of their own."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from watchword.errors import WatchwordError

COMMAND_S_MAX = 120
"""One command of the exercise, in seconds. Origin: the slowest takes under 5 on two cores."""


class NotAsExpected(WatchwordError):
    """A command of the exercise ended otherwise than it should: the exercise stops there and says so."""


@dataclass(frozen=True)
class Shown:
    """Where the exercise prints; ``line`` writes one line."""

    line: Callable[[str], None]
    started: float = field(default_factory=time.monotonic)

    def step(self, letter: str, title: str) -> None:
        """The heading of a step, with the seconds since the start."""
        self.line(f"\n({letter}) {title}   [{time.monotonic() - self.started:.0f} s]")


@dataclass(frozen=True)
class Party:
    """A member, supplier or auditor. ``stage`` is the folder of files that pass between them; its node is its own."""

    name: str
    stage: Path
    shown: Shown

    @property
    def home(self) -> Path:
        return self.stage / self.name.lower() / ".watchword"

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        """Start a watchword command of this party."""
        return self.start_python("-m", "watchword", *words)

    def start_python(self, *words: str | Path, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """Start Python among the files that pass around, with the party's node as the home."""
        environment = {**os.environ, "WATCHWORD_HOME": str(self.home), "PYTHONUTF8": "1"}
        return subprocess.Popen(  # noqa: S603  our own interpreter and our own words, no shell
            [sys.executable, *map(str, words)], cwd=self.stage, env=environment, text=True, encoding="utf-8",
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def runs(self, *words: str | Path, exits: int = 0, show: bool = True, lines: int | None = None) -> str:
        """Run a watchword command, show it and what it printed, and return that.

        Args:
            exits: the exit code that the exercise expects.
            lines: show only so many lines of the output, and say how many more there were.

        Raises:
            NotAsExpected: another exit code.
        """
        return self.ends(self.start(*words), ("watchword", *words), exits, show, lines)

    def ends(
        self,
        process: subprocess.Popen[str],
        words: Sequence[str | Path],
        exits: int = 0,
        show: bool = True,
        lines: int | None = None,
        hide: str = "(?!)",
    ) -> str:
        """Wait for a started command and treat it as ``runs`` does; lines that match *hide* are counted, not shown."""
        out, err = process.communicate(timeout=COMMAND_S_MAX)
        told = shlex.join(str(word) for word in words)
        if process.returncode != exits:
            raise NotAsExpected(
                f"{self.name}: {told}: exit {process.returncode}, expected {exits}", (out + err).strip()
            )
        if show:
            self.shown.line(f"  {self.name} $ {told}" + (f"   # exit {exits}" if exits else ""))
            printed = out.rstrip().splitlines()
            kept = [line for line in printed if not re.match(hide, line)][:lines]
            for one in kept:
                self.shown.line(textwrap.indent(one, "    "))
            if len(printed) > len(kept):
                self.shown.line(f"    … {len(printed) - len(kept)} more lines")
        return out
