"""Write docs/reference/ from the code: commands, kinds, limits, the default requirement table, rules, formats.

    python docs/generate.py           writes the pages
    python docs/generate.py --check   says which are not up to date, and exits 1

The pages are committed, so that they can be read without running anything; a test runs the check.
"""

from __future__ import annotations

import argparse
import ast
import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "reference"


def pages() -> dict[Path, str]:
    """Every generated page with its text."""
    made = {
        PAGES / "commands.md": commands(),
        PAGES / "kinds.md": kinds(),
        PAGES / "limits.md": limits(),
        PAGES / "requirements.md": requirements(),
        PAGES / "rules.md": rules(),
        PAGES / "formats.md": formats(),
        PAGES / "licences.md": licences(),
        PAGES / "bundle.schema.json": bundle_schema(),
    }
    from watchword.inspect.rules import every

    return made | {ROOT / "docs" / "rules" / f"{rule.id}.md": rule.page() for rule in every()}


EVERYWHERE = ("--home", "--format", "--quiet", "--passphrase-fd", "--help")


def commands() -> str:
    """Every command with its arguments. Not argparse's own help, whose layout differs between versions of Python."""
    from watchword.cli import parser

    leaves = list(_leaves(parser(), ""))
    common = {name: row for _, one in leaves for name, row in _arguments(one) if name in EVERYWHERE}
    return "\n".join(
        [
            "# Commands\n",
            "Generated from the code by `python docs/generate.py`; `watchword COMMAND --help` says the same. "
            "[Exit codes](exit-codes.md), [JSON output](json.md).\n",
            "Every command takes\n",
            "| option | |",
            "|---|---|",
            *common.values(),
            "",
            *(_command(text, one) for text, one in leaves),
        ]
    )


def _leaves(one: argparse.ArgumentParser, text: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The commands that take no further command, each with the line that its parent says of it."""
    groups = [action for action in one._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield text, one
    for group in groups:
        lines = {choice.dest: choice.help or "" for choice in group._choices_actions}
        for name, child in group.choices.items():
            yield from _leaves(child, lines.get(name, ""))


def _arguments(one: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    for action in one._actions:
        value = (
            "" if action.nargs == 0 else str(action.metavar or "|".join(action.choices or ()) or action.dest.upper())
        )
        name = action.option_strings[-1] if action.option_strings else value
        shown = (f"{name} {value}" if action.option_strings else value).rstrip().replace("|", "\\|")
        notes = [action.help or ""]
        if action.required and action.option_strings:
            notes.append("**required**")
        if isinstance(action, argparse._AppendAction):
            notes.append("may be given again")
        if action.nargs in ("*", "+"):
            notes.append("one or more" if action.nargs == "+" else "any number")
        if action.nargs == "?":
            notes.append("may be left out")
        text = "; ".join(filter(None, notes)).replace("|", "\\|")
        yield name, f"| `{shown}` | {text} |"


def _command(text: str, one: argparse.ArgumentParser) -> str:
    rows = [row for name, row in _arguments(one) if name not in EVERYWHERE]
    table = ["", "| argument | |", "|---|---|", *rows] if rows else []
    return "\n".join([f"## `{one.prog}`\n", f"{text[:1].upper()}{text[1:]}.", *table, ""])


def bundle_schema() -> str:
    """The JSON Schema of exchange and proof files, for guards between networks."""
    from watchword.ledger.bundle import json_schema

    return json.dumps(json_schema(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def kinds() -> str:
    """Every kind's fields, and the JSON Schema of its predicate."""
    from watchword.statements.kinds import EVIDENCE, KINDS, NOTICES, REDACTABLE, json_schema, urn

    parts = [
        "# Kinds of statement\n",
        "Generated from the code by `python docs/generate.py`. What each field means: [protocol](../protocol.md), "
        "section 4. A file for `watchword statement sign KIND FILE` holds the fields below, in TOML or JSON; what "
        "may be null may be left out. Not in the file, because the command knows them: `issuer`, `made`, `scope`, "
        "`after`.\n",
    ]
    for kind, structure in KINDS.items():
        polarity = "evidence" if kind in EVIDENCE else "a notice (bad news)" if kind in NOTICES else "a statement"
        schema = json_schema(kind)
        parts.append(f"## {kind}\n\n{(structure.__doc__ or '').strip()}\n\n`{urn(kind)}`, {polarity}\n")
        parts += ["| field | |", "|---|---|", *_fields(schema), ""]
        if kind in REDACTABLE:
            may = ", ".join(f"`{name}`" for name in sorted(REDACTABLE[kind]))
            parts.append(f"Can be signed so that it can be taken out later (`--redactable`): {may}.\n")
        text = json.dumps(schema, indent=1, sort_keys=True)
        parts.append(f"<details><summary>JSON Schema</summary>\n\n```json\n{text}\n```\n\n</details>\n")
    return "\n".join(parts)


COMMON = ("issuer", "made", "scope", "after")
PATTERNS = {"^sha256:": "digest", "^[0-9]{4}-": "time", "^-?(0|": "decimal text", "^[A-Za-z0-9+/]": "base64"}


def _fields(schema: dict[str, Any]) -> Iterator[str]:
    names = {name: value for name, value in schema["$defs"].items() if "properties" in value}
    own = names[schema["$ref"].rpartition("/")[2]]["properties"]
    for name, value in own.items():
        if name not in COMMON:
            yield f"| `{name}` | {_type(value, names)} |"


def _type(value: dict[str, Any], names: dict[str, Any]) -> str:
    """A JSON Schema in words, as section 4 of the protocol writes it."""
    if "$ref" in value:
        inner = names[value["$ref"].rpartition("/")[2]]["properties"]
        return "{" + ", ".join(f"{name}: {_type(one, names)}" for name, one in inner.items()) + "}"
    if "anyOf" in value:
        return " or ".join(_type(one, names) for one in value["anyOf"])
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    if "type" not in value:
        return "any value"
    if value["type"] == "array":
        return f"list of {_type(value['items'], names)}"
    pattern = next((word for start, word in PATTERNS.items() if value.get("pattern", "").startswith(start)), None)
    return pattern or {"string": "text", "integer": "integer"}.get(value["type"], value["type"])


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
    for one, after in itertools.pairwise(body):
        match one, after:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                words = " ".join(text.split()).replace("|", "\\|")
                rows.append(f"| `{name}` | {ast.unparse(value)} | {words} |")
    return "\n".join(rows) + "\n"


def requirements() -> str:
    """The shipped packs as tables."""
    from watchword.policy.pack import SHIPPED, render_markdown, shipped_pack

    parts = [
        "# Requirement tables\n\nGenerated from `src/watchword/policy/packs/` by `python docs/generate.py`. "
        "`watchword charter draft` takes the alliance pack unless `--pack` names others, or files of your own; "
        "see [from positions to a charter](../howto/positions.md).\n\n"
        "Principles, after NATO's Principles of Responsible Use (2021): A lawfulness, B responsibility and "
        "accountability, C explainability and traceability, D reliability, E governability, F bias mitigation. Other "
        "norms: pinned ids of entries. What nothing serves: `watchword policy coverage`.\n"
    ]
    for name in SHIPPED:
        pack = shipped_pack(name)
        parts.append(f"## {name}\n\n{pack.title}.\n\n{render_markdown(pack.requirements, pack.red_lines)}")
    return "\n".join(parts)


def rules() -> str:
    """Every inspection rule on one line."""
    from watchword.inspect.rules import every

    rows = [f"| [{rule.id}](../rules/{rule.id}.md) | {rule.verdict} | {rule.title} |" for rule in every()]
    return "\n".join(
        [
            "# Inspection rules\n",
            "Generated from the code by `python docs/generate.py`; `watchword inspect --explain RULE` prints a "
            "rule's page. An id is never reused or renamed: signed inspections name it.\n",
            "| rule | verdict | what was seen |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def licences() -> str:
    """What is shipped besides code, as ``licences.toml`` lists it."""
    from watchword.cli.licences import FIELDS, shipped

    rows = [" | ".join(("| `" + row["path"] + "`", *(row[field] for field in FIELDS[1:]))) + " |" for row in shipped()]
    return "\n".join(
        [
            "# What is shipped, and whose it is\n",
            "Generated from `licences.toml` in the package by `python docs/generate.py`; `watchword licences` prints "
            "the same. watchword itself is under the Apache License 2.0. No sentence of a source is copied.\n",
            "| file | what it is | where it is from | what was taken | licence |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def formats() -> str:
    """Every format that is told apart, with the names of files of it and the first words of what reads it."""
    import importlib

    from watchword.inspect.identify import MODULES

    rows = []
    for name in MODULES:
        module = importlib.import_module(f"watchword.inspect.formats.{name}")
        words = (module.__doc__ or "").partition("\n")[0].rstrip(".")
        for kind in dict.fromkeys(listed.name for listed in module.FORMATS):
            suffixes = {word for listed in module.FORMATS if listed.name == kind for word in listed.suffixes.split()}
            shown = " ".join(f"`.{word}`" for word in sorted(suffixes))
            rows.append(f"| {kind} | {shown} | {words} |")
    return "\n".join(
        [
            "# Formats that `watchword inspect` tells apart\n",
            "Generated from the code by `python docs/generate.py`. A file is told by its content; the name only serves "
            "to notice that it says something else. What is inside of an archive is told in the same way.\n",
            "| format | usual names | what reads it |",
            "|---|---|---|",
            *rows,
            "",
        ]
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
