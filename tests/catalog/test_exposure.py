"""What is hit when something falls: by every name, however far down, and never less than there is."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.catalog.server import Server, new_database
from catalog.stocked import admission, bill, digest, entry, stock

from watchword.account.asking import BadQuestion, answer, question
from watchword.account.concentration import TooFewUses, hanging, smallest
from watchword.account.exposure import Exposure, NothingNamed, exposure, wanted
from watchword.account.osv import by_ids, read_advisories, wanted_of
from watchword.catalog import queries
from watchword.catalog.database import Catalog, open_catalog
from watchword.limits import EXPOSURE_DEPTH_MAX
from watchword.statements.statement import Subject

Opened = Callable[[], Catalog]
STORY = [
    bill(0, "base-7b", 1, "pkg:pypi/torch@2.1.0", "900", data=[800]),
    bill(1, "tuned", 2, "pkg:pypi/numpy@1.26.0", base=["Base-7B"]),
    bill(2, "scout", 3, "pkg:pypi/NumPy@1.26.1", "901", base=["tuned 1.0"]),
    bill(3, "alone", 4, "pkg:npm/left-pad@1.3.0"),
    entry(4, "claim", Subject("alone 1.0", digest(4)), issuer="AQUILA", system="alone", release="1.0", trained_on=[]),
    admission(5, "scout", 3, "watch"),
    admission(6, "alone", 4, "pad"),
    admission(7, "scout", 3, "old", "admitted", "2026-01-01T00:00:00Z"),
    admission(8, "scout", 3, "old", "refused"),
    entry(9, "inspection", Subject("mystery 1.0", digest(5))),
    entry(10, "bill-of-materials", Subject("junk 1.0", digest(6)), counts=False, components=[]),
]


def hit(catalog: Catalog, *texts: str) -> Exposure:
    with catalog.reading() as connection:
        return exposure(connection, "it", [wanted(text) for text in texts], chains=10)


@pytest.fixture
def stocked(opened: Opened) -> Catalog:
    catalog = opened()
    stock(catalog, STORY)
    return catalog


@pytest.mark.parametrize(
    ("asked", "releases"),
    [
        ("pkg:pypi/torch", {1, 2, 3}),
        ("component:pkg:pypi/torch@2.1.0", {1, 2, 3}),
        ("torch@2.1.0", {1, 2, 3}),
        ("pkg:PyPI/Numpy", {2, 3}),
        ("pkg:pypi/numpy@1.26.0", {2, 3}),
        (digest(900), {1, 2, 3}),
        (f"component:{digest(901)}", {3}),
        (f"dataset:{digest(800)}", {1, 2, 3}),
        ("set 800", {1, 2, 3}),
        # A base model is what bills call one; the release of that name is one, and has none.
        ("model:base-7b", {2, 3}),
        ("BASE-7B", {1, 2, 3}),
        ("tuned", {2, 3}),
        (f"release:{digest(2)}", {2, 3}),
        ("supplier:AQUILA", {4}),
        ("aquila", {4}),
    ],
)
def test_every_name_finds_what_is_hit(stocked: Catalog, asked: str, releases: set[int]) -> None:
    """By purl, digest, name or sort and name, and through base models of base models."""
    found = hit(stocked, asked)
    assert {one.digest for one in found.releases} == {digest(number) for number in releases}
    assert found.releases_total == len(releases)
    assert found.unseen == 1


def test_a_chain_tells_how(stocked: Catalog) -> None:
    """From what fell, by what it is in, up to what the release has of it."""
    chains = {one.name: one.chain for one in hit(stocked, "pkg:pypi/torch").releases}
    assert chains == {
        "base-7b 1.0": ("torch@2.1.0",),
        "tuned 1.0": ("torch@2.1.0", "base-7b 1.0", "Base-7B"),
        "scout 1.0": ("torch@2.1.0", "base-7b 1.0", "Base-7B", "tuned 1.0", "tuned 1.0"),
    }


def test_uses_are_those_of_the_newest_decision(stocked: Catalog) -> None:
    """A use that was refused later does not stop; it is listed."""
    found = hit(stocked, "pkg:pypi/torch")
    assert [(use.name, use.verdict, use.locator) for use in found.uses] == [
        ("old", "refused", "ALFA#8"), ("watch", "admitted", "ALFA#5"),
    ]  # fmt: skip
    assert [use.name for use in found.stopped] == ["watch"]


def test_a_component_without_a_version_may_be_any(opened: Opened) -> None:
    """Where a bill does not tell the version, the release is hit by each; dropping the rule hides it."""
    catalog = opened()
    stock(catalog, [bill(0, "a", 1, "pkg:pypi/onnx"), bill(1, "b", 2, "pkg:pypi/onnx@1.14.0")])
    assert [one.name for one in hit(catalog, "pkg:pypi/onnx@1.15.0").releases] == ["a 1.0"]
    with catalog.reading() as connection:
        assert answer(connection, b"s" * 32, question(b"s" * 32, ["pkg:pypi/onnx@1.15.0"]))["hit"]


def test_what_nobody_has_is_told_as_such(stocked: Catalog) -> None:
    """A name that is not on record is an error that says so, not an empty list that reads as good news."""
    for asked in ("pkg:pypi/onnx", "model:none", digest(77), "junk"):
        with pytest.raises(NothingNamed, match="nothing on record is called so"):
            hit(stocked, asked)


@pytest.mark.parametrize("bases", [0.1, 0.9])
def test_drawn_releases_are_hit_as_a_plain_walk_finds(opened: Opened, bases: float) -> None:
    """Few rest on others, and nearly all: who is hit, and in how many steps, is what a walk over the bills themselves
    finds. With the links to base models left out of either step, it is not."""
    draw, catalog, parts = random.Random(11), opened(), [f"pkg:npm/p{n}@1.0.0" for n in range(12)]
    rests = [f"m{draw.randrange(80)}" if draw.random() < bases else "" for _ in range(60)]
    made_of = [draw.sample(parts, draw.randrange(3)) for _ in range(60)]
    stock(catalog, [
        bill(n, f"m{n}", n + 1, *components, base=[base] if base else [])
        for n, (components, base) in enumerate(zip(made_of, rests, strict=True))
    ])  # fmt: skip
    for part in {one for components in made_of for one in components}:
        depth = {n: 1 for n, components in enumerate(made_of) if part in components}
        while further := {
            n: depth[int(base[1:])] + 2
            for n, base in enumerate(rests) if n not in depth and base and int(base[1:]) in depth
        }:  # fmt: skip
            depth |= further
        found = hit(catalog, part).releases
        assert {one.digest: one.depth for one in found} == {digest(n + 1): at for n, at in depth.items()}
        assert [(one.depth, one.name) for one in found] == sorted((one.depth, one.name) for one in found)


def test_what_was_filled_anew_is_answered_from_indexes(cluster: Server) -> None:
    """On PostgreSQL every row is known to be there for all, so that no answer looks at the rows of edges for it; filled
    by a plain COPY, it would until somebody vacuums."""
    catalog = open_catalog(new_database(str(cluster.folder), "anew"))
    stock(catalog, [bill(0, "alone", 4, "pkg:npm/left-pad@1.3.0")])
    with catalog.reading() as connection:
        told = "SELECT relpages, relallvisible FROM pg_class WHERE relname = 'edges'"
        assert connection.exec_driver_sql(told).one() == (1, 1)
    catalog.close()


def test_a_ring_and_a_long_chain_end(opened: Opened) -> None:
    """Releases that name each other as base models end; a chain past the bound is cut, and says so."""
    ring, chain = opened(), EXPOSURE_DEPTH_MAX
    bills = [bill(n, f"m{n}", n + 1, base=[f"m{(n + 1) % 20}"]) for n in range(20)]
    stock(ring, bills)
    assert hit(ring, "m3").releases_total == 20
    stock(ring, [bill(n, f"m{n}", n + 1, base=[f"m{n + 1}"]) for n in range(chain)])
    assert hit(ring, f"model:m{chain}").cut


def test_advisories_join_by_package(stocked: Catalog, tmp_path: Path) -> None:
    """An advisory with ranges hits the versions inside, one withdrawn hits nothing, an unknown order hits all."""
    (tmp_path / "a.json").write_text(
        '{"id": "PYSEC-1", "aliases": ["CVE-1"], "summary": "bad", "affected": [{"package": {"ecosystem": "PyPI", '
        '"name": "numpy"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.26.1"}]}]}]}'
    )
    (tmp_path / "b.json").write_text(
        '[{"id": "GHSA-2", "affected": [{"package": {"ecosystem": "npm", "name": "left-pad"}, "ranges": [{"type": '
        '"SEMVER", "events": [{"introduced": "1.0.0"}, {"last_affected": "1.3.0"}]}]}]},'
        ' {"id": "GHSA-3", "withdrawn": "2026-01-01T00:00:00Z", "affected": [{"package": {"purl": "pkg:pypi/torch"}}]}]'
    )
    advisories = read_advisories(tmp_path)
    with stocked.reading() as connection:
        found = {
            one.id: {h.name for h in exposure(connection, one.id, wanted_of(one)).releases}
            for one in advisories
            if one.affected
        }
    assert found == {"PYSEC-1": {"tuned 1.0", "scout 1.0"}, "GHSA-2": {"alone 1.0"}}
    assert [one.id for one in by_ids(advisories, ["CVE-1"])] == ["PYSEC-1"]


def test_the_smallest_set_is_found(opened: Opened) -> None:
    """Where the greedy choice takes three, two are enough; both are exact sizes known from the outside."""
    catalog, numbers = opened(), range(1, 15)
    shared = {"pkg:npm/a": range(1, 8), "pkg:npm/b": range(8, 15), "pkg:npm/c": (*range(1, 5), *range(8, 12)),
              "pkg:npm/d": (5, 6, 12, 13), "pkg:npm/e": (7, 14)}  # fmt: skip
    bills = [bill(n, f"s{n}", n, *[name for name, of in shared.items() if n in of]) for n in numbers]
    stock(catalog, [*bills, *(admission(100 + n, f"s{n}", n, f"u{n}") for n in numbers)])
    with catalog.reading() as connection:
        hangs_on = hanging(connection)
    found = smallest(hangs_on, 14)
    assert (found.things, found.stopped, found.exact) == (("pkg:npm/a", "pkg:npm/b"), 14, True)
    assert smallest(hangs_on, 8).things == ("pkg:npm/c",)
    with pytest.raises(TooFewUses, match="14 admitted uses"):
        smallest(hangs_on, 15)


def test_what_was_not_searched_to_the_end_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """With too few steps the answer is greedy, and its lower bound is one that the search has proven."""
    monkeypatch.setattr("watchword.account.concentration.CONCENTRATION_STEPS_MAX", 50)
    draw = random.Random(7)
    hangs_on = {f"u{n}": frozenset(f"c{draw.randrange(60)}" for _ in range(3)) for n in range(60)}
    found = smallest(hangs_on, 55)
    assert not found.exact
    assert 1 < found.at_least < len(found.things)
    assert found.stopped >= 55


def test_exact_agrees_with_every_subset() -> None:
    """For small cases, no subset of fewer things stops as many: all were tried."""
    from itertools import combinations

    draw = random.Random(11)
    for _ in range(40):
        hangs_on = {f"u{n}": frozenset(f"c{draw.randrange(7)}" for _ in range(2)) for n in range(8)}
        k = draw.randrange(1, 9)
        found = smallest(hangs_on, k)
        things = sorted({thing for of in hangs_on.values() for thing in of})

        def stops(chosen: tuple[str, ...], of: dict[str, frozenset[str]] = hangs_on) -> int:
            return sum(bool(needed & set(chosen)) for needed in of.values())

        least = next(s for s in range(1, 9) if any(stops(c) >= k for c in combinations(things, s)))
        assert (len(found.things), found.exact) == (least, True)
        assert stops(found.things) == found.stopped >= k


def test_lists_go_on_page_by_page(stocked: Catalog) -> None:
    """Every release stands on one page, in order of name; a page knows the uses of its releases."""
    with stocked.reading() as connection:
        seen, after = [], ""
        while True:
            page = queries.releases(connection, after=after, limit=2)
            seen += page.releases
            if not (after := page.after):
                break
        assert [one.name for one in seen] == ["alone 1.0", "base-7b 1.0", "mystery 1.0", "scout 1.0", "tuned 1.0"]
        assert [(use.name, use.verdict) for use in seen[3].uses] == [("old", "refused"), ("watch", "admitted")]
        assert [one.name for one in queries.releases(connection, supplier="AQUILA").releases] == ["alone 1.0"]
        assert [one.name for one in queries.releases(connection, begins="B").releases] == ["base-7b 1.0"]


def test_a_release_tells_what_is_known_of_it(stocked: Catalog) -> None:
    """Statements, parts, and the releases that rest on it; nothing of one that no statement that counts is about."""
    with stocked.reading() as connection:
        facts = queries.release(connection, digest(1))
        assert queries.release(connection, digest(6)) is None
    assert facts is not None
    assert [(one.kind, one.locator) for one in facts.statements] == [("bill-of-materials", "ALFA#0")]
    assert [(part.sort, part.told()) for part in facts.parts] == [
        ("component", "file-900"), ("component", "torch@2.1.0"), ("dataset", "set 800"),
    ]  # fmt: skip
    assert [one.name for one in facts.used_in] == ["tuned 1.0"]


def test_others_learn_yes_or_no_and_large_numbers_alone(stocked: Catalog) -> None:
    """A question reveals no name without the secret; an answer holds no name, and no number below the threshold."""
    secret = b"s" * 32
    with stocked.reading() as connection:
        for text, hit in (("pkg:pypi/torch", True), ("PKG:PYPI/torch@2.1.0", True), ("pkg:pypi/torch@2", False),
                          ("Base-7B", True), (digest(900), True), ("nothing", False)):  # fmt: skip
            asked = question(secret, [text])
            assert "torch" not in str(asked)
            told = answer(connection, secret, asked)
            assert (told["hit"], told["uses"]) == (hit, None), text
            assert not answer(connection, b"t" * 32, asked)["hit"]
        for junk in (None, [], {"format": "x", "names": []}, {"format": asked["format"], "names": [1]}):
            with pytest.raises(BadQuestion):
                answer(connection, secret, junk)


@pytest.mark.parametrize(("uses", "told"), [(0, None), (1, None), (4, None), (5, 5), (9, 5), (10, 10)])
def test_numbers_are_told_in_steps_alone(opened: Opened, uses: int, told: int | None) -> None:
    """Below five none; else at least how many, so that two questions do not tell of one use. Refused uses are none.
    With the exact number told, the difference of two answers was one system."""
    catalog, secret = opened(), b"s" * 32
    admitted = [admission(n, "a", 1, f"u{n}") for n in range(1, 1 + uses)]
    stock(catalog, [bill(0, "a", 1, "pkg:npm/x"), *admitted, admission(99, "a", 1, "no", "refused")])
    with catalog.reading() as connection:
        found = answer(connection, secret, question(secret, ["pkg:npm/x"]))
    assert (found["hit"], found["uses"]) == (True, told)
    assert set(found) == {"format", "hit", "question", "uses"}
