"""``watchword policy check``: holes in a set of rules, each with an example."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.charter.charter import Charter
    from watchword.policy.check import Checked, Finding
    from watchword.policy.world import Forbid


class TwoOfOneName(WatchwordError):
    """Two caveats of one name: their rules could not be told apart."""


def run(args: argparse.Namespace) -> int:
    """Print what was found. 0 nothing, 1 something, 2 nothing, but not every rule could be looked at."""
    from watchword.policy.check import check

    caveats, free, unclear = _caveats(args.caveat)
    checked = check(_charter(args), caveats)
    checked = replace(
        checked, findings=(*checked.findings, *free), unclear=(*checked.unclear, *unclear),
    )  # fmt: skip
    emit(args, _text(checked), _value(checked))
    if checked.findings:
        return 1
    return 2 if checked.unclear else 0


def _charter(args: argparse.Namespace) -> Charter:
    from watchword.cli.charter import file_of
    from watchword.policy.example import imagined
    from watchword.policy.pack import find_packs

    if not args.pack:
        return file_of(args).charter
    pack = find_packs(args.pack)
    return imagined(pack.requirements, pack.red_lines, pack.standing)


def _caveats(paths: Sequence[Path]) -> tuple[list[Forbid], list[Finding], list[tuple[str, str]]]:
    """The rules on admissions of caveat files, each under its caveat's name; holes in free policies; what is not
    looked at."""
    from watchword.charter.charter import Condition
    from watchword.policy import free
    from watchword.policy.caveat import read_caveat
    from watchword.policy.world import Forbid

    found: dict[str, Path] = {}
    rules: list[Forbid] = []
    findings: list[Finding] = []
    unclear: list[tuple[str, str]] = []
    for path in paths:
        caveat = read_caveat(path)
        name = caveat["name"]
        if name in found:
            raise TwoOfOneName(f"{path}: a caveat named {name[:80]}, as in {found[name]}", "rename one of the two")
        found[name] = path
        for rule in caveat["rules"]:
            if rule["on"] == "admit":
                rules.append(Forbid(rule["id"], tuple(Condition(**one) for one in rule["forbid"]), name))
            else:
                unclear.append((f"{name}:{rule['id']}", "rules about actions are not looked at"))
        if caveat["cedar"] is not None:
            holes, left_out = free.holes(name, caveat["cedar"])
            findings += holes
            unclear += left_out
    return rules, findings, unclear


def _text(checked: Checked) -> str:
    lines = []
    for one in checked.findings:
        lines += [f"{one.id:<19} {', '.join(one.rules)}".rstrip(), f"  {one.what}", f"  example: {_example(one)}"]
        if not one.confirmed:
            lines.append("  the table does not confirm this example: that is a defect of watchword, please report it")
    lines += [f"{'not looked at':<19} {rule}\n  {why}" for rule, why in checked.unclear]
    counts = [
        (checked.requirements, "requirement"), (checked.red_lines, "red line"), (checked.caveats, "caveat rule"),
    ]  # fmt: skip
    looked = ", ".join(f"{many} {what}{'' if many == 1 else 's'}" for many, what in counts if many)
    found = f"{len(checked.findings)} found" if checked.findings else "nothing found"
    if checked.unclear:
        found += f", {len(checked.unclear)} not looked at"
    return "\n".join([*lines, f"{looked or 'no rules'}: {found}"])


def _example(one: Finding) -> str:
    states = ", ".join(f"{rule} {state}" for rule, state in one.states.items())
    return f"{one.example.text()}: {states or 'refused'}"


def _value(checked: Checked) -> dict[str, Any]:
    findings = [
        {
            "confirmed": one.confirmed, "example": one.example.value(), "id": one.id, "rules": list(one.rules),
            "states": dict(one.states), "what": one.what,
        }
        for one in checked.findings
    ]  # fmt: skip
    return {
        "caveats": checked.caveats, "findings": findings, "not_looked_at": dict(checked.unclear),
        "red_lines": checked.red_lines, "requirements": checked.requirements, "schema": "watchword-policy-check/1",
    }  # fmt: skip
