"""Candidates of noisy series, without those that the machine or its tools account for."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import log

from pytest_memgate.compare.history.detector import Candidate, candidates
from pytest_memgate.compare.history.steps import Move
from pytest_memgate.model.history import Chart, Past, Precision, Series

_TOOLS = ("python", "chrome", "lighthouse")
_MEDIAN, _OTHER_TIMES = "time.median", ("time.min", "time.mean")
_TOGETHER = 3  # runs within which tests move together; chosen
_MANY = 5  # tests that move together, and half of all: the machine, and no commit; chosen
_LIKE = 2.0  # times as much or as little; chosen

IsRefuted = Callable[[Series, Move], bool]
Found = tuple[Chart, Move]


def noisy_moves(past: Past, is_refuted: IsRefuted) -> list[Found]:
    """Return where noisy series may have moved; a time of a test is looked at by its median alone."""
    medians = {_times(chart.series) for chart in past.charts if chart.series.metric == _MEDIAN}
    charts = [
        chart
        for chart in past.charts
        if chart.series.precision is Precision.NOISY
        and not (chart.series.metric in _OTHER_TIMES and _times(chart.series) in medians)
    ]
    found = [(chart, move) for chart in charts for move in _moves(chart, is_refuted)]
    alone = _without_whole_runs(charts, found)
    return [(chart, move) for chart, move in alone if not _is_by_tools(past, chart, move)]


def _times(series: Series) -> tuple[object, ...]:
    return (series.subject, series.environment, series.machine)


def _moves(chart: Chart, is_refuted: IsRefuted) -> Iterator[Move]:
    points = [(position, level.value) for position, level in chart.levels() if level.value is not None]

    def move(candidate: Candidate) -> Move:
        return Move(
            before_position=points[candidate.before_index][0],
            position=points[candidate.index][0],
            before=candidate.before,
            after=candidate.after,
        )

    found = candidates([value for _, value in points], lambda one: is_refuted(chart.series, move(one)))
    return map(move, found)


def _is_by_tools(past: Past, chart: Chart, move: Move) -> bool:
    """True if Python, Chrome or Lighthouse had another version before."""
    steps = (chart.step_at(move.before_position), chart.step_at(move.position))
    before, after = (past.runs[step.run].versions if step and step.run in past.runs else {} for step in steps)
    return any(before.get(tool) != after.get(tool) for tool in _TOOLS)


def _without_whole_runs(charts: Sequence[Chart], found: Sequence[Found]) -> Iterator[Found]:
    """Yield what moved without most other tests of its runs moving alike."""
    places, tests = _places(charts), _tests(charts)
    by_machine: dict[object, list[Found]] = defaultdict(list)
    for one in found:
        by_machine[_machine(one[0].series)].append(one)
    for machine, some in by_machine.items():
        at = [bisect_left(places[machine], move.position) for _, move in some]
        for number, one in enumerate(some):
            near = (other for other, place in zip(some, at, strict=True) if abs(place - at[number]) <= _TOGETHER)
            if len(_alike(one[1], near)) < max(_MANY, tests[machine] / 2):
                yield one


def _alike(move: Move, others: Iterable[Found]) -> set[object]:
    """Return the tests that moved by a like factor, in the same direction."""
    own = _factor(move)
    return {
        chart.series.subject
        for chart, other in others
        if other.is_growth == move.is_growth and 1 / _LIKE <= _factor(other) / own <= _LIKE
    }


def _factor(move: Move) -> float:
    return log(move.after / move.before)


def _machine(series: Series) -> tuple[str, str]:
    return (series.environment, series.machine)


def _places(charts: Iterable[Chart]) -> Mapping[object, list[int]]:
    """Return the measured positions of each machine, in order."""
    places: dict[object, set[int]] = defaultdict(set)
    for chart in charts:
        places[_machine(chart.series)].update(chart.measured)
    return {machine: sorted(some) for machine, some in places.items()}


def _tests(charts: Iterable[Chart]) -> Mapping[object, int]:
    tests: dict[object, set[object]] = defaultdict(set)
    for chart in charts:
        tests[_machine(chart.series)].add(chart.series.subject)
    return {machine: len(some) for machine, some in tests.items()}
