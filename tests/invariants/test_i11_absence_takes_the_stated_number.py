"""I11: a bundle that says "no notice against X as of T" cannot be made by fewer than the charter's stated number of
dishonest operators.

BRAVO has recalled the release and a quorum has cosigned it. Whoever makes the file is dishonest, and has the witness
keys of as many operators as each test says. Both verifiers judge.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alliance import NAMES, NOON, RELEASE, Alliance, copy_alliance, inspection, make_alliance, quick_disk
from successions import EMPTY, adopt, follow, refused

from watchword import node
from watchword.account.proof import verify
from watchword.charter.charter import CharterFile
from watchword.errors import WatchwordError
from watchword.ledger.bundle import Bundle, LedgerPart, encode, parse_bundle
from watchword.ledger.checkpoint import cosign
from watchword.ledger.proof import NotProven
from watchword.statements.times import rfc3339

VERIFY = Path(__file__).resolve().parents[2] / "verify.py"
TARGET = f"release:{RELEASE.digest}"
HIDDEN = "bravo.example/notices"
DAY_S = 86_400


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Alliance, Bundle, Bundle]]:
    """The alliance two days on, with the honest file from before the recall and the one of now."""
    with quick_disk():
        made = make_alliance(tmp_path_factory.mktemp("i11") / "alliance")
        made.sync()
        made.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
        made.sync()
        before = made.nodes["ECHO"].make_proof((), releases=(RELEASE.digest,))
        made.recall("BRAVO", TARGET)
        made.sync()
        made.clock.advance(2 * DAY_S)
        for here in made.nodes.values():
            here.publish(refresh=True)
        made.sync()
        now = made.nodes["ECHO"].make_proof((), releases=(RELEASE.digest,))
        yield made, parse_bundle(before, "before"), parse_bundle(now, "now")
        made.close()


def says_no_notice(alliance: Alliance, bundle: Bundle) -> bool:
    """Whether a reader is told that there is no notice; both verifiers must agree."""
    data, now = encode(bundle), alliance.clock.now()
    try:
        absence = verify(alliance.charter_file, data, now).absence
        package = absence is not None and not absence.counting
    except WatchwordError:
        package = False
    folder = alliance.folder / "judged"
    folder.mkdir(exist_ok=True)
    (folder / "charter.json").write_bytes(alliance.charter_file.encode())
    (folder / "bundle.json").write_bytes(data)
    command = [sys.executable, str(VERIFY), "charter.json", "bundle.json", "--at", rfc3339(now)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    script = done.returncode == 0 and "no notice against" in done.stdout
    assert script == package, done.stdout
    return package


def with_part(bundle: Bundle, part: LedgerPart) -> Bundle:
    """The bundle with one ledger shown otherwise; the bodies of what it no longer shows are left out."""
    others = tuple(one for one in bundle.ledgers if one.origin != part.origin)
    bodies = tuple(body for body in bundle.bodies if b"urn:watchword:recall" not in _payload(body.data))
    return replace(bundle, ledgers=(*others, part), bodies=bodies)


def _payload(envelope: bytes) -> bytes:
    import base64
    import json

    return base64.b64decode(json.loads(envelope)["payload"])


def old_head(alliance: Alliance, before: Bundle, by: tuple[str, ...]) -> LedgerPart:
    """BRAVO's notices as they were before the recall, called fresh by the witnesses of *by*."""
    part = next(one for one in before.ledgers if one.origin == HIDDEN)
    note, now_s = part.note, int(alliance.clock.now().timestamp())
    for name in by:
        here = alliance.nodes[name]
        note += cosign(part.note, here.me.witness, here.keys.job("witness"), now_s)
    return replace(part, note=note)


def test_the_honest_file_shows_the_recall(story: tuple[Alliance, Bundle, Bundle]) -> None:
    """What the tests below try to hide."""
    alliance, before, now = story
    assert not says_no_notice(alliance, now)
    assert says_no_notice(alliance, before)  # as of two days ago, as it prints
    assert not says_no_notice(alliance, replace(before, as_of=rfc3339(alliance.clock.now())))
    charter = alliance.charter_file.charter
    assert (charter.quorum.faulty, charter.quorum.witness) == (1, 4)


@pytest.mark.parametrize("dishonest", [0, 1, 3])
def test_fewer_than_the_quorum_cannot_call_an_old_head_fresh(
    story: tuple[Alliance, Bundle, Bundle], dishonest: int
) -> None:
    """One operator, as the charter allows for, or even three; fails when the newest cosignature is believed."""
    alliance, before, now = story
    by = tuple(name for name in reversed(NAMES) if name != "BRAVO")[:dishonest]
    assert not says_no_notice(alliance, with_part(now, old_head(alliance, before, by)))


def test_it_takes_a_whole_quorum(story: tuple[Alliance, Bundle, Bundle]) -> None:
    """Four operators who all lie do hide it: that is the stated number, and the other tests are no accident."""
    alliance, before, now = story
    assert says_no_notice(alliance, with_part(now, old_head(alliance, before, ("ALFA", "CHARLIE", "DELTA", "ECHO"))))


def test_one_operator_under_many_names_is_one(story: tuple[Alliance, Bundle, Bundle]) -> None:
    """A witness that cosigns four times over is one operator."""
    alliance, before, now = story
    assert not says_no_notice(alliance, with_part(now, old_head(alliance, before, ("ECHO",) * 4)))


@pytest.mark.parametrize("how", ["ledger left out", "leaf left out", "name left out", "another secret", "dated back"])
def test_leaving_out_says_nothing(story: tuple[Alliance, Bundle, Bundle], how: str) -> None:
    """Without the ledger, the leaf, the name, the secret; or with an earlier *as of* than the heads can bear."""
    alliance, _, now = story
    hidden = next(one for one in now.ledgers if one.origin == HIDDEN)
    if how == "ledger left out":
        bundle = replace(with_part(now, hidden), ledgers=tuple(one for one in now.ledgers if one.origin != HIDDEN))
    elif how == "leaf left out":
        bundle = with_part(now, replace(hidden, entries=()))
    elif how == "name left out":
        bundle = replace(now, names=tuple(name for name in now.names or () if name != TARGET))
    elif how == "another secret":
        bundle = replace(now, alliance_secret=b"\1" * 32)
    else:
        bundle = replace(now, as_of="2026-01-31T12:00:00Z")
    assert not says_no_notice(alliance, bundle)


def without(bundle: Bundle, origin: str) -> Bundle:
    return replace(bundle, ledgers=tuple(part for part in bundle.ledgers if part.origin != origin), bodies=())


def other(bundle: Bundle, origin: str, **changes: Any) -> Bundle:
    parts = (replace(part, **changes) if part.origin == origin else part for part in bundle.ledgers)
    return replace(bundle, ledgers=tuple(parts))


CLOSED = "alfa.example/notices"


@pytest.mark.parametrize(
    ("spoil", "step"),
    [
        (lambda bundle: without(bundle, CLOSED), 8),
        (lambda bundle: other(bundle, CLOSED, entries=()), 4),
        (lambda bundle: other(bundle, CLOSED, note=f"{CLOSED}\n0\n{EMPTY}\n".encode(), entries=()), 3),
    ],
)
def test_bad_news_in_a_closed_ledger_is_not_left_out(
    closed: tuple[CharterFile, bytes], tmp_path: Path, spoil: Callable[[Bundle], Bundle], step: int
) -> None:
    """Whoever says "no notice" shows every closed notices ledger whole, up to the end that the charter states (I11).

    Each fails where closed ledgers are believed, or need not be there."""
    charter, data = closed
    assert verify(charter, data, NOON).absence is not None
    bad = encode(spoil(parse_bundle(data, "proof")))
    with pytest.raises(NotProven) as caught:
        verify(charter, bad, NOON)
    assert caught.value.step == step
    assert f"step {step}" in refused(tmp_path, charter, bad)


@pytest.fixture(scope="module")
def closed(four: Alliance, tmp_path_factory: pytest.TempPathFactory) -> tuple[CharterFile, bytes]:
    """A charter that closes ALFA's ledgers over a recall, and a proof about the release recalled there."""
    with quick_disk():
        made = copy_alliance(four, tmp_path_factory.mktemp("closed") / "alliance")
        made.recall("ALFA", f"release:{RELEASE.digest}")
        made.sync()
        file = follow(made, [node.begin_anew(made.home("ALFA"), None, made.clock)])
        adopt(made, file)
        made.sync(3)
        data = made.nodes["BRAVO"].make_proof((), releases=(RELEASE.digest,))
        made.close()
        return file, data
