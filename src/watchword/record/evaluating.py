"""Plans, evaluations and second opinions as statements (docs/protocol.md, section 12).

1. A plan is signed and appended before it runs, with a beacon: another operator's ledger, at a size it does not have
   yet.
2. Once that ledger has it, under a cosigned head, and the plan is cosigned too, the root there gives seed and sample.
   It is fixed by the other member's next entry: nobody can choose it, and whoever holds that ledger computes the same.
3. The result names plan and draw. Any member draws again and compares.
4. A replay has the same seed: each instance is as it was, or is named. A replication has a fresh seed, from a head
   that is newer than the evaluation; the counts are compared exactly, each replication at its share of the error.

Not promised: that nobody, with the other member's help, knew its next entry beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watchword import __version__
from watchword.chance import ALPHA, interval_text, same_rate, share
from watchword.errors import WatchwordError
from watchword.evaluate.draw import RUN, seed_of
from watchword.evaluate.plan import Plan, parse
from watchword.ledger.view import size_in
from watchword.record.third import purpose
from watchword.statements.canonical import NotCanonical, parse_json
from watchword.statements.digests import b64, commitment, parse_digest
from watchword.statements.statement import Statement, Subject

if TYPE_CHECKING:
    from watchword.evaluate.run import Result
    from watchword.node import Node, Recorded
    from watchword.node.recorded import Located

Scope = str | list[str]

REPORT = "evaluation.json"
NAMED_MAX = 20
"""Instances that a reason names; the report has all. Origin: a line that people read."""


class NotDrawn(WatchwordError):
    """The draw of a plan is not there yet, or not as it should be."""


class NoPlan(WatchwordError):
    """No such plan or evaluation is held here."""


@dataclass(frozen=True)
class Draw:
    """Where seed and sample come from. ``own``: from this member's own ledger, where it is alone."""

    origin: str
    size: int
    root: str
    seed: str
    own: bool = False

    def value(self) -> dict[str, Any]:
        """The place, as a statement has it."""
        return {"origin": self.origin, "root": self.root, "size": self.size}


def commit_plan(
    node: Node, plan: Plan, subject: Subject, *, draw_from: str | None = None, person: str | None = None,
    scope: Scope = "alliance",
) -> Recorded:  # fmt: skip
    """Sign and append *plan*, about the release *subject*.

    Args:
        draw_from: the member whose ledger is to be the beacon; by default the other operator heard from last.

    Raises:
        ValueError: the plan is about another release.
        NotDrawn: *draw_from* is of the same operator, or nothing is known of its ledger.
    """
    if plan.subject.release != subject.digest:
        raise ValueError("the plan is about another release")
    return node.sign_and_append(
        "plan", (subject,), {"plan": plan.value(), "beacon": _beacon(node, draw_from)}, person=person, scope=scope
    )


def find_plan(node: Node, plan: Plan) -> Located:
    """This member's statement of *plan*; the first, where it was committed again.

    Raises:
        NoPlan: it was not committed.
    """
    for digest, located in committed_plans(node):
        if digest == plan.digest:
            return located
    raise NoPlan(f"plan {plan.name} ({plan.digest}) was not committed", "watchword evaluate commit PLAN")


def committed_plans(node: Node) -> Iterator[tuple[str, Located]]:
    """The digest of every plan that this member committed, with its statement, in the order of its ledger."""
    for origin, index, held in node.store.statements():
        one = held.signed.statement
        if one.kind == "plan" and one.issuer == node.member and held.holder is not None:
            yield read_plan(one).digest, node.locate(node.locator(origin, index))


def read_plan(statement: Statement) -> Plan:
    """The plan in a statement. Raises BadPlan where it is none."""
    return parse(statement.predicate["plan"], f"plan {statement.id}")


def draw_of(node: Node, committed: Located) -> Draw:
    """The draw of a committed plan, as anybody computes it.

    Raises:
        NotDrawn: the plan is not cosigned yet, or the beacon's ledger is not that far.
    """
    statement = committed.signed.statement
    view = node.latest_view()
    if size_in(node.charter, view, committed.origin) <= committed.index:
        raise NotDrawn(f"plan {committed.locator} is not cosigned yet", "exchange with the other members first")
    beacon = statement.predicate["beacon"]
    own = beacon is None
    origin, size = (committed.origin, committed.index + 1) if own else (beacon["origin"], beacon["size"])
    return _draw(node, statement.id, origin, size, RUN, own=own)


def draw_again(
    node: Node, evaluation: Located, by: str, at: tuple[str, int] | None = None, lab: str | None = None
) -> Draw:
    """A fresh draw for a replication by the member *by*: from the newest head of a ledger that is neither its own nor,
    where there is a third, that of who evaluated.

    Args:
        at: an origin and a size, where the draw was agreed on before.
        lab: the member that runs it for *by*; nor is it drawn from its ledger.
    """
    if at is not None:
        return _draw(node, evaluation.signed.statement.id, *at, purpose(by))
    view = node.latest_view()
    operators = {member.name: member.operator for member in node.charter.members}
    known = []
    for origin, head in view.heads.items():
        of = node.charter.origins[origin]
        if of.use == "ledger" and operators[of.member.name] not in (operators[by], operators.get(lab or "")):
            third = of.member.name != evaluation.signed.statement.issuer
            known.append((third, head.time, origin, head.size))
    if not known:
        raise NotDrawn("no cosigned head of another operator is known", "exchange with the other members first")
    _, _, origin, size = max(known)
    return _draw(node, evaluation.signed.statement.id, origin, size, purpose(by))


def record_evaluation(
    node: Node, result: Result, committed: Located, draw: Draw, *, person: str | None = None, scope: Scope | None = None
) -> Recorded:
    """Sign and append what a run of a committed plan found, with the whole run attached.

    Raises:
        ValueError: the run is of another plan or seed.
    """
    statement, plan = committed.signed.statement, result.plan
    if read_plan(statement).digest != plan.digest or draw.seed != result.seed:
        raise ValueError("the run is of another plan or draw")
    for held in node.statements():
        one = held.statement
        if one.kind == "evaluation" and one.issuer == node.member and one.predicate["plan"] == statement.id:
            said = one.predicate
            if (said["seed"], said["n"], said["k"]) == (draw.seed, result.n, result.k):
                return node.append_envelope(held.envelope)  # said before: the same plan and draw give the same counts
    low, high = result.interval
    fields = {
        "tool": tool_of(plan), "method": plan.method(),
        "threat": {"goal": plan.threat.goal, "knowledge": plan.threat.knowledge, "capability": plan.capability()},
        "metric": plan.metric.name, "n": result.n, "k": result.k, "low": low, "high": high, "seed": result.seed,
        "data": plan.data.digest, "plan": statement.id, "drawn": draw.value(),
        "environment": result.environment_digest, "cpu_s": f"{result.done.cpu_s:.2f}",
        "flags": ", ".join(result.flags), "report": node.attach(REPORT, "application/json", result.encoded()),
    }  # fmt: skip
    wide = statement.predicate["scope"] if scope is None else scope
    return node.sign_and_append("evaluation", statement.subject[:1], fields, person=person, scope=wide)


def tool_of(plan: Plan) -> dict[str, str]:
    """What makes the evidence: our own attacks, or another library's."""
    if plan.attack.library == "watchword":
        return {"name": "watchword-evaluate", "version": __version__}
    from watchword.evaluate.libraries import version_of

    return {"name": plan.attack.library, "version": version_of(plan.attack.library) or "unknown"}


@dataclass(frozen=True)
class Compared:
    """What a second run says of an evaluation. ``differs``: of a replay; ``p``, ``alpha``: of a replication."""

    agrees: bool
    reason: str
    differs: int | None = None
    p: float | None = None
    alpha: float | None = None


def compare_replay(node: Node, evaluation: Statement, result: Result) -> Compared:
    """Instance by instance, where the report of the evaluation is held; else by its counts."""
    before = report_of(node, evaluation)
    said = evaluation.predicate
    same = (said["n"], said["k"]) == (result.n, result.k)
    if before is None:
        counts = f"{result.k} of {result.n}, and {said['k']} of {said['n']} then"
        return Compared(same, f"{counts}; its report is not held here")
    then = {row["index"]: (row["right"], row["fell"]) for row in before}
    now = {row.index: (row.right, row.fell) for row in result.done.rows}
    other = sorted(index for index in then.keys() | now.keys() if then.get(index) != now.get(index))
    if not other:
        words = f"all {result.n} instances as before" if same else "its counts are not those of its report"
        return Compared(same, words, 0)
    named = ", ".join(map(str, other[:NAMED_MAX])) + (", …" if len(other) > NAMED_MAX else "")
    elsewhere = "" if said["environment"] == result.environment_digest else "; its environment was another"
    words = f"{len(other)} of {result.n} instances came out otherwise: {named}{elsewhere}"
    return Compared(False, words, len(other))


def compare_replication(node: Node, evaluation: Statement, k: int, n: int) -> Compared:
    """By the exact test of two proportions, at the share of the error that is this operator's, for its next
    replication.

    Each other operator has an equal share, and splits it over its own replications: nobody can use up another's by
    replicating often.
    """
    charter = node.charter
    operators = {member.name: member.operator for member in charter.members}
    before = opinions_on([signed.statement for signed in node.statements()], evaluation.id)
    own = [one for one in before if one.predicate["of"] == "replication"]
    own = [one for one in own if operators.get(one.issuer) == node.me.operator]
    said, alpha = evaluation.predicate, share(len(own) + 1, ALPHA / max(len(charter.operators) - 1, 1))
    p = same_rate(said["k"], said["n"], k, n)
    words = f"{k} of {n}, and {said['k']} of {said['n']} then: p = {p:.4f}, at {alpha:.4f}"
    return Compared(p > alpha, words, p=p, alpha=alpha)


def record_opinion(
    node: Node, evaluation: Located, compared: Compared, *, of: str, sharing: str, draw: Draw | None, n: int, k: int,
    seed: str, tool: dict[str, str], flags: str | None, report: bytes | None, person: str | None = None,
    scope: Scope | None = None,
) -> Recorded:  # fmt: skip
    """Sign and append a second opinion on *evaluation*. Arguments as the fields of the kind."""
    statement = evaluation.signed.statement
    low, high = interval_text(k, n)
    fields = {
        "statement": statement.id, "of": of, "sharing": sharing, "verdict": "agree" if compared.agrees else "dispute",
        "tool": tool, "n": n, "k": k, "low": low, "high": high, "seed": seed,
        "drawn": None if draw is None else draw.value(), "differs": compared.differs,
        "p": None if compared.p is None else f"{compared.p:.6f}",
        "alpha": None if compared.alpha is None else f"{compared.alpha:.6f}", "flags": flags,
        "reason": compared.reason,
        "report": None if report is None else node.attach(REPORT, "application/json", report),
    }  # fmt: skip
    wide = statement.predicate["scope"] if scope is None else scope
    return node.sign_and_append("opinion", statement.subject[:1], fields, person=person, scope=wide)


def opinions_on(statements: Sequence[Statement], evaluation: str) -> list[Statement]:
    """The second opinions on *evaluation* among *statements*, oldest first."""
    found = [one for one in statements if one.kind == "opinion" and one.predicate["statement"] == evaluation]
    return sorted(found, key=lambda one: (str(one.predicate["made"]), one.id))


def attached_report(node: Node, statement: Statement) -> bytes | None:
    """The report attached to an evaluation, as its statement commits to it; None where it is not held."""
    attached = statement.predicate.get("report")
    if attached is None:
        return None
    of = parse_digest(attached["commitment"])
    found = node.bodies.get(of)
    return None if found is None or commitment(*found) != of else found[1]


def report_of(node: Node, statement: Statement) -> list[dict[str, Any]] | None:
    """The rows of the report attached to an evaluation; None where it is not held, or is not of that form."""
    found = attached_report(node, statement)
    if found is None:
        return None
    try:
        rows = parse_json(found, REPORT, len(found))["rows"]
        return [{"index": int(r["index"]), "right": bool(r["right"]), "fell": bool(r["fell"])} for r in rows]
    except (NotCanonical, KeyError, TypeError, ValueError):
        return None


def _draw(node: Node, statement: str, origin: str, size: int, purpose: str, *, own: bool = False) -> Draw:
    view, of = node.latest_view(), node.charter.origins.get(origin)
    log = None if of is None else node.store.log(origin)
    there = 0 if of is None else size_in(node.charter, view, origin)
    if of is None or log is None or there < size:
        whose = origin if of is None else of.member.name
        raise NotDrawn(
            f"the draw comes from entry {size} of {whose}'s ledger, and {there} are cosigned here",
            f"exchange once {whose} has recorded something more",
        )
    root = b64(log.root(size))
    return Draw(origin, size, root, seed_of(statement, origin, size, root, purpose), own)


def _beacon(node: Node, draw_from: str | None) -> dict[str, Any] | None:
    own, view = node.me.operator, node.latest_view()
    known = []
    for member in node.charter.members:
        origin = member.origins["ledger"]
        head = view.heads.get(origin)
        if member.operator == own or (draw_from is not None and member.name != draw_from):
            continue
        known.append(("" if head is None else head.time, origin, len(node.store.leaves(origin)) + 1))
    if not known and draw_from is not None:
        raise NotDrawn(f"{draw_from} is no member of another operator", "name one, or let the node choose")
    if not known:
        return None
    _, origin, size = max(known)
    return {"origin": origin, "size": size}
