"""From one format of a home to the next: numbered steps, after a copy was made.

* A home says its format in ``node.toml``. An older one is read as it is; a newer one is not touched.
* Bringing it up is asked for, never done by the way: a copy of the whole home first, then one step after another.
  Each step leaves a home of the next format, whole: a kill between two is a home of the format reached.
* A step changes how things are kept, never what was said: ledgers, bodies and receipts stay byte for byte.
* There is no way back but the copy, put in place by ``restore``, which a node must not speak from (``backup``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from watchword import __version__
from watchword.ledger import durable
from watchword.node.backup import back_up
from watchword.node.home import FORMAT, NoHome, lock_home, read_home
from watchword.statements.times import Clock


def upgrade(home: Path, copy: Path, clock: Clock) -> list[int]:
    """Bring *home* to the newest format, after copying it to the file *copy*.

    Returns:
        The formats that it went through; empty, and no copy made, where it is of the newest already.

    Raises:
        NoHome: none here, of a newer format, or something at *copy*.
        BusyNode: somebody writes the node.
        StorageTrouble: the disk. The home is of one of the formats, whole.
    """
    of = read_home(home)
    if of.format == FORMAT:
        return []
    back_up(home, copy, clock)
    went = []
    with lock_home(home, of.name), durable.translated(home):
        while (form := read_home(home).format) < FORMAT:
            STEPS[form](home)
            if read_home(home).format != form + 1:
                raise NoHome(f"{home}: the step from format {form} did not lead to {form + 1}", f"put {copy} back")
            went.append(form + 1)
    return went


def _name_the_maker(home: Path) -> None:
    """1 to 2: ``node.toml`` says which watchword to fetch where one is too old."""
    text = (home / "node.toml").read_text("utf-8")
    text, count = re.subn(r"(?m)^format = 1$", f'format = 2\nwatchword = "{__version__}"', text, count=1)
    if not count:
        raise NoHome(f"{home / 'node.toml'}: has no line that reads format = 1", "write it so, and try again")
    durable.make_folder(home / "staging", 0o700)
    durable.replace(home / "node.toml", text.encode(), home / "staging")


STEPS: Mapping[int, Callable[[Path], None]] = {1: _name_the_maker}
"""What leads from each format to the next."""
