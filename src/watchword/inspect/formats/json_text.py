"""JSON read within a bound on memory: what parsing would take is reckoned from the bytes before anything is parsed.

* Bytes are decoded as ``json.loads`` does (UTF-8, -16 or -32, by their first four); lone surrogates pass, as there.
* Counted outside of strings: brackets, commas, colons; and strings with what is in them. Each is charged what CPython
  takes for it, so that the sum is an upper bound; a test measures it.
* Numbers of more than 4,300 digits and nesting without end are refused by Python's parser, and so here.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from watchword.inspect.exhibit import Malformed
from watchword.limits import JSON_FREE_BYTES, JSON_MEMORY_BYTES_MAX

_Item = TypeVar("_Item")
_CHUNK = 64 * 1024
_WIDE, _WIDEST = re.compile(rb"[\xc4-\xff]"), re.compile(rb"[\xf0-\xff]")
_BACKSLASHES = re.compile(rb"\\*")
_OBJECT, _ARRAY, _PAIR, _ITEM, _SCALAR, _STRING = 88, 96, 152, 12, 32, 64
"""Bytes of one of each: an object or array without what is in it, a pair with its tuple and with its key in the
parser's memory, an item's slot while its list grows, a number, a string without its characters."""


def parse_json(
    data: bytes,
    *,
    pairs: Callable[[list[tuple[str, Any]]], Any] | None = None,
    constant: Callable[[str], Any] | None = None,
) -> Any:
    """The value that *data* spells; *pairs* makes its objects, *constant* is given ``NaN`` and its like.

    Raises:
        Malformed: it is no JSON (the offset, in bytes, is where that shows), or, with ``limit``, it nests without end
            or would take more memory than is spent on one document. What *pairs* and *constant* raise passes through.
    """
    free = len(data) <= JSON_FREE_BYTES
    if not free:
        _afford(len(data) + _decoding(data))
    text, plain = _decoded(data)
    if not free:
        _afford(_needed(plain, len(data), text))
    del plain
    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except json.JSONDecodeError as error:
        fault = Malformed(len(text[: error.pos].encode(errors="surrogatepass")), f"no JSON: {error.msg.lower()}")
    except ValueError as error:
        fault = Malformed(0, f"no JSON: {str(error).partition(';')[0].lower()}")
    except RecursionError:
        fault = Malformed(0, "JSON that nests deeper than is parsed", limit=True)
    # Raised out here: inside a handler it would keep the parser's own error alive, and with it the whole text.
    raise fault


def descend(first: _Item, inside: Callable[[_Item], Iterable[_Item] | None]) -> Iterator[_Item]:
    """*first*, and depth first and in order what is *inside* it and in that; one iterator is held for each level."""
    levels: list[Iterator[_Item]] = [iter((first,))]
    while levels:
        for item in levels[-1]:
            yield item
            inner = inside(item)
            if inner is not None:
                levels.append(iter(inner))
                break
        else:
            levels.pop()


def _afford(needed: int) -> None:
    if needed > JSON_MEMORY_BYTES_MAX:
        limit = JSON_MEMORY_BYTES_MAX >> 20
        raise Malformed(0, f"JSON that would take {needed >> 20:,} MiB parsed, over the limit of {limit:,}", limit=True)


def _decoding(data: bytes) -> int:
    """Bytes that decoding *data* takes at most: as wide as its widest character, and once half of that beside it."""
    width = 4 if _WIDEST.search(data) else 2 if _WIDE.search(data) else 1
    return len(data) * width + len(data) * width // 2


def _decoded(data: bytes) -> tuple[str, bytes]:
    """*data* as text, and as UTF-8."""
    encoding = json.detect_encoding(data)
    try:
        text = data.decode(encoding, "surrogatepass")
    except UnicodeDecodeError as error:
        fault = Malformed(error.start, f"no JSON: not {encoding} text")
    else:
        return text, data if encoding.startswith("utf-8") else text.encode(errors="surrogatepass")
    raise fault


def _needed(plain: bytes, size: int, text: str) -> int:
    """Bytes of memory that *text*, delivered in *size* bytes and *plain* as UTF-8, takes at most until it is parsed."""
    counts = dict.fromkeys("{[,:", 0)
    quotes = inside = solid = start = 0
    while start < len(plain):
        end = start + _CHUNK
        if plain[end - 1 : end] == b"\\":
            run = _BACKSLASHES.match(plain, end)
            end = (run.end() if run else end) + 1  # an escape is not cut in two
        pieces = plain[start:end].replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
        outside = b"".join(pieces[quotes & 1 :: 2])
        for mark in counts:
            counts[mark] += outside.count(mark.encode())
        solid += len(outside.translate(None, b" \t\r\n"))
        quotes += len(pieces) - 1
        inside += min(end, len(plain)) - start - len(outside)
        start = end
    objects, arrays, commas, colons = counts.values()
    strings = quotes // 2
    width = -(-sys.getsizeof(text) // max(1, len(text)))
    return (
        size
        + sys.getsizeof(text)
        + inside * width
        + solid // 2  # digits of numbers longer than a machine word
        + objects * _OBJECT
        + arrays * _ARRAY
        + colons * _PAIR
        + (objects + arrays + commas) * _ITEM
        + max(0, commas + 2 - (strings - colons)) * _SCALAR
        + strings * _STRING
    )
