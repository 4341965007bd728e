"""Rule python-import-reaches: importing a file of a release reaches no network and no native code."""

from __future__ import annotations

from inspect_samples import found, told

from watchword.inspect.facts import Verdict


def test_a_connection_that_an_import_makes_is_told() -> None:
    """A connection at the top of a module is told."""
    assert ("python-import-reaches", Verdict.SUSPICIOUS) in told(
        b"import socket\nsocket.create_connection(('a.example', 1))\n", "shipped.py"
    )


def test_a_function_that_connects_is_silent() -> None:
    """The same call in a function is made when somebody asks for it."""
    assert (
        found(b"import socket\ndef connect():\n    return socket.create_connection(('a.example', 1))\n", "shipped.py")
        == set()
    )
