"""A plan: all that could be chosen to one's liking, fixed before the run (docs/protocol.md, section 12).

* Written in TOML, kept as a canonical object; its digest is what everybody speaks of. Numbers with a fraction are text,
  since no two languages agree about floats.
* The threat model is typed: goal, knowledge, capability (a norm with eps and units, or a set of edits), query budget,
  whether the attacker adapts to the subject.
* ``lint`` says what a plan cannot show, before anybody pays for the run. It does not refuse: only ``parse`` does.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from watchword.chance import interval_text, least_n, plain
from watchword.errors import WatchwordError
from watchword.limits import EVALUATION_INSTANCES_MAX, EVALUATION_PLAN_BYTES_MAX, EVALUATION_SEEDS_MAX
from watchword.statements.digests import DJ
from watchword.statements.fields import Decimal as DecimalText
from watchword.statements.fields import Digest, Strict, Text

FORMAT = "watchword-plan/1"
WHITE_BOX = frozenset({"pgd", "apgd-ce", "apgd-dlr", "fab", "ensemble"})
BLACK_BOX = frozenset({"square", "hopskipjump"})
OF_ARRAYS = WHITE_BOX | BLACK_BOX | {"noise", "corruption"}
OF_TEXTS = frozenset({"edits", "sponge"})

Number = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Word = Annotated[str, Meta(min_length=1, max_length=200)]


class BadPlan(WatchwordError):
    """A plan that is not of the form of section 12."""


class SubjectOf(Strict, frozen=True, kw_only=True):
    """What is evaluated: a release, and how it is asked. ``entry``: the file of the model or factory, or the
    model that a request names. ``harness``: a Python file beside the release
    that does what comes before and after the model; its factory is given the release's path. ``scale``, ``offset``: x
    is given to it as x * scale + offset. All of it is part of the claim."""

    release: Digest
    interface: Literal["onnx", "python", "chat", "open-inference"]
    entry: Text
    harness: Digest | None
    shape: Annotated[list[Number], Meta(max_length=4)] | None
    scale: DecimalText | None
    offset: DecimalText | None
    prompt: Text | None


class DataOf(Strict, frozen=True, kw_only=True):
    """The data by digest. ``select``: all instances, or those that the subject gets right before the attack."""

    digest: Digest
    form: Literal["arrays", "texts", "files"]
    select: Literal["all", "right"]
    rule: Text


class ThreatOf(Strict, frozen=True, kw_only=True):
    """Against whom. ``eps`` in ``units``, of ``norm``; or ``edits``, the name of a set of edits. ``queries``: how often
    the attacker may ask about one instance; null without bound."""

    goal: Word
    knowledge: Literal["white box", "grey box", "black box"]
    norm: Literal["Linf", "L2"] | None
    eps: DecimalText | None
    units: Text | None
    edits: Word | None
    queries: Number | None
    adaptive: bool


class AttackOf(Strict, frozen=True, kw_only=True):
    """With what. ``library``: ``watchword``, or one that is installed beside it. ``set``: the edits themselves, where
    they are not those that come with watchword."""

    name: Word
    library: Word
    parameters: dict[Word, Number | bool | Text | list[Text]]
    set: dict[str, Any] | None


class MetricOf(Strict, frozen=True, kw_only=True):
    """What is counted, and what would be too much. ``attack-success-rate``: of instances that were right before the
    attack, at most ``threshold`` may fall. ``robust-accuracy``: of all, at least ``threshold`` must be right after
    it."""

    name: Literal["attack-success-rate", "robust-accuracy"]
    threshold: DecimalText
    estimand: Literal["this set", "the population"]


class Plan(Strict, frozen=True, kw_only=True):
    """The whole plan. ``n``: how many instances are attacked. ``seeds``: how often each, with fresh randomness; one
    success is a success. ``curve``: further eps, for a picture; they are not part of the claim."""

    format: Literal["watchword-plan/1"]
    name: Word
    subject: SubjectOf
    data: DataOf
    threat: ThreatOf
    attack: AttackOf
    metric: MetricOf
    n: Annotated[int, Meta(ge=1, le=EVALUATION_INSTANCES_MAX)]
    seeds: Annotated[int, Meta(ge=1, le=EVALUATION_SEEDS_MAX)]
    curve: Annotated[list[DecimalText], Meta(max_length=20)]

    def value(self) -> dict[str, Any]:
        """The plan as the object whose digest names it."""
        made: dict[str, Any] = msgspec.to_builtins(self)
        return made

    @property
    def digest(self) -> str:
        return DJ(self.value())

    @property
    def eps(self) -> float:
        return float(self.threat.eps or 0)

    @property
    def counts_failures(self) -> bool:
        """Whether k counts what fell (attack-success-rate), not what stood."""
        return self.metric.name == "attack-success-rate"

    def number(self, name: str, default: int) -> int:
        """A whole number among the attack's parameters.

        Raises:
            BadPlan: it is something else.
        """
        found = self.attack.parameters.get(name, default)
        if isinstance(found, bool) or not isinstance(found, int):
            raise BadPlan(f"plan {self.name}: {name} of the attack is no whole number")
        return found

    def decimal(self, name: str, default: str) -> float:
        """A number with a fraction among the attack's parameters. Raises BadPlan where it is something else."""
        found = self.attack.parameters.get(name, default)
        try:
            return float(msgspec.convert(found, DecimalText))
        except msgspec.ValidationError as error:
            raise BadPlan(f"plan {self.name}: {name} of the attack is no decimal text", 'write it as "0.1"') from error

    def method(self) -> str:
        """The attack in one line, as a statement names it: two runs of one method can be compared."""
        given = ", ".join(f"{name} {_shown(value)}" for name, value in sorted(self.attack.parameters.items()))
        again = f", {self.seeds} times" if self.seeds > 1 else ""
        return f"{self.attack.name}{f' ({given})' if given else ''}{again}"

    def capability(self) -> str:
        """What the attacker may do, in one line."""
        threat = self.threat
        may = f"{threat.norm} {threat.eps} {threat.units}" if threat.norm else f"edits: {threat.edits}"
        asks = "any number of" if threat.queries is None else f"at most {threat.queries:,}"
        return f"{may}; {asks} queries; {'adaptive' if threat.adaptive else 'not adaptive'}"


def parse_toml(
    data: bytes, name: str, release: str | None = None, digest: str | None = None, harness: str | None = None
) -> Plan:
    """Read a plan as people write it; what may be null may be left out.

    Args:
        release, digest, harness: of the subject, the data and the harness at hand: filled in where the plan leaves
            them out.

    Raises:
        BadPlan: not TOML, or not a plan; names what.
    """
    if len(data) > EVALUATION_PLAN_BYTES_MAX:
        raise BadPlan(f"{name}: larger than {EVALUATION_PLAN_BYTES_MAX:,} bytes")
    try:
        value = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise BadPlan(f"{name}: not TOML: {error}") from error
    filled: dict[str, Any] = {"format": FORMAT, "seeds": 1, "curve": []} | value
    for part, kind in (("subject", SubjectOf), ("threat", ThreatOf), ("attack", AttackOf)):
        if isinstance(filled.get(part), dict):
            filled[part] = _defaults(kind) | filled[part]
    at_hand = (("subject", "release", release), ("subject", "harness", harness), ("data", "digest", digest))
    for part, field, known in at_hand:
        if known is not None and isinstance(filled.get(part), dict) and filled[part].get(field) is None:
            filled[part] = filled[part] | {field: known}
    return parse(filled, name)


def parse(value: Any, name: str) -> Plan:
    """Read a plan's object.

    Raises:
        BadPlan: a field missing, unknown, of another type, or one that contradicts another.
    """
    try:
        plan = msgspec.convert(value, Plan, strict=True)
    except msgspec.ValidationError as error:
        hints = (
            ("float", 'a number with a fraction is text: eps = "0.1"'),
            ("`release` - at `$.subject`", "--subject PATH fills it in; of an endpoint it is what was pinned"),
            ("`digest` - at `$.data`", "--data PATH fills it in"),
        )
        hint = next((hint for part, hint in hints if part in str(error)), "docs/howto/evaluate.md has plans that work")
        raise BadPlan(f"{name}: {error}", hint) from error
    threat, attack, wrong = plan.threat, plan.attack.name, ""
    if attack not in OF_ARRAYS | OF_TEXTS:
        wrong = f"no attack {attack!r}; there are {', '.join(sorted(OF_ARRAYS | OF_TEXTS))}"
    elif (threat.norm is None) != (threat.eps is None) or (threat.eps is None) != (threat.units is None):
        wrong = "norm, eps and units go together"
    elif (threat.norm is None) == (threat.edits is None):
        wrong = "a capability is either a norm with eps and units, or edits"
    elif attack in OF_ARRAYS - {"corruption"} and threat.norm is None:
        wrong = f"{attack} needs a norm with eps and units"
    elif attack in OF_TEXTS | {"corruption"} and threat.edits is None:
        wrong = f"{attack} needs a set of edits"
    elif attack in OF_ARRAYS and plan.data.form != "arrays":
        wrong = f"{attack} is for arrays, not {plan.data.form}"
    elif attack == "edits" and plan.data.form == "arrays":
        wrong = "edits are for texts and files"
    elif plan.subject.harness is not None and plan.subject.interface != "python":
        wrong = "a harness is a Python subject's"
    elif not 0 < Decimal(plan.metric.threshold) < 1:
        wrong = "the threshold is a rate between 0 and 1"
    elif threat.eps is not None and not 0 < Decimal(threat.eps) < 2**31:
        wrong = "eps is above 0"
    elif any(not 0 <= Decimal(one) < 2**31 for one in plan.curve):
        wrong = "an eps of the curve is not below 0"
    if wrong:
        raise BadPlan(f"{name}: {wrong}", "docs/howto/evaluate.md has plans that work")
    return plan


@dataclass(frozen=True)
class Concern:
    """What a plan cannot show, or leaves open."""

    id: str
    text: str


def lint(plan: Plan) -> list[Concern]:  # long: one concern after the other
    """What in *plan* cannot work, or will not convince anybody."""
    found: list[Concern] = []
    threat, attack, threshold = plan.threat, plan.attack.name, Decimal(plan.metric.threshold)

    def say(id: str, text: str) -> None:
        found.append(Concern(id, text))

    allowed = threshold if plan.counts_failures else 1 - threshold
    need = least_n(float(allowed))
    if plan.n < need:
        best = interval_text(0, plan.n)[1] if plan.counts_failures else interval_text(plan.n, plan.n)[0]
        seen, shows = (0, "still allows") if plan.counts_failures else (plan.n, "shows only")
        what = f"{seen} of {plan.n} {shows} {best}, and the threshold is {plain(threshold)}"
        say("n-too-small", f"{what}: it takes {need}")
    if attack in WHITE_BOX and threat.knowledge == "black box":
        say("knowledge", f"{attack} uses gradients, which an attacker in a black box does not have")
    if attack in BLACK_BOX | OF_TEXTS and threat.queries is None:
        say("no-budget", "how often the attacker may ask is not said: two runs would measure different things")
    if attack in {"noise", "corruption"} and threat.adaptive:
        say("adaptive", f"{attack} does not adapt to the subject")
    if attack == "noise":
        say("weak", "random noise is no attack: it shows what happens without one")
    if attack == "pgd" and plan.number("steps", 40) < 20:
        say("weak", f"{plan.number('steps', 40)} steps: fewer than 20 often miss what is there")
    if attack == "hopskipjump" and (threat.queries or 0) < 2500:
        say("weak", "decisions alone, in few queries: a subject may look far more robust than it is")
    if plan.metric.name == "robust-accuracy" and attack in (WHITE_BOX | BLACK_BOX) - {"ensemble"}:
        say("one-attack", "robust accuracy under one attack is an upper bound that another attack lowers; see ensemble")
    if plan.metric.name == "robust-accuracy" and plan.data.select == "right":
        say("selection", "what the subject gets wrong anyway is left out: that is no accuracy")
    if plan.subject.interface in ("chat", "open-inference") and attack in WHITE_BOX:
        say("no-gradients", f"{plan.subject.interface} gives no gradients")
    return found


def _defaults(kind: type[Strict]) -> dict[str, Any]:
    """Null, or the plainest value, for what TOML may leave out."""
    by_kind: dict[type[Strict], dict[str, Any]] = {
        SubjectOf: dict.fromkeys(("harness", "shape", "scale", "offset", "prompt")),
        ThreatOf: {**dict.fromkeys(("norm", "eps", "units", "edits", "queries")), "adaptive": False},
        AttackOf: {"library": "watchword", "parameters": {}, "set": None},
    }
    return by_kind[kind]


def _shown(value: Any) -> str:
    return "/".join(value) if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else str(value)
