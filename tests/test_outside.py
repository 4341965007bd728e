"""Bytes from outside: a search that coverage guides for seconds, and what longer ones (``make fuzz``) found."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from watchword.errors import WatchwordError

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the search needs what only Linux has")


def test_the_search_finds_nothing_in_some_seconds() -> None:
    """Sixteen parsers raise our own errors and no others; longer by command: see the module."""
    command = [sys.executable, "-m", "benchmarks.outside", "5", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every promise held" in done.stdout


def test_every_parser_takes_its_first_honest_input() -> None:
    """A search from inputs that are refused at once would search nothing; no device has signed, so one says so."""
    from benchmarks import outside

    refused = {}
    for name, (first, *_) in outside.seeds().items():
        try:
            outside.PARSERS[name](first)
        except WatchwordError as error:
            refused[name] = error.message
    assert refused == {"assertion": "its signature does not verify with the key in the charter"}
    assert outside.PARSERS.keys() == outside.seeds().keys()


@pytest.mark.parametrize(
    ("parser", "data", "says"),
    [
        ("tags", b"true", "does not list names"),
        ("tags", b"[" * 5_000, "does not list names"),
        ("token", b'Bearer realm="//["', "which is not asked"),
        ("token", b'Bearer realm="https://r.example/t"\n[]', "no token in the answer"),
        ("token", b'Bearer realm="https://r.example/t"\n' + b"[" * 5_000, "no token in the answer"),
        ("links", b"<![-", "no page of links"),
        ("plan", b"n=" + b"9" * 4_301, "not TOML"),
        ("report", b"t\re", "no report that is known"),
    ],
)
def test_what_searches_found_is_refused_in_words(parser: str, data: bytes, says: str) -> None:
    """Each raised something else once, and what asked for it ended with a traceback."""
    from benchmarks import outside

    with pytest.raises(WatchwordError, match=says):
        outside.PARSERS[parser](data)


def test_an_archive_whose_directory_points_before_it_is_no_report(tmp_path: Path) -> None:
    """Offsets that make no sense are a BadReport; ``zipfile`` raises ValueError there."""
    from watchword.evaluate.imports import BadReport, read_report

    entry = (
        b"PK\1\2\x14\3\x14\0\0\0\0\0Okz]l\xd0\xb9l\x9c\0\0\0\x9c\0\0\0"
        b"\x0b\0\0\0\0\0\0\0\0\0\0\0\x80\1\0\0\0\0header.json"
    )
    end = b"PK\5\6\0\0\0\0\1\0\1\0" + len(entry).to_bytes(4, "little") + b"\x2e\1\0\0\0\0"
    path = tmp_path / "log.eval"
    path.write_bytes(b"PK\3\4" + entry + end)
    with pytest.raises(BadReport, match=r"no readable \.eval archive"):
        read_report(path)


def test_a_challenge_of_a_registry_takes_linear_time() -> None:
    """A word of 60,000 letters costs milliseconds; trying each of its ends took seconds."""
    from benchmarks import outside

    begun = time.process_time()
    with pytest.raises(WatchwordError):
        outside.PARSERS["token"](b"Bearer " + b"a" * 60_000)
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize("text", [b"format = " + b"9" * 4_301, b"a = " + b"[" * 3_000], ids=["number", "depth"])
def test_a_home_whose_file_is_no_toml_is_told_by_name(tmp_path: Path, text: bytes) -> None:
    """Numbers and depths that Python's reader refuses in its own ways are NoHome as well."""
    from watchword.node.home import NoHome, read_home

    tmp_path.joinpath("node.toml").write_bytes(text)
    with pytest.raises(NoHome, match=r"node\.toml"):
        read_home(tmp_path)


def test_folders_without_end_are_no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that makes up a folder in every folder is left after a bounded number. Seen to run on without it."""
    from watchword.fleet import web
    from watchword.fleet.hub import BadHub

    page = b"".join(b'<a href="%d/">' % number for number in range(10))
    monkeypatch.setattr(web, "ask", lambda *_: ({}, page))
    monkeypatch.setattr(web, "FLEET_FILES_MAX", 500)
    with pytest.raises(BadHub, match="more than 500 files and folders"):
        list(web.files("http://hub.example/"))
