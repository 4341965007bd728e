"""How long it takes to judge an action by 1,000 rules, and to decide on a release with 200 statements.

Peers are what the engine's users write first: the same policies as text with every request, and all of them as one
handle, unsliced. casbin, where it is installed, gets as many rules of its own.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from benchmarks.table import Row

RULES, TOOLS, ASKS = 1_000, 20, 2_000
RELEASE = "sha256:" + "9c" * 32


def run() -> list[Row]:
    """The figures of deciding."""
    return [*_actions(), _admission()]


def _actions() -> list[Row]:
    """1,000 caveat rules, of which one in twenty is about any tool; each action is new."""
    import cedarpy

    from watchword.policy import acts

    restrictions = acts.Restrictions(_rules())
    contexts = [_context(number) for number in range(ASKS)]
    for context in contexts[:TOOLS]:
        restrictions.forbidding(context, RELEASE)  # every slice compiled
    sliced = _times_ms(lambda n: restrictions.forbidding(contexts[n], RELEASE), ASKS)
    everything = acts.Restrictions(_rules())
    asked = {number: one.rule.forbid for number, one in enumerate(everything.rules)}
    policies = everything._compiled(asked, acts.ACT_FIELDS)
    whole = acts._Slice(asked, tuple(acts.ACT_FIELDS), {}, tuple(asked), policies)
    unsliced = _times_ms(lambda n: everything._asked(whole, contexts[n], RELEASE), 100)
    text = "\n".join(_texts())
    cold = _times_ms(lambda n: cedarpy.is_authorized(_request(contexts[n]), text, "[]"), 20)
    note = f"{RULES:,} rules of caveats over {TOOLS} tools, by table and engine; {ASKS:,} actions, handles warm"
    p50, p99 = statistics.median(sliced), statistics.quantiles(sliced, n=100)[98]
    rows = [
        Row("action judged by 1,000 rules, p50", p50, "ms", "≤ 0.3 ms", p50 <= 0.3, "cedarpy, one warm handle",
            statistics.median(unsliced), note),
        Row("action judged by 1,000 rules, p99", p99, "ms", "≤ 2 ms", p99 <= 2, "cedarpy, text with every request",
            statistics.median(cold), "as above; the peer's is its median"),
    ]  # fmt: skip
    casbin_ms = _casbin_ms()
    if casbin_ms is not None:
        rows.append(Row("the same, p50", p50, "ms", peer="casbin, 1,000 rules", peer_measured=casbin_ms))
    return rows


def _admission() -> Row:
    """A decision over 200 statements about one release, verified before."""
    from watchword.charter.lint import speakers
    from watchword.ledger.view import Fact, Facts, Head, View
    from watchword.policy.admission import admit
    from watchword.policy.example import NOW, imagined
    from watchword.policy.hypothesis import ledger_of
    from watchword.policy.pack import read_pack
    from watchword.policy.shapes import blank
    from watchword.statements.statement import Signed, Subject, make
    from watchword.statements.times import rfc3339

    pack = read_pack()
    charter = imagined(pack.requirements, pack.red_lines, pack.standing)
    subject = Subject("bench 1.0", RELEASE)
    kinds = ("claim", "inspection", "bill-of-materials", "data-screening", "evaluation", "review")
    facts = []
    for number in range(200):
        kind = kinds[number % len(kinds)]
        may = speakers(charter, kind)
        holder = may[number // len(kinds) % len(may)]
        made = NOW - timedelta(hours=1, seconds=number)
        statement = make(kind, (subject,), blank(kind), issuer=holder.owner, made=made)
        signed = Signed(statement, holder.public.id, b"", b"")
        facts.append(Fact(signed, holder, ledger_of(charter, holder.owner), number))
    held = Facts(tuple(sorted(facts, key=lambda f: (f.origin, f.index))), (), (), b"s" * 32)
    view = View({origin: Head(1_000, b"r" * 32, rfc3339(NOW)) for origin in charter.shared_origins})
    use_case = {
        "format": "watchword-use-case/1", "name": "bench", "purpose": "", "criticality": 3, "human": "in",
        "members": [], "owner": "", "tags": [],
    }  # fmt: skip
    times = _times_ms(lambda _: admit(charter, view, held, rfc3339(NOW), subject, use_case), 20)
    took = statistics.median(times)
    note = "alliance pack, criticality 3, table and engine and explanation; median of 20"
    return Row("admission over 200 statements", took, "ms", "≤ 100 ms", took <= 100, note=note)


def _rules() -> list[Any]:
    from watchword.policy.acts import Restriction
    from watchword.statements.kinds import CaveatRule, Condition

    def rule(number: int) -> CaveatRule:
        named = [] if number % 20 == 0 else [Condition(field="tool", op="==", value=f"tool-{number % TOOLS}")]
        limit = Condition(field="amount", op=">", value=1_000 + number)
        where = Condition(field="destinations", op="contains", value=f"person-{number}@example")
        return CaveatRule(
            id=f"rule-{number}", text="", on="act", forbid=[*named, limit, where], accountable="official",
            principle=["E"], serves=[],
        )  # fmt: skip

    return [Restriction(f"MEMBER-{number % 5}", RELEASE, rule(number)) for number in range(RULES)]


def _context(number: int) -> dict[str, Any]:
    return {
        "tool": f"tool-{number % TOOLS}", "effect": "write", "criticality": 1, "human": "on", "members": ["MEMBER-1"],
        "tags": ["office"], "owner": "MEMBER-1", "destinations": [f"person-{number}@elsewhere"],
        "identifiers": [str(number)], "secrets": 0, "amount": number, "unclean": 0,
    }  # fmt: skip


def _texts() -> list[str]:
    """The same rules as a user of the engine would write them."""
    texts = [
        f'forbid (principal, action == Action::"act", resource == Tool::"tool-{n % TOOLS}") '
        f'when {{ context.amount > {1_000 + n} && context.destinations.contains("person-{n}@example") }};'
        for n in range(RULES)
    ]
    return [*texts, 'permit (principal, action == Action::"act", resource);']


def _request(context: dict[str, Any]) -> dict[str, Any]:
    return {
        "principal": {"type": "Release", "id": RELEASE}, "action": {"type": "Action", "id": "act"},
        "resource": {"type": "Tool", "id": context["tool"]}, "context": context,
    }  # fmt: skip


def _casbin_ms() -> float | None:
    """The median of an enforcer with as many rules of (subject, object, act); None where casbin is not installed."""
    try:
        import casbin  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    model = casbin.Model()
    model.load_model_from_text(
        "[request_definition]\nr = sub, obj, act\n[policy_definition]\np = sub, obj, act\n"
        "[policy_effect]\ne = some(where (p.eft == allow))\n"
        "[matchers]\nm = r.sub == p.sub && r.obj == p.obj && r.act == p.act\n"
    )
    enforcer = casbin.Enforcer(model)
    for number in range(RULES):
        enforcer.add_policy(f"release-{number}", f"tool-{number % TOOLS}", "act")
    times = _times_ms(lambda n: enforcer.enforce(f"release-{n}", f"tool-{n % TOOLS}", "act"), 50)
    return statistics.median(times)


def _times_ms(once: Callable[[int], Any], many: int) -> list[float]:
    times = []
    for number in range(many):
        began = time.perf_counter()
        once(number)
        times.append((time.perf_counter() - began) * 1_000)
    return times
