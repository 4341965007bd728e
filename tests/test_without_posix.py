"""On a system without POSIX (Windows), the checker and the inspector say what they say here, byte for byte.

What is run here stands in for such a system: see ``without_posix``. Names that only Windows takes for others are in
tests/statements/test_manifest.py and tests/inspect/test_archives.py.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
VECTORS = ROOT / "vectors" / "protocol"
WITHOUT = ROOT / "tests" / "without_posix.py"


def run(*words: str | Path, cwd: Path | None = None) -> tuple[int, str, str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200"}
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, env=env, cwd=cwd)
    return done.returncode, done.stdout, done.stderr


NOTE = "watchword: note: no sandbox on this machine: parsers are kept by nothing\n"


def both(folder: Path, *words: str | Path) -> tuple[int, str, str]:
    """What a run says, which is the same here and there, but that an inspection there says what it lacks."""
    here, there = run(*words, cwd=folder), run(WITHOUT, folder, *words, cwd=folder)
    noted = NOTE if "inspect" in words else ""
    assert there == (here[0], here[1], noted + here[2])
    return here


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The part of the inspector's corpus that is written by hand: every format, and what hides in it."""
    sys.path.insert(0, str(ROOT))
    from benchmarks.inspect import floor
    from benchmarks.inspect.corpus.cases import place

    root = tmp_path_factory.mktemp("corpus")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of the duplicate names that are the attack
        place(floor.by_hand(), root)
    return root


def test_the_inspector_says_the_same_of_every_file(corpus: Path) -> None:
    """Hundreds of files, large and small, archives and what is unpacked of them, by one process."""
    code, said, _ = both(corpus, "-m", "watchword", "inspect", "--quiet", "--format", "json", "--jobs", "1", ".")
    assert code == 1 and said.count('"rule"') > 500


def test_line_ends_are_bytes(tmp_path: Path) -> None:
    """A digest is of the file as it is; a file opened so that the system may change line ends ends the run (99)."""
    data = {"a.json": b'{"a":\r\n1}\r\n', "large.json": b"[" + b'"a",\r\n' * 300_000 + b'"b"]\r\n'}
    for name, text in data.items():
        (tmp_path / name).write_bytes(text)
    code, said, _ = both(tmp_path, "-m", "watchword", "inspect", "--quiet", "--format", "json", "--jobs", "1", ".")
    assert code == 0 and all(hashlib.sha256(text).hexdigest() in said for text in data.values())


def test_a_proof_is_checked_the_same(tmp_path: Path) -> None:
    """verify.py needs nothing of POSIX; line ends that another editor wrote are refused by name, not read past."""
    for name in ("charter.json", "proof.json"):
        (tmp_path / name).write_bytes((VECTORS / name).read_bytes())
    code, said, wrong = both(tmp_path, ROOT / "verify.py", "charter.json", "proof.json", "--at", "2026-09-21T15:00:00Z")
    assert code == 0, wrong
    (tmp_path / "charter.json").write_bytes((VECTORS / "charter.json").read_bytes().rstrip() + b"\r\n")
    code, said, wrong = both(tmp_path, ROOT / "verify.py", "charter.json", "proof.json", "--at", "2026-09-21T15:00:00Z")
    assert code == 1 and "not in canonical form" in said, wrong
