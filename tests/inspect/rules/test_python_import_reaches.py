"""Rule python-import-reaches: importing a file of a release reaches no network and no native code."""

from __future__ import annotations

import pytest
from inspect_samples import found, told

from watchword.inspect.facts import Verdict


def test_a_connection_that_an_import_makes_is_told() -> None:
    """A connection at the top of a module is told."""
    assert ("python-import-reaches", Verdict.SUSPICIOUS) in told(
        b"import socket\nsocket.create_connection(('a.example', 1))\n", "shipped.py"
    )


def test_a_function_that_connects_is_silent() -> None:
    """The same call in a function is made when somebody asks for it."""
    assert (
        found(b"import socket\ndef connect():\n    return socket.create_connection(('a.example', 1))\n", "shipped.py")
        == set()
    )


@pytest.mark.parametrize(
    "reads",
    [
        "open(os.path.expanduser('~/.ssh/id_rsa')).read()",
        "open('/home/x/.aws/credentials')",
        "io.open(os.path.join(os.path.expanduser('~'), '.kube/config'), mode='r')",
        "Path('/home/x/.netrc').read_text()",
        "Path(os.path.expanduser('~/.cache/huggingface/token')).open('rb')",
    ],
)
def test_keys_and_passwords_that_an_import_reads_are_told(reads: str) -> None:
    """Whatever becomes of them afterwards; in a function, or of a file that is none of theirs, it is silent."""
    top = "import io, os\nfrom pathlib import Path\n"
    assert ("python-import-reaches", Verdict.SUSPICIOUS) in told(f"{top}key = {reads}\n".encode(), "shipped.py")
    assert found(f"{top}def login():\n    return {reads}\n".encode(), "shipped.py") == set()
    assert found(f"{top}words = open('vocab.txt').read()\nPath('config.json').read_text()\n".encode(), "a.py") == set()


def test_a_path_opened_for_writing_is_told_whatever_opens_it() -> None:
    """``Path.open`` has its mode first, ``open`` second."""
    for call in ("Path(FILE).open('a')", "open(FILE, 'a')", "open(FILE, mode='w')"):
        line = call.replace("FILE", "'/home/x/.bashrc'")
        data = f"from pathlib import Path\n{line}\n".encode()
        assert ("python-import", Verdict.DANGEROUS) in told(data, "a.py"), line
