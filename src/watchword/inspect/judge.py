"""Judges one delivered file: every reader that would accept it gets to see it, and what it contains is judged too.

* A file is identified by content, judged under that format, and under each other one whose loader would accept it too
  (a pickle or a zip archive hidden in something else).
* Members of archives, and what unpacks from a compressed stream, are judged as files of their own, named
  ``a.zip:b.pkl``, within bounds on depth, number and bytes that hold for the delivered file as a whole.
* Whatever happens there is a report: damage and limits are findings, not errors.
"""

from __future__ import annotations

from watchword.inspect.exhibit import Exhibit
from watchword.inspect.facts import Verdict
from watchword.inspect.formats import pickled
from watchword.inspect.identify import hiding, identify, named
from watchword.inspect.judgement import Judgement
from watchword.inspect.pickles.judge import PickleReport, judge_pickle
from watchword.inspect.pickles.opcodes import OPCODES
from watchword.inspect.rules import BY_ID
from watchword.inspect.source import Source

_FIRST = OPCODES - {ord("P")}
"""Opcodes that can begin a pickle. (Not PERSID, as in every zip: a plain unpickler raises there.)"""

_LOOSE = ("unknown", "text", "json", "python", "script")
"""Formats without a mark of their own: a reading as a pickle replaces them."""

_SUFFIXES = tuple(f".{suffix}" for suffix in pickled.FORMATS[0].suffixes.split())


def judge(source: Source, path: str, into: Judgement) -> tuple[str, str]:
    """Judge a delivered file, and put what is found *into* its judgement (``Judgement(judge_exhibit)``).

    Returns:
        The format, and in words what was looked at.
    """
    return judge_exhibit(Exhibit(source, path, into))


def judge_exhibit(exhibit: Exhibit) -> tuple[str, str]:
    """Judge one exhibit under every format whose loader would accept it; the format, and what was looked at."""
    source = exhibit.source
    head = source.read_at(0, 4096)
    found = identify(source, head, exhibit.name)
    before = len(exhibit.into.findings)
    base = found
    plugins = exhibit.into.plugins
    others = [] if plugins is None else plugins.claiming(exhibit, head)
    told = None
    if plugins is not None and others and found.name == "unknown":
        told = plugins.read(exhibit, others.pop(0), found.name)  # what we know nothing of, it may know
    refined, looked = told if told is not None else found.read(exhibit, base.name)
    # What is not certainly a pickle, or is certainly something else, may still be one to a loader.
    if base.name != "pickle" and head and head[0] in _FIRST:
        report = _hidden_pickle(exhibit, refined, before)
        if report is not None:
            base, refined, looked = pickled.FORMATS[0], report.kind, "every opcode followed"
    for other in hiding(source, head):
        if other.hides is not None and other.name != found.name and other.hides(source, head):
            exhibit.note(f"{other.name} too: it was judged as that as well")
            other.read(exhibit, found.name)
    for one in others:
        if plugins is not None:
            plugins.read(exhibit, one, found.name)
    if exhibit.depth == 0 or found.name != "unknown":
        misnamed = named(exhibit.name, refined, base)
        if misnamed is not None:
            exhibit.check(misnamed)
    return refined, looked


def _hidden_pickle(exhibit: Exhibit, what: str, before: int) -> PickleReport | None:
    """Try the exhibit as a pickle without a mark. The report, where it replaces the reading as text or as unknown."""
    into = exhibit.into
    report = judge_pickle(exhibit.source)
    # A text that is also a number or a list to an unpickler is a text, unless it is called a pickle.
    called = exhibit.name.lower().endswith(_SUFFIXES)
    if not report.proven or (what != "unknown" and not called and not report.facts["imports"]):
        return None
    if what in _LOOSE:
        del into.findings[before:]
        pickled.hand_on(exhibit, report)
        return report
    bad = [o for o in report.oddities if BY_ID[o.rule].verdict is not Verdict.UNREADABLE]
    exhibit.keep_all(o for o in bad if o.rule != "pickle-trailing")
    for name, inner in report.nested:
        exhibit.inner(name, inner)
    return None
