"""Which bad news still counts: verify.py and the package settle the same notices alike, on 300 random alliances.

Statements here are placed by hand, with standing and without signatures: what is compared is step 2 of section 8.
"""

import random
from datetime import timedelta

from decisions import DAY, NAMES, RELEASE, Paper, pack_charter

from watchword.ledger.listing import notices
from watchword.ledger.view import NoticeLeaf
from watchword.statements.digests import blinded
from watchword.statements.times import parse_time

QUORUM = {"faulty": 1, "ratify": 4, "witness": 3}
TARGETS = (f"release:{RELEASE.digest}", "supplier:AQUILA")


def random_paper(draw):
    """Notices of every sort in ledgers and loose, of random age, some of them take-backs of others."""
    paper = Paper(pack_charter(quorum=QUORUM))
    paper.sound()
    said = []
    for number in range(draw.randrange(1, 26)):
        sort = draw.choice(("recall", "recall", "dispute", "take-back", "take-back", "unheld"))
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
            paper.loose.append(paper.bad_news(sort, name, target, age=age))
            said.append(paper.loose[-1].statement.id)
        else:
            leaf = paper.notice(sort, draw.choice((name, "AQUILA")) if sort == "recall" else name, target, age=age)
            said.append(leaf.signed.statement.id)
    backs = [leaf.signed for leaf in paper.leaves if leaf.signed and leaf.signed.statement.kind == "take-back"]
    if backs and draw.random() < 0.4:
        back = draw.choice(backs)
        kind, by = draw.choice((("dispute", "ECHO"), ("revoke", back.statement.issuer)))
        paper.notice(kind, by, f"statement:{back.statement.id}" if kind == "dispute" else f"key:{back.key_id}", age=DAY)
    for origin in paper.charter.shared_origins:
        paper.head_age[origin] = timedelta(hours=draw.choice((0, 1, 1, 30)))
    return paper


def as_script_sees(verify, paper):
    """The same as verify.py has it after step 6."""
    charter = paper.charter
    proof = verify.Proof(charter.value, charter.digest, secret=b"s" * 32)
    for holder in charter.holders.values():
        words = holder.roles or (holder.job,)
        proof.keys[holder.public.id] = verify.Key(
            holder.public.id, holder.job, holder.owner, holder.operator, holder.is_supplier, words, b"", b""
        )
    proof.origins.update({origin: (of.member.name, of.use) for origin, of in charter.origins.items()})
    proof.roots.update({member.name: member.root_threshold for member in charter.members})
    proof.leaves.update({origin: {} for origin in charter.origins})

    def statement(signed):
        one = signed.statement
        subject = [(subject.name, subject.digest) for subject in one.subject]
        return verify.Statement(one.id, one.kind, subject, one.predicate, one.issuer, signed.key_id, b"", b"")

    for leaf in paper.leaves:
        place = leaf.origin, leaf.index
        proof.leaves[leaf.origin][leaf.index] = b"\2" + (leaf.commitment or bytes(32)) + leaf.blinded
        if leaf.is_junk:
            proof.junk.add(place)
        elif leaf.signed is not None:
            proof.counting[place] = proof.by_id[leaf.signed.statement.id] = statement(leaf.signed)
    loose = {signed.statement.id: statement(signed) for signed in paper.loose}
    heads = paper.view().heads
    known = {o: (head.size, int(parse_time(head.time).timestamp())) for o, head in heads.items()}
    for origin, (size, _) in known.items():
        proof.leaves[origin] = {i: proof.leaves[origin].get(i, bytes(65)) for i in range(size)}
    return proof, known, loose


def test_both_settle_alike(verify):
    """Kind by kind and place by place; every way that bad news stops counting comes up."""
    draw, seen = random.Random(20260131), set()
    for _ in range(300):
        paper = random_paper(draw)
        view, facts = paper.view(), paper.facts()
        ours = [one.value() for one in notices(paper.charter, view, facts, sorted(TARGETS), {})]
        theirs = verify.find_notices(*as_script_sees(verify, paper), sorted(TARGETS))
        assert theirs == ours
        seen |= {one["kind"] for one in ours}
    assert {"recall", "dispute", "lapsed", "taken-back", "take-back", "unheld", "no-standing"} <= seen
