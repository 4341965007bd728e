"""A use-case file says what is meant, or names the field that does not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from decisions import TRIAGE

from watchword.policy.use_case import BadUseCase, read_use_case

TEXT = """
name = "mail-triage"
purpose = "Sort attachments of incoming mail by file type"
criticality = 1
human = "on"
members = ["ALFA", "BRAVO"]
owner = "ALFA"
tags = ["office"]
"""


def read(tmp_path: Path, text: str) -> dict[str, object]:
    path = tmp_path / "use.toml"
    path.write_text(text, "utf-8")
    return read_use_case(path)


def test_a_file_becomes_the_protocols_object(tmp_path: Path) -> None:
    """Its fields and the format's name, nothing else; tags may be left out."""
    assert read(tmp_path, TEXT) == TRIAGE
    assert read(tmp_path, TEXT.replace('tags = ["office"]', ""))["tags"] == []


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('name = "mail-triage"', "", "name"),
        ("criticality = 1", "criticality = 4", "criticality"),
        ("criticality = 1", "criticality = -1", "criticality"),
        ("criticality = 1", "criticality = true", "criticality"),
        ("criticality = 1", 'criticality = "high"', "criticality"),
        ("criticality = 1", "criticality = 1.0", "criticality"),
        ('human = "on"', 'human = "maybe"', "human"),
        ("members =", "member =", "member"),
        ('owner = "ALFA"', "owner = 7", "owner"),
        ('name = "mail-triage"', 'name = ""', "name"),
        ('owner = "ALFA"', 'owner = "ALFA"\nformat = "watchword-use-case/1"', "format"),
        ('owner = "ALFA"', "owner = ", "not TOML"),
        ('owner = "ALFA"', 'owner = "ALFA"\nowner = "BRAVO"', "not TOML"),
    ],
)
def test_what_is_not_meant_is_named(tmp_path: Path, old: str, new: str, named: str) -> None:
    """The error names the file and the field; nothing is guessed."""
    with pytest.raises(BadUseCase, match=named) as caught:
        read(tmp_path, TEXT.replace(old, new))
    assert str(tmp_path / "use.toml") in caught.value.message


def test_the_line_of_a_wrong_field_is_named(tmp_path: Path) -> None:
    """Where the file says the field; a field that is not there has no line."""
    with pytest.raises(BadUseCase, match=r"use\.toml, line 3: .*criticality"):
        read(tmp_path, 'name = "a"\npurpose = ""\ncriticality = 7\nhuman = "in"\nmembers = []\nowner = ""\n')
    with pytest.raises(BadUseCase, match=r"use\.toml: .*criticality"):
        read(tmp_path, 'name = "a"\npurpose = ""\nhuman = "in"\nmembers = []\nowner = ""\n')


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """And a folder, and a file that is too large."""
    for path in (tmp_path / "absent.toml", tmp_path):
        with pytest.raises(BadUseCase, match=str(path)):
            read_use_case(path)
    with pytest.raises(BadUseCase, match="larger"):
        read(tmp_path, "# " + "x" * 65_536)


@pytest.mark.parametrize(
    "text",
    [
        "a" + ".a" * 30_000 + " = 1",
        f"[a{'.a' * 250}]\n" + f"b{'.b' * 250} = 1\n" * 100,
        "a = " + "[" * 30_000,
        "a = " + "{b=" * 20_000,
        "\x00",
    ],
)
def test_hostile_toml_is_refused_in_bounded_time(tmp_path: Path, text: str) -> None:
    """Long dotted keys and deep nesting cost a second at most, and never a crash. Fails without the limit of dots."""
    start = time.process_time()
    with pytest.raises(BadUseCase):
        read(tmp_path, text)
    assert time.process_time() - start < 2
