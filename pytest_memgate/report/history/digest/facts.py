"""What happened in a period of a history, as values: the facts of a digest, before any words."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any, TypeVar

from pytest_memgate.budget.usual import usual_growth
from pytest_memgate.budget.waiver import Waiver
from pytest_memgate.errors import HistoryError
from pytest_memgate.model.history import Chart, Event, EventKind, Level, Past, Precision, RunRecord, Series
from pytest_memgate.model.history_change import ChangeState, HistoryChange
from pytest_memgate.model.run import Verdict
from pytest_memgate.model.subject import Subject
from pytest_memgate.report.history.digest.period import Period
from pytest_memgate.report.history.digest.slack import UnusedSlack, unused_slack
from pytest_memgate.report.history.figures import (
    Move,
    commits_per_day,
    headroom,
    most,
    moves,
    slope,
)

T = TypeVar("T")

STEPS = 5  # of the largest
_LISTED = 10  # of anything else
_HORIZON = 90  # days: a budget that lasts longer is no news; chosen
_ENDING = 45  # days before its end that a waiver is told of; chosen
_FLIPS = 3  # ups and downs of a period that make a value flaky; chosen
_NOISY = 0.05  # of a value that its spread must be to be told; chosen
_SLOPE = 100  # commits that a slope is taken from, at least


@dataclass(frozen=True, slots=True, kw_only=True)
class Creep:
    """Growth above an anchor, or above the first value of the history where `is_anchored` is False."""

    series: Series
    start: float
    value: float
    is_anchored: bool
    steps: int

    @property
    def share(self) -> float:
        """The growth as a share of where it began."""
        return (self.value - self.start) / self.start if self.start else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A changed value of the period; `budgets` is its growth in budgets, or as a share where there is no budget.

    `why_ended` says why nobody has to look at it any more, as where it was taken back.
    """

    series: Series
    move: Move
    budgets: float
    why_ended: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A budget that is used up in some commits if the slope stays; `days` is None where commits have no times."""

    series: Series
    slope: float
    left: float
    days: float | None

    @property
    def commits(self) -> float:
        """How many commits the budget lasts."""
        return self.left / self.slope


@dataclass(frozen=True, slots=True, kw_only=True)
class EndingWaiver:
    """A waiver, the days until its end (negative if it is over), and the largest value that it is for."""

    waiver: Waiver
    days: int
    value: float | None
    is_needed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Swelling:
    """A module, package or resource of a bundle that grew."""

    series: Series
    site: str
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """A value that differs between runs: its spread as a share of it, and how often it went up and down."""

    series: Series
    share: float
    flips: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What the runs took: `before` are the seconds of a run of the default branch before the period."""

    runs: int
    beside: int  # of them, runs of pull requests and the like
    seconds: float
    each: float
    before: float | None
    failed: int
    no_answer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Tests by what is missing: ended in the period, no value but bounds, and not measured in the period at all."""

    vanished: Mapping[Subject, int]  # the position where each of them ended
    bounded: tuple[Subject, ...]
    silent: tuple[Subject, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """All that a digest says."""

    past: Past
    period: Period
    series: int
    tests: int
    measured: int  # commits of the period
    creep: tuple[Creep, ...]
    grown: tuple[Change, ...]
    shrunk: tuple[Change, ...]
    slack: tuple[UnusedSlack, ...]
    forecasts: tuple[Forecast, ...]
    waivers: tuple[EndingWaiver, ...]
    missing: Missing
    modules: tuple[Swelling, ...]
    noise: tuple[Noise, ...]
    cost: Cost
    marks: tuple[Event, ...]
    renames: tuple[tuple[str, str], ...] = ()
    unexplained: tuple[HistoryChange, ...] = ()  # confirmed growth of the period without a reason, the newest first


def digest(
    past: Past,
    period: Period,
    waivers: Sequence[Waiver],
    today: date,
    renames: Iterable[tuple[str, str]] = (),
    *,
    known: Sequence[HistoryChange] = (),
) -> Digest:
    """Return the facts of a period.

    `renames` are pairs of names, old and new, that look like one test; `known` are the changes of the history with what
    was said of them.

    Raises HistoryError if nothing was measured in it.
    """
    measured = {at for run in past.runs.values() for at in run.positions if at in period}
    if not measured:
        hint = "memgate history add stores runs, memgate history backfill measures old commits"
        raise HistoryError(f"no commit of {period.name} was measured", hint=hint)
    charts = [_until(chart, period.end) for chart in past.charts]
    charts = [chart for chart in charts if chart.steps]
    alive = [chart for chart in charts if chart.latest is not None]
    changes = sorted(_changes(charts, period, known), key=lambda change: (change.budgets, change.series))
    pairs = tuple(renames)
    return Digest(
        past=past,
        period=period,
        series=len(alive),
        tests=len({chart.series.subject for chart in alive}),
        measured=len(measured),
        creep=_first(_creep(alive), key=lambda one: (-one.share, one.series)),
        grown=_largest(change for change in reversed(changes) if change.budgets > 0),
        shrunk=_largest(change for change in changes if change.budgets < 0),
        slack=unused_slack(alive)[:_LISTED],
        forecasts=_first(_forecasts(past, alive, period), key=lambda one: (one.days or one.commits, one.series)),
        waivers=tuple(_waivers(alive, waivers, today)),
        missing=_missing(charts, period, {old for old, _ in pairs}),
        modules=_first(_modules(alive, period), key=lambda one: (one.before - one.after, one.series)),
        noise=_first(_noise(alive, period), key=lambda one: (-one.flips, -one.share, one.series)),
        cost=_cost(past, period),
        marks=tuple(_marks(past, period)),
        renames=pairs,
        unexplained=_first(_unexplained(known, period), key=lambda one: (-one.position, one.series)),
    )


def _first(items: Iterable[T], key: Callable[[T], Any]) -> tuple[T, ...]:
    return tuple(sorted(items, key=key)[:_LISTED])


def _largest(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return the first changes, one of each series: those after it are told by its creep."""
    firsts: dict[Series, Change] = {}
    for change in changes:
        firsts.setdefault(change.series, change)
    return tuple(firsts.values())[:STEPS]


def _until(chart: Chart, end: int) -> Chart:
    """Return a chart as it was at a position."""
    steps = tuple(step for step in chart.steps if step.position <= end)
    return Chart(series=chart.series, steps=steps, measured=tuple(at for at in chart.measured if at <= end))


def _creep(charts: Iterable[Chart]) -> Iterator[Creep]:
    for chart in charts:
        values = [step.level for step in chart.steps if step.level.value is not None]
        if not values or values[-1] is not chart.latest or chart.series.precision is Precision.NOISY:
            continue
        last = values[-1]
        start = values[0].value if last.anchor is None else last.anchor
        if start and last.value is not None and last.value > start and moves(chart):
            yield Creep(
                series=chart.series,
                start=start,
                value=last.value,
                is_anchored=last.anchor is not None,
                steps=len(moves(chart)),
            )


def _unexplained(known: Iterable[HistoryChange], period: Period) -> Iterator[HistoryChange]:
    return (change for change in known if change.is_open and change.position in period)


def _changes(charts: Iterable[Chart], period: Period, known: Iterable[HistoryChange]) -> Iterator[Change]:
    told = {(change.series, change.position): change for change in known}
    for chart in charts:
        for move in moves(chart):
            if move.position in period:
                step = chart.step_at(move.seen)
                allowed = step.level.allowed if step is not None else None
                if allowed is None:
                    allowed = usual_growth(chart.series.metric, chart.series.unit, move.before)
                known_as = told.get((chart.series, move.position))
                reason, why_ended = (known_as.reason, _nothing_left(known_as)) if known_as else ("", "")
                yield Change(
                    series=chart.series,
                    move=replace(move, reason=move.reason or reason),
                    budgets=move.growth / (allowed or move.before or 1),
                    why_ended=why_ended,
                )


def _nothing_left(change: HistoryChange) -> str:
    return "measured again, it was not there" if change.state is ChangeState.REFUTED else change.why_ended


def _forecasts(past: Past, charts: Iterable[Chart], period: Period) -> Iterator[Forecast]:
    start = max(0, min(period.start, period.end - _SLOPE))
    pace = commits_per_day(past.line[start : period.end + 1])
    for chart in charts:
        left = headroom(chart.latest)
        rise = slope(chart, start) if left is not None and left >= 0 else 0.0
        if left is not None and rise > 0:
            days = left / rise / pace if pace else None
            if (days if days is not None else left / rise) <= _HORIZON:
                yield Forecast(series=chart.series, slope=rise, left=left, days=days)


def _waivers(charts: Sequence[Chart], waivers: Iterable[Waiver], today: date) -> Iterator[EndingWaiver]:
    for waiver in sorted(waivers, key=lambda one: one.until):
        days = (waiver.until - today).days
        if days <= _ENDING:
            levels = [one.latest for one in charts if waiver.concerns(one.series.subject, one.series.metric)]
            there = [level for level in levels if level is not None]
            value = max((top for level in there if (top := most(level)) is not None), default=None)
            yield EndingWaiver(waiver=waiver, days=days, value=value, is_needed=any(map(_is_over, there)))


def _is_over(level: Level) -> bool:
    left = headroom(level)
    return left is not None and left < 0


def _missing(charts: Sequence[Chart], period: Period, renamed: set[str]) -> Missing:
    alive = {chart.series.subject for chart in charts if chart.latest is not None}
    ended = {
        chart.series.subject: chart.steps[-1].position
        for chart in charts
        if chart.latest is None and chart.steps[-1].position in period
    }
    valued = {one.series.subject for one in charts if any(step.level.value is not None for step in one.steps)}
    seen = {one.series.subject for one in charts if one.measured and one.measured[-1] in period}
    return Missing(
        vanished={test: at for test, at in sorted(ended.items()) if test not in alive and str(test) not in renamed},
        bounded=tuple(sorted(alive - valued)),
        silent=tuple(sorted(alive - seen)),
    )


def _modules(charts: Iterable[Chart], period: Period) -> Iterator[Swelling]:
    for chart in charts:
        if not chart.series.quantity.startswith("bundle."):
            continue
        before, after = _sites(chart, period.before), _sites(chart, period.end)
        for site, size in after.items() if before else ():
            if size > before.get(site, 0):
                yield Swelling(series=chart.series, site=site, before=before.get(site, 0), after=size)


def _sites(chart: Chart, position: int) -> Mapping[str, float]:
    known = [step.sites for step in chart.steps if step.position <= position and step.sites]
    return known[-1] if known else {}


def _noise(charts: Iterable[Chart], period: Period) -> Iterator[Noise]:
    for chart in charts:
        level = chart.latest
        values = [step.level.value for step in chart.steps if step.position in period and step.level.value is not None]
        share = level.spread / level.value if level is not None and level.value else 0.0
        flips = 0 if chart.series.precision is Precision.NOISY else _flips(values)
        if share > _NOISY or flips >= _FLIPS:
            yield Noise(series=chart.series, share=share, flips=flips)


def _flips(values: Sequence[float]) -> int:
    """Return how often a value turned from rising to falling, or back."""
    ways = [later > earlier for earlier, later in pairwise(values) if later != earlier]
    return sum(one != two for one, two in pairwise(ways))


def _cost(past: Past, period: Period) -> Cost:
    on_line = [run for run in past.runs.values() if any(at in period for at in run.positions)]
    earlier = [run for run in past.runs.values() if run.positions and run.positions[-1] < period.start]
    days = {past.line[at].time[:10] for at in (period.start, period.end)}
    beside = [run for run in past.runs.values() if not run.positions and min(days) <= run.start[:10] <= max(days)]
    runs = [*on_line, *beside]
    return Cost(
        runs=len(runs),
        beside=len(beside),
        seconds=sum(run.seconds for run in runs),
        each=_mean(on_line) or 0.0,
        before=_mean(earlier),
        failed=sum(run.verdict is Verdict.FAILED for run in on_line),
        no_answer=sum(run.verdict is Verdict.NO_ANSWER for run in on_line),
    )


def _mean(runs: Sequence[RunRecord]) -> float | None:
    return sum(run.seconds for run in runs) / len(runs) if runs else None


def _marks(past: Past, period: Period) -> Iterator[Event]:
    at = {commit.id: commit.position for commit in past.line}
    for event in past.events:
        if event.kind is EventKind.MARK and at.get(event.commit, -1) in period:
            yield event
