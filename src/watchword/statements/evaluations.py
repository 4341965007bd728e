"""The kinds about evaluations under attack: plan, outcome, second opinion (docs/protocol.md, sections 4 and 12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from watchword.statements.fields import After, Attachment, Common, Count, Decimal, Digest, Strict, Text, Tool


class Threat(Strict, frozen=True, kw_only=True):
    """Against whom: goal, knowledge and capability of the attacker."""

    goal: Text
    knowledge: Text
    capability: Text


class Evaluation(Common, frozen=True, kw_only=True):
    """How a release behaves under attack: ``k`` of ``n`` with an interval, never a point estimate.

    What ``evaluate run`` adds, null where another tool ran: the ``plan`` statement, the head that seed and sample were
    ``drawn`` from, the ``environment``, CPU seconds, and sanity ``flags`` by name (empty: computed, and none raised).
    """

    tool: Tool
    method: Text
    threat: Threat
    metric: Text
    n: Count
    k: Count
    low: Decimal
    high: Decimal
    seed: Text
    data: Digest | None
    plan: Digest | None
    drawn: After | None
    environment: Digest | None
    cpu_s: Decimal | None
    flags: Text | None
    report: Attachment | None


class Beacon(Strict, frozen=True, kw_only=True):
    """Where the draw will come from: the root of another member's ledger at a size that it did not have yet."""

    origin: Text
    size: Count


class Plan(Common, frozen=True, kw_only=True):
    """An evaluation, committed before it runs: ``plan`` is the object of protocol section 12. Subject: the release.

    ``beacon`` null: nobody else is there to draw from, and the draw is this member's own.
    """

    plan: dict[str, Any]
    beacon: Beacon | None


class Opinion(Common, frozen=True, kw_only=True):
    """A second opinion on an evaluation: another member ran it again. Subject: the release.

    ``sharing``: the subject itself was ``shared``; or only a ``transcript`` of a run at its owner's node, which is
    weaker; or a ``third-lab`` ran it. ``differs``: instances with another outcome (a replay); ``p``, ``alpha``: of the
    exact test of two proportions, and its share of the error (a replication).
    """

    statement: Digest
    of: Literal["replay", "replication"]
    sharing: Literal["shared", "transcript", "third-lab"]
    verdict: Literal["agree", "dispute"]
    tool: Tool
    n: Count
    k: Count
    low: Decimal
    high: Decimal
    seed: Text
    drawn: After | None
    differs: Count | None
    p: Decimal | None
    alpha: Decimal | None
    flags: Text | None
    reason: Text
    report: Attachment | None


def counted(fields: Mapping[str, Any]) -> str:
    """The outcome of an evaluation in words. Robust accuracy is an upper bound, and is never told without saying so."""
    bound = " at most" if fields["metric"] == "robust-accuracy" else ""
    return f"{fields['metric']}{bound} {fields['k']} of {fields['n']} ({fields['low']} to {fields['high']})"
