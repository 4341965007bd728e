"""``watchword licences``: what is shipped besides code, whose it is, and on which terms.

The list is ``licences.toml``, in the package beside what it lists.
"""

from __future__ import annotations

import argparse

from watchword.cli.output import emit

FIELDS = ("path", "what", "source", "taken", "licence")


def shipped() -> list[dict[str, str]]:
    """The rows of the list, in its order; each has exactly ``FIELDS``, all of them texts."""
    import tomllib
    from importlib import resources

    value = tomllib.loads(resources.files("watchword").joinpath("licences.toml").read_text("utf-8"))
    return [{field: str(row[field]) for field in FIELDS} for row in value["shipped"]]


def run(args: argparse.Namespace) -> int:
    """Print the list."""
    rows = shipped()
    width = max(len(row["path"]) for row in rows)
    lines = [f"{row['path']:{width}}  {row['licence']}  {row['source']}; taken: {row['taken']}" for row in rows]
    text = "\n".join([*lines, "watchword itself, and what has no row: Apache-2.0 (LICENSE)"])
    emit(args, text, {"schema": "watchword-licences/1", "shipped": rows})
    return 0
