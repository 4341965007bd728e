"""Rule document-bomb: a small document stands for an enormous one."""

from __future__ import annotations

from inspect_samples import look, told

from watchword.inspect.facts import Verdict

BOMB = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{at}: &{at} [{','.join(['*' + before] * 9)}]\n" for before, at in zip("abcdefgh", "bcdefghi", strict=True)
)


def test_aliases_of_aliases_are_told() -> None:
    """Nine to the ninth values would stand in memory."""
    assert told(BOMB.encode(), "bomb.yaml") == {("document-bomb", Verdict.SUSPICIOUS)}


def test_an_alias_that_is_used_twice_is_silent() -> None:
    """Anchors save honest writers some words."""
    data = b"base: &a {lr: 1}\nuse: *a\nmerge:\n  <<: *a\n"
    assert look(data, "x.yaml").findings == []
