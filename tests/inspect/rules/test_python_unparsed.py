"""Rule python-unparsed: a source that does not parse is read for words of an attack."""

from __future__ import annotations

from inspect_samples import found, told

from watchword.inspect.facts import Verdict


def test_a_command_in_python_2_is_told() -> None:
    """Python 3 does not parse the line, Python 2 would run it."""
    assert ("python-unparsed", Verdict.SUSPICIOUS) in told(
        b"for i in range(3):\n    print i, os.system('id')\n", "shipped.py"
    )


def test_an_ordinary_source_of_python_2_is_silent() -> None:
    """Old sources are honest as a rule."""
    assert found(b"import os\nprint 'hello'\ndef f():\n    print os.environ\n", "shipped.py") == set()
