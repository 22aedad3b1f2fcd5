"""A run's file as a snapshot for the store."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pytest_memgate.errors import HistoryError
from pytest_memgate.history.levels.snapshot import Sites, Snapshot
from pytest_memgate.history.levels.values import Parts, Value, values_of
from pytest_memgate.model.history import Level, Precision, RunRecord, Series
from pytest_memgate.model.metric import CUSTOM, WEB, metric
from pytest_memgate.model.provenance import Provenance
from pytest_memgate.model.run import Run
from pytest_memgate.units import DURATION, SIZE

_SITES = 8  # of a value, the largest ones
_PARTS = 60  # of a bundle, whose parts are drawn
_DIGITS = 4  # of a value that is not exact: the others are noise
_DIGITS_OF_SITES = 3  # of a part of a value
_AHEAD = timedelta(days=1)  # that another machine's clock may be wrong; chosen
_ID = re.compile("[0-9a-f]{32}")  # it is the name of a file, too


def snapshot_of(run: Run, content: str, where: str, *, now: datetime | None = None) -> Snapshot:
    """Return what a run adds to a history; `content` is a digest of its file, which `where` names in errors.

    Raises HistoryError for a run without a commit, without a value, of the future, or with a size below 0.
    """
    return snapshot_with(run, values_of(run), content, where, now=now)


def snapshot_with(
    run: Run, values: Iterable[Value], content: str, where: str, *, now: datetime | None = None
) -> Snapshot:
    """Return the same from the values of a run, whatever findings `run` has."""
    origin = _origin(run, where, now or datetime.now(UTC))
    machine = _machine(origin)
    levels: dict[Series, Level] = {}
    parts: dict[Series, Parts] = {}
    for value in values:
        _check(value, where)
        series = _series(value, run.environment.key, machine)
        levels[series] = _level(value)
        if value.parts and not value.is_bound:
            parts[series] = value.parts
    if not levels:
        raise HistoryError(f"{where}: nothing was measured in it", hint="a history takes runs that measured something")
    record = RunRecord(
        id=origin.id if _ID.fullmatch(origin.id) else content[:32],
        environment=run.environment.key,
        machine=machine,
        commit=origin.commit,
        complete=bool(run.extent and run.extent.everything and not run.extent.cut_short),
        verdict=run.verdict,
        start=origin.start,
        end=origin.end,
        ci=origin.ci,
        versions=origin.versions,
        seconds=_seconds(origin),
    )
    return Snapshot(record=record, content=content, levels=levels, sites=_LargestSites(parts))


def _origin(run: Run, where: str, now: datetime) -> Provenance:
    origin = run.provenance
    if origin is None or not (origin.commit.id and origin.commit.tree):
        raise HistoryError(f"{where}: it does not say which commit it measured", hint="make it in a git repository")
    start = _time(origin.start, where)
    if max(start, _time(origin.end or origin.start, where)) > now + _AHEAD:
        raise HistoryError(f"{where}: made at {origin.start}, which is to come", hint="set the clock, and make it anew")
    return origin


def _time(text: str, where: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise HistoryError(f"{where}: {text!r:.40} is no time", hint="as in 2026-11-29T16:21:44Z") from error


def _seconds(origin: Provenance) -> float:
    return max(0.0, (_time(origin.end or origin.start, "") - _time(origin.start, "")).total_seconds())


def _machine(origin: Provenance) -> str:
    machine = origin.machine
    return ", ".join(part for part in (machine.cpu, f"{machine.cores} cores" if machine.cores else "") if part)


def _series(value: Value, environment: str, machine: str) -> Series:
    return Series(
        subject=value.subject,
        metric=value.metric,
        unit=value.unit,
        environment=WEB if metric(value.metric).is_web else environment,
        machine=machine if value.precision is Precision.NOISY else "",
        precision=value.precision,
    )


def _check(value: Value, where: str) -> None:
    if value.amount < 0 and value.unit in {SIZE, DURATION} and not value.metric.startswith(CUSTOM):
        what = f"{value.subject} {value.metric} is {value.amount:g} {value.unit}"
        raise HistoryError(f"{where}: {what}: no value is below 0", hint="make the run anew")


def _level(value: Value) -> Level:
    is_noisy = value.precision is Precision.NOISY
    amount = value.amount if value.precision is Precision.EXACT else _rounded(value.amount)
    return Level(
        value=None if value.is_bound else amount,
        bound=amount if value.is_bound else None,
        spread=_rounded(_quartiles(value.samples)) if is_noisy else value.spread and _rounded(value.spread),
        baseline=value.baseline,
        anchor=value.anchor,
        allowed=value.allowed,
        limit=value.limit,
    )


def _quartiles(samples: Sequence[float]) -> float:
    """Return the range that the middle half of the samples lies in."""
    some = sorted(samples)
    return some[3 * (len(some) - 1) // 4] - some[(len(some) - 1) // 4] if some else 0


def _rounded(value: float, digits: int = _DIGITS) -> float:
    return float(f"{value:.{digits}g}")


class _LargestSites(Mapping[Series, Sites]):
    """The largest sites of each value, looked for only where they are asked for: most values have not changed."""

    def __init__(self, parts: Mapping[Series, Parts]) -> None:
        self._parts = parts

    def __getitem__(self, series: Series) -> Sites:
        most = _PARTS if metric(series.metric).family == "bundle" else _SITES
        largest = sorted(self._parts[series](), key=lambda site: (-site.size, site.key))[:most]
        return {site.key: _rounded(site.size, _DIGITS_OF_SITES) for site in largest}

    def __contains__(self, series: object) -> bool:
        return series in self._parts

    def __iter__(self) -> Iterator[Series]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)
