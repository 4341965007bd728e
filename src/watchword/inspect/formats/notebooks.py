"""Jupyter notebooks: cells are programs that a person runs, outputs are pages that a browser shows.

* A code cell is judged as Python that runs when somebody runs it: hidden code and commands of attacks are findings,
  starting programs is not. Lines of ``!`` and cells of ``%%bash`` are commands.
* Scripts in outputs run when a trusted notebook is opened; plots have them too, so only those that send or decode
  count.
"""

from __future__ import annotations

import re
from typing import Any

from watchword.inspect.exhibit import Exhibit
from watchword.inspect.formats.configurations import Pairs
from watchword.limits import NOTEBOOK_CELLS_MAX

_SCRIPT = re.compile(
    r"(?is)(?:<script|javascript:|\bon(?:error|load)\s*=).{0,4000}?(?:document\.cookie|eval\s*\(\s*atob|new\s+Image\(\)\.src|"
    r"navigator\.sendBeacon|kernel\.execute|fetch\s*\(\s*['\"]https?://)"
)

_SHELL = re.compile(r"^(?:os|posix|nt)\.(?:system|popen)|^pty\.|^subprocess\.")
_ORDINARY = re.compile(
    r"\b(?:pip3?|conda|mamba|apt(?:-get)?|brew|npm|git|wget|curl|gdown|aria2c|mkdir|cp|mv|ls|cd|unzip|tar|gunzip|"
    r"cat|head|tail|wc|du|df|"
    r"python3?|sys\.executable|nvidia-smi|nvcc|ffmpeg|make|cmake|tensorboard|jupyter|huggingface-cli|hf|kaggle|"
    r"gsutil|aws|accelerate|torchrun|cls|clear|which|uname|lscpu|"
    r"free|echo|export|ln|rm -r\w* [\w.]|touch \w|sh \w|bash \w|chmod \+x|kill|sleep)\b"
)


def judge_notebook(exhibit: Exhibit, tree: Pairs) -> str:
    """Judge every cell; what was looked at, in words."""
    cells = tree.of("cells")
    cells = cells if isinstance(cells, list) else []
    if len(cells) > NOTEBOOK_CELLS_MAX:
        exhibit.odd("document-limit", None, f"more than {NOTEBOOK_CELLS_MAX:,} cells: the rest was not looked at")
    for number, cell in enumerate(cells[:NOTEBOOK_CELLS_MAX], 1):
        if not isinstance(cell, Pairs):
            continue
        source = _joined(cell.of("source"))
        if cell.of("cell_type") == "code":
            _judge_cell(exhibit, source, number)
        elif _SCRIPT.search(source[:100_000]):
            exhibit.odd("notebook-script", None, f"cell {number} has a script that sends or decodes", source)
        outputs = cell.of("outputs")
        for output in outputs if isinstance(outputs, list) else ():
            data = output.of("data") if isinstance(output, Pairs) else None
            for kind, value in data if isinstance(data, Pairs) else ():
                if kind in ("text/html", "application/javascript", "image/svg+xml") and _SCRIPT.search(
                    _joined(value)[:1_000_000]
                ):
                    exhibit.odd(
                        "notebook-script", None, f"an output of cell {number} has a script that sends or decodes"
                    )
    return "every cell read as a program, every output for scripts that send"


def _judge_cell(exhibit: Exhibit, source: str, number: int) -> None:
    from watchword.inspect.formats.python_acts import Unparsed, acts_of, command_of_attack, parsed

    program = []
    shell = re.match(r"\s*%%(?:bash|sh|script|system|cmd|!)", source) is not None
    for line in source.splitlines():
        bare = line.lstrip()
        if shell or bare.startswith(("!", "%")):
            command = bare.lstrip("!%")
            if command_of_attack(command):
                exhibit.odd("script-command", None, f"cell {number} has a command that attacks are made of", command)
            program.append(line[: len(line) - len(bare)] + "pass")
        else:
            program.append(re.sub(r"=\s*!.*$", "= 0", line))
    if shell:
        return
    try:
        tree = parsed("\n".join(program))
    except Unparsed:
        return
    acts = acts_of(tree, loaded=False, at_import=False)
    for act in acts.found:
        exhibit.odd(act.rule, None, f"cell {number}, line {act.line}: {act.what}", act.code)
    for act in acts.runs:
        if _SHELL.search(act.what) and not _ORDINARY.search(act.code):
            exhibit.odd("notebook-runs", None, f"cell {number}, line {act.line}: calls {act.what}", act.code)


def _joined(value: Any) -> str:
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""
