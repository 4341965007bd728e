"""Rule torchserve-outside: a model archive runs or loads something that is not in it."""

from __future__ import annotations

import json

from inspect_samples import look, torch_zip, zipped

from watchword.inspect.facts import Verdict

HANDLER = ("mine.py", b"def serve(data, context):\n    return data\n")


def mar(*members: tuple[str, bytes]) -> bytes:
    """A model archive whose manifest names the handler ``mine.py:serve``."""
    manifest = json.dumps({"model": {"modelName": "m", "handler": "mine.py:serve", "serializedFile": "m.pt"}})
    return zipped(("MAR-INF/MANIFEST.json", manifest.encode()), ("m.pt", torch_zip()), *members)


def test_a_handler_from_elsewhere_is_suspicious() -> None:
    """A handler that is not in the archive comes from the machine that serves it."""
    assert [(f.rule, f.verdict) for f in look(mar(), "m.mar").findings] == [("torchserve-outside", Verdict.SUSPICIOUS)]


def test_a_handler_in_the_archive_is_silent() -> None:
    """What the manifest names is there, and is judged as Python."""
    assert look(mar(HANDLER), "m.mar").findings == []
