"""Several root keys of one member, kept by several people: fewer than the threshold say nothing for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alliance import NOON, RELEASE, ROLES, SECRET, STANDING, inspection, notice_subject, quick_disk

from watchword import node
from watchword.account.proof import verify
from watchword.charter.charter import BadCharter, CharterFile, parse_charter
from watchword.charter.draft import draft
from watchword.charter.standing import NotInForce, in_force
from watchword.node import Node
from watchword.statements.times import FixedClock, rfc3339

VERIFY = Path(__file__).resolve().parents[2] / "verify.py"


def charter_of(folder: Path, **changes: Any) -> dict[str, Any]:
    """A charter of ALFA alone, who has three root keys and needs two."""
    people = {role: [role] for role in ROLES}
    made = node.create(folder / "ALFA", "ALFA", "ALFA", people, "alfa.example", None, roots=3, root_threshold=2)
    rules: dict[str, Any] = {"requirements": [], "red_lines": [], "standing": STANDING}
    return draft("One Port", [made | changes], [], **rules, secret=SECRET, made=rfc3339(NOON))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    with quick_disk():
        yield tmp_path


def in_force_by(home: Path, *roots: str) -> CharterFile:
    charter = parse_charter(charter_of(home))
    return CharterFile(
        charter, tuple(node.ratify(home / "ALFA", charter, FixedClock(NOON), root=root)[1] for root in roots)
    )


@pytest.mark.parametrize("roots", [("root",), ("root-2", "root-2")])
def test_fewer_root_keys_than_the_threshold_ratify_nothing(home: Path, roots: tuple[str, ...]) -> None:
    """One key, or one key twice, is not two; fails when ratifications are counted by member."""
    with pytest.raises(NotInForce):
        in_force(in_force_by(home, *roots))


@pytest.mark.parametrize("threshold", [0, 4, None])
def test_a_threshold_is_stated_where_there_are_several_root_keys(home: Path, threshold: int | None) -> None:
    """More than there are, none, or left unsaid: no charter."""
    value = charter_of(home)
    if threshold is None:
        del value["members"][0]["root_threshold"]
    else:
        value["members"][0]["root_threshold"] = threshold
    with pytest.raises(BadCharter):
        parse_charter(value)


def test_the_node_needs_no_root_key_from_day_to_day(home: Path) -> None:
    """After the ceremony all three are taken away; the node signs heads and statements."""
    file = in_force_by(home, "root", "root-3")
    node.adopt(home / "ALFA", file, SECRET, FixedClock(NOON))
    for path in (home / "ALFA" / "keys").glob("root*.pem"):
        path.unlink()
    with Node.open(home / "ALFA", clock=FixedClock(NOON), writing=True) as here:
        said = here.sign_and_append("inspection", (RELEASE,), inspection())
        here.publish()
        assert here.locate(said.id).holder is not None
        assert here.store.own("ledger").published_size == 1


def test_one_root_key_revokes_nothing_and_two_do(home: Path) -> None:
    """A thief of one root key cannot fell what its member said; fails when the signers are not counted.

    Both verifiers show the first revocation as half-said, and count it with the second.
    """
    file = in_force_by(home, "root", "root-3")
    node.adopt(home / "ALFA", file, SECRET, FixedClock(NOON))
    with Node.open(home / "ALFA", clock=FixedClock(NOON), writing=True) as here:
        signed = here.sign_and_append("inspection", (RELEASE,), inspection())
        name = f"key:{here.locate(signed.id).signed.key_id}"
        for root, kind in (("root-2", "half-said"), ("root-2", "half-said"), ("root", "revoke")):
            fields = {"target": name, "reason": "stolen", "valid_up_to": []}
            here.sign_and_append("revoke", notice_subject(name), fields, person=root)
            here.publish()
            data = here.make_proof((), releases=(RELEASE.digest,))
            absence = verify(file, data, NOON).absence
            assert absence is not None
            assert {one.kind for one in absence.found} == {kind}
            assert bool(absence.counting) == (kind == "revoke")
            report = by_script(home, file, data)
            assert kind in report
            assert ("no notice against" in report) == (kind == "half-said")


def by_script(folder: Path, file: CharterFile, data: bytes) -> str:
    """What verify.py prints of a file that holds."""
    (folder / "charter.json").write_bytes(file.encode())
    (folder / "proof.json").write_bytes(data)
    command = [sys.executable, str(VERIFY), "charter.json", "proof.json", "--at", rfc3339(NOON)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=120).stdout
