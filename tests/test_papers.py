"""Papers of people, members and programs: a search that coverage guides for seconds, and what longer ones found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from watchword.errors import WatchwordError

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the search needs what only Linux has")


def test_the_search_finds_nothing_in_some_seconds() -> None:
    """Fifty parsers raise our own errors and no others, on what was kept as well; longer by command: see the module."""
    command = [sys.executable, "-m", "benchmarks.papers", "4", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every promise held" in done.stdout


def test_every_parser_takes_its_first_honest_input() -> None:
    """A search from inputs that are refused at once would search nothing; nobody seals what is opened there."""
    from benchmarks import papers

    refused = {}
    for name, (first, *_) in papers.seeds().items():
        try:
            papers.PARSERS[name](first)
        except WatchwordError as error:
            refused[name] = error.message
    assert refused == {"sealed": "x: not the questions and answers that the statement seals"}
    assert papers.PARSERS.keys() == papers.seeds().keys()


@pytest.mark.parametrize(
    ("parser", "data", "says"),
    [
        ("signature", '{"mediaType":"application/vnd.dev.sigstore.bundle","verificationMaterial":{},"dsseEnvelope":'
                      '{"payload":"é","payloadType":"","signatures":[{"sig":""}]}}'.encode(), "only ASCII"),
        ("document", b"|requirement|id|how many|\n|-|-|-|\n|x|x|\x1d0|\n", "which pack it is"),
        ("pictures", b'{"by_label":{"\xbe"', "not as watchword makes it"),
    ],
)  # fmt: skip
def test_what_searches_found_is_refused_in_words(parser: str, data: bytes, says: str) -> None:
    """Each raised something else once."""
    from benchmarks import papers

    with pytest.raises(WatchwordError, match=says):
        papers.PARSERS[parser](data)


def test_arrays_that_are_cut_off_are_told(tmp_path: Path) -> None:
    """A directory that promises more than there is. Seen to end with EOFError while that was not translated."""
    import io
    import zipfile

    import numpy

    from watchword.evaluate.samples import BadData, read_samples

    whole, packed = io.BytesIO(), io.BytesIO()
    numpy.save(whole, numpy.zeros((100_000, 3), "float32"))
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("x.npy", whole.getvalue()[:200])
    data = bytearray(packed.getvalue())
    at = data.rindex(b"PK\1\2") + 20
    data[at : at + 8] = len(whole.getvalue()).to_bytes(4, "little") * 2
    tmp_path.joinpath("a.npz").write_bytes(data)
    with pytest.raises(BadData, match="EOFError"):
        read_samples(tmp_path / "a.npz", "arrays")


def test_what_was_new_is_kept_and_tried_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search begins where the last one ended; what was kept and fails now ends it at once."""
    from benchmarks import searching

    def one(data: bytes) -> None:
        if data[:1] == b"b":
            raise WatchwordError("refused")

    def bad(data: bytes) -> None:
        if data[:1] == b"b":
            raise KeyError("x")

    monkeypatch.setattr(searching, "KEPT", tmp_path)
    of = searching.Searched("mine", {"one": one}, {"one": [b"a"]}, frozenset([__file__]), [b"b"])
    assert searching.search(of, 2, 1, keeps=True) == 0
    kept = searching.kept("mine")["one"]
    assert kept and all(data[:1] == b"b" for data in kept)
    of = searching.Searched("mine", {"one": bad}, {"one": [b"a"]}, frozenset([__file__]), [b"b"])
    assert searching.search(of, 0, 1) == 1
