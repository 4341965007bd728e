"""Rule config-remote-code: a configuration makes the loader run code from elsewhere."""

from __future__ import annotations

from inspect_samples import look, told

from watchword.inspect.facts import Verdict


def test_code_of_another_repository_is_told() -> None:
    """The loader would fetch the module from ``someone/code`` and import it."""
    data = b'{"auto_map": {"AutoModel": "someone/code--modeling_x.X"}}'
    assert told(data, "config.json") == {("config-remote-code", Verdict.SUSPICIOUS)}


def test_an_implementation_of_the_library_is_silent() -> None:
    """The attention that the library brings is fetched from nowhere."""
    data = b'{"attn_implementation": "flash_attention_2"}'
    assert look(data, "config.json").findings == []
