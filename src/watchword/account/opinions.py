"""Second opinions on evaluations: who ran one again, with which tool, and whether it came out so (docs/protocol.md,
12).

* Of one operator the newest opinion of each sort on an evaluation is its opinion.
* Opinions made with one tool are one, and so are those of one operator, the evaluation itself among them: how many are
  independent is the smaller number of the two.
* A transcript is weaker than a run: it is named so and not counted. So is a third lab that is none (``record.third``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from watchword.charter.charter import Charter
from watchword.ledger.view import Fact
from watchword.record.third import no_third
from watchword.statements.evaluations import counted
from watchword.statements.statement import Statement


@dataclass(frozen=True)
class Opinions:
    """What others make of one evaluation: opinions that agree and that dispute, oldest first. ``independent``: how many
    opinions there are, the evaluation's own among them. ``no_third``: why an opinion of a third lab is not one, by its
    id."""

    evaluation: Statement
    agree: tuple[Statement, ...]
    dispute: tuple[Statement, ...]
    independent: int
    no_third: dict[str, str] = field(default_factory=dict)

    def told(self) -> str:
        """The evaluation in a few words."""
        return f"{counted(self.evaluation.predicate)}, {self.evaluation.subject[0].name}"

    def words(self) -> str:
        """Who agrees and who disputes, each with how and with what."""
        both = (("agree", self.agree), ("DISPUTE", self.dispute))
        parts = [f"{word}: {', '.join(map(self._by, of))}" for word, of in both if of]
        many = f"{self.independent} independent opinion{'' if self.independent == 1 else 's'}"
        return "; ".join([*parts, many])

    def _by(self, one: Statement) -> str:
        said, why = one.predicate, self.no_third.get(one.id)
        weaker = {"shared": "", "transcript": ", transcript only", "third-lab": ", third lab"}[said["sharing"]]
        weaker = f", no third lab: {why}" if why else weaker
        return f"{one.issuer} ({said['of']}, {said['tool']['name']}{weaker})"


def opinions(charter: Charter, facts: Iterable[Fact]) -> list[Opinions]:
    """The evaluations that somebody else ran again, oldest first.

    Args:
        facts: statements with standing in the view.
    """
    held = {fact.signed.statement.id: fact for fact in facts}
    newest: dict[tuple[str, str, str], Fact] = {}
    for fact in sorted(held.values(), key=_age):
        one = fact.signed.statement
        about = held.get(one.predicate["statement"]) if one.kind == "opinion" else None
        if about is None or about.signed.statement.kind != "evaluation":
            continue
        if about.holder.operator == fact.holder.operator:
            continue
        newest[(about.signed.statement.id, fact.holder.operator, one.predicate["of"])] = fact
    found, statements = [], [fact.signed.statement for fact in held.values()]
    for id in dict.fromkeys(key[0] for key in newest):
        of = [fact for key, fact in newest.items() if key[0] == id]
        agree = [fact for fact in of if fact.signed.statement.predicate["verdict"] == "agree"]
        labs = [fact.signed.statement for fact in of if fact.signed.statement.predicate["sharing"] == "third-lab"]
        whys = {one.id: no_third(charter, statements, held[id].signed.statement, one) for one in labs}
        whys = {lab: why for lab, why in whys.items() if why}
        ran = [fact for fact in agree if fact.signed.statement.predicate["sharing"] != "transcript"]
        ran = [fact for fact in ran if fact.signed.statement.id not in whys]
        tools = {fact.signed.statement.predicate["tool"]["name"] for fact in [held[id], *ran]}
        found.append(
            Opinions(
                held[id].signed.statement,
                tuple(fact.signed.statement for fact in agree),
                tuple(fact.signed.statement for fact in of if fact not in agree),
                min(len({fact.holder.operator for fact in [held[id], *ran]}), len(tools)),
                whys,
            )
        )
    return sorted(found, key=lambda one: (str(one.evaluation.predicate["made"]), one.evaluation.id))


def _age(fact: Fact) -> tuple[str, str, int]:
    # Times have seconds: of what one member said within one, its own ledger tells the order.
    return str(fact.signed.statement.predicate["made"]), fact.origin, fact.index

