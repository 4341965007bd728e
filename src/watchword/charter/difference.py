"""What one charter changes in another, in words, and what it takes to put it in force. Pure.

Each change says where it is (a part of the charter, or a party's name) and what it is. Texts of rows are compared
whole: a requirement with one other word is another requirement.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from watchword.charter.charter import Charter, KeyHolder
from watchword.charter.succession import amended, changed_members
from watchword.limits import JSON_INTEGER_MAX
from watchword.statements.canonical import canonical

_NUMBERS = ("quorum", "amendment")
_ROWS = ("requirements", "red_lines")


@dataclass(frozen=True)
class Change:
    """One thing that is another. ``where``: a part of the charter, a party, or a row's id."""

    where: str
    what: str

    def value(self) -> dict[str, str]:
        """As JSON data."""
        return {"what": self.what, "where": self.where}


def differences(before: Charter, after: Charter) -> tuple[Change, ...]:
    """Every change from *before* to *after*: parties, keys, ledgers, numbers, standing, rows."""
    return (
        *_parties(before, after), *_keys(before, after), *_ledgers(before, after), *_numbers(before, after),
        *_standing(before, after), *_rows(before, after),
    )  # fmt: skip


def asked(before: Charter, after: Charter) -> list[str]:
    """What *before* asks of its members to put *after* in force, in words."""
    amendment, delay = before.amendment.ratify, f"{before.amendment.delay_s:,} s before {after.effective}"
    said = [f"{before.quorum.ratify} of {len(before.operators)} operators ratify it"]
    if parts := amended(before, after):
        said.append(f"{amendment} operators do so {delay}, because it changes {', '.join(parts)}")
    for name in changed_members(before, after):
        # The others can do it only where there are enough of them.
        instead = f"; or {amendment} others are, {delay}" if amendment < len(before.operators) else ""
        said.append(f"{name} is among them, because it is changed{instead}")
    return said


def _parties(before: Charter, after: Charter) -> Iterator[Change]:
    for what, part in (("member", "members"), ("supplier", "suppliers")):
        was, now = ({str(one["name"]) for one in charter.value[part]} for charter in (before, after))
        yield from (Change(name, f"{what} joins") for name in sorted(now - was))
        yield from (Change(name, f"{what} leaves, its keys are retired") for name in sorted(was - now))
    operators = {member.name: member.operator for member in before.members}
    for member in after.members:
        if operators.get(member.name, member.operator) != member.operator:
            yield Change(member.name, f"is operated by {member.operator}, was by {operators[member.name]}")
    thresholds = {member.name: member.root_threshold for member in before.members}
    for member in after.members:
        if thresholds.get(member.name, member.root_threshold) != member.root_threshold:
            yield Change(member.name, f"{member.root_threshold} root keys speak for it, were {thresholds[member.name]}")


def _keys(before: Charter, after: Charter) -> Iterator[Change]:
    joining = {holder.owner for holder in after.holders.values()}
    joining -= {holder.owner for holder in before.holders.values()}
    staying = {member.name for member in after.members} | {supplier.name for supplier in after.suppliers}
    for id, holder in after.holders.items():
        old = before.holders.get(id)
        if old is None and holder.owner not in joining:
            yield Change(holder.owner, f"new key of {_called(holder)}: {id}")
        elif old is not None and holder.retired_by != old.retired_by and holder.owner in staying:
            reach = ", ".join(_reach(*one) for one in sorted(holder.sizes.items())) or "nowhere"
            yield Change(holder.owner, f"key of {_called(holder)} is retired: {id}; what it said stays said in {reach}")
        elif old is not None and holder.roles != old.roles:
            yield Change(holder.owner, f"{holder.person} is {', '.join(holder.roles)}, was {', '.join(old.roles)}")
        if old is not None and holder.passkeys != old.passkeys:
            for one in dict.fromkeys((*holder.passkeys, *old.passkeys)):
                if (one in holder.passkeys) != (one in old.passkeys):
                    state = "may sign for" if one in holder.passkeys else "signs no more for"
                    yield Change(holder.owner, f"passkey {one.fingerprint} {state} {holder.person}")
    for id, holder in before.holders.items():
        if id not in after.holders and holder.owner in staying:
            yield Change(holder.owner, f"key of {_called(holder)} is gone: {id}")


def _ledgers(before: Charter, after: Charter) -> Iterator[Change]:
    for origin, of in after.origins.items():
        old = before.origins.get(origin)
        if of.end is not None and (old is None or old.end is None):
            yield Change(of.member.name, f"{origin} is closed at size {of.end.size:,}, root {of.end.root.hex()}")
        elif old is None:
            yield Change(of.member.name, f"{origin} is opened")
    yield from (Change(before.origins[origin].member.name, f"{origin} is gone") for origin in before.origins
                if origin not in after.origins)  # fmt: skip


def _numbers(before: Charter, after: Charter) -> Iterator[Change]:
    for part in _NUMBERS:
        for name, new in after.value[part].items():
            if new != before.value[part][name]:
                yield Change(part, f"{name} is {new:,}, was {before.value[part][name]:,}")
    if before.head_max_age_s != after.head_max_age_s:
        yield Change("head_max_age_s", f"a head counts for {after.head_max_age_s:,} s, was {before.head_max_age_s:,}")
    if before.secret != after.secret:
        yield Change("secret", "is another alliance secret")


def _standing(before: Charter, after: Charter) -> Iterator[Change]:
    for kind in sorted({*before.standing, *after.standing}):
        old, new = before.standing.get(kind, ()), after.standing.get(kind, ())
        if old != new:
            yield Change("standing", f"{kind} may be said by {_listed(new)}, was {_listed(old)}")


def _rows(before: Charter, after: Charter) -> Iterator[Change]:
    for part in _ROWS:
        old: dict[str, Any] = {row["id"]: row for row in before.value[part]}
        new: dict[str, Any] = {row["id"]: row for row in after.value[part]}
        what = part.removesuffix("s").replace("_", " ")
        yield from (Change(id, f"{what} comes in: {new[id]['text']}") for id in new if id not in old)
        yield from (Change(id, f"{what} is dropped: {old[id]['text']}") for id in old if id not in new)
        for id in new:
            if id in old and canonical(old[id]) != canonical(new[id]):
                fields = [name for name in new[id] if new[id][name] != old[id].get(name)]
                pairs = [(name, _short(new[id][name]), _short(old[id].get(name))) for name in fields]
                said = "; ".join(f"{name} is {now}, was {was}" for name, now, was in pairs)
                yield Change(id, f"{what} changes: {said}")


def _reach(origin: str, size: int) -> str:
    return f"all of {origin}" if size == JSON_INTEGER_MAX else f"{origin} below {size:,}"


def _called(holder: KeyHolder) -> str:
    return f"{holder.person} ({', '.join(holder.roles)})" if holder.person else holder.job


def _listed(who: tuple[str, ...]) -> str:
    return ", ".join(who) or "nobody"


def _short(value: Any) -> str:
    return canonical(value).decode()[:200]
