"""A recall as a statement, and a member's answer to it; ``statements.kinds`` lists both (protocol, section 4)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from watchword.statements.fields import Common, Digest, Strict, Text, Time

Numbers = Annotated[str, Meta(pattern=r"^[0-9]{1,18}(\.[0-9]{1,18}){0,15}\Z")]
"""A version as a row of numbers, such as ``2.10.0``."""


class Span(Strict, frozen=True, kw_only=True):
    """Versions of a package: ``from`` one on, up to and without another; null where it has no such end."""

    from_: Numbers | None = msgspec.field(name="from")
    before: Numbers | None


class Recall(Common, frozen=True, kw_only=True):
    """Bad news against a release, component, package, model, data set, supplier, or an exercise of such.

    ``directive``: the number that people call it by; recalls of several names that belong together have the same.
    ``versions``: of the package that is the target, those meant; empty: all. ``alternatives``: what may be done instead
    of ``actions``. Neither these nor ``severity`` weigh in a decision: a recall that reaches stops.
    """

    target: Text
    reason: Text
    actions: list[Text]
    deadline: Time | None
    supersedes: Digest | None
    directive: Text | None
    severity: Literal["emergency", "urgent", "routine"]
    versions: Annotated[list[Span], Meta(max_length=100)]
    alternatives: Annotated[list[Text], Meta(max_length=100)]


class RecallAnswer(Common, frozen=True, kw_only=True):
    """A member says of a recall, or of its exercise, whether anything that it uses is hit, and since when it has acted.

    ``closed``: when its gate met the recall; ``done``: since when the actions, or the
    ``alternative``, are taken.
    What is hit, and how much, stays at home.
    """

    statement: Digest
    answer: Literal["no", "yes", "done"]
    closed: Time | None
    done: Time | None
    alternative: Text | None
