"""What a file is, told from its content. The name only serves to notice that it says something else.

Order matters: formats with a magic number first, then those that a loader recognises by structure, then text. A pickle
of protocols 0 and 1 has no mark; whoever judges tries that for whatever is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from watchword.inspect.numpy_files import MAGIC as NUMPY_MAGIC
from watchword.inspect.onnx import looks_like_onnx
from watchword.inspect.safetensors import looks_like_safetensors
from watchword.inspect.source import Source
from watchword.inspect.tars import looks_like_tar
from watchword.inspect.zips import looks_like_zip

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (NUMPY_MAGIC, "npy"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"GGUF", "gguf"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"ZF0x", "zfile"),
    (b"\x7fELF", "native code"),
    (b"MZ", "native code"),
    (b"\xcf\xfa\xed\xfe", "native code"),
    (b"\xca\xfe\xba\xbe", "native code"),
    (b"\0asm", "native code"),
    (b"\x89PNG\r\n", "media"),
    (b"\xff\xd8\xff", "media"),
    (b"GIF8", "media"),
    (b"RIFF", "media"),
    (b"OggS", "media"),
    (b"fLaC", "media"),
    (b"ID3", "media"),
    (b"%PDF-", "media"),
    (b"II*\0", "media"),
    (b"wOF2", "media"),
    (b"wOFF", "media"),
    (b"PAR1", "table"),
    (b"ARROW1", "table"),
    (b"SQLite format 3\0", "table"),
)
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))

_BY_NAME: dict[str, frozenset[str]] = {
    suffix: frozenset(formats.split(","))
    for suffixes, formats in {
        "pkl pickle p pck dill": "pickle,joblib,torch-legacy,gzip,bzip2,xz,zlib,lzma,zfile,lz4,zstd",
        "joblib": "pickle,joblib,gzip,bzip2,xz,zlib,lzma,zfile,lz4",
        "pt pth": "zip,pickle,torch-legacy,tar",
        "npy": "npy",
        "npz zip pt2 mar keras": "zip,hdf5",
        "safetensors": "safetensors",
        "onnx": "onnx",
        "gguf": "gguf",
        "h5 hdf5": "hdf5",
        "json ipynb": "json",
        "txt md rst csv tsv yaml yml toml cfg ini jinja py jsonl vocab license": "text,python,json,script",
        "png jpg jpeg gif webp wav mp3 flac ogg pdf tif tiff": "media",
        "gz tgz": "gzip",
        "bz2": "bzip2",
        "xz": "xz",
        "tar nemo": "tar,gzip",
        "7z": "7z",
    }.items()
    for suffix in suffixes.split()
}


@dataclass(frozen=True, slots=True)
class Named:
    """A file's name beside what it is; facts for the rule on extensions."""

    name: str
    format: str
    expected: frozenset[str]


def identify(source: Source, name: str) -> str:
    """The format of *source*: one of the words of this module. *name* only tells Python source from other text."""
    if source.size == 0:
        return "empty"
    head = source.read_at(0, 4096)
    for magic, what in _MAGIC:
        if head.startswith(magic):
            if what in ("native code", "gzip", "bzip2") and not _magic_holds(head, what):
                continue
            return what
    if head[0] == 0x80 and len(head) > 1 and head[1] <= 5:
        return "pickle"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if looks_like_tar(source):
        return "tar"
    if head[4:8] == b"TFL3":
        return "tflite"
    if looks_like_safetensors(source):
        return "safetensors"
    if head[:3] == b"\x5d\x00\x00" and head[5:13] != b"" and len(head) > 13:
        return "lzma"
    text = _text_format(head, name)
    if text:
        return text
    if looks_like_onnx(source):
        return "onnx"
    if head[0] == 0x78 and len(head) > 2 and int.from_bytes(head[:2], "big") % 31 == 0:
        return "zlib"
    if looks_like_zip(source):
        return "zip"
    if head[4:8] == b"ftyp":
        return "media"
    return "unknown"


def named(name: str, what: str) -> Named | None:
    """*name* beside the format *what* when its extension says something else; None when they agree."""
    suffix = PurePosixPath(name).suffix.lower().removeprefix(".")
    expected = _BY_NAME.get(suffix)
    if expected is None or what in expected or what == "empty":
        return None
    return Named(name, what, expected)


def also_zip(source: Source, what: str) -> bool:
    """True when *source*, recognised as something else, would be read as a zip archive too (by its end record)."""
    return what != "zip" and looks_like_zip(source)


def _magic_holds(head: bytes, what: str) -> bool:
    """Two- and three-byte magics stand at the beginning of ordinary text and pickles too: look further."""
    if what == "gzip":
        return len(head) > 3 and head[2] == 8
    if what == "bzip2":
        return head[3:4].isdigit() and head[4:10] in (b"1AY&SY", b"\x17rE8P\x90")
    return not head.startswith(b"MZ") or not _is_text(head)


def _is_text(head: bytes) -> bool:
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


def _text_format(head: bytes, name: str) -> str:
    if not _is_text(head):
        return ""
    if name.endswith((".py", ".pyw")) or (head.startswith(b"#!") and b"python" in head[:80]):
        return "python"
    if head.startswith(b"#!"):
        return "script"
    if head.lstrip()[:1] in (b"{", b"["):
        return "json"
    return "text"
