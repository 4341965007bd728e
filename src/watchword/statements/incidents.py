"""What went wrong: the kind ``incident`` (docs/protocol.md, section 4)."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from watchword.statements.fields import Common, Digest, Strict, Text, Time


class Act(Strict, frozen=True, kw_only=True):
    """An action that belongs to an incident, and the gate that was asked for it."""

    action: Digest
    gate: Text


class Cited(Strict, frozen=True, kw_only=True):
    """A finding that belongs to an incident: the statement, and the rule in it where there is one."""

    statement: Digest
    rule: Text | None


class Incident(Common, frozen=True, kw_only=True):
    """What went wrong with ``target``: actions, findings and techniques of MITRE ATLAS (``id@version``), tied together.

    ``reason``: its title; ``text``: what happened; ``done``: what was done, a line each. A later one ``supersedes`` an
    earlier one: both stay listed.
    """

    target: Text
    reason: Text
    severity: Literal["low", "medium", "high", "critical"]
    began: Time
    found: Time
    ended: Time | None
    actions: Annotated[list[Act], Meta(max_length=200)]
    findings: Annotated[list[Cited], Meta(max_length=200)]
    techniques: Annotated[list[Text], Meta(max_length=64)]
    done: Annotated[list[Text], Meta(max_length=200)]
    text: Text
    supersedes: Digest | None
