"""Data that came after this release: names for the pickle tables, norms and packs, as ``policy.updating`` installs it.

One file of this user, ``update.json`` in ``$WATCHWORD_DATA``, else in ``watchword`` below ``$XDG_DATA_HOME`` or
``~/.local/share``. Never looked for beside what is inspected, nor in a node above it: whoever delivers a folder could
put one there.

* Who signed it was checked when it was installed; the file is as trusted as the package's own. It is read strictly all
  the same: with a damaged one nothing is inspected.
* What it denies is denied besides what the release denies; what it allows lifts no denial (``pickles.standing``).
* An inspection names it: in the version of its tool, and in the digest of its rules.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from watchword.errors import WatchwordError
from watchword.limits import UPDATE_BYTES_MAX, UPDATE_NAMES_MAX, UPDATE_TEXTS_MAX

INSTALLED_FORMAT = "watchword-installed/1"
DATA_FORMAT = "watchword-data/1"
SHAPES = frozenset({"any", "plain"})
"""What an update may say of arguments (``pickles.shapes``): no condition, or plain values."""
_NAME = r"(?a)[A-Za-z_]\w{0,99}(?:\.[A-Za-z_]\w{0,99}){1,9}"
_FIELDS = {"denied": dict, "format": str, "licence": str, "made": str, "norms": list, "packs": list, "rebuilds": dict,
           "source": str, "version": int}  # fmt: skip


_KEPT: dict[str, tuple[type, ...]] = {
    "data": (dict, type(None)), "digest": (str,), "history": (list,), "signer": (dict, type(None)),
    "version_max": (int,),
}  # fmt: skip


class BadUpdate(WatchwordError):
    """Data that is not of the form stated here, or a damaged installation of it. Names what is wrong."""


@dataclass(frozen=True)
class Added:
    """What an update adds. ``denied``: dotted name to what reaching it does; ``rebuilds``: to an argument shape;
    ``norms``, ``packs``: documents (TOML). ``digest``: of the data, canonical."""

    version: int
    digest: str
    made: str
    source: str
    licence: str
    denied: Mapping[str, str]
    rebuilds: Mapping[str, str]
    norms: tuple[str, ...]
    packs: tuple[str, ...]


def place() -> Path:
    """The file of this user's update, whether it is there or not."""
    if named := os.environ.get("WATCHWORD_DATA"):
        return Path(named) / "update.json"
    return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "watchword" / "update.json"


@cache
def added() -> Added | None:
    """The update in force here; None where there is none.

    Raises:
        BadUpdate: the file is damaged, or of a newer version.
    """
    path = place()
    try:
        with path.open("rb") as file:
            data = file.read(UPDATE_BYTES_MAX + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise BadUpdate(f"{path}: {error.strerror}", "watchword update remove takes it away") from error
    kept = installed(data, path)
    return None if kept["data"] is None else parse(kept["data"], kept["digest"])


def installed(data: bytes, path: Path) -> dict[str, Any]:
    """What an installation holds: ``data`` or null, its ``digest``, ``signer``, ``version_max`` and ``history``.

    Raises:
        BadUpdate: as ``added``.
    """
    import json  # where nothing is installed, no file that is inspected pays for it

    try:
        if len(data) > UPDATE_BYTES_MAX:
            raise ValueError(f"more than {UPDATE_BYTES_MAX:,} bytes")
        value = json.loads(data)
        if value["format"] != INSTALLED_FORMAT:
            raise ValueError(f"of the form {str(value['format'])[:40]!r}")
        kept = {name: value[name] for name in _KEPT}
        for name, kinds in _KEPT.items():
            if not isinstance(kept[name], kinds) or isinstance(kept[name], bool):
                raise ValueError(f"{name} is of another type")
        return kept
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadUpdate(
            f"{path}: not an installed update that this version knows: {error}",
            "watchword update remove takes it away; what the release ships counts then",
        ) from error


def parse(value: Any, digest: str) -> Added:
    """Read the data of an update. The documents in it are read by ``policy``.

    Raises:
        BadUpdate: a field missing, unknown or of another type, too much, or a name that is none.
    """
    if not isinstance(value, dict) or {name: type(one) for name, one in value.items()} != _FIELDS:
        raise BadUpdate(f"update: fields are {', '.join(sorted(_FIELDS))}, and no other")
    if value["format"] != DATA_FORMAT:
        raise BadUpdate(f"update: of the form {value['format'][:40]!r}", "a newer watchword reads it")
    if value["version"] < 1:
        raise BadUpdate("update: a version is 1 or more")
    for part, most in (("denied", UPDATE_NAMES_MAX), ("rebuilds", UPDATE_NAMES_MAX), ("norms", UPDATE_TEXTS_MAX),
                       ("packs", UPDATE_TEXTS_MAX)):  # fmt: skip
        if len(value[part]) > most:
            raise BadUpdate(f"update: {part} has {len(value[part]):,} entries, at most {most:,}")
    for name, said in (*value["denied"].items(), *value["rebuilds"].items()):
        fine = isinstance(said, str) and 0 < len(said) <= 200 and said.isprintable()
        if not fine or not re.fullmatch(_NAME, name):
            raise BadUpdate(f"update: {name[:80]!r} is not a dotted name with what is said of it")
    if not SHAPES.issuperset(value["rebuilds"].values()):
        raise BadUpdate(f"update: what rebuilds takes {' or '.join(sorted(SHAPES))} arguments")
    if any(not isinstance(text, str) for text in (*value["norms"], *value["packs"])):
        raise BadUpdate("update: norms and packs are documents, as text")
    for text in (value["source"], value["licence"]):
        if not 0 < len(text) <= 500 or not text.isprintable():
            raise BadUpdate("update: source and licence say whose the data is, each on one line")
    return Added(
        value["version"], digest, value["made"], value["source"], value["licence"], value["denied"], value["rebuilds"],
        tuple(value["norms"]), tuple(value["packs"]),
    )  # fmt: skip
