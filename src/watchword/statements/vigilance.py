"""What is said about the people in command, and about the probes that test them (docs/protocol.md, section 9)."""

from __future__ import annotations

from typing import Literal

from watchword.statements.fields import Common, Count, Decimal, Digest, Text, Time


class Oversight(Common, frozen=True, kw_only=True):
    """How a pool of approvers did at one gate, in one word and about nobody. Subject: the pool.

    ``caught_min``: the share of known-bad actions that it has to catch; ``receipts``: how far the record was read.
    """

    gate: Text
    role: Text
    since: Time
    until: Time
    receipts: Count
    caught_min: Decimal
    state: Literal["pass", "fail", "too-few", "withheld", "no-probes"]


class ProbePlan(Common, frozen=True, kw_only=True):
    """A commander commits to vigilance probes before any is shown. ``plan``: digest of what is opened afterwards."""

    mandate: Digest
    plan: Digest
