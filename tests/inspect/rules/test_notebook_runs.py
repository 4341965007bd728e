"""Rule notebook-runs: a cell of a notebook starts a program that notebooks have no need of."""

from __future__ import annotations

from inspect_samples import found, notebook, told

from watchword.inspect.facts import Verdict


def test_a_cell_that_starts_an_unusual_program_is_suspicious() -> None:
    """What os.system runs in a cell runs when somebody runs all cells."""
    assert ("notebook-runs", Verdict.SUSPICIOUS) in told(notebook("import os; os.system('id')"), "demo.ipynb")


def test_a_cell_that_fetches_or_installs_is_silent() -> None:
    """Cloning a repository and installing a package are what notebooks do."""
    assert found(notebook("import subprocess\nsubprocess.run(['git', 'clone', 'x'])"), "demo.ipynb") == set()
    assert found(notebook("!pip install torch"), "demo.ipynb") == set()
