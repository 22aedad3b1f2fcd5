"""What one run adds to a history: where it comes from, and a level for each series."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_memgate.model.history import Level, Precision, RunRecord, Series
from pytest_memgate.model.metric import metric

_PART = 0.01  # of a value: two runs of the same code may differ by it; as compare/agreement.py has it
_NOTHING = Level()
VALUES, BOUNDS, PART = "values", "bounds", ", in part"  # how the names of chains end

Sites = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A run as it is stored: `content` is a digest of all that it says, `sites` are those of the series that have some.

    `chain` is the name of the runs that it may be stored as a difference to.
    """

    record: RunRecord
    content: str
    levels: Mapping[Series, Level]
    sites: Mapping[Series, Sites] = field(default_factory=dict)

    @property
    def chain(self) -> str:
        """One environment, one class of machine, all tests or a part, and either mostly bounds or mostly values."""
        bounds = sum(level.bound is not None for level in self.levels.values())
        kind = BOUNDS if 2 * bounds > len(self.levels) else VALUES
        kind += "" if self.record.complete else PART
        return f"{self.record.environment}\n{self.record.machine}\n{kind}"


def is_news(series: Series, old: Level | None, new: Level) -> bool:
    """True if a level says something that the last stored one does not: more than two runs of the same code differ by.

    A value is never stored as unchanged for a bound, nor a bound for a value.
    """
    old = old or _NOTHING
    if _amounts(old) != _amounts(new):
        return True
    before, after = (old.value, new.value) if new.bound is None else (old.bound, new.bound)
    if before is None or after is None:
        return before is not after
    return abs(after - before) > _tolerance(series, before)


def _amounts(level: Level) -> tuple[object, ...]:
    return (level.bound is None, level.baseline, level.anchor, level.allowed, level.limit, level.reason)


def _tolerance(series: Series, value: float) -> float:
    if series.precision is not Precision.NEAR_EXACT:
        return 0
    noise = metric(series.metric, series.unit).noise
    return max(noise, _PART * abs(value)) if noise else 0
