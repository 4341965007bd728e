"""Rule pickle-import: loading would import something that executes, reads files or connects."""

from __future__ import annotations

from inspect_samples import found, name, program, told

from watchword.inspect.facts import Verdict


def test_an_import_of_system_is_dangerous() -> None:
    """The function is taken hold of, and whoever gets it may call it."""
    assert ("pickle-import", Verdict.DANGEROUS) in told(program(name("posix", "system")), "m.pkl")


def test_an_import_of_a_class_is_silent() -> None:
    """A class that holds data is imported by most pickles."""
    assert found(program(name("collections", "OrderedDict")), "m.pkl") == set()
