"""What is wrong is said in two lines on stderr, with exit code 2, and the node is as it was.

Every error names the thing, what was wrong with it, and where it helps what to do next; nothing is on stdout, no
traceback and no "internal error" reaches a person. Trouble while a command runs is in ``test_trouble``.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

Typed = Callable[..., Any]


def refused(done: Any, says: str) -> None:
    """Exit code 2, nothing on stdout, an error line that says *says*."""
    assert (done.code, done.out) == (2, ""), done
    lines = done.err.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("watchword: error: "))
    # An error and at most one hint close what is on stderr; notes of what was done before may stand above.
    assert all(line.startswith("watchword: hint: ") for line in lines[first + 1 :]), done.err
    assert len(lines) - first <= 2, done.err
    message = lines[first].removeprefix("watchword: error: ")
    assert says in message, done.err
    assert not message.startswith("internal error") and "Traceback" not in done.err


def state(home: Path) -> dict[str, str]:
    """What a home holds. Not: who held a lock last, and bodies kept for a statement that was then refused, which no
    leaf names."""
    files = [path for path in home.rglob("*") if path.is_file() and path.name != "lock" and "bodies" not in path.parts]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def shared(stages: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One copy of ``work`` for all that must change nothing, with files that are not what they should be."""
    folder = tmp_path_factory.mktemp("bad") / "work"
    shutil.copytree(stages["work"], folder)
    (folder / "empty").mkdir()
    (folder / "blank").touch()
    (folder / "bytes").write_bytes(bytes(range(256)))
    (folder / "deep.json").write_text("[" * 100_000, "utf-8")
    (folder / "typo.toml").write_text((folder / "use.toml").read_text("utf-8").replace("human", "humans"), "utf-8")
    (folder / "odd.toml").write_text("speed = 9\n" + (folder / "mandate.toml").read_text("utf-8"), "utf-8")
    (folder / "broken.toml").write_text("name = ", "utf-8")
    # Written a moment ago for BRAVO by ALFA, and cut off on the way.
    whole = (folder / "post" / "ALFA-to-BRAVO.wwx.json").read_bytes()
    (folder / "cut.wwx.json").write_bytes(whole[: len(whole) // 2])
    return folder


ALFA = ("--home", "ALFA")
WRONG: list[tuple[str, tuple[str, ...]]] = [
    # Paths.
    ("missing: no such file or directory", ("inspect", "missing")),
    ("missing: no such file or directory", ("assure", "missing", *ALFA)),
    ("missing: no such file or directory", ("inspect", "mail-sorter", "missing", "--record", *ALFA)),
    ("empty: the folder is empty", ("inspect", "empty")),
    ("empty: the folder is empty", ("assure", "empty", *ALFA)),
    ("no path to inspect", ("inspect",)),
    ("missing: no node", ("ledger", "show", "--home", "missing")),
    ("missing.csv: no such file", ("data", "diff", "missing.csv", "labels-1.csv")),
    ("missing.json: no such file", ("ledger", "append", "missing.json", *ALFA)),
    ("missing.json", ("ledger", "import", "missing.json", *ALFA)),
    ("missing: no such folder", ("ledger", "exchange", "missing", *ALFA)),
    ("missing.json: no such file", ("notice", "take", "missing.json", *ALFA)),
    ("missing.json: no such file", ("gate", "take", "missing.json", *ALFA)),
    ("missing.json: no such file", ("gate", "ask", "--action", "missing.json", *ALFA)),
    ("missing.toml", ("gate", "mandate", "missing.toml", "--decision", "ALFA#2", *ALFA)),
    ("missing.toml", ("admit", "mail-sorter", "--use", "missing.toml", *ALFA)),
    ("missing.toml: no such file", ("statement", "sign", "review", "missing.toml", "--of", "mail-sorter", *ALFA)),
    ("missing.toml", ("policy", "show", "--pack", "missing.toml")),
    ("missing.json", ("charter", "show", "missing.json")),
    ("missing.json: no such file", ("charter", "draft", "--alliance", "X", "--member", "missing.json")),
    ("missing.json", ("ledger", "verify", "missing.json", "claim.json")),
    ("missing.json: no such file", ("ledger", "verify", "ALFA/charter.json", "missing.json")),
    ("empty: is a directory", ("gate", "ask", "--action", "empty", *ALFA)),
    ("no-such-folder/page.html: its folder does not exist", (
        "assure", "mail-sorter", "--report", "no-such-folder/page.html", *ALFA)),
    ("no-such-folder", ("notice", "recall", "--reason", "x", "supplier:X", "--output", "no-such-folder/n", "--home",
        "AQUILA")),
    # Files that are not what they should be.
    ("bytes", ("admit", "mail-sorter", "--use", "bytes", *ALFA)),
    ("broken.toml", ("admit", "mail-sorter", "--use", "broken.toml", *ALFA)),
    ("typo.toml: Object contains unknown field `humans`", ("admit", "mail-sorter", "--use", "typo.toml", *ALFA)),
    ("odd.toml: mandate: Object contains unknown field `speed`", (
        "gate", "mandate", "odd.toml", "--decision", "ALFA#2", *ALFA)),
    ("bytes", ("statement", "show", "bytes", *ALFA)),
    ("bytes", ("ledger", "append", "bytes", *ALFA)),
    ("blank", ("ledger", "append", "blank", *ALFA)),
    ("deep.json", ("ledger", "append", "deep.json", *ALFA)),
    ("bytes", ("ledger", "import", "bytes", *ALFA)),
    ("deep.json", ("ledger", "import", "deep.json", *ALFA)),
    ("cut.wwx.json: cut off after", ("ledger", "import", "cut.wwx.json", "--home", "BRAVO")),
    ("is for BRAVO, this is ALFA", ("ledger", "import", "post/ALFA-to-BRAVO.wwx.json", *ALFA)),
    ("bytes", ("notice", "take", "bytes", *ALFA)),
    ("claim.json: claim is not bad news", ("notice", "take", "claim.json", *ALFA)),
    ("bytes", ("gate", "take", "bytes", *ALFA)),
    ("claim.json", ("gate", "take", "claim.json", *ALFA)),
    ("bytes", ("gate", "approve", "bytes", *ALFA)),
    ("deep.json", ("charter", "show", "deep.json")),
    ("bytes", ("charter", "lint", "bytes")),
    ("use.toml", ("charter", "draft", "--alliance", "X", "--member", "use.toml")),
    ("bytes", ("charter", "adopt", "ALFA/charter.json", "bytes", "--secret", "bytes", *ALFA)),
    ("bytes: line 1 holds a NUL byte", ("data", "manifest", "bytes")),
    ("blank", ("data", "manifest", "blank")),
    ("labels-1.csv", ("data", "manifest", "labels-1.csv", "--key", "no-such-column")),
    # Names.
    ("nobody: not a person of ALFA", ("inspect", "mail-sorter", "--record", "--person", "nobody", *ALFA)),
    ("../boss", ("inspect", "mail-sorter", "--record", "--person", "../boss", *ALFA)),
    ("commander of ALFA may not say this", (
        "inspect", "mail-sorter-2", "--record", "--person", "commander", *ALFA)),
    ("ZULU: not a member", ("inspect", "mail-sorter-2", "--record", "--scope", "ZULU", *ALFA)),
    ("ZULU: not a member", ("ledger", "export", "--to", "ZULU", *ALFA)),
    ("ALFA is this node", ("ledger", "export", "--to", "ALFA", *ALFA)),
    ("BRAVO#77: 1 leaves are held", ("statement", "show", "BRAVO#77", *ALFA)),
    ("NOBODY#1: neither an id nor a locator", ("statement", "show", "NOBODY#1", *ALFA)),
    ("ALFA#-1: neither an id nor a locator", ("statement", "show", "ALFA#-1", *ALFA)),
    ("no statement of this id", ("statement", "show", "sha256:" + "0" * 64, *ALFA)),
    ("no such path, and no release of this name", ("admit", "weather 1.0", "--use", "use.toml", *ALFA)),
    ("ffff", ("gate", "release", "ffff", *ALFA)),
    ("ffff", ("gate", "approve", "ffff", *ALFA)),
    ("was never let go here", ("gate", "outcome", "sha256:" + "0" * 64, "returned", *ALFA)),
    ("there is no rule", ("inspect", "--explain", "no-such-rule")),
    ("is a notice", ("statement", "sign", "recall", "review.toml", "--of", "mail-sorter", *ALFA)),
    ("rumour: not a kind", ("statement", "sign", "rumour", "review.toml", "--of", "mail-sorter", *ALFA)),
    ("not a time", ("notice", "recall", "mail-sorter 1.0", "--reason", "x", "--deadline", "soon", *ALFA)),
    ("not ORIGIN:SIZE", (
        "notice", "revoke", "key:sha256:" + "0" * 64, "--reason", "x", "--valid-up-to", "5", *ALFA)),
    ("not NAME=VALUE", ("gate", "ask", "--of", "mail-sorter 1.0", "--tool", "t", "--arg", "x", *ALFA)),
    ("--tool and --of", ("gate", "ask", "--tool", "t", *ALFA)),
    ("not an admission", ("gate", "mandate", "mandate.toml", "--decision", "ALFA#0", *ALFA)),
    ("not a decision", ("ledger", "prove", "ALFA#0", *ALFA)),
    ("'bad name' cannot be a name", ("init", "bad name", "--unencrypted", "--home", "new")),
    ("not NAME:ROLE", ("init", "GOLF", "--unencrypted", "--home", "new", "--person", "x")),
    ("something is there already", ("init", "GOLF", "--unencrypted", *ALFA)),
    ("something is there already", ("init", "GOLF", "--unencrypted", "--home", "use.toml")),
    ("leaves out", ("inspect", "mail-sorter", "--record", "--no-hash", *ALFA)),
    ("no such norm", ("policy", "coverage", "--pack", "alliance", "--norm", "atlas")),
    (".: not empty", ("demo", "--folder", ".")),
    # What others' text may do to a terminal.
    ("\\x1b[2Jmissing\\nwatchword: error: forged", ("inspect", "\x1b[2Jmissing\nwatchword: error: forged")),
]  # fmt: skip


@pytest.mark.parametrize(("says", "words"), WRONG, ids=[" ".join(words)[:60] for _, words in WRONG])
def test_what_is_wrong_is_named_and_nothing_changes(
    says: str, words: tuple[str, ...], shared: Path, typed: Typed
) -> None:
    """Two lines, exit code 2, empty stdout; neither the homes nor the folder hold anything else than before."""
    before = state(shared)
    refused(typed(shared, *words), says)
    assert state(shared) == before


@pytest.mark.parametrize(
    "words", [("nonsense",), ("ledger", "nonsense"), ("admit",), ("notice", "recall", "x", "--reason", " ")]
)
def test_words_that_are_no_command_are_usage_errors(words: tuple[str, ...], shared: Path, typed: Typed) -> None:
    """Usage and the reason on stderr, exit code 2."""
    done = typed(shared, *words)
    assert (done.code, done.out) == (2, "")
    assert "usage: watchword" in done.err and "error: " in done.err


def test_nothing_to_look_at_makes_no_node(tmp_path: Path, typed: Typed) -> None:
    """An embedded node appears only for something to look at, and never inside it."""
    (tmp_path / "empty").mkdir()
    refused(typed(tmp_path, "assure", "missing"), "missing")
    refused(typed(tmp_path, "assure", "empty"), "empty")
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
    (tmp_path / "empty" / "model.bin").write_bytes(b"\x00" * 8)
    refused(typed(tmp_path / "empty", "assure", "."), "part of the release")
    assert [path.name for path in (tmp_path / "empty").iterdir()] == ["model.bin"]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


# -- charters -------------------------------------------------------------------------------------


def test_a_charter_that_cannot_have_a_quorum_is_not_drafted(alliance: Path, typed: Typed) -> None:
    """Three operators cannot bear three dishonest ones: said before a file or a secret exists."""
    members = [word for name in ("ALFA", "BRAVO", "CHARLIE") for word in ("--member", f"{name}/enrolment.json")]
    for more in (("--faulty", "3"), ("--faulty", "0", "--witness", "1"), ("--ratify", "4")):
        done = typed(alliance, "charter", "draft", "--alliance", "X", *members, *more)
        refused(done, "the charter cannot work")
    assert not (alliance / "charter.json").exists() and not (alliance / "alliance.secret").exists()


def test_a_charter_that_is_not_in_force_is_not_used(alliance: Path, typed: Typed, here: Typed) -> None:
    """One ratification of two opens no ledger; a node under a charter that lost its ratifications decides nothing."""
    members = [word for name in ("ALFA", "BRAVO", "CHARLIE") for word in ("--member", f"{name}/enrolment.json")]
    here(alliance, "charter", "draft", "--alliance", "X", *members, "--faulty", "0")
    here(alliance, "charter", "ratify", "charter.json", *ALFA)
    shutil.copytree(alliance / "CHARLIE", alliance / "new")
    shutil.rmtree(alliance / "new" / "ledger")
    (alliance / "new" / "charter.json").unlink()
    adopt = ("charter", "adopt", "charter.json", "ALFA.ratification.json", "--secret", "alliance.secret")
    refused(typed(alliance, *adopt, "--home", "new"), "ratified by 1 operators of 2 needed")
    assert not (alliance / "new" / "charter.json").exists()
    assert not (alliance / "new" / "ledger").exists()
    # The draft itself, put in place by hand, is not in force either.
    shutil.copy(alliance / "charter.json", alliance / "CHARLIE" / "charter.json")
    for words in (("ledger", "show"), ("admit", "mail-sorter", "--use", "use.toml")):
        refused(typed(alliance, *words, "--home", "CHARLIE"), "ratified by 0 operators of 2 needed")


# -- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("job", "words"),
    [
        ("people/evaluator", ("inspect", "mail-sorter", "--record")),
        ("ledger", ("inspect", "mail-sorter", "--record")),
        ("witness", ("ledger", "exchange", "post")),
        ("root", ("notice", "revoke", "key:sha256:" + "0" * 64, "--reason", "x")),
    ],
)
def test_a_key_that_does_not_match_signs_nothing(
    alliance: Path, typed: Typed, here: Typed, job: str, words: tuple[str, ...]
) -> None:
    """Another member's key in the place of ours is named before it signs; with the right one back, all goes on.

    Fails when the key is not compared with the enrolment: a head signed by it stands in the way for ever.
    """
    here(alliance, "ledger", "append", "claim.json", "--home", "BRAVO")
    here(alliance, "ledger", "export", "--to", "ALFA", "--output", "post/BRAVO-to-ALFA.wwx.json", "--home", "BRAVO")
    key = alliance / "ALFA" / "keys" / f"{job}.pem"
    ours = key.read_bytes()
    shutil.copy(alliance / "BRAVO" / "keys" / f"{job}.pem", key)
    heads = {path: path.read_bytes() for path in (alliance / "ALFA").rglob("checkpoint")}
    refused(typed(alliance, *words, *ALFA), f"ALFA/keys/{job}.pem: holds another key")
    if job != "witness":
        assert {path: path.read_bytes() for path in (alliance / "ALFA").rglob("checkpoint")} == heads
    here(alliance, "ledger", "check", *ALFA)
    key.write_bytes(ours)
    here(alliance, "inspect", "mail-sorter", "--record", *ALFA)
    here(alliance, "ledger", "exchange", "post", *ALFA)
    here(alliance, "ledger", "check", *ALFA)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda key: key.chmod(0o644), "others may read this key"),
        (lambda key: cut(key), "evaluator.pem"),
        (lambda key: key.write_bytes(b""), "evaluator.pem"),
        (lambda key: key.unlink(), "no key of ALFA in this home may say this"),
    ],
    ids=["readable by others", "cut", "empty", "gone"],
)
def test_a_damaged_key_is_named(
    alliance: Path, typed: Typed, here: Typed, spoil: Callable[[Path], Any], says: str
) -> None:
    """The key file is named; nothing was signed or appended."""
    spoil(alliance / "ALFA" / "keys" / "people" / "evaluator.pem")
    before = state(alliance / "ALFA")
    refused(typed(alliance, "inspect", "mail-sorter", "--record", *ALFA), says)
    assert state(alliance / "ALFA") == before
    here(alliance, "ledger", "check", *ALFA)


def test_passphrases_come_from_where_was_said_or_not_at_all(
    tmp_path: Path, typed: Typed, here: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong, missing, empty or endless passphrase is refused before anything is signed; without a terminal too."""
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_bytes(b"correct horse\n")
    bad.write_bytes(b"wrong horse\n")
    (tmp_path / "empty").write_bytes(b"\n")
    (tmp_path / "endless").write_bytes(b"x" * 1_000_000)
    make = ("init", "ALFA", "--home", "alfa", "--person", "one:official")
    refused(typed(tmp_path, *make), "no terminal")
    refused(typed(tmp_path, *make, "--passphrase-fd", "77"), "--passphrase-fd 77: bad file descriptor")
    for name, says in (("missing", "no such file"), ("empty", "empty passphrase"), ("endless", "more than")):
        monkeypatch.setenv("WATCHWORD_PASSPHRASE_FILE", name)
        refused(typed(tmp_path, *make), says)
    assert not (tmp_path / "alfa").exists()
    monkeypatch.setenv("WATCHWORD_PASSPHRASE_FILE", "good")
    here(tmp_path, *make)
    members = ("--alliance", "Alone", "--member", "alfa/enrolment.json")
    here(tmp_path, "charter", "draft", *members)
    ratify = ("charter", "ratify", "charter.json", "--home", "alfa")
    monkeypatch.setenv("WATCHWORD_PASSPHRASE_FILE", "bad")
    refused(typed(tmp_path, *ratify), "alfa/keys/root.pem")
    monkeypatch.delenv("WATCHWORD_PASSPHRASE_FILE")
    refused(typed(tmp_path, *ratify), "no terminal")
    assert not (tmp_path / "ALFA.ratification.json").exists()
    with good.open("rb") as file:
        here(tmp_path, *ratify, "--passphrase-fd", str(file.fileno()))


# -- damage ---------------------------------------------------------------------------------------


DAMAGE: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "entries cut": ("ledger/tile/entries/000.p/4", cut),
    "entries gone": ("ledger/tile/entries/000.p/4", Path.unlink),
    "tile cut": ("ledger/tile/0/000.p/4", cut),
    "checkpoint cut": ("ledger/checkpoint", cut),
    "charter cut": ("charter.json", cut),
    "secret cut": ("alliance.secret", cut),
    "node.toml cut": ("node.toml", cut),
    "enrolment cut": ("enrolment.json", cut),
    "body cut": ("bodies", lambda folder: cut(max(folder.glob("sha256/*"), key=lambda path: path.stat().st_size))),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_truncated_ledger_is_named_and_left_as_it_is(
    damage: str, stage: Callable[[str], Path], typed: Typed, here: Typed
) -> None:
    """The damaged file is named; nothing is recorded on top of it; put back, everything works."""
    work = stage("work")
    where, do = DAMAGE[damage]
    shutil.copytree(work / "ALFA", work / "whole")
    do(work / "ALFA" / where)
    before = state(work / "ALFA")
    refused(typed(work, "ledger", "check", *ALFA), f"ALFA/{where}")
    refused(typed(work, "inspect", "mail-sorter-2", "--record", *ALFA), f"ALFA/{where}")
    refused(typed(work, "ledger", "exchange", "post", *ALFA), f"ALFA/{where}")
    assert state(work / "ALFA") == before
    shutil.rmtree(work / "ALFA")
    (work / "whole").rename(work / "ALFA")
    here(work, "ledger", "check", *ALFA)
    here(work, "inspect", "mail-sorter", "--record", *ALFA)


def test_a_file_cut_on_the_way_takes_nothing_in_and_the_whole_one_does(
    alliance: Path, typed: Typed, here: Typed
) -> None:
    """Whatever the length it was cut to: BRAVO is as before, and then takes the whole file."""
    here(alliance, "inspect", "mail-sorter", "--record", *ALFA)
    here(alliance, "ledger", "export", "--to", "BRAVO", "--output", "whole", *ALFA)
    whole = (alliance / "whole").read_bytes()
    before = state(alliance / "BRAVO")
    for length in (0, 1, 100, len(whole) // 3, len(whole) - 2):
        (alliance / "part").write_bytes(whole[:length])
        refused(typed(alliance, "ledger", "import", "part", "--home", "BRAVO"), "part")
    assert state(alliance / "BRAVO") == before
    assert "1 new leaves" in here(alliance, "ledger", "import", "whole", "--home", "BRAVO")


def test_of_several_files_those_before_the_bad_one_are_told(alliance: Path, typed: Typed, here: Typed) -> None:
    """What was taken stays taken, and stderr says which."""
    here(alliance, "notice", "recall", "supplier:AQUILA", "--reason", "x", "--output", "n.json", "--home", "BRAVO")
    done = typed(alliance, "notice", "take", "n.json", "use.toml", *ALFA)
    refused(done, "use.toml")
    assert done.err.startswith("watchword: note: done before: recall of supplier:AQUILA by BRAVO")
    assert "supplier:AQUILA" in here(alliance, "notice", "list", *ALFA)


# -- foreign text ---------------------------------------------------------------------------------


def test_a_reason_cannot_forge_a_line_nor_move_the_cursor(alliance: Path, here: Typed) -> None:
    """Control characters, line ends and direction marks in others' text are shown as escapes. Fails without
    ``output.one_line``."""
    reason = "x\x1b[2J\nrecall   release:sha256:00  by BRAVO, loose: forged\u202e\u0085\r"
    here(alliance, "notice", "recall", "supplier:AQUILA", "--reason", reason, "--output", "n.json", "--home", "BRAVO")
    here(alliance, "notice", "take", "n.json", *ALFA)
    for words in (("notice", "list", *ALFA), ("statement", "show", "n.json"), ("statement", "list", "--home", "BRAVO")):
        text = here(alliance, *words)
        assert all(line.isprintable() for line in text.splitlines())
        assert not any(line.startswith("recall   release:sha256:00") for line in text.splitlines())
    assert "\\x1b[2J\\nrecall" in here(alliance, "notice", "list", *ALFA)
    assert here(alliance, "notice", "list", "--format", "json", *ALFA).isascii()
