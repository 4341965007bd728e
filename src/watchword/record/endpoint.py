"""Endpoint releases: a system without files, known by how it answers questions that nobody else has seen.

* A release of an API is the digest of who supplies it, its system and version, and sealed canaries: questions and
  answers as salted commitments (docs/protocol.md, section 4). Questions, answers and salts stay with who asked.
* Pinning asks every question several times and keeps those that were answered alike each time. Asking again later, any
  other answer is a change.
* That all canaries answer as before does not prove that nothing changed; that one does not proves that something did.
  So policy caps how critical a use of an endpoint may be.
* The endpoint is hostile: time and bytes of every answer are bounded, and of a whole run; nothing is redirected; only
  JSON is read. A key is sent in one header, over TLS or to this machine, and is written nowhere.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from watchword.errors import WatchwordError
from watchword.ledger.fetch import BadAnswer, Remote
from watchword.limits import (
    ENDPOINT_ANSWER_BYTES_MAX,
    ENDPOINT_QUESTION_BYTES_MAX,
    ENDPOINT_QUESTIONS_MAX,
    ENDPOINT_RUN_S_MAX,
    ENDPOINT_S_MAX,
)
from watchword.statements.canonical import canonical, parse_canonical, parse_json
from watchword.statements.digests import SALT_BYTES, b64, commitment, unb64

SEALED_FORMAT = "watchword-canaries/1"
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


class BadQuestions(WatchwordError):
    """A file of canary questions that cannot be asked. Names the line."""


class BadEndpoint(WatchwordError):
    """An address, key or answer that is not of the form this needs."""


class Door(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where and how to ask. ``interface``: ``chat`` (OpenAI-compatible) or ``json`` (the question is the body).

    ``model``: the name that a chat request carries. ``pick``: the dotted field of a JSON answer that counts; "": all.
    """

    url: str
    interface: str
    model: str
    pick: str


@dataclass(frozen=True)
class Canary:
    """A question and its answer, each with its salt of 32 bytes."""

    question: str
    answer: str
    question_salt: bytes
    answer_salt: bytes

    def sealed(self) -> dict[str, str]:
        """The two commitments, as the statement has them."""
        return {
            "question": f"sha256:{commitment(self.question_salt, self.question.encode()).hex()}",
            "answer": f"sha256:{commitment(self.answer_salt, self.answer.encode()).hex()}",
        }


class Asker:
    """Asks one endpoint. ``key`` is sent as a bearer token and kept nowhere else."""

    def __init__(self, door: Door, key: str | None = None, seconds_max: float = ENDPOINT_S_MAX) -> None:
        parts = check_door(door, key)
        self._door = door
        self._path = parts.path.removeprefix("/") + (f"?{parts.query}" if parts.query else "")
        self._headers = {"Content-Type": "application/json"}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key}"
        self._until = time.monotonic() + ENDPOINT_RUN_S_MAX
        self._remote = Remote(f"{parts.scheme}://{parts.netloc}/", seconds_max)

    def ask(self, question: str) -> str:
        """The endpoint's answer, as text that is equal when the answer is.

        Raises:
            Unreachable, BadAnswer: no answer, a redirect, another status than 200, or past the bounds.
            BadEndpoint: an answer without what the interface has; the run takes too long.
        """
        if time.monotonic() > self._until:
            raise BadEndpoint(f"{self._door.url}: not done within {ENDPOINT_RUN_S_MAX:g} s", "ask fewer questions")
        door = self._door
        body: Any = {"messages": [{"content": question, "role": "user"}], "model": door.model, "temperature": 0}
        data = canonical(body) if door.interface == "chat" else question.encode()
        came = self._remote.post(self._path, data, ENDPOINT_ANSWER_BYTES_MAX, self._headers)
        if 300 <= came.status < 400:
            raise BadAnswer(f"{door.url}: redirects, which is not followed", "give the address that answers itself")
        if came.status != 200:
            raise BadAnswer(f"{door.url}: answered with status {came.status}", "nothing was pinned or checked")
        value = parse_json(came.body, door.url, ENDPOINT_ANSWER_BYTES_MAX)
        if door.interface == "json":
            return canonical(_picked(value, door.pick, door.url)).decode()
        try:
            text = value["choices"][0]["message"]["content"]
        except (KeyError, IndexError, TypeError):
            text = None
        if not isinstance(text, str):
            raise BadEndpoint(f"{door.url}: no choices[0].message.content in its answer", "try --interface json")
        return text

    def close(self) -> None:
        """End the connection."""
        self._remote.close()


def check_door(door: Door, key: str | None) -> Any:
    """The parts of the address.

    Raises:
        BadEndpoint: no HTTP address; or a key that would go over the net in the clear, or is no header.
    """
    try:
        parts = urlsplit(door.url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good or "@" in parts.netloc or parts.fragment or not door.url.isascii() or not door.url.isprintable():
        raise BadEndpoint(f"{door.url[:120]!r} is not the address of an endpoint", "such as https://host/v1/classify")
    if " " in door.url:
        raise BadEndpoint(f"{door.url[:120]!r}: an address has no spaces")
    if key is not None and parts.scheme != "https" and parts.hostname not in _HERE:
        raise BadEndpoint(f"{door.url}: a key is not sent over plain HTTP", "use https")
    if key is not None and not (key and key.isascii() and key.isprintable() and " " not in key):
        raise BadEndpoint("the key is not printable ASCII without spaces", "it is sent as one header line")
    return parts


def read_questions(data: bytes, interface: str, what: str) -> tuple[str, ...]:
    """One question a line, blank lines passed over; for ``json`` each line is a JSON value.

    Raises:
        BadQuestions: none, too many, too long, not UTF-8, asked twice, or not JSON. Names the line.
    """
    try:
        lines = data.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise BadQuestions(f"{what}: not UTF-8 at byte {error.start}") from error
    found: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if len(line.encode()) > ENDPOINT_QUESTION_BYTES_MAX:
            raise BadQuestions(f"{what}, line {number}: longer than {ENDPOINT_QUESTION_BYTES_MAX:,} bytes")
        if interface == "json":
            line = canonical(parse_json(line.encode(), f"{what}, line {number}")).decode()
        if line in found:
            raise BadQuestions(f"{what}, line {number}: asked before", "each canary is another question")
        found.append(line)
        if len(found) > ENDPOINT_QUESTIONS_MAX:
            raise BadQuestions(f"{what}: more than {ENDPOINT_QUESTIONS_MAX} questions")
    if not found:
        raise BadQuestions(f"{what}: no question in it", "one question a line")
    return tuple(found)


def pin(asker: Asker, questions: Sequence[str], tries: int) -> tuple[Canary, ...]:
    """Ask every question *tries* times; the canaries that were answered alike, each under fresh salts."""
    rounds = [[asker.ask(question) for question in questions] for _ in range(tries)]
    return tuple(
        Canary(question, answers[0], secrets.token_bytes(SALT_BYTES), secrets.token_bytes(SALT_BYTES))
        for question, answers in zip(questions, zip(*rounds, strict=True), strict=True)
        if len(set(answers)) == 1
    )


def changed(asker: Asker, canaries: Sequence[Canary], tries: int = 1) -> tuple[int, ...]:
    """Which canaries, counted from 1, are answered otherwise now, at least once in *tries* rounds."""
    rounds = [[asker.ask(one.question) != one.answer for one in canaries] for _ in range(tries)]
    return tuple(number for number, others in enumerate(zip(*rounds, strict=True), 1) if any(others))


def sealed_file(door: Door, canaries: Sequence[Canary]) -> bytes:
    """What stays at home: how to ask, every question and answer with its salt."""
    value = {
        "canaries": [
            {
                "answer": one.answer, "answer_salt": b64(one.answer_salt), "question": one.question,
                "question_salt": b64(one.question_salt),
            }
            for one in canaries
        ],
        "door": msgspec.to_builtins(door),
        "format": SEALED_FORMAT,
    }  # fmt: skip
    return canonical(value)


class _Canary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    answer: str
    answer_salt: str
    question: str
    question_salt: str


class _Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    canaries: list[_Canary]
    door: Door
    format: str


def open_sealed(data: bytes, what: str, sealed: Sequence[Mapping[str, str]]) -> tuple[Door, tuple[Canary, ...]]:
    """Read what stayed at home, and check that it is what the statement seals.

    Raises:
        BadEndpoint: another form, or other questions and answers than those sealed.
    """
    value = parse_canonical(data, what, len(data))
    try:
        raw = msgspec.convert(value, _Sealed, strict=True)
    except msgspec.ValidationError as error:
        raise BadEndpoint(f"{what}: {error}") from error
    canaries = tuple(
        Canary(one.question, one.answer, unb64(one.question_salt, what), unb64(one.answer_salt, what))
        for one in raw.canaries
    )
    if raw.format != SEALED_FORMAT or [one.sealed() for one in canaries] != [dict(one) for one in sealed]:
        raise BadEndpoint(f"{what}: not the questions and answers that the statement seals", "it was changed; pin anew")
    return raw.door, canaries


def _picked(value: Any, path: str, where: str) -> Any:
    for step in path.split(".") if path else ():
        if not isinstance(value, dict) or step not in value:
            raise BadEndpoint(f"{where}: its answer has no field {path}")
        value = value[step]
    return value
