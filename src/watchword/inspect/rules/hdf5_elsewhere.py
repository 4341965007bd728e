"""hdf5-elsewhere: an HDF5 file takes data from outside of its folder."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.hdf5 import Hdf5Facts
from watchword.inspect.formats.locations import leads_out
from watchword.inspect.rules.rule import Rule


def check(facts: Hdf5Facts) -> Iterator[Oddity]:
    for offset, what, name in facts.elsewhere:
        if leads_out(name) or not name:
            yield Oddity(RULE.id, offset, f"{what}: {name[:200]!r}" if name else what, name)


RULE = Rule(
    id="hdf5-elsewhere",
    title="An HDF5 file takes data from outside of its folder",
    verdict=Verdict.DANGEROUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0011.000", "AML.T0010.003"),
    why=(
        "External storage, external links and virtual data sets name other files. Loading such a file reads whatever "
        "stands at that path on the machine of the user, and hands it on as weights; nothing of it was inspected."
    ),
    remediation="Do not load the file. Ask the supplier for one that holds its data itself.",
    reads=(Hdf5Facts,),
    check=check,
)
