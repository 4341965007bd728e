"""The AuthZEN door: OpenID's Authorization API 1.0 asked of a gate, and holds as its draft for requests and approvals.

Follows https://openid.net/specs/authorization-api-1_0.html and the draft "Access Request and Approval Profile" of
2026-08 (``access_request`` in a denial, a task, evaluation anew). What is HTTP is in ``web.authzen``.

* The system that asks is the release for which the door is open. What AuthZEN calls an action's name is the tool;
  subject, resource and all properties are arguments: ``subject_type``, ``subject_id``, ``resource_type``,
  ``resource_id``, and ``subject:NAME``, ``action:NAME``, ``resource:NAME`` for each property. So the mandate's rules
  decide, and a property that no rule names is covered by none. ``context`` is no argument: a rule cannot rest on it.
* ``decision: true`` is a permit: one action, one receipt, once. A search uses nothing up and leaves no receipt: it
  tries what the mandate's rules name by ``==`` and ``in``, and answers what would be permitted now.
* What people have to look at is a denial that can be requested. Asking for it makes the hold; the task is the hold; the
  same question with ``context.approval`` releases it, once. Its scope is exactly subject, action and resource. Nothing
  of that is in a process's memory: any process of this gate makes the action of a denial again from what it is told.
* Guarantee: this door sees no words of a person and no session. Where values come from, it does not know.
"""

from __future__ import annotations

import hmac
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from watchword.charter.conditions import all_hold
from watchword.errors import WatchwordError
from watchword.gate.action import FORMAT, Action, new_action, parse_action
from watchword.gate.authority import newest_mandate
from watchword.gate.gate import Gate
from watchword.gate.hiding import key_of
from watchword.gate.holding import Followed, NoSuchHold
from watchword.gate.mandate import Rule
from watchword.limits import (
    AUTHZEN_CANDIDATES_MAX,
    AUTHZEN_EVALUATIONS_MAX,
    AUTHZEN_PAGE_MAX,
    AUTHZEN_REQUESTABLE_S,
)
from watchword.statements.canonical import canonical
from watchword.statements.times import parse_time, rfc3339

SESSION = "authzen"
SEMANTICS = {"execute_all": None, "deny_on_first_deny": False, "permit_on_first_permit": True}
"""After which decision a batch ends."""
TASKS = {"waiting": "pending", "released": "approved", "refused": "denied", "expired": "expired"}


class BadEvaluation(WatchwordError):
    """A request that the specification answers with 400."""


class NotRequestable(WatchwordError):
    """A problem of the request profile; ``problem`` is the last part of its URN, ``status`` that of HTTP."""

    def __init__(self, problem: str, status: int, message: str) -> None:
        super().__init__(message)
        self.problem = problem
        self.status = status


@dataclass(frozen=True)
class Asked:
    """One access evaluation. Each of the three has ``type`` and ``id``, or ``name``, and ``properties``."""

    subject: Mapping[str, Any]
    action: Mapping[str, Any]
    resource: Mapping[str, Any]
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def args(self) -> dict[str, Any]:
        """The arguments that it is for a mandate."""
        args: dict[str, Any] = {}
        for what in ("subject", "resource"):
            entity = getattr(self, what)
            args |= {f"{what}_type": entity["type"], f"{what}_id": entity["id"]}
        for what in ("subject", "action", "resource"):
            args |= {f"{what}:{name}": value for name, value in getattr(self, what).get("properties", {}).items()}
        return args


_KEYS = {"subject": ("type", "id"), "action": ("name",), "resource": ("type", "id")}


def parse_asked(value: Mapping[str, Any], but: str | None = None, without_id: str | None = None) -> Asked:
    """Read an evaluation; fields that the specification does not know are ignored.

    Args:
        but: the one of the three that may be missing. without_id: the one whose ``id`` is not looked at.

    Raises:
        BadEvaluation: a field is missing or of another type.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for what, keys in _KEYS.items():
        if what == but:
            found[what] = {"name": ""}
            continue
        entity = value.get(what)
        if not isinstance(entity, dict):
            raise BadEvaluation(f"{what} is missing, or is no object")
        for key in keys if what != without_id else ("type",):
            if not isinstance(entity.get(key), str):
                raise BadEvaluation(f"{what}.{key} is missing, or is no text")
        if not isinstance(entity.get("properties", {}), dict):
            raise BadEvaluation(f"{what}.properties is no object")
        found[what] = entity
    context = value.get("context", {})
    if not isinstance(context, dict):
        raise BadEvaluation("context is no object")
    return Asked(found["subject"], found["action"], found["resource"], context)


def items(value: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The evaluations of a batch, each with the defaults filled in; None where there are none and *value* is single.

    An entity replaces the default whole; only ``type``, ``id`` or ``name`` that it leaves out come from the default.

    Raises:
        BadEvaluation: no list, or more than AUTHZEN_EVALUATIONS_MAX.
    """
    listed = value.get("evaluations")
    if listed is None or listed == []:
        return None
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise BadEvaluation("evaluations is no list of objects")
    if len(listed) > AUTHZEN_EVALUATIONS_MAX:
        raise BadEvaluation(f"{len(listed):,} evaluations, limit {AUTHZEN_EVALUATIONS_MAX}")
    return [_filled(value, one) for one in listed]


def _filled(default: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, Any]:
    whole = {what: default[what] for what in (*_KEYS, "context") if what in default} | dict(one)
    for what, keys in _KEYS.items():
        own, base = one.get(what), default.get(what)
        if isinstance(own, dict) and isinstance(base, dict):
            whole[what] = {key: base[key] for key in keys if key in base} | own
    return whole


def semantic(value: Mapping[str, Any]) -> bool | None:
    """The decision after which a batch ends; None: after none.

    Raises:
        BadEvaluation: one that the specification does not know.
    """
    options = value.get("options", {})
    name = options.get("evaluations_semantic", "execute_all") if isinstance(options, dict) else None
    if not isinstance(name, str) or name not in SEMANTICS:
        raise BadEvaluation(f"options.evaluations_semantic is none of {', '.join(SEMANTICS)}")
    return SEMANTICS[name]


class AuthZen:
    """The door of a gate for the release of digest *release*. Any thread may call it.

    Args:
        lent: the gate, for as long as one question takes (``gate.mcp.lent``).
        requests: the address at which a denial is requested, as the denial says it.
    """

    def __init__(
        self, lent: Callable[[], AbstractContextManager[Gate]], release: str, requests: str, mandate: str | None = None
    ) -> None:
        self._lent = lent
        self._release = release
        self._mandate = mandate
        self._requests = requests

    # -- evaluations ------------------------------------------------------------------------------

    def evaluation(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one evaluation.

        Raises:
            BadEvaluation: it is none.
        """
        with self._lent() as gate:
            return self._evaluated(gate, value)

    def _evaluated(self, gate: Gate, value: Mapping[str, Any]) -> dict[str, Any]:
        asked = parse_asked(value)
        approval = asked.context.get("approval")
        return self._fresh(gate, asked) if approval is None else self._anew(gate, asked, approval)

    def evaluations(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a batch, in order; one that is not well formed is denied by itself.

        Raises:
            BadEvaluation: the batch as a whole is none.
        """
        ends_after, listed = semantic(value), items(value)
        if listed is None:
            return self.evaluation(value)
        answers: list[dict[str, Any]] = []
        with self._lent() as gate:
            for one in listed:
                try:
                    answers.append(self._evaluated(gate, one))
                except BadEvaluation as error:
                    answers.append({"decision": False, "context": {"error": {"status": 400, "message": error.message}}})
                if answers[-1]["decision"] is ends_after:
                    break
        return {"evaluations": answers}

    def _fresh(self, gate: Gate, asked: Asked) -> dict[str, Any]:
        action = self._action(gate, asked)
        if isinstance(action, dict):
            return action
        answer = gate.ask(action.bytes, self._mandate, holds=False)
        if answer.event == "held":
            return _denied("approval_required", answer.reasons, self._requestable_as(gate, asked))
        context = {"action": action.digest, "receipt": answer.receipt}
        if answer.verdict == "permit":
            return {"decision": True, "context": context | {"reasons": list(answer.reasons)}}
        return _denied("denied", answer.reasons, context)

    def _action(self, gate: Gate, asked: Asked) -> Action | dict[str, Any]:
        """What is asked as an action; or the denial of what can be none."""
        try:
            return new_action(asked.action["name"], asked.args, self._release, SESSION, gate.clock)
        except WatchwordError as error:
            return _denied("denied", (error.message,), {})

    # -- what people have to look at --------------------------------------------------------------

    def _requestable_as(self, gate: Gate, asked: Asked) -> dict[str, Any]:
        now = gate.clock.now()
        expires = rfc3339(now + timedelta(seconds=AUTHZEN_REQUESTABLE_S))
        return {
            "access_request": {"endpoint": self._requests, "expires_at": expires},
            "evaluation_id": self._bound(gate, asked, rfc3339(now)).digest,
        }

    def _bound(self, gate: Gate, asked: Asked, at: str) -> Action:
        """The action that a denial at this time can be requested as: whoever has the home's key makes it again."""
        value = {
            "args": asked.args, "asked": at, "format": FORMAT, "release": self._release, "session": SESSION,
            "tool": asked.action["name"],
        }  # fmt: skip
        nonce = hmac.digest(key_of(gate.node.home), canonical(value), "sha256").hex()[:32]
        return parse_action(canonical(value | {"nonce": nonce}))

    def request(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Put a denied evaluation before people: from here on it is a hold. Asked again, it is the same one.

        Raises:
            BadEvaluation: not a request. NotRequestable: not bound to a denial of this gate, expired, or denied now.
        """
        asked, denial = parse_asked(value), value.get("denial")
        if not isinstance(denial, dict) or not isinstance(denial.get("evaluation_id"), str):
            raise NotRequestable("invalid_denial_binding", 400, "denial.evaluation_id is missing")
        expires = denial.get("expires_at")
        with self._lent() as gate:
            try:
                until = parse_time(expires if isinstance(expires, str) else "")
                action = self._bound(gate, asked, rfc3339(until - timedelta(seconds=AUTHZEN_REQUESTABLE_S)))
            except (WatchwordError, OverflowError) as error:
                raise NotRequestable("invalid_denial_binding", 400, "denial: evaluate anew") from error
            if not hmac.compare_digest(action.digest.encode(), denial["evaluation_id"].encode()):
                raise NotRequestable("invalid_denial_binding", 400, "this is not what was denied; evaluate anew")
            if gate.clock.now() > until:
                raise NotRequestable("expired_denial", 410, f"the denial could be requested until {expires}")
            answer = gate.ask(action.bytes, self._mandate)
            if answer.event != "held":
                raise NotRequestable("not_requestable", 400, "; ".join(answer.reasons))
        return self.task(action.digest)

    def task(self, id: str) -> dict[str, Any]:
        """What became of a request: pending until enough people approved, or one did otherwise, or time ran out.

        Raises:
            NotRequestable: no such task.
        """
        with self._lent() as gate:
            followed = gate.followed(id)
        if followed is None:
            raise NotRequestable("unknown_task", 404, "no such task")
        status = TASKS.get(followed.state, "failed")
        if status == "pending" and followed.given >= followed.needed > 0:
            status = "approved"
        told: dict[str, Any] = {
            "task": {
                "expires_at": followed.expires,
                "id": id,
                "progress": {"current_step": min(followed.given + 1, followed.needed), "total_steps": followed.needed},
                "status": status,
                "status_endpoint": f"{self._requests}/{id}",
            }
        }
        if status == "approved":
            told["result"] = {"approval": {"approved_until": followed.expires, "id": id}, "mode": "reevaluate"}
        return told

    def _anew(self, gate: Gate, asked: Asked, approval: Any) -> dict[str, Any]:
        """Evaluate anew with an approval: everything is weighed again, and one approval releases one action, once."""
        id = approval.get("id") if isinstance(approval, dict) else None
        followed = gate.followed(id) if isinstance(id, str) else None
        if followed is None or followed.action.release != self._release:
            return _denied("approval_unverifiable", ("no such approval",), {"next_action": "none"})
        if not _same(asked, followed.action):
            why = "this is not what was approved"
            return _denied("out_of_scope", (why,), {"next_action": "none"})
        return _released(gate, followed)

    # -- search -----------------------------------------------------------------------------------

    def search(self, what: str, value: Mapping[str, Any]) -> dict[str, Any]:
        """What subjects, resources or actions (*what*) would be permitted now, in the order in which rules name them.

        Raises:
            BadEvaluation: the request is none.
        """
        asked = parse_asked(value, but="action") if what == "action" else parse_asked(value, without_id=what)
        start, limit = _page(value.get("page"))
        found: dict[tuple[str, str], dict[str, Any]] = {}
        with self._lent() as gate:
            for candidate, result in _candidates(self._rules(gate), what, asked):
                key = result.get("type", ""), result.get("id") or result["name"]
                if key in found:
                    continue
                # Judged by the whole mandate: an earlier rule may hold what this one permits.
                action = self._action(gate, candidate)
                if isinstance(action, Action) and gate.preview(action.bytes, self._mandate).event == "permitted":
                    found[key] = result
        results = list(found.values())
        if limit is None:
            return {"results": results}
        shown = results[start : start + limit]
        more = start + limit < len(results)
        page = {"count": len(shown), "next_token": str(start + limit) if more else "", "total": len(results)}
        return {"page": page, "results": shown}

    def _rules(self, gate: Gate) -> Sequence[Rule]:
        """The rules of the mandate under which would be asked now."""
        known = gate.known()
        id = self._mandate or newest_mandate(known, self._release, gate.name)
        mandate = None if id is None else known.ground(id).mandate
        return () if mandate is None else mandate.rules


def _released(gate: Gate, followed: Followed) -> dict[str, Any]:
    try:
        answer = gate.release(followed.hold)
    except NoSuchHold as error:
        return _denied("approval_expired", (error.message,), {"next_action": "none"})
    if answer.verdict == "permit":
        approval = {"approved_until": followed.expires, "id": followed.action.digest}
        context = {"action": followed.action.digest, "approval": approval, "receipt": answer.receipt}
        return {"decision": True, "context": context | {"reasons": list(answer.reasons)}}
    if answer.verdict == "hold":
        return _denied("grant_pending", answer.reasons, {"next_action": "retry", "retry_after": 5})
    return _denied("policy_denied", answer.reasons, {"next_action": "none"})


def _same(asked: Asked, action: Action) -> bool:
    """Whether a question is about exactly *action*."""
    return asked.action["name"] == action.tool and asked.args == action.args


def _denied(reason: str, reasons: Sequence[str], more: Mapping[str, Any]) -> dict[str, Any]:
    return {"decision": False, "context": {"reason": reason, "reasons": list(reasons), **more}}


def _page(page: Any) -> tuple[int, int | None]:
    if page is None:
        return 0, None
    if not isinstance(page, dict):
        raise BadEvaluation("page is no object")
    limit, token = page.get("limit", AUTHZEN_PAGE_MAX), page.get("token", "")
    if type(limit) is not int or not 1 <= limit <= AUTHZEN_PAGE_MAX:
        raise BadEvaluation(f"page.limit is no number from 1 to {AUTHZEN_PAGE_MAX}")
    if not isinstance(token, str) or (token and not (token.isascii() and token.isdecimal() and len(token) <= 9)):
        raise BadEvaluation("page.token is not one that was given out here")
    return int(token or 0), limit


def _candidates(rules: Sequence[Rule], what: str, asked: Asked) -> Iterator[tuple[Asked, dict[str, Any]]]:
    """The evaluations that a search tries, with what each would find; AUTHZEN_CANDIDATES_MAX at most, of a rule too."""
    named = (
        (one, result)
        for rule in rules
        for one, result in itertools.islice(_of_rule(rule, what, asked), AUTHZEN_CANDIDATES_MAX)
        if all_hold(rule.args, one.args, trouble=False)
    )
    return itertools.islice(named, AUTHZEN_CANDIDATES_MAX)


def _of_rule(rule: Rule, what: str, asked: Asked) -> Iterator[tuple[Asked, dict[str, Any]]]:
    named: dict[str, list[Any]] = {}
    for one in rule.args:
        if one.op in ("==", "in"):
            named[one.field] = one.value if one.op == "in" else [one.value]
    names = [name for name in named if name.startswith(f"{what}:")]
    if what == "action":
        for wanted in itertools.product(*(named[name] for name in names)):
            entity = _entity({"name": rule.tool}, names, wanted)
            yield Asked(asked.subject, entity, asked.resource, asked.context), entity
    elif rule.tool == asked.action["name"]:
        of_type = getattr(asked, what)["type"]
        for id, *values in itertools.product(named.get(f"{what}_id", ()), *(named[name] for name in names)):
            entity = _entity({"type": of_type, "id": id}, names, values)
            if what == "subject":
                yield Asked(entity, asked.action, asked.resource, asked.context), entity
            else:
                yield Asked(asked.subject, asked.action, entity, asked.context), entity


def _entity(keys: dict[str, Any], names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    properties = {name.partition(":")[2]: value for name, value in zip(names, values, strict=True)}
    return keys | {"properties": properties} if properties else keys
