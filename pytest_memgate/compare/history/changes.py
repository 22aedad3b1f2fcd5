"""All changes of a history, and what has become of each: confirmed, refuted, explained, ended."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from statistics import median

from pytest_memgate.budget.usual import usual_growth
from pytest_memgate.compare.history.noisy import noisy_moves
from pytest_memgate.compare.history.steps import Move, moves, tolerance
from pytest_memgate.model.history import Chart, Event, EventKind, Level, Past, Precision, Series
from pytest_memgate.model.history_change import ChangeState, HistoryChange, change_commit, change_prefix
from pytest_memgate.model.metric import metric

CONFIRMED, REFUTED, UNDECIDED = 1.0, -1.0, 0.0  # a confirmation's `verdict`
VERDICT = "verdict"  # in the data of a confirmation; `before` and `after` are beside it
REACH = "reach"  # there: how many measured commits both commits were apart
_NEAR = 5  # measured commits by which a change may be seen elsewhere once there are more values; chosen
# A near-exact value is that of one process. Of 232 values of a suite measured in three of them, six differed by more
# than 1 %, the largest by 10 %, and small ones by up to 3 KB.
_SWAY, _SWAYS = 0.2, 2.5  # of the lower value, and times the metric's noise; chosen
_BUDGETS = 2  # growth by more than so many is clear, too; chosen
_LATEST = 3  # values of a noisy series that tell its level now; chosen

Facts = tuple[Event, int]  # an event on a change, and the position of the change's commit


def changes_of(past: Past) -> list[HistoryChange]:
    """Return all changes of a history, the newest first.

    A change of an exact series is one by its nature, and so is one of a near-exact series beyond what two processes may
    differ by. Any other one is unconfirmed until an event confirms or refutes it; of a noisy series, what is confirmed
    stays, whatever later values make of it.
    """
    said = _Said(past)
    found = [_exact(past, chart, move, said) for chart in past.charts for move in _sure(chart)]
    noisy = [_change(past, chart, move) for chart, move in noisy_moves(past, said.is_refuted)]
    charts = {chart.series: chart for chart in past.charts}
    known = [*found, *(replace(one, state=ChangeState.UNCONFIRMED) for one in noisy)]
    known += said.remembered(known)
    judged = [_judged(charts[change.series], change, said) for change in known]
    return sorted(judged, key=lambda one: (-one.position, one.series))


def _sure(chart: Chart) -> Iterator[Move]:
    return iter(()) if chart.series.precision is Precision.NOISY else moves(chart)


def _exact(past: Past, chart: Chart, move: Move, said: "_Said") -> HistoryChange:
    """Return a change of a series that is not noisy, with its state before anything was said of it."""
    change = _change(past, chart, move)
    if change.series.precision is Precision.EXACT or _is_clear(chart, change):
        return change
    is_known = said.is_spread(change.series, move)
    return replace(change, state=ChangeState.REFUTED if is_known else ChangeState.UNCONFIRMED)


def _is_clear(chart: Chart, change: HistoryChange) -> bool:
    """True if a near-exact value moved by more than two processes may differ by, or by more than two of its budgets."""
    series, low = change.series, min(change.before, change.after)
    step = chart.step_at(change.before_position)
    allowed = step.level.allowed if step else None
    if allowed is None:
        allowed = usual_growth(series.metric, series.unit, low)
    apart = max(_SWAY * low, _SWAYS * metric(series.metric, series.unit).noise)
    return abs(change.growth) > (apart if allowed is None else min(apart, _BUDGETS * allowed))


def _change(past: Past, chart: Chart, move: Move) -> HistoryChange:
    commit = past.line[move.position].id
    is_next = move.position == move.before_position + 1
    return HistoryChange(
        series=chart.series,
        before_position=move.before_position,
        position=move.position,
        commit=commit,
        before=move.before,
        after=move.after,
        brought_by=commit if is_next else "",
        is_at_least=move.is_at_least,
    )


class _Said:
    """What the events say of changes, found by the series, the direction and the place."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self._charts = {
            change_prefix(chart.series, is_growth=up): chart for chart in past.charts for up in (True, False)
        }
        self._by_prefix: dict[str, list[Facts]] = defaultdict(list)
        positions = {commit.id: commit.position for commit in past.line}
        wanted = {change_commit(event.change) for event in past.events if event.change}
        by_digits = {digits: at for id_, at in positions.items() if (digits := id_[:7]) in wanted}
        for event in past.events:
            digits = change_commit(event.change)
            if digits in by_digits:
                self._by_prefix[event.change.removesuffix(digits)].append((event, by_digits[digits]))

    def of(self, change: HistoryChange, kind: EventKind) -> Event | None:
        """Return the newest event of a kind on a change."""
        move = Move(
            before_position=change.before_position, position=change.position, before=change.before, after=change.after
        )
        return next((event for event in reversed(self._about(change.series, move)) if event.kind is kind), None)

    def is_refuted(self, series: Series, move: Move) -> bool:
        """True if the newest confirmation of what moved found no change."""
        newest = next((one for one in reversed(self._about(series, move)) if one.kind is EventKind.CONFIRMATION), None)
        return newest is not None and newest.data.get(VERDICT) == REFUTED

    def is_spread(self, series: Series, move: Move) -> bool:
        """True if a series was seen at both levels before, and a confirmation found no change in that."""
        for way in (True, False):
            for event, _ in self._by_prefix.get(change_prefix(series, is_growth=way), ()):
                levels = (event.data.get("before", 0.0), event.data.get("after", 0.0))
                low, high = min(levels), max(levels)
                low, high = low - tolerance(series, low), high + tolerance(series, high)
                is_refuted = event.kind is EventKind.CONFIRMATION and event.data.get(VERDICT) == REFUTED
                if is_refuted and low <= min(move.before, move.after) and max(move.before, move.after) <= high:
                    return True
        return False

    def remembered(self, known: list[HistoryChange]) -> list[HistoryChange]:
        """Return the changes of noisy series that are confirmed or refuted and that are not `known` otherwise."""
        seen = {event.id for one in known if (event := self.of(one, EventKind.CONFIRMATION))}
        found = {}
        for prefix, facts in self._by_prefix.items():
            chart = self._charts.get(prefix)
            for event, position in facts:
                if chart and event.kind is EventKind.CONFIRMATION and event.id not in seen and event.data.get(VERDICT):
                    change = _change(self._past, chart, _remembered(chart, event, position))
                    found[event.change] = replace(change, state=ChangeState.UNCONFIRMED)
        return list(found.values())

    def _about(self, series: Series, move: Move) -> list[Event]:
        prefix = change_prefix(series, is_growth=move.is_growth)
        chart = self._charts[prefix]
        near = _NEAR if series.precision is Precision.NOISY else 0
        return [
            event
            for event, at in self._by_prefix.get(prefix, ())
            if at == move.position or (_apart(chart, at, move.position) <= near and _is_as_wide(chart, event, move))
        ]


def _remembered(chart: Chart, event: Event, position: int) -> Move:
    earlier = bisect_left(chart.measured, position) - 1
    return Move(
        before_position=chart.measured[earlier] if earlier >= 0 else position,
        position=position,
        before=event.data.get("before", 0.0),
        after=event.data.get("after", 0.0),
    )


def _is_as_wide(chart: Chart, event: Event, move: Move) -> bool:
    """True unless an event refuted a step, and what moved is a creep, between commits further apart."""
    reach = _apart(chart, move.before_position, move.position)
    return event.data.get(VERDICT) != REFUTED or event.data.get(REACH, reach) + _NEAR > reach


def _apart(chart: Chart, one: int, other: int) -> int:
    return abs(bisect_left(chart.measured, one) - bisect_left(chart.measured, other))


def _judged(chart: Chart, change: HistoryChange, said: _Said) -> HistoryChange:
    """Return a change with its state."""
    change = _confirmed(change, said.of(change, EventKind.CONFIRMATION))
    if change.state is not ChangeState.CONFIRMED:
        return change
    if why := _why_ended(chart, change):
        return replace(change, state=ChangeState.ENDED, why_ended=why)
    told = said.of(change, EventKind.ACKNOWLEDGEMENT)
    if reason := told.text if told else _accepted(chart, change):
        return replace(change, state=ChangeState.ACKNOWLEDGED, reason=reason)
    return change


def _confirmed(change: HistoryChange, event: Event | None) -> HistoryChange:
    if event is None or change.series.precision is Precision.EXACT:
        return change
    states = {CONFIRMED: ChangeState.CONFIRMED, REFUTED: ChangeState.REFUTED}
    state = states.get(event.data.get(VERDICT, UNDECIDED), ChangeState.UNCONFIRMED)
    return replace(change, state=state, measured=event.data, brought_by=event.commit or change.brought_by)


def _why_ended(chart: Chart, change: HistoryChange) -> str:
    """Return why nobody has to look at a change any more, empty if somebody has."""
    latest = chart.latest
    if latest is None:
        return "it is not measured any more"
    before = [step.level.budget for step in chart.steps if step.position <= change.position]
    if latest.budget is None and any(budget is not None for budget in before):
        return "its budget was removed"
    return "it was taken back" if _is_back(chart, change) else ""


def _is_back(chart: Chart, change: HistoryChange) -> bool:
    """True if a value has come back to where it was before a change: if it grew again later, that is another change."""
    levels = [level for position, level in chart.levels() if position > change.position and not level.is_gone]
    if change.series.precision is Precision.NOISY:
        values = [level.value for level in levels[-_LATEST:] if level.value is not None]
        return len(values) == _LATEST and _is_like(median(values), change, abs(change.growth) / 2)
    return any(_has_come_back(level, change) for level in levels)


def _has_come_back(level: Level, change: HistoryChange) -> bool:
    allowed = tolerance(change.series, change.before, level.spread)
    if level.value is None:
        return change.is_growth and level.bound is not None and level.bound <= change.before + allowed
    return _is_like(level.value, change, allowed)


def _is_like(value: float, change: HistoryChange, allowed: float) -> bool:
    """True if a value is at the level before a change, or beyond it on the other side."""
    return value <= change.before + allowed if change.is_growth else value >= change.before - allowed


def _accepted(chart: Chart, change: HistoryChange) -> str:
    """Return the reason of a baseline that was raised for a change, with it or later, empty if there is none."""
    old = chart.step_at(change.before_position)
    before = old.level.baseline if old else None
    allowed = tolerance(change.series, change.after)
    for step in chart.steps:
        level = step.level
        if step.position < change.position or not level.reason or level.baseline is None:
            continue
        if (
            change.is_growth
            and (before is None or level.baseline > before)
            and level.baseline >= change.after - allowed
        ):
            return level.reason
    return ""
