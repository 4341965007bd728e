"""Recalls as orders: who must do what by when, who has answered, who is late, and what is hit at home.

Pure: facts in, values out.

* Recalls that say the same (target, versions, directive) are one **order**: whoever confirms one says it too. It is in
  force while one of them counts; an exercise is an order beside the others, never bad news.
* A member answers **no** (nothing it uses is hit), **yes**, or **done** with the time since when. Its newest answer
  counts. It says nothing of what is hit, nor how much: that is reckoned at home (``hit_at_home``) and stays there.
* **Late** is who has not said ``no`` or ``done`` when the deadline has passed. An alternative is accepted where the
  order, or one that supersedes it, lists it. An order that its issuer superseded is owed no answer any more.
* What is hit at home are releases that the member admitted or gave a mandate to, ever: one too many is looked into, one
  too few is missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from watchword.charter.charter import Charter
from watchword.ledger.exercises import held_recalls
from watchword.ledger.listing import notices
from watchword.ledger.notices import name_set
from watchword.ledger.query import EXERCISE, reaches, told_target
from watchword.ledger.view import Fact, Facts, View
from watchword.statements.kinds import CONSIDERED
from watchword.statements.statement import Signed, Statement
from watchword.statements.times import parse_time, rfc3339

SCHEMA = "watchword-recalls/1"
DAY_S = 86_400
SETTLED = ("no", "done")


@dataclass(frozen=True)
class Answer:
    """What one member has answered: ``state`` is ``no``, ``yes``, ``done`` or ``not answered``. ``late_s``: how
    long after the deadline it was done, or is not. ``closed_s``: from the finding to its gate; ``accepted``: of an
    alternative, that the order lists it."""

    member: str
    state: str
    said: str | None = None
    done: str | None = None
    closed_s: int | None = None
    late_s: int = 0
    alternative: str | None = None
    accepted: bool = True

    @property
    def settled(self) -> bool:
        """Whether nothing more is owed: an alternative that nobody accepted settles nothing."""
        return self.state in SETTLED and self.accepted

    def told(self) -> str:
        """For people, in one line."""
        parts = [{"no": "nothing hit", "yes": "HIT, not done"}.get(self.state, self.state)]
        if self.state == "done":
            parts[0] += f" {self.done}"
        elif self.said:
            parts[0] += f" as of {self.said}"
        if self.alternative is not None:
            parts.append(f"by an alternative{'' if self.accepted else ' NOT ACCEPTED'}: {self.alternative}")
        if self.closed_s is not None:
            parts.append(f"gate closed after {self.closed_s} s")
        if self.late_s:
            parts.append(f"LATE by {_span(self.late_s)}")
        return f"{self.member:8} {', '.join(parts)}"


@dataclass(frozen=True)
class Order:
    """One recall with everybody's answers, late ones first. ``state``: ``recall``, or why it counts no more;
    ``ids``: of the statements that say it, the oldest first; ``closed_s``: from the finding to the last gate."""

    ids: tuple[str, ...]
    issuers: tuple[str, ...]
    what: str
    reason: str
    made: str
    directive: str | None
    severity: str
    deadline: str | None
    actions: tuple[str, ...]
    alternatives: tuple[str, ...]
    exercise: bool
    state: str
    superseded: str | None
    answers: tuple[Answer, ...]

    @property
    def owed(self) -> bool:
        """Whether answers are still asked for."""
        return self.state == "recall" and self.superseded is None

    @property
    def late(self) -> tuple[Answer, ...]:
        """Who has not done it in time, and has not since."""
        return tuple(one for one in self.answers if one.late_s and not one.settled) if self.owed else ()

    @property
    def closed_s(self) -> int | None:
        """Seconds from the finding to the last gate that is known to have closed; None where none is."""
        return max((one.closed_s for one in self.answers if one.closed_s is not None), default=None)

    def waits_for(self, member: str) -> bool:
        """Whether *member* owes an answer or its actions."""
        return self.owed and any(one.member == member and not one.settled for one in self.answers)

    def told(self) -> list[str]:
        """For people: verdict first, then each member."""
        settled = sum(one.settled for one in self.answers)
        head = f"{'EXERCISE  ' if self.exercise else ''}{self.directive or self.ids[0][:19] + '…'}  {self.what}"
        due = "" if self.deadline is None else f", due {self.deadline}"
        gone = f"  ({self.state})" if self.state != "recall" else "  (superseded)" if self.superseded else ""
        lines = [f"{head}  by {', '.join(self.issuers)}, {self.severity}{due}{gone}: {self.reason}"]
        lines += [f"  do       {text}" for text in self.actions] + [f"  or       {text}" for text in self.alternatives]
        if self.owed:
            lines += [f"  {settled} of {len(self.answers)} settled"] + [f"  {one.told()}" for one in self.answers]
        if self.closed_s is not None:
            many = sum(one.closed_s is not None for one in self.answers)
            lines.append(f"  from the finding to the last of {many} gates closed: {self.closed_s} s")
        return lines

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        return asdict(self) | {"closed_s": self.closed_s, "late": [one.member for one in self.late], "owed": self.owed}


@dataclass(frozen=True)
class Hit:
    """A release of this member that a recall reaches. ``by``: the statements, by id, that admitted it or empower it;
    ``mandate``: one of them is a mandate, whose gate has to close."""

    name: str
    release: str
    by: tuple[str, ...]
    mandate: bool


def orders(charter: Charter, view: View, facts: Facts, now: datetime) -> tuple[Order, ...]:
    """Every order known here: those owed first, among them those with the most overdue first; exercises last."""
    recalls = held_recalls(facts)
    groups: dict[tuple[Any, ...], list[Signed]] = {}
    for one in _in_order(recalls):
        groups.setdefault(_same(one.statement.predicate), []).append(one)
    targets = sorted({str(one.statement.predicate["target"]) for one in recalls.values()})
    states: dict[str, str] = {}
    for listed in notices(charter, view, facts, targets, {}):
        if listed.signed is not None:
            states.setdefault(listed.signed.statement.id, listed.kind)
    answers = _answers(facts, recalls)
    found = [_order(charter, group, groups.values(), states, answers, now) for group in groups.values()]

    def place(one: Order) -> tuple[bool, bool, int, int, str]:
        return not one.owed, one.exercise, -max((row.late_s for row in one.late), default=0), -len(one.late), one.made

    return tuple(sorted(found, key=place))


def hit_at_home(
    charter: Charter, facts: Facts, recall: Mapping[str, Any], member: str, moment: datetime
) -> tuple[Hit, ...]:
    """The releases of *member* that *recall*, or an exercise of it, reaches; nothing of it is for others."""
    target = str(recall["target"]).removeprefix(EXERCISE)
    own: dict[str, tuple[str, list[Statement]]] = {}
    about: dict[str, list[Fact]] = {}
    for fact in facts.statements:
        said = fact.signed.statement
        if said.kind in CONSIDERED and said.made <= moment:
            about.setdefault(said.subject[0].digest, []).append(fact)
        admits = said.kind == "mandate" or (
            said.kind == "decision" and said.predicate["decision"].get("verdict") == "admitted"
        )
        if admits and said.issuer == member:
            for subject in said.subject:
                own.setdefault(subject.digest, (subject.name, []))[1].append(said)
    found = []
    for release, (name, by) in sorted(own.items()):
        names = name_set(charter, release, [fact.signed for fact in about.get(release, ())])
        if target in names and reaches(recall, names):
            empowered = any(one.kind == "mandate" for one in by)
            found.append(Hit(name, release, tuple(one.id for one in by), empowered))
    return tuple(found)


def said_alike(recalls: Mapping[str, Signed], id: str) -> tuple[Signed, ...]:
    """The recalls that say the same as the one of this id, the oldest first: one order."""
    same = _same(recalls[id].statement.predicate)
    return tuple(one for one in _in_order(recalls) if _same(one.statement.predicate) == same)


def render(found: Iterable[Order]) -> str:
    """All orders for a terminal."""
    return "\n".join(line for one in found for line in one.told()) or "no recall is held here"


def _in_order(recalls: Mapping[str, Signed]) -> list[Signed]:
    return sorted(recalls.values(), key=lambda one: (one.statement.made, one.statement.id))


def _same(said: Mapping[str, Any]) -> tuple[Any, ...]:
    spans = tuple(sorted((span["from"] or "", span["before"] or "") for span in said["versions"]))
    return said["target"], spans, said["directive"]


def _answers(facts: Facts, recalls: Mapping[str, Signed]) -> dict[tuple[str, str], Fact]:
    """The newest answer of each member to each recall."""
    found: dict[tuple[str, str], Fact] = {}
    said = [fact for fact in facts.statements if fact.signed.statement.kind == "recall-answer"]
    for fact in sorted(said, key=lambda fact: (fact.signed.statement.made, fact.origin, fact.index)):
        if fact.signed.statement.predicate["statement"] in recalls and not fact.holder.is_supplier:
            found[fact.signed.statement.predicate["statement"], fact.holder.owner] = fact
    return found


def _order(
    charter: Charter,
    group: list[Signed],
    others: Iterable[list[Signed]],
    states: Mapping[str, str],
    answers: Mapping[tuple[str, str], Fact],
    now: datetime,
) -> Order:
    ids = [one.statement.id for one in group]
    issuers = tuple(dict.fromkeys(one.statement.issuer for one in group))
    first = group[0].statement
    said = first.predicate
    later = [
        one for other in others for one in other
        if one.statement.predicate["supersedes"] in ids and one.statement.issuer in issuers
    ]  # fmt: skip
    listed = {text for one in [*group, *later] for text in one.statement.predicate["alternatives"]}
    kinds = [states.get(id, "no-standing") for id in ids]
    rows = [
        _row(member.name, [answers[id, member.name] for id in ids if (id, member.name) in answers], said, listed, now)
        for member in charter.members
    ]
    rank = {"not answered": 0, "yes": 1, "done": 2, "no": 3}
    rows.sort(key=lambda row: (row.settled, -row.late_s, rank[row.state], row.member))
    return Order(
        tuple(ids), issuers, told_target(said).removeprefix(EXERCISE), str(said["reason"]), rfc3339(first.made),
        said["directive"], said["severity"], said["deadline"], tuple(said["actions"]), tuple(sorted(listed)),
        str(said["target"]).startswith(EXERCISE), "recall" if "recall" in kinds else kinds[0],
        later[0].statement.id if later else None, tuple(rows),
    )  # fmt: skip


def _row(member: str, said: list[Fact], recall: Mapping[str, Any], listed: set[str], now: datetime) -> Answer:
    due = None if recall["deadline"] is None else parse_time(recall["deadline"])
    newest = max(said, key=lambda fact: (fact.signed.statement.made, fact.index), default=None)
    if newest is None:
        return Answer(member, "not answered", late_s=_late(due, now))
    statement = newest.signed.statement
    fields = statement.predicate
    accepted = fields["alternative"] is None or fields["alternative"] in listed
    done = parse_time(fields["done"]) if fields["done"] else statement.made
    end = None if fields["answer"] == "no" else done if fields["answer"] == "done" and accepted else now
    closed = [one.signed.statement.predicate["closed"] for one in said]
    times = [int((parse_time(text) - parse_time(recall["made"])).total_seconds()) for text in closed if text]
    return Answer(
        member, fields["answer"], rfc3339(statement.made), fields["done"], max(times[-1], 0) if times else None,
        0 if end is None else _late(due, end), fields["alternative"], accepted,
    )  # fmt: skip


def _late(due: datetime | None, moment: datetime) -> int:
    return 0 if due is None else max(int((moment - due).total_seconds()), 0)


def _span(seconds: int) -> str:
    if seconds >= 2 * DAY_S:
        return f"{seconds // DAY_S} days"
    return f"{seconds // 3600} h" if seconds >= 7_200 else f"{seconds} s"
