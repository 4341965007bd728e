"""A member's ledgers at a static place: a folder that a web server serves, or a bucket; and who pulls from there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alliance import Alliance
from fleet.hubs import bucket_over_s3, folder_over_http, serving
from three import alliance as alliance
from three import template as template

from watchword.ledger.checkpoint import SplitView
from watchword.ledger.durable import StorageTrouble
from watchword.ledger.log import Log
from watchword.node.publishing import FolderPlace, NotOurPlace, publish
from watchword.node.sync import prefix_of, sync
from watchword.statements.statement import Subject

RELEASE = Subject("mail-sorter 1.0", "sha256:" + "7" * 64)


def says(here: Alliance, count: int = 1) -> None:
    """ALFA records so many statements and publishes its heads."""
    alfa = here.nodes["ALFA"]
    fields = {"of": "legal", "outcome": "against", "report": None, "text": "as it is"}
    for _ in range(count):
        alfa.sign_and_append("review", (RELEASE,), fields, person="official")
    alfa.publish()


class Cut(FolderPlace):
    """A place that breaks after so many files."""

    left = 0

    def write(self, path: str, data: bytes) -> None:
        if self.left == 0:
            raise StorageTrouble("the line is down")
        object.__setattr__(self, "left", self.left - 1)
        super().write(path, data)


def test_another_member_pulls_from_a_web_server_of_files(alliance: Alliance, tmp_path: Path) -> None:
    """Leaves and heads come and are verified; bodies do not, which is told, and no member was heard."""
    says(alliance, 2)
    done = publish(alliance.nodes["ALFA"], FolderPlace(tmp_path))
    assert [(one.origin, one.old, one.new) for one in done] == [("alfa.example/ledger", 0, 2)]
    with serving(folder_over_http(tmp_path)) as server:
        (brought,) = sync(alliance.nodes["BRAVO"], {"ALFA": f"http://{server.host}/"})
    assert (brought.troubles, brought.forks, brought.files_only) == ([], [], True)
    assert [(one.origin, one.old, one.new) for one in brought.ledgers] == [("alfa.example/ledger", 0, 2)]
    assert alliance.nodes["BRAVO"].store.log("alfa.example/ledger").root(2) == done_root(alliance)
    assert not (alliance.nodes["BRAVO"].home / "peers").exists() or not list(
        (alliance.nodes["BRAVO"].home / "peers").glob("*synced*")
    )


def done_root(here: Alliance) -> bytes:
    log = here.nodes["ALFA"].store.own("ledger")
    return log.root(log.published_size)


def test_nothing_private_is_there(alliance: Alliance, tmp_path: Path) -> None:
    """I10: tiles, heads, tags; no body, no record, no key."""
    says(alliance)
    web = tmp_path / "web"
    publish(alliance.nodes["ALFA"], FolderPlace(web))
    names = {str(path.relative_to(web)) for path in web.rglob("*") if path.is_file()}
    prefix = prefix_of("alfa.example/ledger")
    tiles = {"tile/0/000.p/1", "tile/entries/000.p/1", "checkpoint", "heads"}
    assert names == {"heads", *(prefix + name for name in tiles)}
    everything = b"".join(path.read_bytes() for path in web.rglob("*") if path.is_file())
    assert b"as it is" not in everything and b"mail-sorter" not in everything


def test_a_run_that_is_cut_short_goes_on_and_shows_no_head_before_its_tiles(
    alliance: Alliance, tmp_path: Path
) -> None:
    """After each file a reader finds the old head whole, or the new one; the last run writes nothing.

    Fails when the checkpoint is written before the tiles.
    """
    alfa, place = alliance.nodes["ALFA"], FolderPlace(tmp_path)
    says(alliance)
    publish(alfa, place)
    says(alliance, 256)
    for files in range(6):
        cut = Cut(tmp_path)
        object.__setattr__(cut, "left", 1 if files else 0)
        with pytest.raises(StorageTrouble):
            publish(alfa, cut)
        with serving(folder_over_http(tmp_path)) as server:
            (brought,) = sync(alliance.nodes["BRAVO"], {"ALFA": f"http://{server.host}/"})
        assert (brought.troubles, brought.forks) == ([], [])
    (done,) = publish(alfa, place)
    assert done.new == 257
    assert [one.written for one in publish(alfa, place)] == [0]


def test_what_is_damaged_there_is_mended(alliance: Alliance, tmp_path: Path) -> None:
    """With *everything*, each file is compared; without, only what is new."""
    alfa, place = alliance.nodes["ALFA"], FolderPlace(tmp_path)
    says(alliance)
    publish(alfa, place)
    tile = tmp_path / prefix_of("alfa.example/ledger") / "tile/0/000.p/1"
    good = tile.read_bytes()
    tile.write_bytes(bytes(32))
    assert [one.written for one in publish(alfa, place)] == [0]
    assert [one.written for one in publish(alfa, place, everything=True)] == [1]
    assert tile.read_bytes() == good


def test_another_history_there_is_never_written_over(alliance: Alliance, tmp_path: Path) -> None:
    """I6: a longer head stops it, and a contradicting one convicts. Fails when what is there is not looked at."""
    alfa = alliance.nodes["ALFA"]
    says(alliance)
    other = Log.create(tmp_path / "other", "alfa.example/ledger", tmp_path / "heads")
    other.append([b"\x01" + bytes(32)])
    key = alfa.keys.job("ledger")
    place = FolderPlace(tmp_path / "web")
    place.write(f"{prefix_of(other.origin)}checkpoint", other.publish(key))
    with pytest.raises(SplitView, match="another history"):
        publish(alfa, place)
    other.append([b"\x01" + bytes(32)])
    place.write(f"{prefix_of(other.origin)}checkpoint", other.publish(key))
    with pytest.raises(NotOurPlace, match="2 leaves are published there, 1 here"):
        publish(alfa, place)
    other.close()
    assert len([path for path in place.folder.rglob("*") if path.is_file()]) == 1


def test_a_bucket_serves_as_well(alliance: Alliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over S3: put, read back, nothing put twice; and a member pulls from the bucket by plain HTTP."""
    pytest.importorskip("obstore", reason="the extra `fleet` is not installed")
    from watchword.fleet import stores

    says(alliance)
    (tmp_path / "ledgers").mkdir()

    class Bucket(bucket_over_s3(tmp_path)):  # type: ignore[misc]
        def do_PUT(self) -> None:
            place = tmp_path / self.path.partition("?")[0].strip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            self.answer(200, b"", {"ETag": '"1"'})

    def there() -> Any:
        return {str(path.relative_to(tmp_path)) for path in (tmp_path / "ledgers").rglob("*") if path.is_file()}

    with serving(Bucket) as server:
        environment = {
            "ENDPOINT": f"http://{server.host}", "ALLOW_HTTP": "true", "REGION": "us-east-1", "ACCESS_KEY_ID": "key",
            "SECRET_ACCESS_KEY": "secret",
        }  # fmt: skip
        for name, value in environment.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        stores._store.cache_clear()
        place = stores.StorePlace("s3://ledgers/alfa")
        assert [one.written for one in publish(alliance.nodes["ALFA"], place)] == [4]
        assert "ledgers/alfa/heads" in there() and len(there()) == 5
        assert [one.written for one in publish(alliance.nodes["ALFA"], place)] == [0]
        (brought,) = sync(alliance.nodes["BRAVO"], {"ALFA": f"http://{server.host}/ledgers/alfa/"})
    stores._store.cache_clear()
    assert (brought.troubles, [one.new for one in brought.ledgers]) == ([], [1])
