"""Rule python-model-runs: the code of a model computes and starts no programs."""

from __future__ import annotations

from inspect_samples import found, told

from watchword.inspect.facts import Verdict

SOURCE = b"import subprocess\nclass M:\n    def forward(self, x):\n        subprocess.run(['ls', x])\n"


def test_a_program_that_a_model_starts_is_told() -> None:
    """A loader takes the file as the model and runs it with every call."""
    assert ("python-model-runs", Verdict.SUSPICIOUS) in told(SOURCE, "modeling_m.py")


def test_a_program_that_a_handler_starts_is_silent() -> None:
    """The same lines in a handler are its work."""
    assert found(SOURCE, "handler.py") == set()
