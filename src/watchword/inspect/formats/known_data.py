"""Data that its loader only reads: vocabularies of SentencePiece, vectors of fastText, raw tensors beside a graph.

* SentencePiece is a protobuf (``sentencepiece_model.proto``): pieces with scores, then how it was trained and
  normalises.
* fastText's binary form begins with its magic number and a version.
* Raw tensors have no mark; the names that exporters give them tell (``model.onnx_data``, ``openvino_model.bin``).
"""

from __future__ import annotations

import re

from watchword.inspect.exhibit import MAGIC, WEAK, Exhibit, Format, Malformed
from watchword.inspect.formats.protobuf import fields
from watchword.inspect.source import Part, Source
from watchword.limits import SENTENCEPIECE_FIELDS_MAX

_RAW = re.compile(r"(?:^|/)(?:[^/]+\.onnx[._]data(?:_\d+)?|openvino_[^/]*\.bin)$", re.IGNORECASE)


def _sentencepiece(source: Source, head: bytes, name: str) -> bool:
    if head[:1] != b"\x0a" or source.size < 16:
        return False
    try:
        outer = fields(source, count=SENTENCEPIECE_FIELDS_MAX)
        if not {(number, wire) for number, wire, _, _ in outer} <= {(n, 2) for n in range(1, 6)}:
            return False
        inner = fields(Part(source, outer[0][2], outer[0][3]))
    except Malformed:
        return False
    return [(number, wire) for number, wire, _, _ in inner[:2]] == [(1, 2), (2, 5)]


def _read_sentencepiece(exhibit: Exhibit, what: str) -> tuple[str, str]:
    outer = fields(exhibit.source, count=SENTENCEPIECE_FIELDS_MAX)
    exhibit.merge({"vocabulary": sum(number == 1 for number, _, _, _ in outer)})
    return what, "every piece by its length; a vocabulary, which no loader runs"


def _known(exhibit: Exhibit, what: str) -> tuple[str, str]:
    return what, "hashed; numbers that a loader maps and does not run"


FORMATS = (
    Format("fasttext", MAGIC, lambda source, head, name: head[:8] == b"\xba\x16\x4f\x2f\x0c\0\0\0", _known, "ftz"),
    Format("sentencepiece", WEAK, _sentencepiece, _read_sentencepiece, "spm"),
    Format("raw tensors", WEAK, lambda source, head, name: _RAW.search(name) is not None, _known),
)
