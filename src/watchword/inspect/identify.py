"""What a file is, told from its content. The name only serves to notice that it says something else.

By rank: formats with a magic number first, then those that a loader recognises by structure, then text, then what has
less. A pickle of protocols 0 and 1 has no mark; ``judge`` tries that for whatever is left. Within a rank the order is
that of the list.

A marked pickle is told before the other formats are imported: start-up is paid for every file inspected alone.
"""

from __future__ import annotations

import importlib
import re
from functools import cache
from pathlib import PurePosixPath

from watchword.inspect.exhibit import Format, Named
from watchword.inspect.formats import pickled
from watchword.inspect.source import Source

MODULES = (
    "numpys", "compressed", "native", "sevenz", "pickled", "zips", "tars", "safetensors", "onnx", "known_data",
    "keras_files", "tensorflow", "tflite", "rdata", "paddle", "coreml", "msgpacks", "boosted",
    "xmls", "gguf", "python_source", "templates", "documents", "texts", "executorch", "plain",
)  # fmt: skip
"""The modules of ``formats``. Adding one is adding a file and its name here."""

HIDING: dict[str, bytes] = {"zips": b"PK\5\6", "tars": b"ustar", "keras_files": b"\x89HDF"}
"""Those with a format that ``hides`` (a test compares), and a mark without which they need not be asked."""

BEGINS: dict[str, bytes] = {
    "numpys": rb"\x93NUMPY",
    "safetensors": rb".{8}\{",
    "onnx": rb"[\x08\x0a\x10\x12\x1a\x22\x25\x28\x2a\x32\x38\x3a\x42\x4a\x51\x52\x58\x5a\x62\x6a\x70\x72\xa2\xca\xd2]",
    "keras_files": rb".*\x89HDF",
    "tflite": rb".{4}(?:TFL3|ORTM)",
    "rdata": rb"RD[XAB]|[XAB]\n",
    "paddle": rb"\x0a|\0{4}",
    "coreml": rb"\x08|.{4}\x02\0\0\0",
    "msgpacks": rb"[\x80-\x8f\xde\xdf]",
    "boosted": rb"\{[LiU]|CBM1",
    "xmls": rb"(?:\xef\xbb\xbf)?\s*<",
    "gguf": rb"GGUF|[lfa][mlg]gg|tjgg",
}
"""What every file of a module's formats begins with: another one need not import it. (A test compares.)"""

SUFFIXED = {"xmls": ".pmml"}
"""Modules that claim files by a name, whatever they begin with."""

_OCTAL = re.compile(rb"[ 0-7]{6}[\0 ]")

_END = 22 + 65_535
"""Bytes: the end record of a zip and its longest comment; nothing that hides at an end is further from it."""


def _listed(modules: tuple[str, ...]) -> tuple[Format, ...]:
    found = [importlib.import_module(f"watchword.inspect.formats.{name}").FORMATS for name in modules]
    return tuple(sorted((listed for formats in found for listed in formats), key=lambda listed: listed.rank))


@cache
def formats() -> tuple[Format, ...]:
    """Every format, in the order in which it is asked."""
    return _listed(MODULES)


def hiding(source: Source, head: bytes) -> tuple[Format, ...]:
    """The formats that *source* may be besides what it is recognised as; each is still to be asked."""
    end = head if source.size <= len(head) else source.read_at(max(source.size - _END, 0), _END)
    # HDF5 looks at 512 bytes and each power of two beyond.
    later = b"".join(source.read_at(1 << n, 4) for n in range(12, source.size.bit_length()))
    # A tar from before ustar has no mark, but its checksum in octal digits.
    told = head[:512] + (b"ustar" if _OCTAL.fullmatch(head, 148, 155) else b"")
    parts = (end, told, head, later)
    found = (_hiding(module) for module, mark in HIDING.items() if any(mark in part for part in parts))
    return tuple(listed for formats in found for listed in formats)


@cache
def _hiding(module: str) -> tuple[Format, ...]:
    return tuple(listed for listed in _listed((module,)) if listed.hides is not None)


@cache
def _names() -> frozenset[str]:
    return frozenset(listed.name for listed in formats())


@cache
def _by_suffix(suffix: str) -> frozenset[str]:
    return frozenset(listed.name for listed in formats() if suffix in listed.suffixes.split())


@cache
def _asked(modules: tuple[str, ...]) -> tuple[Format, ...]:
    return _listed(modules)


def identify(source: Source, head: bytes, name: str) -> Format:
    """The format of *source*, whose first 4,096 bytes are *head*."""
    for listed in pickled.FORMATS:
        if listed.claims(source, head, name):
            return listed
    begins = (BEGINS.get(module) for module in MODULES)
    asked = tuple(
        module
        for module, pattern in zip(MODULES, begins, strict=True)
        if pattern is None or re.match(pattern, head, re.DOTALL) or name.lower().endswith(SUFFIXED.get(module, "\0"))
    )
    for listed in _asked(asked):
        if listed.claims(source, head, name):
            return listed
    from watchword.inspect.formats.plain import UNKNOWN

    return UNKNOWN


def named(name: str, refined: str, found: Format) -> Named | None:
    """*name* beside what it is, when its extension says something else; None when they agree.

    *refined* is what the reader called it, *found* the listed format that it was recognised as.
    """
    suffix = PurePosixPath(name).suffix.lower().removeprefix(".")
    if not suffix or (refined == found.name and suffix in found.suffixes.split()):
        return None
    expected = _by_suffix(suffix)
    if not expected or "empty" in (refined, found.name):
        return None
    if (refined if refined in _names() else found.name) in expected:
        return None
    return Named(name, refined, expected)
