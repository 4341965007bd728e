"""The embedded node: where nobody made one, an alliance of one, so that the main job works on a fresh machine.

* It appears whole or not at all: it is founded aside and renamed.
* Its keys lie in plain files of mode 0600, its one witness is itself; every decision says "unwitnessed, own clock".
* Its requirement table is ``alone.toml``: what one party can ask of itself, and no more.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib import resources
from pathlib import Path

from watchword.errors import WatchwordError
from watchword.ledger import durable
from watchword.node import found_alone
from watchword.statements.times import Clock, SystemClock

_SYSTEM_CLOCK = SystemClock()


class InTheWay(WatchwordError):
    """A node, or a report, where it would change what is looked at, or where something else is."""


def embedded_node(
    home: Path | None = None, release: Path | None = None, *, clock: Clock = _SYSTEM_CLOCK
) -> tuple[Path, bool]:
    """The home at *home*; founded when there is none.

    Args:
        home: by default $WATCHWORD_HOME, else ``.watchword`` here.
        release: what is going to be looked at; the home must not lie in it.

    Returns:
        The home, and whether it was made now.

    Raises:
        InTheWay: something that is no node is there, or the home would lie inside *release*.
        StorageTrouble: the disk.
    """
    home = home or Path(os.environ.get("WATCHWORD_HOME") or ".watchword")
    if release is not None:
        refuse_inside(home, release, "a node")
    if (home / "node.toml").is_file():
        return home, False
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise InTheWay(f"{home}: in the way of a new node, and not one", "name another place with --home")
    from watchword.policy.pack import read_pack

    with resources.as_file(resources.files("watchword.assure").joinpath("alone.toml")) as path:
        pack = read_pack(path)
    with durable.translated(home):
        home.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{home.name.lstrip('.')}-", dir=home.parent))
        try:
            made = aside / "home"
            found_alone(
                made, requirements=pack.requirements, red_lines=pack.red_lines, standing=pack.standing, clock=clock
            )
            made.rename(home)
            durable.sync_folder(home.parent)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return home, True


def refuse_inside(path: Path, release: Path, what: str) -> None:
    """Check that *path* does not lie in the folder *release*: a release must not change by being looked at.

    Raises:
        InTheWay: it does.
    """
    inner, outer = path.resolve(), release.resolve()
    if outer.is_dir() and (inner == outer or outer in inner.parents):
        raise InTheWay(
            f"{path}: {what} there would become part of the release in {release}",
            "work from the folder above the release, or name another place",
        )
