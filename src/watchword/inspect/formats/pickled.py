"""Pickles as delivered files: marked ones by their first opcode; ``judge`` tries what is left for unmarked ones."""

from __future__ import annotations

from watchword.inspect.exhibit import MAGIC, Exhibit, Format
from watchword.inspect.pickles.judge import PickleReport, judge_pickle
from watchword.inspect.pickles.program import loaders_of
from watchword.inspect.source import Source
from watchword.limits import SECRETS_BINARY_BYTES_MAX

_MARKS_OF_SECRETS = (
    b"PRIVATE KEY",
    b"AKIA",
    b"hf_",
    b"sk-",
    b"ghp_",
    b"AIza",
    b"xox",
    b"eyJ",
    b"://",
    b"_KEY",
    b"_key",
)
"""One of these stands in whatever ``secrets`` looks for; the search is loaded for files that have one."""


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    report = judge_pickle(exhibit.source)
    hand_on(exhibit, report)
    looked = "every opcode followed"
    if report.kind == "joblib":
        looked += ", raw arrays passed over as joblib does"
    head = exhibit.source.read_at(0, SECRETS_BINARY_BYTES_MAX)
    if any(mark in head for mark in _MARKS_OF_SECRETS):
        from watchword.inspect.formats.secrets import search

        search(exhibit, SECRETS_BINARY_BYTES_MAX)
    return report.kind, looked


def hand_on(exhibit: Exhibit, report: PickleReport) -> None:
    """Report what was found in a stream of pickles, and judge what it would load in turn."""
    exhibit.keep_all(report.oddities)
    exhibit.merge(report.facts)
    if "program" in report.facts:
        exhibit.merge({"loaders": loaders_of(report.kind, exhibit.path)})
    for start, end in report.unread:
        exhibit.unread(start, end)
    for name, inner in report.nested:
        exhibit.inner(name, inner)


def _claims(source: Source, head: bytes, name: str) -> bool:
    return head[:1] == b"\x80" and head[1:2] <= b"\x05" and len(head) > 1


FORMATS = (Format("pickle", MAGIC, _claims, _read, "pkl pickle p pck dill joblib pt pth"),)
