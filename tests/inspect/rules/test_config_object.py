"""Rule config-object: a document makes its loader build an object that executes."""

from __future__ import annotations

from inspect_samples import look, told

from watchword.inspect.facts import Verdict


def test_a_tag_that_runs_a_command_is_told() -> None:
    """``yaml.unsafe_load`` would call ``os.system``."""
    data = b"x: !!python/object/apply:os.system [id]\n"
    assert told(data, "hparams.yaml") == {("config-object", Verdict.DANGEROUS)}


def test_a_tag_that_holds_settings_is_silent() -> None:
    """Lightning writes the arguments of a run like this."""
    data = b"x: !!python/object:argparse.Namespace {lr: 1}\n"
    assert look(data, "hparams.yaml").findings == []
