"""A history in which renamed tests have their past: old names joined to new ones, and pairs that look like one."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_memgate.model.history import Chart, Level, OffLine, Past, Series, Step
from pytest_memgate.model.subject import Subject

_BOUNDARIES = ("/", "::", "[")  # where a name can be cut off: after a folder, a file or class, before parameters
_NEAR = 0.1  # two levels of one test under two names differ by less, as a share; chosen
_COMMITS = 1  # between the end of one and the start of the other; chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """A test that ended where a similar one began; `position` is that of the new one."""

    old: Subject
    new: Subject
    position: int


def with_renames(past: Past, renamed: Mapping[str, str]) -> Past:
    """Return a past in which the charts of old names are parts of those of the new ones.

    `renamed` gives the new name by the old one, of tests, files or folders; a new name may be an old one of another
    line. Where both names have a level at a position, the new name's counts.
    """
    if not renamed:
        return past
    charts: dict[Series, list[Chart]] = defaultdict(list)
    for chart in past.charts:
        subject = Subject.parse(new_name(str(chart.series.subject), renamed))
        charts[replace(chart.series, subject=subject)].append(chart)
    joined = (_joined(series, some) for series, some in charts.items())
    return replace(past, charts=tuple(sorted(joined, key=lambda chart: chart.series)))


def new_name(name: str, renamed: Mapping[str, str]) -> str:
    """Return what a test is called now; a circle of names is followed once."""
    seen: set[str] = set()
    while (old := _longest(name, renamed)) and old not in seen:
        seen.add(old)
        name = renamed[old] + name.removeprefix(old)
    return name


def _longest(name: str, renamed: Mapping[str, str]) -> str:
    """Return the longest old name that a test's name is, or begins with; empty if there is none."""
    fits = [old for old in renamed if name == old or name.startswith(tuple(f"{old}{mark}" for mark in _BOUNDARIES))]
    return max(fits, key=len, default="")


def _joined(series: Series, charts: Sequence[Chart]) -> Chart:
    """Return one chart; those that already had the new name count last, so that theirs are the levels kept."""
    if len(charts) == 1:
        return replace(charts[0], series=series)
    holds: dict[int, Step] = {}
    for chart in sorted(charts, key=lambda one: one.series == series):
        for position in chart.measured:
            step = chart.step_at(position)
            if step is not None and (position not in holds or not step.level.is_gone):
                holds[position] = replace(step, position=position)
    lanes: dict[str, tuple[OffLine, ...]] = defaultdict(tuple)
    for chart in charts:
        for lane, levels in chart.lanes.items():
            lanes[lane] += levels
    return Chart(series=series, steps=tuple(_changed(holds)), measured=tuple(sorted(holds)), lanes=dict(lanes))


def _changed(holds: Mapping[int, Step]) -> Iterator[Step]:
    before: Level | None = None
    for position in sorted(holds):
        if holds[position].level != before:
            yield holds[position]
        before = holds[position].level


def likely_renames(past: Past) -> tuple[Rename, ...]:
    """Return the tests that ended where one with the same name in another file, or another in the same file, began.

    Their levels of one metric are nearly the same. A test that fits several others is left out.
    """
    ended: dict[tuple[str, str, int], list[tuple[float, Subject]]] = defaultdict(list)
    for chart in past.charts:
        if end := _end(chart):
            ended[chart.series.metric, chart.series.environment, end[0]].append((end[1], chart.series.subject))
    pairs: dict[Subject, set[tuple[Subject, int]]] = defaultdict(set)
    for chart in past.charts if ended else ():
        begin = chart.steps[0].position if chart.steps else 0
        for position in range(begin - _COMMITS, begin + _COMMITS + 1):
            for value, old in ended.get((chart.series.metric, chart.series.environment, position), ()):
                if _continues(chart, value, old):
                    pairs[chart.series.subject].add((old, begin))
    claims = Counter(old for olds in pairs.values() for old, _ in olds)
    clear = [(new, *next(iter(olds))) for new, olds in sorted(pairs.items()) if len(olds) == 1]
    return tuple(Rename(old=old, new=new, position=at) for new, old, at in clear if claims[old] == 1)


def _end(chart: Chart) -> tuple[int, float] | None:
    """Return where a series ended, and its last value; None for one that is still there."""
    if len(chart.steps) < 2 or not chart.steps[-1].level.is_gone:
        return None
    value = _most(chart.steps[-2].level)
    return None if value is None else (chart.steps[-1].position, value)


def _continues(chart: Chart, value: float, old: Subject) -> bool:
    new = chart.series.subject
    is_alike = new != old and (_last(new) == _last(old) or new.file == old.file)
    if not is_alike:
        return False
    first = _most(chart.steps[0].level)
    return first is not None and abs(first - value) <= _NEAR * abs(value)


def _last(test: Subject) -> str:
    return test.name.rpartition("::")[2]


def _most(level: Level) -> float | None:
    return level.bound if level.value is None else level.value
