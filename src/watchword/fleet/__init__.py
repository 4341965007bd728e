"""What is hidden in all the systems of a hub, and how does each behave? Addresses in, one result for each release out.

``releases`` lists hubs, ``inspect_fleet`` looks at what they hold: with processes of this machine or on a Ray cluster,
with the same bytes as result, going on where it was stopped. ``manifest_fleet`` makes the manifests of data;
``trials`` runs one plan on every model and ``evidence`` commits and records it: both are imported by whoever needs
them, since evaluating is heavy.
"""

from watchword.fleet.deliveries import Delivered, manifest_fleet
from watchword.fleet.hub import BadHub, Release, releases
from watchword.fleet.looking import Summary
from watchword.fleet.run import inspect_fleet
from watchword.fleet.state import State

__all__ = [
    "BadHub", "Delivered", "Release", "State", "Summary", "inspect_fleet", "manifest_fleet", "releases",
]  # fmt: skip
