"""The rules, in an explicit list: adding one is adding a file, a line here, a test and its page (``docs/rules``)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from watchword.errors import WatchwordError
from watchword.inspect.facts import Oddity
from watchword.inspect.rules import (
    archive_path,
    compressed_broken,
    compressed_trailing,
    file_unreadable,
    not_inspected,
    numpy_header,
    numpy_size,
    onnx_broken,
    onnx_custom_op,
    onnx_external_data,
    path_unsafe,
    pickle_argument,
    pickle_broken,
    pickle_call,
    pickle_computed_name,
    pickle_frame,
    pickle_import,
    pickle_limit,
    pickle_trailing,
    pickle_unknown_call,
    pickle_write,
    safetensors_gap,
    safetensors_header,
    special_file,
    symlink_escape,
    symlink_inside,
    tar_broken,
    unpack_limit,
    wrong_extension,
    zip_crc,
    zip_duplicate,
    zip_encrypted,
    zip_method,
    zip_mismatch,
    zip_outside,
    zip_short,
)
from watchword.inspect.rules.rule import Rule

RULES: tuple[Rule, ...] = (
    archive_path.RULE,
    compressed_broken.RULE,
    compressed_trailing.RULE,
    file_unreadable.RULE,
    not_inspected.RULE,
    numpy_header.RULE,
    numpy_size.RULE,
    onnx_broken.RULE,
    onnx_custom_op.RULE,
    onnx_external_data.RULE,
    path_unsafe.RULE,
    pickle_argument.RULE,
    pickle_broken.RULE,
    pickle_call.RULE,
    pickle_computed_name.RULE,
    pickle_frame.RULE,
    pickle_import.RULE,
    pickle_limit.RULE,
    pickle_trailing.RULE,
    pickle_unknown_call.RULE,
    pickle_write.RULE,
    safetensors_gap.RULE,
    safetensors_header.RULE,
    special_file.RULE,
    symlink_escape.RULE,
    symlink_inside.RULE,
    tar_broken.RULE,
    unpack_limit.RULE,
    wrong_extension.RULE,
    zip_crc.RULE,
    zip_duplicate.RULE,
    zip_encrypted.RULE,
    zip_method.RULE,
    zip_mismatch.RULE,
    zip_outside.RULE,
    zip_short.RULE,
)
"""Every rule, by id."""

BY_ID: dict[str, Rule] = {rule.id: rule for rule in RULES}

_BY_FACTS: dict[type, tuple[Rule, ...]] = {
    kind: tuple(rule for rule in RULES if kind in rule.reads) for rule in RULES for kind in rule.reads
}


class UnknownRule(WatchwordError):
    """No rule has this id."""


def check_all(facts: object) -> Iterator[Oddity]:
    """What the rules that read facts of this type say of *facts*."""
    for rule in _BY_FACTS.get(type(facts), ()):
        if rule.check is not None:
            yield from rule.check(facts)


def explain(rule_id: str) -> str:
    """The page of a rule (Markdown), as in ``docs/rules/<id>.md``.

    Raises:
        UnknownRule: with the ids that are near.
    """
    rule = BY_ID.get(rule_id)
    if rule is None:
        near = [known for known in BY_ID if known.partition("-")[0] == rule_id.partition("-")[0]] or list(BY_ID)
        raise UnknownRule(f"there is no rule {rule_id}", f"known rules: {', '.join(near)}")
    return rule.page()


def digest() -> str:
    """``sha256:<hex>`` over all rules and tables, so that two inspections can be told to have used the same."""
    from watchword.inspect.pickles import allowed, denied, stdlib

    text = [rule.page() for rule in RULES]
    text += [f"{name}={value}" for table in (allowed.ALLOWED, denied.DENIED) for name, value in sorted(table.items())]
    for words in (denied.MODULE_WORDS, denied.MAGIC_WORDS, denied.EXECUTING_WORDS, denied.FILE_WORDS, stdlib.STDLIB):
        text.append(" ".join(sorted(words)))
    text += [" ".join(sorted(allowed.FRAMEWORKS)), allowed.REBUILDS.pattern]
    return "sha256:" + hashlib.sha256("\n".join(text).encode()).hexdigest()
