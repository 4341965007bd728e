"""Data of R: promises that run when looked at, functions that start by themselves, and what is ordinary."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inspect_samples import found, look
from r_samples import call, environment, function, listed, promise, rds, reals, symbol, texts, word, workspace

from watchword.inspect.exhibit import Malformed
from watchword.inspect.formats.rdata import read_r
from watchword.inspect.source import Held


@pytest.mark.parametrize(
    ("data", "rules"),
    [
        (rds(listed(reals(1.0, 2.0), texts(b"a", b"system"))), set()),
        (rds(listed(call(b"lm", symbol(b"y"), symbol(b"x")))), set()),
        (rds(function(call(b"exp", symbol(b"x")))), set()),
        (rds(environment(b"x", promise(call(b"mean", symbol(b"y"))))), set()),
        (rds(promise(call(b"mean"), reals(1.0))), set()),
        (workspace(b"model", listed(reals(0.5))), set()),
        (rds(promise(call(b"system", texts(b"true")))), {"r-promise", "r-command"}),
        (rds(listed(reals(1.0), promise(call(b"quit")))), {"r-promise"}),
        (workspace(b"x", promise(call(b"quit"))), {"r-promise"}),
        (workspace(b".First", function(call(b"quit"))), {"r-start"}),
        (rds(function(call(b"system", texts(b"true")))), {"r-command"}),
        (rds(environment(b"x", promise(call(b"system2", texts(b"true"))))), {"r-command"}),
        (rds(listed(reals(1.0))) + b"more", {"r-broken"}),
        (rds(listed(reals(1.0)))[:-1], {"r-broken"}),
        (rds(word(16) + word(2**31 - 1)), {"r-broken"}),
        (rds(word(77)), {"r-broken"}),
    ],
)
def test_promises_outside_of_environments_and_commands_are_told(data: bytes, rules: set[str]) -> None:
    """What runs by itself is dangerous; calls, functions and arguments of functions are how models look."""
    assert found(data, "m.RData" if data.startswith(b"RDX") else "m.dat") == rules
    assert found(gzip.compress(data), "m.gz") == rules


def test_the_text_form_is_read_too() -> None:
    """The same list of one promise in format A."""
    data = b"A\n3\n262912\n197888\n5\nUTF-8\n19\n1\n1029\n253\n252\n6\n1\n262153\n4\nquit\n254\n"
    assert found(data, "m.dat") == {"r-promise"}
    assert found(b"A\n2\n262912\n131840\n13\n3\n1\n2\nNA\n", "m.dat") == set()


def test_deep_and_endless_data_of_r_gives_a_verdict() -> None:
    """A million lists inside each other, and byte code that defines itself, end in a verdict."""
    assert "r-broken" in found(rds((word(19) + word(1)) * 1_000_000), "m.dat")
    code = word(21) + word(0) + word(13) + word(0) + word(1)
    assert "r-broken" in found(rds(code + (word(244) + word(0)) * 100_000), "m.dat")


def test_what_is_told_for_the_bill_of_materials() -> None:
    """Version and size; that functions come along is a note."""
    judged = look(rds(listed(reals(1.0, 2.0), function(symbol(b"x")))), "m.dat")
    assert judged.facts["frameworks"] == ["r serialization 3"]
    assert judged.facts["elements"] == 2
    assert judged.notes == ["holds 1 functions of R, as models do that bring their own"]


@given(st.integers(0, 200), st.binary(min_size=1, max_size=12))
@settings(max_examples=100, deadline=None)
def test_any_damage_gives_a_verdict(at: int, junk: bytes) -> None:
    """Whatever is overwritten, reading ends with facts or with a named error."""
    data = bytearray(workspace(b"m", listed(reals(1.0), function(call(b"f", texts(b"a"))), promise(call(b"g")))))
    data[at : at + len(junk)] = junk
    try:
        read_r(Held(bytes(data)))
    except Malformed as error:
        assert error.offset >= 0
