"""Traps of the Cedar engine, each shown as it is, and that nothing here falls into it.

The first of each pair documents the engine, so that a change of it is seen; the second is ours.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from typing import Any

import cedarpy
import pytest
from decisions import RELEASE, TRIAGE, pack_charter

from watchword.limits import CEDAR_CHAIN_MAX, CEDAR_NESTING_MAX, CEDAR_PATH_MAX, CEDAR_TEXT_BYTES_MAX
from watchword.policy.caveat import BadCaveat, check_free
from watchword.policy.cedar import EngineTrouble, evaluate, measure

ALLOW = cedarpy.Decision.Allow
PERMIT = "permit (principal, action, resource);"
SCHEMA = """entity U; entity R;
action "admit" appliesTo { principal: [U], resource: [R], context: { "there": Long, "maybe"?: Bool } };"""


def asked(forbid: str, context: dict[str, Any], schema: str | None = None) -> Any:
    """What the engine says of one forbid above a permit for everything."""
    request = {"principal": 'U::"u"', "action": 'Action::"admit"', "resource": 'R::"r"', "context": context}
    given = None if schema is None else cedarpy.Schema.from_str(schema)
    return cedarpy.is_authorized(request, f"forbid (principal, action, resource) {forbid};{PERMIT}", "[]", schema=given)


@pytest.mark.parametrize(
    ("forbid", "context"),
    [
        ("when { context.missing }", {"there": 1}),
        ("when { context.there }", {"there": 1}),
        ("when { context.maybe }", {"there": 1}),
        ("when { context.there + 1 > 0 }", {"there": 2**63 - 1}),
        ("when { principal.attribute == 1 }", {"there": 1}),
        ('when { context.there < "9" }', {"there": 1}),
    ],
)
def test_the_engine_allows_past_a_forbid_that_errs(forbid: str, context: dict[str, Any]) -> None:
    """A missing attribute, another type, an overflow: the forbid is skipped, and the answer is Allow."""
    answer = asked(forbid, context)
    assert answer.decision is ALLOW and answer.diagnostics.errors


@pytest.mark.parametrize(
    ("forbid", "context"),
    [("when { context.maybe }", {"there": 1}), ("when { context.there + 1 > 0 }", {"there": 2**63 - 1})],
)
def test_a_schema_alone_does_not_help(forbid: str, context: dict[str, Any]) -> None:
    """An attribute that may be missing and an overflow err under a schema too; only the diagnostics show it."""
    answer = asked(forbid, context, SCHEMA)
    assert answer.decision is ALLOW and answer.diagnostics.errors


def test_a_misspelt_attribute_passes_the_validator() -> None:
    """``has`` of what the schema lacks is no error there: the forbid validates, and never fires."""
    misspelt = "when { context has dangerus && context.dangerus > 0 }"
    validated = cedarpy.validate_policies(f"forbid (principal, action, resource) {misspelt};", SCHEMA)
    assert validated.validation_passed and not validated.errors
    assert asked(misspelt, {"there": 1}, SCHEMA).decision is ALLOW
    assert asked(misspelt, {"dangerous": 5}).decision is ALLOW


@pytest.mark.parametrize("action", ["admit", "act"])
def test_a_caveat_with_a_misspelt_attribute_is_refused(action: str) -> None:
    """It would pass every validation and forbid nothing. Fails when only the engine's validator is asked."""
    head = f'@id("x") @accountable("y") @text("z") forbid (principal, action == Action::"{action}", resource)'
    check_free(f"{head} when {{ context has owner && context.criticality > 1 }};", "caveat")
    for misspelt in ("context has ownr && context.criticality > 1", "!(context has tols)", "principal has owners"):
        with pytest.raises(BadCaveat, match="there is no attribute"):
            check_free(f"{head} when {{ {misspelt} }};", "caveat")


@pytest.mark.parametrize("context", [{}, {"rows": {}}, {"dangerous": None}, {"recalls": 2**63}, {"tags": "x"}])
def test_no_error_of_the_engine_admits(context: dict[str, Any]) -> None:
    """Whatever the engine trips over, there is no decision. Fails when diagnostics or the schema are left out."""
    charter = pack_charter()
    with pytest.raises(EngineTrouble):
        evaluate(charter, TRIAGE, context, RELEASE.digest)


DIES = {
    "brackets": ("PolicySet.from_str", '"("*2000+"true"+")"*2000'),
    "a path in has": ("policies_to_json_str", '"context has a"+".a"*3000'),
    "a path": ("policies_to_json_str", '"context"+".a"*25000+" == 1"'),
    "arithmetic": ("policies_to_json_str", '"1"+"+1"*25000+" == 1"'),
}  # fmt: skip


@pytest.mark.parametrize("what", DIES)
def test_the_engine_dies_of_text_that_fits_in_64_kb(what: str) -> None:
    """The process ends; no exception is raised that could be caught. One gigabyte is given."""
    call, expression = DIES[what]
    code = (
        "import cedarpy,resource; resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30)); "
        f"text = 'forbid (principal, action, resource) when {{ ' + {expression} + ' }};'; "
        f"assert len(text) <= {CEDAR_TEXT_BYTES_MAX}; cedarpy.{call}(text)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode < 0, done.stderr[-300:]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("(" * (CEDAR_NESTING_MAX + 1), "nested deeper"),
        ("[" * 30 + "(" * 30 + "{" * 5, "nested deeper"),
        ("context" + ".a" * CEDAR_PATH_MAX, "a path of more than"),
        ("context" + " . \n a" * CEDAR_PATH_MAX, "a path of more than"),
        ("context has a" + ".// dots in a comment\n a" * CEDAR_PATH_MAX, "a path of more than"),
        ("1" + "+1" * (CEDAR_CHAIN_MAX + 1), "arithmetic"),
        ("1" + " - 1 * 1" * (CEDAR_CHAIN_MAX // 2 + 1), "arithmetic"),
        ("if true then " * (CEDAR_CHAIN_MAX + 1), "if, limit"),
        ('"' + "(" * 500, "does not end"),
        ('"\\"' + "(" * 500 + "\\", "does not end"),
        ("x" * (CEDAR_TEXT_BYTES_MAX + 1), "bytes"),
        ("é" * (CEDAR_TEXT_BYTES_MAX // 2 + 1), "bytes"),
    ],
)
def test_what_the_engine_dies_of_never_reaches_it(text: str, says: str) -> None:
    """Measured before it is parsed, comments and white space between included. Fails when ``measure`` is not asked."""
    with pytest.raises(EngineTrouble, match=says):
        measure("policy", text)


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("(" * CEDAR_NESTING_MAX, "("),
        ("context" + ".a" * (CEDAR_PATH_MAX - 1), ".a"),
        ("1" + "+1" * CEDAR_CHAIN_MAX, "+1"),
        ('"' + ".a" * 500 + '"', ".a" * CEDAR_PATH_MAX),
        ("// " + "if " * 5_000, "\n" + "if " * (CEDAR_CHAIN_MAX + 1)),
        ('"\\"' + "(" * 100 + '"', '"'),
        ("x" * CEDAR_TEXT_BYTES_MAX, "x"),
        ("a.b(c.d(e.f(g.h(i.j))))" * 20, ".a" * CEDAR_PATH_MAX),
    ],
)
def test_what_the_engine_bears_is_let_through(text: str, more: str) -> None:
    """Texts and comments do not count, nor do short paths beside each other; *more* of the same is too much."""
    measure("policy", text)
    with pytest.raises(EngineTrouble):
        measure("policy", text + more)


@pytest.mark.parametrize("unit", ['"', "\\", '"\\', "/", "//", ".", ". ", ".a ", "if", "-", "(", '"("', "\n", "\u202e"])
def test_measuring_is_quick_whatever_the_text(unit: str) -> None:
    """Linear: the longest text of one hostile piece takes well under a second."""
    began = time.process_time()
    with contextlib.suppress(EngineTrouble):
        measure("policy", unit * (CEDAR_TEXT_BYTES_MAX // len(unit.encode())))
    assert time.process_time() - began < 0.5
