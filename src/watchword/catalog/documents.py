"""What the document of a bill of materials lists: the components of CycloneDX 1.2 to 1.7 as JSON, nested ones too.

Follows the CycloneDX specification, sections ``components``, ``purl`` and ``hashes``. Pure.

* Of each component its name, version, package URL and SHA-256. One that tells none of the last two and no name is none.
* The release itself (``metadata.component``) is no part of it; a service is no component.
* What is no such document, or has more objects than DOCUMENT_OBJECTS_MAX, lists nothing: its statement's own list is in
  the tables in any case. Documents are a supplier's or member's word, and counted as its own.
"""

from __future__ import annotations

import re

import msgspec

from watchword.catalog.rows import Thing, component
from watchword.limits import DOCUMENT_OBJECTS_MAX

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


class _Hash(msgspec.Struct, frozen=True):
    alg: str = ""
    content: str = ""


class _Component(msgspec.Struct, frozen=True):
    name: str = ""
    version: str | None = None
    purl: str | None = None
    hashes: tuple[_Hash, ...] | None = None
    components: tuple[_Component, ...] | None = None


class _Document(msgspec.Struct, frozen=True, rename={"form": "bomFormat"}):
    form: str
    components: tuple[_Component, ...] | None = None


_DECODER = msgspec.json.Decoder(_Document)


def components_of(document: bytes) -> list[Thing]:
    """The components, in the order in which they stand; each as the tables tell things apart."""
    if document.count(b"{") > DOCUMENT_OBJECTS_MAX:
        return []
    try:
        read = _DECODER.decode(document)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return []
    if read.form != "CycloneDX":
        return []
    found: list[Thing] = []
    waiting = list(read.components or ())[::-1]
    while waiting:
        one = waiting.pop()
        waiting += (one.components or ())[::-1]
        hashes = (hash_.content for hash_ in one.hashes or () if hash_.alg == "SHA-256")
        digest = next((f"sha256:{text.lower()}" for text in hashes if _SHA256.fullmatch(text)), "")
        if one.name or one.purl or digest:
            found.append(component(one.name, one.version or "", one.purl or "", digest))
    return found
