"""What was held is kept: a read-only folder that outlasts the block, at a name that says what it is."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from watchword.errors import WatchwordError
from watchword.guard.admitted import Held
from watchword.inspect import manifest_of


def keep(held: Held, goal: Path, beside: str = "") -> Path:
    """Keep what *held* holds as the folder *goal*, 0500 with files 0400; in the same file system as the copy. One file
    stands in it by its name.

    A folder of that name with the same bytes stays as it is, so that who reads it now is not disturbed; with others it
    is replaced.

    Args:
        beside: the name of a file that its reader writes into the folder, which is 0700 then. It counts for nothing.
    """
    mode = 0o700 if beside else 0o500
    copy = held.path if held.path.is_dir() else held.path.parent
    if _same(held, goal, beside):
        return goal
    aside = Path(tempfile.mkdtemp(prefix=".watchword-", dir=goal.parent))
    try:
        # Renaming a folder writes to it (its ``..``), so it must be writable while it moves.
        if goal.exists():
            goal.chmod(0o700)
            goal.rename(aside / "old")
        copy.chmod(0o700)
        if beside and (copy / beside).exists():
            (copy / beside).chmod(0o600)
        copy.rename(goal)
        goal.chmod(mode)
    finally:
        for one in sorted(aside.rglob("*")):
            if one.is_dir():
                one.chmod(0o700)
        shutil.rmtree(aside, ignore_errors=True)
    return goal


def _same(held: Held, goal: Path, beside: str) -> bool:
    if not goal.is_dir() or held.inspection.manifest is None:
        return False
    try:
        entries = manifest_of(goal).entries
    except WatchwordError:
        return False
    mine = held.inspection.manifest.entries
    return [one for one in entries if one.path != beside] == [one for one in mine if one.path != beside]
