"""Alliances on paper with everything in them, drawn at random: what a decision is compared on, and made worse by."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

from decisions import DAY, ENDPOINT, NAMES, RELEASE, TRIAGE, Paper

from watchword.charter.charter import Charter
from watchword.policy.pack import read_pack
from watchword.statements.digests import DJ
from watchword.statements.times import rfc3339

USE = TRIAGE | {"tags": ["office"], "members": ["ALFA"]}
BOUND = {"field": "high", "op": "<=", "value": "0.20"}
CONDITIONS: tuple[dict[str, Any], ...] = (
    {"field": "criticality", "op": ">=", "value": 1}, {"field": "dangerous", "op": ">", "value": 0},
    {"field": "against", "op": "==", "value": 0}, {"field": "disputes", "op": ">=", "value": 1},
    {"field": "against", "op": ">", "value": 1}, {"field": "endpoint", "op": ">", "value": 0},
    {"field": "owner", "op": "in", "value": ["BRAVO", "ECHO"]}, {"field": "owner", "op": "!=", "value": "1.0"},
    {"field": "suppliers", "op": "contains", "value": "AQUILA"}, {"field": "tags", "op": "contains", "value": "x"},
    {"field": "human", "op": "==", "value": "out"}, {"field": "nowhere", "op": "any", "value": None},
)  # fmt: skip
FREE = """@id("free") @accountable("ALFA") @text("t")
forbid (principal, action == Action::"admit", resource) when { context.tags.contains("office") };"""


def rules() -> dict[str, Any]:
    """The alliance pack's, with waivers, rows for owners, and red lines that ask for evidence."""
    pack = read_pack()
    rows = [row | {"waiver": {"count": 1 + n % 2, "role": "official"}} for n, row in enumerate(pack.requirements)]
    owned = next(row for row in rows if row["id"] == "inspected")
    evaded = next(line for line in pack.red_lines) | {
        "id": "evaded", "forbid": [], "evidence": {"kind": "evaluation", "where": [BOUND | {"op": ">"}]},
    }  # fmt: skip
    return {
        "requirements": [*rows, owned | {"id": "ours", "from": "owner"}],
        "red_lines": [*pack.red_lines, evaded],
        "standing": pack.standing | {"reliance": ["official", "evaluator"]},
    }


def random_paper(draw: Random, charter: Charter) -> Paper:
    """Good evidence, some of it bad, relied on, waived, kept back, contested; caveats, some lifted."""
    paper = Paper(charter, release=draw.choice((RELEASE, ENDPOINT)))
    if draw.random() < 0.9:
        paper.sound()
    for _ in range(draw.randrange(0, 5)):
        kind = draw.choice(("inspection", "evaluation", "review", "data-screening", "endpoint"))
        bad = draw.random() < 0.3
        fields: dict[str, Any] = {
            "inspection": {"verdict": draw.choice(("suspicious", "dangerous")), "dangerous": 1} if bad else {},
            "evaluation": {"high": "0.5"} if bad else {}, "review": {"outcome": "against"} if bad else {},
        }.get(kind, {})  # fmt: skip
        paper.say(kind, draw.choice(NAMES), age=DAY * draw.choice((1, 1, 50, 200)), **fields)
    said = list(paper.statements)
    for _ in range(draw.randrange(0, 3)):
        until = paper.now + DAY * draw.choice((-1, 1))
        limits = {
            "criticality_max": draw.choice((0, 2)), "until": rfc3339(until),
            "tags": draw.choice(([], ["office"], ["x"])), "members": draw.choice(([], ["ALFA", "BRAVO"], ["ECHO"])),
        }  # fmt: skip
        of = draw.choice(said).signed.statement.id if said else "sha256:" + "00" * 32
        paper.say("reliance", draw.choice(("ALFA", "ALFA", "BRAVO")), statement=of, limits=limits)
    for _ in range(draw.randrange(0, 3)):
        paper.say(
            "waiver", draw.choice(NAMES), age=DAY * draw.choice((0, 1, 3)),
            requirement=draw.choice(("data-accounted", "inspected", "two-inspections", "ours")),
            use_case=draw.choice((DJ(USE), DJ(USE), DJ(TRIAGE))),
            expires=rfc3339(paper.now + DAY * draw.choice((-1, 0, 1))),
        )  # fmt: skip
    for _ in range(draw.choice((0, 0, 0, 1, 2))):
        if paper.statements and draw.random() < 0.5:
            leaf = paper.purge(draw.choice(paper.statements))
        else:
            leaf = paper.keep_back(draw.choice(("inspection", "review", "claim", "reliance", "evaluation")), "DELTA")
        for name in draw.sample(NAMES, draw.choice((0, 2, 3))):
            paper.notice("take-back", name, f"release:{paper.release.digest}", notice=f"sha256:{leaf.commitment.hex()}")
    for _ in range(draw.choice((0, 0, 1, 2))):
        forbid = draw.sample(CONDITIONS, draw.choice((1, 2)))
        more: dict[str, Any] = {"cedar": FREE} if draw.random() < 0.3 else {}
        member = draw.choice(NAMES)
        one = paper.caveat(member, *forbid, loose=draw.random() < 0.4, **more)
        if draw.random() < 0.4:
            paper.notice("lift", draw.choice((member, "ECHO")), f"caveat:{member}", notice=one.statement.id)
    for fact in draw.sample(paper.statements, min(len(paper.statements), draw.choice((0, 0, 1, 2)))):
        statement, holder = fact.signed.statement, fact.holder
        kind, by = draw.choice((("retract", holder.owner), ("dispute", "ECHO")))
        role = "supplier" if holder.is_supplier and kind == "retract" else None
        paper.loose.append(paper.bad_news(kind, by, f"statement:{statement.id}", role=role))
    if draw.random() < 0.1:
        paper.head_age[draw.choice(paper.charter.shared_origins)] = timedelta(hours=30)
    return paper
