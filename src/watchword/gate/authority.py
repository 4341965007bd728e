"""Whether a mandate stands: what its authority rests on, and what takes that away.

Follows docs/protocol.md, section 9 ("Permit"). Pure: everything that is held comes in, reasons come out.

* Good news counts only inside the view: the mandate, the admission it names, the evidence that the admission counted.
* Bad news counts from any channel: notices in the view or loose, and stops wherever they are held.
* Beyond section 9, a notice that fells evidence which the admission counted also takes the mandate's ground away: the
  admission, made again, would be refused. And an admission made under another charter has to be made again.
* An admission lapses when a waiver that it rests on expires, or the last reliance that took over evidence it counted;
  a reliance of the use's owner that falls takes it away at once.
* A red line or a caveat that what is known today crosses does so too: it is asked again, in the table and the engine.
* A reason says what failed and who can change it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from watchword.charter.charter import Charter, KeyHolder
from watchword.charter.standing import NoStanding, standing
from watchword.charter.succession import successors
from watchword.errors import WatchwordError
from watchword.gate.mandate import BadMandate, Envelope, Mandate, Rule, parse_mandate, within_hours
from watchword.ledger.exercises import exercises
from watchword.ledger.view import Fact, Facts, View
from watchword.limits import CLOCK_AHEAD_S_MAX
from watchword.policy.admission import admit
from watchword.policy.table import Listed, consider, considered_facts, fallen, is_crossed, name_set, notices
from watchword.statements.digests import D, is_digest
from watchword.statements.statement import Signed, Subject
from watchword.statements.times import parse_time, rfc3339

ALL = D(b"")
"""The subject of a stop that is for every release: the digest of 0 bytes."""

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)
_LATE = _END_OF_TIME - timedelta(days=1)
"""When an admission is made again, so that everything said counts; clocks may differ a little from it."""


@dataclass(frozen=True)
class Stop:
    """A stop with standing. ``names``: what it stops, as its signer named it, by digest; None for everything."""

    id: str
    issuer: str
    made: datetime
    names: Mapping[str, str] | None
    reason: str

    def reaches(self, release: str) -> bool:
        """Whether it voids the mandates for *release* made until it was."""
        return self.names is None or release in self.names

    @property
    def what(self) -> str:
        """What it stops, for people."""
        if self.names is None:
            return "everything"
        shown = [
            name if is_session(name, digest) else f"release {digest}" for digest, name in sorted(self.names.items())
        ]
        return ", ".join(shown)

    def value(self) -> dict[str, Any]:
        """The stop as JSON data."""
        return {
            "id": self.id,
            "issuer": self.issuer,
            "made": rfc3339(self.made),
            "reason": self.reason,
            "releases": "all" if self.names is None else sorted(self.names),
            "what": self.what,
        }


@dataclass(frozen=True)
class Known:
    """All that is held at one moment, as a gate sees it. ``stops`` are those with standing, from any channel;
    ``use_cases``: the objects that mandates name, by digest, as far as they are held."""

    charter: Charter
    view: View
    facts: Facts
    stops: tuple[Stop, ...]
    use_cases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    _grounds: dict[str, Ground] = field(default_factory=dict, repr=False)

    @cached_property
    def by_id(self) -> dict[str, Fact]:
        """The statements in the view, each where it stands first."""
        found: dict[str, Fact] = {}
        for fact in self.facts.statements:
            found.setdefault(fact.signed.statement.id, fact)
        return found

    @cached_property
    def head_times(self) -> dict[str, datetime]:
        """The cosigned time of every head of the view."""
        return {origin: parse_time(head.time) for origin, head in sorted(self.view.heads.items())}

    @cached_property
    def mandates(self) -> dict[str, Fact]:
        """The mandates in the view, by id, oldest first."""
        found = [(id, fact) for id, fact in self.by_id.items() if fact.signed.statement.kind == "mandate"]
        return dict(sorted(found, key=lambda item: (item[1].signed.statement.made, item[0])))

    def ground(self, mandate_id: str) -> Ground:
        """What is held of one mandate; worked out once as long as nothing changes."""
        if mandate_id not in self._grounds:
            self._grounds[mandate_id] = _ground(self, mandate_id)
        return self._grounds[mandate_id]


@dataclass(frozen=True)
class Ground:
    """A mandate with what speaks against it at any time: ``reasons`` is empty when nothing does.

    ``mandate`` and ``release`` (a digest) are None where the mandate is not held or malformed; ``use_case`` where that
    is not held here. ``caveats``: those that stand, in order of member and id. ``ratifications``: those of charters
    that follow the one in force here, or stand beside it. ``lapses``: when the admission ends by itself, and why.
    ``recalls``: the notices that recall what it is about; ``exercises``: those that only play it.
    """

    reasons: tuple[str, ...]
    fact: Fact | None = None
    mandate: Mandate | None = None
    release: str | None = None
    use_case: Mapping[str, Any] | None = None
    caveats: tuple[Signed, ...] = ()
    ratifications: tuple[Signed, ...] = ()
    lapses: tuple[tuple[datetime, str], ...] = ()
    recalls: tuple[Signed, ...] = ()
    exercises: tuple[Signed, ...] = ()

    @property
    def who(self) -> str:
        """The person who signed the mandate."""
        return "nobody" if self.fact is None else f"{self.fact.holder.person} of {self.fact.holder.owner}"


def stop_of(signed: Signed, holder: KeyHolder) -> Stop:
    """A ``stop`` statement with standing, as a value. One that names the empty digest is for all."""
    statement = signed.statement
    names = {subject.digest: subject.name for subject in statement.subject}
    reason = str(statement.predicate["reason"])
    return Stop(statement.id, holder.owner, statement.made, None if ALL in names else names, reason)


def session_subject(session: str) -> Subject:
    """What a stop of one session names: no action of it goes any more."""
    name = f"session:{session}"
    return Subject(name, D(name.encode()))


def is_session(name: str, digest: str) -> bool:
    """Whether a stop's subject is a session, and not a release that is called like one."""
    return name.startswith("session:") and D(name.encode()) == digest


def against_session(known: Known, session: str) -> list[str]:
    """The stops of *session*, whenever a mandate was made; empty when there is none."""
    digest = session_subject(session).digest
    return [
        f"stop of this session by {stop.issuer} at {rfc3339(stop.made)}: {stop.reason[:200]}; it takes a new session"
        for stop in known.stops
        if stop.names is not None and digest in stop.names
    ]


def use_cases(facts: Facts, kept: Callable[[str], Any]) -> dict[str, Any]:
    """The use cases that the mandates among *facts* name, by digest. *kept*: the object of a digest, or None."""
    mandates = [fact.signed.statement for fact in facts.statements if fact.signed.statement.kind == "mandate"]
    digests = {one.predicate["mandate"].get("use_case") for one in mandates}
    found = {one: kept(one) for one in digests if isinstance(one, str) and is_digest(one)}
    return {digest: value for digest, value in found.items() if value is not None}


def against(known: Known, ground: Ground, release: str, now: datetime) -> list[str]:
    """Why *ground* carries no authority for *release* at *now*; empty when it does."""
    if ground.reasons or ground.mandate is None or ground.fact is None:
        return list(ground.reasons)
    mandate, made, reasons = ground.mandate, ground.fact.signed.statement.made, []
    if ground.release != release:
        reasons.append(f"mandate {mandate.name} is for another release; {ground.who} can sign one for this")
    # Strictly: a mandate that could be dated ahead would outlive a stop.
    if made > now:
        reasons.append(f"mandate {mandate.name} was made {rfc3339(made)}, after now; one of the clocks is wrong")
    for stop in known.stops:
        if stop.reaches(release) and made <= stop.made:
            what = "everything" if stop.names is None else "this release"
            reasons.append(
                f"stop of {what} by {stop.issuer} at {rfc3339(stop.made)}: {stop.reason[:200]}; it takes a new mandate"
            )
    reasons += [f"{why}; it takes a new admission" for until, why in ground.lapses if now > until]
    for digest in successors(known.charter, ground.ratifications, now):
        reasons.append(f"charter {digest} is ratified; adopt it: under the one before, nothing is permitted any more")
    if not parse_time(mandate.valid_from) <= now < parse_time(mandate.valid_until):
        reasons.append(
            f"mandate {mandate.name} is valid from {mandate.valid_from} until {mandate.valid_until}; "
            f"{ground.who} can sign a new one"
        )
    if not within_hours(mandate, now) and mandate.hours is not None:
        reasons.append(f"mandate {mandate.name} is for {mandate.hours.from_} to {mandate.hours.to} UTC")
    return reasons


def view_age_s(known: Known, now: datetime) -> tuple[int | None, str]:
    """Seconds since the oldest cosigned head of the shared ledgers, and its origin; None when one has no such head."""
    oldest_s, oldest = -CLOCK_AHEAD_S_MAX - 1, ""
    for origin in known.charter.shared_origins:
        time = known.head_times.get(origin)
        if time is None:
            return None, origin
        age_s = int((now - time).total_seconds())
        if age_s > oldest_s:
            oldest_s, oldest = age_s, origin
    return oldest_s, oldest


def against_view(known: Known, mandate: Mandate, rule: Rule, now: datetime) -> list[str]:
    """Why the view is too old (or from the future) for *rule*; empty when it will do.

    On a stale view the mandate's signer chose beforehand: nothing, or the rules named, for the time named. Never more.
    """
    for origin, time in known.head_times.items():
        if (time - now).total_seconds() > CLOCK_AHEAD_S_MAX:
            return [f"head of {origin} was cosigned {rfc3339(time)}, after now; one of the clocks is wrong"]
    age_s, origin = view_age_s(known, now)
    if age_s is None:
        return [f"{origin} has no cosigned head here; exchange with its owner"]
    if age_s < mandate.view_max_age_s:
        return []
    envelope = mandate.stale
    stale = f"{origin} was last heard {age_s} s ago, limit {mandate.view_max_age_s}"
    if not isinstance(envelope, Envelope):
        return [f"{stale}; exchange with its owner"]
    if rule.id not in envelope.rules:
        return [f"{stale}, and rule {rule.id} is not one that stays; exchange with its owner"]
    if age_s >= mandate.view_max_age_s + envelope.for_s:
        return [f"{stale} and {envelope.for_s} s more for rule {rule.id}; exchange with its owner"]
    return []


def against_approval(known: Known, bad_news: Iterable[Signed], fact: Fact) -> str | None:
    """The notice that fells an approval, the key it was signed with or that of its person; None when nothing does.

    Args:
        bad_news: every notice held, from any channel, with standing or not. The facts of a view leave out a retraction
            of what is not in the view, and an approval seldom is.
    """
    id = fact.signed.statement.id
    news = tuple(bad_news)
    for key_id in {fact.signed.key_id, fact.holder.public.id}:
        one = replace(fact, signed=replace(fact.signed, key_id=key_id))
        names = [f"key:{key_id}", f"statement:{id}"]
        loose = [*known.facts.loose, *(notice for notice in news if _counts(known.charter, notice, names))]
        facts = replace(known.facts, loose=tuple(loose))
        fell = fallen([one], notices(known.charter, known.view, facts, names, {id: one})).get(id)
        if fell is not None:
            return fell
    return None


def _ground(known: Known, mandate_id: str) -> Ground:
    # 1. The mandate is in the view, by a person with standing, and of the form section 9 states.
    fact = known.mandates.get(mandate_id)
    if fact is None:
        return Ground((f"mandate {mandate_id[:19]}… is not in the view; publish it and exchange until it is cosigned",))
    statement = fact.signed.statement
    if fact.holder.job != "people":
        return Ground((f"mandate by {fact.holder.owner} is not signed by a person",), fact)
    try:
        mandate = parse_mandate(statement.predicate["mandate"])
    except BadMandate as error:
        return Ground((error.message,), fact)
    if len(statement.subject) != 1:
        return Ground((f"mandate {mandate.name} is about {len(statement.subject)} releases, not one",), fact)
    release = statement.subject[0].digest
    ground = Ground((), fact, mandate, release)
    # 2. The admission is in the view: for the same release and use case, under this charter.
    decision = known.by_id.get(mandate.decision)
    reasons = _against_admission(known, ground, decision)
    if decision is None or reasons:
        return Ground(tuple(reasons), fact, mandate, release)
    # 3. Every statement that the admission considered is held: else the names of bad news are not known.
    value = decision.signed.statement.predicate["decision"]
    try:
        counted = _counted(known.facts, value)
    except WatchwordError as error:
        return Ground((error.message,), fact, mandate, release)
    # 4. No recall of what the release consists of or rests on, as known today.
    evidence = consider(known.charter, known.view, known.facts, _END_OF_TIME, release) | counted
    own = {mandate_id: fact, mandate.decision: decision}
    names = {*name_set(known.charter, release, evidence.values()), *names_of(own.values())}
    listed = notices(known.charter, known.view, known.facts, sorted(names), evidence | own)
    reasons = [_told(notice) for notice in listed if notice.kind in ("recall", "unheld")]
    # 5. Neither mandate nor admission, nor what the admission counted, has fallen.
    use_case = known.use_cases.get(mandate.use_case)
    reliances = _reliances(known.charter, value, counted, use_case)
    relied_on = {id for row in value["requirements"] for id in (*row["counted"], *row["waived_by"])}
    relied_on |= {one.signed.statement.id for on_it in reliances.values() for one in on_it}
    standing_on = own | {id: one for id, one in counted.items() if id in relied_on}
    for id, why in fallen(standing_on.values(), listed).items():
        one = standing_on[id].signed.statement
        reasons.append(f"{one.kind} by {one.issuer} that the mandate rests on fell: {why}; it takes a new admission")
    # 6. By what is known today, no red line and no caveat forbids the use.
    stand = {
        notice.signed.statement.id: notice.signed for notice in listed if notice.kind == "caveat" and notice.signed
    }
    caveats = tuple(sorted(stand.values(), key=lambda one: (one.statement.issuer, one.statement.id)))
    ratified = tuple(one.signed for one in listed if one.kind == "ratification" and one.signed is not None)
    if not reasons:
        reasons = _against_use(known, decision, use_case, caveats)
    lapses = (*_waivers_end(known.charter, value, counted), *_reliances_end(reliances))
    recalls = tuple(notice.signed for notice in listed if notice.kind == "recall" and notice.signed is not None)
    played = exercises(known.charter, known.view, known.facts, names)
    return Ground(tuple(reasons), fact, mandate, release, use_case, caveats, ratified, lapses, recalls, played)


def _reliances(
    charter: Charter, decision: Mapping[str, Any], counted: Mapping[str, Fact], use_case: Mapping[str, Any] | None
) -> dict[str, list[Fact]]:
    """The reliances of the use's owner on what the admission counted of others, by statement relied on.

    Where the use case is not held here, nobody knows the owner: anybody's.
    """
    rows = {row.id for row in charter.requirements if row.from_ == "owner"}
    of_others = {
        id
        for row in decision["requirements"]
        if row["id"] in rows
        for id in row["counted"]
        if use_case is None or counted[id].holder.owner != use_case["owner"]
    }
    found: dict[str, list[Fact]] = {}
    for fact in counted.values():
        statement = fact.signed.statement
        if statement.kind == "reliance" and (use_case is None or fact.holder.owner == use_case["owner"]):
            on = str(statement.predicate["statement"])
            if on in of_others:
                found.setdefault(on, []).append(fact)
    return found


def _reliances_end(reliances: Mapping[str, Sequence[Fact]]) -> list[tuple[datetime, str]]:
    """When the last reliance on each statement ends, and why that ends the admission."""
    ends = []
    for facts in reliances.values():
        last = max(facts, key=lambda one: parse_time(one.signed.statement.predicate["limits"]["until"]))
        until = last.signed.statement.predicate["limits"]["until"]
        ends.append((parse_time(until), f"reliance by {last.holder.owner} that the admission rests on ended {until}"))
    return ends


def _waivers_end(
    charter: Charter, decision: Mapping[str, Any], counted: Mapping[str, Fact]
) -> list[tuple[datetime, str]]:
    """When too few operators waive each requirement that the admission rests on, and why that ends it."""
    needs = {row.id: max(row.waiver.count, 1) for row in charter.requirements if row.waiver is not None}
    ends = []
    for row in decision["requirements"]:
        last: dict[str, datetime] = {}
        for id in row["waived_by"]:
            until = parse_time(counted[id].signed.statement.predicate["expires"])
            operator = counted[id].holder.operator
            last[operator] = max(until, last.get(operator, until))
        if last:
            # The last moment at which as many operators as are needed still waive it.
            kept = sorted(last.values(), reverse=True)[: needs.get(row["id"], 1)]
            ends.append((kept[-1], f"waiver of {row['id']} that the admission rests on expired {rfc3339(kept[-1])}"))
    return ends


def _against_use(
    known: Known, decision: Fact, use_case: Mapping[str, Any] | None, caveats: Sequence[Signed]
) -> list[str]:
    """The red lines and caveats that forbid the use for which *decision* admitted, by what is known today.

    Of an ally's mandate the use case may not be held here: then a caveat that the admission did not weigh forbids.
    """
    if use_case is None:
        weighed = str(decision.signed.statement.predicate["decision"].get("caveats"))
        new = [one.statement for one in caveats if one.statement.id not in weighed]
        return [
            f"caveat {one.predicate['name']} of {one.issuer} came after the admission, and the use case is not held "
            "here; it takes a new admission"
            for one in new
        ]
    subject = decision.signed.statement.subject[0]
    try:
        made = admit(known.charter, known.view, known.facts, rfc3339(_LATE), subject, use_case).decision
    except WatchwordError as error:
        return [f"whether a red line forbids the use cannot be said: {error.message}"]
    names = {one.statement.id: one.statement.predicate["name"] for one in caveats}
    crossed = [f"red line {line['id']}" for line in made["red_lines"] if line["state"] == "crossed"]
    crossed += [
        f"caveat {names.get(one['statement'], one['statement'])} of {one['member']}"
        for one in made["caveats"]
        if is_crossed(one)
    ]
    return [f"{what} forbids the use by what is known now; nothing here lifts it" for what in crossed]


def _against_admission(known: Known, ground: Ground, decision: Fact | None) -> list[str]:
    mandate = ground.mandate
    if mandate is None or decision is None or decision.signed.statement.kind != "decision":
        return ["the admission that the mandate rests on is not in the view; exchange until it is cosigned"]
    statement = decision.signed.statement
    value = statement.predicate["decision"]
    subject = value.get("subject")
    about = subject.get("digest") if isinstance(subject, dict) else None
    reasons = []
    if value.get("verdict") != "admitted":
        reasons.append("the decision that the mandate rests on is no admission")
    if about != ground.release or [one.digest for one in statement.subject] != [ground.release]:
        reasons.append("the admission is of another release than the mandate")
    if value.get("use_case") != mandate.use_case:
        reasons.append("the admission is for another use case than the mandate")
    if value.get("charter") != known.charter.digest:
        reasons.append("the admission was made under another charter; it has to be made again")
    return reasons


def _counts(charter: Charter, notice: Signed, names: Sequence[str]) -> bool:
    if notice.statement.predicate.get("target") not in names:
        return False
    try:
        standing(charter, notice)
    except NoStanding:
        return False
    return True


class _NotHeld(WatchwordError):
    """Evidence of an admission that is not held here, or a decision object that is none."""


def _counted(facts: Facts, decision: Mapping[str, Any]) -> dict[str, Fact]:
    """The statements that *decision* considered, all of them."""
    try:
        listed = {str(one["id"]) for one in decision["considered"]}
        wanted = {str(id) for row in decision["requirements"] for id in (*row["counted"], *row["waived_by"])}
        found = considered_facts(decision, facts)
    except (KeyError, TypeError) as error:
        raise _NotHeld("the admission is not a decision object as section 8 states it") from error
    missing = (listed | wanted) - set(found)
    if missing:
        raise _NotHeld(
            f"{len(missing)} statements that the admission considered are not held here; exchange with their publishers"
        )
    return found


def names_of(facts: Iterable[Fact]) -> list[str]:
    """The names under which bad news about statements and the keys that signed them is filed."""
    return [name for fact in facts for name in (f"statement:{fact.signed.statement.id}", f"key:{fact.signed.key_id}")]


def _told(notice: Listed) -> str:
    if notice.signed is None:
        return f"a notice against {notice.name[:100]} whose text is not held; ask {notice.origin} for it"
    statement = notice.signed.statement
    return (
        f"recall of {notice.name[:100]} by {statement.issuer}, {rfc3339(statement.made)}: "
        f"{str(statement.predicate['reason'])[:200]}"
    )


def newest_mandate(known: Known, release: str, member: str) -> str | None:
    """The id of the newest mandate in the view that *member* signed for *release*; None when there is none.

    An ally's mandate is taken only where it is named: whose authority a gate acts under is not left to what came last.
    """
    about: Sequence[str] = [
        id
        for id, fact in known.mandates.items()
        if fact.signed.statement.is_about(release) and fact.holder.owner == member
    ]
    return about[-1] if about else None
