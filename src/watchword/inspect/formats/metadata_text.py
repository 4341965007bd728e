"""Texts in the metadata of a model that are commands or code. No loader runs them; a script beside the model may.

Only what is a call, a command with its arguments or a pipe into a shell counts; names and prose about code do not, and
what is written for people to read (descriptions, usage, licences) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from watchword.inspect.facts import Oddity

_FOR_PEOPLE = re.compile(r"descri|readme|doc|usage|licen|comment|summary|citation|note|template|prompt", re.IGNORECASE)
_HOOK = re.compile(r"__[a-z]+__|exec|eval|(?:os|posix|subprocess|builtins)\.\w+")
"""Keys that name what Python calls by itself or by name: no description of a model is called so."""

_CODE = re.compile(
    r"__import__\s*\(\s*['\"]|\b(?:os\.(?:system|popen|exec\w+|spawn\w+)|subprocess\.(?:run|call|Popen|check_\w+)"
    r"|importlib\.import_module|(?:pickle|marshal)\.loads|builtins\.(?:exec|eval)|(?:requests|httpx)\.[a-z]+"
    r"|urlretrieve|urlopen)\s*\(|\b(?:eval|exec)\s*\(\s*(?:['\"]|compile|base64|bytes|__|open|input)"
    r"|\b(?:curl|wget)\s[^|;&\n]{1,200}\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b|\b(?:ba|z|da)?sh\s+-c\s+['\"]"
    r"|\bpowershell(?:\.exe)?\s+-(?:e|enc|command|nop)\w*\s|<script[\s>]|\bnc\s+-e\s|/dev/tcp/|\$\(\s*(?:curl|wget)\s"
    r"|\A(?:(?:sudo|timeout|env)\s+(?:-\S+\s+)?(?:\w+\s+)?)?(?:/[\w/]+/)?(?:rm\s+(?:\S+\s+)?-\w*r|(?:curl|wget)\s+\S"
    r"|python3?\s+-c\s|Invoke-WebRequest\s|irm\s+\S)",
    re.IGNORECASE,
)


def commands_in(texts: Mapping[str, str], offset: int | None) -> list[Oddity]:
    """The *texts*, by key, that are commands or code."""
    found: list[Oddity] = []
    for key, text in texts.items():
        if _HOOK.fullmatch(key):
            found.append(Oddity("metadata-code", offset, f"the key {key[:100]!r} names a way to run code", text[:200]))
            continue
        match = None if _FOR_PEOPLE.search(key) else _CODE.search(text[:65_536])
        if match is not None and len(found) < 20:
            shown = text[max(0, match.start() - 40) : match.end() + 80]
            found.append(Oddity("metadata-code", offset, f"{key[:100]!r} holds a command or code", shown))
    return found
