"""Whether a recall of a package reaches what a release consists of (docs/protocol.md, section 7, "Packages").

Pure. A recall names one name; ``package:<purl without version>`` is the name of every version of a package, and
``versions`` says which of them are meant.

* **What cannot be ruled out is reached**: a component without a version, or with one that is no row of numbers.
* Versions are compared as rows of numbers alone. What follows the numbers (``rc1``, ``+cu118``, ``-10``) places a
  version at most next to them: it is reached where its numbers are in the range or at its end.
* Names come from anybody's bill of materials: each is read in one pass, nothing is fetched.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from watchword.limits import PACKAGES_KEPT_MAX

PACKAGE, EXERCISE = "package:", "exercise:"
_READ = re.compile(r"v?([0-9]{1,18}(?:\.[0-9]{1,18})*)((?!\.?[0-9])[^!:]*)", re.DOTALL)


@functools.lru_cache(PACKAGES_KEPT_MAX)
def package_of(purl: str) -> tuple[str, str]:
    """The package of a purl, without version, qualifiers and subpath, and its version; both empty where it is no purl.

    Spelled in one way: percent-encoding resolved, ASCII in lower case, for PyPI each run of ``-_.`` one ``-``.
    """
    head = unquote(re.split("[?#]", purl, maxsplit=1)[0]).encode().lower().decode()
    if not head.startswith("pkg:"):
        return "", ""
    head = "pkg:" + head[4:].lstrip("/")
    # The first @ that does not begin a namespace, as npm's do.
    package, *rest = re.split("(?<!/)@", head, maxsplit=1)
    if package.startswith("pkg:pypi/"):
        package = re.sub("[-_.]+", "-", package)
    return package.rstrip("/"), "".join(rest)


def numbers(text: str) -> tuple[int, ...]:
    """``2.10.0`` as (2, 10): what versions are compared by."""
    row = [int(part) for part in text.split(".")]
    while row and not row[-1]:
        row.pop()
    return tuple(row)


def within(version: str, span: Mapping[str, str | None]) -> bool:
    """Whether *version* is in ``from`` (inclusive) to ``before``, or cannot be told not to be."""
    read = _READ.fullmatch(version)
    if read is None or (read[2] and "." not in read[1]):
        # Such as a commit, an epoch, a word, or none at all.
        return True
    row, begin, end = numbers(read[1]), span["from"], span["before"]
    if begin is not None and row < numbers(begin):
        return False
    return end is None or row < numbers(end) or (bool(read[2]) and row == numbers(end))


def reaches(recall: Mapping[str, Any], names: Iterable[str]) -> bool:
    """Whether a recall, listed under one of *names*, reaches a release or releases with this name set.

    Args:
        recall: its predicate.
        names: name sets, several together where several releases are asked about: then one that is reached is enough.
    """
    package = str(recall["target"]).removeprefix(EXERCISE)
    if not recall["versions"] or not package.startswith(PACKAGE):
        return True
    purls = (package_of(name.removeprefix("component:")) for name in names if name.startswith("component:"))
    there = [version for of, version in purls if PACKAGE + of == package]
    return not there or any(within(version, span) for version in there for span in recall["versions"])


def told_target(recall: Mapping[str, Any]) -> str:
    """What a recall is of, for people: its name, and the versions that it means."""
    spans = [
        ",".join(sign + end for sign, end in ((">=", span["from"]), ("<", span["before"])) if end is not None) or "all"
        for span in recall.get("versions", ())
    ]
    return str(recall["target"]) + (f" {' or '.join(spans)}" if spans else "")
