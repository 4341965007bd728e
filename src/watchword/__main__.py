"""``python -m watchword``."""

from watchword.cli import entry

entry()
