"""Ask other members whether something hits them, without saying what to anybody outside; answer without saying what.

* A question names what falls as HMAC(alliance secret, name), as notices are filed: without the secret it says nothing.
  A member recognises what it has itself, and can test names that it guesses.
* An answer is yes or no, and how many admitted uses stop at least, told in steps of EXPOSURE_COUNT_MIN and below the
  first not at all: a smaller number could be guessed back to a system, and so could the difference of two exact ones,
  of a question with a name and without it. Nothing else of the catalog is in it.
* A member answers when a person runs the command; who asks for everything, one name at a time, is seen to do so.
* Neither is signed: they prepare a recall, whose answers are (``account.recalls``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, select

from watchword.account.exposure import NothingNamed, Wanted, exposure
from watchword.catalog.schema import THINGS
from watchword.errors import WatchwordError
from watchword.limits import EXPOSURE_ASKED_MAX, EXPOSURE_COUNT_MIN
from watchword.statements.digests import DJ, blinded, is_digest
from watchword.statements.purl import parse_purl

QUESTION = "watchword-exposure-question/1"
ANSWER = "watchword-exposure-answer/1"


class BadQuestion(WatchwordError):
    """Not a question about exposure."""


def question(secret: bytes, said: Iterable[str]) -> dict[str, Any]:
    """The question about these names, digests or package URLs, as JSON data; *secret*: the alliance's, 32 bytes."""
    names = {name for text in said for name in _asked(text)}
    return {"format": QUESTION, "names": sorted(blinded(secret, name).hex() for name in names)}


def answer(connection: Connection, secret: bytes, asked: Any) -> dict[str, Any]:
    """What a member tells on a question, as JSON data.

    Raises:
        BadQuestion: another form, or more than EXPOSURE_ASKED_MAX names.
    """
    if not isinstance(asked, dict) or set(asked) != {"format", "names"} or asked["format"] != QUESTION:
        raise BadQuestion(f"not of the form {QUESTION}")
    names = asked["names"]
    if not isinstance(names, list) or len(names) > EXPOSURE_ASKED_MAX or not all(isinstance(n, str) for n in names):
        raise BadQuestion(f"a question has at most {EXPOSURE_ASKED_MAX:,} names")
    wanted = set(names)
    columns = (THINGS.c.key, THINGS.c.sort, THINGS.c.name, THINGS.c.purl, THINGS.c.package, THINGS.c.digest)
    meant = [
        Wanted("", "key", key)
        for key, *told in connection.execute(select(*columns))
        if not wanted.isdisjoint(blinded(secret, name).hex() for name in _had(*told))
    ]
    uses = 0
    hit = False
    try:
        found = exposure(connection, "the question", meant, limit=1)
        uses, hit = len(found.stopped), found.releases_total > 0
    except NothingNamed:
        pass
    told_uses = uses // EXPOSURE_COUNT_MIN * EXPOSURE_COUNT_MIN or None
    return {"format": ANSWER, "hit": hit, "question": DJ(asked), "uses": told_uses}


def _asked(said: str) -> list[str]:
    """The names under which what a person means may be known to others."""
    sort, colon, rest = said.partition(":")
    text = rest if colon and sort in ("component", "model", "dataset", "supplier", "release") else said
    purl = parse_purl(text)
    if purl is not None:
        # Where a bill tells no version it may be any.
        return [f"package:{purl.package}@{version}" for version in {purl.version, "?" if purl.version else ""}]
    return [text if is_digest(text) else f"name:{text.casefold()}"]


def _had(sort: str, name: str, purl: str, package: str, digest: str) -> list[str]:
    """The names that a thing answers to."""
    names = [digest] if digest else []
    if package:
        version = parse_purl(purl)
        names += [f"package:{package}@{(version and version.version) or '?'}", f"package:{package}@"]
    return [*names, f"name:{name.casefold()}"] if name and sort != "release" else names
