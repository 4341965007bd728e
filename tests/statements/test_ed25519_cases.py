"""Signatures on which libraries disagree: every verifier of suite 1 gives the verdict of ``vectors/ed25519``."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from watchword.statements import keys
from watchword.statements.keys import BadSignature, verify_ed25519

ROOT = Path(__file__).resolve().parents[2]
CASES = json.loads((ROOT / "vectors/ed25519/cases.json").read_text("utf-8"))["cases"]


@pytest.mark.parametrize("library", ["PyNaCl", "cryptography"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_every_library_gives_the_same_verdict(library: str, case: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind one pre-check; with it removed, 12 of these 25 cases differ: OpenSSL accepts points of small order."""
    if library == "PyNaCl":
        pytest.importorskip("nacl", reason="PyNaCl is absent")
        assert keys._sodium() is not None
    else:
        monkeypatch.setattr(keys, "_sodium", lambda: None)
    public, message, signature = (bytes.fromhex(case[name]) for name in ("public", "message", "signature"))
    if case["good"]:
        verify_ed25519(public, signature, message)
    else:
        with pytest.raises(BadSignature):
            verify_ed25519(public, signature, message)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_the_independent_verifier_gives_it_too(case: Any) -> None:
    """verify.py, without any library."""
    spec = importlib.util.spec_from_file_location("verify_for_cases", ROOT / "verify.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = script
    spec.loader.exec_module(script)
    public, message, signature = (bytes.fromhex(case[name]) for name in ("public", "message", "signature"))
    if case["good"]:
        script.verify_ed25519(public, signature, message)
    else:
        with pytest.raises(script.Refused):
            script.verify_ed25519(public, signature, message)
