"""Steps: who is told of what, and what it costs where nobody is."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

from watchword.errors import WatchwordError
from watchword.ledger.durable import StorageTrouble
from watchword.observe import steps
from watchword.observe.steps import Step, Watcher, as_step, step, traceparent, watching

ABOVE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Kept(Watcher):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.ended: list[Step] = []
        self.troubles: list[tuple[str, str]] = []

    def end(self, step: Step) -> None:
        self.ended.append(step)

    def trouble(self, kind: str, message: str, step: Step | None) -> None:
        self.troubles.append((kind, message))


def test_a_step_within_a_step_is_its_child_and_part_of_its_time() -> None:
    """One trace, the inner told first, its seconds in the outer's parts."""
    kept = Kept()
    with watching(kept), step("request", method="GET"), step("decision") as inner:
        inner.outcome = "denied"
    child, parent = kept.ended
    assert (child.name, child.outcome, child.parent) == ("decision", "denied", parent)
    assert child.trace == parent.trace and len(child.id) == 16 and child.id != parent.id
    assert list(parent.parts) == ["decision"] and 0 < parent.parts["decision"] <= parent.took_s


def test_a_request_goes_on_with_its_callers_trace() -> None:
    """The example of W3C Trace Context, section 3.2: the trace id stays, the parent id is the caller's."""
    kept = Kept()
    with watching(kept), step("request", caused_by=ABOVE) as this:
        sent = traceparent()
    assert (this.trace, this.above) == ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
    assert sent == f"00-4bf92f3577b34da6a3ce929d0e0e4736-{this.id}-01"


@pytest.mark.parametrize(
    "header",
    [
        "", "x", ABOVE.upper(), ABOVE[:-1], f"{ABOVE}-x", f"ff{ABOVE[2:]}", f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01", f"{ABOVE}\n", 'a"}\n{"event":"forged',
    ],
)  # fmt: skip
def test_a_malformed_traceparent_begins_a_new_trace(header: str) -> None:
    """W3C Trace Context, section 3.2.2: what is not well-formed is as if it was not there; nothing of it is told."""
    kept = Kept()
    with watching(kept), step("request", caused_by=header) as this:
        pass
    assert this.above == "" and len(this.trace) == 32 and this.trace not in header


def test_a_later_version_of_the_header_is_read_as_far_as_it_is_known() -> None:
    """W3C Trace Context, section 3.2.4: a higher version may have more behind it."""
    with watching(Kept()), step("request", caused_by=f"01{ABOVE[2:]}-more") as this:
        pass
    assert this.trace == "4bf92f3577b34da6a3ce929d0e0e4736"


def test_an_exception_ends_a_step_as_failed_and_goes_on() -> None:
    """The class of what was raised is told, never its words."""
    kept = Kept()
    with watching(kept), pytest.raises(WatchwordError), step("sync"):
        raise WatchwordError("ann said no")
    (told,) = kept.ended
    assert (told.outcome, told.error) == ("failed", "WatchwordError")


def test_a_step_goes_with_its_context_into_another_thread() -> None:
    """As thread pools of asyncio carry it; a bare thread begins a trace of its own."""
    kept, pool = Kept(), ThreadPoolExecutor(1)
    work = as_step("receipt")(lambda: None)
    with watching(kept), step("decision") as decision:
        pool.submit(copy_context().run, work).result()
        bare = threading.Thread(target=work)
        bare.start()
        bare.join()
    pool.shutdown()
    carried, alone, _ = kept.ended
    assert carried.parent is decision and alone.parent is None and alone.trace != decision.trace


def test_a_function_that_nobody_watches_is_just_called() -> None:
    """No step is made; what it returns and raises is its own."""
    kept = Kept()
    twice = as_step("policy", str)(lambda n: 2 * n)
    assert twice(2) == 4
    with watching(kept):
        assert twice(n=3) == 6
    assert [one.outcome for one in kept.ended] == ["6"]
    assert not steps.watched()


def test_words_of_trouble_are_told_only_where_they_are_about_the_machine(capsys: pytest.CaptureFixture[str]) -> None:
    """A message may quote what somebody wrote. Fails where ``trouble`` passes every message on."""
    kept = Kept()
    with watching(kept):
        steps.trouble(WatchwordError("action of ann: delete mail 7"))
        steps.trouble(StorageTrouble("receipts: no space left on device"))
        steps.trouble(PermissionError(13, "Permission denied", "heads"))
    assert kept.troubles == [
        ("WatchwordError", ""),
        ("StorageTrouble", "receipts: no space left on device"),
        ("PermissionError", "[Errno 13] Permission denied: 'heads'"),
    ]
    # Nobody of them speaks to people, so stderr has all of it, on one line each.
    assert capsys.readouterr().err.splitlines()[0] == "watchword: error: action of ann: delete mail 7"
