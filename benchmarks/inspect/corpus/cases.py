"""One case of the corpus: some files, the loader they are meant for, and what they were made to be.

What a case was made to be is the author's word (``kind``). Whether its payload runs is not: that is said by the oracle,
which loads the case with its real loader under an audit hook.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["malicious", "lookalike", "generated", "shipped"]
"""``lookalike``, ``generated`` and ``shipped`` are benign: by hand, by a framework's own saver, from a package."""

MARKER = "ww-marker"
"""The file that a payload makes in the folder it runs in, and all that it does."""

COMMAND = f"echo watchword > {MARKER}"
PYTHON = f"open({MARKER!r}, 'w').close()"


@dataclass(frozen=True)
class Case:
    """Args:
    id: unique, stable, a safe folder name.
    kind: what its author says it is.
    family: for the table by family.
    loader: a name of ``loaders.LOADERS``.
    files: relative path to content; the loader gets the first, a scanner the file if it is one, else the folder.
    """

    id: str
    kind: Kind
    family: str
    loader: str
    files: tuple[tuple[str, bytes], ...]

    @property
    def target(self) -> str:
        """What a scanner is pointed at, relative to the case's folder."""
        return self.files[0][0] if len(self.files) == 1 else "."


@dataclass(frozen=True)
class Placed:
    """A case on disk. ``folder`` holds nothing else."""

    id: str
    kind: Kind
    family: str
    loader: str
    folder: Path
    first: str
    target: str

    @property
    def path(self) -> Path:
        return self.folder if self.target == "." else self.folder / self.target

    @property
    def malicious(self) -> bool:
        return self.kind == "malicious"


def place(cases: Iterable[Case], root: Path) -> None:
    """Write *cases* below *root*, and add them to its index.

    Raises:
        ValueError: two cases of one id.
    """
    index = root / "index.jsonl"
    seen = {placed.id for placed in read(root)}
    lines = []
    for case in cases:
        if case.id in seen:
            raise ValueError(f"two cases are called {case.id}")
        seen.add(case.id)
        folder = root / case.kind / case.id
        for name, content in case.files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        entry = {
            "id": case.id,
            "kind": case.kind,
            "family": case.family,
            "loader": case.loader,
            "first": case.files[0][0],
            "target": case.target,
        }
        lines.append(json.dumps(entry) + "\n")
    root.mkdir(parents=True, exist_ok=True)
    with index.open("a", encoding="utf-8") as out:
        out.writelines(lines)


def read(root: Path) -> Iterator[Placed]:
    """The cases below *root*, in the order they were written."""
    index = root / "index.jsonl"
    if not index.exists():
        return
    for line in index.read_text("utf-8").splitlines():
        entry = json.loads(line)
        yield Placed(folder=root / entry["kind"] / entry["id"], **entry)
