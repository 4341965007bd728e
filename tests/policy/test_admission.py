"""Admission: the decision with what a proof must carry, in time for a release with 200 statements."""

from __future__ import annotations

import time

from decisions import RELEASE, TRIAGE, Paper

from watchword.policy.admission import admit
from watchword.statements.digests import DJ
from watchword.statements.times import rfc3339


def test_an_admission_carries_what_a_proof_needs() -> None:
    """Use case, view and loose list are found by the digests that the decision names."""
    paper = Paper()
    paper.sound()
    paper.loose.append(paper.bad_news("recall", "ECHO", "model:another"))
    admission = admit(paper.charter, paper.view(), paper.facts(), rfc3339(paper.now), RELEASE, TRIAGE)
    assert admission.admitted
    named = {admission.decision[field] for field in ("use_case", "view", "loose")}
    assert {DJ(value) for value in admission.objects} == named
    assert admission.decision == paper.decide()


def test_two_hundred_statements_are_decided_in_time() -> None:
    """Under 100 ms of CPU once verified and warm, notices and a bill of materials with 500 components included."""
    paper = Paper()
    paper.sound()
    parts = [
        {"name": f"part {n}", "version": "1", "purl": f"pkg:generic/p{n}@1", "digest": f"sha256:{n:064x}"}
        for n in range(500)
    ]
    paper.say("bill-of-materials", "AQUILA", components=parts)
    for n in range(200):
        paper.say("inspection", "ALFA" if n % 2 else "BRAVO", files=n)
        paper.notice("dispute", "ECHO", f"release:sha256:{n:064x}")
    arguments = (paper.charter, paper.view(), paper.facts(), rfc3339(paper.now), RELEASE, TRIAGE)
    assert admit(*arguments).admitted
    took = []
    for _ in range(5):
        start = time.process_time()
        admit(*arguments)
        took.append(time.process_time() - start)
    assert min(took) < 0.1, took
