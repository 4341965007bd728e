"""An evaluation in the forms of others: SARIF 2.1.0, CycloneDX 1.6, in-toto test-result v0.1 and SVR v0.1.

* Counts and interval travel with the number wherever a form has a place for them; where it has none, in the text.
* A test is passed only where a threshold was fixed beforehand and the worse end of the interval keeps it; failed where
  not even the better end does; between the two, or without a threshold, it is a warning. Sanity flags warn, too.
* SVR lists what was verified: only what is passed.
* None of these is signed: what counts among members is the statement, which each export names.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

FORMS = ("sarif", "cyclonedx", "test-result", "svr")
_NAMESPACE = uuid.UUID("c1d0ef0a-0d53-5f7c-8a29-5d1b4c8e7f60")
"""The namespace of our serial numbers (random, once)."""

Outcome = Literal["PASSED", "WARNED", "FAILED"]


@dataclass(frozen=True)
class Result:
    """One evaluation statement as others need it.

    Args:
        id: the statement's. release: its name for people. digest: the release's.
        bound: ``at most`` or ``at least`` *threshold*, as the plan fixed it; None without a plan.
    """

    id: str
    issuer: str
    made: str
    release: str
    digest: str
    tool: str
    version: str
    method: str
    metric: str
    k: int
    n: int
    low: str
    high: str
    flags: str = ""
    plan: str = ""
    bound: Literal["at most", "at least"] | None = None
    threshold: str = ""

    @property
    def outcome(self) -> Outcome:
        """Whether what the plan asked for is shown, refuted, or neither."""
        if self.bound is None:
            return "WARNED"
        low, high, asked = Decimal(self.low), Decimal(self.high), Decimal(self.threshold)
        shown, refuted = (high <= asked, low > asked) if self.bound == "at most" else (low >= asked, high < asked)
        return "FAILED" if refuted else "PASSED" if shown and not self.flags else "WARNED"

    @property
    def name(self) -> str:
        """The test in words, with what was asked of it."""
        asked = f", asked {self.bound} {self.threshold}" if self.bound else ""
        return f"{self.method}: {self.metric}{asked}"

    @property
    def counted(self) -> str:
        """What came of it, in words."""
        told = f"{self.metric}: {self.k} of {self.n} (95 % interval {self.low} to {self.high})"
        return f"{told}; flags: {self.flags}" if self.flags else told


def sarif(results: Sequence[Result]) -> dict[str, Any]:
    """A SARIF 2.1.0 log (OASIS) with one run; the level says the outcome."""
    levels = {"PASSED": ("pass", "none"), "WARNED": ("review", "none"), "FAILED": ("fail", "error")}
    entries = []
    for one in results:
        kind, level = levels[one.outcome]
        entries.append({
            "ruleId": one.method, "kind": kind, "level": level, "message": {"text": one.counted},
            "partialFingerprints": {"watchwordStatement/v1": one.id},
            "properties": {name: getattr(one, name) for name in ("digest", "issuer", "k", "n", "low", "high")},
        })  # fmt: skip
    rules = [{"id": method} for method in sorted({one.method for one in results})]
    driver = {"name": "watchword", "rules": rules}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": entries}],
    }


def cyclonedx(results: Sequence[Result]) -> dict[str, Any]:
    """A CycloneDX 1.6 BOM: each release a model, its results in ``quantitativeAnalysis`` with their intervals."""
    components = []
    for digest in dict.fromkeys(one.digest for one in results):
        about = [one for one in results if one.digest == digest]
        name, _, version = about[0].release.rpartition(" ")
        metrics = [
            {
                "type": one.metric,
                "value": f"{one.k}/{one.n}",
                "slice": one.method,
                "confidenceInterval": {"lowerBound": one.low, "upperBound": one.high},
            }
            for one in about
        ]
        components.append({
            "type": "machine-learning-model", "bom-ref": digest, "name": name or about[0].release,
            "version": version if name else "unversioned",
            "hashes": [{"alg": "SHA-256", "content": digest.removeprefix("sha256:")}],
            "modelCard": {"quantitativeAnalysis": {"performanceMetrics": metrics}},
            "properties": [{"name": "watchword:statement", "value": one.id} for one in about],
        })  # fmt: skip
    serial = uuid.uuid5(_NAMESPACE, "\n".join(sorted(one.id for one in results)))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "components": components,
    }


def attested(results: Sequence[Result], form: str) -> dict[str, Any]:
    """An in-toto Statement v1 about one release: ``test-result`` or ``svr``. It is not signed.

    Raises:
        ValueError: the results are about more than one release.
    """
    subjects = {(one.release, one.digest) for one in results}
    if len({digest for _, digest in subjects}) != 1:
        raise ValueError(f"an in-toto statement is about one release, these are about {len(subjects)}")
    name, digest = min(subjects)
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": digest.removeprefix("sha256:")}}],
        "predicateType": f"https://in-toto.io/attestation/{form}/v0.1",
        "predicate": _test_result(results) if form == "test-result" else _svr(results),
    }


def _test_result(results: Sequence[Result]) -> dict[str, Any]:
    outcomes = {one.outcome for one in results}
    worst = next(word for word in ("FAILED", "WARNED", "PASSED") if word in outcomes)
    configuration: list[dict[str, Any]] = [
        {"name": "plan", "digest": {"sha256": plan.removeprefix("sha256:")}}
        for plan in sorted({one.plan for one in results if one.plan})
    ]
    configuration += [
        {
            "name": "statement",
            "digest": {"sha256": one.id.removeprefix("sha256:")},
            "annotations": {"says": one.counted},
        }
        for one in results
    ]
    lists = {"passedTests": "PASSED", "warnedTests": "WARNED", "failedTests": "FAILED"}
    return {
        "result": worst,
        "configuration": configuration,
        **{field: [one.name for one in results if one.outcome == word] for field, word in lists.items()},
    }


def _svr(results: Sequence[Result]) -> dict[str, Any]:
    issuers = sorted({one.issuer for one in results})
    return {
        "verifier": {"id": f"urn:watchword:member:{'+'.join(issuers)}"},
        "timeCreated": max(one.made for one in results),
        "properties": [
            f"WATCHWORD_EVALUATED {one.name} ({one.id})" for one in results if one.outcome == "PASSED"
        ],
    }  # fmt: skip
