"""Pickles that stand in a pickle as mere constants: what nothing loads yet, but somebody put there."""

from __future__ import annotations

import base64
import pickle
from pathlib import Path

import pytest
from inspect_samples import EVIL

from watchword.inspect import Verdict, inspect_path
from watchword.limits import NESTING_MAX

HARMLESS = pickle.dumps({"weights": [1.0, 2.0]})


def rules(tmp_path: Path, value: object, protocol: int = 4) -> set[str]:
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(value, protocol))
    return {finding.rule for finding in inspect_path(tmp_path / "m.pkl").findings}


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_would_act_is_found_as_a_constant(tmp_path: Path, protocol: int) -> None:
    """Raw, as Base64, as hex digits, short or long, in any protocol. Fails when constants are not remembered."""
    forms = [EVIL, EVIL + bytes(1000)]
    texts = [base64.b64encode(EVIL).decode(), EVIL.hex(), EVIL.hex() + "00" * 5000]
    for value in [*(forms if protocol else ()), *(texts if protocol else ())]:
        assert "pickle-planted" in rules(tmp_path, {"config": value}, protocol), value[:40]


def test_one_inside_another_is_found(tmp_path: Path) -> None:
    """A payload wrapped in harmless pickles is found, or its depth is."""
    for deep in (1, NESTING_MAX - 1, NESTING_MAX + 9):
        value: object = EVIL
        for _ in range(deep):
            value = pickle.dumps({"stage": value})
        assert rules(tmp_path, {"stage": value}) == {"pickle-planted"}


def test_harmless_constants_stay_silent(tmp_path: Path) -> None:
    """Honest pickles, digests and words that begin alike are no findings."""
    honest = [HARMLESS, base64.b64encode(HARMLESS).decode(), HARMLESS.hex(), "gAme over", "8004-01-01", b"\x80\x04"]
    honest += ["gA" * 3000, "80" * 3000, b"\x80\x05" + bytes(2000)]
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(honest))
    assert inspect_path(tmp_path / "m.pkl").verdict is Verdict.NOTHING_FOUND


def test_a_pickle_without_a_mark_and_without_imports_is_no_wrong_extension(tmp_path: Path) -> None:
    """Protocol 0 has no mark and reads like text; called a pickle, it is one."""
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(["a list", "of words", 1], 0))
    seen = inspect_path(tmp_path / "m.pkl")
    assert (seen.verdict, seen.files[0].format) == (Verdict.NOTHING_FOUND, "pickle")


def test_an_import_of_what_executes_makes_a_pickle_of_a_text(tmp_path: Path) -> None:
    """A text that breaks right after ``posix.system`` was imported is a pickle; one of ordinary words is not."""
    (tmp_path / "model.bin").write_bytes(b"(cposix\nsystem\nS'echo'\ntR.")
    assert inspect_path(tmp_path / "model.bin").verdict is Verdict.DANGEROUS
    (tmp_path / "functions.txt").write_bytes(b"cos\nsin\ntan\n")
    assert inspect_path(tmp_path / "functions.txt").verdict is Verdict.NOTHING_FOUND
