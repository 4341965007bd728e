"""Rule msgpack-broken: a MessagePack file is not well-formed."""

from __future__ import annotations

from inspect_samples import found, sample, told

from watchword.inspect.facts import Verdict

FLAX = sample("flax.msgpack")


def test_parameters_that_break_off_are_unreadable() -> None:
    """A file of Flax that lacks its last byte is told."""
    assert ("msgpack-broken", Verdict.UNREADABLE) in told(FLAX[:-1], "m.msgpack")


def test_what_flax_saves_is_silent() -> None:
    """The whole file, as Flax wrote it, is well-formed."""
    assert found(FLAX, "m.msgpack") == set()
