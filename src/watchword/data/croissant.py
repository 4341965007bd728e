"""Croissant descriptions of data sets, in and out: JSON-LD by MLCommons Croissant 1.0 and 1.1. Pure but for reading.

* In: every ``cr:FileObject`` of ``distribution`` with a ``sha256`` is a promise about one file. One without is told as
  such, never counted as checked. Nothing is fetched: what the description points to is compared with files at hand.
* Out: a description of one delivery, with its file's SHA-256 and its columns; or of a folder, with every file's.
* Integrity here is by file, not by row, and a description is not signed: the row manifest and a statement say more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchword.data.delivery import Delivery, TooLarge, check_depth
from watchword.data.files import FileManifest
from watchword.data.manifest import RowManifest
from watchword.limits import CROISSANT_BYTES_MAX, DATA_FILES_MAX

CONFORMS = ("http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/1.1")
_MEDIA = {
    "csv": "text/csv",
    "jsonl": "application/jsonlines",
    "parquet": "application/x-parquet",
    "arrow": "application/vnd.apache.arrow.file",
    "npz": "application/zip",
    "tar": "application/x-tar",
}
_TERMS = (
    "citeAs column dataType extract field fileObject fileProperty fileSet format includes isLiveDataset jsonPath key "
    "md5 parentField path recordSet references regex repeated replace separator source subField transform"
)
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    **{term: f"cr:{term}" for term in _TERMS.split()},
}
_CONTEXT["dataType"] = {"@id": "cr:dataType", "@type": "@vocab"}


@dataclass(frozen=True)
class Described:
    """A description: ``files`` maps the path told (``contentUrl``) to its SHA-256 in hex, None where none is told."""

    name: str
    version: str
    files: dict[str, str | None]


def read_croissant(path: Path) -> Described:
    """The files that a description names.

    Raises:
        UnreadableData: not Croissant 1.0 or 1.1, or a file twice.
        TooLarge: over CROISSANT_BYTES_MAX.
    """
    with Delivery(path) as delivery:
        if delivery.size > CROISSANT_BYTES_MAX:
            raise TooLarge(f"{path}: has {delivery.size:,} bytes, the limit is {CROISSANT_BYTES_MAX:,}")
        try:
            text = b"".join(delivery.chunks()).decode()
            check_depth(text)
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            delivery.fail(f"is not JSON: {str(error)[:200]}")
        delivery.finish()
        said = value.get("conformsTo", value.get("dct:conformsTo")) if isinstance(value, dict) else None
        said = said.get("@id") if isinstance(said, dict) else said
        if said not in CONFORMS:
            delivery.fail("is not a Croissant description of version 1.0 or 1.1", "it has no conformsTo that says so")
        distribution = value.get("distribution", [])
        files: dict[str, str | None] = {}
        for one in distribution if isinstance(distribution, list) else [distribution]:
            if not isinstance(one, dict) or one.get("@type") not in ("cr:FileObject", "FileObject"):
                continue
            name, digest = one.get("contentUrl", one.get("@id")), one.get("sha256")
            if not isinstance(name, str) or not (digest is None or _is_sha256(digest)):
                delivery.fail(f"has a file object without a name, or with a bad sha256: {str(name)[:80]}")
            if name in files or len(files) >= DATA_FILES_MAX:
                delivery.fail(f"names {name[:80]!r} twice, or too many files")
            files[name] = None if digest is None else digest.lower()
    return Described(str(value.get("name", ""))[:200], str(said).rpartition("/")[2], files)


def check_described(described: Described, held: FileManifest) -> dict[str, list[str]]:
    """Compare a description with files at hand, made with *plain*: paths under ``same``, ``changed``, ``missing``,
    ``without-digest`` and ``not-described``. A path told as a URL is matched by its last part."""
    names: dict[str, str] = {}
    for told in described.files:
        names[told if told in held.plain else told.rpartition("/")[2]] = told
    result: dict[str, list[str]] = {n: [] for n in ("changed", "missing", "without-digest", "not-described", "same")}
    for path, told in sorted(names.items()):
        digest = described.files[told]
        if path not in held.plain:
            result["missing"].append(told)
        elif digest is None:
            result["without-digest"].append(told)
        else:
            result["same" if held.plain[path] == digest else "changed"].append(told)
    result["not-described"] = sorted(held.plain.keys() - names.keys())
    return result


def describe(manifest: RowManifest | FileManifest, name: str) -> bytes:
    """The description (Croissant 1.1) of a delivery called *name*, as JSON text with a line feed."""
    value: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS[1],
        "name": name,
        "description": f"Described by watchword from the bytes; manifest sha256:{manifest.digest.hex()}.",
    }
    if isinstance(manifest, FileManifest):
        sizes = {line[0]: line[1] for line in manifest.lines}
        value["distribution"] = [
            _object(path, path, size, "application/octet-stream", manifest.plain[path]) for path, size in sizes.items()
        ]
    else:
        kind = _MEDIA[manifest.format]
        value["distribution"] = [_object(name, name, manifest.file_bytes, kind, manifest.file_sha256)]
        fields = [
            {
                "@type": "cr:Field",
                "@id": f"rows/{column}",
                "name": column,
                "dataType": _data_type(told),
                "source": {"fileObject": {"@id": name}, "extract": {"column": column}},
            }
            for column, told in manifest.columns
        ]
        value["recordSet"] = [{"@type": "cr:RecordSet", "@id": "rows", "name": "rows", "field": fields}]
    return json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"


def _object(identity: str, url: str, size: int, kind: str, sha256: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": identity,
        "name": identity,
        "contentUrl": url,
        "contentSize": f"{size} B",
        "encodingFormat": kind,
        "sha256": sha256,
    }


def _data_type(told: str) -> str:
    word = told.lower().lstrip("<>|=")
    if word.startswith(("int", "uint", "i", "u")) and "[" not in word:
        return "sc:Integer"
    if word.startswith(("float", "double", "f", "half")) and "[" not in word:
        return "sc:Float"
    return "sc:Boolean" if word.startswith("b") and "binary" not in word else "sc:Text"


def _is_sha256(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 64 and all(c in "0123456789abcdef" for c in value.lower())
