"""Techniques of MITRE ATLAS as statements name them: ``AML.T0051@5.6.0``, an id and the version of ATLAS that it is of.

* Of a version whose list comes with watchword (SHIPPED), an id that is not in it is none. Of any other version only the
  form is checked: which ids there are is ATLAS's to say, and a list here would be behind.
* Names are ATLAS's; a sub-technique is told after the technique that it is one of.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from watchword.errors import WatchwordError

SHIPPED = ("5.6.0",)
_TECHNIQUE = re.compile(r"(AML\.T[0-9]{4}(?:\.[0-9]{3})?)@([0-9]{1,4}(?:\.[0-9]{1,4}){1,2})", re.ASCII)


class BadTechnique(WatchwordError):
    """Not the id of a technique with a version, or none of that version."""


def check_technique(text: object) -> str:
    """*text*, which is to name a technique.

    Raises:
        BadTechnique.
    """
    found = _TECHNIQUE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise BadTechnique(f"{str(text)[:80]!r} is no technique of ATLAS", f"written such as AML.T0051@{SHIPPED[-1]}")
    if found[2] in SHIPPED and found[1] not in techniques(found[2]):
        raise BadTechnique(f"{found[0]}: ATLAS {found[2]} has no such technique", "a later version may: name that one")
    return found[0]


def told(technique: str) -> str:
    """*technique* with its name, where that is known."""
    found = _TECHNIQUE.fullmatch(technique)
    names = techniques(found[2]) if found is not None and found[2] in SHIPPED else {}
    if found is None or found[1] not in names:
        return technique
    of = found[1][:9]
    return f"{technique} {names[of]}{f': {names[found[1]]}' if found[1] != of else ''}"


@cache
def techniques(version: str) -> Mapping[str, str]:
    """Names by id, of a version in SHIPPED."""
    text = (files("watchword.statements") / f"atlas-{version}.tsv").read_text("utf-8")
    rows = (line.partition("\t") for line in text.splitlines() if not line.startswith("#"))
    return {id: name for id, _, name in rows}
