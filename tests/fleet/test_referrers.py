"""What stands beside an artefact in a registry: found as the specification says, believed only as far as digests go."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alliance import CLAIM, Alliance
from fleet.hubs import Look, Registry, Server, digest, serving
from three import alliance, template  # noqa: F401  fixtures

from watchword import node
from watchword.fleet import BadHub
from watchword.fleet.referrers import NotAttached, attach, attached, release_of
from watchword.fleet.registry import artefact
from watchword.ledger.bundle import BadBundle
from watchword.statements.statement import Subject

FILES = {"model.bin": b"weights", "config.json": b"{}"}
TYPE = "application/vnd.watchword.statement.v1"


def pushed(secret: str = "", referrers: bool = True) -> Registry:
    registry = Registry(secret, referrers)
    registry.push("models/m", "1", FILES)
    return registry


def where(server: Server) -> str:
    return f"oci://{server.host}/models/m:1"


@pytest.fixture
def claim(alliance: Alliance) -> Callable[..., bytes]:  # noqa: F811
    """``claim(address, scope="public", **changes)``: a supplier's envelope about the artefact at that address."""

    def made(address: str, scope: str = "public", **changes: Any) -> bytes:
        subject = (Subject("m 1", release_of(artefact(address))),)
        return node.sign_only(
            alliance.suppliers["AQUILA"], "claim", subject, CLAIM | changes, clock=alliance.clock, scope=scope
        )

    return made


def test_the_release_follows_from_the_manifest_alone(tmp_path: Path, look: Look) -> None:
    """The digest is the one that inspecting the files gives, an index's too, and no layer is read for it."""
    registry = pushed()
    inner = registry.tags["models/m"]["1"]
    registry.blobs[digest(inner)] = inner
    registry.tags["models/m"]["all"] = json.dumps({"manifests": [{"digest": digest(inner), "size": 1}]}).encode()
    with serving(registry.answers()) as server:
        for tag in ("1", "all"):
            address = f"oci://{server.host}/models/m:{tag}"
            known = release_of(artefact(address))
            assert not [path for path, _ in server.asked if "/blobs/" in path]
            assert known == look(address)[0][0].summary.digest
            server.asked.clear()


@pytest.mark.parametrize("referrers", [True, False], ids=["referrers", "fallback tag"])
def test_what_is_attached_is_found(claim: Callable[..., bytes], referrers: bool) -> None:
    """Over pages, with a token, with the API and without it; attached twice is there once."""
    registry = pushed(secret="a-token", referrers=referrers)
    with serving(registry.answers()) as server:
        bodies = [claim(where(server), release=f"{n}") for n in range(5)]
        for body in [*bodies, bodies[0]]:
            attach(where(server), body + b"\n", "public")
        found = attached(artefact(where(server)))
        assert sorted(one.body for one in found) == sorted(bodies)
        assert {(one.sort, one.why) for one in found} == {("statement", "")}
        tag = digest(registry.tags["models/m"]["1"]).replace(":", "-")
        assert (tag in registry.tags["models/m"]) is not referrers


def test_of_two_that_write_the_fallback_list_neither_is_lost(claim: Callable[..., bytes]) -> None:
    """Another's entry that comes in between stays, and ours is added to it. Seen to fail without If-Match and without
    looking whether ours is there."""
    registry = pushed(referrers=False)
    with serving(registry.answers()) as server:
        one, other = (claim(where(server), release=text) for text in ("one", "other"))
        attach(where(server), claim(where(server)), "public")
        # The first manifest that is taken next is ours, the second the list.
        registry.meanwhile = [lambda: None, lambda: attach(where(server), other, "public") and None]
        attach(where(server), one, "public")
        assert {one, other} < {it.body for it in attached(artefact(where(server)))}


def test_what_is_not_for_those_who_read_there_stays_here(claim: Callable[..., bytes], alliance: Alliance) -> None:  # noqa: F811
    """Public goes anywhere, the alliance's only where it alone reads, a node's own nowhere. Seen to fail without the
    comparison of scopes (I10)."""
    with serving(pushed().answers()) as server:
        with pytest.raises(NotAttached, match="its scope is alliance"):
            attach(where(server), claim(where(server), "alliance"), "public")
        with pytest.raises(NotAttached, match="its scope is own"):
            attach(where(server), claim(where(server), "own"), "alliance")
        attach(where(server), claim(where(server), "alliance"), "alliance")
        assert len(attached(artefact(where(server)))) == 1


def test_what_is_about_another_release_is_not_attached(alliance: Alliance) -> None:  # noqa: F811
    """A claim on something else, and a file that is neither statement nor proof."""
    with serving(pushed().answers()) as server:
        with pytest.raises(NotAttached, match="not about this artefact"):
            attach(where(server), alliance.claim(), "public")
        with pytest.raises(BadBundle):
            attach(where(server), b"{}", "alliance")


Lie = Callable[[Registry, dict[str, Any]], Any]


@pytest.mark.parametrize(
    ("lie", "why"),
    [
        (lambda registry, manifest: manifest["subject"].update(digest="sha256:" + 64 * "a"), "something else"),
        (lambda registry, manifest: manifest["layers"].append(manifest["layers"][0]), "not one layer"),
        (lambda registry, manifest: manifest["layers"][0].update(digest="md5:1"), "not SHA-256"),
        (lambda registry, manifest: registry.blobs.update({manifest["layers"][0]["digest"]: b"other"}), "promises"),
        (lambda registry, manifest: manifest.update(layers=7), "subscriptable"),
    ],
)
def test_a_registry_that_lies_is_told(claim: Callable[..., bytes], lie: Lie, why: str) -> None:
    """One that is not what it is said to be is unreadable, and what stands beside it is read all the same."""
    registry = pushed(referrers=False)
    with serving(registry.answers()) as server:
        good = claim(where(server))
        attach(where(server), good, "public")
        other = attach(where(server), claim(where(server), release="2"), "public")
        manifest = json.loads(registry.blobs[other.digest])
        lie(registry, manifest)
        altered = json.dumps(manifest).encode()
        registry.blobs[digest(altered)] = altered
        tag = digest(registry.tags["models/m"]["1"]).replace(":", "-")
        listed = json.loads(registry.tags["models/m"][tag])
        listed["manifests"][1]["digest"] = digest(altered)
        registry.tags["models/m"][tag] = json.dumps(listed).encode()
        found = attached(artefact(where(server)))
    assert [one.body for one in found if not one.why] == [good]
    assert [one.why for one in found if one.why and why in one.why]


@pytest.mark.parametrize(
    "listed", [b"[]", b'{"manifests": 7}', b'{"manifests": [7]}', b"<html>", b'{"manifests": [{"artifactType": []}]}']
)
def test_a_list_that_is_none_is_an_error(listed: bytes) -> None:
    """Nothing that a registry says instead of its list is taken for an empty one."""
    registry = pushed(referrers=False)
    with serving(registry.answers()) as server:
        one = artefact(where(server))
        registry.tags["models/m"][one.digest.replace(":", "-")] = listed
        with pytest.raises(BadHub, match="referrers cannot be listed"):
            attached(one)


def test_a_list_without_end_is_an_error(monkeypatch: pytest.MonkeyPatch, claim: Callable[..., bytes]) -> None:
    """Past the limits nothing is read. Seen to fail without them."""
    registry = pushed()
    with serving(registry.answers()) as server:
        for number in range(4):
            attach(where(server), claim(where(server), release=str(number)), "public")
        monkeypatch.setattr("watchword.fleet.referrers.OCI_LISTED_MAX", 3)
        with pytest.raises(BadHub, match="more than 3"):
            attached(artefact(where(server)))
        monkeypatch.setattr("watchword.fleet.referrers.OCI_LISTED_MAX", 100)
        monkeypatch.setattr("watchword.fleet.referrers.OCI_REFERRERS_MAX", 3)
        with pytest.raises(BadHub, match="more than 3"):
            attached(artefact(where(server)))


def test_indexes_that_lead_round_and_round_end() -> None:
    """An index of very many indexes is an error after a bounded number of requests."""
    from watchword.fleet.registry import layers

    leaf = json.dumps({"manifests": []}).encode()
    many = json.dumps({"manifests": [{"digest": "sha256:" + f"{n:064x}"} for n in range(5_000)]}).encode()
    asked: list[str] = []

    def fetch(reference: str) -> bytes:
        asked.append(reference)
        return many if reference == "1" else leaf

    with pytest.raises(ValueError, match="manifests"):
        layers("1", fetch)
    assert len(asked) <= 1_024


def test_an_upload_is_not_sent_to_another_host(claim: Callable[..., bytes]) -> None:
    """Where a registry names another host for the upload, nothing goes there, our login least of all."""
    registry = pushed()
    answers = registry.answers()

    def elsewhere(self: Any) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.answer(202, b"", {"Location": "http://192.0.2.1/upload"})

    with serving(registry.answers()) as server:
        body = claim(where(server))
    answers.do_POST = elsewhere  # type: ignore[attr-defined]
    with serving(answers) as server, pytest.raises(BadHub, match="which is not asked"):
        attach(where(server), body, "public")
