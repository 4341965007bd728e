"""Which bad news still counts: verify.py and the package settle the same notices alike, on 300 random alliances.

Statements here are placed by hand, with standing and without signatures: what is compared is step 2 of section 8.
"""

import random
from datetime import timedelta

from decisions import DAY, NAMES, RELEASE, Paper, as_script_sees, pack_charter

from watchword.ledger.listing import notices
from watchword.ledger.view import NoticeLeaf
from watchword.statements.digests import blinded

QUORUM = {"faulty": 1, "ratify": 4, "witness": 3}
TARGETS = (f"release:{RELEASE.digest}", "package:pkg:pypi/torch")
NAMES_THERE = (*TARGETS, "component:pkg:pypi/torch@2.1.0", "component:pkg:pypi/Torch@2.4.0%2Bcu118")
SPANS = (("2.0", "2.2"), ("2.2", None), (None, "2.4"), ("2.5", None), (None, "1.9"))


def random_paper(draw):
    """Notices of every sort in ledgers and loose, of random age, some of them take-backs of others."""
    paper = Paper(pack_charter(quorum=QUORUM))
    paper.sound()
    said = []
    for number in range(draw.randrange(1, 26)):
        sort = draw.choice(("recall", "recall", "dispute", "incident", "take-back", "take-back", "unheld"))
        name = draw.choice(NAMES)
        target, age = draw.choice(TARGETS), timedelta(hours=draw.randrange(1, 24 * 70))
        if sort == "take-back":
            commitments = [f"sha256:{leaf.commitment.hex()}" for leaf in paper.leaves if leaf.signed is None]
            of = draw.choice([*said, *commitments, "sha256:" + "00" * 32])
            leaf = paper.notice(sort, name, target, age=age, notice=of)
        elif sort == "unheld":
            origin = paper.charter.member(name).origins["notices"]
            index, junk = next(paper._indexes[origin]), draw.random() < 0.3
            commitment = number.to_bytes(32, "big")
            leaf = NoticeLeaf(origin, index, blinded(b"s" * 32, target), None, None, commitment, junk)
            paper.leaves.append(leaf)
        elif draw.random() < 0.25:
            paper.loose.append(paper.bad_news(sort, name, target, age=age, **versions(draw, sort)))
            said.append(paper.loose[-1].statement.id)
        else:
            by = draw.choice((name, "AQUILA")) if sort == "recall" else name
            leaf = paper.notice(sort, by, target, age=age, **versions(draw, sort))
            said.append(leaf.signed.statement.id)
    backs = [leaf.signed for leaf in paper.leaves if leaf.signed and leaf.signed.statement.kind == "take-back"]
    if backs and draw.random() < 0.4:
        back = draw.choice(backs)
        kind, by = draw.choice((("dispute", "ECHO"), ("revoke", back.statement.issuer)))
        paper.notice(kind, by, f"statement:{back.statement.id}" if kind == "dispute" else f"key:{back.key_id}", age=DAY)
    for origin in paper.charter.shared_origins:
        paper.head_age[origin] = timedelta(hours=draw.choice((0, 1, 1, 30)))
    return paper


def versions(draw, sort):
    """Of a recall, now and then, some versions."""
    if sort != "recall" or draw.random() < 0.5:
        return {}
    return {"versions": [{"from": begin, "before": end} for begin, end in draw.sample(SPANS, draw.choice((1, 2)))]}


def test_both_settle_alike(verify):
    """Kind by kind and place by place; every way that bad news stops counting comes up."""
    draw, seen = random.Random(20260131), set()
    for _ in range(300):
        paper = random_paper(draw)
        view, facts = paper.view(), paper.facts()
        ours = [one.value() for one in notices(paper.charter, view, facts, sorted(NAMES_THERE), {})]
        theirs = verify.find_notices(*as_script_sees(verify, paper), sorted(NAMES_THERE))
        assert theirs == ours
        seen |= {one["kind"] for one in ours}
    settled = {"lapsed", "taken-back", "take-back", "unheld", "no-standing", "not-reached"}
    assert {"recall", "dispute", "incident"} | settled <= seen
