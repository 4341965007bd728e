"""Who looks: the machines of a Ray cluster (the extra ``ray``).

The cluster is the one that ``$RAY_ADDRESS`` names, else one that is started on this machine. watchword is installed on
each of its machines, in the same version, and the hubs are reached from there under the same addresses. Ray itself
tries a batch again whose machine went away; nothing is told to Ray's makers.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from watchword.errors import WatchwordError
from watchword.fleet.crew import Batch, Work
from watchword.fleet.looking import look
from watchword.inspect.file import How
from watchword.inspect.inspection import tool

By = Callable[[Any], dict[str, Any]]
"""What all results depend on at the machine that made them: two that differ in it are not one fleet."""

_STARTS = 3
"""How often a cluster of this machine is started: Ray gives up after 30 s, which a busy machine may need."""


class NoRay(WatchwordError):
    """Ray is not installed, or its cluster cannot be reached."""


class OtherInspector(WatchwordError):
    """A machine of the cluster has another version of watchword, or of what it uses: results would not be the same."""


def inspector(how: How) -> dict[str, Any]:
    """Name, version and rules of this machine's inspector."""
    return tool(how.loaded())


class RayCluster:
    """As many batches at once as the cluster has processors, and as many again on their way there."""

    def __init__(self, jobs: int | None, how: Any, work: Work = look, by: By = inspector) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # silences a warning of Ray about its future
        try:
            import ray
        except ImportError as error:
            raise NoRay("--on ray needs the extra `ray`", "pip install 'watchword[ray]'") from error
        _start(ray, jobs)
        self._ray: Any = ray
        self._mine = by(how)
        self._look: Any = self._ray.remote(max_retries=3)(_look)
        self._how, self._work, self._by = ray.put(how), work, by
        self._out: dict[Any, Batch] = {}
        self.size = max(2, 2 * int(self._ray.cluster_resources().get("CPU", 1)))

    def give(self, batch: Batch) -> None:
        self._out[self._look.remote(batch, self._how, self._work, self._by)] = batch

    def taken(self) -> tuple[Batch, list[Any] | None]:
        ready = self._ray.wait(list(self._out), num_returns=1)[0][0]
        batch = self._out.pop(ready)
        try:
            theirs, made = self._ray.get(ready)
        except self._ray.exceptions.RayTaskError as error:
            raise WatchwordError(f"Ray: {error.cause}", "is watchword installed on every machine?") from error
        except self._ray.exceptions.RayError:
            return batch, None
        if isinstance(made, WatchwordError):
            raise made
        if theirs != self._mine:
            words = "a machine of the cluster has another watchword than this one"
            raise OtherInspector(words, "install the same version, with the same plugins, everywhere")
        return batch, made

    def close(self) -> None:
        self._ray.shutdown()


def _start(ray: Any, jobs: int | None) -> None:
    there = bool(os.environ.get("RAY_ADDRESS"))
    for left in reversed(range(1 if there else _STARTS)):
        try:
            ray.init(
                num_cpus=None if there else jobs,
                include_dashboard=None if there else False,
                log_to_driver=False,
                logging_level="ERROR",
            )
            return
        except Exception as error:  # its own are of no common class
            ray.shutdown()
            if not left:
                raise NoRay(f"Ray: {error}", "is RAY_ADDRESS that of a running cluster?") from error


def _look(batch: Batch, how: Any, work: Work, by: By) -> tuple[dict[str, Any], list[Any] | WatchwordError]:
    mine = by(how)
    try:
        return mine, work(batch, how)
    except WatchwordError as error:
        return mine, error  # the one who asked raises it
