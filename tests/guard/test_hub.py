"""Models of a hub: what is handed over is a copy of what was inspected, whatever the hub, or its cache here, holds.

That a use must be admitted is tested through the command (``tests/cli/test_run.py``).
"""

from __future__ import annotations

import hashlib
import json
import pickle
import re
import stat
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from fleet.hubs import Answers, serving

from watchword import guard
from watchword.guard.keeping import keep
from watchword.inspect import manifest_of

pytest.importorskip("huggingface_hub", reason="the extra `hub` is not installed")

COMMIT = "c0ffee" + 34 * "0"
GOOD = pickle.dumps({"layer": [1.0, 2.0]}, protocol=4)
EVIL = b"\x80\x02cposix\nsystem\n(X\x04\x00\x00\x00truetR."
Fetch = Callable[..., Any]


def hub(files: dict[str, bytes]) -> type[BaseHTTPRequestHandler]:
    """The Hub's API as far as one snapshot of the model org/name goes."""

    class OfHub(Answers):
        def content(self, path: str) -> tuple[bytes, dict[str, str]] | None:
            json_ = {"Content-Type": "application/json"}
            if re.match(r"/api/models/org/name(/revision/[^/?]+)?(\?|$)", path):
                told = {"id": "org/name", "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
                return json.dumps(told).encode(), json_
            if path.startswith(f"/api/models/org/name/tree/{COMMIT}"):
                rows = [
                    {"type": "file", "path": name, "size": len(body), "oid": hashlib.sha1(body).hexdigest()}
                    for name, body in files.items()
                ]
                return json.dumps(rows).encode(), json_
            if (named := re.match(rf"/org/name/resolve/{COMMIT}/(.+)", path)) and named[1] in files:
                body = files[named[1]]
                return body, {"ETag": f'"{hashlib.sha1(body).hexdigest()}"', "X-Repo-Commit": COMMIT}
            return None

    return OfHub


@pytest.fixture
def files() -> dict[str, bytes]:
    return {"model.pkl": GOOD, "sub/config.json": b"{}"}


@pytest.fixture
def there(files: dict[str, bytes], tmp_path: Path) -> Iterator[dict[str, Any]]:
    """The arguments that lead huggingface_hub to the hub of this test."""
    with serving(hub(files)) as server:
        yield {"endpoint": f"http://{server.host}", "cache_dir": tmp_path / "cache"}


def test_a_snapshot_is_held_as_the_release_that_it_is(
    there: dict[str, Any], files: dict[str, bytes], tmp_path: Path
) -> None:
    """Links of the cache are files; the digest is that of the same files in a folder."""
    for name, body in files.items():
        tmp_path.joinpath("release", name).parent.mkdir(parents=True, exist_ok=True)
        tmp_path.joinpath("release", name).write_bytes(body)
    with guard.from_hub("org/name", **there) as held:
        assert held.digest == manifest_of(tmp_path / "release").digest
        assert held.member("sub/config.json").read_bytes() == b"{}"
        assert not held.path.is_relative_to(tmp_path / "cache")
    assert not held.path.exists()


def test_what_a_hub_delivers_is_looked_at_before_it_is_handed_over(
    there: dict[str, Any], files: dict[str, bytes], tmp_path: Path
) -> None:
    """A dangerous file refuses the whole, and nothing is kept. Seen to fail with the snapshot's path handed out."""
    files["extra.pkl"] = EVIL
    with pytest.raises(guard.Refused, match="is dangerous"):
        guard.snapshot_download("org/name", tmp_path / "into", **there)
    assert list(tmp_path.joinpath("into").iterdir()) == []


def test_a_cache_that_was_changed_is_looked_at_again(there: dict[str, Any], tmp_path: Path) -> None:
    """A blob that somebody altered after the first time is not trusted, nor a link that leads out of the cache. Seen to
    fail with links followed wherever they lead."""
    with guard.from_hub("org/name", **there):
        pass
    snapshot = next(tmp_path.glob("cache/models--org--name/snapshots/*"))
    snapshot.joinpath("model.pkl").resolve().write_bytes(EVIL)
    with pytest.raises(guard.Refused, match="is dangerous"), guard.from_hub("org/name", **there):
        raise AssertionError("handed over")
    tmp_path.joinpath("elsewhere").write_bytes(GOOD)
    snapshot.joinpath("model.pkl").unlink()
    snapshot.joinpath("model.pkl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(guard.NotSealed, match=r"model\.pkl"), guard.from_hub("org/name", **there):
        raise AssertionError("handed over")


def test_what_is_kept_is_what_was_inspected(there: dict[str, Any], files: dict[str, bytes], tmp_path: Path) -> None:
    """A read-only folder of its own, replaced when it is fetched again, altered or not; nothing else is left there."""
    kept = guard.snapshot_download("org/name", tmp_path / "into", **there)
    assert kept.name == f"org--name@{COMMIT}"
    kept.joinpath("model.pkl").chmod(0o600)
    kept.joinpath("model.pkl").write_bytes(EVIL)
    again = guard.snapshot_download("org/name", tmp_path / "into", **there)
    assert again == kept and kept.joinpath("model.pkl").read_bytes() == GOOD
    modes = {stat.S_IMODE(one.stat().st_mode) for one in [kept, *kept.rglob("*")]}
    assert modes == {0o500, 0o400}
    assert list(tmp_path.joinpath("into").iterdir()) == [kept]


def test_what_the_hub_does_not_have_is_an_error(there: dict[str, Any]) -> None:
    """One named error, whatever the client raises; a folder that the client would fill by itself is refused."""
    with pytest.raises(guard.NotFetched, match="org/none"), guard.from_hub("org/none", **there):
        raise AssertionError("handed over")
    with pytest.raises(guard.NotFetched, match="local_dir"), guard.from_hub("org/name", local_dir="x", **there):
        raise AssertionError("handed over")


def test_what_a_reader_writes_beside_is_not_taken_for_another_release(model: Path, tmp_path: Path) -> None:
    """The folder that is kept stays the same one while its reader adds the file that he may; any other byte replaces
    it."""
    for _ in range(2):
        with guard.admitted(model, place=tmp_path) as held:
            kept = keep(held, tmp_path / "kept", "note")
        inode = kept.stat().st_ino
        kept.joinpath("note").write_text("read")
    assert kept.stat().st_ino == inode and kept.joinpath("note").exists()
    kept.joinpath("other").write_text("x")
    with guard.admitted(model, place=tmp_path) as held:
        keep(held, tmp_path / "kept", "note")
    assert sorted(one.name for one in kept.iterdir()) == ["model.pkl"]


def test_one_file_is_kept_in_a_folder(model: Path, tmp_path: Path) -> None:
    """By its name, so that its digest stays what it was."""
    with guard.admitted(model / "model.pkl", place=tmp_path, in_memory=False) as held:
        kept = keep(held, tmp_path / "kept")
        assert manifest_of(kept).digest == held.digest
    assert kept.joinpath("model.pkl").read_bytes() == GOOD


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with one model."""
    tmp_path.joinpath("release").mkdir()
    tmp_path.joinpath("release", "model.pkl").write_bytes(GOOD)
    return tmp_path / "release"
