"""Edits of texts and files: what they keep, how many there are, what counts as success, what makes a subject slow."""

from __future__ import annotations

import ast
import time
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from endpoints import Api, chat, serving
from evaluate.planned import plan, subject
from hypothesis import given
from hypothesis import strategies as st

from watchword.evaluate.edits import BadEdits, candidates, edit_set, slowed, succeeded
from watchword.evaluate.plan import Plan
from watchword.evaluate.run import run
from watchword.evaluate.samples import Samples
from watchword.evaluate.subjects import Chat, Confined

SEED = "sha256:" + "5" * 64


def edits(edit: str, form: str = "texts", **attack: Any) -> Plan:
    given = {"name": "edits", "parameters": {}} | attack
    return plan(
        n=1, data={"form": form}, attack=given, metric={"name": "attack-success-rate"},
        threat={"norm": None, "eps": None, "units": None, "edits": edit, "knowledge": "black box", "queries": 20},
    )  # fmt: skip


@given(st.sampled_from(["x = 1\n", "def f():\n    '''doc'''\n    return 2", "# coding: utf-8\nimport os\n"]))
def test_padding_leaves_the_program_what_it_was(program: str) -> None:
    """The syntax tree is the same; nothing but comments came."""
    of = edit_set(edits("comment-padding", "files", parameters={"lines": 20}))
    made = list(candidates(of, program.encode(), SEED, 3))
    assert len(made) == 5 and all(isinstance(one, bytes) for one in made)
    for one in made:
        assert ast.dump(ast.parse(one)) == ast.dump(ast.parse(program))
        assert one.count(b"\n# ") >= 38


@pytest.mark.parametrize("data", [b"def f(:\n", b"\xff\xfe", b"x = '''\n"])
def test_what_does_not_parse_has_no_such_edit(data: bytes) -> None:
    """No candidate, and no question to the subject."""
    assert list(candidates(edit_set(edits("comment-padding", "files")), data, SEED, 0)) == []


@pytest.mark.parametrize("name", ["typos", "homoglyphs"])
def test_edits_differ_and_are_the_same_each_time(name: str) -> None:
    """Each candidate once, in an order that the seed and the instance fix."""
    of, text = edit_set(edits(name)), "please quarantine the message from the port authority"
    first = list(islice(candidates(of, text, SEED, 1), 10))
    assert first == list(islice(candidates(of, text, SEED, 1), 10)) and len(set(first)) == 10
    assert first != list(islice(candidates(of, text, SEED, 2), 10))
    assert text not in first
    if name == "homoglyphs":
        assert all(len(one) == len(text) and not one.isascii() for one in first)


@given(st.text(max_size=40))
def test_edits_end_on_any_text(text: str) -> None:
    """Nothing to mistype, swap or lengthen is no endless search."""
    for name in ("typos", "homoglyphs", "sponge"):
        assert len(list(islice(candidates(edit_set(edits(name)), text, SEED, 1), 5))) <= 5


def test_what_counts_as_success_is_fixed_in_the_plan() -> None:
    """Any other label, unless the plan wants one."""
    assert succeeded(edits("typos"), "advertisement", "letter")
    assert not succeeded(edits("typos", parameters={"wanted": "order"}), "advertisement", "letter")
    assert succeeded(edits("typos", parameters={"wanted": "order"}), "order", "letter")


@pytest.mark.parametrize("name", ["no-such", "../plan", "typos.toml"])
def test_a_set_that_is_not_there_is_named(name: str) -> None:
    """No path is made of a name."""
    with pytest.raises(BadEdits, match="set of edits"):
        edit_set(edits(name))


def test_a_plan_can_bring_its_own_set() -> None:
    """A set is data: this one shouts."""
    own = {"name": "shout", "of": "texts", "kind": "swap", "rates": ["1"], "swaps": {"a": "A"}}
    (made,) = islice(candidates(edit_set(edits("shout", set=own)), "a cat", SEED, 0), 1)
    assert made == "A cAt"
    with pytest.raises(BadEdits, match="more"):
        edit_set(edits("shout", set=own | {"more": 1}))


COSTLY = """
import time
def load():
    def answer(batch):
        for text in batch:
            time.sleep(%(sleep)s * (len(text) > 500))
            sum(range(%(numbers)s * (len(text) > 500)))
        return ["letter" for _ in batch]
    return answer
"""


@pytest.mark.parametrize(
    ("sleep", "numbers", "falls"), [("0", 5_000_000, True), ("0.1", 0, False), ("0", 0, False)]
)
def test_inputs_that_cost_too_much_are_found(tmp_path: Path, sleep: str, numbers: int, falls: bool) -> None:
    """A subject that computes far longer over a long text has fallen, with how many times the cost. One that only waits
    has not: on a busy machine every subject waits. Fails by chance when time is taken from the clock."""
    of = edits("sponge", parameters={"times": "20"}, name="sponge")
    samples = Samples("texts", items=("a short letter",), labels=("letter",), names=("0",))
    release = subject(tmp_path / "release", COSTLY % {"sleep": sleep, "numbers": numbers})
    made = run(of, SEED, samples, lambda: Confined(of.subject, release))
    assert (made.k, made.n) == (int(falls), 1)
    assert made.done.rows[0].by.endswith("times the cost")


def test_an_endpoint_that_takes_too_long_is_found() -> None:
    """Of an endpoint only the time until it answers is known."""
    of = edits("sponge", parameters={"times": "20"}, name="sponge")
    asks = plan(subject={"interface": "chat", "entry": "small", "prompt": "{}"}).subject

    def slow(text: str) -> str:
        time.sleep(0.5 if len(text) > 500 else 0)
        return "letter"

    with serving(Api(chat(slow))) as api, Chat(asks, api.url) as asked:
        found, tries, times = slowed(asked, edit_set(of), of, "a", SEED, 0)
    assert found is not None and tries >= 1 and times >= 20
