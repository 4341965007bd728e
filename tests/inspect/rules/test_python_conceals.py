"""Rule python-conceals: code that runs can be read in the file."""

from __future__ import annotations

from inspect_samples import found, told

from watchword.inspect.facts import Verdict


def test_code_that_is_unmarshalled_and_run_is_dangerous() -> None:
    """Hidden code is told wherever in the file it would run."""
    assert ("python-conceals", Verdict.DANGEROUS) in told(
        b"def f():\n    import marshal\n    exec(marshal.loads(b'x'))\n", "shipped.py"
    )


def test_data_that_is_decoded_and_not_run_is_silent() -> None:
    """Packed data in a source is data as long as nothing executes it."""
    assert found(b"import bz2, base64\nKERNEL = bz2.decompress(base64.b64decode('QlpoOQ=='))\n", "shipped.py") == set()
