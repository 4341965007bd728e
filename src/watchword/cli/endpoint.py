"""``watchword endpoint``: pin a system that is reached by its API alone, and ask again whether it is still the same."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, passphrase, say
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.node import Node
    from watchword.statements.statement import Statement


class NoKey(WatchwordError):
    """The environment has no key under the name given."""


class NotPinned(WatchwordError):
    """No endpoint statement of this node's own about the release, or what it sealed is not here."""


def pin(args: argparse.Namespace) -> int:
    """Ask, seal, sign: the endpoint statement, and the digest of the release; exit 1 when no canary can be kept."""
    from watchword import node
    from watchword.cli.statement import recorded_value, scope, told
    from watchword.limits import ENDPOINT_QUESTIONS_BYTES_MAX
    from watchword.record.endpoint import (
        Asker,
        BadEndpoint,
        BadQuestions,
        Door,
        pin,
        read_questions,
        sealed_file,
    )
    from watchword.statements.digests import endpoint_digest
    from watchword.statements.statement import Subject
    from watchword.statements.times import rfc3339

    door = Door(args.url, args.interface, args.model, args.pick)
    with args.questions.open("rb") as file:
        data = file.read(ENDPOINT_QUESTIONS_BYTES_MAX + 1)
    if len(data) > ENDPOINT_QUESTIONS_BYTES_MAX:
        raise BadQuestions(f"{args.questions}: larger than {ENDPOINT_QUESTIONS_BYTES_MAX:,} bytes")
    questions = read_questions(data, args.interface, str(args.questions))
    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        names = [one.name for one in here.charter.suppliers]
        if args.supplier not in names:
            raise BadEndpoint(f"{args.supplier} is no supplier of the charter", "it lists: " + ", ".join(names))
        asker = Asker(door, _key(args))
        try:
            asked, canaries = rfc3339(here.clock.now()), pin(asker, questions, args.tries)
        finally:
            asker.close()
        count = f"{len(canaries)} of {len(questions)} canaries answered alike {args.tries} times"
        if not canaries:
            emit(args, f"NOT PINNED  {args.url}: {count}", {"canaries": 0, "schema": "watchword-endpoint/1"})
            return 1
        sealed = [one.sealed() for one in canaries]
        fields = {
            "asked": asked, "canaries": sealed, "interface": args.interface, "supplier": args.supplier,
            "system": args.system, "tries": args.tries, "version": args.release,
        }  # fmt: skip
        digest = endpoint_digest(fields)
        # Before anything is signed: what nobody can open could never be asked again.
        here.store.put_own(_place(here, digest), sealed_file(door, canaries))
        subject = Subject(f"{args.system} {args.release}", digest)
        recorded = here.sign_and_append("endpoint", (subject,), fields, person=args.person, scope=scope(args))
        here.publish()
        lines = [f"PINNED  {subject.name} ({digest})", f"  {count}", told(here, recorded)]
        value = {"canaries": len(canaries), "release": asdict(subject), "schema": "watchword-endpoint/1"}
        emit(args, "\n".join(lines), value | {"recorded": recorded_value(here, recorded)})
    return 0


def check(args: argparse.Namespace) -> int:
    """Ask again, and sign that nothing changed; exit 1 when something did, and dispute its statement, when told to."""
    from watchword import node
    from watchword.cli.statement import recorded_value, told
    from watchword.cli.subject import release
    from watchword.record.endpoint import Asker, changed, open_sealed
    from watchword.statements.kinds import COMMON_FIELDS
    from watchword.statements.times import rfc3339

    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        subject = release(args.release, here)
        pinned = _pinned(here, subject.digest)
        place = _place(here, subject.digest)
        if not place.is_file():
            raise NotPinned(
                f"{place}: what was sealed is not here", "only who pinned it, or was handed that file, can ask again"
            )
        door, canaries = open_sealed(place.read_bytes(), str(place), pinned.predicate["canaries"])
        asker = Asker(door, _key(args))
        try:
            tries = pinned.predicate["tries"] if args.record else 1
            asked, other = rfc3339(here.clock.now()), changed(asker, canaries, tries)
        finally:
            asker.close()
        value: dict[str, Any] = {
            "canaries": len(canaries), "changed": list(other), "release": asdict(subject),
            "schema": "watchword-endpoint-checked/1", "statement": pinned.id,
        }  # fmt: skip
        if not other:
            lines = [f"UNCHANGED  {subject.name}: {len(canaries)} canaries answered as sealed"]
            if args.record:
                said, scope = pinned.predicate, pinned.predicate["scope"]
                fields = {name: said[name] for name in said.keys() - COMMON_FIELDS} | {"asked": asked}
                again = here.sign_and_append("endpoint", (subject,), fields, person=args.person, scope=scope)
                here.publish()
                lines.append(told(here, again))
                value["recorded"] = recorded_value(here, again)
            emit(args, "\n".join(lines), value)
            return 0
        reason = f"{len(other)} of {len(canaries)} sealed canaries are answered otherwise"
        lines = [f"CHANGED  {subject.name}: {reason} (number {', '.join(map(str, other))})"]
        if args.yes or _asked(f"dispute the endpoint statement {pinned.id}, for all to see? [y/N] "):
            recorded = _dispute(here, pinned, reason, args.person)
            lines.append(f"disputed: {told(here, recorded)}")
            lines.append(f"to close every gate at once: watchword notice recall release:{subject.digest} --reason TEXT")
            value["disputed"] = recorded.id
        else:
            lines.append("nothing was signed; --yes disputes the endpoint statement")
    emit(args, "\n".join(lines), value)
    return 1


def _dispute(here: Node, pinned: Statement, reason: str, person: str | None) -> Any:
    from watchword.cli.notice import notice_subject

    target = f"statement:{pinned.id}"
    fields = {"reason": reason, "target": target}
    recorded = here.sign_and_append(
        "dispute", notice_subject(target), fields, person=person, scope=pinned.predicate["scope"]
    )
    here.publish()
    return recorded


def _pinned(here: Node, digest: str) -> Statement:
    """The newest endpoint statement about the release: this node's own, or that of whoever handed its canaries over."""
    from watchword.account.knowing import of_kind

    said = [one for _, one in of_kind(here, "endpoint") if one.is_about(digest)]
    if not said:
        raise NotPinned(f"{digest}: nobody pinned such an endpoint", "watchword endpoint pin URL")
    return max(said, key=lambda one: (one.issuer == here.member, str(one.predicate["made"]), one.id))


def _place(here: Node, digest: str) -> Any:
    return here.home / "endpoints" / f"{digest.removeprefix('sha256:')}.json"


def _key(args: argparse.Namespace) -> str | None:
    if args.key_env is None:
        return None
    key = os.environ.get(args.key_env)
    if not key:
        raise NoKey(f"${args.key_env}: not set", "the endpoint's key is taken from there; it is written nowhere")
    return key


def _asked(question: str) -> bool:
    if not sys.stdin.isatty():
        return False
    say(question)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
