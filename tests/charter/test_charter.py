"""A charter says exactly what section 7 names; what could be read two ways is refused."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from charters import charter_file, charter_value, key_value, member, ratification

from watchword.charter.charter import BadCharter, parse_charter, parse_charter_file, read_charter_file
from watchword.charter.standing import NotInForce, in_force
from watchword.errors import WatchwordError
from watchword.statements.digests import DJ


def test_a_charter_reads_back_as_written() -> None:
    """Members, origins, witnesses and keys are found by their names; the digest is that of the object."""
    value = charter_value()
    charter = parse_charter(value)
    assert charter.digest == DJ(value)
    assert charter.member("BRAVO").origins["notices"] == "bravo.example/notices"
    assert charter.origins["alfa.example/ledger"].use == "ledger"
    assert len(charter.shared_origins) == 6 and "alfa.example/record" not in charter.shared_origins
    assert charter.witness_operators["charlie.example/witness"] == "CHARLIE"
    assert charter.operators == {"ALFA", "BRAVO", "CHARLIE"}
    with pytest.raises(BadCharter, match="not a member"):
        charter.member("ZULU")


def _with(change: Any) -> dict[str, Any]:
    value = copy.deepcopy(charter_value())
    change(value)
    return value


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda v: v.pop("quorum"), "quorum"),
        (lambda v: v.update(suite=2), "suite 2 is not known"),
        (lambda v: v.update(format="watchword-charter/9"), "format"),
        (lambda v: v.update(extra=1), "extra"),
        (lambda v: v["members"].append(member("ALFA")), "ALFA stands twice"),
        (lambda v: v["suppliers"].append(v["suppliers"][0] | {"name": "ALFA"}), "ALFA stands twice"),
        (lambda v: v["members"][0]["origins"].update(ledger="bravo.example/ledger"), "stands twice"),
        (lambda v: v["members"][0].update(witness="bravo.example/witness"), "stands twice"),
        (lambda v: v["members"][0]["keys"].pop(0), "exactly one root key"),
        (lambda v: v["members"][0].update(keys=v["members"][0]["keys"][:4]), "no person's key"),
        (lambda v: v["members"][0]["keys"].append(key_value("X", "supplier")), "job 'supplier'"),
        (lambda v: v["members"][0]["keys"][0].update(person="p", roles=["r"]), "people"),
        (lambda v: v["members"][0]["keys"][4].update(roles=["root"]), "no role is called"),
        (lambda v: v["members"][0]["keys"][0].update(id="sha256:" + "0" * 64), "not that of its halves"),
        (lambda v: v["members"][0]["keys"].__setitem__(0, key_value("ALFA", "ledger") | {"job": "root"}), "level 44"),
        (lambda v: v["suppliers"][0].update(keys=[]), "at least one"),
        (lambda v: v["suppliers"][0].update(keys=[key_value("ALFA", "root") | {"job": "supplier"}]), "stands twice"),
    ],
)
def test_a_charter_that_could_mislead_is_refused(change: Any, why: str) -> None:
    """Missing, unknown, repeated or shared things are errors that name themselves."""
    with pytest.raises(BadCharter, match=why):
        parse_charter(_with(change))


def test_one_half_of_a_key_may_not_serve_two_jobs() -> None:
    """A root key built from a gate key's Ed25519 half would let the gate sign half a root statement."""
    from charters import key

    from watchword.statements.keys import PublicKey

    value = copy.deepcopy(charter_value())
    mixed = PublicKey(key("ALFA", "gate").public.ed25519, key("ALFA", "root").public.mldsa, 65)
    value["members"][0]["keys"][0] = {**mixed.value(), "job": "root"}
    with pytest.raises(BadCharter, match="half of a key"):
        parse_charter(value)


def test_a_charter_is_in_force_when_the_quorum_ratified_this_very_version() -> None:
    """Two of three ratify: in force. One: not, and the missing are named. Fails when the count is not checked."""
    value = charter_value()
    two = [ratification(value, "ALFA"), ratification(value, "CHARLIE")]
    assert set(in_force(parse_charter_file(charter_file(value, two)))) == {"ALFA", "CHARLIE"}
    with pytest.raises(NotInForce, match="1 operators of 2 needed") as caught:
        in_force(parse_charter_file(charter_file(value, two[:1])))
    assert "BRAVO, CHARLIE" in caught.value.hint
    with pytest.raises(NotInForce):
        in_force(parse_charter_file(charter_file(value, [two[0], two[0]])))


def test_a_ratification_by_another_key_or_of_another_version_is_refused() -> None:
    """Only the root key ratifies, and only the version it names."""
    value, other = charter_value(), charter_value(head_max_age_s=1)
    good = [ratification(value, "ALFA"), ratification(value, "BRAVO")]
    for bad in (ratification(other, "CHARLIE"), ratification(value, "CHARLIE", "official")):
        with pytest.raises(NotInForce, match="ratification 3"):
            in_force(parse_charter_file(charter_file(value, [*good, bad])))


def test_two_members_of_one_operator_are_one_voice() -> None:
    """Quorums count operators of keys and machines, not names."""
    value = charter_value()
    value["members"] = [member("ALFA"), member("BRAVO", "ALFA"), member("CHARLIE")]
    hosted = [ratification(value, "ALFA"), ratification(value, "BRAVO")]
    with pytest.raises(NotInForce, match="1 operators of 2"):
        in_force(parse_charter_file(charter_file(value, hosted)))
    in_force(parse_charter_file(charter_file(value, [*hosted, ratification(value, "CHARLIE")])))


def test_a_charter_without_a_quorum_is_never_in_force() -> None:
    """A ratify quorum of zero does not mean that nobody needs to ratify."""
    value = charter_value(quorum={"faulty": 0, "ratify": 0, "witness": 2})
    with pytest.raises(NotInForce):
        in_force(parse_charter_file(charter_file(value, [])))


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"charter":{},"format":"x","ratifications":[]}', b"\xff"])
def test_a_file_that_is_no_charter_is_an_error_of_ours(tmp_path: Path, data: bytes) -> None:
    """Junk, a missing file and a folder are errors that name the path."""
    path = tmp_path / "charter.json"
    path.write_bytes(data)
    with pytest.raises(WatchwordError, match=r"charter\.json"):
        read_charter_file(path)
    with pytest.raises(BadCharter, match="missing"):
        read_charter_file(tmp_path / "missing")
    with pytest.raises(BadCharter):
        read_charter_file(tmp_path)


def test_every_byte_of_a_charter_file_counts() -> None:
    """One flipped bit anywhere is refused; fails when the file need not be canonical or the digest is not signed."""
    value = charter_value(("ALFA", "BRAVO"))
    data = charter_file(value, [ratification(value, "ALFA"), ratification(value, "BRAVO")])
    for index in range(0, len(data), 997):
        forged = data[:index] + bytes([data[index] ^ 4]) + data[index + 1 :]
        with pytest.raises(WatchwordError):
            in_force(parse_charter_file(forged))
