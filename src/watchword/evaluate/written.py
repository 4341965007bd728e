"""A run as it was, from the document that is attached to its statement or kept in the state of a fleet."""

from __future__ import annotations

from typing import Any

from watchword.errors import WatchwordError
from watchword.evaluate.plan import parse
from watchword.evaluate.run import Done, Result, Row


def result_from(value: dict[str, Any]) -> Result:
    """The result whose ``value`` is *value*.

    Raises:
        ValueError: another form, or counts that do not follow from its rows: they are shown there, not kept.
    """
    try:
        clean = value["clean"]
        done = Done(
            [Row(**row) for row in value["rows"]], clean["n"], clean["k"], examples=value["examples"],
            cpu_s=float(value["cpu_s"]),
        )  # fmt: skip
        curve = tuple((point["eps"], point["k"], point["n"]) for point in value["curve"])
        plan, findings, flags = parse(value["plan"], "the report"), tuple(value["findings"]), tuple(value["flags"])
        result = Result(plan, value["seed"], done, value["environment"], findings, flags, curve)
        same = result.value() == value
    except (KeyError, TypeError, WatchwordError) as error:
        raise ValueError(f"not an evaluation: {error}") from error
    if not same:
        raise ValueError("not an evaluation: its counts do not follow from its rows")
    return result
