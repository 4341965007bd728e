"""``watchword run``: a command sees a sealed copy, and only where this node's own official admitted it for that use."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from watchword import guard
from watchword.statements.times import FixedClock, SystemClock

USE = ("--use", "use.toml", "--home", "ALFA")
SHOW = ("--", sys.executable, "-c", "import os; print(open(os.environ['WATCHWORD_MODEL'] + '/README.md').read())")


@pytest.fixture
def work(stage: Callable[[str], Path]) -> Path:
    return stage("work")


def test_the_command_runs_on_what_was_admitted(work: Path, watchword: Any) -> None:
    """The copy is in the environment and in the words; the exit code is the command's; the copy is gone afterwards."""
    done = watchword(work, "run", "mail-sorter", *USE, *SHOW)
    assert (done.code, "# mail-sorter" in done.out) == (0, True), done
    assert "mail-sorter (sha256:b1d2…14c7) admitted by sha256:" in done.err
    done = watchword(work, "run", "mail-sorter", *USE, "--", "sh", "-c", 'test -f "$0"/weights.pkl; exit 7', "{}")
    assert done.code == 7
    done = watchword(work, "run", "mail-sorter", "--", "sh", "-c", 'echo "$WATCHWORD_MODEL"')
    assert done.code == 0 and not Path(done.out.strip()).exists()


def test_one_file_is_held_in_memory_for_the_command_too(work: Path, watchword: Any) -> None:
    """A single file is read through a descriptor that the command inherits."""
    done = watchword(work, "run", "mail-sorter/weights.pkl", "--", "sh", "-c", 'echo "$0"; wc -c < "$0"', "{}")
    path, size = done.out.split()
    assert path.startswith("/proc/self/fd/") and int(size) == (work / "mail-sorter/weights.pkl").stat().st_size


def test_without_a_release_the_command_runs_inside_the_copy_of_this_folder(work: Path, typed: Any) -> None:
    """``watchword run --use FILE -- COMMAND``: the release's own programs are what was admitted. Fails where the first
    word of the command is taken for the release, or where it runs in the folder that can still be changed."""
    here, use = work / "mail-sorter", ("--use", "../use.toml", "--home", "../ALFA", "--quiet")
    seen = work / "seen"
    done = typed(here, "run", *use, "--", "sh", "-c", '(pwd; echo "$WATCHWORD_MODEL"; ls) > "$0"', str(seen))
    where, named, *files = seen.read_text().split()
    assert (where, files) == (named, ["README.md", "weights.pkl"]) and where != str(here), done
    (here / "README.md").write_text("changed\n")
    done = typed(here, "run", *use, "--", "touch", str(work / "started"))
    assert done.code == 1 and "has no admission for mail-triage" in done.out and not (work / "started").exists(), done


def test_what_stands_before_the_command_is_a_release_and_nothing_else(work: Path, typed: Any) -> None:
    """A second word before ``--`` is no part of the command; without ``--`` the words follow the release."""
    done = typed(work, "run", "mail-sorter", "ls", "--", "touch", "started")
    assert done.code == 2 and "unrecognized arguments: ls" in done.err and not (work / "started").exists(), done
    assert typed(work, "run", "mail-sorter", "--quiet", "true").code == 0
    assert typed(work, "run", "--use", "use.toml", "--home", "ALFA", "--").code == 2


OFFLINE = ("--use", "use.toml", "--bundle", "proof.json", "--charter", "ALFA/charter.json", "--member")


def test_a_proof_stands_for_the_node(work: Path, typed: Any, here: Any) -> None:
    """Where there is no node: admitted by what the file shows, for the member named and no other, these bytes and no
    other. Seen to fail without comparing the member, and without asking what the file states of bad news."""
    here(work, "ledger", "prove", "ALFA#2", *USE[2:])
    (work / "ALFA").rename(work / "gone")
    (work / "ALFA").mkdir()
    shutil.copy(work / "gone/charter.json", work / "ALFA/charter.json")
    assert typed(work, "run", "mail-sorter", *OFFLINE, "ALFA", "--", "true").code == 0
    done = typed(work, "run", "mail-sorter", *OFFLINE, "BRAVO", "--", "touch", "started")
    assert done.code == 1 and "has no admission for mail-triage" in done.out, done
    done = typed(work, "run", "mail-sorter", *OFFLINE, "NOBODY", "--", "touch", "started")
    assert done.code == 2 and "NOBODY is no member" in done.err, done
    (work / "mail-sorter/README.md").write_text("changed\n")
    done = typed(work, "run", "mail-sorter", *OFFLINE, "ALFA", "--", "touch", "started")
    assert done.code == 1 and "states nothing about bad news of sha256:" in done.out, done
    (work / "proof.json").write_bytes((work / "proof.json").read_bytes().replace(b'"payload":"ey', b'"payload":"fy', 1))
    done = typed(work, "run", "mail-sorter", *OFFLINE, "ALFA", "--", "touch", "started")
    assert done.code == 1 and not (work / "started").exists(), done


def test_an_old_proof_and_one_with_bad_news_admit_nothing(work: Path, here: Any, exchange: Any) -> None:
    """Past the age that the charter lets a head have, what a file says of bad news is not enough; and bad news in it
    counts. Seen to fail without looking at the age."""
    here(work, "ledger", "prove", "ALFA#2", *USE[2:])
    charter = work / "ALFA/charter.json"
    allowed = json.loads(charter.read_bytes())["charter"]["head_max_age_s"]
    later = FixedClock(datetime.now(UTC) + timedelta(seconds=allowed + 60))
    for clock, says in ((SystemClock(), ""), (later, "are allowed")):
        offline = guard.Offline(charter, work / "proof.json", "ALFA", clock=clock)
        with (
            pytest.raises(guard.Refused, match=says) if says else contextlib.nullcontext(),
            guard.admitted(work / "mail-sorter", use=work / "use.toml", offline=offline),
        ):
            assert not says
    here(work, "notice", "recall", "mail-sorter", "--reason", "payload", "--home", "BRAVO")
    for _ in range(2):
        exchange(work)
    here(work, "ledger", "prove", "ALFA#2", *USE[2:])
    offline = guard.Offline(charter, work / "proof.json", "ALFA")
    with (
        pytest.raises(guard.Refused, match="no longer"),
        guard.admitted(work / "mail-sorter", use=work / "use.toml", offline=offline),
    ):
        raise AssertionError("handed over")


def test_options_that_say_half_are_refused(work: Path, typed: Any) -> None:
    """A proof without a charter, without a use, or a release both here and on the hub: nothing is started."""
    for words in (
        ("mail-sorter", "--use", "use.toml", "--bundle", "proof.json"),
        ("mail-sorter", "--bundle", "proof.json", "--charter", "ALFA/charter.json", "--member", "ALFA"),
        ("mail-sorter", "--hub", "org/name"),
    ):
        assert typed(work, "run", *words, "--", "touch", "started").code == 2
    assert not (work / "started").exists()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda work: (work / "mail-sorter/README.md").write_text("changed\n"), "has no admission for mail-triage"),
        (
            lambda work: (work / "use.toml").write_text((work / "use.toml").read_text().replace("sort", "read")),
            "has no admission for mail-triage",
        ),
        (lambda work: shutil.copy(work / "mail-sorter-2/head.pkl", work / "mail-sorter/head.pkl"), "is dangerous"),
    ],
    ids=["one changed byte", "another use", "a dangerous file"],
)
def test_what_was_not_admitted_is_not_run(work: Path, typed: Any, spoil: Callable[[Path], Any], says: str) -> None:
    """Exit 1, a reason, and nothing started. Fails if digest or use case are not compared."""
    spoil(work)
    done = typed(work, "run", "mail-sorter", *USE, "--", "touch", "started")
    assert done.code == 1 and says in done.out, done
    assert not (work / "started").exists()


def test_an_allys_admission_is_not_ours(work: Path, typed: Any, exchange: Any) -> None:
    """BRAVO sees ALFA's admission and has made none. Fails if the owner of the signing key is not compared."""
    exchange(work)
    done = typed(work, "run", "mail-sorter", "--use", "use.toml", "--home", "BRAVO", "--", "touch", "started")
    assert done.code == 1 and "has no admission" in done.out
    assert not (work / "started").exists()


def test_a_recall_from_any_channel_ends_it_at_once(work: Path, typed: Any, here: Any) -> None:
    """The decision is made again at each start: bad news counts once it is held. Fails if it is only looked up."""
    said = ("--reason", "x", "--output", "n.json", "--home", "BRAVO")
    here(work, "notice", "recall", "mail-sorter 1.0", *said)
    here(work, "notice", "take", "n.json", "--home", "ALFA")
    done = typed(work, "run", "mail-sorter", *USE, "--", "touch", "started")
    assert done.code == 1 and "was admitted for mail-triage and is no longer" in done.out, done.out
    assert "recall" in done.out
    assert not (work / "started").exists()


def test_an_admission_that_was_taken_back_is_none(work: Path, typed: Any, here: Any) -> None:
    """The official's retraction counts at once. Fails if fallen decisions are counted."""
    here(work, "notice", "retract", "ALFA#2", "--reason", "too early", "--home", "ALFA")
    done = typed(work, "run", "mail-sorter", *USE, "--", "touch", "started")
    assert done.code == 1 and "no admission that still stands" in done.out, done.out
    assert not (work / "started").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run", "mail-sorter", "--use", "use.toml", "--home", "missing", "--", "touch", "started"), "no node"),
        (("run", "mail-sorter", "--use", "missing.toml", "--home", "ALFA", "--", "touch", "started"), "missing.toml"),
        (("run", "missing", "--", "touch", "started"), "no such file"),
        (("run", "mail-sorter", "--", "no-such-program", "started"), "no-such-program: no such file"),
    ],
)
def test_what_cannot_be_decided_is_not_run(work: Path, typed: Any, words: tuple[str, ...], says: str) -> None:
    """Exit 2, two lines on stderr, and nothing started."""
    done = typed(work, *words)
    assert (done.code, done.out, says in done.err) == (2, "", True), done
    assert not (work / "started").exists()


def test_a_refusal_is_told_as_json_too(work: Path, typed: Any) -> None:
    """Schema, reason and the whole inspection."""
    import json

    done = typed(work, "run", "mail-sorter-2", "--format", "json", "--", "true")
    value = json.loads(done.out)
    assert (done.code, value["schema"], value["inspection"]["verdict"]) == (1, "watchword-refused/1", "dangerous")


def test_a_signal_ends_the_command_and_the_hold(work: Path, environment: Any, tmp_path: Path) -> None:
    """SIGTERM is handed on; the copy is removed; the exit code names the signal."""
    (tmp_path / "place").mkdir()
    command = [Path(sys.executable).parent / "watchword", "run", "mail-sorter", "--in-folder", tmp_path / "place"]
    import os

    env = environment(work) | {name: value for name, value in os.environ.items() if name == "PYTHONPATH"}
    process = subprocess.Popen([*command, "--", "sleep", "60"], cwd=work, env=env)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None and not children.read_text().split():
        time.sleep(0.02)
    time.sleep(0.1)
    process.terminate()
    assert process.wait(timeout=20) == 128 + 15
    assert list((tmp_path / "place").iterdir()) == []
