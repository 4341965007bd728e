"""Files that are elsewhere: the same verdicts and digests as here, read by parts, from whoever serves them honestly."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from fleet.hubs import (
    Look,
    Registry,
    bucket_over_s3,
    digest,
    folder_over_http,
    safetensors,
    serving,
)

from watchword.fleet import BadHub
from watchword.inspect.far import Streamed
from watchword.inspect.file import How
from watchword.limits import FAR_BLOCK_BYTES


def without_names(bodies: list[bytes]) -> list[dict[str, Any]]:
    return [{**json.loads(body), "target": ""} for body in bodies]


def s3(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    for name, value in {
        "ENDPOINT": f"http://{host}",
        "ALLOW_HTTP": "true",
        "REGION": "us-east-1",
        "ACCESS_KEY_ID": "key",
        "SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)


def test_a_web_server_gives_what_the_folder_gives(hub: Path, look: Look) -> None:
    """Verdicts, digests and facts are the same; links up, out and with queries are not followed."""
    _, here = look(str(hub))
    with serving(folder_over_http(hub)) as server:
        looked, there = look(f"http://{server.host}/")
        assert without_names(there) == without_names(here)
        assert looked[0].summary.name == f"http://{server.host}/alpha"
        assert not [path for path, _ in server.asked if ".." in path or "?" in path]


def test_a_bucket_gives_what_the_folder_gives(
    hub: Path, tmp_path: Path, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over several pages of its list; the second run reads nothing but the list."""
    pytest.importorskip("obstore", reason="the extra `fleet` is not installed")
    from watchword.fleet import stores

    _, here = look(str(hub))
    with serving(bucket_over_s3(tmp_path)) as server:
        s3(monkeypatch, server.host)
        stores._store.cache_clear()
        _, there = look("s3://hub", state=tmp_path / "state")
        assert without_names(there) == without_names(here)
        read = len(server.asked)
        again, same = look("s3://hub", state=tmp_path / "state")
        assert same == there
        assert all(one.before for one in again)
        assert all("list-type" in path for path, _ in server.asked[read:])
        assert [one.summary.name for one in look("s3://hub/gamma", 0)[0]] == ["s3://hub/gamma"]
        with pytest.raises(BadHub, match="s3://missing"):
            look("s3://missing/x")


def test_a_registry_gives_what_the_folder_gives(hub: Path, look: Look) -> None:
    """Each tag is a release, by its layers' titles; a token is asked for where the registry wants one."""
    registry = Registry(secret="a-token")
    for name in ("alpha", "gamma"):
        folder = hub / name
        files = {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}
        registry.push(f"models/{name}", "1.0", files)
    _, here = look(str(hub))
    with serving(registry.answers()) as server:
        _, there = look(f"oci://{server.host}")
        assert without_names(there) == [without_names(here)[0], without_names(here)[2]]
        registry.push("models/alpha", "2.0", {"x.pkl": b"\x80\x04."})
        names = [one.summary.name for one in look(f"oci://{server.host}/models/alpha")[0]]
        assert names == [f"oci://{server.host}/models/alpha:{tag}" for tag in ("1.0", "2.0")]
        assert len(look(f"oci://{server.host}/models/alpha:2.0")[0]) == 1


def test_an_index_and_a_configuration_are_looked_at(look: Look) -> None:
    """The manifests of an index are folders of the release, and a configuration that says something is a file."""
    registry = Registry()
    registry.push("m", "inner", {"x.json": b"{}"}, config=b'{"model_type": "y"}')
    inner = registry.tags["m"].pop("inner")
    registry.blobs[digest(inner)] = inner
    registry.tags["m"]["1"] = json.dumps({"manifests": [{"digest": digest(inner), "size": len(inner)}]}).encode()
    with serving(registry.answers()) as server:
        looked, bodies = look(f"oci://{server.host}/m")
    folder = digest(inner)[7:19]
    config = digest(b'{"model_type": "y"}')[7:19]
    assert [one["path"] for one in json.loads(bodies[0])["files"]] == [f"{folder}/config-{config}", f"{folder}/x.json"]
    assert looked[0].summary.files == 2


def test_a_blob_that_is_not_what_its_digest_says_is_unreadable(look: Look) -> None:
    """A registry that serves other bytes gets no verdict for them. Seen to fail without comparing the digest."""
    registry = Registry()
    registry.push("m", "1", {"x.json": b'{"a": 1}'})
    registry.blobs[digest(b'{"a": 1}')] = b'{"a": 2}'
    with serving(registry.answers()) as server:
        assert str(look(f"oci://{server.host}/m")[0][0].summary.verdict) == "unreadable"


@pytest.mark.parametrize("name", ["../../etc/x", "/abs", "a//b", "a\\b"])
def test_a_title_that_leads_out_of_the_release_is_told(look: Look, name: str) -> None:
    """A layer's title is a name and no path of this machine: such a release has no manifest."""
    registry = Registry()
    registry.push("m", "1", {name: b"{}"})
    with serving(registry.answers()) as server:
        looked, bodies = look(f"oci://{server.host}/m")
    assert looked[0].summary.digest is None
    assert "path-unsafe" in {finding["rule"] for finding in json.loads(bodies[0])["findings"]}


def test_a_token_is_not_asked_for_where_a_registry_must_not_send_us(look: Look) -> None:
    """A challenge that names another plain-HTTP host is refused, and our login stays here."""
    registry = Registry(secret="x")
    answers = registry.answers()
    answers.do_GET = lambda self: self.answer(401, b"", {"WWW-Authenticate": 'Bearer realm="http://192.0.2.1/t"'})  # type: ignore[attr-defined]
    with serving(answers) as server, pytest.raises(BadHub, match="which is not asked"):
        look(f"oci://{server.host}/m")


def test_a_large_file_is_judged_from_its_header_and_hashed_once(tmp_path: Path, look: Look) -> None:
    """Of 80 MiB, more than is held in memory, the header is read and the whole passes once: nothing else is sent."""
    content = safetensors(20 * 1024 * 1024)
    tmp_path.joinpath("hub", "big").mkdir(parents=True)
    tmp_path.joinpath("hub", "big", "model.safetensors").write_bytes(content)
    with serving(folder_over_http(tmp_path / "hub")) as server:
        _, bodies = look(f"http://{server.host}/")
        sent = server.sent
    told = json.loads(bodies[0])["files"][0]
    assert (told["sha256"], told["verdict"]) == (hashlib.sha256(content).hexdigest(), "nothing-found")
    assert len(content) < sent < len(content) + 16 * FAR_BLOCK_BYTES
    with serving(folder_over_http(tmp_path / "hub")) as server:
        look(f"http://{server.host}/", how=How(hash_files=False))
        assert server.sent < 16 * FAR_BLOCK_BYTES


def test_a_small_file_is_read_once(hub: Path, look: Look) -> None:
    """What fits in memory is asked for in one request."""
    with serving(folder_over_http(hub)) as server:
        look(f"http://{server.host}/")
        ranges = [path for path, wanted in server.asked if wanted]
    assert sorted(ranges) == sorted(set(ranges))
    assert len(ranges) == 5


def test_what_the_judge_saw_is_what_was_hashed(tmp_path: Path, look: Look) -> None:
    """A server that shows the judge one file and the digest another gets no verdict. Seen to fail with the blocks not
    compared."""
    tmp_path.joinpath("hub").mkdir()
    content = safetensors(25 * 1024 * 1024)
    tmp_path.joinpath("hub", "model.safetensors").write_bytes(content)
    seen: set[int] = set()

    def lie(_: str, first: int, part: bytes) -> bytes:
        if first in seen:
            return part[:100] + b"\1" + part[101:]
        seen.add(first)
        return part

    with serving(folder_over_http(tmp_path / "hub")) as server:
        server.lie = lie
        looked, bodies = look(f"http://{server.host}/")
    assert str(looked[0].summary.verdict) == "unreadable"
    assert "served the second time" in json.loads(bodies[0])["findings"][0]["message"]


def test_a_file_that_changes_at_the_server_is_unreadable(tmp_path: Path, look: Look) -> None:
    """The listed entity tag is a condition of every read."""
    from watchword.fleet.web import WebFile

    tmp_path.joinpath("x.json").write_bytes(b"{}")
    with serving(folder_over_http(tmp_path)) as server, pytest.raises(OSError, match="412"):
        WebFile(f"http://{server.host}/x.json", '"other"').read(0, 2)


def test_a_server_without_ranges_serves_what_one_request_takes(tmp_path: Path, look: Look) -> None:
    """Small files are judged; of a large one it is said that it cannot be."""
    tmp_path.joinpath("hub").mkdir()
    tmp_path.joinpath("hub", "small.safetensors").write_bytes(safetensors(16))
    tmp_path.joinpath("hub", "large.safetensors").write_bytes(safetensors(3 * 1024 * 1024))
    with serving(folder_over_http(tmp_path / "hub")) as server:
        server.ranges = False
        looked, bodies = look(f"http://{server.host}/")
    assert [str(one.summary.verdict) for one in looked] == ["unreadable", "nothing-found"]
    assert "does not serve ranges" in json.loads(bodies[0])["findings"][0]["message"]


def test_a_server_that_stumbles_is_asked_again(hub: Path, look: Look) -> None:
    """Twice unavailable is not a verdict; for good, it is one that the state does not keep."""
    with serving(folder_over_http(hub)) as server:
        server.broken = 2
        looked, _ = look(f"http://{server.host}/")
        assert [str(one.summary.verdict) for one in looked][:2] == ["nothing-found", "nothing-found"]


def test_a_redirect_leads_only_where_it_may(tmp_path: Path) -> None:
    """Not to another scheme. Seen to fail with the redirects of the standard library."""
    from fleet.hubs import Answers

    from watchword.fleet.web import WebFile

    class Redirects(Answers):
        def content(self, path: str) -> tuple[bytes, dict[str, str]] | None:
            return None

        def do_GET(self) -> None:
            self.answer(302, b"", {"Location": "ftp://127.0.0.1/x"})

    with serving(Redirects) as server, pytest.raises(OSError, match="is not followed"):
        WebFile(f"http://{server.host}/x", None).read(0, 1)


class Kept:
    """Bytes that count how often each is read."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.promised: str | None = None

    def read(self, start: int, length: int) -> bytes:
        return self.content[start : start + length]


@pytest.mark.parametrize("size", [0, 1, FAR_BLOCK_BYTES, FAR_BLOCK_BYTES + 1, 9 * FAR_BLOCK_BYTES + 17])
def test_a_far_source_reads_like_a_near_one(size: int) -> None:
    """Any range gives the bytes of that range, and the end is short, as every source has it."""
    content = bytes(range(256)) * (size // 256 + 1)
    content = content[:size]
    source = Streamed(Kept(content), size)
    for offset, length in ((0, 10), (size - 3, 10), (FAR_BLOCK_BYTES - 1, 2), (0, size), (size, 1), (size // 2, 99)):
        if offset >= 0:
            assert source.read_at(offset, length) == content[offset : offset + length]
    passed: list[int] = []
    assert source.sha256(passed.append) == hashlib.sha256(content).hexdigest()
    assert passed[-1:] == ([size] if size else [])
