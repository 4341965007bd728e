"""``watchword incident``: say what went wrong, early and to all; list and show what others said."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, naming, one_line, passphrase, write_new
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.node import Node
    from watchword.statements.statement import Signed


class BadIncident(WatchwordError):
    """An incident whose fields are not its own, or that names no action of this gate."""


def new(args: argparse.Namespace) -> int:
    """Sign an incident and append it; every member that it reaches is warned."""
    from watchword import node
    from watchword.cli.notice import notice_subject
    from watchword.cli.statement import read_fields, recorded_value, told
    from watchword.statements.atlas import check_technique
    from watchword.statements.kinds import with_nulls
    from watchword.statements.redaction import copy_file, hide
    from watchword.statements.statement import BadStatement

    said = {"actions": [], "findings": [], "techniques": [], "done": []} | read_fields(args.file)
    for one in said["techniques"] if isinstance(said["techniques"], list) else ():
        with naming(args.file):
            check_technique(one)
    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        target = _target(here, args.of)
        said["actions"] = [*said["actions"], *(_action(here, one) for one in args.action)]
        found = ({"rule": None, "statement": here.locate(one).signed.statement.id} for one in args.finding)
        said["findings"] = [*said["findings"], *found]
        fields, hidden = hide("incident", with_nulls("incident", said | {"target": target}), args.redactable)
        try:
            # To the whole alliance: a notice that somebody may not read counts there as the worst (section 8).
            recorded = here.sign_and_append("incident", notice_subject(target), fields, person=args.person)
        except BadStatement as error:
            hint = error.hint or "docs/reference/kinds.md lists the fields of incident"
            raise BadIncident(f"{args.file}: {error.message}", hint) from error
        here.publish()
        lines = [f"incident about {target}: {fields['reason']} ({fields['severity']})", told(here, recorded)]
        value = recorded_value(here, recorded) | {"output": str(args.output) if args.output else None, "target": target}
    if hidden:
        lines.append(f"not in it: {', '.join(sorted(one.name for one in hidden))}")
    if args.output:
        write_new(args.output, (copy_file(recorded.envelope, hidden) if hidden else recorded.envelope) + b"\n")
        lines.append(f"wrote {args.output}" + (", with what is not in it: for those who may know" if hidden else ""))
    emit(args, "\n".join(lines), value | {"hidden": sorted(one.name for one in hidden)})
    return 0


def list_(args: argparse.Namespace) -> int:
    """List the incidents held here, in ledgers and loose, oldest first."""
    from watchword import node

    with node.Node.open(node.find_home(args.home), writing=False) as here:
        target = _target(here, args.of) if args.of else None
        rows = [
            (place, signed.statement)
            for place, signed in _held(here)
            if target is None or signed.statement.predicate["target"] == target
        ]
    rows.sort(key=lambda row: (str(row[1].predicate["made"]), row[1].id))
    replaced = {one.predicate["supersedes"] for _, one in rows}
    lines = [
        one_line(
            f"{place:18} {one.predicate['severity']:8} {one.predicate['made']}  {one.issuer}: {one.predicate['reason']}"
            f"  about {one.predicate['target']}{'  (superseded)' if one.id in replaced else ''}"
        )
        for place, one in rows
    ]
    values = [
        {
            "id": one.id, "issuer": one.issuer, "made": one.predicate["made"], "reason": one.predicate["reason"],
            "severity": one.predicate["severity"], "superseded": one.id in replaced, "target": one.predicate["target"],
            "techniques": one.predicate["techniques"], "where": place,
        }
        for place, one in rows
    ]  # fmt: skip
    emit(args, "\n".join(lines) or "no incident here", {"incidents": values, "schema": "watchword-incidents/1"})
    return 0


def show(args: argparse.Namespace) -> int:
    """Print an incident, and the chain behind it; of a file, with what was hidden and goes with it."""
    from watchword import node
    from watchword.account.trace import trace
    from watchword.account.trace_page import render_text
    from watchword.charter.standing import standing
    from watchword.statements import atlas
    from watchword.statements.kinds import hidden_fields
    from watchword.statements.redaction import Disclosure, read_copy

    shown: list[Disclosure] = []
    with node.Node.open(node.find_home(args.home), writing=False) as here:
        path = Path(args.what)
        if path.is_file():
            with naming(path):
                signed, shown = read_copy(path.read_bytes().removesuffix(b"\n"), str(path))
                standing(here.charter, signed)
        else:
            signed = dict(_held(here)).get(args.what) or here.locate(args.what).signed
        said = signed.statement
        if said.kind != "incident":
            raise BadIncident(f"{args.what}: not an incident but: {said.kind[:80]}", "watchword incident list")
        known = said.id in {one.statement.id for _, one in _held(here)}
        chain = trace(here, said.id) if known else None
    fields = said.predicate | dict.fromkeys(hidden_fields("incident", said.predicate), "(redacted)")
    fields |= {one.name: one.value for one in shown}
    done = fields["done"] if isinstance(fields["done"], list) else [fields["done"]]
    lines = [
        f"{fields['severity']} incident by {said.issuer}: {fields['reason']}", f"  about       {fields['target']}",
        f"  from        {fields['began']} to {fields['ended'] or 'now'}, found {fields['found']}",
        f"  techniques  {', '.join(map(atlas.told, fields['techniques'])) or 'none named'}",
        *(f"  done        {one_line(one)}" for one in done), f"  text        {one_line(fields['text'])}",
    ]  # fmt: skip
    text = "\n".join(map(one_line, lines)) + ("\n" + render_text(chain) if chain else "\nnot held here yet")
    value: dict[str, Any] = {"id": said.id, "predicate": said.predicate, "schema": "watchword-incident/1"}
    value |= {"disclosed": {one.name: one.value for one in shown}, "trace": None if chain is None else chain.value()}
    emit(args, text, value)
    return 0


def _held(here: Node) -> list[tuple[str, Signed]]:
    """Every incident with standing here after its place; a loose one, after its id."""
    found = {
        held.signed.statement.id: (here.locator(origin, index), held.signed)
        for origin, index, held in here.store.statements()
        if held.holder is not None and held.signed.statement.kind == "incident"
    }
    loose = (signed for signed in here.loose() if signed.statement.kind == "incident")
    return list((found | {s.statement.id: (s.statement.id, s) for s in loose if s.statement.id not in found}).values())


def _target(here: Node, text: str) -> str:
    """The name that an incident is about; a release by its path, digest or recorded name."""
    from watchword.cli.subject import release
    from watchword.ledger.notices import SORTS, check_name

    if text.partition(":")[0] in SORTS:
        check_name(text)
        return text
    return f"release:{release(text, here).digest}"


def _action(here: Node, text: str) -> dict[str, str]:
    """An action of this gate, by its digest, its hold or its receipt."""
    events = here.record_events()
    _, _, number = text.rpartition("#")
    if text == f"{here.member}/record#{number}" and number.isdecimal():
        events = events[int(number) : int(number) + 1]
    else:
        events = [one for one in events if text in (one.get("hold"), one.get("action"))]
    digest = next((str(one["action"]) for one in events if one.get("action")), None)
    if digest is None:
        raise BadIncident(f"{text}: no action of this gate", "a hold, a receipt such as ALFA/record#3, or a digest")
    return {"action": digest, "gate": here.member}
