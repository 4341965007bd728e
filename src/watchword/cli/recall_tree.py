"""The tree of ``watchword recall``, and what a recall may say besides its target. Imports argparse alone."""

from __future__ import annotations

import argparse


def recall_terms(one: argparse.ArgumentParser) -> None:
    """Which versions a recall means, what it is called, how soon, and what may be done instead."""
    one.add_argument(
        "--versions", action="append", default=[], metavar="RANGE",
        help="of a package, such as '>=2.0,<2.3' (default: all)",
    )
    one.add_argument("--directive", metavar="ID", help="the number people call it by; several recalls may share it")
    one.add_argument(
        "--severity", choices=("emergency", "urgent", "routine"), default="urgent", help="how soon holders must act"
    )
    one.add_argument(
        "--alternative", action="append", default=[], metavar="TEXT", help="what may be done instead of the actions"
    )
