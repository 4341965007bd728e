"""What no loader runs, told apart so that it is named: text, JSON, media, tables; and what is not interpreted yet."""

from __future__ import annotations

from watchword.inspect.exhibit import MAGIC, WEAK, Exhibit, Format
from watchword.inspect.source import Source

_INERT = {
    "empty": "nothing in it",
    "media": "hashed; an image, a sound or a document, content not interpreted",
    "table": "hashed; rows and columns, content not interpreted",
    "text": "hashed; text, which no loader runs",
    "json": "hashed; JSON, which no loader runs",
}
_MAGIC = {
    "rar": (b"Rar!\x1a\x07",),
    "media": (
        b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"OggS", b"fLaC", b"ID3", b"%PDF-", b"II*\0", b"wOF2",
        b"wOFF",
    ),
    "table": (b"PAR1", b"ARROW1", b"SQLite format 3\0"),
}  # fmt: skip
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))


def uninterpreted(exhibit: Exhibit, what: str) -> tuple[str, str]:
    """The reader of what is not interpreted: a finding, never silence."""
    words = "the format is not known" if what == "unknown" else f"{what}: format not interpreted yet"
    exhibit.odd("not-inspected", None, words)
    exhibit.unread(0, exhibit.source.size)
    return what, "hashed, content not interpreted"


def inert(exhibit: Exhibit, what: str) -> tuple[str, str]:
    """The reader of what no loader runs."""
    return what, _INERT[what]


def is_text(head: bytes) -> bool:
    """True when *head*, the first 4,096 bytes, is UTF-8 or marked UTF-16 without control characters."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            head[: len(head) & ~1].decode("utf-16")
        except UnicodeDecodeError:
            return False
        return True
    if head.translate(None, _CONTROL) != head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        # A character cut by the end of what was read is no error.
        return len(head) == 4096 and error.start >= 4092
    return True


def _by_magic(what: str, suffixes: str = "") -> Format:
    marks = _MAGIC[what]

    def claims(source: Source, head: bytes, name: str) -> bool:
        return head.startswith(marks)

    return Format(what, MAGIC, claims, inert if what in _INERT else uninterpreted, suffixes)


def _json(source: Source, head: bytes, name: str) -> bool:
    return head.lstrip()[:1] in (b"{", b"[") and is_text(head)


def _text(source: Source, head: bytes, name: str) -> bool:
    return is_text(head)


def _later_media(source: Source, head: bytes, name: str) -> bool:
    return head[4:8] == b"ftyp"


_WORDS = "txt md rst csv tsv yaml yml toml cfg ini jinja py jsonl vocab license"
FORMATS = (
    Format("empty", MAGIC, lambda source, head, name: not head, inert),
    _by_magic("rar", "rar"),
    _by_magic("media", "png jpg jpeg gif webp wav mp3 flac ogg pdf tif tiff"),
    _by_magic("table"),
    Format("media", WEAK, _later_media, inert),
)

UNKNOWN = Format("unknown", WEAK, lambda source, head, name: True, uninterpreted)
"""What no other format claims."""
