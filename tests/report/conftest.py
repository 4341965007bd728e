"""A whole report with something in every part: two requirements unmet, a finding, a file half looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from watchword.report import contents as c

RELEASE = "sha256:9c41" + "0" * 56 + "e07b"
STATEMENT = "sha256:" + "ab" * 32


def whole() -> c.Report:
    return c.Report(
        system="recon-vision",
        release="7",
        digest=RELEASE,
        files=214,
        bytes=1_073_741_824,
        made="2026-03-01T09:00:00Z",
        tool="watchword-inspect 0.1.0, rules sha256:5b1e",
        node="BRAVO",
        alliance="HARBOUR",
        charter="charter version 3 (sha256:77aa…)",
        use_case=(
            ("Use case", "border-watch: point a camera at what moves near the fence"),
            ("Criticality", "2 of 3, human in the loop"),
            ("Owner", "BRAVO"),
        ),
        answer=c.Answer(
            "refused",
            "recon-vision 7 may not be used for border-watch: 2 of 5 requirements are unmet and 1 red line is crossed.",
            "witnessed",
            "2026-03-01T09:00:00Z",
        ),
        requirements=(
            c.Requirement("supplier-claim", "The supplier says what it delivers and answers for it", "met", 1, 1, (),
                          ("AQUILA",), "supplier", "supplier", ("B",)),
            c.Requirement("two-evaluations", "Two operators attacked it", "unmet", 1, 2,
                          ("injection-v3 has 1 of 2 (ALFA)",), ("ALFA",), "BRAVO", "evaluator of BRAVO", ("D",)),
            c.Requirement("inspected", "A member looked for hidden code", "unmet", 0, 1,
                          ("sha256:abab… failing: bound",), (), "any member", "evaluator", ("D",)),
            c.Requirement("bill-of-materials", "What it is made of", "met", 1, 1, (), ("BRAVO",), "supplier",
                          "supplier", ("C",)),
            c.Requirement("data-accounted", "Every changed row is explained", "met", 1, 1, (), ("CHARLIE",), "steward",
                          "steward", ("D", "F")),
            c.Requirement("human-factors", "People were watched using it", "does not apply", 0, 1, (), (), "BRAVO",
                          "official", ("E",)),
        ),
        red_lines=(
            c.RedLine("hidden-code", "No code that runs when a release is loaded", "crossed", "official of BRAVO"),
            c.RedLine("no-lone-machine", "No critical use without a human", "clear", "official of BRAVO"),
        ),
        principles=(
            c.Principle("A", "Lawfulness", (), 0, 0),
            c.Principle("B", "Responsibility and accountability", ("claim by AQUILA",), 1, 0),
            c.Principle("C", "Explainability and traceability", ("bill of materials by BRAVO",), 1, 0),
            c.Principle("D", "Reliability", ("inspection by BRAVO: dangerous", "evaluation by ALFA"), 1, 2),
            c.Principle("E", "Governability", (), 0, 0),
            c.Principle("F", "Bias mitigation", ("data screening by CHARLIE: 0 rows changed",), 1, 0),
        ),
        notices=("dispute by CHARLIE of statement:sha256:abab…, CHARLIE/notices#3",),
        stale=("delta.example/notices",),
        inspection_verdict="dangerous",
        findings=(
            c.Finding("pickle-call", "dangerous", "critical", "head.pt:data.pkl", 0x1A4,
                      "loading would call posix.system", "posix.system('id > /tmp/x')", ("AML.T0018@5.6.0",)),
            c.Finding("zip-short", "unreadable", "high", "extra.zip", None, "ends 4,096 bytes early", "", ()),
        ),
        looked=(
            c.Looked("head.pt", "pytorch-zip", 1_073_000_000, "aa" * 32, "dangerous", "pickles followed",
                     ("checksums of tensor members not computed",), ()),
            c.Looked("extra.zip", "zip", 740_000, "bb" * 32, "unreadable", "central directory", (), ((4096, 740_000),)),
            *(c.Looked(f"shard-{i:03}.safetensors", "safetensors", 2_000, "cc" * 32, "nothing-found", "header", (), ())
              for i in range(12)),
        ),
        bill=c.Bill(
            "CycloneDX 1.6", "sha256:" + "cd" * 32,
            (
                c.Component("head.pt", "machine-learning-model", "", "", "sha256:" + "aa" * 32),
                c.Component("torch", "framework", "2.1.0", "", ""),
            ),
            (("Licence", "apache-2.0"), ("Base model", "aquila/recon-base"), ("Data sets", "border-images-v2")),
            ("README.md: 1 line of the card was not understood",),
        ),
        statements=(
            c.Statement("inspection", STATEMENT, "BRAVO#1204", "BRAVO, evaluator", "sha256:" + "01" * 32,
                        "2026-03-01T08:59:00Z", "dangerous: 1 dangerous, 1 unreadable of 214 files",
                        ("durable", "in tree", "witnessed 3 of 4")),
        ),
        view="sha256:" + "ef" * 32,
        heads=(c.Head("bravo.example/ledger", 1205, "A" * 43 + "=", "2026-03-01T08:59:30Z", ("alfa", "charlie")),),
        commands=(
            ("Inspect the same files again", "watchword inspect recon-vision-7"),
            ("Re-check all of it with nothing installed", "python verify.py charter.json proof.json"),
        ),
        decision='{"format":"watchword-decision/1"}',
    )  # fmt: skip


@pytest.fixture
def report() -> Callable[..., c.Report]:
    """The whole report, with the parts that a test names replaced."""

    def changed(**parts: Any) -> c.Report:
        return replace(whole(), **parts)

    return changed
