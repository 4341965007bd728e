"""Attacks that only ask: Square with scores, HopSkipJump with decisions, random noise, natural corruptions.

* Square (Andriushchenko and others, 2020): what lowers the margin is kept. In Linf squares of the picture are set to
  eps or -eps; in L2 the change within one square is moved into another. Data without two dimensions is one row.
* HopSkipJump (Chen and others, 2020): walks along the border between classes by decisions alone; an instance falls
  when the border was met within eps.
* Natural corruptions are no attack: they show what weather, lenses and compression do. Strengths 1 to 5, of data from
  0 to 1.
* The budget of the threat (``queries``) holds for each instance and all seeds together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from watchword.evaluate.attacks import Outcome, bounds, is_wrong, project
from watchword.evaluate.draw import randomness
from watchword.evaluate.plan import Plan
from watchword.evaluate.subjects import Subject

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

SQUARE_QUERIES = 5000
"""AutoAttack's number, where neither threat nor parameters state one."""

HOPS_QUERIES = 2500
"""HopSkipJump's, where the threat states none."""

CORRUPTIONS = ("gaussian-noise", "blur", "brightness", "contrast", "pixelate", "shift")


def square(subject: Subject, outcome: Outcome, plan: Plan, seed: str) -> None:
    """Square, on the margin between the right class and the best other one. Parameter: ``squares``."""
    import numpy

    norm, (low, high) = plan.threat.norm or "Linf", bounds(plan)
    total = outcome.left(plan, plan.number("squares", SQUARE_QUERIES))
    batch = outcome.batch.only(~outcome.fell)
    if not len(batch.x) or not total:
        return
    chances = [randomness(seed, index, "square") for index in batch.indices]
    rows = batch.x.shape[1:] if batch.x.ndim > 2 else (1, *batch.x.shape[1:])
    begun, changed = {"Linf": (_stripes, _flat_square), "L2": (_tiles, _moved_square)}[norm]
    first = numpy.asarray([begun(rows, plan.eps, chance) for chance in chances], "float32")
    made = project(batch.x + first.reshape(batch.x.shape), batch.x, plan.eps, norm, low, high)
    margin = numpy.full(len(made), numpy.inf)
    tried = made
    for step in range(total):
        outcome.queries[~outcome.fell] += 1
        scores = subject.scores(tried)
        wrong, fresh = is_wrong(scores, batch.y), _margin(scores, batch.y)
        better = fresh < margin
        made[better], margin[better] = tried[better], fresh[better]
        if wrong.any():
            outcome.take(wrong, tried, "square")
            alive = ~wrong
            batch, made, margin = batch.only(alive), made[alive], margin[alive]
            chances = [chance for chance, left in zip(chances, alive.tolist(), strict=True) if left]
        if not len(made):
            return
        part = _part(step, total)
        away = (made - batch.x).reshape(len(made), *rows)
        for place, chance in enumerate(chances):
            changed(away[place], part, plan.eps, chance)
        tried = project(batch.x + away.reshape(batch.x.shape), batch.x, plan.eps, norm, low, high)


def _stripes(rows: tuple[int, ...], eps: float, chance: numpy.random.Generator) -> Array:
    import numpy

    return numpy.broadcast_to(chance.choice([-eps, eps], size=(*rows[:-2], 1, rows[-1])), rows)


def _window(shape: tuple[int, ...], part: float, least: int, chance: numpy.random.Generator) -> tuple[Any, ...]:
    """A square that covers so much of the picture, somewhere in it."""
    height, width = shape[-2:]
    side = (part * height * width) ** 0.5
    tall, wide = (max(least, round(side)) for _ in range(2))
    if height == 1:
        wide = max(least, round(side * side))
    tall, wide = min(tall, height), min(wide, width)
    top, left = int(chance.integers(0, height - tall + 1)), int(chance.integers(0, width - wide + 1))
    return ..., slice(top, top + tall), slice(left, left + wide)


def _flat_square(away: Array, part: float, eps: float, chance: numpy.random.Generator) -> None:
    away[_window(away.shape, part, 1, chance)] = chance.choice([-eps, eps], size=(*away.shape[:-2], 1, 1))


def _tiles(rows: tuple[int, ...], eps: float, chance: numpy.random.Generator) -> Array:
    """Humps beside each other, together eps long."""
    import numpy

    height, width = rows[-2:]
    tall, wide = max(1, height // 5), max(1, width // 5)
    found = numpy.zeros(rows)
    for top in range(0, height - tall + 1, tall):
        for left in range(0, width - wide + 1, wide):
            sign = chance.choice([-1.0, 1.0], size=(*rows[:-2], 1, 1))
            found[..., top : top + tall, left : left + wide] = _hump(tall, wide, chance) * sign
    return found * (eps / float(numpy.linalg.norm(found)))


def _moved_square(away: Array, part: float, eps: float, chance: numpy.random.Generator) -> None:
    """What two squares have of the length goes into the first, along what it had and a fresh hump; the second is
    cleared."""
    import numpy

    first, second = (_window(away.shape, part, 3, chance) for _ in range(2))
    had, channels = away[first].copy(), max(1, int(numpy.prod(away.shape[:-2])))
    length = numpy.linalg.norm(had, axis=(-2, -1), keepdims=True)
    both = numpy.zeros(away.shape, bool)
    both[first] = both[second] = True
    spare = max(eps**2 - float((away[~both] ** 2).sum()) - float((length**2).sum()), 0.0) / channels
    fresh = _hump(had.shape[-2], had.shape[-1], chance) * chance.choice([-1.0, 1.0], size=(*away.shape[:-2], 1, 1))
    fresh = fresh + had / numpy.maximum(length, 1e-12)
    fresh /= numpy.maximum(numpy.linalg.norm(fresh, axis=(-2, -1), keepdims=True), 1e-12)
    away[second] = 0
    away[first] = fresh * numpy.sqrt(spare + length**2)
    away *= eps / max(float(numpy.linalg.norm(away)), 1e-12)


def _hump(tall: int, wide: int, chance: numpy.random.Generator) -> Array:
    """Two halves of opposite sign, each falling off from its middle; of length 1."""
    import numpy

    def half(height: int, width: int) -> Array:
        down = abs(numpy.arange(height) - (height - 1) / 2)[:, None]
        along = abs(numpy.arange(width) - (width - 1) / 2)[None]
        return numpy.asarray(1 / (1 + numpy.maximum(down, along)) ** 2)

    lying = tall == 1 or (wide > 1 and chance.random() < 0.5)
    sizes = [(tall, wide // 2), (tall, wide - wide // 2)] if lying else [(tall // 2, wide), (tall - tall // 2, wide)]
    made = numpy.concatenate([half(*sizes[0]), -half(*sizes[1])], axis=1 if lying else 0)
    return numpy.asarray(made / numpy.linalg.norm(made))


def noise(subject: Subject, outcome: Outcome, plan: Plan, seed: str, tries: int | None = None) -> None:
    """Random signs of size eps (Linf) or random directions of length eps (L2), so many times."""
    import numpy

    eps, norm, (low, high) = plan.eps, plan.threat.norm or "Linf", bounds(plan)
    for again in range(outcome.left(plan, tries or plan.threat.queries or 1)):
        batch = outcome.batch.only(~outcome.fell)
        if not len(batch.x):
            return
        ways = [randomness(seed, index, f"noise {again}").normal(size=batch.x.shape[1:]) for index in batch.indices]
        way = numpy.asarray(ways)
        if norm == "Linf":
            way = numpy.sign(way)
        else:
            flat = way.reshape(len(way), -1)
            way = (flat / numpy.linalg.norm(flat, axis=1, keepdims=True)).reshape(way.shape)
        made = project(batch.x + eps * way, batch.x, eps, norm, low, high)
        outcome.queries[~outcome.fell] += 1
        outcome.take(is_wrong(subject.scores(made), batch.y), made, "noise")


def hopskipjump(subject: Subject, outcome: Outcome, plan: Plan, seed: str) -> None:
    """HopSkipJump, one instance after the other; parameters ``first`` (questions for the first gradient, 100)."""
    for place in (~outcome.fell).nonzero()[0].tolist():
        budget = outcome.left(plan, plan.threat.queries or HOPS_QUERIES, place=place)
        if not budget:
            continue
        walk = _Walk(subject, outcome, plan, place, budget)
        near = walk.go(randomness(seed, outcome.batch.indices[place], "hopskipjump"), plan.number("first", 100))
        outcome.queries[place] += walk.asked
        if near is not None and walk.distance(near) <= plan.eps * (1 + 1e-6):
            outcome.found[place], outcome.fell[place], outcome.by[place] = near, True, "hopskipjump"


class _Walk:
    """The walk of one instance."""

    def __init__(self, subject: Subject, outcome: Outcome, plan: Plan, place: int, budget: int) -> None:
        self.subject, self.x, self.y = subject, outcome.batch.x[place], outcome.batch.y[place : place + 1]
        self.norm, (self.low, self.high), self.budget = plan.threat.norm or "Linf", bounds(plan), budget
        self.eps, self.asked = plan.eps, 0

    def distance(self, made: Array) -> float:
        import numpy

        away = (made - self.x).ravel()
        return float(abs(away).max() if self.norm == "Linf" else numpy.linalg.norm(away))

    def wrong(self, made: Array) -> Array:
        import numpy

        self.asked += len(made)
        return is_wrong(self.subject.scores(made.astype("float32")), numpy.repeat(self.y, len(made)))

    def go(self, chance: numpy.random.Generator, first: int) -> Array | None:
        import numpy

        away = self._begin(chance)
        if away is None:
            return None
        near = self._border(away)
        for step in range(1, 1000):
            distance = self.distance(near)
            if distance <= self.eps:
                return near
            many = min(int(first * step**0.5), self.budget - self.asked - 30)
            if many < 10:
                return near
            size = self.x.size
            width = distance * 0.01 if self.norm == "L2" else distance * 0.1 / size**0.5 * size**0.25
            ways = chance.normal(size=(many, *self.x.shape))
            ways /= numpy.linalg.norm(ways.reshape(many, -1), axis=1).reshape(-1, *[1] * self.x.ndim)
            tried = numpy.clip(near + max(width, 1e-3) * ways, self.low, self.high)
            signs = numpy.where(self.wrong(tried), 1.0, -1.0)
            signs = signs - signs.mean() if abs(signs.mean()) < 1 else signs
            way = (signs.reshape(-1, *[1] * self.x.ndim) * (tried - near)).mean(axis=0)
            way = numpy.sign(way) if self.norm == "Linf" else way / max(float(numpy.linalg.norm(way)), 1e-12)
            length = distance / step**0.5
            while length > 1e-4 and self.asked < self.budget:
                further = numpy.clip(near + length * way, self.low, self.high)
                if self.wrong(further[None])[0]:
                    closer = self._border(further)
                    near = closer if self.distance(closer) < distance else near
                    break
                length /= 2
        return near

    def _begin(self, chance: numpy.random.Generator) -> Array | None:
        import numpy

        tried = chance.uniform(self.low, self.high, size=(min(50, self.budget), *self.x.shape))
        wrong = numpy.flatnonzero(self.wrong(tried))
        return numpy.asarray(tried[wrong[0]]) if len(wrong) else None

    def _border(self, away: Array) -> Array:
        """The nearest place to x on the way to *away* that is still wrong."""
        import numpy

        least, most = 0.0, 1.0 if self.norm == "L2" else self.distance(away)

        def at(part: float) -> Array:
            if self.norm == "L2":
                return numpy.asarray((1 - part) * self.x + part * away)
            return numpy.asarray(numpy.clip(away, self.x - part, self.x + part))

        best = away
        for _ in range(12):
            middle = (least + most) / 2
            if self.asked >= self.budget:
                break
            if self.wrong(at(middle)[None])[0]:
                most, best = middle, at(middle)
            else:
                least = middle
        return numpy.asarray(best, "float32")


def corruption(subject: Subject, outcome: Outcome, plan: Plan, seed: str) -> None:
    """Each corruption of the plan (parameter ``kinds``, default all; ``strength`` 1 to 5, default 3) on every
    instance."""
    kinds, strength = plan.attack.parameters.get("kinds", list(CORRUPTIONS)), plan.number("strength", 3)
    for kind in kinds if isinstance(kinds, list) else CORRUPTIONS:
        batch = outcome.batch.only(~outcome.fell)
        if not len(batch.x):
            return
        made = corrupt(kind, batch.x, strength, [randomness(seed, index, kind) for index in batch.indices])
        outcome.queries[~outcome.fell] += 1
        outcome.take(is_wrong(subject.scores(made), batch.y), made, kind)


def corrupt(kind: str, x: Array, strength: int, chances: list[numpy.random.Generator]) -> Array:
    """*x*, from 0 to 1, corrupted.

    Raises:
        ValueError: no such kind.
    """
    import numpy

    part = strength / 5
    if kind == "gaussian-noise":
        made = x + 0.25 * part * numpy.asarray([chance.normal(size=x.shape[1:]) for chance in chances])
    elif kind == "brightness":
        made = x + 0.4 * part
    elif kind == "contrast":
        middle = x.reshape(len(x), -1).mean(axis=1).reshape(-1, *[1] * (x.ndim - 1))
        made = (x - middle) * (1 - 0.7 * part) + middle
    elif kind == "shift":
        made = numpy.roll(x, max(1, round(0.25 * part * x.shape[-1])), axis=-1)
    elif kind == "blur":
        made = x
        for axis in range(-min(2, x.ndim - 1), 0):
            made = (numpy.roll(made, 1, axis) + 2 * made + numpy.roll(made, -1, axis)) / 4
        made = (1 - part) * x + part * made
    elif kind == "pixelate":
        step = 2 if strength < 4 else 3
        made = x
        for axis in range(-min(2, x.ndim - 1), 0):
            made = numpy.take(made, numpy.arange(x.shape[axis]) // step * step, axis)
    else:
        raise ValueError(f"no corruption {kind!r}; there are {', '.join(CORRUPTIONS)}")
    return numpy.asarray(numpy.clip(made, 0, 1), "float32")


def _margin(scores: Array, y: Array) -> Array:
    import numpy

    right = scores[numpy.arange(len(y)), y]
    others = scores.copy()
    others[numpy.arange(len(y)), y] = -numpy.inf
    return numpy.asarray(right - others.max(axis=1))


def _part(step: int, total: int) -> float:
    """How much of the picture a square covers: 0.8, halved at the places that Square's authors chose for 10,000
    steps."""
    place = step / total * 10_000
    halved = sum(place > one for one in (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000))
    return float(0.8 / 2**halved)
