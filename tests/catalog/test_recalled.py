"""What a recall hits at home: the catalog says what reading everything says."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from alliance import Alliance
from catalog.stocked import digest, stock
from decisions import DAY, FIELDS, NOON, ROLE, key, pack_charter

from watchword.account.answering import recalls_held, reckon
from watchword.account.recalled import hit_in_catalog
from watchword.account.recalls import hit_at_home
from watchword.catalog.database import Catalog
from watchword.catalog.rows import Entry
from watchword.ledger.view import Fact, Facts
from watchword.limits import CATALOG_TEXT_BYTES_MAX
from watchword.node.cataloguing import bring_up
from watchword.statements.digests import D
from watchword.statements.statement import Signed, Subject, make

Opened = Callable[[], Catalog]
CHARTER = pack_charter()
LEDGERS = sorted(member.origins["ledger"] for member in CHARTER.members)
PURLS = [
    "pkg:pypi/Torch@2.1", "pkg:pypi/torch@2.3rc1", "pkg:pypi/torch", "pkg:npm/%40Scope/a@1.0", "PKG:npm/@scope/a@2",
    "pkg:golang/Github.com/A/b@v1.4.0?x=y#z", "junk", "pkg:pypi/" + "x" * CATALOG_TEXT_BYTES_MAX + "@3", "",
]  # fmt: skip
MODELS = ["base", "Base", "other"]
TARGETS = [
    "package:pkg:pypi/torch", "package:pkg:npm/@scope/a", "package:pkg:golang/github.com/a/b", "component:junk",
    "component:pkg:pypi/Torch@2.1", f"component:{digest(50)}", f"dataset:{digest(61)}", f"dataset:{digest(60)}",
    "model:base", "model:Base", "model:x", "supplier:AQUILA", "supplier:FALCO", "supplier:aquila",
    f"release:{digest(1)}", "package:pkg:pypi/" + "x" * CATALOG_TEXT_BYTES_MAX, f"component:{PURLS[7]}",
    "package:pkg:pypi/none",
]  # fmt: skip


def said(draw: Random) -> tuple[str, dict[str, Any]]:
    """A kind of statement, and its fields."""
    kind = draw.choice(["bill-of-materials"] * 3 + ["claim", "endpoint", "data-screening", "inspection", "decision"])
    lines = [
        {"name": "c", "version": "1", "purl": draw.choice(PURLS) or None, "digest": draw.choice([None, digest(50)])}
        for _ in range(draw.randrange(3))
    ]
    changed: dict[str, dict[str, Any]] = {
        "bill-of-materials": {
            "components": lines, "base_models": draw.sample(MODELS, draw.randrange(2)),
            "datasets": [{"name": "d", "digest": digest(60)}] * draw.randrange(2),
        },
        "claim": {"trained_on": [{"name": "d", "digest": digest(61)}]},
        "endpoint": {"supplier": draw.choice(["FALCO", "AQUILA"])},
        "data-screening": {"delivered": digest(draw.choice([60, 61]))},
        "decision": {
            "decision": {"verdict": draw.choice(["admitted", "admitted", "refused"])}
            | draw.choice([{}, {"use_case": digest(9)}])
        },
    }  # fmt: skip
    if kind == "decision" and draw.random() < 0.2:
        return "mandate", {"mandate": {"name": "m"}}
    return kind, FIELDS.get(kind, {}) | changed.get(kind, {})


def drawn(draw: Random) -> list[Fact]:
    """What members said of six releases, some of it of two at once, or later than now."""
    facts, places = [], dict.fromkeys(LEDGERS, 0)
    for _ in range(draw.randrange(30, 60)):
        kind, fields = said(draw)
        role = ROLE.get(kind, "official" if kind == "decision" else "commander")
        issuer = "AQUILA" if role == "supplier" else draw.choice(["ALFA", "ALFA", "BRAVO"])
        about = draw.sample(range(6), 1 + (draw.random() < 0.2))
        subjects = tuple(Subject(f"r{n} {draw.randrange(2)}", digest(n)) for n in about)
        statement = make(kind, subjects, fields, issuer=issuer, made=NOON - DAY * draw.choice([0, 1, 5, -1]))
        origin = draw.choice(LEDGERS)
        signer = key(issuer, role).public.id
        facts.append(Fact(Signed(statement, signer, b"", b""), CHARTER.holders[signer], origin, places[origin]))
        places[origin] += 1
    return facts


def entry(fact: Fact) -> Entry:
    locator = f"{fact.origin}#{fact.index}"
    return Entry(fact.signed.statement, fact.signed.key_id, fact.origin, fact.index, locator, True)


@pytest.mark.parametrize("seed", range(8))
def test_the_catalog_hits_what_reading_everything_hits(opened: Opened, seed: int) -> None:
    """Name, release, statements and whether a gate has to close: for drawn ledgers, views of a part of them, and
    recalls by every sort of name, with versions and as exercises; without the bound on places the answers differ."""
    catalog, draw, hit = opened(), Random(seed), 0
    for _ in range(3):
        facts = drawn(draw)
        stock(catalog, [entry(fact) for fact in facts])
        sizes = {origin: draw.choice([2, 100, 100]) for origin in LEDGERS}
        seen = sorted((one for one in facts if one.index < sizes[one.origin]), key=lambda one: (one.origin, one.index))
        with catalog.reading() as connection:
            for target in TARGETS:
                spans = draw.choice([[], [{"from": "2.0", "before": "2.3"}], [{"from": "9", "before": None}]])
                recall = {"target": draw.choice(["", "exercise:"]) + target, "versions": spans}
                expected = hit_at_home(CHARTER, Facts(tuple(seen), (), (), b"s" * 32), recall, "ALFA", NOON)
                found = hit_in_catalog(connection, recall, "ALFA", NOON, sizes)
                assert found is not None
                if "x" * 9 in target and spans:
                    # The tables know of so long a package URL its beginning alone: it may be of any version.
                    assert set(expected) <= set(found)
                else:
                    assert found == expected, recall
                hit += len(expected)
    assert hit


def test_what_no_catalog_knows_is_not_answered_by_one(opened: Opened) -> None:
    """A recall of a key or a statement is none that a catalog could say no to."""
    catalog = opened()
    stock(catalog, [])
    with catalog.reading() as connection:
        assert hit_in_catalog(connection, {"target": f"key:{digest(1)}", "versions": []}, "ALFA", NOON, {}) is None


def test_an_answer_by_catalog_reads_no_evidence(
    alliance: Alliance, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the recall to what is signed: the same with a catalog as without, and with one no evidence is read."""
    alfa, catalog = alliance.nodes["ALFA"], opened()
    of = Subject("mailsort 1.0", digest(7))
    line = {"name": "torch", "version": "2", "purl": "pkg:pypi/torch@2", "digest": None}
    bill = FIELDS["bill-of-materials"] | {"components": [line], "document": alfa.attach("b", "application/json", b"{}")}
    alfa.sign_and_append("bill-of-materials", (of,), bill, person="evaluator")
    alfa.sign_and_append("decision", (of,), {"decision": {"verdict": "admitted", "use_case": digest(9)}})
    alliance.recall("BRAVO", "package:pkg:pypi/torch")
    alliance.sync()
    bring_up(alfa, catalog)
    (id,) = recalls_held(alfa)
    slow = reckon(alfa, id)
    assert [(one.name, one.mandate) for one in slow.hits] == [("mailsort 1.0", False)]
    assert slow.fields["answer"] == "yes"

    def unread(*_: object) -> object:
        raise AssertionError("facts were read")

    monkeypatch.setattr(type(alfa), "facts", unread)
    with catalog.reading() as connection:
        assert reckon(alfa, id, catalog=connection) == slow


def test_a_key_revoked_in_the_notices_signs_nothing_more(alliance: Alliance) -> None:
    """Looked for where notices count; with the look taken out, the key went on signing."""
    from watchword.charter.standing import NoStanding

    alfa = alliance.nodes["ALFA"]
    holder = next(one for one in alfa.me.keys if one.person == "evaluator")
    name = f"key:{holder.public.id}"
    fields = {"target": name, "reason": "gone", "valid_up_to": []}
    alfa.sign_and_append("revoke", (Subject("notice", D(name.encode())),), fields, person="root")
    with pytest.raises(NoStanding, match="was revoked"):
        alfa.sign("inspection", (Subject("x", digest(1)),), FIELDS["inspection"], person="evaluator")
