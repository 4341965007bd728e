"""The guard: what is loaded is what was inspected, whatever happens to the file meanwhile; a refusal holds nothing out.

That a node is asked, and what it must have admitted, is tested through the command (``tests/cli/test_run.py``).
"""

from __future__ import annotations

import hashlib
import os
import pickle
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from watchword import guard
from watchword.inspect import FileChanged, NothingThere, Verdict, manifest_of

GOOD = pickle.dumps({"layer": [1.0, 2.0]}, protocol=4)
# Written opcode by opcode: nothing dangerous exists as a Python object.
EVIL = b"\x80\x02cposix\nsystem\n(X\x04\x00\x00\x00truetR."


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.pkl"
    path.write_bytes(GOOD)
    return path


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_file_swapped_after_the_inspection_is_not_what_is_loaded(model: Path, in_memory: bool) -> None:
    """The path handed over leads to the bytes that were inspected. Fails if the delivered path is handed over."""
    digest = manifest_of(model).digest
    with guard.admitted(model, in_memory=in_memory) as held:
        model.write_bytes(EVIL)
        assert held.path.read_bytes() == GOOD
        assert held.digest == digest
        assert pickle.loads(held.path.read_bytes()) == {"layer": [1.0, 2.0]}


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_file_that_is_swapped_all_the_time_is_loaded_as_inspected_or_not_at_all(model: Path, in_memory: bool) -> None:
    """A race that a plain scan-then-load loses: whatever is handed over has the digest and verdict that were told."""
    stop = threading.Event()

    def swap() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            other = model.with_suffix(".new")
            other.write_bytes(EVIL if turn % 2 else GOOD)
            other.replace(model)

    thread = threading.Thread(target=swap)
    thread.start()
    held_times = 0
    try:
        for _ in range(60):
            try:
                with guard.admitted(model, in_memory=in_memory) as held:
                    data = held.path.read_bytes()
                    assert data == GOOD
                    assert hashlib.sha256(data).hexdigest() == held.inspection.files[0].sha256
                    held_times += 1
            except (guard.Refused, FileChanged, NothingThere):
                continue
    finally:
        stop.set()
        thread.join()
    assert held_times


def test_sealed_memory_cannot_be_changed_even_by_us(model: Path) -> None:
    """Writing, growing, shrinking and mapping for writing all fail. Fails if the seals are left out."""
    import mmap

    with guard.admitted(model, in_memory=True) as held:
        assert held.descriptor is not None
        for change in (
            lambda: os.pwrite(held.descriptor, b"x", 0),
            lambda: os.ftruncate(held.descriptor, 0),
            lambda: os.ftruncate(held.descriptor, 10_000),
            lambda: mmap.mmap(held.descriptor, 0, access=mmap.ACCESS_WRITE),
        ):
            with pytest.raises(PermissionError):
                change()
        assert held.path.read_bytes() == GOOD


def test_a_folder_is_held_read_only_and_is_gone_afterwards(tmp_path: Path) -> None:
    """Folders 0500, files 0400, the delivery's digest; after the block, and after an error in it, nothing is left."""
    release = tmp_path / "recon"
    (release / "sub").mkdir(parents=True)
    (release / "sub" / "model.pkl").write_bytes(GOOD)
    (release / "README.md").write_text("# recon\n")
    place = tmp_path / "place"
    place.mkdir()
    with guard.admitted(release, place=place) as held:
        assert held.digest == manifest_of(release).digest
        assert held.member("sub/model.pkl").read_bytes() == GOOD
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [held.path, *held.path.rglob("*")]}
        assert set(modes.values()) == {0o500, 0o400}
        assert (modes["model.pkl"], modes["sub"]) == (0o400, 0o500)
    assert list(place.iterdir()) == []
    with pytest.raises(ZeroDivisionError), guard.admitted(release, place=place):
        raise ZeroDivisionError
    assert list(place.iterdir()) == []


def test_what_is_dangerous_or_unreadable_is_not_handed_over(tmp_path: Path) -> None:
    """A refusal carries the inspection. Unreadable refuses whatever is let pass; fails if it does not."""
    (tmp_path / "evil.pkl").write_bytes(EVIL)
    with pytest.raises(guard.Refused, match=r"evil\.pkl is dangerous") as caught, guard.admitted(tmp_path / "evil.pkl"):
        raise AssertionError("handed over")
    assert caught.value.inspection.verdict is Verdict.DANGEROUS
    (tmp_path / "cut.pkl").write_bytes(GOOD[:-3])
    with (
        pytest.raises(guard.Refused, match="is unreadable"),
        guard.admitted(tmp_path / "cut.pkl", fail_on=Verdict.DANGEROUS),
    ):
        raise AssertionError("handed over")


def test_a_link_in_a_release_is_not_held(tmp_path: Path) -> None:
    """What a link leads to has no digest: nothing is copied."""
    release = tmp_path / "recon"
    release.mkdir()
    (release / "model.pkl").symlink_to("/etc/hostname")
    with pytest.raises(guard.NotSealed, match=r"model\.pkl"), guard.admitted(release):
        raise AssertionError("handed over")


@pytest.mark.parametrize("how", ["append", "overwrite"])
def test_a_file_written_to_while_it_is_copied_is_an_error(
    model: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A copy of two states is no release. Fails if the status is not compared after the copy."""
    real = os.sendfile

    def sendfile(into: int, source: int, offset: int, count: int) -> int:
        with model.open("r+b") as file:
            file.seek(0, 2 if how == "append" else 0)
            file.write(b"x")
        return real(into, source, offset, count)

    monkeypatch.setattr(os, "sendfile", sendfile)
    with pytest.raises(FileChanged), guard.admitted(model):
        raise AssertionError("handed over")


# -- loaders --------------------------------------------------------------------------------------


def test_joblib_loads_the_held_file(tmp_path: Path) -> None:
    """An honest file is loaded; a dangerous one is not, although joblib would run it."""
    joblib = pytest.importorskip("joblib")
    joblib.dump({"w": [1, 2]}, tmp_path / "m.joblib")
    assert guard.load_joblib(tmp_path / "m.joblib") == {"w": [1, 2]}
    (tmp_path / "evil.joblib").write_bytes(EVIL)
    with pytest.raises(guard.Refused):
        guard.load_joblib(tmp_path / "evil.joblib")


def test_safetensors_loads_the_held_file(tmp_path: Path) -> None:
    """Arrays come out as they went in, from sealed memory and from a folder."""
    numpy = pytest.importorskip("numpy")
    save_file = pytest.importorskip("safetensors.numpy").save_file
    (tmp_path / "release").mkdir()
    save_file({"w": numpy.arange(4, dtype="float32")}, str(tmp_path / "release" / "model.safetensors"))
    assert guard.load_safetensors(tmp_path / "release" / "model.safetensors")["w"].tolist() == [0, 1, 2, 3]
    assert guard.load_safetensors(tmp_path / "release", member="model.safetensors")["w"].tolist() == [0, 1, 2, 3]


def test_onnxruntime_runs_the_held_model(tmp_path: Path) -> None:
    """A session on the sealed copy answers as one on the file."""
    numpy = pytest.importorskip("numpy")
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    side = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [2]) for name in ("x", "y")]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Neg", ["x"], ["y"])], "g", side[:1], side[1:])
    opset = onnx.helper.make_opsetid("", 13)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8), tmp_path / "m.onnx")
    session = guard.load_onnx(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    assert session.run(None, {"x": numpy.array([1, -2], dtype="float32")})[0].tolist() == [-1, 2]


def test_torch_loads_the_held_file(tmp_path: Path) -> None:
    """Weights are loaded with ``weights_only`` unless something else is asked for."""
    torch = pytest.importorskip("torch")
    torch.save({"w": torch.ones(3)}, tmp_path / "m.pt")
    assert guard.load_torch(tmp_path / "m.pt")["w"].tolist() == [1, 1, 1]


def test_transformers_loads_the_held_folder(tmp_path: Path) -> None:
    """A model comes from the held folder, and nothing is fetched."""
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("torch")
    sizes = dict.fromkeys(("hidden_size", "intermediate_size"), 8)
    config = transformers.BertConfig(vocab_size=16, num_hidden_layers=1, num_attention_heads=1, **sizes)
    transformers.BertModel(config).save_pretrained(tmp_path / "bert")
    assert guard.load_transformers(tmp_path / "bert").config.hidden_size == 8


@pytest.mark.parametrize(
    "load",
    [guard.load_torch, guard.load_joblib, guard.load_onnx, guard.load_safetensors, guard.load_transformers],
)
def test_a_framework_that_is_not_there_is_named(
    model: Path, monkeypatch: pytest.MonkeyPatch, load: Callable[..., Any]
) -> None:
    """The error says what to install; nothing was loaded some other way."""
    import importlib

    def nothing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", nothing)
    with pytest.raises(guard.NoLoader, match="is not installed here"):
        load(model)
