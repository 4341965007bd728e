"""Rule python-compiled: a release ships sources, not compiled files that run in their place."""

from __future__ import annotations

from inspect_samples import found, told

from watchword.inspect.facts import Verdict


def test_compiled_python_is_told() -> None:
    """A file with the magic number and header of Python 3.12 is told."""
    assert ("python-compiled", Verdict.SUSPICIOUS) in told(b"\xcb\r\r\n" + b"\0" * 12 + b"\xe3" + b"\0" * 30, "x.pyc")


def test_the_source_of_a_module_is_silent() -> None:
    """Source that compiles something is source."""
    assert found(b"def f(x):\n    return compile(x, 'x', 'eval', 0x400)\n", "x.py") == set()
