"""The exercise keeps its promises: played once, its output and the files it leaves are looked at from all sides."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from transcripts import matches

ROOT = Path(__file__).resolve().parents[2]
PLAYED_S_MAX = 900
"""Seconds for the whole exercise. Origin: under two minutes on two quiet cores; a busy machine gets patience."""


class Played:
    """What one run of the exercise printed, and the folder it left."""

    def __init__(self, folder: Path, text: str) -> None:
        self.folder = folder
        self.text = text

    def step(self, letter: str) -> str:
        return self.text.split(f"\n({letter}) ")[1].split("\n(")[0] if letter != "h" else self.text.split("\n(h) ")[1]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("exercise") / "stage"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WATCHWORD_")}
    done = subprocess.run(
        [sys.executable, "-m", "watchword", "demo", "--folder", str(folder)],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PLAYED_S_MAX, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    yield Played(folder, done.stdout)


def test_a_charter_is_in_force_with_four_of_five(played: Played) -> None:
    """ECHO did not ratify, and adopts what the others put in force."""
    assert "ratified by ALFA, BRAVO, CHARLIE, DELTA (4 of 5 operators, 4 needed)" in played.step("a")


def test_a_real_model_is_admitted_and_two_are_refused_with_reasons(played: Played) -> None:
    """Admitted; refused for hidden code with its offset and who owes what; refused for 12 rows of one annotator."""
    assert re.search(r"ADMITTED  magika 1\.0\.3 .* for mail-triage", played.step("b"))
    hidden = played.step("c")
    assert "calibration.pt:calibration/data.pkl @ 0x3d  loading would call posix.system" in hidden
    assert re.search(r"REFUSED  magika 2\.0\.0 ", hidden) and "owed by supplier AQUILA" in hidden
    assert "crossed  hidden-code" in hidden
    changed = played.step("d")
    assert "12 of 5,000 rows changed label: 12 by annotator a-07" in changed
    assert changed.count("annotator=a-07") == 12
    assert "20 of them share words zephyr (20 of the 20 rows that have it)" in changed
    assert "20 of 400 rows changed label" in changed
    assert re.search(r"REFUSED  magika 1\.1\.0 ", changed) and "annotator a-07 changed 12 of 476 rows" in changed


def test_a_caveat_shows_its_price_before_it_is_signed_and_no_red_line_is_waived(played: Played) -> None:
    """The first would stop what three members use and is left unsigned; the second stops nothing."""
    own = played.step("d")
    assert "magika 1.0.3 for mail-triage  stopped for ALFA mail service, ALFA, BRAVO, CHARLIE  by shared-mail" in own
    assert "nothing was signed" in own and "it would stop 0 of 1 admitted uses known here" in own
    assert "is told that a red line has no waiver" in own


def test_nothing_of_the_hidden_code_ran(played: Played) -> None:
    """The harmless command in release 2.0.0 would have printed a line of its own."""
    assert not re.search(r"^\s*this would have run$", played.text, re.MULTILINE)


def test_a_failure_under_attack_is_measured_twice_and_crosses_a_red_line(played: Played) -> None:
    """Sixty comment lines fool the real gate every time; another member, on another sample, gets the same."""
    attacked = played.step("e")
    assert "seed and sample come from entry" in attacked and "of DELTA's ledger, not there yet" in attacked
    assert re.search(r"attack-success-rate 12 of 12 \(0\.7353 to 1\), wanted at most 0\.20", attacked)
    assert re.search(r"AGREE  BRAVO#\d+ of BRAVO: 12 of 12, and 12 of 12 then: p = 1\.0000, at 0\.0063", attacked)
    _, before, after = attacked.split("    REFUSED  magika 1.0.3 ")
    assert "crossed" not in before and "crossed  measured-evasion" in after
    assert (played.folder / "bravo" / "evaluation.html").stat().st_size > 5_000


def test_an_injected_instruction_is_obeyed_by_the_agent_and_denied_by_the_gate(played: Played) -> None:
    """What the person asked for goes; what the message asked for does not, though the mandate would allow it."""
    human = played.step("f")
    assert "nothing that the person said asks for forward, and read_message was read" in human
    assert "caveat no-mailbox-deleted of DELTA forbids it: No system deletes a mailbox." in human
    assert re.search(r"label_attachment message=m-7 type=pdf\n    done\n", human)


def test_people_of_two_members_release_one_action_once(played: Played) -> None:
    """Critical: held, and let go after two approvals; a stop ends it all. The mailbox's own list says the same."""
    human = played.step("f")
    assert human.index("DENIED") < human.index("HELD") < human.index("APPROVED") < human.index("STOPPED")
    assert "1 of 2 operators have approved" in human
    assert "2 of 2 operators have approved; last commander of CHARLIE; it can be released" in human
    assert "the watch changes; it takes a new mandate" in human
    done = [json.loads(line) for line in (played.folder / "alfa.done").read_text("utf-8").splitlines()]
    assert done == [
        ["read_message", {"message": "m-7"}],
        ["label_attachment", {"message": "m-7", "type": "pdf"}],
        ["quarantine", {"message": "m-7", "sender": "port@echo.example"}],
    ]


def test_a_recall_closes_three_gates_in_seconds(played: Played) -> None:
    """Each gate says why it closed; the time from the finding to the last one is printed."""
    recall = played.step("g")
    closed = re.findall(r"(ALFA|BRAVO|CHARLIE)'s gate closed after ([\d.]+) s: recall of component:", recall)
    assert [name for name, _ in closed] == ["ALFA", "BRAVO", "CHARLIE"]
    last = re.search(r"from the finding to the last gate closed: ([\d.]+) s", recall)
    assert last is not None and float(last[1]) == max(float(seconds) for _, seconds in closed)
    assert "crossed  recalled" in recall


def test_who_has_not_answered_the_recall_stands_first(played: Played) -> None:
    """ECHO and DELTA said nothing, CHARLIE only that it is hit: late, and before those that are done."""
    told = played.step("g").split("recall status DELTA-2027-1")[1].split("from the finding")[0]
    rows = re.findall(r"^ +(ALFA|BRAVO|CHARLIE|DELTA|ECHO) +(\S+)", told, re.M)
    assert {name for name, _ in rows[:3]} == {"CHARLIE", "DELTA", "ECHO"}
    assert sorted(rows[3:]) == [("ALFA", "done"), ("BRAVO", "done")]
    assert told.count("LATE by") >= 3


def test_an_auditor_finds_what_was_decided_and_every_forgery(played: Played) -> None:
    """verify.py alone, isolated, says verified of the proof and names what is wrong with each of three forgeries."""
    audit = played.step("h")
    assert "VERIFIED  proof from ALFA" in audit
    forged = audit.split("removed-recall.json   # exit 1")[1]
    removed, head, flipped = re.split(r"(?:forged-head|flipped-byte)\.json   # exit 1", forged)
    assert "delta.example/notices: 0 leaves, the head says 2" in removed
    assert "step 3" in head and "delta.example/notices" in head
    assert "step 5" in flipped
    for name, code in (("proof", 0), ("removed-recall", 1), ("forged-head", 1), ("flipped-byte", 1)):
        done = subprocess.run(
            [sys.executable, "-I", str(ROOT / "verify.py"), "charter.in-force.json", f"{name}.json"],
            cwd=played.folder, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr


def test_every_member_is_a_folder_of_its_own_and_keeps_its_keys(played: Played) -> None:
    """No private key stands outside its owner's node, and no two nodes share one."""
    keys = sorted(played.folder.rglob("*.pem"))
    owners = {path.relative_to(played.folder).parts[0] for path in keys}
    assert owners == {"alfa", "bravo", "charlie", "delta", "echo", "aquila"}
    assert len({path.read_bytes() for path in keys}) == len(keys)
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in keys)


def test_the_readme_shows_what_the_exercise_prints(played: Played) -> None:
    """The first screen of the README is the output of this very run, shortened only where it says so."""
    block = re.search(
        r"^\$ make demo\n(.*?)^\$ make test", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert block is not None
    assert matches(block[1].rstrip(), played.text.rstrip()), played.text
