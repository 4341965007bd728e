"""Asking an API that may be hostile, and what is kept of its answers."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from endpoints import Api, chat, serving

from watchword.ledger.fetch import BadAnswer, Unreachable
from watchword.limits import ENDPOINT_ANSWER_BYTES_MAX, ENDPOINT_QUESTIONS_MAX
from watchword.record.endpoint import (
    Asker,
    BadEndpoint,
    BadQuestions,
    Canary,
    Door,
    changed,
    open_sealed,
    pin,
    read_questions,
    sealed_file,
)
from watchword.statements.canonical import NotCanonical
from watchword.statements.digests import endpoint_digest

QUESTIONS = ("what is 6 x 7?", "name a tree", "say a random word")


def door(api: Api, interface: str = "chat", pick: str = "") -> Door:
    return Door(api.url, interface, "m-1", pick)


def test_what_is_answered_alike_is_a_canary_and_what_is_not_is_left() -> None:
    """A question whose answers differ is of no use later: it is not sealed."""
    words = iter(range(100))
    with serving(Api(chat(lambda q: f"word {next(words)}" if "random" in q else q.upper()))) as api:
        canaries = pin(Asker(door(api), "k-123"), QUESTIONS, 3)
        assert [one.question for one in canaries] == list(QUESTIONS[:2])
        assert [one.answer for one in canaries] == [q.upper() for q in QUESTIONS[:2]]
        assert len({salt for one in canaries for salt in (one.question_salt, one.answer_salt)}) == 4
        path, headers, asked = api.heard[0]
        assert (path, headers["Authorization"]) == ("/v1/chat/completions", "Bearer k-123")
        assert asked == {
            "messages": [{"content": QUESTIONS[0], "role": "user"}],
            "model": "m-1",
            "temperature": 0,
        }
        assert changed(Asker(door(api)), canaries) == ()
        api.answer = chat(lambda q: "an oak" if "tree" in q else q.upper())
        assert changed(Asker(door(api)), canaries) == (2,)


def test_of_a_json_answer_the_picked_part_counts() -> None:
    """Key order, spaces and the parts beside it change nothing; the value does."""
    count = iter(range(100))
    api = Api(lambda asked: {"at": next(count), "out": {"label": asked["text"], "p": 0.25}})
    with serving(api):
        asker = Asker(door(api, "json", "out"))
        (canary,) = pin(asker, read_questions(b'{"text": "a"}\n\n', "json", "f"), 2)
        assert (canary.question, canary.answer) == ('{"text":"a"}', '{"label":"a","p":0.25}')
        api.answer = lambda _: b'{ "out": {"p": 0.250, "label": "a"} }'
        assert changed(asker, [canary]) == ()
        assert pin(Asker(door(api, "json")), ['{"text":"b"}'], 1)[0].answer == '{"out":{"label":"a","p":0.25}}'
        api.answer = lambda _: {"out": {"label": "b", "p": 0.25}}
        assert changed(asker, [canary]) == (1,)
        api.answer = lambda _: {"in": 1}
        with pytest.raises(BadEndpoint, match="no field out"):
            asker.ask("{}")


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        (b"{}", BadEndpoint, "no choices"),
        (b'{"choices": [{"message": {"content": null}}]}', BadEndpoint, "no choices"),
        (b"hello", NotCanonical, "http://"),
        (b"[" * 100, NotCanonical, "nested"),
        (b'"' + b"a" * ENDPOINT_ANSWER_BYTES_MAX + b'"', BadAnswer, "more than 1,048,576 bytes"),
    ],
)
def test_an_answer_that_is_none_is_named(answer: bytes, error: type[Exception], told: str) -> None:
    """Another form, junk, depth, size: an error that names the endpoint, never a canary."""
    with serving(Api(lambda _: answer)) as api, pytest.raises(error, match=told):
        Asker(door(api)).ask("x")


def test_a_redirect_is_not_followed_and_the_key_goes_nowhere_else() -> None:
    """An endpoint that sends the question on to another host gets an error, and the other host hears nothing."""
    with serving(Api(chat(str))) as other, serving(Api(lambda _: {}, 307)) as api:
        api.headers["Location"] = other.url
        with pytest.raises(BadAnswer, match="redirects"):
            Asker(door(api), "k-123").ask("x")
        assert other.heard == []
        api.status, api.headers = 429, {}
        with pytest.raises(BadAnswer, match="status 429"):
            Asker(door(api)).ask("x")


def test_an_endpoint_that_never_answers_ends_the_question() -> None:
    """A drip of nothing costs the seconds stated, no more."""
    over = threading.Event()
    with serving(Api(lambda _: over.wait(120) and {})) as api:
        began = time.monotonic()
        with pytest.raises(Unreachable, match=r"within 0\.2 s"):
            Asker(door(api), seconds_max=0.2).ask("x")
        assert time.monotonic() - began < 60
        over.set()


@pytest.mark.parametrize(
    ("url", "key", "told"),
    [
        ("http://models.example/v1", "k", "not sent over plain HTTP"),
        ("https://user:pw@models.example/v1", None, "not the address"),
        ("ftp://models.example/", None, "not the address"),
        ("https://models.example:99999/", None, "not the address"),
        ("https://models.example/a b", None, "no spaces"),
        ("https://models.example/v1", "a\r\nHost: b", "not printable"),
        ("https://models.example/v1", "", "not printable"),
    ],
)
def test_a_key_is_not_told_to_the_net_nor_a_header_made_of_it(url: str, key: str | None, told: str) -> None:
    """Refused before anything is connected."""
    with pytest.raises(BadEndpoint, match=told):
        Asker(Door(url, "chat", "m", ""), key)


@pytest.mark.parametrize(
    ("data", "interface", "told"),
    [
        (b"\n \n", "chat", "no question"),
        (b"a\nb\na\n", "chat", "line 3: asked before"),
        (b'{"a": 1}\n{"a":1}', "json", "line 2: asked before"),
        (b"{", "json", "line 1"),
        (b"\xff", "chat", "not UTF-8"),
        (b"a" * 65_537, "chat", "line 1: longer"),
        (b"\n".join(b"%d" % n for n in range(ENDPOINT_QUESTIONS_MAX + 1)), "chat", "more than 100"),
    ],
)
def test_questions_that_cannot_be_asked_are_named(data: bytes, interface: str, told: str) -> None:
    """File and line."""
    with pytest.raises((BadQuestions, NotCanonical), match=told):
        read_questions(data, interface, "questions.txt")


def test_what_was_sealed_is_what_is_opened() -> None:
    """A changed answer, salt or order in the file at home is found, or a check could be made to pass.

    Fails where ``open_sealed`` does not compare with the statement, and was seen to.
    """
    canaries = [Canary("q", "a", b"\1" * 32, b"\2" * 32), Canary("r", "b", b"\3" * 32, b"\4" * 32)]
    sealed, where = [one.sealed() for one in canaries], Door("https://x.example/", "chat", "m", "")
    data = sealed_file(where, canaries)
    assert open_sealed(data, "f", sealed) == (where, tuple(canaries))
    for old, new in ((b'"answer":"a"', b'"answer":"c"'), (b"watchword-canaries/1", b"watchword-canaries/2")):
        with pytest.raises(BadEndpoint, match="not the questions"):
            open_sealed(data.replace(old, new), "f", sealed)
    with pytest.raises(BadEndpoint):
        open_sealed(data, "f", sealed[::-1])
    with pytest.raises(BadEndpoint):
        open_sealed(b"{}", "f", sealed)


def test_the_release_is_the_digest_that_the_protocol_states() -> None:
    """Computed once with another program, over the canonical JSON of section 4."""
    canaries: list[dict[str, Any]] = [{"question": "sha256:" + "0" * 64, "answer": "sha256:" + "1" * 64}]
    said = {"supplier": "AQUILA", "system": "chat", "version": "3", "canaries": canaries, "tries": 3}
    assert endpoint_digest(said) == OUTSIDE


OUTSIDE = "sha256:fa1543d9c372051d2aa1200562615dc7a08ebb42fac24fa059c952186b515fc3"
