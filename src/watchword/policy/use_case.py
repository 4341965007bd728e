"""A use case: the intended use that admission is asked for (docs/protocol.md, section 8).

People write it as TOML; the protocol's object is its fields plus the format's name. Strict both ways: a field that is
not known, or is missing where the protocol has no default, is an error that names file and field.

    name = "mail-triage"
    purpose = "Sort attachments of incoming mail by file type"
    criticality = 1            # 0 to 3
    human = "on"               # "in", "on" or "out" of the loop
    members = ["ALFA", "BRAVO"]
    owner = "ALFA"
    tags = ["office"]          # may be left out
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from watchword.errors import WatchwordError
from watchword.limits import POLICY_FILE_BYTES_MAX, TOML_LINE_DOTS_MAX
from watchword.statements.kinds import Text

FORMAT = "watchword-use-case/1"
Name = Annotated[Text, Meta(min_length=1)]


class BadUseCase(WatchwordError):
    """A use case that is not of the form section 8 states. Names the field."""


class _UseCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: Literal["watchword-use-case/1"]
    name: Name
    purpose: Text
    criticality: Annotated[int, Meta(ge=0, le=3)]
    human: Literal["in", "on", "out"]
    members: Annotated[list[Name], Meta(max_length=256)]
    owner: Text
    tags: Annotated[list[Name], Meta(max_length=256)]


def parse_use_case(value: Any) -> dict[str, Any]:
    """Check a use-case object and give it back.

    Raises:
        BadUseCase: a field missing, unknown or of another type.
    """
    if isinstance(value, Mapping) and value.get("format") != FORMAT:
        raise BadUseCase(f"use case: format is {str(value.get('format'))[:40]!r}, this version reads {FORMAT!r}")
    try:
        msgspec.convert(value, _UseCase, strict=True)
    except msgspec.ValidationError as error:
        raise BadUseCase(f"use case: {error}", _HINT) from error
    return dict(value)


def read_use_case(path: Path) -> dict[str, Any]:
    """Read a use case from a TOML file; ``tags`` may be left out, nothing else.

    Raises:
        BadUseCase: missing, too large, not TOML, or a field missing, unknown or of another type. Names *path*.
    """
    value = read_toml(path, BadUseCase)
    if "format" in value:
        raise BadUseCase(f"{path}: format is not written in the file", "remove that line")
    try:
        return parse_use_case({"format": FORMAT, "tags": []} | value)
    except BadUseCase as error:
        named = _FIELD.search(error.message)
        line = named and _line_of(path, named[1])
        where = f"{path}, line {line}" if line else str(path)
        raise BadUseCase(f"{where}: {error.message.removeprefix('use case: ')}", error.hint) from error


def _line_of(path: Path, field: str) -> int | None:
    """The line of a TOML file on which *field* is said at the top; None where it is not."""
    lines = read_text(path, BadUseCase).split("\n")
    begins = re.compile(rf"\s*+{re.escape(field)}\s*+=")
    return next((number for number, line in enumerate(lines, 1) if begins.match(line)), None)


def read_toml(path: Path, wrong: type[WatchwordError]) -> dict[str, Any]:
    """The document in a TOML file that a person wrote; errors are of the class *wrong* and name *path*."""
    return toml_of(read_text(path, wrong), path, wrong)


def toml_of(text: str, path: Path, wrong: type[WatchwordError]) -> dict[str, Any]:
    """The document in *text*, which was read from *path*; errors as ``read_toml``."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > TOML_LINE_DOTS_MAX:
            raise wrong(f"{path}: line {number} has more than {TOML_LINE_DOTS_MAX} dots")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise wrong(f"{path}: not TOML: {error}") from error


def read_text(path: Path, wrong: type[WatchwordError]) -> str:
    """The text of a file that a person wrote; errors are of the class *wrong* and name *path*."""
    try:
        with path.open("rb") as file:
            data = file.read(POLICY_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise wrong(f"{path}: {error.strerror}") from error
    if len(data) > POLICY_FILE_BYTES_MAX:
        raise wrong(f"{path}: larger than {POLICY_FILE_BYTES_MAX:,} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise wrong(f"{path}: not TOML or text: {error}", "it is read as UTF-8") from error


_FIELD = re.compile(r"`\$\.(\w+)")
_HINT = "a use case has name, purpose, criticality 0 to 3, human in/on/out, members, owner and tags"
