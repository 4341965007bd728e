"""A session: what a person asked for, the tools a system uses for it, and whether a call may go by where it comes from.

Follows docs/protocol.md, section 9 ("Provenance"). The rules in ``judge``, in order:

1. The tool has a card, for what its server says of it now. Else: held.
2. What only reads may be asked for. What it returns is labelled (``take_in``).
3. Once something untrusted was read, what the person's words do not ask for is denied, not asked; where they hand on
   what some document says, it is held.
4. A secret leaves only where the person named both the secret and where it goes. Else: held.
5. Until something untrusted was read, a system acts on the person's words and on trusted sources only: it may go on.
6. After that, every argument needs a clean origin (``provenance``), else the call is held, or denied where the policy
   says so. An unclean address is denied where the words themselves give addresses of that kind: they say where to;
   an unclean name of a place, where they speak of no place of its kind.
   Words that a system made up itself have no clean origin, nor has a day where the person said none. They pass once
   for each destination (or thing) that the person chose, when every address in them is clean and no secret was read:
   the person asked for some words there.

* A hold is answered for this one call (``allow``), or for a value: a person endorses it once for this session
  (``endorse``). Nothing else lowers a label, and both are on the list that the record gets.
* What no rule here sees: whether words that a person asked for say what he would have them say. See ``GUARANTEE``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from watchword.errors import WatchwordError
from watchword.gate.action import shown, shown_json
from watchword.gate.cards import Argument, Card, Cards, NotPinned, Type
from watchword.gate.mandate import Rule
from watchword.gate.provenance import Label, Provenance, leaves
from watchword.gate.words import BadWords, Said, addresses, normal
from watchword.limits import RESULT_BYTES_MAX, SAID_CHARS_MAX, SESSION_ENDORSEMENTS_MAX
from watchword.statements.canonical import canonical, parse_json
from watchword.statements.digests import DJ

REASON_VALUE_CHARS = 80
"""Characters of a value in a reason. Origin: one line of a terminal."""


class BadSession(WatchwordError):
    """A call or an endorsement that a session cannot take."""


@dataclass(frozen=True)
class Policy:
    """What becomes of a call with an unclean argument, and of one that is outside what the person asked for.

    ``words``: whether words that a system made itself pass, once for each place that the person named.
    """

    unclean: Literal["hold", "deny"] = "hold"
    unasked: Literal["hold", "deny"] = "deny"
    words: bool = True


@dataclass(frozen=True)
class Unclean:
    """One value of a call that has no clean origin. ``outside``: the person's words give others of its kind.
    ``secret``: it is not to be written down."""

    argument: str
    value: Any
    label: Label
    why: str
    outside: bool = False
    secret: bool = False


@dataclass(frozen=True)
class Verdict:
    """What provenance says of one call. ``call`` names it: tool and arguments, by digest; ``card`` is the tool's.

    ``origins()``: where the values come from that are not ``unclean``, for people; asked only where people are.
    """

    event: Literal["permit", "hold", "deny"]
    reasons: tuple[str, ...]
    call: str
    unclean: tuple[Unclean, ...] = ()
    card: Card | None = None
    origins: Callable[[], tuple[str, ...]] = field(default=tuple, repr=False, compare=False)


@dataclass(frozen=True)
class Endorsement:
    """A person vouches for one value in one session, or, where ``argument`` is None, for one call."""

    person: str
    argument: str | None
    value: Any


@dataclass
class Session:
    """The state of one session. ``id`` names it in actions; ``endorsed`` lists what people vouched for, in order."""

    cards: Mapping[str, Cards]
    policy: Policy = Policy()
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    provenance: Provenance = field(default_factory=Provenance)
    endorsed: list[Endorsement] = field(default_factory=list)
    _values: set[tuple[str, str]] = field(default_factory=set)
    _calls: dict[str, int] = field(default_factory=dict)
    _words_gone: set[str] = field(default_factory=set)

    def hear(self, words: str) -> None:
        """Take in what the person said. Only a door that hears the person himself may call this.

        Raises:
            BadWords: more than is read.
        """
        if sum(len(said.text) for said in self.provenance.said) + len(words) > SAID_CHARS_MAX:
            raise BadWords(f"session {self.id}: the person's words pass {SAID_CHARS_MAX:,} characters")
        self.provenance.said.append(Said(words))

    def judge(
        self, tool: str, args: Mapping[str, Any], server: str, described: Mapping[str, Any] | None = None
    ) -> Verdict:
        """Whether a call may go, as far as the origin of its values decides; nothing is remembered.

        Args:
            described: what the server says of the tool now; None: this door pinned it already (see ``cards``).
        """
        call = _call(tool, args, server)
        # 1
        try:
            card = self._card(tool, server, described)
        except NotPinned as error:
            return self._unless_allowed(Verdict("hold", (error.message,), call))
        # 2
        if card.effect == "read":
            return Verdict("permit", ("it only reads",), call, card=card)
        verdict = self._unless_allowed(self._judge(card, args, call))
        unclean = {(one.argument, _key(one.value)) for one in verdict.unclean}
        return replace(verdict, card=card, origins=lambda: self._origins(card, args, unclean))

    def _origins(self, card: Card, args: Mapping[str, Any], but: Collection[tuple[str, str]]) -> tuple[str, ...]:
        """Where each value of a call comes from, *but* for some."""
        told = []
        for name, value in args.items():
            argument = card.args.get(name)
            for leaf in leaves(value):
                if argument is None or (name, _key(leaf)) in but:
                    continue
                if (name, _key(leaf)) in self._values:
                    why = "a person vouched for it in this session"
                else:
                    origin = self.provenance.origin(leaf, argument.type, argument.nouns)
                    why = f"{origin.label}, {origin.why}"
                told.append(_line(name, leaf, why, self._is_secret(leaf, argument)))
        return tuple(told)

    def _judge(self, card: Card, args: Mapping[str, Any], call: str) -> Verdict:
        tainted, delegated = self.provenance.tainted, any(said.delegates for said in self.provenance.said)
        # 3
        asked = any(self._asks_for(said, card) for said in self.provenance.said)
        if tainted is not None and not asked and not delegated:
            why = f"nothing that the person said asks for {shown(card.tool)}, and {shown(tainted)} was read"
            return Verdict(self.policy.unasked, (why,), call)
        # 4
        leaking = self._secrets(card, args)
        if leaking:
            return Verdict("hold", leaking, call)
        # 5
        if tainted is None:
            return Verdict("permit", ("nothing untrusted was read",), call)
        # 6
        unclean, words = self._unclean(card, args)
        if words and not unclean:
            unclean = self._against_words(card, args, words)
        reasons = tuple(map(_told, unclean))
        if not asked:
            why = f"the person hands on what something else says; it asks for {shown(card.tool)}"
            return Verdict("hold", (why, *reasons), call, tuple(unclean))
        if any(one.outside for one in unclean) and not delegated:
            return Verdict(self.policy.unasked, reasons, call, tuple(unclean))
        if unclean:
            return Verdict(self.policy.unclean, reasons, call, tuple(unclean))
        return Verdict("permit", ("every value has a clean origin",), call)

    def _asks_for(self, said: Said, card: Card) -> bool:
        """Whether the words ask for the tool; one that goes to the web, only where they speak of it."""
        web = [one for one in card.args.values() if one.role == "destination" and one.type == "url"]
        return said.asks_for(card.asked, verb=card.effect != "fetch") and (
            card.effect == "fetch" or all(said.values["url"] or said.asks_for([one.nouns], verb=False) for one in web)
        )

    # -- what becomes of it -----------------------------------------------------------------------

    def going(self, tool: str, args: Mapping[str, Any], server: str) -> None:
        """A call goes: what it used up is used up. To be called before it is released."""
        call = _call(tool, args, server)
        if self._calls.get(call):
            self._calls[call] -= 1
        card = self.card_of(tool, server)
        if card is not None:
            self._words_gone.add(_place(card, args))
            if self.provenance.tainted is None:
                # Worked out by a system that had seen nothing but the person's words and trusted sources. Who only
                # reads asks about everything: a name in such a question is not one that anything was decided on.
                for name, argument in card.args.items():
                    for leaf in leaves(args.get(name)):
                        if card.effect != "read" or argument.type in ("time", "number"):
                            self.provenance.know(leaf, argument.type, "settled before anything untrusted was read")

    def take_in(self, tool: str, args: Mapping[str, Any], server: str, result: Any) -> None:
        """Label what came back, an error's text as well. *result* is a JSON value."""
        card = self.card_of(tool, server)
        if card is None:
            self.provenance.taint(tool)
            return
        clean = all(
            self._clean(leaf, name, card.args.get(name)) for name, value in args.items() for leaf in leaves(value)
        )
        self.provenance.take_in(card, args, clean, result)

    def endorse(self, person: str, argument: str, value: Any) -> Endorsement:
        """A person vouches for one value, for the rest of this session.

        Raises:
            BadSession: more than anybody means.
        """
        return self._vouch(Endorsement(person, argument, value))

    def allow(self, person: str, call: str) -> Endorsement:
        """A person vouches for one call (a verdict's ``call``): it may go once.

        Raises:
            BadSession: as ``endorse``.
        """
        return self._vouch(Endorsement(person, None, call))

    def _vouch(self, given: Endorsement) -> Endorsement:
        if len(self.endorsed) >= SESSION_ENDORSEMENTS_MAX:
            raise BadSession(
                f"session {self.id}: {SESSION_ENDORSEMENTS_MAX} endorsements already", "begin a new session"
            )
        self.endorsed.append(given)
        if given.argument is None:
            self._calls[str(given.value)] = self._calls.get(str(given.value), 0) + 1
        else:
            self._values.update((given.argument, _key(leaf)) for leaf in leaves(given.value))
        return given

    def _unless_allowed(self, verdict: Verdict) -> Verdict:
        if verdict.event == "hold" and self._calls.get(verdict.call):
            return Verdict("permit", ("a person vouched for this call",), verdict.call)
        return verdict

    # -- the rules --------------------------------------------------------------------------------

    def card_of(self, tool: str, server: str) -> Card | None:
        """The card of *tool*, whatever its server says of it now; None where there is none."""
        return self.cards[server].tools.get(tool) if server in self.cards else None

    def _card(self, tool: str, server: str, described: Mapping[str, Any] | None) -> Card:
        cards = self.cards.get(server)
        if cards is None:
            raise NotPinned(f"server {server[:80]!r} has no tool cards")
        if described is not None:
            return cards.verify_pinned(tool, described)
        card = self.card_of(tool, server)
        if card is None:
            raise NotPinned(f"tool {tool[:80]!r} of {server[:80]} has no card")
        return card

    def _secrets(self, card: Card, args: Mapping[str, Any]) -> tuple[str, ...]:
        found = []
        for name, value in args.items():
            for leaf in leaves(value):
                secret = self.provenance.secret_in(str(leaf)) if not isinstance(leaf, bool) else None
                if secret is None or (name, _key(leaf)) in self._values:
                    continue
                if not any(said.mentions(secret.split()) for said in self.provenance.said):
                    found.append(f"{shown(name)} holds a secret ({shown(secret)}), which the person did not name")
                elif not self._all_said(card, args):
                    found.append(f"{shown(name)} holds a secret ({shown(secret)}), and the person did not say where to")
        return tuple(found)

    def _all_said(self, card: Card, args: Mapping[str, Any]) -> bool:
        """Whether the person said every destination of a call himself, and there is one."""
        destinations = [
            (leaf, argument)
            for name, argument in card.args.items()
            if argument.role == "destination"
            for leaf in leaves(args.get(name))
            if not _empty(leaf)
        ]
        return bool(destinations) and all(
            self.provenance.says(leaf, argument.type, argument.nouns) for leaf, argument in destinations
        )

    def _unclean(self, card: Card, args: Mapping[str, Any]) -> tuple[list[Unclean], list[str]]:
        """The values without a clean origin, and, apart, the names of arguments whose words a system made."""
        unclean: list[Unclean] = []
        words: list[str] = []
        for name, value in args.items():
            argument = card.args.get(name)
            for leaf in leaves(value):
                if self._clean(leaf, name, argument):
                    continue
                if argument is not None and argument.role == "content" and self._left_open(argument.type, leaf):
                    words.append(name)
                else:
                    unclean.append(self._say(leaf, name, argument))
        return unclean, words

    def _left_open(self, type: Type, leaf: Any) -> bool:
        """Whether content is the system's to make: words, and a day where the person said none."""
        if type == "time":
            return normal(leaf, "time") is not None and not any(said.dated for said in self.provenance.said)
        return type == "text"

    def _clean(self, leaf: Any, name: str, argument: Argument | None) -> bool:
        if _empty(leaf) or (name, _key(leaf)) in self._values:
            return True
        if argument is None:
            return False
        if leaf in argument.choices or (isinstance(leaf, bool) and argument.type == "boolean"):
            return True
        return self.provenance.clean_origin(leaf, argument.type, argument.nouns) is not None

    def _against_words(self, card: Card, args: Mapping[str, Any], words: list[str]) -> list[Unclean]:
        """Why words that a system made may not go; empty when they may."""
        place = _place(card, args)
        why: str = ""
        if not self.policy.words:
            why = "words of no clean origin"
        elif not self._anchored(card, args):
            why = "words of no clean origin, to no place that the person named"
        elif place in self._words_gone:
            why = "words of no clean origin, and the person's went there already"
        elif self.provenance.secrets:
            why = "words of no clean origin, after a secret was read"
        if why:
            kept = {name: any(self._is_secret(leaf, None) for leaf in leaves(args[name])) for name in words}
            return [Unclean(name, args[name], "unknown", why, secret=secret) for name, secret in kept.items()]
        found = []
        for name in dict.fromkeys(words):
            for leaf in leaves(args[name]):
                for address, type in addresses(str(leaf)):
                    if (name, _key(address)) in self._values:
                        continue
                    origin = self.provenance.origin(address, type)
                    if not origin.clean:
                        why = f"an address in the words, {origin.why}"
                        found.append(Unclean(name, address, origin.label, why, self._given(type)))
        return found

    def _anchored(self, card: Card, args: Mapping[str, Any]) -> bool:
        """Whether the person chose where the words go, or the thing that they become part of."""
        named = [
            (leaf, name, argument)
            for name, argument in card.args.items()
            if argument.role in ("destination", "identifier")
            for leaf in leaves(args.get(name))
            if not _empty(leaf) and leaf not in argument.choices
        ]
        return bool(named) and all(
            (name, _key(leaf)) in self._values
            or self.provenance.origin(leaf, argument.type, argument.nouns).chosen
            or (argument.role == "identifier" and self._clean(leaf, name, argument))
            for leaf, name, argument in named
        )

    def _say(self, leaf: Any, name: str, argument: Argument | None) -> Unclean:
        secret = self._is_secret(leaf, argument)
        if argument is None:
            return Unclean(name, leaf, "unknown", "an argument that the card does not name", secret=secret)
        origin = self.provenance.unclean_origin(leaf, argument.type)
        outside = self._given(argument.type) or self._unspoken(argument)
        return Unclean(name, leaf, origin.label, origin.why, outside, secret)

    def _is_secret(self, leaf: Any, argument: Argument | None) -> bool:
        """Whether a value is not to be written down: its card says so, or it holds a secret that was read."""
        return (argument is not None and argument.role == "secret") or self.provenance.secret_in(str(leaf)) is not None

    def _unspoken(self, argument: Argument) -> bool:
        """Whether an argument is a place by name, of a kind that the person's words do not speak of at all."""
        place = argument.role == "destination" and argument.type == "name" and bool(argument.nouns)
        return place and not any(said.asks_for([argument.nouns], verb=False) for said in self.provenance.said)

    def _given(self, type: Type) -> bool:
        """Whether the person's words give addresses of this type."""
        return any(said.values.get(type) for said in self.provenance.said) and type != "number"


def decided(rule: Rule, provenance: Verdict | None) -> tuple[str, tuple[str, ...]]:
    """What follows when *rule* covers an action: the event of its receipt, with reasons. Provenance only restricts."""
    unclean = () if provenance is None or provenance.event == "permit" else provenance.reasons
    if provenance is not None and provenance.event == "deny":
        return "denied", unclean
    if not rule.approvals.count and not unclean:
        return "permitted", (f"rule {rule.id} allows it",)
    if rule.people is None:
        return "denied", (f"rule {rule.id} names nobody to ask about it", *unclean)
    needs = rule.people
    asks = f"rule {rule.id} asks for {needs.count} people with the role {needs.role}, of distinct operators"
    return "held", (asks, *unclean)


GUARANTEE = (
    "After anything untrusted was read, no call that writes, sends or fetches goes without a person unless its tool "
    "is one that the person's words ask for and every address, thing and amount in it is one that the person said or "
    "led to, and every day where he said any. Not claimed: what words that a person asked for say; that a title which "
    "others can write leads to what he meant; what a tool does besides what its card states; anything that a system "
    "does outside this door."
)


def json_value(result: Any) -> Any:
    """What a tool returned, as the JSON value that is labelled; a value that JSON has not becomes its text."""
    try:
        return parse_json(canonical(result), "result", RESULT_BYTES_MAX)
    except WatchwordError:
        return str(result)


def _place(card: Card, args: Mapping[str, Any]) -> str:
    """Tool, destinations and things of a call: where its words go."""
    where = {name: args.get(name) for name, one in card.args.items() if one.role in ("destination", "identifier")}
    return DJ({"tool": card.tool, "where": where})


def _call(tool: str, args: Mapping[str, Any], server: str) -> str:
    return DJ({"args": args, "server": server, "tool": tool})


def _key(leaf: Any) -> str:
    return shown_json(leaf)


def _empty(leaf: Any) -> bool:
    """What says nothing: absent, or a text without a character in it."""
    return leaf is None or (isinstance(leaf, str) and not leaf.strip())


def _told(one: Unclean) -> str:
    return _line(one.argument, one.value, one.why, one.secret)


def _line(argument: str, value: Any, why: str, secret: bool) -> str:
    text = "a secret" if secret else shown_json(value)
    text = text if len(text) <= REASON_VALUE_CHARS else text[: REASON_VALUE_CHARS - 3] + "..."
    return f"{shown(argument)} = {text}: {why}"
