"""Rule lfs-pointer: a pointer stands where a file should be."""

from __future__ import annotations

from inspect_samples import found, told

from watchword.inspect.facts import Verdict


def test_a_pointer_in_place_of_weights_is_unreadable() -> None:
    """What Git LFS left in place of the weights is not taken for them."""
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
    assert ("lfs-pointer", Verdict.UNREADABLE) in told(pointer, "model.safetensors")


def test_a_text_about_pointers_is_silent() -> None:
    """A README that quotes the first line of a pointer is a text."""
    assert found(b"# Fetch\nA pointer begins with: version https://git-lfs.github.com/spec/v1\n", "README.md") == set()
