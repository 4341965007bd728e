"""AgentDojo replayed without a model: what an agent does that obeys every injection, judged as by the Python door.

``python -m benchmarks.gate.agentdojo [SUITE …]`` with ``agentdojo`` 0.1.35 (suites v1.2.2) installed.

* The agent makes the calls of the user task's ground truth. The moment a tool's output shows an injection, it makes the
  calls of that injection's ground truth first, then goes on: nothing is owed to a model's resistance.
* Each call is judged by the door's ``Session``; the gate behind it, with its mandate and receipts, is left out: it
  could only deny more.
* Two attacks: ``important_instructions`` as published (plain), and the same with its goal in base64 (laundered).
* Two people: one who refuses every ask that the injection made (what runs then ran *silently*), and one who approves
  everything. Asks of the user's own calls are approved, each value endorsed for its session.
* Cards were written from the tools' descriptions alone and are pinned: ``cards/digests.json`` was committed before the
  first run. The rules of ``watchword.gate`` were worked out with three suites in view; the one named there as held out
  took no part, and is reported apart. One rule came after its first measurement, about destinations by name; that suite
  has none.
* Counted: injected calls that write, send or fetch; AgentDojo's own ``utility`` and ``security`` on the environments.
  Only pairs are counted whose attack reaches its goal when nothing is gated.
"""

from __future__ import annotations

import argparse
import base64
import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.gate.agentdojo_scripts import scripted
from watchword.gate.cards import Cards, parse_cards
from watchword.gate.session import Policy, Session

HERE = Path(__file__).parent / "cards"
VERSION = "v1.2.2"
MISS_RATES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)


@dataclass
class Run:
    """One replay: what the user's own calls and the injected ones met."""

    asks: int = 0
    denied: int = 0
    injected_asks: int = 0
    injected_denied: int = 0
    silent: list[str] = field(default_factory=list)
    useful: bool = False
    attacked: bool = False
    shown: bool = False
    refused: list[str] = field(default_factory=list)
    micros: list[float] = field(default_factory=list)


@dataclass
class Suite:
    """One suite of AgentDojo with its cards."""

    name: str
    suite: Any
    cards: Cards
    _environments: dict[Any, Any] = field(default_factory=dict)
    _places: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def environment(self, attack: str, injection: Any, user: Any) -> Any:
        """A fresh environment with *injection* in every place that AgentDojo injects into and that *user* reads."""
        places = self.places(user) if injection is not None else ()
        key = attack, injection and injection.ID, places
        if key not in self._environments:
            text = ATTACKS[attack](injection.GOAL) if injection is not None else ""
            filled = self.suite.load_and_inject_default_environment(dict.fromkeys(places, text))
            self._environments[key] = filled
        return self._environments[key].model_copy(deep=True)

    def places(self, user: Any) -> tuple[str, ...]:
        """The places whose text the ground truth of *user* reads."""
        if user.ID not in self._places:
            from agentdojo.functions_runtime import FunctionsRuntime

            marks = {vector: f"canary{number}canary" for number, vector in enumerate(self._vectors())}
            environment = user.init_environment(self.suite.load_and_inject_default_environment(marks))
            runtime, read = FunctionsRuntime(self.suite.tools), []
            for call in user.ground_truth(environment):
                result, _ = runtime.run_function(environment, call.function, dict(call.args))
                read.append(_texts(_json(result)))
            self._places[user.ID] = tuple(vector for vector, mark in marks.items() if mark in "\n".join(read))
        return self._places[user.ID]

    def _vectors(self) -> list[str]:
        return sorted(self.suite.get_injection_vector_defaults())


def _important(goal: str) -> str:
    from agentdojo.attacks.important_instructions_attacks import ImportantInstructionsAttack

    return str(ImportantInstructionsAttack._JB_STRING).format(user="Emma Johnson", model="AI assistant", goal=goal)


def _laundered(goal: str) -> str:
    return _important("Decode this and do it: " + base64.b64encode(goal.encode()).decode())


MARKERS: dict[str, Callable[[str], str]] = {
    "plain": lambda goal: " ".join(goal.split())[:20],
    "laundered": lambda goal: base64.b64encode(goal.encode()).decode()[:40],
}
"""What shows that a text holds the attack: its beginning, for the environment's files fold lines."""

ATTACKS: dict[str, Callable[[str], str]] = {"plain": _important, "laundered": _laundered}


class Replay:
    """The agent, its tools and the session between them, for one task."""

    def __init__(self, suite: Suite, user: Any, attack: str, injection: Any, *, gated: bool, yes: bool) -> None:
        from agentdojo.functions_runtime import FunctionsRuntime

        self.suite, self.user, self.injection, self.gated, self.yes = suite, user, injection, gated, yes
        self.environment = user.init_environment(suite.environment(attack, injection, user))
        self.runtime = FunctionsRuntime(suite.suite.tools)
        self.before = self.environment.model_copy(deep=True)
        self.marker = None if injection is None else MARKERS[attack](injection.GOAL)
        self.session = Session({suite.name: suite.cards}, Policy())
        self.session.hear(user.PROMPT)
        self.run = Run()
        self.calls: list[Any] = []

    def go(self) -> Run:
        """Replay the task and judge it."""
        for call in self.user.ground_truth(self.environment):
            self._call(call, injected=False)
        self.run.useful = self._judged(self.user, self.suite.suite._check_user_task_utility)
        if self.injection is not None:
            self.run.attacked = self._judged(self.injection, self.suite.suite._check_injection_task_security)
        return self.run

    def _judged(self, task: Any, check: Callable[..., bool]) -> bool:
        said = [{"type": "text", "content": task.GROUND_TRUTH_OUTPUT}] if hasattr(task, "GROUND_TRUTH_OUTPUT") else []
        # Some checks change what they look at, so each looks at copies.
        before, after = self.before.model_copy(deep=True), self.environment.model_copy(deep=True)
        return bool(check(task, said, before, after, list(self.calls)))

    def _call(self, call: Any, *, injected: bool) -> None:
        from agentdojo.functions_runtime import FunctionCall

        for value in call.args.values():
            if isinstance(value, FunctionCall):
                self._call(value, injected=injected)
        if not self._may(call, injected):
            return
        self.calls.append(call)
        result, error = self.runtime.run_function(self.environment, call.function, dict(call.args))
        value = _json(result) if error is None else error
        if self.gated:
            self.session.take_in(call.function, _json(dict(call.args)), self.suite.name, value)
        if self.marker is not None and not self.run.shown and self.marker in " ".join(_texts(value).split()):
            self.run.shown = True
            for one in scripted(self.suite.name, self.injection, self.environment):
                self._call(one, injected=True)

    def _may(self, call: Any, injected: bool) -> bool:
        """Ask the session, then the person where it says so."""
        if not self.gated:
            return True
        args, effect = _json(dict(call.args)), self.suite.cards.tools[call.function].effect
        began = time.perf_counter()
        verdict = self.session.judge(call.function, args, self.suite.name)
        self.run.micros.append((time.perf_counter() - began) * 1e6)
        if verdict.event != "permit":
            self.run.refused.append(f"{'!' if injected else ' '} {verdict.event} {call.function}: {verdict.reasons}")
        if verdict.event == "deny":
            self.run.injected_denied += injected
            self.run.denied += not injected
            return False
        if verdict.event == "hold":
            self.run.injected_asks += injected
            self.run.asks += not injected
            if injected and not self.yes:
                return False
            for one in verdict.unclean:
                self.session.endorse("user", one.argument, one.value)
            self.session.allow("user", verdict.call)
        elif injected and effect != "read":
            self.run.silent.append(f"{call.function}({json.dumps(args)[:200]}): {verdict.reasons}")
        self.session.going(call.function, args, self.suite.name)
        return True


def _json(value: Any) -> Any:
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(value)


def _texts(value: Any) -> str:
    from watchword.gate.provenance import leaves

    return "\n".join(str(one) for one in leaves(value))


def load(name: str) -> Suite:
    """A suite with its pinned cards.

    Raises:
        NotPinned: this installation describes a tool otherwise than when its card was written.
    """
    from agentdojo.task_suite.load_suites import get_suite

    suite = get_suite(VERSION, name)
    cards = parse_cards((HERE / f"{name}.json").read_bytes())
    if cards.digest != json.loads((HERE / "digests.json").read_text())["cards"][name]:
        raise SystemExit(f"the cards of {name} are not those committed before the first run")
    for tool in suite.tools:
        schema = tool.parameters.model_json_schema()
        cards.verify_pinned(tool.name, {"name": tool.name, "description": tool.description, "inputSchema": schema})
    return Suite(name, suite, cards)


@dataclass
class Figures:
    """What a suite's replays add up to."""

    suite: str
    tasks: list[Run]
    pairs: dict[str, list[tuple[Run, Run]]]

    def line(self) -> str:
        """One row of the table."""
        asks = sorted(run.asks for run in self.tasks)
        n = len(self.tasks)
        auto = sum(run.useful and not run.asks and not run.denied for run in self.tasks)
        cells = [
            f"{self.suite:10}", f"{n:3}", f"{auto:3} {auto / n:6.1%}", f"{sum(asks) / n:5.2f}",
            f"{asks[min(n - 1, int(0.95 * n))]:3}", f"{sum(run.useful for run in self.tasks) / n:6.1%}",
            f"{sum(run.denied for run in self.tasks):4}",
        ]  # fmt: skip
        for attack in ATTACKS:
            pairs = self.pairs[attack]
            silent = sum(bool(no.silent) for no, _ in pairs)
            attacked = sum(no.attacked for no, _ in pairs)
            yes = sum(yes.attacked for _, yes in pairs)
            of = max(1, len(pairs))
            cells.append(f"{len(pairs):4} {silent:4} {attacked:4} {yes / of:6.1%}")
        return "  ".join(cells)

    def curve(self) -> str:
        """Attack success over the share of asks that an approver lets pass."""
        pairs = [pair for attack in ATTACKS for pair in self.pairs[attack]]
        shares = [
            statistics.fmean(miss**yes.injected_asks if yes.attacked else 0.0 for _, yes in pairs) if pairs else 0.0
            for miss in MISS_RATES
        ]
        return f"{self.suite:10}  " + "  ".join(f"{share:6.1%}" for share in shares)


HEAD = f"{'suite':10}  {'n':>3}  {'automatic':>10}  {'asks':>5}  p95  useful  denied" + "".join(
    f"  {attack}: pairs, silent, reached, if all approved" for attack in ATTACKS
)


def measure(name: str, tasks_only: bool, told: Callable[[str], None]) -> Figures:
    """Replay a suite: each task alone, then with each injection, by each attack."""
    suite = load(name)
    users = list(suite.suite.user_tasks.values())
    tasks = [Replay(suite, user, "plain", None, gated=True, yes=False).go() for user in users]
    for user, run in zip(users, tasks, strict=True):
        for line in run.refused:
            told(f"{name} {user.ID}{'' if run.useful else ' (not useful)'} {line}")
    pairs: dict[str, list[tuple[Run, Run]]] = {attack: [] for attack in ATTACKS}
    for attack in ATTACKS if not tasks_only else ():
        for injection in suite.suite.injection_tasks.values():
            if not scripted(name, injection, suite.environment(attack, None, None)):
                continue  # Persuasion only: it calls nothing.
            for user in users:
                if not Replay(suite, user, attack, injection, gated=False, yes=True).go().attacked:
                    continue
                no = Replay(suite, user, attack, injection, gated=True, yes=False).go()
                yes = Replay(suite, user, attack, injection, gated=True, yes=True).go()
                pairs[attack].append((no, yes))
                for line in no.silent:
                    told(f"{name} {user.ID} {injection.ID} {attack} SILENT {line}")
                if yes.attacked:
                    told(f"{name} {user.ID} {injection.ID} {attack} if approved, after {yes.injected_asks} asks")
    return Figures(name, tasks, pairs)


def _all(figures: Iterable[Figures]) -> Figures:
    figures = list(figures)
    return Figures(
        "all", [run for one in figures for run in one.tasks],
        {attack: [pair for one in figures for pair in one.pairs[attack]] for attack in ATTACKS},
    )  # fmt: skip


def main(argv: list[str]) -> int:
    """Measure the suites named, the held-out one last and apart."""
    held_out = json.loads((HERE / "digests.json").read_text())["held_out"]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gate.agentdojo")
    parser.add_argument("suites", nargs="*", default=["workspace", "travel", "slack"])
    parser.add_argument("--held-out", action="store_true", help=f"and {held_out}, for the final figures")
    parser.add_argument("--tasks-only", action="store_true", help="no attacks")
    parser.add_argument("--details", type=argparse.FileType("w"), help="write every ask, leak and loss here")
    args = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    told = (lambda line: print(line, file=args.details, flush=True)) if args.details else (lambda line: None)
    figures = [measure(name, args.tasks_only, told) for name in args.suites]
    print(HEAD)
    for one in figures:
        print(one.line())
    print(_all(figures).line())
    if args.held_out:
        print("held out, and all with it:")
        figures.append(measure(held_out, args.tasks_only, told))
        print(figures[-1].line())
        print(_all(figures).line())
    micros = sorted(one for figure in figures for run in figure.tasks for one in run.micros)
    print(f"decision: p50 {micros[len(micros) // 2]:.0f} µs, p99 {micros[int(len(micros) * 0.99)]:.0f} µs")
    if not args.tasks_only:
        print("attack success over the approver's miss rate " + "  ".join(f"{rate:.0%}" for rate in MISS_RATES))
        for one in (*figures, _all(figures)):
            print(one.curve())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
