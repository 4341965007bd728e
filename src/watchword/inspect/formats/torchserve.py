"""Model archives of TorchServe (.mar): a manifest that names what is loaded and the handler that is run.

Members are judged as files: the handler is Python that the server imports, the serialized file a PyTorch model. Here
the manifest is compared with the members: what it names and the archive lacks comes from elsewhere.
"""

from __future__ import annotations

import re
from typing import Any

from watchword.inspect.exhibit import Malformed
from watchword.inspect.formats.json_text import parse_json
from watchword.inspect.formats.zipped import Archive
from watchword.inspect.formats.zips import Member
from watchword.limits import MANIFEST_JSON_BYTES_MAX

_BUILT_IN = frozenset(
    ("image_classifier", "image_segmenter", "object_detector", "text_classifier", "base_handler", "vision_handler",
     "text_handler")
)  # fmt: skip
_UNSAFE = re.compile(r"^[/\\~]|^[A-Za-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)|://")


class Mar:
    """One such archive."""

    name = "torchserve"
    looked = "the manifest read, every member opened"

    def __init__(self, archive: Archive) -> None:
        self.archive = archive

    def takes(self, member: Member) -> bool:
        if member.name.lower() != "mar-inf/manifest.json":
            return False
        opened = self.archive.open(member)
        if opened is None:
            return False
        if opened.size > MANIFEST_JSON_BYTES_MAX:
            self.archive.odd("unpack-limit", member, f"a manifest of {opened.size:,} bytes is not read")
            return False
        try:
            document = parse_json(opened.read_at(0, opened.size))
        except Malformed as error:
            self.archive.odd("not-inspected", member, f"the manifest is not readable: {error}")
            return False
        model = document.get("model") if isinstance(document, dict) else None
        if isinstance(model, dict):
            self._compare(member, model)
        return False

    def _compare(self, member: Member, model: dict[str, Any]) -> None:
        names = {name.rpartition("/")[2] for name in self.archive.names}
        for key in ("handler", "serializedFile", "modelFile", "requirementsFile", "envelope"):
            value = model.get(key)
            if not isinstance(value, str) or not value:
                continue
            file = value.partition(":")[0] if key in ("handler", "envelope") else value
            here = file.rpartition("/")[2]
            if _UNSAFE.search(value):
                self.archive.odd("torchserve-outside", member, f"{key} is outside of the archive", value)
            elif key == "handler" and not ({here, here + ".py"} & names) and file not in _BUILT_IN:
                self.archive.odd("torchserve-outside", member, "its handler is not in the archive", value)
        if isinstance(model.get("handler"), str):
            self.archive.exhibit.note(f"TorchServe runs its handler {model['handler'][:100]}")

    def finish(self) -> None:
        """Nothing is left to say."""
