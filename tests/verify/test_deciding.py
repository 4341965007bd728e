"""The decision: verify.py and the package make the same of the same alliance, on random ones with everything in them.

Statements here are placed by hand, with standing and without signatures: what is compared is section 8.
"""

import random

import pytest
from decisions import ENDPOINT, RELEASE, Paper, as_script_sees, pack_charter
from random_papers import USE, random_paper, rules

from watchword.policy.admission import admit
from watchword.policy.pack import read_pack
from watchword.statements.times import parse_time, rfc3339

QUORUM = {"faulty": 1, "ratify": 4, "witness": 3}


def of_the_script(verify, paper, use_case, free):
    """What verify.py makes of the same."""
    proof, _, loose = as_script_sees(verify, paper)
    for origin in paper.charter.shared_origins:
        if origin.endswith("/ledger"):
            proof.leaves[origin] = {}
    for leaf in paper.unheld:
        proof.leaves[leaf.origin][leaf.index] = b"\4" + leaf.commitment + leaf.blinded
    for fact in paper.statements:
        one = fact.signed.statement
        subject = [(subject.name, subject.digest) for subject in one.subject]
        proof.counting[fact.origin, fact.index] = proof.by_id[one.id] = verify.Statement(
            one.id, one.kind, subject, one.predicate, one.issuer, fact.signed.key_id, b"", b""
        )
    heads = paper.view().value()["heads"]
    now = int(parse_time(rfc3339(paper.now)).timestamp())
    return verify.decide(proof, heads, loose, now, paper.release.digest, use_case, free)[1]


@pytest.mark.parametrize("seed", range(4))
def test_both_decide_alike(verify, seed):
    """Field by field on 60 alliances a seed, through the engine too; each state of each part comes up."""
    draw, charter, seen = random.Random(f"deciding {seed}"), pack_charter(quorum=QUORUM, **rules()), set()
    for _ in range(60):
        paper, use_case = random_paper(draw, charter), USE | {"criticality": draw.choice((0, 1, 1, 2))}
        use_case = USE if draw.random() < 0.7 else use_case
        made = admit(charter, paper.view(), paper.facts(), rfc3339(paper.now), paper.release, use_case).decision
        free = {caveat["statement"]: caveat["cedar"] for caveat in made["caveats"]}
        theirs = of_the_script(verify, paper, use_case, free)
        assert {name: made[name] for name in theirs} == theirs
        assert set(made) - set(theirs) == {"as_of", "loose", "subject", "use_case", "view"}
        seen |= {f"endpoint {made['verdict']}"} if made["subject"]["digest"] == ENDPOINT.digest else set()
        seen |= {made["verdict"], *(one["kind"] for one in made["notices"])}
        seen |= {one["why"] for row in made["requirements"] for one in row["failing"]}
        seen |= {f"row {row['state']}" for row in made["requirements"]} | {one["state"] for one in made["unheld"]}
        seen |= {f"caveat {rule['state']}" for one in made["caveats"] for rule in one["rules"]}
        seen |= {f"free {one['cedar']}" for one in made["caveats"]}
        seen |= {f"line {line['id']} {line['state']}" for line in made["red_lines"]}
    assert {
        "admitted", "refused", "caveat", "lifted", "lift", "retract", "dispute", "bound", "retracted", "disputed",
        "row met", "row unmet", "unheld", "caveat crossed", "caveat clear", "free crossed", "free None",
        "line evaded crossed", "line evaded clear", "endpoint admitted",
    } <= seen, seen  # fmt: skip


def test_an_incident_refuses_only_where_a_red_line_counts_it(verify):
    """It is listed everywhere; both refuse under a charter that says so, and admit under one that does not. Fails when
    either does not count incidents."""
    line = {
        "id": "no-incident", "text": "Nothing with an open incident.", "accountable": "official", "principle": ["D"],
        "forbid": [{"field": "incidents", "op": ">", "value": 0}], "evidence": None, "serves": [],
    }  # fmt: skip
    for lines, verdict in (([], "admitted"), ([line], "refused")):
        paper = Paper(pack_charter(red_lines=[*read_pack().red_lines, *lines]))
        paper.sound()
        paper.notice("incident", "BRAVO", f"release:{RELEASE.digest}")
        made = admit(paper.charter, paper.view(), paper.facts(), rfc3339(paper.now), paper.release, USE).decision
        theirs = of_the_script(verify, paper, USE, {})
        assert {name: made[name] for name in theirs} == theirs
        assert (made["verdict"], [one["kind"] for one in made["notices"]]) == (verdict, ["incident"])
