"""A run of a plan: in the order of the draw, batch after batch, each written down before the next begins.

* Same plan, seed, subject and data: same counts, and the same outcome of each instance, however often it was cut off.
* The journal is one line a batch; a last line that is not whole is done again. A journal of another plan, seed or
  environment is not gone on with.
* Memory is bounded by a batch and a row for each instance.
* An instance without an answer, or with NaN for one, counts against the subject: errors never pass. Many in a row end
  the run.
"""

from __future__ import annotations

import importlib.util
import json
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword import __version__
from watchword.chance import interval_text
from watchword.errors import WatchwordError
from watchword.evaluate import attacks, blackbox, edits
from watchword.evaluate.attacks import Batch, Outcome
from watchword.evaluate.draw import order
from watchword.evaluate.ensemble import PER_CLASS, ensemble
from watchword.evaluate.fab import fab
from watchword.evaluate.libraries import verify_offered, version_of
from watchword.evaluate.plan import OF_ARRAYS, BadPlan, Plan
from watchword.evaluate.samples import Samples
from watchword.evaluate.subjects import Asked, SubjectTrouble
from watchword.limits import (
    EDIT_CANDIDATES_MAX,
    EVALUATION_BATCH,
    EVALUATION_EXAMPLE_NUMBERS_MAX,
    EVALUATION_EXAMPLES_MAX,
    EVALUATION_TROUBLE_MAX,
)
from watchword.statements.canonical import canonical
from watchword.statements.digests import DJ
from watchword.statements.evaluations import counted

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

FORMAT = "watchword-evaluation/1"
JOURNAL = "watchword-journal/1"
Progress = Callable[[str, int, int], None]
Open = Callable[[], Asked]


class BadJournal(WatchwordError):
    """A journal that belongs to another run."""


@dataclass(frozen=True)
class Row:
    """One instance: was it right before, did it fall, to what, after how many questions; why there was no answer."""

    index: int
    name: str
    label: str
    right: bool
    fell: bool
    by: str = ""
    queries: int = 0
    error: str = ""

    def value(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value != "" or name in ("name", "label")}


@dataclass
class Done:
    """What a run has so far. ``clean``: of how many instances it was asked what the subject says without an attack."""

    rows: list[Row] = field(default_factory=list)
    clean_asked: int = 0
    clean_right: int = 0
    notes: dict[str, float] = field(default_factory=dict)
    examples: list[dict[str, Any]] = field(default_factory=list)
    cpu_s: float = 0.0
    place: int = 0

    def add(self, line: dict[str, Any]) -> None:
        """Take in a line of the journal."""
        self.rows += [Row(**one) for one in line["rows"]]
        self.clean_asked += line["clean_asked"]
        self.clean_right += line["clean_right"]
        self.place = line["place"]
        self.cpu_s += line["cpu_s"]
        for name, value in line["notes"].items():
            self.notes[name] = self.notes.get(name, 0.0) + value
        self.examples = (self.examples + line["examples"])[:EVALUATION_EXAMPLES_MAX]


@dataclass(frozen=True)
class Result:
    """What a run found. ``k`` of ``n`` as the plan's metric counts them, with the interval as decimal text."""

    plan: Plan
    seed: str
    done: Done
    environment: dict[str, str]
    attempts: tuple[str, ...]
    flags: tuple[str, ...] = ()
    curve: tuple[tuple[str, int, int], ...] = ()

    @property
    def n(self) -> int:
        return len(self.done.rows)

    @property
    def k(self) -> int:
        fell = sum(row.fell for row in self.done.rows)
        return fell if self.plan.counts_failures else self.n - fell

    @property
    def errors(self) -> int:
        return sum(bool(row.error) for row in self.done.rows)

    @property
    def interval(self) -> tuple[str, str]:
        return interval_text(self.k, self.n)

    def told(self) -> str:
        """The outcome in words, with what was wanted."""
        low, high = self.interval
        said = {"metric": self.plan.metric.name, "k": self.k, "n": self.n, "low": low, "high": high}
        wanted = "at most" if self.plan.counts_failures else "at least"
        return f"{counted(said)}, wanted {wanted} {self.plan.metric.threshold}"

    @property
    def meets(self) -> bool:
        """Whether the whole interval is on the good side of the plan's threshold."""
        low, high = (float(one) for one in self.interval)
        threshold = float(self.plan.metric.threshold)
        return high <= threshold if self.plan.counts_failures else low >= threshold

    @property
    def environment_digest(self) -> str:
        return DJ(self.environment)

    def by_label(self) -> dict[str, tuple[int, int]]:
        """Of each label, how many fell of how many."""
        found: dict[str, tuple[int, int]] = {}
        for row in self.done.rows:
            fell, all_of_it = found.get(row.label, (0, 0))
            found[row.label] = fell + row.fell, all_of_it + 1
        return dict(sorted(found.items()))

    def value(self) -> dict[str, Any]:
        """The whole run as JSON data: what is attached to its statement. Numbers with a fraction are text."""
        low, high = self.interval
        return {
            "format": FORMAT, "plan": self.plan.value(), "seed": self.seed, "n": self.n, "k": self.k, "low": low,
            "high": high, "errors": self.errors, "clean": {"n": self.done.clean_asked, "k": self.done.clean_right},
            "flags": list(self.flags), "findings": list(self.attempts), "environment": self.environment,
            "cpu_s": f"{self.done.cpu_s:.2f}", "by_label": {name: list(of) for name, of in self.by_label().items()},
            "curve": [{"eps": eps, "k": k, "n": n} for eps, k, n in self.curve],
            "rows": [row.value() for row in self.done.rows], "examples": self.done.examples,
        }  # fmt: skip

    def encoded(self) -> bytes:
        return canonical(self.value())


def run(
    plan: Plan, seed: str, samples: Samples, opened: Open, journal: Path | None = None, progress: Progress | None = None
) -> Result:
    """Run *plan* under *seed*, or go on with what the journal holds.

    Args:
        opened: makes the subject; called again where it broke off.
        journal: where each batch is written down; None keeps nothing.

    Raises:
        SubjectTrouble: the subject cannot be loaded, or gives no answer any more; what was done stays in the journal.
        BadJournal, BadPlan, BadEdits, OSError.
    """
    from watchword.evaluate.flags import curve, flags

    verify_runnable(plan, samples)
    library = plan.attack.library
    worker = _Worker(plan, seed, samples, opened)
    try:
        subject = worker.subject
        environment = subject.environment | {"watchword": __version__}
        if library != "watchword":
            environment[library] = version_of(library) or ""
        kept = _Journal(journal, {"format": JOURNAL, "plan": plan.digest, "seed": seed, "environment": environment})
        done = Done()
        for line in kept.lines:
            done.add(line)
        taken = order(seed, len(samples))
        while len(done.rows) < plan.n and done.place < len(taken):
            part = taken[done.place : done.place + EVALUATION_BATCH]
            line = worker.batch(part, done.place, plan.n - len(done.rows))
            kept.add(line)
            done.add(line)
            if progress is not None:
                progress(plan.name, len(done.rows), plan.n)
        probe = [row for row in done.rows if row.right and not row.error]
        raised = flags(plan, seed, samples, worker.subject, done, probe)
        points = curve(plan, seed, samples, worker.subject, probe, done)
        return Result(plan, seed, done, environment, tuple(worker.attempts()), raised, points)
    finally:
        worker.subject.close()


def verify_runnable(plan: Plan, samples: Samples) -> None:
    """That *plan* can run here on these samples, whatever the subject.

    Raises:
        BadPlan, NotOffered: what is missing.
    """
    if importlib.util.find_spec("numpy") is None:
        raise BadPlan(f"plan {plan.name}: numpy is not installed here", "pip install 'watchword[evaluate]'")
    if len(samples) < plan.n:
        raise BadPlan(f"plan {plan.name}: asks for {plan.n:,} instances, and the data has {len(samples):,}")
    if plan.attack.library != "watchword":
        verify_offered(plan.attack.library, plan)


class _Journal:
    """Lines of JSON, each durable when it is added."""

    def __init__(self, path: Path | None, head: dict[str, Any]) -> None:
        self.path, self.lines = path, []
        if path is None:
            return
        if not path.exists() or not (kept := path.read_bytes().split(b"\n"))[0]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(canonical(head) + b"\n")
            return
        if json.loads(kept[0]) != head:
            raise BadJournal(
                f"{path}: begun under another plan, seed or environment", "move it away, and the run begins anew"
            )
        whole: list[Any] = []
        for line in kept[1:-1]:  # what follows the last line end was cut off
            whole.append(json.loads(line))
        self.lines = whole
        path.write_bytes(b"".join(line + b"\n" for line in kept[:-1]))

    def add(self, line: dict[str, Any]) -> None:
        if self.path is not None:
            with self.path.open("ab") as file:
                file.write(json.dumps(line).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())


class _Worker:
    """Runs batches; opens the subject again where it broke off."""

    def __init__(self, plan: Plan, seed: str, samples: Samples, opened: Open) -> None:
        self.plan, self.seed, self.samples, self.opened = plan, seed, samples, opened
        self.trouble = 0
        self.tried: list[str] = []
        self.set = edits.edit_set(plan) if plan.attack.name in ("edits", "sponge") else None
        self.subject = opened()

    def attempts(self) -> list[str]:
        return sorted(set(self.tried + self.subject.attempts))

    def batch(self, indices: list[int], place: int, most: int) -> dict[str, Any]:
        """The journal's line for a batch: as many instances of it as are still to be attacked."""
        begun, of_subject = time.process_time(), self.subject.cpu_s
        rows: list[Row] = []
        notes: dict[str, float] = {}
        examples: list[dict[str, Any]] = []
        asked = right = used = 0
        try:
            parts: Iterable[Done] = [self._attacked(indices, most)]
        except SubjectTrouble as error:
            parts = self._singly(indices, most, error)
        for part in parts:
            rows += part.rows
            asked, right, used = asked + part.clean_asked, right + part.clean_right, used + part.place
            examples += part.examples
            for name, value in part.notes.items():
                notes[name] = notes.get(name, 0.0) + value
        spent = time.process_time() - begun + max(0.0, self.subject.cpu_s - of_subject)
        return {
            "rows": [vars(row) for row in rows], "clean_asked": asked, "clean_right": right, "place": place + used,
            "notes": notes, "examples": examples[:EVALUATION_EXAMPLES_MAX], "cpu_s": spent,
        }  # fmt: skip

    def _singly(self, indices: list[int], most: int, first: SubjectTrouble) -> Iterable[Done]:
        """After trouble with a batch: one by one, so that it falls on the instances that make it."""
        self._again(first)
        for index in indices:
            if most <= 0:
                return
            try:
                part = self._attacked([index], most)
                self.trouble = 0
            except SubjectTrouble as error:
                self.trouble += 1
                if self.trouble >= EVALUATION_TROUBLE_MAX:
                    raise
                self._again(error)
                _, label, _ = self.samples[index]
                row = Row(index, self.samples.name(index), str(label), False, True, error=error.message[:300])
                part = Done([row], 1, 0, place=1)
            most -= len(part.rows)
            yield part

    def _again(self, error: SubjectTrouble) -> None:
        self.tried += self.subject.attempts
        self.subject.close()
        try:
            self.subject = self.opened()
        except SubjectTrouble as again:
            raise again from error

    def _attacked(self, indices: list[int], most: int) -> Done:
        return (self._arrays if self.plan.attack.name in OF_ARRAYS else self._items)(indices, most)

    def _arrays(self, indices: list[int], most: int) -> Done:
        import numpy

        if self.samples.x is None or self.samples.y is None:
            raise BadPlan(f"plan {self.plan.name}: {self.plan.attack.name} needs arrays")
        x, y = self.samples.x[indices], self.samples.y[indices]
        scores = self.subject.scores(x)
        if int(y.max()) >= scores.shape[1] or int(y.min()) < 0:
            raise BadPlan(f"plan {self.plan.name}: classes to {int(y.max())}, and {scores.shape[1]} scores")
        right = ~attacks.is_wrong(scores, y)
        chosen = numpy.flatnonzero(right) if self.plan.data.select == "right" else numpy.arange(len(x))
        chosen = chosen[:most]
        used = len(indices) if len(chosen) < most else int(chosen[-1]) + 1
        batch = Batch([indices[one] for one in chosen.tolist()], x[chosen], y[chosen])
        outcome = attacks.begin(batch)
        outcome.take(~right[chosen], batch.x, "already wrong")
        for again in range(self.plan.seeds):
            attack_arrays(self.subject, outcome, self.plan, self.seed if not again else f"{self.seed}/{again}")
        nan = float((~numpy.isfinite(scores)).any(axis=1).sum())
        rows = [
            Row(index, self.samples.name(index), str(int(of)), bool(right[at]), bool(outcome.fell[place]),
                outcome.by[place], int(outcome.queries[place]))
            for place, (index, of, at) in enumerate(zip(batch.indices, batch.y, chosen.tolist(), strict=True))
        ]  # fmt: skip
        notes = outcome.notes | ({"nan": nan} if nan else {})
        return Done(rows, used, int(right[:used].sum()), notes, _pictures(outcome, right[chosen]), place=used)

    def _items(self, indices: list[int], most: int) -> Done:
        items = [self.samples.items[index] for index in indices]
        said = self.subject.labels(items)
        right = [label == self.samples.labels[index] for label, index in zip(said, indices, strict=True)]
        made: list[Row] = []
        examples: list[dict[str, Any]] = []
        used = 0
        for index, item, was in zip(indices, items, right, strict=True):
            if len(made) >= most:
                break
            used += 1
            if was or self.plan.data.select == "all":
                row, found = self._one(index, item, was)
                made.append(row)
                if found is not None and was and len(examples) < EVALUATION_EXAMPLES_MAX:
                    examples.append({"name": row.name, "label": row.label, "by": row.by, "before": _text(item),
                                     "after": _text(found)})  # fmt: skip
        return Done(made, used, sum(right[:used]), {}, examples, place=used)

    def _one(self, index: int, item: edits.Item, was: bool) -> tuple[Row, edits.Item | None]:
        """Edit one text or file until the subject says what the attacker wanted, or the budget is used up."""
        if self.set is None:
            raise BadPlan(f"plan {self.plan.name}: {self.plan.attack.name} needs a set of edits")
        name, label = self.samples.name(index), self.samples.labels[index]
        if not was and self.plan.attack.name == "edits":
            return Row(index, name, label, was, True, "already wrong"), None
        if self.plan.attack.name == "sponge":
            found, asked, times = edits.slowed(self.subject, self.set, self.plan, item, self.seed, index)
            return Row(index, name, label, was, found is not None, f"{times:.0f} times the cost", asked), found
        budget, asked = self.plan.threat.queries or EDIT_CANDIDATES_MAX, 0
        for again in range(self.plan.seeds):
            for made in edits.candidates(self.set, item, f"{self.seed}/{again}" if again else self.seed, index):
                if asked >= budget:
                    break
                asked += 1
                (answer,) = self.subject.labels([made])
                if edits.succeeded(self.plan, answer, label):
                    return Row(index, name, label, was, True, answer[:100], asked), made
        return Row(index, name, label, was, False, "", asked), None


def attack_arrays(subject: Asked, outcome: Outcome, plan: Plan, seed: str) -> None:
    """Attack what still stands of a batch with the plan's attack."""
    name = plan.attack.name
    if plan.attack.library != "watchword":
        _with_library(subject, outcome, plan, seed)
    elif name == "pgd":
        attacks.pgd(subject, outcome, plan, seed)
    elif name in ("apgd-ce", "apgd-dlr"):
        attacks.apgd(subject, outcome, plan, seed, name.removeprefix("apgd-"))
    elif name == "ensemble":
        ensemble(subject, outcome, plan, seed)
    elif name == "fab":
        for target in range(plan.number("targets", PER_CLASS)):
            fab(subject, outcome, plan, seed, target)
    else:
        made = {"square": blackbox.square, "hopskipjump": blackbox.hopskipjump, "noise": blackbox.noise}
        made.get(name, blackbox.corruption)(subject, outcome, plan, seed)


def _with_library(subject: Asked, outcome: Outcome, plan: Plan, seed: str) -> None:
    batch, (low, high) = outcome.batch.only(~outcome.fell), attacks.bounds(plan)
    if not len(batch.x):
        return
    how = {
        "name": plan.attack.name, "library": plan.attack.library, "norm": plan.threat.norm, "eps": plan.eps,
        "steps": plan.number("steps", 40), "step": plan.decimal("step", f"{plan.eps / 4:f}"), "low": low, "high": high,
        "seed": int(DJ([seed, batch.indices])[7:15], 16),
    }  # fmt: skip
    made = subject.library(batch.x, batch.y, how)
    # What another tool made is held to the same bounds as ours.
    made = attacks.project(made, batch.x, plan.eps, plan.threat.norm or "Linf", low, high)
    outcome.queries[~outcome.fell] += plan.number("steps", 40)
    outcome.take(attacks.is_wrong(subject.scores(made), batch.y), made, f"{plan.attack.library} {plan.attack.name}")


def _pictures(outcome: Outcome, right: Array) -> list[dict[str, Any]]:
    found = []
    for place in (outcome.fell & right).nonzero()[0][:EVALUATION_EXAMPLES_MAX].tolist():
        before, after = outcome.batch.x[place], outcome.found[place]
        if before.size <= EVALUATION_EXAMPLE_NUMBERS_MAX:
            found.append(
                {
                    "name": str(outcome.batch.indices[place]), "label": str(int(outcome.batch.y[place])),
                    "by": outcome.by[place], "shape": list(before.shape),
                    "before": [f"{one:.3f}" for one in before.ravel().tolist()],
                    "after": [f"{one:.3f}" for one in after.ravel().tolist()],
                }
            )  # fmt: skip
    return found


def _text(item: edits.Item) -> str:
    text = item.decode("utf-8", "replace") if isinstance(item, bytes) else item
    return text if len(text) <= 2000 else f"{text[:1000]}\n…\n{text[-1000:]}"
