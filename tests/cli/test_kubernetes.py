"""The webhook from end to end: real TLS, a folder of papers as they change, and a no whenever something is amiss."""

from __future__ import annotations

import hashlib
import json
import shutil
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="what `serve` needs is not installed")

from fleet.hubs import Registry
from web.test_console_tls import certificate
from web.test_kubernetes_review import UID, asked

from watchword.charter.charter import read_charter_file
from watchword.policy.use_case import read_use_case
from watchword.statements.times import FixedClock
from watchword.web.kubernetes.papers import BadFolder, Papers


@pytest.fixture
def work(stage: Callable[[str], Path], here: Any) -> Path:
    """The stage ``work``, with papers on mail-sorter, which ALFA admitted for mail-triage."""
    work = stage("work")
    work.joinpath("papers").mkdir()
    here(work, "ledger", "prove", "ALFA#2", "--home", "ALFA", "--output", "papers/one.proof.json")
    return work


def image(work: Path, release: str = "mail-sorter") -> str:
    """A pinned image of that folder; its manifest goes among the papers."""
    registry = Registry()
    folder = work / release
    registry.push("m", "1", {one.name: one.read_bytes() for one in folder.iterdir()})
    manifest = registry.tags["m"]["1"]
    digest = hashlib.sha256(manifest).hexdigest()
    work.joinpath("papers", f"{digest}.manifest.json").write_bytes(manifest)
    return f"hub.example/models/{release}@sha256:{digest}"


def papers(work: Path, member: str = "ALFA", **more: Any) -> Papers:
    return Papers(work / "papers", read_charter_file(work / "ALFA/charter.json"), member, **more)


def why(work: Path, name: str, **more: Any) -> str:
    return papers(work, **more).why_not(name, read_use_case(work / "use.toml"))


def test_an_image_starts_as_the_release_that_was_admitted(work: Path) -> None:
    """That very image, for the member's own use, and no other image, member or use."""
    good, other = image(work), image(work, "mail-sorter-2")
    assert why(work, good) == ""
    assert "no proof here speaks of the release" in why(work, other)
    assert "has no admission for mail-triage" in why(work, good, member="BRAVO")
    text = work.joinpath("use.toml").read_text().replace("criticality = 0", "criticality = 2")
    work.joinpath("use.toml").write_text(text)
    assert "has no admission for mail-triage" in why(work, good)


@pytest.mark.parametrize("name", ["mail-sorter", "hub/m:1", "@sha256:" + 64 * "a", "hub/m@sha256:abc", "hub/m@sha1:00"])
def test_an_image_that_is_not_pinned_is_refused(work: Path, name: str) -> None:
    """A tag names other bytes tomorrow. Seen to fail with the tag looked up."""
    assert "not named by its digest" in why(work, name)


def test_a_manifest_of_other_bytes_is_refused(work: Path) -> None:
    """Whoever may write a manifest cannot make an image pass. Seen to fail without hashing it."""
    good, other = image(work), image(work, "mail-sorter-2")
    name = other.rpartition(":")[2]
    shutil.copy(
        work / "papers" / f"{good.rpartition(':')[2]}.manifest.json", work / "papers" / f"{name}.manifest.json"
    )  # fmt: skip
    assert "is not what its name promises" in why(work, other)
    assert "is not among the papers" in why(work, "hub/m@sha256:" + 64 * "a")


def test_old_papers_admit_nothing(work: Path) -> None:
    """Whoever keeps new bad news from the folder is found out when the charter's time is over."""
    good = image(work)
    for clock, says in ((timedelta(hours=1), ""), (timedelta(days=400), "are allowed")):
        found = why(work, good, clock=FixedClock(datetime.now(UTC) + clock))
        assert says in found and bool(found) == bool(says), found
    assert "are allowed" in why(work, good, age_s=-1)


def test_a_recall_in_the_folder_counts_at_once(work: Path, here: Any) -> None:
    """Signed is enough, and the process that is running hears of it; one that nobody signed with standing changes
    nothing. Seen to fail with statements read only at the start."""
    good, running = image(work), papers(work)
    use_case = read_use_case(work / "use.toml")
    assert running.why_not(good, use_case) == ""
    here(work, "notice", "recall", "mail-sorter", "--reason", "x", "--output", "recall.json", "--home", "BRAVO")
    body = work.joinpath("recall.json").read_bytes()
    work.joinpath("papers/forged.statement.json").write_bytes(body.replace(b'"sig":"', b'"sig":"AAAA', 1))
    assert running.why_not(good, use_case) == ""
    work.joinpath("papers/true.statement.json").write_bytes(body)
    assert "is recalled" in running.why_not(good, use_case)


def test_a_newer_proof_with_bad_news_beats_an_older_admission(work: Path, here: Any, exchange: Any) -> None:
    """Of two proofs the one that says no counts, whichever is read first. Seen to fail with the first yes taken."""
    good = image(work)
    here(work, "notice", "recall", "mail-sorter", "--reason", "x", "--home", "BRAVO")
    exchange(work)
    here(work, "ledger", "prove", "ALFA#2", "--home", "ALFA", "--output", "papers/two.proof.json")
    assert "no longer" in why(work, good)


def test_what_holds_no_model_passes_when_it_is_listed(work: Path) -> None:
    """By its digest, not by its name."""
    assert why(work, "hub/proxy@sha256:" + 64 * "b", plain=frozenset({"sha256:" + 64 * "b"})) == ""
    assert why(work, "hub/proxy:1", plain=frozenset({"sha256:" + 64 * "b"}))


def test_a_folder_that_is_not_there_is_an_error(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one with more files than papers are."""
    good = image(work)
    monkeypatch.setattr("watchword.web.kubernetes.papers.KUBERNETES_FILES_MAX", 1)
    with pytest.raises(BadFolder, match="more than 1"):
        why(work, good)
    shutil.rmtree(work / "papers")
    with pytest.raises(BadFolder, match="no such file"):
        why(work, good)


def test_the_webhook_answers_over_tls(work: Path) -> None:
    """Yes, no, a dry run, no JSON, too much, another use, and trouble, which is a no."""
    good, other = image(work), image(work, "mail-sorter-2")
    cert, key = certificate(work, "localhost")
    words = ["--papers", "papers", "--charter", "ALFA/charter.json", "--member", "ALFA", "--use", "use.toml"]
    tls = ["--tls-certificate", cert, "--tls-key", key, "--port", "0", "--format", "json"]
    serve = [sys.executable, "-m", "watchword", "kubernetes", "serve", *words, *tls]
    context = ssl.create_default_context(cafile=str(cert))

    def post(url: str, body: bytes) -> tuple[int, Any]:
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60, context=context) as answered:
                return answered.status, json.loads(answered.read())["response"]
        except urllib.error.HTTPError as error:
            return error.code, None

    def pod(name: str, **request: Any) -> bytes:
        return json.dumps(asked({"spec": {"containers": [{"name": "a", "image": name}]}}, **request)).encode()

    with subprocess.Popen(serve, cwd=work, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        told = json.loads("".join(iter(running.stdout.readline, "}\n")) + "}")
        try:
            assert (told["schema"], told["proofs"]) == ("watchword-kubernetes-serving/1", 1)
            url = told["urls"][0].replace("127.0.0.1", "localhost")
            assert url.endswith("/validate/mail-triage")
            assert post(url, pod(good)) == (200, {"allowed": True, "uid": UID})
            assert post(url, pod(good, dryRun=True)) == (200, {"allowed": True, "uid": UID})
            status, response = post(url, pod(other))
            assert (status, response["allowed"], response["uid"]) == (200, False, UID)
            assert "no proof here speaks of the release" in response["status"]["message"]
            assert post(url, b"{") == (400, None)
            assert post(url, b"[" * 100_000) == (400, None)
            assert post(url, b" " * (8 * 1024 * 1024 + 1))[0] == 413
            assert post(url.replace("mail-triage", "other"), pod(good)) == (404, None)
            shutil.rmtree(work / "papers")
            status, response = post(url, pod(good))
            assert (status, response["allowed"]) == (200, False)
        finally:
            running.terminate()
