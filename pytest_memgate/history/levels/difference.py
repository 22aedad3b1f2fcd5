"""What a run says beyond the levels that are stored: its difference to them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from pytest_memgate.history.levels.silence import silent_levels
from pytest_memgate.history.levels.snapshot import Snapshot, is_news
from pytest_memgate.history.run_file import Difference
from pytest_memgate.model.history import Level, Series

_EXPLAINED = 20  # values of a run that changed, of which the sites are kept; chosen

ReasonOf = Callable[[Series], str]
Levels = Mapping[Series, Level]


def difference(before: Levels, snapshot: Snapshot, reason_of: ReasonOf) -> Difference:
    """Return what a run says beyond the levels `before`; `reason_of` gives the reason of a baseline that was raised.

    Raises ValueError for a series that has another unit there. A run has many thousands of series: each is looked up
    once.
    """
    pairs = [(series, before.get(series), level) for series, level in snapshot.levels.items()]
    added = [series for series, old, _ in pairs if old is None]
    if added:
        _check_units(added, before)
    is_whole = len(pairs) - len(added) == len(before)
    missing = [] if is_whole else [series for series in before if series not in snapshot.levels]
    absent = dict(silent_levels(missing, before, snapshot.levels))
    pairs += [(series, before[series], level) for series, level in absent.items()]
    news: dict[Series, Level] = {}
    shares: dict[Series, float] = {}
    for series, old, new in pairs:
        reason = _reason(series, old, new, reason_of)
        level = replace(new, reason=reason) if reason != new.reason else new
        if is_news(series, old, level):
            news[series] = level
            if old is not None:
                shares[series] = abs(level.value / old.value - 1) if old.value and level.value is not None else 0
    # The names of sites would be most of what a run takes in the git ref: only those that moved most for their size.
    explained = [*added, *sorted(shares, key=shares.__getitem__, reverse=True)[:_EXPLAINED]]
    return Difference(
        levels=news,
        sites={series: snapshot.sites[series] for series in explained if series in snapshot.sites},
        gone=[series for series in missing if series not in absent],
    )


def _check_units(added: Iterable[Series], before: Levels) -> None:
    units = {(one.subject, one.metric): one.unit for one in before}
    for series in added:
        if (unit := units.get((series.subject, series.metric), series.unit)) != series.unit:
            here, there = (one or "a plain number" for one in (series.unit, unit))
            raise ValueError(f"{series}: in {here} here, and in {there}")


def _reason(series: Series, old: Level | None, new: Level, reason_of: ReasonOf) -> str:
    """Return the reason of a baseline: the known one, as long as the baseline is the same."""
    if old is not None and old.baseline == new.baseline:
        return old.reason
    return reason_of(series) if new.baseline is not None else ""
