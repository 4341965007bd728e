"""Why a decision came out as it did: what there is, what is needed, who owes it, and what speaks to each principle.

``explanation`` makes one JSON object from a decision and what it was made from; ``render_text`` prints it. Nothing is
decided here: states and verdict are the decision's. Its fields:

* ``schema``, ``verdict``, ``label``, ``as_of``, ``subject`` {name, digest}, ``use_case`` {name, criticality, human};
* ``requirements``: each row's ``id``, ``text``, ``state``, ``need``, ``there``, ``why`` [text], ``owed_by`` (text or
  null), ``accountable``, ``principle`` [letter], ``evidence`` [statement], ``failing`` [statement, why, detail],
  ``waived_by`` [statement, owner, reason, until];
* ``caveats``: as the decision judges them, and ``name``, ``reason``, ``locator``, each rule's text and accountable;
* ``reliances``: the use's owner's, each a statement, ``of`` (the id relied on), ``until``; ``successors`` [digest];
* ``red_lines``: ``id``, ``text``, ``state``, ``why`` text, ``accountable``, ``principle``;
* ``unheld``: each leaf that is kept back, as a failing statement is shown;
* ``notices``: as the decision lists them, and ``by``, ``reason``, ``locator`` (null for a loose one);
* ``stale``: ``origin``, ``member``, ``use``;
* ``principles``: ``letter``, ``name``, ``evidence`` [statement], ``red_lines`` [id];
* a statement here is ``id``, ``kind``, ``issuer``, ``made``, ``locator`` (``BRAVO#1204``; ``(supposed)`` where it is
  hypothetical).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from watchword.charter.charter import Charter, RedLine, Requirement
from watchword.charter.conditions import Trouble, all_hold, holds, written
from watchword.ledger.view import Fact, Facts
from watchword.policy import table
from watchword.policy.hypothesis import is_supposed
from watchword.policy.pack import PRINCIPLES
from watchword.statements.times import parse_time

SCHEMA = "watchword-explanation/1"
SUPPOSED_PLACE = "(supposed)"
DETAIL_CHARS_MAX = 200
"""Characters of one detail from a statement. Origin: two lines of a terminal."""
FELL = {
    "retracted": "was retracted",
    "disputed": "is disputed",
    "unheld": "is hit by a notice whose text is not held here",
    "key revoked": "was signed with a key since revoked",
    "reliance fell": "is what the owner of the use relies on, and that reliance fell",
}


def explanation(
    charter: Charter, facts: Facts, decision: Mapping[str, Any], use_case: Mapping[str, Any]
) -> dict[str, Any]:
    """Explain *decision*, made from *charter*, *facts* and *use_case*: the object stated at the top of this module."""
    seen = table.seen(charter, facts, decision, use_case)
    considered, listed = seen.considered, table.listed_in(facts, decision)
    judged = {row["id"]: row for row in decision["requirements"]}
    states = {line["id"]: line["state"] for line in decision["red_lines"]}
    fell = table.fallen(considered.values(), listed)
    case = table.Case(considered, fell, (), use_case, parse_time(decision["as_of"]), seen.sort)
    leaves = {f"leaf:{one['leaf']}": one for one in decision["unheld"]}
    return {
        "schema": SCHEMA,
        "verdict": decision["verdict"],
        "label": decision["label"],
        "as_of": decision["as_of"],
        "subject": decision["subject"],
        "use_case": {key: use_case[key] for key in ("name", "criticality", "human")},
        "requirements": [
            _requirement(charter, row, judged[row.id], considered, leaves, use_case["owner"])
            for row in charter.requirements
        ],
        "red_lines": [
            {
                "id": line.id, "text": line.text, "state": states[line.id], "accountable": line.accountable,
                "principle": line.principle,
                "why": _conditions(line, seen),
            }
            for line in charter.red_lines
        ],
        "caveats": [_caveat(charter, one, listed) for one in decision["caveats"]],
        "notices": [_notice(charter, one) for one in listed if one.kind not in ("ratification", "caveat", "lift")],
        "unheld": [_kept_back(charter, f"leaf:{one['leaf']}", one) for one in table.still_unheld(decision)],
        "reliances": [
            _statement(charter, fact) | {"of": id, "until": fact.signed.statement.predicate["limits"]["until"]}
            for id, facts_on in sorted(case.relied_on.items())
            for fact in facts_on
        ],
        "successors": decision["successors"],
        "stale": [
            {"origin": origin, "member": charter.origins[origin].member.name, "use": charter.origins[origin].use}
            for origin in decision["stale"]
        ],
        "principles": [_principle(charter, letter, case) for letter in PRINCIPLES],
    }  # fmt: skip


def render_text(explained: Mapping[str, Any]) -> str:
    """The explanation as people read it: the verdict, what is missing and who owes it, what is met, the principles."""
    subject, use_case, rows = explained["subject"], explained["use_case"], explained["requirements"]
    digest = f"{subject['digest'][:11]}…{subject['digest'][-4:]}"
    lines = [f"{explained['verdict'].upper()}  {subject['name']} ({digest}) for {use_case['name']}"]
    if all(row["state"] == "does not apply" for row in rows):
        lines.append(
            "  unmet    no requirement applies to this use, and a charter that asks for nothing admits nothing"
        )
    unmet = [(r["id"], "; ".join(r["why"]), f"owed by {r['owed_by']}") for r in rows if r["state"] == "unmet"]
    red_lines = [line for line in explained["red_lines"] if line["state"] == "crossed"]
    crossed = [(line["id"], line["text"], f"answers for it: {line['accountable']}") for line in red_lines]
    for caveat in explained["caveats"]:
        rules = [rule for rule in caveat["rules"] if rule["state"] == "crossed"]
        whose = f"caveat of {caveat['member']} ({caveat['locator'] or 'received directly'})"
        crossed += [(rule["id"], rule["text"], f"{whose}: {caveat['reason']}") for rule in rules]
        if caveat["cedar"] == "crossed":
            crossed.append((caveat["name"], "its free policies forbid this", f"{whose}: {caveat['reason']}"))
    ids = max((len(row[0]) for row in unmet + crossed), default=0)
    middle = min(max((len(row[1]) for row in unmet + crossed), default=0), 60)
    for label, group in (("unmet", unmet), ("crossed", crossed)):
        lines += [f"  {label:7}  {id.ljust(ids)}  {why.ljust(middle)}  {who}" for id, why, who in group]
    kept = {one["id"]: one["locator"] for one in explained["unheld"]}
    failing = {one["locator"]: one for row in rows if row["state"] == "unmet" for one in row["failing"]}
    lines += [
        f"  failing  {one['kind']} {place} by {one['issuer']}: {one['detail']}"
        for place, one in failing.items()
        if one["id"] not in kept
    ]
    lines += [f"  unheld   {one['kind']} {one['locator']} {one['detail']}" for one in explained["unheld"]]
    places = {one["id"]: place for place, one in failing.items()} | kept
    lines += [_notice_line(one, places) for one in explained["notices"]]
    for one in explained["stale"]:
        lines.append(f"  stale    {one['origin']}: no head of {one['member']}'s {one['use']} is young enough")
    for digest in explained["successors"]:
        lines.append(f"  charter  {digest} is ratified: adopt it, and decide under that; two of them halt the alliance")
    lines += [
        f"  waived   {row['id']} until {one['until']} by {one['issuer']} ({one['locator']}): {one['owner']} answers"
        for row in rows
        if row["state"] == "waived"
        for one in row["waived_by"]
    ]
    met = ", ".join(row["id"] for row in rows if row["state"] == "met")
    lines += [f"  met      {met or 'nothing'}", *_missing_lines(explained.get("missing"), places)]
    lines += ["", *_principle_lines(explained["principles"])]
    if explained["label"] != "witnessed":
        lines += ["", explained["label"]]
    return "".join(_printable(line) + "\n" for line in lines)


def render_full(explained: Mapping[str, Any]) -> str:
    """``render_text``, and each requirement that applies with what there is, what is needed and its statements."""
    lines = [""]
    for row in explained["requirements"]:
        if row["state"] == "does not apply":
            continue
        lines.append(f"  {row['state']:7}  {row['id']}: {row['text']}")
        lines.append(f"           there {row['there']}, needed {row['need']}; answers for it: {row['accountable']}")
        for how, of in (("counts", row["evidence"]), ("fails", row["failing"])):
            for said in of:
                who = f"{said['kind']} {said['locator']} by {said['issuer']}, {said['made']}"
                lines.append(f"           {how:6}  {who}  {said['id']}")
    for line in explained["red_lines"]:
        lines.append(f"  {line['state']:7}  red line {line['id']}: {line['why']}")
    for caveat in explained["caveats"]:
        for rule in caveat["rules"]:
            lines.append(f"  {rule['state']:7}  caveat of {caveat['member']}, {rule['id']}: {rule['text']}")
        if caveat["cedar"]:
            lines.append(f"  {caveat['cedar']:7}  caveat of {caveat['member']}, {caveat['name']}: free policies")
    for one in explained["reliances"]:
        lines.append(f"  relies   {one['issuer']} on {one['of']} until {one['until']} ({one['locator']})")
    return render_text(explained) + "".join(_printable(line) + "\n" for line in lines)


AGAINST = {
    "no-standing": "without standing: against",
    "half-said": "signed by too few root keys: against",
    "taken-back": "taken back: against",
    "lapsed": "lapsed, said by too few: against",
}
SHOWN_MAX = 6
"""Statements that the text names for one principle; the rest are counted."""


def _notice_line(notice: Mapping[str, Any], places: Mapping[str, str]) -> str:
    name = called(notice["name"], places)
    if notice["kind"] == "unheld":
        why = "its text is not held here, or is newer, so it counts as the worst"
        return f"  notice   against {name} ({notice['locator']}): {why}"
    where = (notice["locator"] or "received directly, in no ledger of this view").strip("()")
    kind = AGAINST.get(notice["kind"], notice["kind"])
    return (
        f"  notice   {kind} {name} by {notice['by']} ({where}): {notice['reason'] or 'no reason given'}"
    )


def called(name: str, places: Mapping[str, str] | None = None) -> str:
    """A name of bad news, an id or an origin, as a line of a terminal has room for it."""
    sort, colon, rest = name.partition(":")
    if not colon or sort == "sha256":
        return name if len(name) < 40 else f"{name[:11]}…{name[-4:]}"
    return f"{sort} {(places or {}).get(rest) or called(rest)}"


def _missing_lines(missing: Mapping[str, Any] | None, places: Mapping[str, str]) -> list[str]:
    """The fewest statements that would do, and what none of them lifts; where nobody lifts it, that alone."""
    if missing is None:
        return []
    never = [one for one in missing["unlifted"] if one["by"] is None]
    if never:
        what = ", ".join(f"{one['what']} {places.get(one['id']) or called(one['id'])}" for one in never)
        return [f"  stays    no evidence lifts {what}"]
    lines = [f"  missing  {one['text']} for {', '.join(one['requirements'])}" for one in missing["evidence"]]
    lines += [f"  or       waive {one}" for one in missing["waivable"]]
    if missing["admits"]:
        some = "this is the least that" if missing["smallest"] else "this much"
        return [*lines, f"           {some} would make it admitted"]
    for one in missing["unlifted"]:
        name = f"{one['what']} {places.get(one['id']) or called(one['id'])}"
        lines.append(f"  stays    {name}: lifted only by {one['by']}")
    return lines


def _principle_lines(principles: list[dict[str, Any]]) -> list[str]:
    width = max(len(one["name"]) for one in principles)
    lines = []
    for one in principles:
        named = [f"{s['kind']} {s['locator']}" for s in one["evidence"][:SHOWN_MAX]]
        if len(one["evidence"]) > SHOWN_MAX:
            named.append(f"{len(one['evidence']) - SHOWN_MAX} more")
        kept = f" (red lines: {', '.join(one['red_lines'])})" if one["red_lines"] else ""
        lines.append(f"  {one['letter']}  {one['name'].ljust(width)}  {', '.join(named) or 'nothing yet'}{kept}")
    return lines


def _requirement(
    charter: Charter,
    row: Requirement,
    judged: Mapping[str, Any],
    considered: Mapping[str, Fact],
    kept_back: Mapping[str, Mapping[str, Any]],
    owner: str,
) -> dict[str, Any]:
    failing = [
        _statement(charter, considered[one["id"]])
        | {"why": one["why"], "detail": FELL.get(one["why"]) or _detail(row, considered[one["id"]])}
        if one["id"] in considered
        else _kept_back(charter, one["id"], kept_back[one["id"]])
        for one in judged["failing"]
    ]
    return {
        "id": row.id,
        "text": row.text,
        "state": judged["state"],
        "need": judged["need"],
        "there": judged["there"],
        "why": _why(row, judged, failing) if judged["state"] == "unmet" else [],
        "owed_by": _owed_by(charter, row, judged, considered, owner) if judged["state"] == "unmet" else None,
        "accountable": row.accountable,
        "principle": row.principle,
        "evidence": [_statement(charter, considered[id]) for id in judged["counted"]],
        "failing": failing,
        "waived_by": [_waiver(charter, considered[id]) for id in judged["waived_by"]],
    }


def _conditions(line: RedLine, seen: table.Seen) -> str:
    """The conditions of a red line with what there is; last, the evidence that it takes, and how many there are."""
    said = [f"{written(one)} (it is {_short(seen.context.get(one.field))})" for one in line.forbid]
    if line.evidence is not None:
        where = " and ".join(written(one) for one in line.evidence.where)
        count = seen.found[line.id]
        there = "there is none" if not count else f"there {'is' if count == 1 else 'are'} {count}"
        said.append(f"{line.evidence.kind}{f' where {where}' if where else ''} ({there})")
    return "; ".join(said)


def _waiver(charter: Charter, fact: Fact) -> dict[str, Any]:
    said = fact.signed.statement.predicate
    return _statement(charter, fact) | {"owner": said["owner"], "reason": said["reason"], "until": said["expires"]}


def _caveat(charter: Charter, judged: Mapping[str, Any], listed: Iterable[table.Listed]) -> dict[str, Any]:
    """A caveat as the decision judged it, and what it says."""
    found = next(one for one in listed if one.signed and one.signed.statement.id == judged["statement"])
    said = found.signed.statement.predicate if found.signed else {}
    texts = {rule["id"]: rule for rule in said["rules"]}
    rules = [{**one, "text": texts[one["id"]]["text"], "accountable": texts[one["id"]]["accountable"]}
             for one in judged["rules"]]  # fmt: skip
    locator = _notice(charter, found)["locator"]
    return dict(judged) | {"rules": rules, "name": said["name"], "reason": _short(said["reason"]), "locator": locator}


def _kept_back(charter: Charter, id: str, leaf: Mapping[str, Any]) -> dict[str, Any]:
    """A failing entry of which only the leaf is known: who has the body is whose ledger it stands in."""
    of = charter.origins[leaf["origin"]].member
    return {
        "id": id, "kind": leaf["kind"], "issuer": of.name, "made": None, "why": "unheld",
        "locator": _locator(charter, leaf["origin"], leaf["index"]),
        "detail": "is kept back or was purged: only its leaf is known, so it counts as the worst",
    }  # fmt: skip


def _why(row: Requirement, judged: Mapping[str, Any], failing: list[dict[str, Any]]) -> list[str]:
    why = []
    if failing:
        why.append(f"{', '.join(one['locator'] for one in failing[:SHOWN_MAX])} fail{'s' if len(failing) == 1 else ''}")
    if judged["there"] < judged["need"]:
        names = f" ({', '.join(judged['from'])})" if judged["from"] else ""
        why.append(f"has {judged['there']} of {judged['need']}{names}")
    if judged["tools"] < row.tools:
        why.append(f"made with {judged['tools']} of {row.tools} different tools")
    age_s, days = judged["newest_age_s"], row.max_age_days
    if age_s is not None and days is not None and age_s > days * table.DAY_S:
        why.append(f"newest is {-(-age_s // table.DAY_S)} days old, limit {days}")
    return why


def _owed_by(
    charter: Charter, row: Requirement, judged: Mapping[str, Any], considered: Mapping[str, Fact], owner: str
) -> str:
    """Who must act: on a failed bound the supplier, on fallen evidence its issuer, otherwise whoever is missing."""
    issuers = {fact.signed.statement.issuer for fact in considered.values() if fact.holder.is_supplier}
    if not issuers and len(charter.suppliers) == 1:
        issuers = {charter.suppliers[0].name}
    supplier = f"supplier {', '.join(sorted(issuers))}" if issuers else "the supplier"
    if any(one["why"] == "bound" for one in judged["failing"]):
        return f"{supplier} (a release that passes)"
    if judged["failing"]:
        fell = [considered[one["id"]].signed.statement.issuer for one in judged["failing"] if one["id"] in considered]
        return ", ".join(sorted(set(fell))) or "whoever keeps its evidence back"
    if row.owed_by == "supplier":
        return supplier
    if row.from_ == "owner":
        member = any(owner == one.name for one in charter.members)
        return owner if member else f"the owner of the use: a member, which {_short(owner) or 'nobody'} is not"
    if row.owed_by != "members":
        return row.owed_by
    counted = {considered[id].holder.operator for id in judged["counted"]}
    names = [m.name for m in charter.members if m.operator not in counted] or [m.name for m in charter.members]
    missing = max(judged["need"] - judged["there"], 1)
    if len(names) == len(charter.members) > missing:
        return "a member" if missing == 1 else f"{missing} members"
    return ", ".join(names) if missing >= len(names) else f"{missing} of {', '.join(names)}"


def _detail(row: Requirement, fact: Fact) -> str:
    """What in the statement itself fails its bound: the value, and for an inspection or a screening the worst line."""
    predicate = fact.signed.statement.predicate
    parts = []
    for condition in row.bound:
        try:
            if holds(condition, predicate):
                continue
            value: Any = predicate
            for step in condition.field.split("."):
                value = value[step]
            parts.append(f"{condition.field} is {_short(value)}, the bound is {condition.op} {_short(condition.value)}")
        except Trouble as trouble:
            parts.append(trouble.message)
    if predicate.get("findings"):
        worst = predicate["findings"][0]
        at = "" if worst["offset"] is None else f" @ {worst['offset']:#x}"
        parts.append(f"{worst['verdict']}[{worst['rule']}] {worst['path']}{at} {worst['message']}")
    if predicate.get("annotators"):
        most = predicate["annotators"][0]
        parts.append(f"annotator {most['name']} changed {most['changed']:,} of {most['rows']:,} rows")
    return ", ".join(_short(part) for part in parts)


def _principle(charter: Charter, letter: str, case: table.Case) -> dict[str, Any]:
    """What speaks to a principle: evidence that its rows are about, asked for here or not, that does not fail."""
    speaking = {
        id: fact
        for row in charter.requirements
        if letter in row.principle
        for id, fact in table.candidates(row, case).items()
        if id not in case.fell and all_hold(row.bound, fact.signed.statement.predicate, trouble=False)
    }
    return {
        "letter": letter,
        "name": PRINCIPLES[letter],
        "evidence": [_statement(charter, fact) for fact in sorted(speaking.values(), key=_place)],
        "red_lines": [line.id for line in charter.red_lines if letter in line.principle],
    }


def _statement(charter: Charter, fact: Fact) -> dict[str, Any]:
    statement = fact.signed.statement
    return {
        "id": statement.id, "kind": statement.kind, "issuer": statement.issuer, "made": statement.predicate["made"],
        "locator": SUPPOSED_PLACE if is_supposed(fact.signed) else _locator(charter, fact.origin, fact.index),
    }  # fmt: skip


def _notice(charter: Charter, listed: table.Listed) -> dict[str, Any]:
    statement = None if listed.signed is None else listed.signed.statement
    loose = listed.origin is None or listed.index is None
    place = SUPPOSED_PLACE if listed.signed is not None and is_supposed(listed.signed) else None
    return listed.value() | {
        "by": None if statement is None else statement.issuer,
        "reason": None if statement is None else _short(statement.predicate.get("reason", "")),
        "locator": place if loose else _locator(charter, str(listed.origin), listed.index or 0),
    }


def _locator(charter: Charter, origin: str, index: int) -> str:
    of = charter.origins[origin]
    return f"{of.member.name}#{index}" if of.use == "ledger" else f"{of.member.name}/{of.use}#{index}"


def _place(fact: Fact) -> tuple[str, int]:
    return fact.origin, fact.index


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= DETAIL_CHARS_MAX else text[: DETAIL_CHARS_MAX - 1] + "…"


def _printable(line: str) -> str:
    """Statements are written by others: a control or direction character is shown, not obeyed."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in line)
