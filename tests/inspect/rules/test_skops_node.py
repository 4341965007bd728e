"""Rule skops-node: no node of a skops archive asks for trust that ends in execution."""

from __future__ import annotations

import json

from inspect_samples import found, told, zipped

from watchword.inspect.facts import Verdict


def skops(module: str, name: str, loader: str, **more: object) -> bytes:
    node = {"__module__": module, "__class__": name, "__loader__": loader, **more}
    tree = {"__module__": "builtins", "__class__": "list", "__loader__": "ListNode", "content": [node]}
    return zipped(("schema.json", json.dumps(tree).encode()))


def test_a_node_that_names_a_command_is_dangerous() -> None:
    """Who trusts the name lets the loader take ``os.system``."""
    assert ("skops-node", Verdict.DANGEROUS) in told(skops("os", "system", "FunctionNode"), "m.skops")


def test_a_node_that_names_an_estimator_is_silent() -> None:
    """Estimators are what skops was made for."""
    assert found(skops("sklearn.linear_model._base", "LinearRegression", "ObjectNode", content={}), "m.skops") == set()
