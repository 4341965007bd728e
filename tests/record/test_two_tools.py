"""An evaluation by one member and what others make of it with its tool and with another: from the run to the count."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from alliance import RELEASE, make_alliance, quick_disk
from evaluate.planned import MODULE, plan, subject, sums

from watchword.account.opinions import opinions
from watchword.evaluate.plan import Plan
from watchword.evaluate.run import Result, run
from watchword.evaluate.samples import read_samples
from watchword.evaluate.subjects import open_subject
from watchword.record.evaluating import (
    commit_plan,
    compare_replication,
    draw_again,
    draw_of,
    find_plan,
    record_evaluation,
    record_opinion,
    tool_of,
)


def test_another_tool_makes_a_second_opinion_and_the_same_tool_does_not(tmp_path: Path) -> None:
    """ALFA runs PGD; CHARLIE replicates with the same attacks and is no opinion of its own, BRAVO with another
    library's and is. Samples are fresh, and the counts agree."""
    pytest.importorskip("torch", reason="needs torch")
    pytest.importorskip("secmlt", reason="needs secml-torch")
    of = plan(n=40, subject={"release": RELEASE.digest}, attack={"parameters": {"low": "-1", "steps": 10}})
    samples = read_samples(sums(tmp_path / "sums.npz", 60), "arrays")
    release = subject(tmp_path / "release", MODULE)

    def ran(with_: Plan, seed: str) -> Result:
        library = with_.attack.library
        return run(with_, seed, samples, lambda: open_subject(with_.subject, release, None, library=library))

    with quick_disk():
        three = make_alliance(tmp_path / "alliance", ("ALFA", "BRAVO", "CHARLIE"), witness=2, ratify=2)
        three.sync()
        alfa = three.nodes["ALFA"]
        commit_plan(alfa, of, RELEASE, draw_from="BRAVO")
        alfa.publish()
        three.sync()
        for name in ("BRAVO", "CHARLIE"):
            three.nodes[name].append_envelope(three.claim())
            three.nodes[name].publish()
        three.sync()
        draw = draw_of(alfa, find_plan(alfa, of))
        done = record_evaluation(alfa, ran(of, draw.seed), find_plan(alfa, of), draw)
        alfa.publish()
        three.sync()
        told = []
        for name, library in (("CHARLIE", "watchword"), ("BRAVO", "secml-torch")):
            node = three.nodes[name]
            found = node.locate(done.id)
            with_ = msgspec.structs.replace(of, attack=msgspec.structs.replace(of.attack, library=library))
            again = draw_again(node, found, name)
            made = ran(with_, again.seed)
            compared = compare_replication(node, found.signed.statement, made.k, made.n)
            record_opinion(
                node, found, compared, of="replication", sharing="shared", draw=again, n=made.n, k=made.k,
                seed=again.seed, tool=tool_of(with_), flags=", ".join(made.flags), report=made.encoded(),
            )  # fmt: skip
            node.publish()
            three.sync()
            assert compared.agrees and again.seed != draw.seed
            view = alfa.latest_view()
            (one,) = opinions(alfa.charter, alfa.facts(view).statements)
            told.append(one.independent)
        three.close()
    assert told == [1, 2]
