"""What people sign in the console: the same statements as at a terminal, with their own keys, at this node.

* Who may is the door's to check; here the statement is made, appended and published as the command does it.
* Another process may be writing the node: then nothing is signed, and the page says so.
* A key that is encrypted needs the passphrase with which ``serve`` was started.
* What was signed elsewhere is handed in (``record``): its own signature decides. It goes where a command would put it:
  another member's bad news counts from now on and stays in its own ledger, all else is appended to ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watchword.account.answering import NoRecall, reckon
from watchword.charter.standing import NoStanding
from watchword.errors import WatchwordError
from watchword.ledger.notices import BadName
from watchword.limits import CONSOLE_FORM_BYTES_MAX, CONSOLE_UPLOAD_BYTES_MAX
from watchword.node.cataloguing import begun
from watchword.node.home import BusyNode
from watchword.node.node import Node
from watchword.node.recorded import NotHere, Recorded, Retired
from watchword.node.store import LOOSE_KINDS
from watchword.policy.admission import admit
from watchword.statements.digests import D
from watchword.statements.keys import KeyTrouble
from watchword.statements.redaction import read_copy
from watchword.statements.statement import BadStatement, Subject
from watchword.statements.times import parse_time, rfc3339
from watchword.web.console.table import DIGEST, NotSo, address

if TYPE_CHECKING:
    from watchword.web.console.knowledge import Snapshot


class NotHeld(WatchwordError):
    """What the act is about is not held here."""


class CannotAct(WatchwordError):
    """Nothing was signed: the node is being written, the key is not here, or it would not count."""


SEVERITIES = ("emergency", "urgent", "routine")
Do = Callable[[Node, "Snapshot", str, Mapping[str, str]], str]


@dataclass(frozen=True)
class Act:
    """``kind``: of the statement that is signed here, if any; ``do`` gives the address of what came of it."""

    kind: str | None
    do: Do
    bytes_max: int = CONSOLE_FORM_BYTES_MAX


def _admit(node: Node, known: Snapshot, person: str, fields: Mapping[str, str]) -> str:
    """Record the decision of this moment, admitted or refused."""
    digest, use = _digest(fields, "digest"), _digest(fields, "use")
    case = known.node.store.object(use)
    name = known.held.name_of(digest)
    if not isinstance(case, dict) or name is None:
        raise NotHeld("the release or the use case is not held here")
    subject = Subject(name, digest)

    def say(here: Node) -> Recorded:
        view = here.latest_view()
        made = admit(here.charter, view, here.facts(view), rfc3339(here.clock.now()), subject, case)
        if made.decision["verdict"] != fields.get("verdict"):
            raise CannotAct("the decision changed since you read it", "open the page again, read it, then record it")
        return here.record_decision(made.decision, made.objects, person=person)

    return address("/decisions/{id}", id=_signed(node, say).id)


def _recall(node: Node, _: Snapshot, person: str, fields: Mapping[str, str]) -> str:
    """Recall a release: its gates close wherever this arrives."""
    target = f"release:{_digest(fields, 'digest')}"
    reason, deadline = fields.get("reason", "").strip(), fields.get("deadline", "").strip() or None
    if not reason:
        raise NotSo("a recall needs a reason")
    if deadline is not None:
        parse_time(deadline)
    actions = [line.strip() for line in fields.get("actions", "").splitlines() if line.strip()]
    severity = fields.get("severity", "urgent")
    if severity not in SEVERITIES:
        raise NotSo(f"severity: one of {', '.join(SEVERITIES)}")
    said: dict[str, Any] = {
        "target": target, "reason": reason, "actions": actions, "deadline": deadline, "supersedes": None,
        "directive": fields.get("directive", "").strip() or None, "severity": severity, "versions": [],
        "alternatives": [],
    }  # fmt: skip
    subject = (Subject("notice", D(target.encode())),)
    recorded = _signed(node, lambda here: here.sign_and_append("recall", subject, said, person=person))
    return address("/statements/{id}", id=recorded.id)


def _answer(node: Node, _: Snapshot, person: str, fields: Mapping[str, str]) -> str:
    """Answer a recall: what is hit is reckoned here, and only no, yes or done is shared."""
    id, done = _digest(fields, "id"), fields.get("done") == "done"

    def say(here: Node) -> Recorded:
        with begun(here) as catalog:
            found = reckon(here, id, done=done, catalog=catalog)
        return here.sign_and_append("recall-answer", (Subject("statement", id),), found.fields, person=person)

    return address("/statements/{id}", id=_signed(node, say).id)


def _record(node: Node, _: Snapshot, __: str, fields: Mapping[str, str]) -> str:
    """Take in one statement that somebody with standing signed."""
    text = fields.get("file", "").strip() or fields.get("envelope", "").strip()
    if not text:
        raise NotSo("no statement was given", "choose its file, or paste its text")
    try:
        signed, shown = read_copy(text.encode(), "the statement")
    except WatchwordError as error:
        raise NotSo(f"this is no signed statement: {error.message}", error.hint) from error
    said = signed.statement
    others = {one.name for one in node.charter.members} - {node.member}
    if said.kind in LOOSE_KINDS and said.issuer in others:
        try:
            node.take_loose(signed.envelope)
        except (NoStanding, BadName) as error:
            raise CannotAct(f"refused, nothing was kept: {error.message}", error.hint) from error
        return address("/incidents/{id}", id=said.id) if said.kind == "incident" else address("/notices")

    def append(here: Node) -> Recorded:
        recorded = here.append_envelope(signed.envelope)
        here.bodies.put_many((one.salt, one.body) for one in shown)
        return recorded

    return address("/statements/{id}", id=_signed(node, append).id)


ACTS = {
    "admit": Act("decision", _admit), "answer": Act("recall-answer", _answer), "recall": Act("recall", _recall),
    "record": Act(None, _record, CONSOLE_UPLOAD_BYTES_MAX),
}  # fmt: skip
KINDS = tuple(act.kind for act in ACTS.values() if act.kind is not None)


def _signed(node: Node, say: Callable[[Node], Recorded]) -> Recorded:
    """Open *node* as its writer, say it, publish it.

    Raises:
        CannotAct: nothing was signed.
    """
    try:
        opened = Node.open(node.home, clock=node.clock, passphrase=node.keys.passphrase_for_new(), writing=True)
        with opened as here:
            recorded = say(here)
            here.publish()
            return recorded
    except BusyNode as error:
        raise CannotAct("another process is writing this node: nothing was recorded", "try again") from error
    except (KeyTrouble, BadStatement, NotHere, NoRecall, NoStanding, BadName, Retired) as error:
        raise CannotAct(f"nothing was recorded: {error.message}", error.hint) from error


def _digest(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name, "")
    if not re.fullmatch(DIGEST, value):
        raise NotSo(f"{name}: not a digest")
    return value
