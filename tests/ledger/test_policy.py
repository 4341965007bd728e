"""The charter for tools that read C2SP policies: who signs, who witnesses, how many are enough."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest
from charters import charter_value, member

from watchword.charter.charter import Charter, parse_charter
from watchword.charter.quorum import cosigned_time
from watchword.ledger.notes import parse_vkey
from watchword.ledger.policy import NoPolicy, tlog_policy


def satisfied(text: str, cosigned: Iterable[str]) -> bool:
    """A reader of its own writing (c2sp.org/tlog-policy): whether witnesses of these key names meet the quorum."""
    known: dict[str, bool] = {}
    grouped: set[str] = set()
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "log":
            parse_vkey(words[1])
        elif words[0] == "witness":
            assert words[1] not in known
            known[words[1]] = parse_vkey(words[2]).name in cosigned
        elif words[0] == "group":
            name, need, *members = words[1:]
            assert name not in known and grouped.isdisjoint(members)
            grouped |= set(members)
            k = {"all": len(members), "any": 1}.get(need) or int(need)
            assert 1 <= k <= len(members)
            known[name] = sum(known[member] for member in members) >= k
        else:
            assert words[0] == "quorum"
            return known[words[1]]
    raise AssertionError("no quorum line")


@pytest.fixture
def charter() -> Charter:
    """Five members; DELTA is hosted by CHARLIE's operator."""
    names = ("ALFA", "BRAVO", "CHARLIE", "DELTA", "ECHO")
    operators = dict(zip(names, names, strict=True)) | {"DELTA": "CHARLIE"}
    members = [member(name, operators[name]) for name in names]
    return parse_charter(charter_value(names, members=members, quorum={"faulty": 1, "ratify": 3, "witness": 3}))


def test_the_policy_and_the_charter_agree_on_every_set_of_witnesses(charter: Charter) -> None:
    """The file's quorum is met by exactly those sets of witnesses that make a head cosigned."""
    text = tlog_policy(charter)
    names = [member.witness for member in charter.members]
    for count in range(len(names) + 1):
        for some in itertools.combinations(names, count):
            enough = cosigned_time(charter, dict.fromkeys(some, 100), 100) is not None
            assert satisfied(text, some) == enough, some


def test_every_shared_ledger_is_listed_by_both_halves(charter: Charter) -> None:
    """And no private record."""
    listed = [parse_vkey(line.split()[1]) for line in tlog_policy(charter).splitlines() if line.startswith("log ")]
    expected = [(o, t) for o in charter.shared_origins for t in (1, 6)]
    assert [(key.name, key.type) for key in listed] == expected


def test_a_name_that_the_format_cannot_hold_is_refused(charter: Charter) -> None:
    """Rather than a line that says something else."""
    value = charter.value | {"members": [dict(m) for m in charter.value["members"]]}
    value["members"][0]["operator"] = "A B"
    with pytest.raises(NoPolicy):
        tlog_policy(parse_charter(value))
