"""The requirement table against the Cedar engine: drawn charters, evidence and requests, both asked and compared.

    python -m benchmarks.policy.oracle [CASES [SEED]]

* A *decision* draws evidence, notices and heads, and decides with both (``policy.admission``): they name the same
  verdict and the same rules in the way, or the case is a disagreement.
* A *request* draws the engine's typed context itself, also with an attribute missing, too many, of another type or out
  of range. A plain reading of it, written here, says which rules stand in the way, or that there is no answer; then the
  engine must give none either. The engine's own trap is there: it skips a ``forbid`` that errs.
* Rules reach for what is not there, for what may be null, for every operator and type, and to the limits.

What the cases reached is counted and printed with the lines of ``table`` and ``cedar`` that ran: a comparison says
nothing about what no case touched. A case is known by its seed alone.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

import msgspec

from watchword.charter.charter import Charter, Requirement, parse_charter
from watchword.charter.lint import speakers
from watchword.ledger.view import Fact, Facts, Head, NoticeLeaf, View
from watchword.limits import CEDAR_TEXT_BYTES_MAX, CONDITIONS_MAX, JSON_INTEGER_MAX
from watchword.policy import cedar, table
from watchword.policy.admission import EngineDisagrees, admit
from watchword.policy.cedar import EngineTrouble
from watchword.policy.example import imagined
from watchword.policy.hypothesis import ledger_of
from watchword.policy.pack import read_pack
from watchword.policy.shapes import blank
from watchword.statements.digests import D, blinded, endpoint_digest
from watchword.statements.statement import Signed, Subject, make
from watchword.statements.times import rfc3339

CANARIES = [{"question": D(b"q"), "answer": D(b"a")}]
ENDPOINT: dict[str, Any] = {"supplier": "SUPPLIER", "system": "drawn", "version": "1", "canaries": CANARIES}
RELEASE = Subject("drawn 1", endpoint_digest(ENDPOINT))
"""An endpoint where a statement that says so is considered, else files."""
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECRET = b"s" * 32
PER_CHARTER = 40
"""Cases that one drawn charter is asked: compiling it costs as much as some twenty of them."""
TEXTS = ("in", "on", "out", "x", "office", "0.5", "0.50", "-1", "", 'a"b\\', "\u202e\u00e9\U0001f600", "MEMBER-1")
NUMBERS = (-1, 0, 1, 2, 3, 4, JSON_INTEGER_MAX)
OPS = ("==", "!=", "<", "<=", ">", ">=", "in", "contains", "any", "~")
COUNTS = ("failing", "there", "tools", "waivers")
"""Of a requirement, in a request to the engine."""
FIELDS = {
    "inspection": ("verdict", "dangerous", "files", "tool.name", "report.bytes", "report", "findings", "absent"),
    "evaluation": ("high", "k", "n", "metric", "threat.goal", "data", "method.deep"),
    "review": ("of", "outcome", "report.name"),
    "claim": ("release", "support_until", "supplier_contact"),
    "bill-of-materials": ("base_models", "components", "document.name", "format"),
    "endpoint": ("supplier", "tries", "canaries", "interface"),
}
"""Fields that drawn conditions ask for: also such as may be null, lie inside those, or are not there at all."""
USUAL: dict[str, tuple[tuple[str, Any], ...]] = {
    "verdict": (("==", "nothing-found"), ("in", ["nothing-found", "suspicious"]), ("!=", "dangerous")),
    "dangerous": (("<=", 0), (">", 0), ("<", 2)), "files": ((">=", 1), ("<", JSON_INTEGER_MAX)),
    "tool.name": (("==", "one"), ("in", ["one", "two"])), "report": (("any", None),),
    "high": (("<=", "0.50"), ("<", "0.5"), (">", "-1"), ("==", "0.500"), ("in", ["0.5", "0.05"])),
    "k": (("<=", 2),), "metric": (("==", "x"), ("!=", "")), "of": (("==", "legal"),), "release": (("!=", "x"),),
    "outcome": (("in", ["in favour", "with limits"]), ("!=", "against")), "base_models": (("contains", "x"),),
    "criticality": ((">=", 3), ("<", 1), ("in", [0, 2])), "human": (("==", "out"), ("!=", "on"), ("in", ["in", "x"])),
    "members": (("contains", "MEMBER-1"), ("contains", "x")), "tags": (("contains", "office"), ("contains", 1)),
    "recalls": ((">", 0), (">=", 2)), "against": ((">", 1), ("==", 1)),
}  # fmt: skip
"""Conditions such as charters have: without them nearly everything drawn is refused."""


class Disagreement(AssertionError):
    """The table and the engine answer differently. Says the case."""


class Draw:
    """Draws from one seed."""

    def __init__(self, seed: str) -> None:
        self.chance = random.Random(seed)

    def rules(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Requirements and red lines."""
        rows = [self.row(f"row-{number}") for number in range(self.chance.choice((0, 1, 1, 1, 2, 3, 6)))]
        lines = [self.line(f"line-{number}") for number in range(self.chance.choice((0, 0, 1, 2, 4)))]
        return rows, lines

    def row(self, id: str) -> dict[str, Any]:
        one = self.chance.choice
        kind = one(tuple(FIELDS))
        return {
            "id": id, "text": one(TEXTS), "kind": kind, "count": one((0, 1, 1, 1, 2, 3)),
            "from": one(("member", "supplier", "any", "any", "owner", "nobody")),
            "distinct": one(("operators", "statements")),
            "where": self.conditions(FIELDS[kind], 1), "tools": one((0, 0, 0, 1, 2)),
            "max_age_days": one((None, None, 0, 1, 30)), "bound": self.conditions(FIELDS[kind], 2),
            "when": {"criticality": one((0, 0, 1, 2, 3)), "human": one(([], [], ["in"], ["on", "out"], ["maybe"]))}
            | one(({}, {}, {"release": "files"}, {"release": "endpoint"})),
            "owed_by": "members", "accountable": one(TEXTS), "principle": ["A"], "serves": [],
            "waiver": one((None, None, {"count": one((0, 1, 2)), "role": "official"})),
        }  # fmt: skip

    def line(self, id: str) -> dict[str, Any]:
        fields = (*cedar.RED_LINE_FIELDS, *cedar.RED_LINE_FIELDS, "absent", "human.deep")
        many = CONDITIONS_MAX if self.chance.random() < 0.02 else self.chance.choice((0, 1, 2, 2, 3, 3))
        return {
            "id": id, "text": self.chance.choice(TEXTS), "forbid": self.conditions(fields, many, many),
            "accountable": "official", "principle": ["A"], "serves": [],
            "evidence": self.chance.choice((None, None, self.finding())),
        }  # fmt: skip

    def finding(self) -> dict[str, Any]:
        kind = self.chance.choice(tuple(FIELDS))
        return {"kind": kind, "where": self.conditions(FIELDS[kind], 2)}

    def conditions(self, fields: tuple[str, ...], most: int, least: int = 0) -> list[dict[str, Any]]:
        many = self.chance.randint(least, most)
        return [self.condition(self.chance.choice(fields)) for _ in range(many)]

    def condition(self, field: str) -> dict[str, Any]:
        """Half of them such as people write; the others of any form, also such as is trouble for every object."""
        usual = USUAL.get(field, ())
        if usual and self.chance.random() < 0.6:
            op, value = self.chance.choice(usual)
            return {"field": field, "op": op, "value": value}
        op = self.chance.choice(OPS)
        value = self.value()
        if op == "any" and self.chance.random() < 0.9:
            value = None
        elif op == "in" and self.chance.random() < 0.9:
            value = [self.value() for _ in range(self.chance.randrange(4))]
        return {"field": field, "op": op, "value": value}

    def value(self) -> Any:
        return self.chance.choice((self.chance.choice(TEXTS), self.chance.choice(NUMBERS), True, False, None, 0.5))

    def use_case(self) -> dict[str, Any]:
        one = self.chance.choice
        return {
            "format": "watchword-use-case/1", "name": one(TEXTS[:5]), "purpose": "", "criticality": one((0, 1, 2, 3)),
            "human": one(("in", "on", "out")), "members": self.some(TEXTS[3:]), "owner": one(("MEMBER-1", "nobody")),
            "tags": self.some(TEXTS[3:]),
        }  # fmt: skip

    def some(self, texts: tuple[str, ...]) -> list[str]:
        return [text for text in self.chance.sample(texts, self.chance.choice((0, 0, 1, 2))) if text]


class Stock:
    """Statements and notices to draw worlds from, under one charter's parties. Signed with nothing."""

    def __init__(self, charter: Charter, draw: Draw) -> None:
        self.charter = charter
        self.draw = draw
        self.facts = [self._fact(number, kind) for number, kind in enumerate(sorted(FIELDS) * 10)]
        self.against = {fact.signed.statement.id: self._against(fact) for fact in self.facts}
        self.recalls = [self._bad("recall", f"release:{RELEASE.digest}", number) for number in range(2)]

    def facts_drawn(self) -> Facts:
        """Some of the statements, some notices against them in the ledgers or loose, one that nobody can read."""
        one = self.draw.chance
        leaves: list[NoticeLeaf] = []
        loose: dict[str, Signed] = {}
        facts = one.sample(self.facts, one.choice((0, 2, 5, 9, 14)))
        about = [notice for fact in facts[:3] for notice in self.against[fact.signed.statement.id]]
        bad = (
            one.sample(about, min(len(about), one.choice((0, 0, 0, 1, 3))))
            + self.recalls[: one.choice((0,) * 9 + (2,))]
        )
        for signed in bad:
            if signed.statement.kind == "take-back" or one.random() < 0.5:
                leaves.append(self._leaf(signed, len(leaves)))
            else:
                loose[signed.statement.id] = signed
        if one.random() < 0.05:
            leaves.append(self._leaf(None, len(leaves)))
        return Facts(
            tuple(sorted(facts, key=lambda fact: (fact.origin, fact.index))),
            tuple(sorted(leaves, key=lambda leaf: (leaf.origin, leaf.index))),
            tuple(loose[id] for id in sorted(loose)), SECRET,
        )  # fmt: skip

    def view(self) -> View:
        """Heads of every shared ledger; now and then one is old or missing."""
        heads = {}
        for origin in self.charter.shared_origins:
            age = self.draw.chance.choices((0, 90_000, None), (400, 1, 1))[0]
            if age is not None:
                heads[origin] = Head(1000, b"r" * 32, rfc3339(NOW - timedelta(seconds=age)))
        return View(heads)

    def _fact(self, number: int, kind: str) -> Fact:
        one = self.draw.chance
        holder = one.choice(speakers(self.charter, kind))
        fields = blank(kind) | self._fields(kind)
        made = NOW - timedelta(days=one.choice((0, 0, 1, 5, 40)), seconds=number)
        statement = make(kind, (RELEASE,), fields, issuer=holder.owner, made=made)
        signed = Signed(statement, holder.public.id, b"", b"")
        return Fact(signed, holder, ledger_of(self.charter, holder.owner), number)

    def _fields(self, kind: str) -> dict[str, Any]:
        one = self.draw.chance.choice
        if kind == "inspection":
            tool = {"name": one(("one", "two", "0.5")), "version": "1", "rules": ""}
            verdict = one(("nothing-found", "nothing-found", "suspicious", "dangerous", "unreadable"))
            report = one((None, {"bytes": 3, "commitment": D(b""), "media_type": "", "name": "x"}))
            return {
                "tool": tool, "verdict": verdict, "dangerous": one((0, 0, 0, 1)), "files": one(NUMBERS[1:]),
                "report": report,
            }  # fmt: skip
        if kind == "evaluation":
            return {
                "high": one(("0.05", "0.5", "0.50", "1", "-1")), "k": one(NUMBERS[1:5]), "n": one(NUMBERS[1:]),
                "metric": one(TEXTS), "data": one((None, D(b""))),
                "tool": {"name": one(("one", "two")), "version": "1"},
            }  # fmt: skip
        if kind == "review":
            return {
                "of": one(("legal", "red-team")),
                "outcome": one(("in favour", "in favour", "with limits", "against")),
            }
        if kind == "endpoint":
            return ENDPOINT | {"version": one(("1", "2")), "tries": one((1, 3))}
        if kind == "bill-of-materials":
            return {"base_models": self.draw.some(TEXTS), "format": one(TEXTS)}
        return {"release": one(TEXTS), "support_until": one((None, rfc3339(NOW)))}

    def _against(self, fact: Fact) -> list[Signed]:
        statement = f"statement:{fact.signed.statement.id}"
        retract = self._bad("retract", statement, 0, fact.holder.owner)
        dispute = self._bad("dispute", statement, 0)
        back = [
            self._bad("take-back", statement, n, m.name, dispute.statement.id)
            for n, m in enumerate(self.charter.members)
        ]
        return [
            retract,
            dispute,
            *back[: self.draw.chance.choice((0, 5))],
            self._bad("revoke", f"key:{fact.holder.public.id}", 0),
        ]

    def _bad(self, kind: str, target: str, number: int, owner: str = "", notice: str = "") -> Signed:
        may = [holder for holder in speakers(self.charter, kind) if owner in ("", holder.owner)]
        if kind == "revoke":
            may = [
                h for h in may if h.owner == self.charter.holders[target.removeprefix("key:")].owner and h.job == "root"
            ]
        holder = self.draw.chance.choice(may or speakers(self.charter, kind))
        fields: dict[str, Any] = blank(kind) | {"target": target, "reason": str(number)}
        if notice:
            fields["notice"] = notice
        made = NOW - timedelta(days=self.draw.chance.choice((0, 1, 5)))
        statement = make(kind, (Subject("notice", D(target.encode())),), fields, issuer=holder.owner, made=made)
        return Signed(statement, holder.public.id, b"", b"")

    def _leaf(self, signed: Signed | None, index: int) -> NoticeLeaf:
        name = signed.statement.predicate["target"] if signed is not None else f"release:{RELEASE.digest}"
        holder = None if signed is None else self.charter.holders[signed.key_id]
        member = self.charter.members[0] if holder is None or holder.is_supplier else self.charter.member(holder.owner)
        commitment = bytes([index]) * 32
        return NoticeLeaf(member.origins["notices"], index, blinded(SECRET, name), signed, holder, commitment)


def cases(many: int, seed: int) -> Iterator[tuple[str, Charter, Draw, Stock]]:
    """As many cases as asked, charter by charter. Each is named by its seed, and draws from it alone."""
    standing = read_pack().standing
    parties = imagined([], [], standing)
    stock = Stock(parties, Draw(f"{seed} stock"))
    for number in range(many):
        if number % PER_CHARTER == 0:
            rows, lines = Draw(f"{seed} charter {number}").rules()
            charter = imagined(rows, lines, standing)
            assert charter.members[0].name == parties.members[0].name
        name = f"{seed} case {number}"
        stock.draw = Draw(name)
        yield name, charter, stock.draw, stock


def compare(many: int, seed: int, told: Callable[[int], None] = lambda _: None) -> Counter[str]:
    """Draw *many* cases and compare; what they reached, counted.

    Raises:
        Disagreement: the first case on which the two differ.
    """
    reached: Counter[str] = Counter()
    for number, (name, charter, draw, stock) in enumerate(cases(many, seed)):
        try:
            kind = draw.chance.random()
            if kind < 0.002:
                _at_a_limit(charter, draw, reached)
            elif kind < 0.3:
                _decision(charter, draw, stock, reached)
            else:
                _request(charter, draw, reached)
        except EngineDisagrees as error:
            raise Disagreement(f"case {name!r}: {error.message}") from error
        except AssertionError as error:
            raise Disagreement(f"case {name!r}: {error}") from error
        told(number)
    return reached


def _decision(charter: Charter, draw: Draw, stock: Stock, reached: Counter[str]) -> None:
    stock.charter = charter
    use_case = draw.use_case()
    view, facts = stock.view(), stock.facts_drawn()
    decision = admit(charter, view, facts, rfc3339(NOW), RELEASE, use_case).decision
    reached[f"decision {decision['verdict']}"] += 1
    reached["decision on an endpoint"] += any(fact.signed.statement.kind == "endpoint" for fact in facts.statements)
    for row in decision["requirements"]:
        reached[f"requirement {row['state']}"] += 1
        reached.update(f"failing: {one['why']}" for one in row["failing"])
    reached.update(f"red line {line['state']}" for line in decision["red_lines"])
    reached.update(f"notice {notice['kind']}" for notice in decision["notices"])
    reached["stale"] += bool(decision["stale"])


def _request(charter: Charter, draw: Draw, reached: Counter[str]) -> None:
    one, use_case = draw.chance, draw.use_case()
    context: dict[str, Any] = {
        name: use_case[name] if name in use_case else one.choice((0, 0, 1, 2, JSON_INTEGER_MAX))
        for name in cedar.RED_LINE_FIELDS
    } | {"suppliers": draw.some(TEXTS)}
    context["rows"] = {
        row.id: {name: one.choice((0, 0, 1, 2, 3, JSON_INTEGER_MAX)) for name in COUNTS}
        for row in charter.requirements
    }
    context["stale"] = one.choice(([], [], [], ["a.example/ledger"]))
    context["found"] = {line.id: one.choice((0, 1, 2)) for line in charter.red_lines if line.evidence is not None}
    context["successors"] = one.choice(([], [], [], ["sha256:00"]))
    context["sort"] = one.choice(("files", "endpoint"))
    context["caveats"], context["unheld"] = one.choice((0, 0, 0, 1)), one.choice((0, 0, 0, 1))
    broken = _break(context, one) if one.random() < 0.3 else ""
    expected = None if broken else _in_the_way(charter, context)
    try:
        judged = cedar.evaluate(charter, use_case, context, RELEASE.digest)
    except EngineTrouble:
        assert expected is None, f"no answer, expected {expected}"
        reached[f"no answer: {broken}"] += 1
        return
    assert expected is not None, f"an answer to a context with {broken}: {judged}"
    assert judged.forbids == expected and judged.admitted == (not expected), f"{judged}, expected {sorted(expected)}"
    reached["request admitted" if judged.admitted else "request refused"] += 1
    for line in charter.red_lines:
        reached.update(f"{c.op} {type(c.value).__name__} on {cedar.RED_LINE_FIELDS.get(c.field)}" for c in line.forbid)
        reached["conditions at the limit"] += len(line.forbid) == CONDITIONS_MAX


def _at_a_limit(charter: Charter, draw: Draw, reached: Counter[str]) -> None:
    """Rules just within what the engine is given, or just past it: an answer, or a refusal before it sees them."""
    value = dict(charter.value)
    what = draw.chance.choice(("conditions", "bytes", "name"))
    past = draw.chance.random() < 0.5
    lines = [draw.line(f"at-the-limit-{number}") | {"forbid": [], "text": ""} for number in range(20)]
    if what == "conditions":
        lines[0]["forbid"] = [draw.condition("recalls")] * (CONDITIONS_MAX + past)
    elif what == "name":
        lines[0]["id"] = draw.chance.choice((cedar.PERMIT, cedar.FRESH)) if past else "watchword"
    else:
        spare = past + CEDAR_TEXT_BYTES_MAX - len(cedar.cedar_text(parse_charter(value | {"red_lines": lines})))
        for line in lines:
            line["text"] = "x" * min(spare, 4_096)
            spare -= len(line["text"])
    limited = parse_charter(value | {"red_lines": lines})
    try:
        cedar.compile_charter(limited)
    except EngineTrouble:
        assert past, f"refused within the limit of {what}"
    else:
        assert not past, f"taken past the limit of {what}"
    reached[f"limit of {what}, {'past' if past else 'within'} it"] += 1


def _break(context: dict[str, Any], one: random.Random) -> str:
    """Make *context* another than the schema says; how."""
    at = context
    if context["rows"] and one.random() < 0.4:
        at = one.choice((context["rows"], context["rows"][one.choice(list(context["rows"]))]))
    name = one.choice(list(at))
    how = one.choice(("missing", "another type", "out of range", "one too many", "null"))
    if how == "missing":
        del at[name]
    elif how == "another type":
        at[name] = "1" if not isinstance(at[name], str) else 1
    elif how == "out of range":
        at[name] = 2**63
    elif how == "null":
        at[name] = None
    else:
        at["one-more"] = 1
    return f"{how}, {'in rows' if at is not context else 'at the top'}"


def _in_the_way(charter: Charter, context: Mapping[str, Any]) -> set[str]:
    """The rules that stand in the way of a request, read off plainly."""
    asked = [
        row
        for row in charter.requirements
        if context["criticality"] >= row.when.criticality
        and (not row.when.human or context["human"] in row.when.human)
        and row.when.release in (msgspec.UNSET, context["sort"])
    ]
    found = {
        row.id
        for row in asked
        for counts in [context["rows"][row.id]]
        if not _is_met(row, counts) and (row.waiver is None or counts["waivers"] < max(row.waiver.count, 1))
    }
    found |= {line.id for line in charter.red_lines if table.crossed(line, context, context["found"])}
    found |= {cedar.NO_RECALL} if context["recalls"] else set()
    found |= {cedar.FRESH} if context["stale"] else set()
    found |= {cedar.IN_FORCE} if context["successors"] else set()
    found |= {cedar.NO_CAVEAT} if context["caveats"] else set()
    found |= {cedar.KEPT_BACK} if context["unheld"] else set()
    return found if any(_is_met(row, context["rows"][row.id]) for row in asked) else found | {cedar.SOMETHING_MET}


def _is_met(row: Requirement, counts: Mapping[str, int]) -> bool:
    return counts["there"] >= row.count and counts["tools"] >= row.tools and not counts["failing"]


# -- which lines ran --------------------------------------------------------------------------------


@contextmanager
def tracing(*modules: ModuleType) -> Iterator[dict[str, set[int]]]:
    """Notes the lines of *modules* that run inside, by file. Slows everything down."""
    ran: dict[str, set[int]] = {str(module.__file__): set() for module in modules}

    def local(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            ran[frame.f_code.co_filename].add(frame.f_lineno)
        return local

    def entered(frame: FrameType, _: str, __: Any) -> Any:
        if frame.f_code.co_filename not in ran:
            return None
        ran[frame.f_code.co_filename].add(frame.f_lineno)
        return local

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        yield ran
    finally:
        sys.settrace(before)


def lines_of(module: ModuleType) -> set[int]:
    """The lines inside the functions of *module*."""
    whole = compile(Path(str(module.__file__)).read_text(), str(module.__file__), "exec")
    found: set[int] = set()
    waiting = [one for one in whole.co_consts if isinstance(one, CodeType)]
    while waiting:
        code = waiting.pop()
        waiting += [one for one in code.co_consts if isinstance(one, CodeType)]
        if code.co_flags & 0x2:  # CO_NEWLOCALS: a function, not the body of a class
            found |= {line for _, _, line in code.co_lines() if line is not None and line != code.co_firstlineno}
    return found


def main(words: list[str]) -> int:
    many = int(words[0]) if words else 100_000
    seed = int(words[1]) if len(words) > 1 else 1
    with tracing(table, cedar) as ran:
        compare(min(many, 4_000), seed + 1)

    def told(number: int) -> None:
        if number % 5_000 == 0:
            print(f"\r{number:,}", end="", file=sys.stderr, flush=True)

    reached = compare(many, seed, told)
    print(f"\n{many:,} cases of seed {seed}: no disagreement", file=sys.stderr)
    for what, times in sorted(reached.items()):
        print(f"{times:>9,}  {what}")
    for module in (table, cedar):
        every, here = lines_of(module), ran[str(module.__file__)]
        missed = ", ".join(map(str, sorted(every - here))) or "none"
        print(f"{module.__name__}: {len(every & here)} of {len(every)} lines ran; not: {missed}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
