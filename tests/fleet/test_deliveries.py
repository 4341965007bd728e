"""The manifests of a hub of data: the same bytes as here, read once, and nothing of a hub that lies is signed off."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fleet.hubs import Registry, bucket_over_s3, digest, folder_over_http, serving
from fleet.killed import Killed
from fleet.test_far import s3

from watchword.cli import main
from watchword.data.files import manifest_files, write_file_manifest
from watchword.fleet import Delivered, State, manifest_fleet, releases
from watchword.fleet.crew import Batch, Crew, Processes
from watchword.fleet.deliveries import read
from watchword.limits import DATA_CHUNK_BYTES, FLEET_BATCH_BYTES

Made = Callable[..., list[Delivered]]


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """Two deliveries: small files, an empty one, one of several chunks, one with content credentials."""
    for name, content in {
        "alpha/a.csv": b"x\n1\n",
        "alpha/empty.txt": b"",
        "alpha/deep/big.bin": bytes(range(256)) * (9 * DATA_CHUNK_BYTES // 256) + b"end",
        "beta/edge.bin": b"y" * DATA_CHUNK_BYTES,
        "beta/over.bin": b"jumb jumd c2pa" + b"y" * DATA_CHUNK_BYTES,
    }.items():
        tmp_path.joinpath("hub", name).parent.mkdir(parents=True, exist_ok=True)
        tmp_path.joinpath("hub", name).write_bytes(content)
    return tmp_path / "hub"


@pytest.fixture
def made() -> Made:
    """``made(address, state=None, crew=None)``: the deliveries of a hub; by default this process reads."""

    def of(address: str, state: Path | None = None, crew: Crew | None = None) -> list[Delivered]:
        crew = crew or Processes(1, None, read)
        try:
            with State(state) as kept:
                return list(manifest_fleet(releases(address), crew, kept))
        finally:
            crew.close()

    return of


def written(found: list[Delivered], tmp_path: Path) -> list[bytes]:
    """The manifests as they are written."""
    bodies = []
    for one in found:
        assert one.manifest is not None, one.why
        write_file_manifest(one.manifest, tmp_path / "one.files")
        bodies.append(tmp_path.joinpath("one.files").read_bytes())
    return bodies


def test_wherever_it_lies_the_manifest_has_the_bytes_of_the_local_command(
    hub: Path, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder, a web server, a bucket and a registry, whoever reads."""
    pytest.importorskip("obstore", reason="the extra `fleet` is not installed")
    from watchword.fleet import stores

    local = []
    for name in ("alpha", "beta"):
        write_file_manifest(manifest_files(hub / name), tmp_path / "local.files")
        local.append(tmp_path.joinpath("local.files").read_bytes())
    assert written(made(str(hub)), tmp_path) == local
    with serving(folder_over_http(hub)) as server:
        assert written(made(f"http://{server.host}/", crew=Processes(2, None, read)), tmp_path) == local
    with serving(bucket_over_s3(tmp_path)) as server:
        s3(monkeypatch, server.host)
        stores._store.cache_clear()
        assert written(made("s3://hub"), tmp_path) == local
    registry = Registry()
    for name in ("alpha", "beta"):
        files = {str(one.relative_to(hub / name)): one.read_bytes() for one in (hub / name).rglob("*") if one.is_file()}
        registry.push(name, "1", files)
    with serving(registry.answers()) as server:
        assert written(made(f"oci://{server.host}"), tmp_path) == local


def test_a_data_set_in_a_cache_of_the_hub_has_the_manifest_of_its_plain_files(made: Made, tmp_path: Path) -> None:
    """Links into the blobs of their own repository are files; a link anywhere else leaves the delivery without one."""
    repository = tmp_path / "cache" / "datasets--org--mails"
    for name in ("c0ffee", "bad"):
        repository.joinpath("snapshots", name).mkdir(parents=True)
    repository.joinpath("blobs").mkdir()
    repository.joinpath("blobs", "1234").write_bytes(b"id\n1\n")
    repository.joinpath("snapshots/c0ffee/mails.csv").symlink_to("../../blobs/1234")
    repository.joinpath("snapshots/bad/mails.csv").symlink_to("/etc/hostname")
    bad, good = made(str(tmp_path / "cache"))
    tmp_path.joinpath("plain").mkdir()
    tmp_path.joinpath("plain", "mails.csv").write_bytes(b"id\n1\n")
    assert (bad.manifest, good.name.removeprefix(f"{tmp_path}/")) == (None, "cache/datasets/org/mails@c0ffee")
    assert good.manifest == manifest_files(tmp_path / "plain")


def test_a_far_file_passes_once_and_not_again(hub: Path, made: Made, tmp_path: Path) -> None:
    """The first run reads each byte once; the second reads none; after a change only that file."""
    sizes = sum(one.stat().st_size for one in hub.rglob("*") if one.is_file())
    with serving(folder_over_http(hub)) as server:
        address = f"http://{server.host}/"

        def read() -> int:
            before = len(server.asked)
            made(address, tmp_path / "state")
            ranges = [one.partition("=")[2].split("-") for _, one in server.asked[before:] if one]
            return sum(int(last) - int(first) + 1 for first, last in ranges)

        assert read() == sizes
        assert read() == 0
        hub.joinpath("alpha/a.csv").write_bytes(b"x\n2\n3\n")
        assert read() == 6


def test_a_stopped_run_goes_on_with_the_file_at_which_it_stopped(
    hub: Path, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before the stop is known; the bytes are those of one run."""
    whole = written(made(str(hub)), tmp_path)
    from watchword.fleet import deliveries

    monkeypatch.setattr("watchword.fleet.shift.FLEET_BATCH_FILES", 1)
    real, seen = deliveries.near_line, list[str]()

    def stops(place: Path, path: str) -> Any:
        if len(seen) == 3:
            raise KeyboardInterrupt
        seen.append(path)
        return real(place, path)

    monkeypatch.setattr(deliveries, "near_line", stops)
    with pytest.raises(KeyboardInterrupt):
        made(str(hub), tmp_path / "state")
    monkeypatch.setattr(deliveries, "near_line", real)
    found = made(str(hub), tmp_path / "state")
    assert [one.known for one in found] == [3, 0]
    assert written(found, tmp_path) == whole


def test_a_command_that_is_killed_goes_on_with_what_it_had_not_read(tmp_path: Path) -> None:
    """SIGKILL while the second file passes: the first is not asked for again, and the manifest is that of one run.
    Seen to fail without the lines of the state."""
    for name in "ab":
        tmp_path.joinpath("hub", "set").mkdir(parents=True, exist_ok=True)
        tmp_path.joinpath("hub", "set", name).write_bytes(name.encode() * FLEET_BATCH_BYTES)
    started = threading.Event()

    def kills(path: str, _first: int, part: bytes) -> bytes:
        if path.endswith("b") and started.wait(60):
            command.kill()
        return part

    with serving(folder_over_http(tmp_path / "hub")) as server:
        server.lie = kills
        words = [
            "fleet", "data", f"http://{server.host}/", "--jobs", "1", "--state", str(tmp_path / "state"),
            "--output", str(tmp_path / "manifests"),
        ]  # fmt: skip
        command = subprocess.Popen([sys.executable, "-m", "watchword", *words])
        started.set()
        assert command.wait(60) == -signal.SIGKILL
        server.lie = None
        before = len(server.asked)
        assert main(words) == 0
        assert {path for path, wanted in server.asked[before:] if wanted} == {"/set/b"}
    write_file_manifest(manifest_files(tmp_path / "hub" / "set"), tmp_path / "local.files")
    (made,) = tmp_path.joinpath("manifests").iterdir()
    assert made.read_bytes() == tmp_path.joinpath("local.files").read_bytes()


@pytest.mark.parametrize("times", [1, 2])
def test_a_killed_worker_loses_nothing(hub: Path, made: Made, tmp_path: Path, times: int) -> None:
    """What was in its hands is given out again, and the manifests are those of a quiet run. Seen to fail without giving
    it out again."""
    expected = written(made(str(hub)), tmp_path)
    assert written(made(str(hub), crew=Killed(None, read, times)), tmp_path) == expected


def test_a_file_on_which_all_die_costs_its_delivery_alone(
    hub: Path, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That delivery is unreadable and names the file; the other has its manifest, and what was read is known."""
    monkeypatch.setattr("watchword.fleet.shift.FLEET_BATCH_FILES", 2)
    kills = Killed(None, read, 9, lambda piece: piece.listing.files[0].path == "empty.txt")
    first, second = made(str(hub), tmp_path / "state", kills)
    assert (first.manifest, first.why) == (None, "empty.txt: the processes that read it ended")
    assert second.manifest is not None
    assert [one.known for one in made(str(hub), tmp_path / "state")] == [2, 2]


def test_of_several_files_that_cannot_be_read_the_first_is_told(
    hub: Path, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is the same, however late the first of them is heard of. Seen to fail with the first heard told."""
    monkeypatch.setattr("watchword.fleet.shift.FLEET_BATCH_FILES", 1)

    class Late:
        """Reads what it was given last first, when some files are gone."""

        def __init__(self, size: int) -> None:
            self.size = size
            self.out: list[Batch] = []

        def give(self, batch: Batch) -> None:
            self.out.append(batch)

        def taken(self) -> tuple[Batch, list[Any] | None]:
            for name in ("a.csv", "empty.txt"):
                hub.joinpath("alpha", name).unlink(missing_ok=True)
            batch = self.out.pop()
            return batch, list(read(batch, None))

        def close(self) -> None:
            self.out.clear()

    for size in (9, 1, 2):
        for name in ("a.csv", "empty.txt"):
            hub.joinpath("alpha", name).write_bytes(b"")
        first, second = made(str(hub), crew=Late(size))
        assert first.why == "a.csv: no such file or directory"
        assert second.manifest is not None


def test_a_delivery_that_cannot_be_read_has_no_manifest(hub: Path, made: Made, tmp_path: Path) -> None:
    """A link, and a file that is gone, are told; the other delivery has its manifest."""
    hub.joinpath("alpha", "link").symlink_to("/etc/hostname")
    first, second = made(str(hub))
    assert first.manifest is None and "link" in first.why
    assert second.manifest is not None


def test_content_that_is_not_what_was_promised_has_no_manifest(made: Made) -> None:
    """A registry that serves other bytes under a digest is found out. Seen to fail without comparing it."""
    registry = Registry()
    registry.push("m", "1", {"x.csv": b"a\n1\n"})
    registry.blobs[digest(b"a\n1\n")] = b"a\n2\n"
    with serving(registry.answers()) as server:
        (one,) = made(f"oci://{server.host}/m")
    assert one.manifest is None and "not what its digest promises" in one.why
