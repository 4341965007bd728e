"""Which of two versions is the later, as the makers of packages count: Semantic Versioning 2.0.0, and PEP 440.

Follows semver.org (2.0.0, clause 11) and packaging.python.org's version specifiers (PEP 440). Pure, linear.

* ``npm``, ``golang``, ``cargo`` and others count by SemVer; ``pypi`` by PEP 440; any other type has no order here.
* What is not a version of its order has no place in it: ``None``. Whoever asks must not take that for an answer.
* SemVer is read generously, as npm does: a leading ``v`` or ``=``, and parts that are left out are zero.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from watchword.limits import VERSION_CHARS_MAX

Key = tuple[Any, ...]
"""Compares with other keys of its order."""

SEMVER = frozenset({"npm", "golang", "cargo", "swift", "hex", "pub", "nuget", "huggingface"})
"""Types of package URLs whose versions are counted by SemVer."""

_SEMVER = re.compile(
    r"[v=]?(\d{1,18})(?:\.(\d{1,18}))?(?:\.(\d{1,18}))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?", re.ASCII
)
_PEP440 = re.compile(
    r"v?(?:(?P<epoch>\d{1,18})!)?(?P<release>\d{1,18}(?:\.\d{1,18})*)"
    r"(?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_n>\d{1,18})?)?"
    r"(?:-(?P<post_i>\d{1,18})|[-_.]?(?P<post>post|rev|r)[-_.]?(?P<post_n>\d{1,18})?)?"
    r"(?:[-_.]?(?P<dev>dev)[-_.]?(?P<dev_n>\d{1,18})?)?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?",
    re.ASCII | re.IGNORECASE,
)
_PRE = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}


def order_of(purl_type: str) -> Callable[[str], Key | None] | None:
    """How versions of this type of package are counted; None where that is not known here."""
    return pep440 if purl_type == "pypi" else semver if purl_type in SEMVER else None


def semver(version: str) -> Key | None:
    """The place of *version* by SemVer; build metadata has none."""
    found = _SEMVER.fullmatch(version.strip()) if len(version) <= VERSION_CHARS_MAX else None
    if found is None:
        return None
    numbers = tuple(int(part or 0) for part in found.group(1, 2, 3))
    if found[4] is None:
        return (*numbers, (1,))
    # Numbers are less than words, and the shorter of two that begin alike is less.
    parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in found[4].split("."))
    return (*numbers, (0, *parts))


def pep440(version: str) -> Key | None:
    """The place of *version* by PEP 440."""
    found = _PEP440.fullmatch(version.strip()) if len(version) <= VERSION_CHARS_MAX else None
    if found is None:
        return None
    release = tuple(int(part) for part in found["release"].split("."))
    while len(release) > 1 and release[-1] == 0:
        release = release[:-1]
    pre: Key = (1,)
    if found["pre"]:
        word = found["pre"].lower()
        pre = (0, _PRE.get(word, word), int(found["pre_n"] or 0))
    has_post = found["post"] is not None or found["post_i"] is not None
    if found["dev"] and not found["pre"] and not has_post:
        pre = (-1,)
    post = int(found["post_i"] or found["post_n"] or 0) if has_post else -1
    dev = (0, int(found["dev_n"] or 0)) if found["dev"] else (1,)
    words = re.split(r"[-_.]", found["local"].lower()) if found["local"] else []
    local = tuple((1, int(word), "") if word.isdigit() else (0, 0, word) for word in words)
    return (int(found["epoch"] or 0), release, pre, post, dev, local)
