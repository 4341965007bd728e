"""The one answer of the guard that is no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.inspect import Inspection


class Refused(WatchwordError):
    """The release is not handed over. ``inspection`` and ``explanation`` say why, where it came to them."""

    def __init__(
        self, message: str, hint: str = "", inspection: Inspection | None = None, explanation: Any = None
    ) -> None:
        super().__init__(message, hint)
        self.inspection = inspection
        self.explanation = explanation
