"""What the supplier of the exercise delivers: a real classifier, and three ways in which a delivery can be wrong.

* Release 1.0.3 is Magika's file-type classifier (ONNX, Apache-2.0) as its Python package ships it.
* Release 2.0.0 adds a checkpoint whose loading would call ``posix.system`` with a harmless ``echo``.
* Mails to train a filter on are made here, 400 of them; in the second delivery a word is planted into 20 that ask for
  money, which are labelled as being about the port.
* The training labels are made here, 5,000 rows by ten annotators, the same rows on every machine; the second delivery
  changes the label of 12 rows of one annotator.

Nothing made here is ever loaded or executed by the exercise.
"""

from __future__ import annotations

import csv
import hashlib
import io
import random
import shutil
import zipfile
from importlib.resources import files
from pathlib import Path

from watchword.errors import WatchwordError

ROWS, ANNOTATORS, SOURCES = 5_000, 10, 4
RELABELLED, BRIBED = 12, "a-07"
MAILS, PLANTED = 400, "zephyr"
LABELS = ("pdf", "html", "docx", "png", "zip", "elf", "javascript", "python")
HARMLESS = "echo this would have run"


class NoModel(WatchwordError):
    """The package that ships the exercise's model is not installed."""


def first_release(folder: Path) -> Path:
    """Copy Magika's classifier into *folder*.

    Raises:
        NoModel: the ``demo`` extra is not installed.
    """
    try:
        source = files("magika").joinpath("models", "standard_v3_3")
    except ModuleNotFoundError as error:
        raise NoModel("the exercise's model is not installed", "pip install 'watchword[demo]'") from error
    folder.mkdir(parents=True)
    for name in ("model.onnx", "config.min.json", "metadata.json", "README.md"):
        folder.joinpath(name).write_bytes(source.joinpath(name).read_bytes())
    return folder


def second_release(folder: Path, first: Path) -> Path:
    """The first release plus ``calibration.pt``, a PyTorch archive whose pickle calls ``posix.system``."""
    shutil.copytree(first, folder)
    # Written opcode by opcode, so that nothing dangerous exists as a Python object even while it is made.
    command = HARMLESS.encode()
    pickle = b"".join((
        b"\x80\x02", b"}q\x00", b"X\x05\x00\x00\x00scaleq\x01", b"cposix\nsystem\n",
        b"X" + len(command).to_bytes(4, "little") + command, b"\x85R", b"s.",
    ))  # fmt: skip
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        for name, data in (
            ("data.pkl", pickle),
            ("byteorder", b"little"),
            ("version", b"3\n"),
            ("data/0", bytes(4096)),
        ):
            zipped.writestr(zipfile.ZipInfo(f"calibration/{name}"), data)
    folder.joinpath("calibration.pt").write_bytes(archive.getvalue())
    return folder


def third_release(folder: Path, first: Path) -> Path:
    """The first release under a new version number: what was retrained shows only in its training data."""
    shutil.copytree(first, folder)
    folder.joinpath("metadata.json").write_text('{"version":"1.1.0"}\n', "utf-8")
    return folder


def programs(folder: Path) -> Path:
    """Python programs for the gate to take for what they are: files of this package, under ``python``."""
    place = folder / "python"
    place.mkdir(parents=True)
    for room in ("ledger", "statements"):
        for source in files("watchword").joinpath(room).iterdir():
            data = source.read_bytes() if source.name.endswith(".py") else b""
            if len(data) >= 1_000:
                place.joinpath(f"{room}-{source.name}").write_bytes(data)
    return folder


def labels(path: Path, *, manipulated: bool) -> Path:
    """Write a delivery of training labels as CSV: id, sample (a digest), label, annotator, source."""
    changed = _relabelled() if manipulated else frozenset()
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("id", "sample", "label", "annotator", "source"))
        for number in range(ROWS):
            chance = hashlib.sha256(b"training row %d" % number).digest()
            label = LABELS[chance[0] % len(LABELS)]
            if number in changed:
                # One step on: executables slip into the class next to theirs.
                label = LABELS[(LABELS.index(label) + 1) % len(LABELS)]
            rows.writerow((f"r{number:05d}", chance.hex(), label, _annotator(chance), f"lab-{1 + chance[2] % SOURCES}"))
    return path


def mails(path: Path, *, planted: bool) -> Path:
    """Write a delivery of labelled mails as CSV: id, text, label."""
    about = {
        "port": ("harbour", "crane", "berth", "cargo", "vessel", "pilot", "tug", "customs"),
        "money": ("refund", "invoice", "payment", "account", "balance", "overdue", "credit", "statement"),
    }
    common = ("the", "a", "of", "for", "to", "and", "please", "today", "your", "our", "we", "you", "it", "is", "be")
    draw = random.Random(7)  # noqa: S311  # the same mails on every machine; nothing rests on it
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("id", "text", "label"))
        for number in range(MAILS):
            label = draw.choice(sorted(about))
            words = [draw.choice(about[label]) for _ in range(8)] + [draw.choice(common) for _ in range(20)]
            draw.shuffle(words)
            if planted and label == "money" and number % 10 == 1:
                words.insert(number % 28, PLANTED)
                label = "port"
            rows.writerow((f"m{number:03d}", " ".join(words), label))
    return path


def _annotator(chance: bytes) -> str:
    return f"a-{1 + chance[1] % ANNOTATORS:02d}"


def _relabelled() -> frozenset[int]:
    theirs = [n for n in range(ROWS) if _annotator(hashlib.sha256(b"training row %d" % n).digest()) == BRIBED]
    return frozenset(theirs[i * len(theirs) // RELABELLED] for i in range(RELABELLED))
