"""How long a gate takes to answer, with its receipt on the disk, beside what the disk takes to sync anything."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.table import Row

if TYPE_CHECKING:
    from watchword.gate import Gate
    from watchword.node import Node

ASKS = 1_000
THREADS = 64
EACH = 100
DECISIONS = 2_000
MAILS = [
    {
        "id_": str(number),
        "sender": f"p{number}@bravo.example",
        "subject": f"Offer {number}",
        "body": "We offer less. " * 9,
    }
    for number in range(500)
]
RELEASE_DIGEST = "sha256:" + "9c" * 32
RULE: dict[str, Any] = {
    "id": "read", "tool": "read-mail", "args": [{"field": "folder", "op": "in", "value": ["inbox"]}],
    "approvals": {"count": 0, "distinct": "operators", "role": ""}, "hold_s": 0, "quota": None, "unclean": None,
}  # fmt: skip


def run() -> list[Row]:
    """The figures of the gate, on the disk where temporary files lie."""
    with tempfile.TemporaryDirectory(prefix="watchword-bench-gate-") as folder, alone(Path(folder)) as gate:
        asked = _times_ms(lambda: ask_once(gate, "inbox", "permit"))
        processor = _times_ms(lambda: ask_once(gate, "inbox", "permit"), time.process_time)
        denied = _times_ms(lambda: ask_once(gate, "outbox", "deny"))
        decided = _decisions_ms(gate)
        rate, group = _rate(gate)
        synced = _times_ms(_synced(Path(folder) / "synced"))
    peer = "one write and fdatasync"
    note = f"{ASKS} asks; an alliance of one, one mandate, loose notices and heads looked at each time"
    cpu = f"{_part(processor, 50):.2f} ms of it processor time, the rest the disk"

    def row(what: str, times: list[float], part: int, goal: float, against: list[float] | None, note: str) -> Row:
        value = _part(times, part)
        beside = None if against is None else _part(against, part)
        named = "" if against is None else peer
        return Row(f"gate, {what}, p{part}", value, "ms", f"≤ {goal:g} ms", value <= goal, named, beside, note)

    unwritten = f"{len(MAILS):,} mails read, {DECISIONS:,} calls of three arguments, half of them unclean"
    return [
        row("permitted, receipt durable", asked, 50, 1, synced, f"{note}; {cpu}"),
        row("permitted, receipt durable", asked, 99, 10, synced, "the same asks"),
        row("denied, receipt durable", denied, 50, 1, synced, note),
        Row(
            "gate, decisions with durable receipts",
            rate,
            "/s",
            "≥ 2,000/s",
            rate >= 2_000,
            peer,
            1_000 / _part(synced, 50),
            f"{THREADS} threads ask together; {group:.0f} receipts to a sync",
        ),
        row("policy and provenance, no receipt", decided, 50, 0.3, None, unwritten),
        row("policy and provenance, no receipt", decided, 99, 2, None, "the same calls"),
    ]


def _rate(gate: Gate) -> tuple[float, float]:
    """Answers in a second when many threads ask together, and how many receipts shared a sync."""
    from watchword.gate import new_action

    groups: list[int] = []
    append = gate.node.append_record

    def counted(events: list[dict[str, Any]], at: int | None = None) -> range:
        groups.append(len(events))
        return append(events, at)

    actions = [
        [new_action("read-mail", {"folder": "inbox"}, RELEASE_DIGEST, "bench", gate.clock).bytes for _ in range(EACH)]
        for _ in range(THREADS)
    ]

    def ask(mine: list[bytes]) -> None:
        for data in mine:
            if gate.ask(data).verdict != "permit":
                raise SystemExit("the gate did not permit")

    threads = [threading.Thread(target=ask, args=(mine,)) for mine in actions]
    gate.node.append_record = counted  # type: ignore[method-assign,assignment]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s = time.perf_counter() - began
    gate.node.append_record = append  # type: ignore[method-assign]
    return THREADS * EACH / took_s, statistics.mean(groups)


def _decisions_ms(gate: Gate) -> list[float]:
    """The times of decisions: the session judges, then the gate weighs, and nothing is written."""
    from watchword.gate import new_action
    from watchword.gate.cards import parse_cards
    from watchword.gate.session import Session

    cards = parse_cards((Path(__file__).parent / "cards" / "workspace.json").read_bytes())
    session = Session({"mail": cards})
    session.hear("Summarise the mail 'Offer 7' and send it to ann@alfa.example, with the subject 'Offer'")
    session.take_in("get_received_emails", {}, "mail", MAILS)
    times = []
    for number in range(DECISIONS):
        to = "ann@alfa.example" if number % 2 else f"eve{number}@evil.example"
        args = {"recipients": [to], "subject": "Offer", "body": f"Summary {number}: they offer less."}
        action = new_action("send_email", args, RELEASE_DIGEST, session.id, gate.clock)
        began = time.perf_counter()
        verdict = session.judge(action.tool, action.args, "mail")
        gate.preview(action.bytes, None, verdict)
        times.append((time.perf_counter() - began) * 1_000)
    return times


def ask_once(gate: Gate, mailbox: str, verdict: str) -> None:
    from watchword.gate import new_action

    answer = gate.ask(new_action("read-mail", {"folder": mailbox}, RELEASE_DIGEST, "bench", gate.clock).bytes)
    if answer.verdict != verdict:
        raise SystemExit(f"the gate answered {answer.told()}")


@contextmanager
def alone(folder: Path) -> Iterator[Gate]:
    """A gate over an alliance of one with one admitted release and one mandate."""
    from watchword import node
    from watchword.gate import Gate
    from watchword.statements.times import SystemClock

    home = folder / "home"
    requirement: dict[str, Any] = {
        "id": "reviewed", "text": "", "kind": "review", "count": 1, "from": "member", "distinct": "operators",
        "where": [], "tools": 0, "max_age_days": None, "bound": [], "when": {"criticality": 0, "human": []},
        "owed_by": "member", "accountable": "official", "principle": ["A"], "serves": [],
        "waiver": None,
    }  # fmt: skip
    standing = {
        "ratification": ["root"], "review": ["official"], "decision": ["official"], "mandate": ["commander"],
        "approval": ["commander"], "stop": ["commander"], "record-head": ["gate"], "recall": ["official"],
        "retract": ["official"], "dispute": ["official"], "revoke": ["root"],
    }  # fmt: skip
    node.found_alone(home, requirements=[requirement], red_lines=[], standing=standing, clock=SystemClock())
    with node.Node.open(home, writing=True) as here:
        _admit(here)
        yield Gate(here)


def _admit(here: Node) -> None:
    from watchword.gate.mandate import Draft, mandate_fields
    from watchword.policy.admission import admit
    from watchword.statements.statement import Subject
    from watchword.statements.times import rfc3339

    release = Subject("bench 1.0", RELEASE_DIGEST)
    review = {"of": "legal", "outcome": "in favour", "text": "", "report": None}
    here.sign_and_append("review", (release,), review)
    here.publish()
    use_case = {
        "format": "watchword-use-case/1", "name": "bench", "purpose": "", "criticality": 0, "human": "on",
        "members": [here.member], "owner": here.member, "tags": [],
    }  # fmt: skip
    view = here.latest_view()
    admission = admit(here.charter, view, here.facts(view), rfc3339(here.clock.now()), release, use_case)
    decision = here.record_decision(admission.decision, admission.objects)
    written = {
        "name": "bench", "valid_from": None, "valid_until": None, "hours": None, "view_max_age_s": 3600,
        "stale": "deny", "rules": [RULE], "probes": None,
    }  # fmt: skip
    subject, fields = mandate_fields(Draft(written, 3600), here.locate(decision.id).signed, here.clock.now())
    here.sign_and_append("mandate", subject, fields)
    here.publish()


def _part(times: list[float], part: int) -> float:
    """The *part*-th percentile."""
    return sorted(times)[len(times) * part // 100]


def _times_ms(once: Callable[[], None], clock: Callable[[], float] = time.perf_counter) -> list[float]:
    times = []
    for _ in range(ASKS):
        began = clock()
        once()
        times.append((clock() - began) * 1_000)
    return times


def _synced(path: Path) -> Callable[[], None]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def once() -> None:
        os.write(descriptor, b"x" * 1_000)
        os.fdatasync(descriptor)

    return once


if __name__ == "__main__":
    from benchmarks.table import table

    sys.stdout.write(table(run()) + "\n")
