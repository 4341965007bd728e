"""``--format json`` of every command: one JSON value on stdout that names its schema, whatever the verdict."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fleet.hubs import Registry, serving

from watchword.cli import parser

ALFA, BRAVO = ("--home", "ALFA"), ("--home", "BRAVO")
NAMED = ("--system", "mail-sorter", "--release", "2.0")
ASK = ("gate", "ask", "--of", "mail-sorter 1.0", "--tool")
MEMBERS = [word for name in ("ALFA", "BRAVO", "CHARLIE") for word in ("--member", f"{name}/enrolment.json")]

CAVEAT = """name = "none-at-3"
reason = "not yet"
[[rule]]
id = "none-at-3"
text = "nothing critical"
forbid = [{ field = "criticality", op = ">=", value = 3 }]
accountable = "official"
"""

# Exit code, schema, what is typed. HOLD and ACTION stand for what an earlier answer said, PEER for BRAVO over HTTP,
# ARTEFACT for mail-sorter in a registry.
ASTRAY = """reason = "astray"
severity = "low"
began = "2026-01-31T12:00:00Z"
found = "2026-01-31T12:05:00Z"
text = ""
"""
STORY: list[tuple[int, str, tuple[str, ...]]] = [
    (0, "watchword-inspection/1", ("inspect", "mail-sorter")),
    (1, "watchword-inspection/1", ("inspect", "mail-sorter-2", "--record", *NAMED, *ALFA)),
    (1, "watchword-inspections/1", ("inspect", "mail-sorter", "mail-sorter-2")),
    (1, "watchword-comparison/1", ("inspect", "mail-sorter-2", "--against", "mail-sorter")),
    (0, "watchword-rule/1", ("inspect", "--explain", "pickle-call")),
    (0, "watchword-fleet-data/1", ("fleet", "data", "mail-sorter", "--depth", "0", "--output", "manifests")),
    (1, "watchword-fleet/1", ("fleet", "inspect", "mail-sorter-2", "--depth", "0", "--jobs", "1")),
    (1, "watchword-fleet-evaluated/1",
        ("fleet", "evaluate", "few.toml", "sorter", "--depth", "0", "--data", "few.jsonl", "--rehearse", "x",
         "--jobs", "1")),
    (0, "watchword-fleet-committed/1",
        ("fleet", "evaluate", "few.toml", "sorter", "--depth", "0", "--data", "few.jsonl", "--commit", "--jobs", "1",
         *ALFA)),
    (0, "watchword-assured/1", ("assure", "mail-sorter", *ALFA)),
    (1, "watchword-assured/1", ("assure", "mail-sorter-2", "--use", "use.toml", *ALFA)),
    (0, "watchword-data-manifest/1", ("data", "manifest", "labels-1.csv", "--key", "id", "--label", "label")),
    (0, "watchword-data-difference/1", ("data", "verify", "labels-1.csv.rows", "labels-1.csv")),
    (1, "watchword-data-screen/1",
        ("data", "screen", "mails.csv", "--key", "id", "--label", "label", "--no-power", "--output", "screen.json")),
    (0, "watchword-data-review/1",
        ("data", "review", "screen.json", "mails.csv", "--key", "id", "--label", "label",
         "--decisions", "decisions.csv", "--output", "mails-2.csv")),
    (0, "watchword-data-remote/1", ("data", "remote", "urls.csv", "urls.csv")),
    (1, "watchword-data-difference/1",
        ("data", "diff", "labels-1.csv", "labels-2.csv", "--record", "--of", "mail-sorter", *BRAVO)),
    (0, "watchword-recorded/1", ("statement", "sign", "review", "review.toml", "--of", "mail-sorter", *ALFA)),
    (0, "watchword-signed/1",
        ("statement", "sign", "review", "review.toml", "--of", "mail-sorter", "--output", "r.json", *ALFA)),
    (0, "watchword-statements/1", ("statement", "list", *ALFA)),
    (0, "watchword-statement/1", ("statement", "show", "ALFA#0", *ALFA)),
    (0, "watchword-statement/1", ("statement", "show", "r.json")),
    (0, "watchword-recorded/1", ("statement", "reply", "ALFA#0", "--text", "so it is", *ALFA)),
    (0, "watchword-recorded/1", ("statement", "mark", "ALFA#0", "label.toml", *ALFA)),
    (0, "watchword-recorded/1",
        ("statement", "sign", "evaluation", "run.toml", "--of", "mail-sorter", "--redactable", "seed", *BRAVO)),
    (0, "watchword-recorded/1", ("statement", "redact", "BRAVO#2", "--field", "seed", "--reason", "x", *BRAVO)),
    (0, "watchword-claims/1", ("claim", "check", "mail-sorter 1.0", *ALFA)),
    (0, "watchword-delivered/1", ("claim", "verify", "claim.json", "mail-sorter", "--signer", "AQUILA", *ALFA)),
    (0, "watchword-init/1", ("init", "GOLF", "--unencrypted", "--home", "golf")),
    (0, "watchword-upgraded/1", ("upgrade", "--copy", "golf.tar", "--home", "golf")),
    (0, "watchword-person-named/1", ("retention", "name", "official", "--name", "X", "--home", "golf")),
    (0, "watchword-retention/1", ("retention", "show", "--home", "golf")),
    (0, "watchword-erased/1", ("retention", "erase", "official", "--reason", "x", "--home", "golf")),
    (0, "watchword-licences/1", ("licences",)),
    (0, "watchword-update-made/1",
        ("update", "make", "finds.toml", "--data-version", "1", "--output", "finds.json", "--home", "AQUILA")),
    (0, "watchword-update-installed/1", ("update", "install", "finds.json", "--signer", "AQUILA/enrolment.json")),
    (0, "watchword-updates/1", ("update", "show")),
    (0, "watchword-update-removed/1", ("update", "remove")),
    (1, "watchword-joined/1", ("join", "post", "--home", "golf")),
    (0, "watchword-keys/1", ("keys", *ALFA)),
    (0, "watchword-charter-draft/1", ("charter", "draft", "--alliance", "X", *MEMBERS)),
    (0, "watchword-ratification/1", ("charter", "ratify", "charter.json", *ALFA)),
    (0, "watchword-charter-shown/1", ("charter", "show", *ALFA)),
    (1, "watchword-charter-lint/1", ("charter", "lint", "charter.json")),
    (0, "watchword-adopt/1", ("charter", "adopt", "ALFA/charter.json", "--secret", "ALFA/alliance.secret", *ALFA)),
    (0, "watchword-heads/1", ("ledger", "show", *ALFA)),
    (0, "watchword-console-link/1", ("console", *ALFA)),
    (0, "watchword-looks/1", ("looks", "check", *ALFA)),
    (0, "watchword-looks-anchored/1", ("looks", "anchor", *ALFA)),
    (0, "watchword-appended/1", ("ledger", "append", "claim.json", *ALFA)),
    (0, "watchword-export/1", ("ledger", "export", "--to", "BRAVO", *ALFA)),
    (0, "watchword-imported/1", ("ledger", "import", "ALFA-to-BRAVO.wwx.json", *BRAVO)),
    (0, "watchword-exchange/1", ("ledger", "exchange", "post", *ALFA)),
    (0, "watchword-proof/1", ("ledger", "prove", "ALFA#2", *ALFA)),
    (1, "watchword-model-signature/1", ("statement", "model-signature", "mail-sorter", "--signature", "claim.json")),
    (0, "watchword-no-notice/1", ("ledger", "no-notice", "mail-sorter 1.0", *ALFA)),
    (0, "watchword-verified/1", ("ledger", "verify", "ALFA/charter.json", "proof.json")),
    (1, "watchword-verified/1", ("ledger", "verify", "ALFA/charter.json", "claim.json")),
    (0, "watchword-check/1", ("ledger", "check", *ALFA)),
    (0, "watchword-explanation/1", ("admit", "mail-sorter 1.0", "--use", "use.toml", *ALFA)),
    (1, "watchword-explanation/1", ("admit", "mail-sorter-2", "--use", "use.toml", "--no-record", *ALFA)),
    (0, "watchword-status/1", ("status", *ALFA)),
    (0, "watchword-catalog-filled/1", ("catalog", "rebuild", *ALFA)),
    (0, "watchword-catalog-filled/1", ("catalog", "update", *ALFA)),
    (0, "watchword-catalog/1", ("catalog", "status", *ALFA)),
    (1, "watchword-exposure/1", ("exposure", "supplier:AQUILA", *ALFA)),
    (0, "watchword-exposure-asked/1", ("exposure", "aquila", "--ask", "asked.json", *ALFA)),
    (1, "watchword-exposure-answer/1", ("exposure", "--answer", "asked.json", *ALFA)),
    (0, "watchword-concentration/1", ("exposure", "--stops", "1", *ALFA)),
    (0, "watchword-doctor/1", ("doctor", *BRAVO)),
    (0, "watchword-backup-made/1", ("backup", "bravo.tar", *BRAVO)),
    (0, "watchword-restored/1", ("restore", "bravo.tar", "--home", "again")),
    (1, "watchword-caveat-added/1", ("caveat", "add", "ours.toml", *BRAVO)),
    (0, "watchword-caveat-added/1", ("caveat", "add", "ours.toml", "--yes", *BRAVO)),
    (0, "watchword-caveats/1", ("caveat", "list", *BRAVO)),
    (0, "watchword-caveat/1", ("caveat", "show", "none-at-3", *BRAVO)),
    (0, "watchword-recorded/1", ("caveat", "lift", "none-at-3", "--reason", "x", *BRAVO)),
    (0, "watchword-recorded/1",
        ("waiver", "add", "mail-sorter 1.0", "--requirement", "two-inspections", "--use", "use.toml", "--owner", "kim",
         "--reason", "x", "--expires", "2040-01-01T00:00:00Z", *BRAVO)),
    (0, "watchword-waivers/1", ("waiver", "list", *ALFA)),
    (0, "watchword-recorded/1",
        ("rely", "ALFA#0", "--criticality-max", "1", "--until", "2040-01-01T00:00:00Z", "--reason", "x", *BRAVO)),
    (0, "watchword-reliances/1", ("rely", "--check", *BRAVO)),
    (0, "watchword-admissions/1",
        ("admit", "mail-sorter", "--use", "use.toml", "--bundle", "no-notice.json", "--charter", "ALFA/charter.json")),
    (0, "watchword-policy/1", ("policy", "show", *ALFA)),
    (0, "watchword-policy-check/1", ("policy", "check", *ALFA)),
    (0, "watchword-cedar/1", ("policy", "cedar", *ALFA)),
    (0, "watchword-packs/1", ("policy", "packs")),
    (0, "watchword-table/1", ("policy", "table", "alliance", "--output", "table.toml")),
    (0, "watchword-positions/1", ("charter", "compare", "table.toml")),
    (0, "watchword-coverage/1", ("policy", "coverage", *ALFA)),
    (0, "watchword-recorded/1", ("gate", "mandate", "mandate.toml", "--decision", "ALFA#2", *ALFA)),
    (0, "watchword-gate-answer/1", (*ASK, "label-mail", "--arg", "message=m", "--arg", "label=order", *ALFA)),
    (1, "watchword-gate-answer/1", (*ASK, "delete-mailbox", *ALFA)),
    (1, "watchword-gate-answer/1", (*ASK, "quarantine", "--arg", "message=m-7", *ALFA)),
    (0, "watchword-gate-holds/1", ("gate", "holds", *ALFA)),
    (0, "watchword-gate-request/1", ("gate", "request", "HOLD", "--output", "hold.json", *ALFA)),
    (0, "watchword-gate-laid/1", ("gate", "lay", "hold.json", *BRAVO)),
    (0, "watchword-gate-approval/1", ("gate", "approve", "hold.json", "--confirm", "m-7", "--output", "b", *BRAVO)),
    (0, "watchword-gate-approval/1", ("gate", "approve", "hold.json", "--confirm", "m-7", "--output", "a", *ALFA)),
    (0, "watchword-gate-checked/1", ("gate", "check", "b", "--charter", "ALFA/charter.json")),
    (0, "watchword-gate-answers/1", ("gate", "take", "b", *ALFA)),
    (1, "watchword-gate-answer/1", ("gate", "release", "HOLD", *ALFA)),
    (0, "watchword-gate-answers/1", ("gate", "take", "a", *ALFA)),
    (0, "watchword-gate-answer/1", ("gate", "release", "HOLD", *ALFA)),
    (0, "watchword-gate-answer/1", ("gate", "outcome", "ACTION", "returned", *ALFA)),
    (0, "watchword-gate-status/1", ("gate", "status", *ALFA)),
    (0, "watchword-trace/1", ("trace", "ALFA/record#0", *ALFA)),
    (0, "watchword-gate-shadow/1", ("gate", "shadow", *ALFA)),
    (0, "watchword-oversight/1", ("oversight", "report", "--sign", *ALFA)),
    (0, "watchword-probes/1", ("oversight", "probes", *ALFA)),
    (0, "watchword-cards/1", ("gate", "cards", "show", *ALFA)),
    (0, "watchword-gate-answer/1", ("gate", "stop", "all", "--reason", "drill", *ALFA)),
    (0, "watchword-gate-stops/1", ("gate", "stops", *ALFA)),
    (0, "watchword-recorded/1", ("notice", "recall", "mail-sorter 1.0", "--reason", "x", "--output", "n.json", *BRAVO)),
    (0, "watchword-recorded/1", ("notice", "retract", "ALFA#0", "--reason", "x", *ALFA)),
    (0, "watchword-recorded/1", ("notice", "dispute", "BRAVO#0", "--reason", "x", *ALFA)),
    (0, "watchword-recorded/1", ("notice", "revoke", "KEY", "--reason", "x", *ALFA)),
    (0, "watchword-recorded/1", ("spill", "ALFA#1", "--reason", "x", *ALFA)),
    (0, "watchword-recorded/1", ("notice", "confirm", "ALFA/notices#1", "--reason", "x", *ALFA)),
    (0, "watchword-recorded/1", ("notice", "take-back", "ALFA/notices#1", "--reason", "x", *ALFA)),
    (0, "watchword-notices-taken/1", ("notice", "take", "n.json", *ALFA)),
    (0, "watchword-notices/1", ("notice", "list", *ALFA)),
    (0, "watchword-recorded/1",
        ("recall", "exercise", "supplier:AQUILA", "--reason", "x", "--directive", "X-1", *ALFA)),
    (1, "watchword-recall-answered/1", ("recall", "answer", "X-1", *ALFA)),
    (0, "watchword-recalls/1", ("recall", "status", *ALFA)),
    (0, "watchword-suppliers/1", ("supplier", "AQUILA", *ALFA)),
    (0, "watchword-tlog-policy/1", ("charter", "tlog-policy", *ALFA)),
    (0, "watchword-synced/1", ("ledger", "sync", "PEER", *ALFA)),
    (0, "watchword-ledgers-published/1", ("ledger", "publish", "web", *ALFA)),
    (0, "watchword-witnessed/1", ("ledger", "witness", "PEER", *ALFA)),
    (0, "watchword-repaired/1", ("ledger", "repair", "PEER", *ALFA)),
    (1, "watchword-monitored/1", ("ledger", "monitor", "PEER", *ALFA)),
    (0, "watchword-recorded/1", ("gate", "cards", "sign", "cards.json", *ALFA)),
    (0, "watchword-charter-proposed/1", ("charter", "propose", "--head-max-age", "3600", *ALFA)),
    (0, "watchword-charter-diff/1", ("charter", "diff", "proposal.json", *ALFA)),
    (0, "watchword-ledgers-prepared/1", ("ledger", "init", "--anew", "--unencrypted", *BRAVO)),
    (0, "watchword-recorded/1",
        ("incident", "new", "incident.toml", "--of", "mail-sorter 1.0", "--action", "ALFA/record#0", *ALFA)),
    (0, "watchword-incidents/1", ("incident", "list", *ALFA)),
    (0, "watchword-incident/1", ("incident", "show", "INCIDENT", *ALFA)),
    (0, "watchword-no-notice/1", ("ledger", "no-notice", "mail-sorter", "--output", "n.proof", *ALFA)),
    (0, "watchword-oci-attached/1", ("oci", "attach", "ARTEFACT", "n.proof", "--readers", "alliance")),
    (1, "watchword-oci-found/1", ("oci", "find", "ARTEFACT", "--charter", "ALFA/charter.json")),
    (1, "watchword-kubernetes-check/1",
        ("kubernetes", "check", "pod.json", "--papers", ".", "--charter", "ALFA/charter.json", "--member", "ALFA",
         "--use", "use.toml")),
    (0, "watchword-completion/1", ("completion", "bash")),
]  # fmt: skip


@pytest.fixture(scope="module")
def answers(
    stages: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory, typed: Callable[..., Any]
) -> list[tuple[tuple[str, ...], Any]]:
    """The story, played once."""
    import shutil

    pytest.importorskip("uvicorn", reason="what `serve` needs is not installed")
    folder = tmp_path_factory.mktemp("json") / "work"
    shutil.copytree(stages["work"], folder)
    folder.joinpath("incident.toml").write_text(ASTRAY, "utf-8")
    practice = Path(__file__).parents[2] / "docs" / "practice" / "evaluate"
    shutil.copytree(practice / "word-sorter", folder / "sorter")
    plan = practice.joinpath("typos.toml").read_text("utf-8")
    folder.joinpath("few.toml").write_text(plan.replace("n = 100", "n = 1"), "utf-8")
    folder.joinpath("few.jsonl").write_text('{"text": "dear", "label": "letter"}\n', "utf-8")
    folder.joinpath("ours.toml").write_text(CAVEAT, "utf-8")
    folder.joinpath("finds.toml").write_text('source = "x"\nlicence = "CC0-1.0"\n', "utf-8")
    pod = '{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"image": "a:1"}]}}'
    folder.joinpath("pod.json").write_text(pod, "utf-8")
    said = {"HOLD": "", "ACTION": "", "KEY": ""}
    found = []
    serve = [sys.executable, "-m", "watchword", "serve", "--port", "0", "--format", "json", *BRAVO]
    registry = Registry()
    registry.push("m", "1", {one.name: one.read_bytes() for one in folder.joinpath("mail-sorter").iterdir()})
    with (
        pytest.MonkeyPatch.context() as here,
        serving(registry.answers()) as there,
        subprocess.Popen(serve, cwd=folder, stdout=subprocess.PIPE, text=True) as bravo,
    ):
        assert bravo.stdout is not None
        served = json.loads("".join(iter(bravo.stdout.readline, "}\n")) + "}")
        assert served["schema"] == "watchword-serving/1"
        said |= {"PEER": f"BRAVO={served['url']}", "ARTEFACT": f"oci://{there.host}/m:1"}
        here.setenv("WATCHWORD_DATA", str(folder / "data"))
        _play(typed, folder, said, found)
        bravo.terminate()
    return found


def _play(typed: Callable[..., Any], folder: Path, said: dict[str, str], found: list[tuple[Any, Any]]) -> None:
    for _, _, words in STORY:
        done = typed(folder, *(said.get(word, word) for word in words), "--format", "json")
        found.append((words, done))
        value = json.loads(done.out or "null")
        if words[:2] == ("keys", *ALFA)[:2]:
            said["KEY"] = next(key["id"] for key in value["keys"] if key.get("person") == "evaluator")
        elif words[:2] == ("incident", "new"):
            said["INCIDENT"] = value["locator"]
        elif isinstance(value, dict) and value.get("event") == "held" and words[1] == "ask":
            said |= {"HOLD": value["hold"], "ACTION": value["action"]}


@pytest.mark.parametrize("number", range(len(STORY)), ids=[" ".join(words)[:50] for _, _, words in STORY])
def test_the_answer_is_one_value_that_names_its_schema(number: int, answers: list[tuple[Any, Any]]) -> None:
    """Valid JSON in ASCII, alone on stdout, with the exit code of the text form."""
    code, schema, _ = STORY[number]
    words, done = answers[number]
    assert done.code == code, (words, done)
    value = json.loads(done.out)
    assert value["schema"] == schema, words
    assert done.out.isascii()


def test_every_command_has_its_json(answers: list[tuple[Any, Any]]) -> None:
    """Nothing that prints a result is left out.

    `serve` is the other side here, and the page a person's; the exercise, what `run` and `suggest` start, endpoints and
    evaluations (`evaluate.txt`, `reports.txt`) are tested on their own, and so is what needs a database (`test_share`).
    """
    told = {" ".join(words) for _, _, words in STORY}
    missing = [name for name in _commands(parser(), "") if not any(f"{line} ".startswith(f"{name} ") for line in told)]
    assert missing == [
        "evaluate lint", "evaluate commit", "evaluate run", "evaluate replay", "evaluate replicate", "evaluate import",
        "evaluate export", "endpoint pin", "endpoint check", "run", "kubernetes serve", "gate page", "gate mcp",
        "gate authzen", "gate share", "gate unshare", "gate cards suggest", "oversight plan", "serve", "demo",
        "simulate",
    ]  # fmt: skip


def test_failing_prints_no_half_of_an_answer(stages: Mapping[str, Path], typed: Callable[..., Any]) -> None:
    """With exit code 2 stdout is empty in JSON too, and stderr says why in words."""
    done = typed(stages["nothing"], "admit", "mail-sorter", "--use", "missing", "--format", "json")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("watchword: error: ")


def _commands(tree: argparse.ArgumentParser, name: str) -> Iterator[str]:
    below = [action for action in tree._actions if isinstance(action, argparse._SubParsersAction)]
    for action in below:
        for word, command in action.choices.items():
            yield from _commands(command, f"{name} {word}".strip())
    if not below:
        yield name
