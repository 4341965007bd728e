"""A ``.keras`` archive: Keras builds the model from its configuration; one that cannot be parsed hides what it does."""

from __future__ import annotations

from watchword.inspect.formats.zipped import Archive
from watchword.inspect.formats.zips import Member


class KerasArchive:
    """Every member is judged as a file of its own too; here only what all of them say together."""

    name = "keras"
    looked = "every object that Keras would build, every group and data set header of its weights"

    def __init__(self, archive: Archive) -> None:
        self.archive = archive

    def takes(self, member: Member) -> bool:
        """Judge the configuration as any other file, which tells whether it can be parsed."""
        if member.name != "config.json":
            return False
        told = self.archive.judge(member)
        if told is not None and told not in ("keras config", "json"):
            self.archive.odd("keras-broken", member, "the configuration is not JSON")
        return True

    def finish(self) -> None:
        """Without a configuration Keras builds nothing; the members have been judged."""


def keras_archive(archive: Archive) -> KerasArchive | None:
    """The archive as Keras's, when its name or its members say so."""
    named = archive.exhibit.name.lower().endswith(".keras")
    made = {"config.json", "metadata.json", "model.weights.h5"} <= archive.folded
    return KerasArchive(archive) if named or made else None
