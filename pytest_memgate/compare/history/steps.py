"""Where the level of one series changed, by its nature or by a detector that only proposes."""

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_memgate.model.history import Chart, Level, Precision, Series
from pytest_memgate.model.metric import metric

_SHARE = 0.01  # of a value: two runs of the same code may differ by it; as compare/agreement.py has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A level and the next one, by the positions of their commits; with `is_at_least`, the lower one is a bound."""

    before_position: int
    position: int
    before: float
    after: float
    is_at_least: bool = False

    @property
    def is_growth(self) -> bool:
        """True if the new level is above the old one."""
        return self.after > self.before


@dataclass(frozen=True, slots=True)
class _Known:
    """The level that the next ones are held against; `last` is the last position at which it may still hold."""

    amount: float
    spread: float
    last: int
    is_bound: bool


def tolerance(series: Series, amount: float, spread: float = 0) -> float:
    """Return what two measurements of the same code may differ by, in the unit of the series.

    Of a near-exact metric, that is its noise, 1 % or the `spread` that was seen, whichever is the most. An exact one
    may not differ at all. Of a noisy one, the spread within a run is all that a single level tells.
    """
    if series.precision is Precision.EXACT:
        return 0
    if series.precision is Precision.NOISY:
        return max(_SHARE * abs(amount), spread)
    noise = metric(series.metric, series.unit).noise
    return max(noise, _SHARE * abs(amount), spread) if noise else spread


def moves(chart: Chart) -> Iterator[Move]:
    """Yield the changes of an exact or near-exact series, in order.

    Each level is held against the last one that was a change, so that many small steps become one. A bound is no value:
    only a new bound below the old value is a change, and a value above an old bound. A gap, in which the series was
    gone, ends nothing.
    """
    known: _Known | None = None
    for position, level in chart.levels():
        if level.is_gone:
            continue
        move = _move(chart.series, known, position, level) if known else None
        if move:
            yield move
        known = _after(chart.series, known, move, position, level)


def _move(series: Series, known: _Known, position: int, level: Level) -> Move | None:
    amount = level.bound if level.value is None else level.value
    if amount is None:
        return None
    difference = amount - known.amount
    if abs(difference) <= tolerance(series, known.amount, max(known.spread, level.spread)):
        return None
    if (known.is_bound and difference < 0) or (level.value is None and (known.is_bound or difference > 0)):
        return None
    return Move(
        before_position=known.last,
        position=position,
        before=known.amount,
        after=amount,
        is_at_least=known.is_bound or level.value is None,
    )


def _after(series: Series, known: _Known | None, move: Move | None, position: int, level: Level) -> _Known:
    """Return what the next level is held against."""
    is_bound = level.value is None
    amount = (level.bound if level.value is None else level.value) or 0
    if known is None or move or known.is_bound:
        return _Known(amount, level.spread, position, is_bound)
    if not is_bound:
        return _Known(known.amount, max(known.spread, level.spread), position, is_bound=False)
    # A bound that lies about the value says that the value still holds; a higher one says nothing.
    holds = amount <= known.amount + tolerance(series, known.amount, known.spread)
    return _Known(known.amount, known.spread, position if holds else known.last, is_bound=False)
