"""Admission: the table decides, the Cedar engine judges the same rows, and where they differ there is no decision.

1. the table makes the decision object (``policy.table``);
2. the engine judges the counts and the context (``policy.cedar``);
3. both name the same verdict and the same rows that stand in the way, or ``EngineDisagrees`` is raised.

Nothing is recorded here; the caller signs and appends ``Admission.decision``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from watchword.charter.charter import Charter
from watchword.errors import WatchwordError
from watchword.ledger.view import Facts, View
from watchword.policy import cedar, table
from watchword.policy.explain import explanation
from watchword.policy.hypothesis import World
from watchword.policy.missing import missing
from watchword.statements.statement import Subject


class EngineDisagrees(WatchwordError):
    """Table and Cedar engine answer differently. Nothing is admitted or recorded until it is known which is wrong."""


@dataclass(frozen=True)
class Admission:
    """A decision with what it was made from.

    Attributes:
        decision: the decision object of section 8.
        objects: what a proof must carry beside it: use case, view and loose list, each found by its digest.
        explanation: why (``policy.explain``), and ``missing``: what a refusal lacks (``policy.missing``), else null.
    """

    decision: dict[str, Any]
    objects: tuple[dict[str, Any], ...] = field(repr=False)
    explanation: dict[str, Any] = field(repr=False)

    @property
    def admitted(self) -> bool:
        return bool(self.decision["verdict"] == "admitted")

    def _repr_html_(self) -> str:
        """What a notebook shows where this is the value of a cell."""
        from watchword.policy.explain import render_text
        from watchword.report.cell import cell

        return cell(render_text(self.explanation))


def admit(
    charter: Charter, view: View, facts: Facts, as_of: str, subject: Subject, use_case: Mapping[str, Any]
) -> Admission:
    """Decide whether *subject* may be used for *use_case*. Arguments as ``table.decide``.

    Raises:
        EngineDisagrees, EngineTrouble: no decision; fail closed.
        ViewFromTheFuture, BadUseCase, BadTime: as ``table.decide``.
    """
    # 1
    decision = table.decide(charter, view, facts, as_of, subject, use_case)
    # 2
    context, request = asked(charter, facts, decision, use_case)
    judged = cedar.evaluate(charter, use_case, request, subject.digest)
    # 3
    agree(decision, judged)
    _agree_on_caveats(facts, decision, context)
    objects = (dict(use_case), view.value(), table.loose_list(facts))
    lacks = missing(World(charter, view, facts), decision, subject, use_case)
    explained = explanation(charter, facts, decision, use_case) | {"missing": None if lacks is None else lacks.value()}
    return Admission(decision, objects, explained)


def asked(
    charter: Charter, facts: Facts, decision: Mapping[str, Any], use_case: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What red lines and caveats may speak of, and the whole context of the request to the engine."""
    seen = table.seen(charter, facts, decision, use_case)
    operators = {id: fact.holder.operator for id, fact in seen.considered.items()}
    return seen.context, cedar.request_context(seen.context, seen.found, decision, operators, seen.sort)


def _agree_on_caveats(facts: Facts, decision: Mapping[str, Any], context: Mapping[str, Any]) -> None:
    """Check that the engine finds the same rules of each caveat crossed.

    Raises:
        EngineDisagrees: names the caveat.
    """
    held = table.notices_held(facts)
    subject = decision["subject"]["digest"]
    for one in decision["caveats"]:
        crossed = {place for place, rule in enumerate(one["rules"]) if rule["state"] == "crossed"}
        try:
            rules = held[one["statement"]].statement.predicate["rules"]
            engine = cedar.evaluate_rules(one["statement"], rules, context, subject)
        except cedar.TooMuchText:
            # Its author wrote more than the engine is given. The table's answer is whole without it.
            continue
        if engine != crossed:
            raise EngineDisagrees(
                f"requirement table and Cedar engine disagree on caveat {one['statement']} of {one['member']}",
                "nothing was recorded; keep the charter and the view, and report this as a defect",
            )


def agree(decision: Mapping[str, Any], judged: cedar.Judged) -> None:
    """Check that the engine names the decision's verdict, and exactly the rows that stand in the decision's way.

    Raises:
        EngineDisagrees: names the rows on which they differ.
    """
    rows = {row["id"] for row in decision["requirements"] if row["state"] == "unmet"}
    lines = {line["id"] for line in decision["red_lines"] if line["state"] == "crossed"}
    built_in = {cedar.NO_RECALL} if any(one["kind"] in table.STOPPING for one in decision["notices"]) else set()
    if decision["stale"]:
        built_in.add(cedar.FRESH)
    if decision["successors"]:
        built_in.add(cedar.IN_FORCE)
    if any(table.is_crossed(one) for one in decision["caveats"]):
        built_in.add(cedar.NO_CAVEAT)
    if table.still_unheld(decision):
        built_in.add(cedar.KEPT_BACK)
    if not any(row["state"] == "met" for row in decision["requirements"]):
        built_in.add(cedar.SOMETHING_MET)
    in_the_way = rows | lines | built_in
    if in_the_way != judged.forbids or (decision["verdict"] == "admitted") != judged.admitted:
        differ = ", ".join(sorted(in_the_way ^ judged.forbids)) or "the verdict"
        raise EngineDisagrees(
            f"requirement table and Cedar engine disagree on {differ[:300]}",
            "nothing was recorded; keep the charter and the view, and report this as a defect",
        )
