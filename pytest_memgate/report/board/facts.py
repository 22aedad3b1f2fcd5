"""What the board's lists say of a series: where it stands, how it grew, how much of its budget is used."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_memgate.model.history import Chart, Level, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The numbers of one series; amounts are in its unit, None where they are not known.

    `last` is the value, or the bound if `is_bound`, at the last measured commit, None if the series is gone. `start` is
    the anchor, or else the first value. `use` is the used share of the budget: 1 is all of it. `noise` is the spread
    as a share of the value. `moves` counts the positions where the value changed.
    """

    last: float | None = None
    is_bound: bool = False
    start: float | None = None
    use: float | None = None
    noise: float = 0
    moves: int = 0

    @property
    def growth(self) -> float | None:
        """The growth since the start; a bound has none."""
        return None if self.is_bound or self.last is None or self.start is None else self.last - self.start

    @property
    def ratio(self) -> float | None:
        """The growth as a share of the start."""
        return self.growth / self.start if self.growth is not None and self.start else None


def facts_of(chart: Chart) -> Facts:
    """Return the numbers of a series."""
    moves = list(moves_of(chart.steps))
    level = chart.latest
    number = max(0, len(moves) - 1)
    if level is None:
        return Facts(moves=number)
    return Facts(
        last=level.value if level.value is not None else level.bound,
        is_bound=level.value is None,
        start=level.anchor if level.anchor is not None else _first_value(chart.steps),
        use=budget_use(level),
        noise=level.spread / level.value if level.value else 0,
        moves=number,
    )


def moves_of(steps: Sequence[Step]) -> Iterator[Step]:
    """Yield the steps at which the value changed: others only change a budget or a baseline."""
    before: tuple[float | None, float | None] | None = None
    for step in steps:
        now = (step.level.value, step.level.bound)
        if now != before:
            yield step
            before = now


def budget_use(level: Level) -> float | None:
    """Return the used share of the narrower budget, None for a bound and without a budget."""
    if level.value is None:
        return None
    uses = [level.value / level.limit] if level.limit else []
    if level.allowed and level.baseline is not None:
        uses.append((level.value - level.baseline) / level.allowed)
    return max(uses, default=None)


def _first_value(steps: Sequence[Step]) -> float | None:
    return next((step.level.value for step in steps if step.level.value is not None), None)
