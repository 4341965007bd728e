"""What signed records say of a supplier, and what it replies. Pure.

* Only from statements with standing in the view, and notices held. What nobody recorded is **unknown**, and shown so.
* Seven measures beside each other, and never one number made of them: a supplier of one release with one dispute is not
  worse than one of whom nobody looked at anything.
* **Re-run**: of the tests and data sets that its claims name, how many somebody else ran again or looked into.
* **Disputed**: of its statements, how many a dispute stands against that counts; with the interval of that share.
* **Days to fix**: from a recall that reaches its release to its claim for another release of the same system that the
  recall does not reach. The median of those that were fixed, beside how many are open.
* **Overdue**: open ones whose deadline has passed. **Lapsed**: releases whose support, by the newest claim, has ended.
* **Findings** per release: what inspections by others found, at worst; and of how many releases none looked.
* Each number stands on the statements that it names, so that the supplier can answer each (``reply``).
* With ``public``, only statements of scope ``public`` count: whoever made a record decides whether it is published.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from watchword.account.beside import beside
from watchword.account.claims import compare
from watchword.account.recalls import Order, orders
from watchword.chance import interval_text
from watchword.charter.charter import Charter
from watchword.ledger.exercises import held_recalls
from watchword.ledger.listing import consider, fallen, notices
from watchword.ledger.notices import name_set
from watchword.ledger.query import reaches
from watchword.ledger.view import Fact, Facts, View
from watchword.statements.statement import Signed, Statement
from watchword.statements.times import parse_time, rfc3339

SCHEMA = "watchword-suppliers/1"
FEW = 5
"""Below so many a share says next to nothing; it is told with its interval all the same."""


@dataclass(frozen=True)
class Share:
    """*k* of *n*, with the 95 % interval; unknown where *n* is 0. ``of``: the ids that make up *k*."""

    k: int
    n: int
    of: tuple[str, ...] = ()

    def told(self, with_interval: bool = False) -> str:
        """For people."""
        if not self.n:
            return "unknown: nothing is recorded"
        if not with_interval:
            return f"{self.k} of {self.n}"
        low, high = interval_text(self.k, self.n)
        return f"{self.k} of {self.n} ({low} to {high}){', too few to tell' if self.n < FEW else ''}"

    def value(self) -> dict[str, Any] | None:
        """The same as JSON data; null where it is unknown."""
        if not self.n:
            return None
        low, high = interval_text(self.k, self.n)
        return {"high": high, "k": self.k, "low": low, "n": self.n, "of": list(self.of)}


@dataclass(frozen=True)
class Fix:
    """A recall that reaches a release of the supplier: ``days`` until it was fixed, None while it is not."""

    recall: str
    what: str
    release: str
    days: int | None
    overdue: bool


@dataclass(frozen=True)
class Reply:
    """What the supplier says to one statement about it."""

    to: str
    what: str
    text: str
    made: str


@dataclass(frozen=True)
class Supplier:
    """All measures of one supplier. ``findings``: of each release that others inspected, its name and how many."""

    name: str
    as_of: str
    public: bool
    releases: tuple[str, ...]
    rerun: Share
    contradicted: Share
    disputed: Share
    fixes: tuple[Fix, ...]
    lapsed: Share
    undated: int
    findings: tuple[tuple[str, int], ...]
    replies: tuple[Reply, ...]

    @property
    def days_to_fix(self) -> float | None:
        """The median over what was fixed; None where nothing was."""
        known = [one.days for one in self.fixes if one.days is not None]
        return float(median(known)) if known else None

    def lines(self) -> list[str]:
        """For people: every measure with what it stands on, then the replies."""
        open_ = [one for one in self.fixes if one.days is None]
        overdue = [one for one in open_ if one.overdue]
        median_ = self.days_to_fix
        fixed = "unknown" if median_ is None else f"{median_:g} (of {len(self.fixes) - len(open_)})"
        seen = ", ".join(f"{name}: {count}" for name, count in self.findings) or "unknown: nobody else inspected any"
        blind = len(self.releases) - len(self.findings)
        from_ = "published records alone" if self.public else "the records held here"
        lines = [
            f"{self.name}, as of {self.as_of}, from {from_}: {len(self.releases)} releases",
            f"  claims re-run       {self.rerun.told()}; contradicted {self.contradicted.told()}",
            f"  statements disputed {self.disputed.told(with_interval=True)}",
            f"  median days to fix  {fixed}; {len(open_)} open",
            f"  overdue recalls     {len(overdue)} of {len(self.fixes)}",
            f"  lapsed support      {self.lapsed.told()}" + f"; {self.undated} without a date" * (self.undated > 0),
            f"  findings            {seen}" + f"; {blind} not inspected by others" * (blind > 0 and seen[0] != "u"),
        ]
        for one in open_:
            late = " OVERDUE" if one.overdue else ""
            lines.append(f"  open recall         {one.what}, {one.release}{late}")
        lines += [f"  its reply           to {one.what}: {one.text} ({one.made})" for one in self.replies]
        return lines

    def value(self) -> dict[str, Any]:
        """The same as JSON data; null is unknown."""
        return {
            "as_of": self.as_of, "claims_contradicted": self.contradicted.value(), "claims_rerun": self.rerun.value(),
            "disputed": self.disputed.value(), "findings": [{"release": r, "findings": n} for r, n in self.findings],
            "fixes": [asdict(one) for one in self.fixes], "lapsed_support": self.lapsed.value(),
            "median_days_to_fix": self.days_to_fix, "name": self.name, "public": self.public,
            "releases": list(self.releases), "replies": [asdict(one) for one in self.replies],
            "support_undated": self.undated,
        }  # fmt: skip


def suppliers(
    charter: Charter, view: View, facts: Facts, now: datetime, names: Iterable[str], *, public: bool = False
) -> tuple[Supplier, ...]:
    """What is recorded of each of *names*, in that order.

    Args:
        public: only from statements that their makers published (scope ``public``).
    """
    def shown(one: Statement) -> bool:
        return not public or one.predicate["scope"] == "public"

    statements = tuple(fact for fact in facts.statements if shown(fact.signed.statement))
    seen = replace(
        facts, statements=statements, loose=tuple(one for one in facts.loose if shown(one.statement)),
        notices=tuple(one for one in facts.notices if one.signed is None or shown(one.signed.statement)),
    )  # fmt: skip
    found = orders(charter, view, seen, now)
    said = [fact.signed.statement for fact in statements]
    said += [one.statement for one in _notices(seen)]
    by_id, replies = {one.id: one for one in said}, beside(charter, said)
    made = []
    for name in names:
        own = _Own(charter, view, seen, now, name, found)
        answered = [
            Reply(id, f"{by_id[id].kind} by {by_id[id].issuer}", str(reply.predicate["text"]), reply.predicate["made"])
            for id, one in replies.items() for reply in one.replies if reply.issuer == name
        ]  # fmt: skip
        made.append(own.measured(public, tuple(sorted(answered, key=lambda one: one.made))))
    return tuple(made)


class _Own:
    """One supplier's releases with what is considered of each, and what fell."""

    def __init__(
        self, charter: Charter, view: View, facts: Facts, now: datetime, name: str, found: tuple[Order, ...]
    ) -> None:
        self.name, self.now, self.facts, self.orders = name, now, facts, found
        self.claims: dict[str, Fact] = {}
        for fact in sorted(facts.statements, key=lambda fact: fact.signed.statement.made):
            said = fact.signed.statement
            if said.kind == "claim" and said.issuer == name:
                self.claims[said.subject[0].digest] = fact
        about: dict[str, list[Fact]] = {digest: [] for digest in self.claims}
        for fact in facts.statements:
            about.get(fact.signed.statement.subject[0].digest, []).append(fact)
        self.considered = {
            digest: consider(charter, view, replace(facts, statements=tuple(of)), now, digest)
            for digest, of in about.items()
        }
        self.names = {
            digest: frozenset(name_set(charter, digest, [fact.signed for fact in of.values()]))
            for digest, of in self.considered.items()
        }
        self.listed = {
            digest: notices(charter, view, facts, sorted(self.names[digest]), of)
            for digest, of in self.considered.items()
        }

    def measured(self, public: bool, replies: tuple[Reply, ...]) -> Supplier:
        """All measures."""
        claimed, rerun, against = 0, [], []
        for digest, claim in self.claims.items():
            of = self.considered[digest].values()
            fell = fallen(of, self.listed[digest])
            for line in compare(claim, of, fell, self.now).lines:
                if line.part in ("tested", "trained on"):
                    claimed += 1
                    rerun += [claim.signed.statement.id] * (line.state != "not re-run")
                    against += [claim.signed.statement.id] * (line.state == "contradicted")
        ends = [fact.signed.statement.predicate["support_until"] for fact in self.claims.values()]
        dated = [end for end in ends if end is not None]
        gone = [end for end in dated if parse_time(end) < self.now]
        return Supplier(
            self.name, rfc3339(self.now), public,
            tuple(sorted(fact.signed.statement.subject[0].name for fact in self.claims.values())),
            Share(len(rerun), claimed, tuple(dict.fromkeys(rerun))),
            Share(len(against), len(rerun), tuple(dict.fromkeys(against))), self._disputed(), tuple(self._fixes()),
            Share(len(gone), len(dated)), len(ends) - len(dated), tuple(self._findings()), replies,
        )  # fmt: skip

    def _disputed(self) -> Share:
        everything = [item for of in self.considered.values() for item in of.items()]
        own = {id for id, fact in everything if fact.signed.statement.issuer == self.name}
        names = {notice.name for listed in self.listed.values() for notice in listed if notice.kind == "dispute"}
        disputed = sorted(id for id in own if f"statement:{id}" in names)
        return Share(len(disputed), len(own), tuple(disputed))

    def _fixes(self) -> Iterable[Fix]:
        recalls = held_recalls(self.facts)
        for order in self.orders:
            if order.exercise or order.state not in ("recall", "lapsed"):
                continue
            first = recalls[order.ids[0]]
            hit = [digest for digest in self.claims if _reaches(first, self.names[digest])]
            for digest in hit:
                said = self.claims[digest].signed.statement
                later = [
                    fact.signed.statement.made for other, fact in self.claims.items()
                    if other not in hit and fact.signed.statement.predicate["system"] == said.predicate["system"]
                    and fact.signed.statement.made > first.statement.made
                ]  # fmt: skip
                days = (min(later) - first.statement.made) // timedelta(days=1) if later else None
                due = order.deadline is not None and parse_time(order.deadline) < self.now
                yield Fix(order.ids[0], order.what, said.subject[0].name, days, due and days is None)

    def _findings(self) -> Iterable[tuple[str, int]]:
        for digest, claim in self.claims.items():
            found = [
                fact.signed.statement.predicate for fact in self.considered[digest].values()
                if fact.signed.statement.kind == "inspection" and not fact.holder.is_supplier
            ]  # fmt: skip
            if found:
                worst = max(one["dangerous"] + one["suspicious"] for one in found)
                yield claim.signed.statement.subject[0].name, worst


def _reaches(recall: Signed, names: frozenset[str]) -> bool:
    return recall.statement.predicate["target"] in names and reaches(recall.statement.predicate, names)


def _notices(facts: Facts) -> list[Signed]:
    filed = [leaf.signed for leaf in facts.notices if leaf.signed is not None and leaf.holder is not None]
    return [*filed, *facts.loose]
