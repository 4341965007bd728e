"""Rule python-payload: no class of a release makes pickles that attack."""

from __future__ import annotations

from inspect_samples import found, told

from watchword.inspect.facts import Verdict


def test_a_reduce_method_that_names_a_command_is_dangerous() -> None:
    """Whoever saves such an object makes a file that runs the command."""
    assert ("python-payload", Verdict.DANGEROUS) in told(
        b"import os\nclass A:\n    def __reduce__(self):\n        return os.system, ('id',)\n", "shipped.py"
    )


def test_a_reduce_method_that_names_its_class_is_silent() -> None:
    """Objects that rebuild themselves say so in the same way."""
    assert found(b"class A:\n    def __reduce__(self):\n        return A, (self.size,)\n", "shipped.py") == set()
