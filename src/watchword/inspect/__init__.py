"""What is hidden in this system? Files in, an inspection out; knows nothing of ledgers, keys or policy.

``inspect_path`` is the room's door; ``render_text`` and ``Inspection.to_json`` are its two forms; ``explain`` tells
a rule.
Nothing that is inspected is ever imported, loaded or executed (invariant I8).
"""

from watchword.inspect.facts import FileReport, Finding, Inspection, Progress, Verdict
from watchword.inspect.inspection import NoManifest, inspect_open, inspect_path, manifest_of, tool
from watchword.inspect.rules import UnknownRule, explain
from watchword.inspect.rules import every as every_rule
from watchword.inspect.text import render_text
from watchword.inspect.walk import FileChanged, NothingThere

__all__ = [
    "FileChanged",
    "FileReport",
    "Finding",
    "Inspection",
    "NoManifest",
    "NothingThere",
    "Progress",
    "UnknownRule",
    "Verdict",
    "every_rule",
    "explain",
    "inspect_open",
    "inspect_path",
    "manifest_of",
    "render_text",
    "tool",
]
