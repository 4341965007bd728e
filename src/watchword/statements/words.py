"""What a statement says, in a few words, for whoever lists statements: text of others, not yet made inert. Pure.

Hidden fields, and what a version does not know, are left out: no line fails, and none says more than was signed. The
release that it is about is named only where the words would mean nothing without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchword.statements.evaluations import counted
from watchword.statements.statement import Statement

REDACTED = "(redacted)"


def says(statement: Statement) -> str:
    """A few words; empty for a kind that has none beside its subject."""
    try:
        return _says(statement.kind, statement.predicate, statement.subject[0].name)
    except (KeyError, TypeError, ValueError, AttributeError):
        # An object within it is of a form that this version does not know.
        return ""


def _says(kind: str, said: Mapping[str, Any], about: str) -> str:
    if kind == "inspection":
        counts = ", ".join(f"{said[one]} {one}" for one in ("dangerous", "suspicious", "unreadable") if said[one])
        found = f"{said['verdict']}: {counts}" if counts else str(said["verdict"])
        return f"{found} in {said['files']:,} files, by {said['tool']['name']}"
    if kind == "evaluation":
        flagged = f", flagged {said['flags']}" if said["flags"] else ""
        return f"{counted(said)}, {said.get('method', REDACTED)}{flagged}"
    if kind == "data-screening":
        changed = f"{said['changed_labels']:,} labels and {said['changed_features']:,} features changed"
        moved = f"{said['added']:,} added, {said['removed']:,} removed of {said['rows']:,} rows"
        return f"{said.get('dataset', REDACTED)}: {changed}, {moved}"
    if kind == "claim":
        until = f", supported until {said['support_until']}" if said["support_until"] else ""
        return f"{said['system']} {said['release']}{until}"
    if kind == "bill-of-materials":
        return f"{len(said['components']):,} components, {len(said['base_models']):,} base models, {said['format']}"
    if kind == "review":
        return f"{said['of']} review: {said['outcome']}"
    if kind == "opinion":
        return f"{said['of']}: {said['verdict']}"
    if kind == "decision":
        return f"{str(said['decision']['verdict'])[:20]} {about}"
    if kind == "mandate":
        return f"{str(said['mandate']['name'])[:64]} for {about}"
    if kind == "approval":
        return f"{said['answer']} by {said['person']}"
    if kind == "incident":
        return f"{said['severity']}: {said['reason']}"
    return str(said.get("reason", ""))
