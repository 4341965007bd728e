"""Rule telling-address: a release names hosts that somebody answers for."""

from __future__ import annotations

from inspect_samples import found, told

from watchword.inspect.facts import Verdict


def test_a_bare_public_address_is_told() -> None:
    """A number instead of a name is where stolen data goes."""
    assert ("telling-address", Verdict.SUSPICIOUS) in told(b'{"callback": "http://203.0.113.9/collect"}', "x.json")


def test_this_machine_and_a_named_host_are_silent() -> None:
    """Addresses of the machine itself and names of hosts are ordinary."""
    assert found(b'{"callback": "http://127.0.0.1:8080/collect", "home": "https://a.example"}', "x.json") == set()
