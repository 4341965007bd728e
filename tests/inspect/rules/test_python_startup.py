"""Rule python-startup: nothing in a release runs whenever Python starts."""

from __future__ import annotations

from inspect_samples import found, told

from watchword.inspect.facts import Verdict


def test_a_file_that_every_python_imports_is_told() -> None:
    """The name alone makes it run, whatever stands in it."""
    assert ("python-startup", Verdict.SUSPICIOUS) in told(b"x = 1\n", "lib/sitecustomize.py")


def test_the_same_lines_in_a_module_of_another_name_are_silent() -> None:
    """Another name is imported only by who asks for it."""
    assert found(b"x = 1\n", "lib/customize.py") == set()
