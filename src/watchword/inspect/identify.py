"""What a file is, told from its content. The name only serves to notice that it says something else.

By rank: formats with a magic number first, then those that a loader recognises by structure, then text, then what has
less. A pickle of protocols 0 and 1 has no mark; ``judge`` tries that for whatever is left. Within a rank the order is
that of the list.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from watchword.inspect.exhibit import Format, Named
from watchword.inspect.formats import compressed, numpys, onnx, pickled, plain, safetensors, tars, zips
from watchword.inspect.source import Source

_LISTED = (
    *numpys.FORMATS,
    *compressed.FORMATS,
    *pickled.FORMATS,
    *zips.FORMATS,
    *tars.FORMATS,
    *safetensors.FORMATS,
    *onnx.FORMATS,
    *plain.FORMATS,
)
FORMATS: tuple[Format, ...] = tuple(sorted(_LISTED, key=lambda listed: listed.rank))
"""Every format, in the order in which it is asked. Adding one is adding a module and a line here."""

_NAMES = frozenset(listed.name for listed in FORMATS)
_BY_SUFFIX: dict[str, frozenset[str]] = {
    suffix: frozenset(listed.name for listed in FORMATS if suffix in listed.suffixes.split())
    for suffix in {word for listed in FORMATS for word in listed.suffixes.split()}
}


def identify(source: Source, head: bytes, name: str) -> Format:
    """The format of *source*, whose first 4,096 bytes are *head*."""
    for listed in FORMATS:
        if listed.claims(source, head, name):
            return listed
    return plain.UNKNOWN


def named(name: str, refined: str, found: str) -> Named | None:
    """*name* beside what it is, when its extension says something else; None when they agree.

    *refined* is what the reader called it, *found* the listed format that it was recognised as.
    """
    expected = _BY_SUFFIX.get(PurePosixPath(name).suffix.lower().removeprefix("."))
    if expected is None or "empty" in (refined, found):
        return None
    if (refined if refined in _NAMES else found) in expected:
        return None
    return Named(name, refined, expected)
