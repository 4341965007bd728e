"""Rule python-import: importing a file of a release starts no program."""

from __future__ import annotations

from inspect_samples import found, told

from watchword.inspect.facts import Verdict


def test_a_program_that_an_import_starts_is_dangerous() -> None:
    """A command at the top of a module runs before anything is asked of it."""
    assert ("python-import", Verdict.DANGEROUS) in told(b"import os\nos.system('id')\n", "shipped.py")


def test_a_script_that_is_run_by_hand_is_silent() -> None:
    """What runs only as a script is not run by an import."""
    assert found(b"import os\nif __name__ == '__main__':\n    os.system('id')\n", "shipped.py") == set()
