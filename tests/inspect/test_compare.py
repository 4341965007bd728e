"""Two releases beside each other: files, findings, what loading would do, tensors by name, and how far they moved."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from inspect_samples import EVIL, torch_zip
from test_weights import matrix, safetensors

from watchword.inspect import FileChanged, Progress, inspect_path
from watchword.inspect.compare import Comparison, compare, render_comparison
from watchword.sandbox import kept_by

np = pytest.importorskip("numpy")


def compared(old: Path, new: Path, progress: Progress | None = None) -> Comparison:
    return compare(inspect_path(old), inspect_path(new), old, new, progress)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A release and its next: one file the same, one changed, one gone, one new that would run a command."""
    old, new = tmp_path / "recon-1", tmp_path / "recon-2"
    for folder in (old, new):
        folder.mkdir()
        (folder / "README.md").write_text("# recon\n")
    (old / "gone.txt").write_text("x")
    (new / "head.pkl").write_bytes(EVIL)
    moved = matrix(1)
    moved[0, :3] += np.float32(0.5)
    (old / "m.safetensors").write_bytes(safetensors(w=matrix(1), kept=matrix(2), less=matrix(3), grown=matrix(4)))
    (new / "m.safetensors").write_bytes(safetensors(w=moved, kept=matrix(2), more=matrix(3), grown=matrix(4)[:32]))
    return old, new


def test_files_findings_and_imports_that_changed_are_told(pair: tuple[Path, Path]) -> None:
    """What was added, removed and changed; a finding that was not there; what loading would import now."""
    result = compared(*pair)
    assert result.files == (("removed", "gone.txt"), ("added", "head.pkl"), ("changed", "m.safetensors"))
    assert result.unchanged == 1
    assert [(one.rule, one.path) for one in result.appeared] == [("pickle-call", "head.pkl")]
    assert result.gone == ()
    assert result.facts["imports"] == (("posix.system",), ())


def test_how_far_weights_moved_is_computed_from_the_numbers(pair: tuple[Path, Path]) -> None:
    """Three elements by a half: a length of sqrt(0.75), computed by hand; shapes that changed have no distance."""
    result = compared(*pair)
    assert [one.name for one in result.added] == ["more"]
    assert [one.name for one in result.removed] == ["less"]
    assert result.tensors_same == 1
    first, second = result.moved
    assert (first.name, first.moved) == ("w", 3)
    assert first.distance == pytest.approx(math.sqrt(0.75), rel=1e-6)
    assert first.largest == pytest.approx(0.5, rel=1e-6)
    length = math.sqrt(float((matrix(1).astype("f8") ** 2).sum()))
    assert first.relative == pytest.approx(math.sqrt(0.75) / length, rel=1e-6)
    assert (second.name, second.moved, second.distance) == ("grown", None, None)
    assert result.distance == first.distance


@pytest.mark.skipif(not kept_by().confined, reason="this machine confines no process")
def test_a_confined_process_compares_the_same(pair: tuple[Path, Path]) -> None:
    """The comparison is the same value, and its progress is heard, whoever read the weights."""
    heard: list[tuple[str, int, int]] = []
    result = compare(*map(inspect_path, pair), *pair, lambda *step: heard.append(step), kept=kept_by())
    assert result.to_json() == compared(*pair).to_json()
    assert heard[-1][0] == "weights compared" and heard[-1][1] == heard[-1][2] > 0


def test_the_same_weights_in_another_precision_have_not_moved_far(tmp_path: Path) -> None:
    """float32 against float16: another type and digest, a distance of rounding alone."""
    (tmp_path / "a.safetensors").write_bytes(safetensors(w=matrix(1)))
    (tmp_path / "b.safetensors").write_bytes(safetensors(w=matrix(1).astype("<f2")))
    (one,) = compared(tmp_path / "a.safetensors", tmp_path / "b.safetensors").moved
    assert (one.old.dtype, one.new.dtype) == ("F32", "F16")
    assert one.relative is not None and 0 < one.relative < 1e-3


def test_tensors_are_paired_by_name_across_files_and_formats(tmp_path: Path) -> None:
    """Sharding, and a change of format, are no change of weights."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    (old / "all.safetensors").write_bytes(safetensors(a=matrix(1), b=matrix(2)))
    (new / "1.safetensors").write_bytes(safetensors(a=matrix(1)))
    np.savez(new / "2.npz", b=matrix(2))
    result = compared(old, new)
    assert (result.tensors_same, result.moved, result.added, result.removed) == (2, (), (), ())


def test_not_a_number_and_infinity_do_not_hide_the_rest(tmp_path: Path) -> None:
    """A NaN counts as moved and is left out of the distance."""
    bad = matrix(1)
    bad[0, 0], bad[0, 1], bad[1, 0] = np.nan, np.inf, bad[1, 0] + np.float32(0.25)
    (tmp_path / "a.safetensors").write_bytes(safetensors(w=matrix(1)))
    (tmp_path / "b.safetensors").write_bytes(safetensors(w=bad))
    (one,) = compared(tmp_path / "a.safetensors", tmp_path / "b.safetensors").moved
    assert one.moved == 3 and one.distance == pytest.approx(0.25, rel=1e-6)


def test_nothing_changed_reads_no_weights(pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal digests are equal files: not a tensor is read, and the text says so in one line."""
    from watchword.inspect import compare as module

    monkeypatch.setattr(module, "tensors_of", lambda source: pytest.fail("read"))
    assert render_comparison(compared(pair[0], pair[0])).endswith("0 of 3 files differ")


def test_the_text_and_the_json_say_the_same(pair: tuple[Path, Path]) -> None:
    """Every change in the text; counts last; the JSON is plain values and names its schema."""
    steps: list[tuple[str, int, int]] = []
    result = compared(*pair, lambda *step: steps.append(step))
    text = render_comparison(result).splitlines()
    assert text[:3] == ["removed  gone.txt", "added    head.pkl", "changed  m.safetensors"]
    assert "new      imports: posix.system" in text
    length = math.sqrt(float((matrix(1).astype("f8") ** 2).sum()))
    share = f"{math.sqrt(0.75) / length:.2%} of its length"
    assert f"moved    tensor w  F32 [64, 64]  3 of 4,096 moved, 0.866, {share}, at most 0.5" in text
    assert "moved    tensor grown  F32 [64, 64] is now F32 [32, 64]" in text
    assert text[-1].endswith("3 of 4 files differ; 2 of 3 tensors read moved, 0.866 in all")
    value = json.loads(json.dumps(result.to_json()))
    assert value["schema"] == "watchword-comparison/1"
    assert value["tensors"]["count"] == {"added": 1, "removed": 1, "moved": 2, "same": 1}
    assert steps[-1][1] == steps[-1][2]


def test_a_file_that_changes_while_it_is_compared_is_an_error(
    pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two states of a file are not compared as one. Fails if the status is not compared."""
    from watchword.inspect import compare as module

    real = module._digest

    def digest(tensor: Any) -> str:
        with (pair[1] / "m.safetensors").open("ab") as file:
            file.write(b"x")
        return real(tensor)

    monkeypatch.setattr(module, "_digest", digest)
    with pytest.raises(FileChanged):
        compared(*pair)


def test_pytorch_archives_are_compared_by_the_names_in_their_pickle(tmp_path: Path) -> None:
    """One more layer is one more tensor."""
    (tmp_path / "a.pt").write_bytes(torch_zip(tensors=2, count=10))
    (tmp_path / "b.pt").write_bytes(torch_zip(tensors=3, count=10))
    result = compared(tmp_path / "a.pt", tmp_path / "b.pt")
    assert [one.name for one in result.added] == ["layer2.weight"]
    assert result.files == (("changed", "b.pt"),)


def test_without_numpy_weights_that_differ_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Digests need nothing; a distance does, and it is not left out in silence."""
    import sys

    from watchword.inspect.tensors.numbers import NoNumbers

    np.save(held := io.BytesIO(), matrix(1))
    (tmp_path / "a.npy").write_bytes(held.getvalue())
    np.save(held := io.BytesIO(), matrix(2))
    (tmp_path / "b.npy").write_bytes(held.getvalue())
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert compared(tmp_path / "a.npy", tmp_path / "a.npy").unchanged == 1
    with pytest.raises(NoNumbers):
        compared(tmp_path / "a.npy", tmp_path / "b.npy")
