"""Rule msgpack-extra: a MessagePack file holds what no writer of parameters puts there."""

from __future__ import annotations

from inspect_samples import found, sample, told

from watchword.inspect.facts import Verdict

FLAX = sample("flax.msgpack")


def test_an_extension_type_of_nobody_is_suspicious() -> None:
    """Extension type 99 means what some program makes of it."""
    assert ("msgpack-extra", Verdict.SUSPICIOUS) in told(b"\x81\xa1a\xd4\x63\x00", "m.msgpack")


def test_the_extension_types_of_flax_are_silent() -> None:
    """Arrays of Flax are extensions too, of types that are known."""
    assert found(FLAX, "m.msgpack") == set()
