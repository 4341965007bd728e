"""What a release tells of itself: the front matter of its model card and its configuration files.

* Only files of the release's root are read (``README.md``, ``config.json``, ``adapter_config.json``), each at most
  CARD_BYTES_MAX, and only if they still are the bytes that the manifest names: else the release changed meanwhile.
* All of it is the supplier's word. Nothing here is checked, and what is not understood is said, never guessed.
* Front matter is read by a small grammar of our own (``key: value``, ``key: [a, b]``, and ``- item`` lines below a key)
  and not by a YAML library: the keys wanted have no other form in practice, and YAML can do much more than hold data.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchword.errors import WatchwordError
from watchword.limits import CARD_BYTES_MAX, CARD_FRONT_LINES_MAX, CARD_VALUE_CHARS_MAX, CARD_VALUES_MAX
from watchword.statements.canonical import NotCanonical, parse_json
from watchword.statements.manifest import Manifest

WANTED = frozenset({"license", "license_name", "base_model", "datasets", "library_name", "pipeline_tag", "language"})


class ReleaseChanged(WatchwordError):
    """A file of the release that is no longer what the manifest says."""


@dataclass(frozen=True)
class Card:
    """The supplier's words, as text; empty where nothing is told. ``notes`` say what was not understood."""

    licences: tuple[str, ...] = ()
    base_models: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    library: str = ""
    task: str = ""
    family: str = ""
    architecture: str = ""
    notes: tuple[str, ...] = ()


def read_card(root: Path, manifest: Manifest) -> Card:
    """Read the card and configuration files of the release at *root*; an empty card where *root* is a single file.

    Raises:
        ReleaseChanged: a file is not what *manifest* says; names it.
    """
    if not root.is_dir():
        return Card()
    notes: list[str] = []
    front, config, adapter = {}, {}, {}
    readme = _verified(root, manifest, "README.md", notes)
    if readme is not None:
        front = front_matter(readme.decode("utf-8", "replace"), notes)
    if (data := _verified(root, manifest, "config.json", notes)) is not None:
        config = _object(data, "config.json", notes)
    if (data := _verified(root, manifest, "adapter_config.json", notes)) is not None:
        adapter = _object(data, "adapter_config.json", notes)
    origin = [_hub_name(config.get("_name_or_path"), "config.json", notes)]
    origin += [_hub_name(adapter.get("base_model_name_or_path"), "adapter_config.json", notes)]
    bases = [*front.get("base_model", ()), *(name for name in origin if name)]
    licences = front.get("license_name", ()) or front.get("license", ())
    return Card(
        licences=tuple(licences),
        base_models=tuple(dict.fromkeys(bases)),
        datasets=tuple(dict.fromkeys(front.get("datasets", ()))),
        library=_first(front.get("library_name")),
        task=_first(front.get("pipeline_tag")),
        family=_text(config.get("model_type")),
        architecture=_text((config.get("architectures") or [""])[0])
        if isinstance(config.get("architectures"), list)
        else "",
        notes=tuple(notes),
    )


def front_matter(text: str, notes: list[str]) -> dict[str, list[str]]:
    """The wanted keys of the front matter that *text* opens with; adds to *notes* what was not understood."""
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or lines[0].rstrip() != "---":
        return {}
    end = next(
        (at for at, line in enumerate(lines[1:CARD_FRONT_LINES_MAX], 1) if line.rstrip() in ("---", "...")), None
    )
    if end is None:
        notes.append(f"README.md: front matter has no end within {CARD_FRONT_LINES_MAX:,} lines; not read")
        return {}
    found: dict[str, list[str]] = {}
    key, wanted = "", False
    for line in lines[1:end]:
        if opened := _KEY.fullmatch(line):
            key, wanted = opened[1], opened[1] in WANTED
            inline = _values(opened[2]) if wanted else []
            if wanted and (inline is None or key in found):
                notes.append(f"README.md: {key}: not understood")
            elif wanted:
                found[key] = inline or []
        elif wanted and (item := _ITEM.fullmatch(line)):
            value = _values(item[1])
            if value is None or len(value) != 1 or key not in found:
                notes.append(f"README.md: {key}: an item was not understood")
            elif len(found[key]) < CARD_VALUES_MAX:
                found[key].append(value[0])
        elif wanted and line.strip() and not line.lstrip().startswith("#"):
            notes.append(f"README.md: {key}: a line was not understood")
    return {key: values for key, values in found.items() if values}


_KEY = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*):(?:[ \t]+(.*))?[ \t]*")
_ITEM = re.compile(r"[ \t]*-[ \t]+(.*)")
_QUOTED = re.compile(r"""(?:"([^"\\]*)"|'([^']*)')[ \t]*(?:#.*)?""")
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(?:/[\w.-]{1,96})?")


def _values(written: str | None) -> list[str] | None:
    """Zero, one or several values on one line; None for a form that this grammar does not have."""
    text = (written or "").strip()
    if not text or text.startswith("#"):
        return []
    if text.startswith("["):
        inner, closed, rest = text[1:].partition("]")
        if not closed or (rest.strip() and not rest.strip().startswith("#")):
            return None
        parts = [_scalar(part) for part in inner.split(",") if part.strip()]
        return None if None in parts or len(parts) > CARD_VALUES_MAX else [part for part in parts if part is not None]
    one = _scalar(text)
    return None if one is None else [one] if one else []


def _scalar(written: str) -> str | None:
    text = written.strip()
    if quoted := _QUOTED.fullmatch(text):
        text = quoted[1] if quoted[1] is not None else quoted[2]
    elif text[:1] in tuple("[]{}&*!|>%@`\"',"):
        return None
    else:
        text = re.split(r"[ \t]#", text, maxsplit=1)[0].rstrip()
        if ": " in text or text.endswith(":"):
            return None
    return text if len(text) <= CARD_VALUE_CHARS_MAX and text.isprintable() else None


def _verified(root: Path, manifest: Manifest, name: str, notes: list[str]) -> bytes | None:
    entry = next((entry for entry in manifest.entries if entry.path == name), None)
    if entry is None:
        return None
    if entry.size > CARD_BYTES_MAX:
        notes.append(f"{name}: {entry.size:,} bytes, not read for what it tells (limit {CARD_BYTES_MAX:,})")
        return None
    try:
        # A link put there since the inspection must not lead us elsewhere, nor a pipe hold us up.
        handle = os.open(root / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise ReleaseChanged(f"{name}: {error.strerror}, though it was there a moment ago", _AGAIN) from error
    with os.fdopen(handle, "rb") as file:
        data = file.read(CARD_BYTES_MAX + 1)
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise ReleaseChanged(f"{name}: changed since it was inspected", _AGAIN)
    return data


_AGAIN = "let nothing write to the release while it is looked at, and run again; nothing was recorded"


def _object(data: bytes, name: str, notes: list[str]) -> dict[str, Any]:
    try:
        value = parse_json(data, name, CARD_BYTES_MAX)
    except NotCanonical as error:
        notes.append(f"{error.message}; not read for what it tells")
        return {}
    return value if isinstance(value, dict) else {}


def _hub_name(value: Any, file: str, notes: list[str]) -> str:
    """A name as model hubs write them. A path is somebody's machine, not a model, and stays unsaid."""
    text = _text(value)
    if not text or text in (".", ".."):
        return ""
    if not _HUB_NAME.fullmatch(text):
        notes.append(f"{file}: names a path or address as its origin, which is not listed")
        return ""
    return text


def _text(value: Any) -> str:
    return value if isinstance(value, str) and value.isprintable() and len(value) <= CARD_VALUE_CHARS_MAX else ""


def _first(values: list[str] | None) -> str:
    return values[0] if values else ""
