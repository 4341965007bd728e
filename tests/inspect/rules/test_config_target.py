"""Rule config-target: a configuration makes its loader call what executes."""

from __future__ import annotations

from inspect_samples import look, told

from watchword.inspect.facts import Verdict


def test_a_target_that_runs_commands_is_told() -> None:
    """Hydra would import ``os.system`` and call it with ``id``."""
    data = b'{"_target_": "os.system", "_args_": ["id"]}'
    assert told(data, "x.json") == {("config-target", Verdict.DANGEROUS)}


def test_a_target_that_trains_is_silent() -> None:
    """An optimiser is what targets are for."""
    data = b'{"_target_": "torch.optim.AdamW", "lr": 0.001}'
    assert look(data, "x.json").findings == []
