"""Where a skip counts as a failure: in CI, and wherever ``WATCHWORD_NO_SKIP=1``. And what holds for every property.

A check that did not run is not a check that passed. On a person's machine a test may be skipped, by name and with
its reason, because others' vectors are not there; in CI they are. ``WATCHWORD_NO_SKIP=0`` allows skips even there.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

# No property depends on how busy the machine is. A fixture made once for all examples is meant so.
settings.register_profile(
    "watchword", settings(), deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
settings.load_profile("watchword")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background of a shell, a process ignores Ctrl-C, and so would every command that a test interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

SKIPS_FAIL = os.environ.get("WATCHWORD_NO_SKIP", "1" if os.environ.get("CI") == "true" else "0") == "1"


def _failed_if_skipped(report: Report) -> Report:
    # An expected failure reports itself as skipped too, but it did run, unless it was marked `run=False`.
    expected = getattr(report, "wasxfail", "[NOTRUN]")
    if SKIPS_FAIL and report.skipped and "[NOTRUN]" in expected:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"a skip is a failure here: {report.nodeid}: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _failed_if_skipped((yield))


# The outermost wrapper, so that nothing after it sees the skip: a module may skip itself while it is imported.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _failed_if_skipped((yield))
