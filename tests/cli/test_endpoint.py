"""``watchword endpoint`` against a real API on this machine: pinned, asked again, disputed when it changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from endpoints import Api, chat, serving

KEY = "k-7f3a-secret"
SECRETS = (KEY, "what is 6 x 7?", "WHAT IS 6 X 7?", "name a tree", "NAME A TREE")
ALFA = ("--home", "ALFA")


@pytest.fixture
def api() -> Iterator[Api]:
    with serving(Api(chat(str.upper))) as api:
        yield api


@pytest.fixture
def pinned(alliance: Path, api: Api, here: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """ALFA pinned the API: what it told."""
    monkeypatch.setenv("CHAT_KEY", KEY)
    (alliance / "questions.txt").write_text("what is 6 x 7?\nname a tree\n", "utf-8")
    said = here(alliance, *pin(api), "--key-env", "CHAT_KEY", "--format", "json")
    value: dict[str, Any] = json.loads(said)
    return value


def pin(api: Api, *more: str) -> tuple[str, ...]:
    return (
        "endpoint", "pin", api.url, "--supplier", "AQUILA", "--system", "chat", "--release", "3", "--questions",
        "questions.txt", *ALFA, *more,
    )  # fmt: skip


def test_an_endpoint_is_pinned_and_found_unchanged(
    alliance: Path, api: Api, pinned: dict[str, Any], here: Callable[..., str]
) -> None:
    """The statement seals every question and answer; the release is known by name and digest from then on."""
    assert pinned["canaries"] == 2
    shown = json.loads(here(alliance, "statement", "show", "ALFA#0", *ALFA, "--format", "json"))
    assert shown["kind"] == "endpoint"
    assert shown["subject"] == [pinned["release"]] == [{"name": "chat 3", "digest": pinned["release"]["digest"]}]
    assert "UNCHANGED  chat 3: 2 canaries" in here(alliance, "endpoint", "check", "chat 3", *ALFA)
    assert json.loads(here(alliance, "statement", "list", *ALFA, "--format", "json"))["statements"][1:] == []


def test_a_changed_answer_is_told_and_disputed_only_when_told_to(
    alliance: Path, api: Api, pinned: dict[str, Any], here: Callable[..., str]
) -> None:
    """Without a terminal nothing is signed unasked; with ``--yes`` the dispute counts at once."""
    api.answer = chat(lambda text: "an oak" if "tree" in text else text.upper())
    said = here(alliance, "endpoint", "check", pinned["release"]["digest"], *ALFA, exits=1)
    assert "CHANGED  chat 3: 1 of 2 sealed canaries are answered otherwise (number 2)" in said
    assert "nothing was signed; --yes" in said
    assert "ALFA/notices" not in here(alliance, "notice", "list", *ALFA)
    said = here(alliance, "endpoint", "check", "chat 3", "--yes", *ALFA, "--format", "json", exits=1)
    listed = json.loads(here(alliance, "notice", "list", *ALFA, "--format", "json"))["notices"]
    assert [(one["id"], one["kind"], one["predicate"]["target"]) for one in listed] == [
        (json.loads(said)["disputed"], "dispute", f"statement:{json.loads(said)['statement']}")
    ]


def test_questions_answers_and_keys_leave_in_no_file(
    alliance: Path, api: Api, pinned: dict[str, Any], here: Callable[..., str]
) -> None:
    """What is sealed is in one file of the home, readable by its owner; the key is nowhere at all."""
    here(alliance, "ledger", "export", "--to", "BRAVO", *ALFA)
    sealed = alliance / "ALFA" / "endpoints" / f"{pinned['release']['digest'][7:]}.json"
    assert sealed.stat().st_mode & 0o077 == 0
    holds = {
        secret: sorted(
            str(path.relative_to(alliance))
            for path in alliance.rglob("*")
            if path.is_file() and path.name != "questions.txt" and secret.encode() in path.read_bytes()
        )
        for secret in SECRETS
    }
    assert holds == {secret: [] if secret == KEY else [str(sealed.relative_to(alliance))] for secret in SECRETS}


def test_what_cannot_be_pinned_or_asked_is_an_error_and_signs_nothing(
    alliance: Path, api: Api, pinned: dict[str, Any], typed: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger as supplier, no key, a node that pinned nothing, a file that was changed, an API that is gone."""
    count = iter(range(100))
    cases: list[tuple[tuple[str, ...], int, str]] = [
        ((*pin(api), "--supplier", "CORVUS"), 2, "CORVUS is no supplier of the charter"),
        ((*pin(api), "--key-env", "NO_SUCH_KEY"), 2, "$NO_SUCH_KEY: not set"),
        (("endpoint", "check", pinned["release"]["digest"], "--home", "BRAVO"), 2, "nobody pinned such an endpoint"),
    ]
    for words, code, told in cases:
        done = typed(alliance, *words)
        assert (done.code, told in done.err) == (code, True), done.err
    api.answer = chat(lambda _: str(next(count)))
    done = typed(alliance, *pin(api))
    assert (done.code, done.out.split(":")[0]) == (1, "NOT PINNED  http")
    api.status = 503
    done = typed(alliance, "endpoint", "check", "chat 3", "--yes", *ALFA)
    assert (done.code, "status 503" in done.err) == (2, True)
    api.status = 200
    sealed = next((alliance / "ALFA" / "endpoints").iterdir())
    sealed.write_bytes(sealed.read_bytes().replace(b"TREE", b"TRAP"))
    done = typed(alliance, "endpoint", "check", "chat 3", "--yes", *ALFA)
    assert (done.code, "not the questions and answers" in done.err) == (2, True)
    sealed.unlink()
    assert "what was sealed is not here" in typed(alliance, "endpoint", "check", "chat 3", *ALFA).err
    listed = json.loads(typed(alliance, "statement", "list", *ALFA, "--format", "json").out)["statements"]
    assert [one["kind"] for one in listed] == ["endpoint"]
