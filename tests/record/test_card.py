from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.record.card import Card, ReleaseChanged, front_matter, read_card

CARD = b"""---
license: apache-2.0
language:
- en
- fr   # and others
base_model: [aquila/recon-base, "aquila/encoder"]
datasets:
  - border-images-v2
  - 'night: set'
library_name: transformers
pipeline_tag: object-detection
model-index:
- name: x
  results: {a: [1, 2]}
---
# Recon vision
license: not-this-one
"""


def front(text: str) -> tuple[dict[str, list[str]], list[str]]:
    notes: list[str] = []
    return front_matter(text, notes), notes


def test_a_card_is_read_as_model_hubs_write_it() -> None:
    """Inline values, lists in either form, quotes and comments; keys that are not wanted are passed over."""
    found, notes = front(CARD.decode())
    assert found == {
        "license": ["apache-2.0"],
        "language": ["en", "fr"],
        "base_model": ["aquila/recon-base", "aquila/encoder"],
        "datasets": ["border-images-v2", "night: set"],
        "library_name": ["transformers"],
        "pipeline_tag": ["object-detection"],
    }
    assert notes == []


@pytest.mark.parametrize(
    "text",
    [
        "---\nlicense: !!python/object/apply:os.system [id]\n---\n",
        "---\nlicense: &a [*a, *a]\n---\n",
        "---\nlicense: |\n  many\n  lines\n---\n",
        "---\nlicense: {id: mit}\n---\n",
        "---\nlicense: [a, [b]]\n---\n",
        "---\nlicense: mit\nlicense: gpl-3.0\n---\n",
    ],
)
def test_what_the_grammar_does_not_have_is_said_not_guessed(text: str) -> None:
    """Tags, anchors, blocks, maps and repeated keys give no value that was not plainly written, and a note."""
    found, notes = front(text)
    assert found.get("license", []) in ([], ["mit"])
    assert notes


def test_front_matter_without_an_end_is_not_read() -> None:
    """A card of a million lines costs no more than its first lines, and says so."""
    found, notes = front("---\n" + "license: mit\n" * 100_000)
    assert found == {}
    assert len(notes) == 1


def test_a_card_without_front_matter_tells_nothing() -> None:
    """Prose is not read for facts."""
    assert front("# Title\nlicense: mit\n") == ({}, [])


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="-:[]'\"# \nabclicense_model{}&*!|>\t\u202e", max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    """Hostile front matter gives values and notes, never an exception; values are printable and short."""
    found, _ = front("---\n" + text + "\n---\n")
    assert all(value.isprintable() and len(value) <= 200 for values in found.values() for value in values)


def test_the_card_of_a_release(release: Any) -> None:
    """Card and configuration together; the name of a folder on somebody's machine is not a base model."""
    release.add("README.md", CARD)
    config = {"_name_or_path": "/home/builder/secret-project", "model_type": "detr", "architectures": ["DetrModel"]}
    release.add("config.json", json.dumps(config).encode())
    release.add("adapter_config.json", b'{"base_model_name_or_path": "aquila/base-2"}')
    card = read_card(release.root, release.inspection().manifest)
    assert card.licences == ("apache-2.0",)
    assert card.base_models == ("aquila/recon-base", "aquila/encoder", "aquila/base-2")
    assert card.datasets == ("border-images-v2", "night: set")
    assert (card.task, card.family, card.architecture) == ("object-detection", "detr", "DetrModel")
    assert len(card.notes) == 1
    assert "secret-project" not in str(card)


def test_a_release_of_one_file_has_no_card(release: Any) -> None:
    """Nothing beside the file is looked at."""
    release.add("model.onnx", b"x")
    assert read_card(release.root / "model.onnx", release.inspection().manifest) == Card()


def test_a_card_changed_since_inspection_is_refused(release: Any) -> None:
    """What is told is of the release that was inspected; fails when the digest check goes."""
    release.add("README.md", b"---\nlicense: mit\n---\n")
    manifest = release.inspection().manifest
    (release.root / "README.md").write_bytes(b"---\nlicense: apache-2.0\n---\n")
    with pytest.raises(ReleaseChanged, match=r"README\.md: changed since"):
        read_card(release.root, manifest)


@pytest.mark.parametrize("how", ["link", "pipe", "gone"])
def test_a_card_replaced_by_a_trap_is_refused(release: Any, how: str) -> None:
    """A link, a pipe or nothing where the card was: an error that names it, and no waiting."""
    release.add("README.md", b"---\nlicense: mit\n---\n")
    manifest = release.inspection().manifest
    card = release.root / "README.md"
    other = release.root.parent / "other.md"
    card.rename(other)
    if how == "link":
        card.symlink_to(other)
    elif how == "pipe":
        os.mkfifo(card)
    with pytest.raises(ReleaseChanged, match=r"README\.md"):
        read_card(release.root, manifest)


def test_hostile_configuration_is_passed_over_with_a_note(release: Any) -> None:
    """Duplicate keys, deep nesting or other types stop nothing and are not believed."""
    release.add("config.json", b'{"model_type": "a", "model_type": "b"}')
    release.add("adapter_config.json", b"[" * 100_000)
    card = read_card(release.root, release.inspection().manifest)
    assert card.family == ""
    assert len(card.notes) == 2


def test_values_of_other_types_are_not_told(release: Any) -> None:
    """A number, a list of lists or a text with a control character is no name."""
    release.add("config.json", b'{"model_type": 7, "architectures": [["x"]], "_name_or_path": "a\\u0000b"}')
    card = read_card(release.root, release.inspection().manifest)
    assert (card.family, card.architecture, card.base_models) == ("", "", ())
