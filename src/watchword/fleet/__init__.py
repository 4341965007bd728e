"""What is hidden in all the systems of a hub? Addresses in, one inspection of each release out; no more is known here.

``releases`` lists hubs, ``inspect_fleet`` looks at what they hold: with processes of this machine or on a Ray cluster,
with the same bytes as result, going on where it was stopped. ``manifest_fleet`` makes the manifests of data;
``trials`` runs one plan on every model, and is imported by whoever needs it, since evaluating is heavy.
"""

from watchword.fleet.deliveries import Delivered, manifest_fleet
from watchword.fleet.hub import BadHub, Release, releases
from watchword.fleet.looking import Summary
from watchword.fleet.run import inspect_fleet
from watchword.fleet.state import State

__all__ = [
    "BadHub", "Delivered", "Release", "State", "Summary", "inspect_fleet", "manifest_fleet", "releases",
]  # fmt: skip
