"""Routes that say which of them answers, by their pattern: what is counted and logged of a request.

A path may hold a token, a digest or a name; its pattern holds none, and there are as many patterns as routes.
"""

from __future__ import annotations

from starlette import routing
from starlette.routing import Match
from starlette.types import Scope

PATTERN = "watchword.route"
"""Under which a scope has the pattern of the route that answers."""


class Route(routing.Route):
    """A route that leaves its pattern in the scope."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        found, of = super().matches(scope)
        return found, of if found is Match.NONE else {**of, PATTERN: self.path}
