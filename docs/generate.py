"""Write docs/reference/ from the code: commands, kinds, limits, the default requirement table, rules.

    python docs/generate.py           writes the pages
    python docs/generate.py --check   says which are not up to date, and exits 1

The pages are committed, so that they can be read without running anything; a test runs the check.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "reference"


def pages() -> dict[Path, str]:
    """Every generated page with its text."""
    made = {
        PAGES / "commands.md": commands(),
        PAGES / "kinds.md": kinds(),
        PAGES / "limits.md": limits(),
        PAGES / "requirements.md": requirements(),
    }
    from watchword.inspect.rules import RULES, page

    return made | {ROOT / "docs" / "rules" / f"{rule.id}.md": page(rule) for rule in RULES}


def commands() -> str:
    """The help of every command."""
    from watchword.cli import parser

    os.environ["COLUMNS"] = "100"
    parts = ["# Commands\n", "Generated from the code by `python docs/generate.py`.\n"]

    def walk(one: argparse.ArgumentParser) -> None:
        parts.append(f"## `{one.prog}`\n\n```text\n{one.format_help().rstrip()}\n```\n")
        for action in one._actions:
            if isinstance(action, argparse._SubParsersAction):
                for child in action.choices.values():
                    walk(child)

    walk(parser())
    return "\n".join(parts)


def kinds() -> str:
    """The JSON Schema of every kind's predicate."""
    from watchword.statements.kinds import EVIDENCE, KINDS, NOTICES, json_schema, urn

    parts = [
        "# Kinds of statement\n",
        "Generated from the code by `python docs/generate.py`. What each field means: [protocol](../protocol.md), section 4.\n",
    ]
    for kind, structure in KINDS.items():
        polarity = "evidence" if kind in EVIDENCE else "notice (bad news)" if kind in NOTICES else "statement"
        schema = json.dumps(json_schema(kind), indent=1, sort_keys=True)
        parts.append(
            f"## {kind}\n\n{(structure.__doc__ or '').strip()}\n\n`{urn(kind)}`, {polarity}\n\n```json\n{schema}\n```\n"
        )
    return "\n".join(parts)


def limits() -> str:
    """Every bound, with the words that stand beside it in ``limits.py``."""
    source = (ROOT / "src" / "watchword" / "limits.py").read_text("utf-8")
    body = ast.parse(source).body
    rows = [
        "# Limits\n",
        "Generated from the code by `python docs/generate.py`.\n",
        "| limit | value | what it bounds, and where the number comes from |",
        "|---|---|---|",
    ]
    for one, after in zip(body, body[1:], strict=False):
        target = (
            one.targets[0] if isinstance(one, ast.Assign) else one.target if isinstance(one, ast.AnnAssign) else None
        )
        if (
            not isinstance(target, ast.Name)
            or not isinstance(after, ast.Expr)
            or not isinstance(after.value, ast.Constant)
        ):
            continue
        words = " ".join(str(after.value.value).split()).replace("|", "\\|")
        rows.append(f"| `{target.id}` | {ast.unparse(one.value)} | {words} |")  # type: ignore[union-attr]
    return "\n".join(rows) + "\n"


def requirements() -> str:
    """The default alliance pack as a table."""
    from watchword.policy.pack import read_pack, render_markdown

    pack = read_pack()
    return (
        "# The alliance pack\n\nGenerated from `src/watchword/policy/packs/alliance.toml` by `python docs/generate.py`. "
        "`watchword charter draft --pack FILE` takes another.\n\n"
        + render_markdown(pack.requirements, pack.red_lines)
        + "\nPrinciples, after NATO's Principles of Responsible Use (2021): A lawfulness, B responsibility and "
        "accountability, C explainability and traceability, D reliability, E governability, F bias mitigation.\n"
    )


def main() -> int:
    """Write or check."""
    checking = sys.argv[1:] == ["--check"]
    stale = []
    for path, text in pages().items():
        if not path.exists() or path.read_text("utf-8") != text:
            stale.append(path)
            if not checking:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")
    for path in stale:
        print(f"{'not up to date' if checking else 'wrote'}: {path.relative_to(ROOT)}")
    return 1 if checking and stale else 0


if __name__ == "__main__":
    sys.exit(main())
