"""Counts and times of one process, as Prometheus reads them (extra ``observe``).

* Labels are words of small fixed sets: a route's pattern, a method, a status, an outcome, a class of error. What a
  client sends makes no new series.
* Each process counts for itself; whoever asks adds them up. Figures of a node itself are in ``account.figures``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, ProcessCollector

from watchword import __version__
from watchword.observe.steps import SECONDS, Step, Watcher


class Counts(Watcher):
    """Counts what it is told. ``collect`` gives all of it, for ``prometheus_client``'s writers."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        Info("watchword_build", "What runs here.", registry=self.registry).info({"version": __version__})
        self._requests = self._counter("requests", "Requests answered.", "method", "route", "status")
        self._decisions = self._counter("decisions", "Answers of the gate in this process.", "outcome")
        self._troubles = self._counter("troubles", "What this process could not do, by class.", "error")
        self._forks = self._counter("forks_met", "Contradicting signed heads that this process met.")
        self._request_s = self._histogram("request_seconds", "From a request to its answer's last byte.", "route")
        self._steps = {
            "decision": self._histogram("decision_seconds", "From an action asked to its answer, receipt included."),
            "policy": self._histogram("policy_seconds", "Weighing an action by mandate, caveats and view."),
            "receipt": self._histogram("receipt_durable_seconds", "From a decision made to its receipt on the disk."),
        }
        self._children: dict[tuple[Any, ...], Any] = {}

    def collect(self) -> Iterable[Any]:
        """All families, as a registry gives them."""
        return self.registry.collect()

    def end(self, step: Step) -> None:
        if step.name == "request":
            route = step.facts["route"]
            self._of(self._requests, step.facts["method"], route, str(step.facts["status"])).inc()
            self._of(self._request_s, route).observe(step.took_s)
            return
        times = self._steps.get(step.name)
        if times is not None:
            times.observe(step.took_s)
        if step.name == "decision":
            self._of(self._decisions, step.outcome).inc()

    def trouble(self, kind: str, message: str, step: Step | None) -> None:
        self._of(self._troubles, kind).inc()

    def note(self, event: str, facts: Any, alarm: bool) -> None:
        if event == "fork":
            self._forks.inc()

    def _of(self, family: Any, *labels: Any) -> Any:
        """The series of *labels*, looked up once."""
        key = (family, *labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = family.labels(*labels)
        return child

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"watchword_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(f"watchword_{name}", text, labels, buckets=SECONDS, registry=self.registry)
