"""A ``.keras`` archive: Keras builds the model from its configuration; one that cannot be parsed hides what it does."""

from __future__ import annotations

import json

from watchword.inspect.formats.zipped import Archive
from watchword.inspect.formats.zips import Member
from watchword.limits import CONFIG_BYTES_MAX


class KerasArchive:
    """Every member is judged as a file of its own too; here only what all of them say together."""

    name = "keras"
    looked = "every object that Keras would build, every group and data set header of its weights"

    def __init__(self, archive: Archive) -> None:
        self.archive = archive

    def takes(self, member: Member) -> bool:
        """Look whether the configuration can be parsed; it is judged as any other file."""
        if member.name == "config.json":
            opened = self.archive.open(member)
            if opened is not None and not _parsed(opened.read_at(0, min(opened.size, CONFIG_BYTES_MAX + 1))):
                self.archive.odd("keras-broken", member, "the configuration is not JSON, or too long to be parsed")
        return False

    def finish(self) -> None:
        """Without a configuration Keras builds nothing; the members have been judged."""


def keras_archive(archive: Archive) -> KerasArchive | None:
    """The archive as Keras's, when its name or its members say so."""
    named = archive.exhibit.name.lower().endswith(".keras")
    made = {"config.json", "metadata.json", "model.weights.h5"} <= archive.folded
    return KerasArchive(archive) if named or made else None


def _parsed(data: bytes) -> bool:
    if len(data) > CONFIG_BYTES_MAX:
        return False
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True
