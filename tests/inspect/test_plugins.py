"""Plugins: asked only when named, listed, contained; they add findings and can take none of ours away."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from inspect_samples import EVIL

import watchword.inspect
from watchword.inspect import Inspection, Verdict, inspect_path, plugins
from watchword.inspect.plugins import BadPlugin, load_plugins

SCHEMA = json.loads((Path(watchword.inspect.__file__).parent / "schema.json").read_text())
CODE = """
import sys
from watchword.inspect.exhibit import MAGIC, Format
from watchword.inspect.facts import FileReport, Oddity, Verdict
from watchword.inspect.rules.rule import Rule

def rule(id, reads=(), check=None):
    return Rule(id, "A title", Verdict.SUSPICIOUS, "low", "low", (), "Why it matters.", "What to do.", reads, check)

def told(one):
    for name in one.facts.get("imports", ()):
        yield Oddity("acme-import", None, f"imports {name}")

def fails(one):
    yield from told(one)
    raise IndexError("oh")

def read(exhibit, what):
    exhibit.odd("acme-box", 4, "a box of ACME")
    return "acme box", "the box was opened"

def leaves(exhibit, what):
    sys.exit(0)

def everything(exhibit, what):
    exhibit.into.findings.clear() if False else None
    return "harmless", "nothing to see"

import_rule = rule("acme-import", (FileReport,), told)
failing_rule = rule("acme-import", (FileReport,), fails)
box_rule = rule("acme-box")
taken = rule("pickle-call")
box = Format("acme box", MAGIC, lambda source, head, name: head.startswith(b"ACME"), read, "acme")
leaving = (Format("acme box", MAGIC, lambda source, head, name: True, leaves),)
claims_all = [Format("harmless", MAGIC, lambda source, head, name: True, everything)]
nothing = 3
"""
ENTRIES = """
[watchword.inspect.rules]
import = acme_inspect:import_rule
failing = acme_inspect:failing_rule
boxed = acme_inspect:box_rule
taken = acme_inspect:taken
none = acme_inspect:nothing
absent = acme_inspect:no_such_thing

[watchword.inspect.formats]
box = acme_inspect:box
leaving = acme_inspect:leaving
all = acme_inspect:claims_all
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A distribution as it lies in site-packages; and a folder to inspect."""
    place = tmp_path / "site"
    (place / "acme_inspect-1.2.dist-info").mkdir(parents=True)
    (place / "acme_inspect.py").write_text(CODE)
    (place / "acme_inspect-1.2.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: acme-inspect\nVersion: 1.2\n"
    )
    (place / "acme_inspect-1.2.dist-info" / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(str(place))
    importlib.invalidate_caches()
    load_plugins.cache_clear()
    release = tmp_path / "release"
    release.mkdir()
    (release / "evil.pkl").write_bytes(EVIL)
    (release / "x.acme").write_bytes(b"ACME\xff\xfe\x00\x01" * 9)
    return release


def ask(release: Path, *names: str, jobs: int = 1) -> Inspection:
    result = inspect_path(release, plugins=names, jobs=jobs)
    jsonschema.validate(json.loads(json.dumps(result.to_json())), SCHEMA)
    return result


def told(result: Inspection) -> set[tuple[str, str]]:
    return {(finding.path, finding.rule) for finding in result.findings}


def test_a_plugin_is_asked_only_when_it_is_named(installed: Path) -> None:
    """Installed is not in force: without its name nothing of it is imported."""
    import sys

    sys.modules.pop("acme_inspect", None)
    assert told(ask(installed)) == {("evil.pkl", "pickle-call"), ("x.acme", "not-inspected")}
    assert "acme_inspect" not in sys.modules
    assert "plugins" not in ask(installed).tool


def test_rules_and_formats_of_a_plugin_add_findings(installed: Path) -> None:
    """A rule on our facts; a format that we do not know, which is then no longer uninspected. The result lists them."""
    result = ask(installed, "boxed", "box")
    assert told(result) == {("evil.pkl", "pickle-call"), ("x.acme", "acme-box")}
    assert [(r.format, r.looked) for r in result.files if r.path == "x.acme"] == [("acme box", "the box was opened")]
    assert [(one["name"], one["distribution"], one["version"]) for one in result.tool["plugins"]] == [
        ("boxed", "acme-inspect", "1.2"),
        ("box", "acme-inspect", "1.2"),
    ]
    assert result.tool["rules"] != ask(installed).tool["rules"]


def test_a_plugin_that_claims_everything_silences_nothing(installed: Path) -> None:
    """Our readers look first. Fails if a plugin's reading replaces ours where we have one."""
    result = ask(installed, "all")
    assert ("evil.pkl", "pickle-call") in told(result)
    assert result.verdict is Verdict.DANGEROUS


@pytest.mark.parametrize(("name", "path"), [("failing", "evil.pkl"), ("leaving", "x.acme")])
def test_a_plugin_that_fails_is_a_finding_and_no_silent_pass(installed: Path, name: str, path: str) -> None:
    """An error, or an exit in the middle, makes the file unreadable; our findings stand. Fails if it is passed over."""
    result = ask(installed, name)
    assert {(path, "plugin-failed"), ("evil.pkl", "pickle-call"), ("x.acme", "not-inspected")} <= told(result)
    assert {f.verdict for f in result.findings if f.rule == "plugin-failed"} == {Verdict.UNREADABLE}


def test_the_same_plugins_say_the_same_in_several_processes(installed: Path) -> None:
    """Names travel to the processes, which load them anew."""
    assert ask(installed, "boxed", "box", jobs=2).to_json() == ask(installed, "boxed", "box").to_json()


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("missing",), "missing: no plugin has this name"),
        (("taken",), "there is a rule pickle-call already"),
        (("import", "failing"), "there is a rule acme-import already"),
        (("none",), "leads to no Rule"),
        (("absent",), "cannot be loaded: AttributeError"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_an_error_before_anything_is_looked_at(
    installed: Path, names: tuple[str, ...], says: str
) -> None:
    """Asked for and not had: no result at all, never one without it."""
    with pytest.raises(BadPlugin, match=says):
        ask(installed, *names)


def test_a_rule_reads_all_that_was_told_of_a_file(installed: Path) -> None:
    """The report on a delivered file, with what loading it would import, is put to a plugin's rule."""
    found = [f.message for f in ask(installed, "import").findings if f.rule == "acme-import"]
    assert found == ["imports posix.system"]
    assert plugins.digest_with("sha256:x", load_plugins(())) == "sha256:x"


def test_the_command_takes_the_names(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--plugins`` in text and in SARIF, where the plugin's rule is described too."""
    call: Callable[..., int] = importlib.import_module("watchword.cli").main
    assert call(["inspect", str(installed / "x.acme"), "--plugins", "boxed", "--plugins", "box"]) == 1
    assert "suspicious[acme-box]  x.acme @ 0x4  a box of ACME" in capsys.readouterr().out
    assert (
        call(["inspect", str(installed / "x.acme"), "--plugins", "boxed", "--plugins", "box", "--format", "sarif"]) == 1
    )
    assert '"id": "acme-box"' in capsys.readouterr().out
