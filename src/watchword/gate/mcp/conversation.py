"""One conversation between a client and a server: what goes on, what is answered here, what is recorded.

Follows the Model Context Protocol, 2025-11-25 and 2026-07-28; docs/protocol.md, section 9 ("MCP"). A
message of

* the client, that asks for an action: the session says where its values come from, the gate decides, its receipt is
  durable, and only then it goes on, with the arguments of exactly the bytes that were released;
* the server, that answers: what it says is labelled; the outcome is recorded once the client has the answer, *unknown*
  where no answer came to something that does more than read;
* the server, that asks its client for something, in a request of its own (2025-11-25) or in a result (2026-07-28): an
  action too. What the client did not state that it can do is refused;
* either side, that is none of ``methods``: refused, or dropped where nobody waits for an answer.

* A tool's card is for what its server says of it. The last listing that came through here counts; a tool that is in
  none yet is listed by us first. A tool whose card does not fit, or without one, is left out of listings (nobody has
  read its description), and a call of it is held.
* A call that was held goes when the same call is asked again after people approved.
* In shadow the gate decides and nothing is blocked, nor recorded as let go.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from watchword.errors import WatchwordError
from watchword.gate.action import new_action, parse_action, shown
from watchword.gate.answer import Answer
from watchword.gate.cards import NotPinned, schema_digest
from watchword.gate.gate import Gate
from watchword.gate.hiding import hidden
from watchword.gate.holding import NoSuchHold
from watchword.gate.mcp import message as rpc
from watchword.gate.mcp import methods, telling
from watchword.gate.mcp.lent import Lent
from watchword.gate.mcp.message import BadMessage, Message, read_message, refusal
from watchword.gate.mcp.methods import Asked
from watchword.gate.session import Session
from watchword.gate.shadow import Shadow
from watchword.limits import MCP_PAGES_MAX, MCP_PENDING_MAX, MCP_REMEMBERED_MAX, RESULT_BYTES_MAX, TOOL_CARDS_MAX
from watchword.statements.canonical import canonical, parse_json
from watchword.statements.digests import DJ

LISTING = "watchword-listing-"
"""How the ids of our own requests begin."""

Outcome = Literal["returned", "unknown"]


@dataclass(frozen=True)
class Door:
    """What every conversation through one door shares.

    ``server`` is the name under which cards are signed and actions are named; ``release`` the digest of the system
    that acts; ``mandate`` its mandate's id, by default the newest; ``page`` the address of a hold (``telling.HOLD``).
    """

    lent: Lent
    server: str
    release: str
    mandate: str | None = None
    page: str | None = None
    said: str | None = None
    shadow: Shadow | None = None
    note: Callable[[str], None] = lambda text: None


@dataclass(frozen=True)
class Turn:
    """What follows from one message: ``on`` goes on to the other side, ``back`` to who said it.

    ``list_first``: the door is to send ``listing()`` and to hear its answer, then to ask again.
    ``done``: the outcome of an action, to be recorded (``settle``) once its answer has been passed on.
    """

    on: Message | None = None
    back: dict[str, Any] | None = None
    list_first: bool = False
    done: tuple[str, Outcome] | None = None


@dataclass(frozen=True)
class _Pending:
    """A request that went on: ``action`` is the digest of the action that was let go with it."""

    method: str
    message: Message
    asked: Asked | None = None
    action: str | None = None


@dataclass(frozen=True)
class _Waiting:
    """A call that waits for people, what its client had brought along when it was held, and what its tool was then."""

    hold: str
    rounds: dict[str, Any]
    schema: str | None


@dataclass
class Conversation:
    """The state of one. Any thread may tell it a message; they take turns.

    ``name`` names the session in actions: given by whoever starts the door, it lets holds be found after a restart.
    """

    door: Door
    name: str | None = None
    session: Session = field(init=False)
    version: str | None = None
    capabilities: dict[str, Any] = field(default_factory=dict)
    _turn: threading.RLock = field(default_factory=threading.RLock)
    _of_client: dict[tuple[object, str | int], _Pending] = field(default_factory=dict)
    _of_server: dict[str | int, _Pending] = field(default_factory=dict)
    _waiting: dict[str, _Waiting] = field(default_factory=dict)
    _described: dict[str, dict[str, Any]] = field(default_factory=dict)
    _listed: dict[str, None] = field(default_factory=dict)
    _input: dict[str, None] = field(default_factory=dict)
    _cursors: dict[str, None] = field(default_factory=dict)
    _own: dict[str, int] = field(default_factory=dict)
    _whole: bool = False

    def __post_init__(self) -> None:
        self.session = Session({}) if self.name is None else Session({}, id=self.name)
        self.door.note(f"session {self.session.id} begins")
        if self.door.said is not None:
            self.session.hear(self.door.said)
        if self.name is not None:
            with self.door.lent.gate() as gate:
                self._remember(gate)

    # -- what the client says ---------------------------------------------------------------------

    def from_client(self, message: Message, version: str | None = None, stream: object = None) -> Turn:
        """What follows from a message of the client.

        Args:
            version: the protocol version that the transport states for it, if it states one.
            stream: what its answer comes through, where clients share a conversation and their ids may be equal.
        """
        with self._turn:
            try:
                if message.method is None:
                    return self._answer(message)
                message = methods.trimmed(message)
                if not message.is_request:
                    return self._note(message, methods.NOTES_OF_CLIENT)
                return self._request(message, message.version or version, stream)
            except BadMessage as error:
                return Turn(back=refusal(message.id, error.code, error.message))
            except WatchwordError as error:
                return self._refused(message, error.message)

    def _request(self, message: Message, version: str | None, stream: object) -> Turn:
        method, modern = str(message.method), version in rpc.MODERN
        if version is not None and not modern and version not in rpc.HANDSHAKE:
            data = {"requested": version, "supported": list(rpc.MODERN)}
            why = "Unsupported protocol version"
            return Turn(back=refusal(message.id, rpc.UNSUPPORTED_PROTOCOL_VERSION, why, data))
        key = stream, _id(message)
        if key in self._of_client or str(message.id).startswith(LISTING):
            return Turn(back=refusal(message.id, rpc.INVALID_REQUEST, "a request of this id is under way"))
        if len(self._of_client) >= MCP_PENDING_MAX:
            return self._refused(message, f"{MCP_PENDING_MAX} requests are under way already")
        if method in methods.PASSED:
            if method == "initialize":
                stated = message.params.get("capabilities")
                self.capabilities = stated if isinstance(stated, dict) else {}
            if DJ([method, message.params.get("cursor")]) not in self._cursors and "cursor" in message.params:
                return Turn(back=refusal(message.id, rpc.INVALID_PARAMS, "a place in the list that was not given here"))
            self._of_client[key] = _Pending(method, message)
            return Turn(on=message)
        if method not in methods.OF_CLIENT or method in (methods.OLD if modern else methods.NEW):
            return Turn(back=refusal(message.id, rpc.METHOD_NOT_FOUND, f"no such method at this gate: {method[:80]}"))
        asked = methods.asked_by_client(message, self.door.server, self._listed)
        if asked.is_tool and asked.card not in self._described and not self._whole:
            return Turn(list_first=True)
        answer, rounds = self._decided(asked, self._rounds(message, asked))
        if answer.action_bytes is None and self.door.shadow is None:
            return Turn(back=self._told(message, asked, answer, modern))
        self.session.going(asked.card, asked.args, asked.server)
        on = self._with_args(message, asked, rounds)
        self._of_client[key] = _Pending(method, on, asked, _let_go(answer))
        return Turn(on=on)

    def _decided(self, asked: Asked, rounds: dict[str, Any]) -> tuple[Answer, dict[str, Any]]:
        """The gate's answer, whose receipt is durable, and what the client brings along for the server."""
        door = self.door
        with door.lent.gate() as gate:
            self.session.cards = {**door.lent.cards(gate), methods.METHODS: methods.CARDS}
            args = self._hidden(asked)
            call = DJ({"args": args, "tool": asked.tool})
            waiting = self._waiting.get(call)
            if _is_ours(rounds):
                # The client comes back from our page: what it had brought along before is what the server waits for.
                rounds = {} if waiting is None else waiting.rounds
            described = self._described.get(asked.card, {}) if asked.is_tool else None
            schema = None if described is None else schema_digest(described)
            if waiting is not None and door.shadow is None:
                return self._as_asked(self._released(gate, waiting, call, schema), args), rounds
            action = new_action(asked.tool, args, door.release, self.session.id, gate.clock)
            verdict = self.session.judge(asked.card, asked.args, asked.server, described)
            if door.shadow is not None:
                answer = gate.ask_in_shadow(action.bytes, door.mandate, verdict)
                door.shadow.take(asked.tool, answer)
                return answer, rounds
            answer = gate.ask(action.bytes, door.mandate, verdict)
            if answer.event == "held" and answer.hold is not None and len(self._waiting) < MCP_REMEMBERED_MAX:
                self._waiting[call] = _Waiting(answer.hold, rounds, schema)
            return self._as_asked(answer, args), rounds

    def _hidden(self, asked: Asked) -> dict[str, Any]:
        """The arguments as they stand in the action: canonical, and secrets committed to."""
        provenance, card = self.session.provenance, self.session.card_of(asked.card, asked.server)
        return hidden(
            asked.tool, asked.args, card, lambda text: provenance.secret_in(text) is not None, self.door.lent.key
        )

    def _as_asked(self, answer: Answer, args: dict[str, Any]) -> Answer:
        """*answer*, when the bytes that it lets go are of these arguments and no others."""
        if answer.action_bytes is not None and canonical(parse_action(answer.action_bytes).args) != canonical(args):
            raise BadMessage("what was let go is not what was asked")
        return answer

    def _released(self, gate: Gate, waiting: _Waiting, call: str, schema: str | None) -> Answer:
        if waiting.schema is not None and schema != waiting.schema:
            self._waiting.pop(call)
            why = "its server says another thing of this tool than when people were asked"
            return Answer("denied", gate.name, (why, "the same call asked again waits anew"), hold=waiting.hold)
        try:
            answer = gate.release(waiting.hold)
        except NoSuchHold as error:
            self._waiting.pop(call)
            return Answer("denied", gate.name, (error.message, "the same call asked again waits anew"))
        if answer.event != "held":
            self._waiting.pop(call)
        return answer

    def _with_args(self, message: Message, asked: Asked, rounds: dict[str, Any]) -> Message:
        kept = {name: value for name, value in message.params.items() if name not in methods.ROUNDS}
        given = {"arguments": asked.args} if asked.is_tool and "arguments" in kept else {}
        return read_message(message.value | {"params": kept | given | rounds})

    def _rounds(self, message: Message, asked: Asked) -> dict[str, Any]:
        """What a client brings along for a call: what was not asked for here, and allowed, is left out."""
        rounds = {name: value for name, value in message.params.items() if name in methods.ROUNDS}
        given = rounds.get("inputResponses", {})
        if not isinstance(given, dict):
            raise BadMessage("inputResponses is no object", rpc.INVALID_PARAMS, message.id)
        kept = {
            key: value
            for key, value in given.items()
            if key.startswith(telling.OURS) or _input_of(asked, key) in self._input
        }
        if len(kept) < len(given):
            self.door.note(f"dropped {len(given) - len(kept)} answers that nobody asked for")
        return rounds | ({"inputResponses": kept} if "inputResponses" in rounds else {})

    def _answer(self, message: Message) -> Turn:
        """The client answers what the server asked it."""
        pending = None if message.id is None else self._of_server.pop(message.id, None)
        if pending is None:
            return self._dropped(message, "an answer to nothing that was asked")
        done: tuple[str, Outcome] | None = None if pending.action is None else (pending.action, "returned")
        return Turn(on=message, done=done)

    # -- what the server says ---------------------------------------------------------------------

    def from_server(self, message: Message, stream: object = None) -> Turn:
        """What follows from a message of the server, that came through *stream*."""
        with self._turn:
            try:
                if message.method is None:
                    return self._reply(message, stream)
                if not message.is_request:
                    if message.method == "notifications/message":
                        self.session.provenance.taint(f"what {self.door.server} logs")
                    elif message.method == "notifications/tools/list_changed":
                        self._described, self._whole = {}, False
                    return self._note(message, methods.NOTES_OF_SERVER)
                return self._asked(message)
            except WatchwordError as error:
                return self._refused(message, error.message)

    def _asked(self, message: Message) -> Turn:
        """The server asks its client for something."""
        method = str(message.method)
        if method == "ping":
            self._of_server[_id(message)] = _Pending(method, message)
            return Turn(on=message)
        capability = methods.OF_SERVER.get(method)
        if capability is None or not isinstance(self.capabilities.get(capability), dict):
            why = f"the client cannot be asked for {method[:80]}"
            return Turn(back=refusal(message.id, rpc.METHOD_NOT_FOUND, why))
        if message.id in self._of_server or len(self._of_server) >= MCP_PENDING_MAX:
            why = "a request of this id, or too many, are under way"
            return Turn(back=refusal(message.id, rpc.INVALID_REQUEST, why))
        asked = methods.asked_by_server(method, message.params, self.door.server)
        answer = self._asks(asked)
        if answer.action_bytes is None and self.door.shadow is None:
            return Turn(back=refusal(message.id, rpc.NOT_ALLOWED, answer.told()))
        self._of_server[_id(message)] = _Pending(method, message, asked, _let_go(answer))
        return Turn(on=message)

    def _asks(self, asked: Asked) -> Answer:
        answer, _ = self._decided(asked, {})
        # Whoever answers it reads it.
        self.session.provenance.taint(f"what {self.door.server} asks for")
        return answer

    def _reply(self, message: Message, stream: object) -> Turn:
        if message.id in self._own:
            return self._own_listing(message)
        pending = None if message.id is None else self._of_client.pop((stream, message.id), None)
        if pending is None:
            return self._dropped(message, "an answer to nothing that was asked")
        done: tuple[str, Outcome] | None = None if pending.action is None else (pending.action, "returned")
        result = message.value.get("result")
        if result is None:
            if pending.asked is not None:
                self._label(pending.asked, str(message.value["error"].get("message", "")))
            return Turn(on=message, done=done)
        if pending.method == "initialize":
            return self._opened(message, result)
        if pending.method in methods.LISTS:
            return Turn(on=self._listing(pending, message, result))
        if pending.method == "server/discover":
            self._instructions(result)
        if pending.asked is not None:
            if result.get("resultType") == "input_required":
                refused = self._input_required(pending, message, result)
                return Turn(back=None, on=refused or message, done=done)
            self._label(pending.asked, told_by(result) if pending.asked.is_tool else result)
        return Turn(on=message, done=done)

    def _opened(self, message: Message, result: dict[str, Any]) -> Turn:
        self.version = str(result.get("protocolVersion"))
        if self.version not in rpc.HANDSHAKE:
            why = f"the server speaks protocol version {self.version[:40]!r}, which this gate does not"
            return Turn(on=read_message(refusal(message.id, rpc.INTERNAL_ERROR, why)))
        self._instructions(result)
        return Turn(on=message)

    def _instructions(self, result: dict[str, Any]) -> None:
        if result.get("instructions"):
            self.session.provenance.taint(f"instructions of {self.door.server}")

    def _input_required(self, pending: _Pending, message: Message, result: dict[str, Any]) -> Message | None:
        """A result that asks the client for something: each part is an action. An error in its place, where one is
        denied."""
        requests = result.get("inputRequests") or {}
        called = pending.asked
        if called is None or not isinstance(requests, dict):
            return read_message(refusal(message.id, rpc.INTERNAL_ERROR, "the server asks for what nobody can read"))
        capabilities = pending.message.capabilities
        for key, request in requests.items():
            method = request.get("method") if isinstance(request, dict) else None
            capability = methods.OF_SERVER.get(str(method))
            if capability is None or not isinstance(capabilities.get(capability), dict):
                why = f"the server asks for {str(method)[:80]!r}, which the client did not say it can do"
                data: dict[str, Any] = {"requiredCapabilities": {} if capability is None else {capability: {}}}
                return read_message(refusal(message.id, rpc.MISSING_CAPABILITY, why, data))
            params = request.get("params")
            params = params if isinstance(params, dict) else {}
            answer = self._asks(methods.asked_by_server(str(method), params, self.door.server))
            if answer.action_bytes is None and self.door.shadow is None:
                return read_message(telling.no(message.id, called, answer, True))
            action = _let_go(answer)
            if action is not None:
                # It goes to the client as a value; what comes back with it is checked then (``_rounds``).
                self.settle(action, "returned")
            self._keep(self._input, _input_of(called, key))
        return None

    # -- listings ---------------------------------------------------------------------------------

    def listing(self, version: str | None = None, meta: dict[str, Any] | None = None) -> Message:
        """A request of ours for the server's tools. Its answer comes through ``from_server`` as any other.

        Args:
            meta: ``_meta`` of the client's request for which it is needed.
        """
        with self._turn:
            self._described, self._whole = {}, False
            return self._page(0, None, {} if meta is None else meta)

    @property
    def is_listed(self) -> bool:
        """Whether all tools have been listed by us since ``listing`` was called."""
        return self._whole

    def _page(self, number: int, cursor: Any, meta: dict[str, Any]) -> Message:
        own = LISTING + secrets.token_hex(8)
        self._own[own] = number
        kept = {name: value for name, value in meta.items() if name.startswith(rpc.META)}
        params = ({"_meta": kept} if kept else {}) | ({} if cursor is None else {"cursor": cursor})
        value = {"id": own, "jsonrpc": "2.0", "method": "tools/list", "params": params}
        message = read_message(value)
        self._of_client[None, own] = _Pending("tools/list", message)
        return message

    def _own_listing(self, message: Message) -> Turn:
        own = str(message.id)
        number, pending = self._own.pop(own), self._of_client.pop((None, own))
        result = message.value.get("result", {})
        self._describe(result.get("tools"))
        cursor = result.get("nextCursor")
        if cursor is not None and number + 1 < MCP_PAGES_MAX and len(self._described) <= TOOL_CARDS_MAX:
            return Turn(back=self._page(number + 1, cursor, pending.message.meta).value)
        self._whole = True
        return Turn()

    def _describe(self, tools: Any) -> None:
        for one in tools if isinstance(tools, list) else []:
            if isinstance(one, dict) and isinstance(one.get("name"), str) and len(self._described) <= TOOL_CARDS_MAX:
                self._described[one["name"]] = one

    def _listing(self, pending: _Pending, message: Message, result: dict[str, Any]) -> Message:
        if "nextCursor" in result:
            self._keep(self._cursors, DJ([pending.method, result["nextCursor"]]))
        entries = result.get(methods.LISTS[pending.method])
        if not isinstance(entries, list):
            return message
        if pending.method != "tools/list":
            if entries:
                self.session.provenance.taint(f"{pending.method} of {self.door.server}")
            for one in entries if pending.method == "resources/list" else []:
                if isinstance(one, dict) and isinstance(one.get("uri"), str):
                    self._keep(self._listed, one["uri"])
            return message
        if "cursor" not in pending.message.params:
            self._described, self._whole = {}, "nextCursor" not in result
        self._describe(entries)
        if self.door.shadow is not None:
            return message
        kept = list(self._pinned(entries))
        if len(kept) == len(entries):
            return message
        return read_message(message.value | {"result": result | {"tools": kept}})

    def _pinned(self, entries: list[Any]) -> Iterator[Any]:
        with self.door.lent.gate() as gate:
            cards = self.door.lent.cards(gate).get(self.door.server)
        for one in entries:
            name = one.get("name") if isinstance(one, dict) else None
            try:
                if cards is None or not isinstance(name, str):
                    raise NotPinned(f"server {self.door.server} has no tool cards")
                cards.verify_pinned(name, one)
            except WatchwordError as error:
                self.door.note(f"left out of the listing: {error.message}")
            else:
                yield one

    # -- what became of it ------------------------------------------------------------------------

    def settle(self, action: str, outcome: Outcome) -> None:
        """Record what became of an action. A record that cannot be written is told, and stops the next action."""
        try:
            with self.door.lent.gate() as gate:
                gate.outcome(action, outcome)
        except WatchwordError as error:
            self.door.note(f"outcome of {action} not recorded: {error.message}")

    @property
    def is_busy(self) -> bool:
        """Whether an answer to the client is still to come."""
        return bool(self._of_client)

    def lost(self, id: str | int | None = None, stream: object = None) -> None:
        """No answer will come, to the request of that id or to any: what did more than read has an unknown outcome."""
        with self._turn:
            keys = list(self._of_client) if id is None else [(stream, id)]
            gone = [pending for key in keys if (pending := self._of_client.pop(key, None)) is not None]
            if id is None:
                gone += self._of_server.values()
                self._of_server.clear()
        for pending in gone:
            if pending.action is not None and pending.asked is not None:
                card = self.session.card_of(pending.asked.card, pending.asked.server)
                self.settle(pending.action, "returned" if card is not None and card.effect == "read" else "unknown")

    def _label(self, asked: Asked, result: Any) -> None:
        self.session.take_in(asked.card, asked.args, asked.server, result)

    def _remember(self, gate: Gate) -> None:
        """Holds of this session from before a restart."""
        for hold in gate.holds():
            if hold.action.session == self.session.id and hold.action.release == self.door.release:
                call = DJ({"args": hold.action.args, "tool": hold.action.tool})
                self._waiting[call] = _Waiting(hold.id, {}, None)

    def _told(self, message: Message, asked: Asked, answer: Answer, modern: bool) -> dict[str, Any]:
        if answer.verdict == "hold":
            capabilities = message.capabilities if modern else self.capabilities
            return telling.wait(message.id, asked, answer, modern, capabilities, self.door.page)
        return telling.no(message.id, asked, answer, modern)

    def _refused(self, message: Message, why: str) -> Turn:
        if message.method is None or not message.is_request:
            return self._dropped(message, why)
        return Turn(back=refusal(message.id, rpc.NOT_ALLOWED, why))

    def _note(self, message: Message, known: frozenset[str]) -> Turn:
        return Turn(on=message) if message.method in known else self._dropped(message, "an unknown notification")

    def _dropped(self, message: Message, why: str) -> Turn:
        self.door.note(f"dropped {shown(str(message.method or 'reply')[:80])}: {why}")
        return Turn()

    def _keep(self, kept: dict[str, None], one: str) -> None:
        if len(kept) >= MCP_REMEMBERED_MAX:
            kept.pop(next(iter(kept)))
        kept[one] = None


def told_by(result: dict[str, Any]) -> Any:
    """What a tool's result says, as the value that is labelled: its structured content, and its blocks unless they
    say the same again. A text that is JSON is that value."""
    values: list[Any] = []
    structured = result.get("structuredContent")
    if isinstance(structured, dict):
        values.append(structured["result"] if set(structured) == {"result"} else structured)
    blocks = result.get("content")
    for block in blocks if isinstance(blocks, list) else []:
        text = block.get("text") if isinstance(block, dict) else None
        value: Any = _json_or_text(text) if isinstance(text, str) else block
        if not values or value not in (values[0], structured):
            values.append(value)
    return values[0] if len(values) == 1 else values


def _json_or_text(text: str) -> Any:
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return parse_json(text.encode(), "result", RESULT_BYTES_MAX)
    except (WatchwordError, UnicodeError):
        return text


def _id(message: Message) -> str | int:
    if message.id is None:
        raise BadMessage("message: a request has an id")
    return message.id


def _let_go(answer: Answer) -> str | None:
    """The digest of the action that an answer let go."""
    return None if answer.action is None or answer.action_bytes is None else answer.action.digest


def _is_ours(rounds: dict[str, Any]) -> bool:
    given = rounds.get("inputResponses")
    keys = given if isinstance(given, dict) else {}
    return str(rounds.get("requestState", "")).startswith(telling.OURS) or any(
        key.startswith(telling.OURS) for key in keys
    )


def _input_of(asked: Asked, key: str) -> str:
    return DJ({"args": asked.args, "key": key, "tool": asked.tool})
