"""Which charter may follow which: every rule broken alone, and verify.py says the same of each."""

from __future__ import annotations

import copy
import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from charters import STANDING, charter_file, charter_value, key

from watchword.charter.charter import BadCharter, parse_charter, parse_charter_file
from watchword.charter.difference import asked, differences
from watchword.charter.standing import NotInForce
from watchword.charter.succession import DoesNotFollow, verify_follows, verify_shape
from watchword.statements.digests import DJ, b64
from watchword.statements.passkeys import parse_passkey
from watchword.statements.statement import Subject, make, sign
from watchword.statements.times import parse_time

Value = dict[str, Any]
NAMES = ("ALFA", "BRAVO", "CHARLIE", "DELTA")
BEFORE = charter_value(
    NAMES,
    quorum={"faulty": 1, "ratify": 3, "witness": 3},
    amendment={"delay_s": 604_800, "ratify": 3},
)
EMPTY = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def following(before: Value = BEFORE) -> Value:
    """The next charter, which changes nothing."""
    value = copy.deepcopy(before)
    return value | {"parent": DJ(before), "version": before["version"] + 1, "effective": "2026-03-01T12:00:00Z"}


def ratified(value: Value, by: tuple[str, ...], made: str = "2026-01-31T12:00:00Z") -> list[bytes]:
    """*value* ratified by the root keys of these members; ``DELTA.new`` is its second root key."""
    fields = {name: value[name] for name in ("version", "parent", "effective")}
    subject = (Subject("charter", DJ(value)),)
    return [
        sign(
            make("ratification", subject, fields, issuer=one.partition(".")[0], made=parse_time(made)),
            key(one.partition(".")[0], "root" + one.partition(".")[2]),
        )
        for one in by
    ]


@pytest.fixture(scope="module")
def plain() -> ModuleType:
    """verify.py, by its path."""
    path = Path(__file__).resolve().parents[2] / "verify.py"
    spec = importlib.util.spec_from_file_location("verify_of_succession", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def both(plain: ModuleType, value: Value, envelopes: list[bytes], before: Value = BEFORE) -> str:
    """What is wrong with *value* as a successor of *before*, by the package; verify.py must say no, or yes, as well."""
    data = charter_file(value, envelopes)
    old = charter_file(before, ratified(before, ("ALFA", "BRAVO", "CHARLIE")))
    try:
        verify_follows(parse_charter_file(old).charter, parse_charter_file(data))
        said = ""
    except (DoesNotFollow, NotInForce, BadCharter) as error:
        said = error.message
    try:
        former, after = plain.read_charter(old)[0], plain.read_charter(data)[0]
        plain.check_follows(former, after, json.loads(data)["ratifications"])
        again = ""
    except plain.Refused as error:
        again = str(error)
    assert bool(said) == bool(again), (said, again)
    return said


def retire(value: Value, owner: str, job: str, **more: Any) -> Value:
    """The first unretired key of *owner* for *job*, taken out of its party and given back retired by this version."""
    member = next(one for one in value["members"] if one["name"] == owner)
    old = next(one for one in member["keys"] if one["job"] == job)
    member["keys"] = [one for one in member["keys"] if one is not old]
    sizes = more.pop("sizes", [{"origin": f"{owner.lower()}.example/ledger", "size": 7}])
    member["keys"].append(old | {"retired": {"sizes": sizes, "version": value["version"]} | more})
    return member


def new_root(value: Value) -> None:
    member = retire(value, "DELTA", "root")
    member["keys"].insert(0, {**key("DELTA", "rootnew").public.value(), "job": "root"})


def no_review(value: Value) -> None:
    value["standing"] = STANDING | {"review": []}


def leave(value: Value) -> None:
    """DELTA goes: its keys retired, its ledgers closed."""
    (gone,) = (one for one in value["members"] if one["name"] == "DELTA")
    value["members"] = [one for one in value["members"] if one is not gone]
    ledger = next(one["id"] for one in gone["keys"] if one["job"] == "ledger")
    value["closed"] = [
        {"key": ledger, "member": "DELTA", "origin": gone["origins"][use], "root": EMPTY, "size": 0, "use": use}
        for use in ("ledger", "notices")
    ]
    keys = [one | {"retired": {"sizes": [], "version": value["version"]}} for one in gone["keys"]]
    kept = [one for one in keys if one["job"] != "witness"]
    value["former"] = [{"keys": kept, "name": "DELTA", "operator": "DELTA"}]


@pytest.mark.parametrize(
    ("change", "by", "made"),
    [
        (lambda value: None, ("ALFA", "BRAVO", "CHARLIE"), "2026-02-28T12:00:00Z"),
        (new_root, ("ALFA", "BRAVO", "CHARLIE", "DELTA"), "2026-02-28T12:00:00Z"),
        (new_root, ("ALFA", "BRAVO", "CHARLIE", "DELTA.new"), "2026-01-31T12:00:00Z"),
        (leave, ("ALFA", "BRAVO", "CHARLIE", "DELTA"), "2026-02-28T12:00:00Z"),
        (leave, ("ALFA", "BRAVO", "CHARLIE"), "2026-01-31T12:00:00Z"),
        (no_review, NAMES, "2026-02-22T12:00:00Z"),
    ],
)
def test_what_is_agreed_follows(
    plain: ModuleType, change: Callable[[Value], None], by: tuple[str, ...], made: str
) -> None:
    """A quorum; the member's own word, or the amendment quorum in time; a change of rules in time."""
    change(value := following())
    assert both(plain, value, ratified(value, by, made)) == ""


def another_secret(value: Value) -> None:
    value["secret"] = "sha256:" + "11" * 32


def too_early(value: Value) -> None:
    value["effective"] = "2025-12-31T12:00:00Z"


def no_ledger(value: Value) -> None:
    value["members"][3]["origins"]["notices"] = "new.example/notices"


def ledgers_change_hands(value: Value) -> None:
    one, other = value["members"][2], value["members"][3]
    one["origins"], other["origins"] = other["origins"], one["origins"]


def no_person(value: Value) -> None:
    value["members"][3]["keys"].pop()


def renamed_person(value: Value) -> None:
    value["members"][3]["keys"][-1]["person"] = "another"


def other_roles_retired(value: Value) -> None:
    retire(value, "DELTA", "people")["keys"][-1]["roles"] = ["steward"]


def comes_in_retired(value: Value) -> None:
    new = {**key("DELTA", "fresh").public.value(), "job": "people", "person": "zoe", "roles": ["official"]}
    value["members"][3]["keys"].append(new | {"retired": {"sizes": [], "version": 2}})


def closed_that_was_never_open(value: Value) -> None:
    leave(value)
    value["closed"].append(value["closed"][0] | {"origin": "other.example/ledger"})


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda value: value.update(parent="sha256:" + "00" * 32), "does not follow"),
        (lambda value: value.update(version=3), "does not follow"),
        (another_secret, "does not follow"),
        (too_early, "before its parent is"),
        (no_ledger, "is gone, or has another owner or key"),
        (ledgers_change_hands, "is gone, or has another owner or key"),
        (no_person, "key of DELTA is gone"),
        (renamed_person, "key of DELTA is gone"),
        (other_roles_retired, "other roles"),
        (comes_in_retired, "comes in retired"),
        (closed_that_was_never_open, "never open"),
    ],
)
def test_what_silences_somebody_does_not_follow(
    plain: ModuleType, change: Callable[[Value], None], rule: str
) -> None:
    """Rules 1 to 3, whoever ratifies; each was seen to pass with its check removed."""
    change(value := following())
    assert rule in both(plain, value, ratified(value, NAMES))


@pytest.mark.parametrize(
    ("change", "by", "made", "rule"),
    [
        (lambda value: None, ("ALFA", "BRAVO"), "2026-01-31T12:00:00Z", "ratified by 2 operators"),
        (new_root, ("ALFA", "BRAVO", "CHARLIE", "DELTA.new"), "2026-02-28T12:00:00Z", "DELTA is changed"),
        (leave, ("ALFA", "BRAVO", "CHARLIE"), "2026-02-28T12:00:00Z", "DELTA is changed"),
        (no_review, NAMES, "2026-02-22T12:00:01Z", "changes standing"),
        (
            lambda value: value.update(amendment={"delay_s": 0, "ratify": 3}), NAMES, "2026-02-28T12:00:00Z",
            "changes amendment",
        ),
    ],
)  # fmt: skip
def test_who_has_to_agree_and_when(
    plain: ModuleType, change: Callable[[Value], None], by: tuple[str, ...], made: str, rule: str
) -> None:
    """Rules 4 to 6: the former's quorum by the former's keys, the member itself, the delay to the second."""
    change(value := following())
    assert rule in both(plain, value, ratified(value, by, made))


def test_a_quorum_is_counted_by_operators_of_the_former(plain: ModuleType) -> None:
    """Two members of one operator that call themselves two are one by the charter that is in force."""
    before = copy.deepcopy(BEFORE) | {"quorum": {"faulty": 0, "ratify": 2, "witness": 3}}
    for member in before["members"][1:3]:
        member["operator"] = "HOST"
    after = following(before)
    for member in after["members"][1:3]:
        member["operator"] = member["name"]
    assert "ratified by 1 operators" in both(plain, after, ratified(after, ("BRAVO", "CHARLIE")), before)
    assert both(plain, after, ratified(after, NAMES[:3]), before) == ""


def test_who_leaves_keeps_its_operator(plain: ModuleType) -> None:
    """Else what it said before would count as another's."""
    leave(value := following())
    value["former"][0]["operator"] = "ALFA"
    assert "leaves with another operator" in both(plain, value, ratified(value, NAMES))


def test_a_key_is_retired_by_the_version_that_first_says_so(plain: ModuleType) -> None:
    """Nobody dates a retirement back, undoes it, or gives a retired key another reach."""
    second = following()
    dated_back = following(second)
    retire(dated_back, "DELTA", "people", version=2)
    assert "retired by another version" in both(plain, dated_back, ratified(dated_back, NAMES), second)
    member = retire(second, "DELTA", "people")
    third = following(second)
    assert both(plain, third, ratified(third, NAMES), second) == ""
    for spoil in (
        lambda key: key.pop("retired"), lambda key: key["retired"]["sizes"][0].update(size=1),
        lambda key: key["retired"].update(version=3),
    ):  # fmt: skip
        changed = copy.deepcopy(third)
        spoil(changed["members"][3]["keys"][-1])
        assert member["keys"][-1]["id"] == changed["members"][3]["keys"][-1]["id"]
        assert "was retired by charter 2" in both(plain, changed, ratified(changed, NAMES), second)


def test_a_former_member_does_not_come_back_under_its_name(plain: ModuleType) -> None:
    """Its name stands for what it said; who comes back takes another."""
    leave(second := following())
    third = following(second)
    back = copy.deepcopy(BEFORE["members"][3])
    back["origins"] = {use: f"back.example/{use}" for use in back["origins"]}
    fresh = [one | key(f"DELTA again {i}", one["job"]).public.value() for i, one in enumerate(back["keys"])]
    back["keys"] = [*third["former"][0]["keys"], *fresh]
    third["former"] = []
    third["members"].append(back)
    assert "left the alliance before" in both(plain, third, ratified(third, NAMES[:3]), second)


def test_a_closed_ledger_keeps_its_end(plain: ModuleType) -> None:
    """A later charter that lets it end elsewhere would cut off what somebody said, or let in what nobody saw."""
    leave(second := following())
    third = following(second)
    third["closed"][1]["size"] = 1
    assert "was closed at size 0, and stays so" in both(plain, third, ratified(third, NAMES[:3]), second)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: value["closed"][0].update(member="ALFA"),
        lambda value: value["closed"][0].update(root="AAAA"),
        lambda value: value["closed"].append(value["closed"][0]),
        lambda value: value["former"][0]["keys"][0].pop("retired"),
        lambda value: value["former"][0]["keys"].clear(),
        lambda value: value["former"][0].update(name="ALFA"),
        lambda value: value["former"][0]["keys"][0]["retired"].update(version=1),
        lambda value: value["former"][0]["keys"][0]["retired"].update(version=3),
        lambda value: value["former"][0]["keys"][0]["retired"].update(sizes=[{"origin": "x.example/x", "size": 1}]),
        lambda value: value["former"][0]["keys"][0]["retired"].update(
            sizes=[{"origin": "delta.example/ledger", "size": 1}] * 2
        ),
        lambda value: value.pop("effective"),
        lambda value: value["amendment"].pop("delay_s"),
    ],
)
def test_a_past_that_two_could_read_differently_is_no_charter(plain: ModuleType, spoil: Callable[[Value], Any]) -> None:
    """Closed ledgers have one end and one owner, retired keys one reach: else package and verify.py refuse both."""
    leave(value := following())
    spoil(value)
    with pytest.raises(BadCharter):
        parse_charter(value)
    with pytest.raises(plain.Refused) as caught:
        plain.read_charter(charter_file(value, []))
    assert "not in force" not in str(caught.value)


def test_a_difference_is_told_in_words() -> None:
    """Who leaves, what ends, which number changes, and who has to agree; nothing of what stays."""
    leave(value := following())
    value["quorum"] = {"faulty": 0, "ratify": 2, "witness": 2}
    before, after = parse_charter(BEFORE), parse_charter(value)
    told = [(one.where, one.what) for one in differences(before, after)]
    assert ("DELTA", "member leaves, its keys are retired") in told
    assert ("quorum", "ratify is 2, was 3") in told
    assert any(where == "DELTA" and "delta.example/ledger is closed at size 0" in what for where, what in told)
    assert not any(where in ("ALFA", "BRAVO", "CHARLIE", "AQUILA") for where, _ in told)
    assert asked(before, after)[0] == "3 of 4 operators ratify it"
    assert any("because it changes quorum" in one for one in asked(before, after))
    assert asked(before, after)[-1].startswith("DELTA is among them, because it is changed; or 3 others are")


def device(seed: int) -> Value:
    """A passkey object; the Ed25519 key is nobody's."""
    return {
        "alg": -8, "id": b64(bytes([seed]) * 32), "origin": "https://gate.delta.example",
        "key": b64(bytes.fromhex("a4010103272006215820") + bytes([seed]) * 32),
    }  # fmt: skip


def with_devices(value: Value, *devices: Value) -> Value:
    """The first person of DELTA has these passkeys."""
    person = next(one for one in value["members"][3]["keys"] if one["job"] == "people")
    person["passkeys"] = list(devices)
    return person


def test_passkeys_come_and_go_with_their_member_and_stay_with_a_retired_key(plain: ModuleType) -> None:
    """A member changes its people's devices as it changes their roles; each change is told by fingerprint."""
    with_devices(second := following(), device(1), device(2))
    assert both(plain, second, ratified(second, NAMES)) == ""
    with_devices(third := following(second), device(1))
    assert both(plain, third, ratified(third, NAMES), second) == ""
    told = [one.what for one in differences(parse_charter(second), parse_charter(third))]
    gone = parse_passkey(device(2)).fingerprint
    assert any(what.startswith(f"passkey {gone} signs no more for") for what in told)
    retire(fourth := following(third), "DELTA", "people")
    key = next(one for one in fourth["members"][3]["keys"] if "passkeys" in one)
    assert both(plain, fourth, ratified(fourth, NAMES), third) == ""
    key["passkeys"] = [device(2)]
    with pytest.raises(DoesNotFollow, match="retired with other roles or passkeys"):
        verify_shape(parse_charter(third), parse_charter(fourth))


@pytest.mark.parametrize(
    ("devices", "words"),
    [
        ([], "passkeys"),
        ([device(1), device(1)], "stands twice"),
        ([device(1), device(2) | {"key": device(1)["key"]}], "stands twice"),
        ([device(1) | {"alg": -7}], "no COSE key of algorithm -7"),
        ([device(1) | {"alg": -257}], "no COSE key of algorithm -257"),
        ([device(1) | {"origin": "http://gate.delta.example"}], "is no origin"),
        ([device(1) | {"origin": "https://Gate.delta.example"}], "is no origin"),
        ([device(1) | {"origin": "https://gate.delta.example/"}], "is no origin"),
        ([device(1) | {"id": "AAAA"}], "an id of 3 bytes"),
        ([device(1) | {"more": 1}], "unknown field"),
        ([device(1) | {"alg": -7, "key": b64(bytes.fromhex("a5010203262001215820") + b"\1" * 32
            + bytes.fromhex("225820") + b"\2" * 32)}], "no point on P-256"),
    ],
)  # fmt: skip
def test_a_passkey_of_another_form_is_no_charter(devices: list[Value], words: str) -> None:
    """An algorithm, key, id or address that no verifier agrees on, or one device of two people."""
    with_devices(value := following(), *devices)
    with pytest.raises(BadCharter, match=words):
        parse_charter(value)


def test_only_people_have_passkeys(plain: ModuleType) -> None:
    """A device beside a gate's or a root key would be nobody's."""
    value = following()
    value["members"][3]["keys"][0]["passkeys"] = [device(1)]
    with pytest.raises(BadCharter, match="only people have"):
        parse_charter(value)
    with pytest.raises(plain.Refused):
        plain.read_charter(charter_file(value, []))
