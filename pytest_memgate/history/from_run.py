"""A run's file as a snapshot for the store."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pytest_memgate.errors import HistoryError
from pytest_memgate.history.snapshot import Sites, Snapshot
from pytest_memgate.model.history import Level, Precision, RunRecord, Series
from pytest_memgate.model.judgement.budget import RuleKind
from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.metric import CUSTOM, WEB, metric
from pytest_memgate.model.provenance import Provenance
from pytest_memgate.model.run import Run
from pytest_memgate.units import DURATION, SIZE

_SITES = 8  # of a value, the largest ones
_PARTS = 60  # of a bundle, whose parts are drawn
_DIGITS = 4  # of a noisy value that are kept: the others are noise
_DIGITS_OF_SITES = 3  # of a part of a value
_AHEAD = timedelta(days=1)  # that another machine's clock may be wrong; chosen
_ID = re.compile("[0-9a-f]{32}")  # it is the name of a file, too
_BASES = {Basis.EXACT: Precision.EXACT, Basis.SAMPLES: Precision.NOISY}


def snapshot_of(run: Run, content: str, where: str, *, now: datetime | None = None) -> Snapshot:
    """Return what a run adds to a history; `content` is a digest of its file, which `where` names in errors.

    Raises HistoryError for a run without a commit, without a value, of the future, or with a size below 0.
    """
    origin = _origin(run, where, now or datetime.now(UTC))
    machine = _machine(origin)
    levels: dict[Series, Level] = {}
    with_sites: dict[Series, Measurement] = {}
    for finding in run.findings:
        if (measured := finding.measurement) is None:
            continue
        series = _series(finding, measured, run.environment.key, machine)
        _check(finding, measured.value, where)
        levels[series] = _level(finding, measured)
        if measured.sites and not measured.is_bound:
            with_sites[series] = measured
    if not levels:
        raise HistoryError(f"{where}: nothing was measured in it", hint="a history takes runs that measured something")
    record = RunRecord(
        id=origin.id if _ID.fullmatch(origin.id) else content[:32],
        environment=run.environment.key,
        machine=machine,
        commit=replace(origin.commit, parent=""),
        complete=bool(run.extent and run.extent.everything and not run.extent.cut_short),
        verdict=run.verdict,
        start=origin.start,
        end=origin.end,
        ci=origin.ci,
        versions=origin.versions,
        seconds=_seconds(origin),
    )
    return Snapshot(record=record, content=content, levels=levels, sites=_LargestSites(with_sites))


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


def _series(finding: Finding, measured: Measurement, environment: str, machine: str) -> Series:
    precision = _BASES.get(measured.basis, Precision.NEAR_EXACT)
    return Series(
        subject=finding.subject,
        metric=finding.metric,
        unit=finding.unit,
        environment=WEB if metric(finding.metric).is_web else environment,
        machine=machine if precision is Precision.NOISY else "",
        precision=precision,
    )


def _check(finding: Finding, value: float, where: str) -> None:
    is_own = finding.metric.startswith(CUSTOM)
    if value < 0 and finding.unit in {SIZE, DURATION} and not is_own:
        what = f"{finding.subject} {finding.metric} is {value:g} {finding.unit}"
        raise HistoryError(f"{where}: {what}: no value is below 0", hint="make the run anew")


def _level(finding: Finding, measured: Measurement) -> Level:
    limit = finding.rule(RuleKind.LIMIT)
    is_noisy = measured.basis is Basis.SAMPLES
    value = _rounded(measured.value) if is_noisy else measured.value
    return Level(
        value=None if measured.is_bound else value,
        bound=measured.value if measured.is_bound else None,
        spread=_rounded(_quartiles(measured.samples) if is_noisy else measured.spread),
        baseline=finding.baseline,
        anchor=finding.anchor,
        allowed=finding.allowed,
        limit=limit.amount if limit else None,
    )


def _quartiles(samples: tuple[float, ...]) -> float:
    """Return the range that the middle half of the samples lies in."""
    some = sorted(samples)
    return some[3 * (len(some) - 1) // 4] - some[(len(some) - 1) // 4] if some else 0


def _rounded(value: float, digits: int = _DIGITS) -> float:
    return float(f"{value:.{digits}g}")


class _LargestSites(Mapping[Series, Sites]):
    """The largest sites of each value, looked for only where they are asked for: most values have not changed."""

    def __init__(self, measured: Mapping[Series, Measurement]) -> None:
        self._measured = measured

    def __getitem__(self, series: Series) -> Sites:
        most = _PARTS if metric(series.metric).family == "bundle" else _SITES
        largest = sorted(self._measured[series].sites, key=lambda site: (-site.size, site.key))[:most]
        return {site.key: _rounded(site.size, _DIGITS_OF_SITES) for site in largest}

    def __contains__(self, series: object) -> bool:
        return series in self._measured

    def __iter__(self) -> Iterator[Series]:
        return iter(self._measured)

    def __len__(self) -> int:
        return len(self._measured)
