"""Histories that the board is tried on: one with everything in it, one of hostile texts, and large ones."""

import random
from collections.abc import Iterator
from dataclasses import replace

from html_runs import HOSTILE

from pytest_memgate.model.history import (
    Chart,
    Event,
    EventKind,
    Level,
    LineCommit,
    OffLine,
    Past,
    Precision,
    RunRecord,
    Series,
    Step,
)
from pytest_memgate.model.history_change import ChangeState, HistoryChange
from pytest_memgate.model.provenance import Commit
from pytest_memgate.model.subject import Subject
from pytest_memgate.units import DURATION

LENGTH = 150
_MISSED = {20, 21, 22, 60, 61, 97, *range(110, 116)}
_MACHINES = ((0, "x86_64 4 cores"), (70, "x86_64 8 cores"))
_VERSIONS = ((0, "3.12.7"), (104, "3.13.1"))
_AUTHORS = ("Ada Example", "Ben Sample", "Cleo Muster")
_TITLES = (
    "Orders are read in one query",
    "The report names the customer",
    "Fix rounding of totals",
    "Update dependencies",
    "Exports are streamed",
    "A cache for exchange rates",
    "Remove the old importer",
)
_TESTS = (
    "test_a_day_of_deliveries",
    "test_the_total_of_an_order_is_right",
    "test_export_of_a_year",
    "test_a_customer_is_found_by_name",
    "test_rates_are_cached",
    "test_report_of_a_month",
)
MEASURED = tuple(position for position in range(LENGTH) if position not in _MISSED)
STEPPED = Series(subject=Subject("tests/test_deliveries.py", "test_a_day_of_deliveries"), metric="memory.peak")
BOUNDED = Series(subject=Subject("tests/test_orders.py", "test_order"), metric="memory.peak")
NOISY = Series(
    subject=Subject("memgate.yml", "page[home]"),
    metric="web.lcp",
    unit=DURATION,
    environment="linux-py313",
    machine="x86_64 8 cores",
    precision=Precision.NOISY,
)
BUNDLE = Series(
    subject=Subject("memgate.yml", "bundle[shop]"), metric="bundle.initial.raw[main]", precision=Precision.EXACT
)
_MODULES = {
    "node_modules/react-dom": 131_000.0,
    "node_modules/react": 8_200.0,
    "node_modules/date-fns": 22_000.0,
    "src/main.js": 4_100.0,
    "src/views/orders.js": 18_400.0,
    "src/views/report.js": 12_900.0,
    "src/views/customer.js": 9_700.0,
    "src/lib/money.js": 3_300.0,
}


def line(length: int = LENGTH) -> tuple[LineCommit, ...]:
    """Return the commits of a default branch, three a day."""
    return tuple(
        LineCommit(
            position=at,
            id=f"{at * 2654435761 % 2**32:08x}".ljust(40, "0"),
            tree=f"{at:040x}",
            author=_AUTHORS[at % 3],
            time=f"2026-{1 + at // 90 % 12:02}-{1 + at // 3 % 28:02}T{8 + at % 3 * 4:02}:00:00Z",
            title=_TITLES[at % len(_TITLES)],
        )
        for at in range(length)
    )


def _since(turns: tuple[tuple[int, str], ...], position: int) -> str:
    return [name for start, name in turns if start <= position][-1]


def _runs(commits: tuple[LineCommit, ...], measured: tuple[int, ...], environment: str) -> Iterator[RunRecord]:
    for at in measured:
        yield RunRecord(
            id=f"{environment}-{at}",
            environment=environment,
            machine=_since(_MACHINES, at),
            commit=Commit(id=commits[at].id, tree=commits[at].tree),
            positions=(at,),
            start=commits[at].time,
            end=commits[at].time,
            versions={"python": _since(_VERSIONS, at), "memray": "1.19"},
            seconds=40,
        )


def _pull_requests(commits: tuple[LineCommit, ...], environment: str) -> Iterator[RunRecord]:
    for number, at in enumerate((30, 31, 88, 133)):
        yield RunRecord(
            id=f"{environment}-pr{number}",
            environment=environment,
            machine=_since(_MACHINES, at),
            commit=Commit(id=f"{number:x}" * 40, parent=commits[at].id, branch=f"feature-{number // 2}"),
            start=commits[at].time,
            end=commits[at].time,
        )


def _chart(series: Series, levels: dict[int, Level], sites: dict[int, dict[str, float]] | None = None) -> Chart:
    measured = tuple(at for at in MEASURED if at >= min(levels))
    steps = tuple(
        Step(position=at, run=f"{series.environment}-{at}", level=level, sites=(sites or {}).get(at, {}))
        for at, level in sorted(levels.items())
    )
    return Chart(series=series, steps=steps, measured=measured)


def _stepped() -> Chart:
    """Return a chart with two steps, one of them accepted, a creep, and pull requests beside it."""
    levels: dict[int, Level] = {}
    value, baseline, reason = 147_000.0, 147_000.0, ""
    sites: dict[int, dict[str, float]] = {}
    parts = {"shop/deliveries.py:parse": 61_000.0, "csv.py:read": 52_000.0, "shop/orders.py:load": 34_000.0}
    for at in (0, 12, 25, 40, 55, 66, 80, 93, 105, 120, 130, 140):
        grew = {40: 210_000.0, 120: 96_000.0}.get(at, 1_500.0 if at else 0.0)
        value += grew
        parts = {**parts, "shop/deliveries.py:parse": parts["shop/deliveries.py:parse"] + grew}
        if at == 40:
            baseline, reason = value, "a day is kept in memory now, for the export"
        sites[at] = parts
        levels[at] = Level(value=value, baseline=baseline, anchor=147_000, allowed=110_000, reason=reason)
    series = replace(STEPPED, environment="linux-py313")
    lanes = {
        f"feature-{number}": tuple(
            OffLine(run=f"linux-py313-pr{2 * number + part}", level=Level(value=365_000.0 + 8_000 * part))
            for part in (0, 1)
        )
        for number in (0, 1)
    }
    return replace(_chart(series, levels, sites), lanes=lanes)


def _bounded() -> Chart:
    """Return a chart whose values are bounds at first, and in between."""
    series = replace(BOUNDED, environment="linux-py313")
    at = {0: (None, 152_000.0), 30: (147_000.0, None), 75: (None, 160_000.0), 90: (149_000.0, None)}
    levels = {
        position: Level(value=value, bound=bound, baseline=147_000, allowed=50_000)
        for position, (value, bound) in at.items()
    }
    return _chart(series, levels)


def _noisy(chance: random.Random) -> Chart:
    levels = {}
    for at in MEASURED:
        if at >= 70:
            value = 980 + (140 if at >= 118 else 0) + chance.gauss(0, 25)
            levels[at] = Level(value=round(value, 1), spread=42, baseline=1_000, allowed=200)
    return _chart(NOISY, levels)


def _bundle() -> Chart:
    levels, sites = {}, {}
    parts = dict(_MODULES)
    for at, (name, size) in {
        0: ("src/main.js", 4_100.0),
        33: ("src/views/orders.js", 21_000.0),
        71: ("node_modules/chart.js", 412_000.0),
        99: ("node_modules/date-fns", 9_000.0),
        126: ("node_modules/zod", 61_000.0),
    }.items():
        parts = {**parts, name: size}
        sites[at] = parts
        levels[at] = Level(value=sum(parts.values()) + 2_100, limit=700_000)
    return _chart(replace(BUNDLE, environment="linux-py313"), levels, sites)


def _ordinary(chance: random.Random) -> Iterator[Chart]:
    for number in range(60):
        name = f"{_TESTS[number % 6]}[case-{number // 6}]"
        for metric, size in (("memory.peak", 200_000), ("memory.leak", 900)):
            subject = Subject(f"tests/test_part_{number % 7}.py", name)
            series = Series(subject=subject, metric=metric, environment="linux-py313")
            value = float(size + chance.randrange(size))
            levels = {0: Level(value=value, baseline=value, anchor=value, allowed=size * 0.5)}
            for at in sorted(chance.sample(MEASURED[1:], chance.choice((0, 0, 1, 2, 5)))):
                grown = value * (1 + chance.gauss(0.01, 0.04))
                value = round(grown)
                levels[at] = replace(levels[0], value=value)
            yield _chart(series, levels)


def everything() -> tuple[Past, tuple[HistoryChange, ...]]:
    """Return a history with each kind of series in it, and its changes."""
    chance = random.Random(7)  # a picture, no secret
    commits = line()
    runs = {run.id: run for run in _runs(commits, MEASURED, "linux-py313")}
    runs |= {run.id: run for run in _pull_requests(commits, "linux-py313")}
    charts = [_stepped(), _bounded(), _noisy(chance), _bundle(), *_ordinary(chance)]
    marks = (
        Event(id="1", kind=EventKind.MARK, time=commits[45].time, commit=commits[45].id, text="release 2.0"),
        Event(id="2", kind=EventKind.MARK, time=commits[117].time, commit=commits[117].id, text="release 2.1"),
    )
    charts.sort(key=lambda chart: chart.series)
    past = Past(branch="main", line=commits, runs=runs, charts=tuple(charts), events=marks)
    return past, tuple(_changes(past))


def _changes(past: Past) -> Iterator[HistoryChange]:
    told = {
        (STEPPED.subject, 40): (ChangeState.ACKNOWLEDGED, "a day is kept in memory now, for the export"),
        (STEPPED.subject, 120): (ChangeState.CONFIRMED, ""),
        (BUNDLE.subject, 71): (ChangeState.CONFIRMED, ""),
        (BUNDLE.subject, 99): (ChangeState.CONFIRMED, ""),
        (NOISY.subject, 118): (ChangeState.UNCONFIRMED, ""),
    }
    for chart in past.charts:
        for (subject, position), (state, reason) in told.items():
            before, now = chart.step_at(position - 1), chart.step_at(position)
            if subject == chart.series.subject and before and now:
                yield HistoryChange(
                    series=chart.series,
                    before_position=position - 1,
                    position=position,
                    commit=past.line[position].id,
                    before=before.level.value or 0,
                    after=now.level.value or 0,
                    state=state,
                    reason=reason,
                )


def hostile() -> tuple[Past, tuple[HistoryChange, ...]]:
    """Return a history with a hostile text in every place that takes one."""
    past, _ = everything()
    commits = tuple(replace(one, author=HOSTILE, title=HOSTILE) for one in past.line)
    runs = {
        name: replace(
            run,
            environment=HOSTILE,
            machine=f"{HOSTILE} {run.machine}",
            versions={HOSTILE: f"{HOSTILE} {run.versions.get('python', '')}"},
            commit=replace(run.commit, branch=HOSTILE if run.commit.branch else ""),
        )
        for name, run in past.runs.items()
    }
    charts = tuple(_hostile(chart) for chart in past.charts[:6])
    events = tuple(replace(event, text=HOSTILE) for event in past.events)
    whole = Past(branch=HOSTILE, line=commits, runs=runs, charts=charts, events=events)
    return whole, tuple(replace(change, reason=HOSTILE, why_ended=HOSTILE) for change in _changes(whole))


def _hostile(chart: Chart) -> Chart:
    series = replace(chart.series, environment=HOSTILE, metric=f"{chart.series.quantity}[{HOSTILE}]")
    series = replace(series, subject=Subject(f"tests/{HOSTILE}.py", f"{chart.series.subject.name}[{HOSTILE}]"))
    steps = tuple(
        replace(
            step,
            level=replace(step.level, reason=HOSTILE),
            sites={f"node_modules/{HOSTILE}/{name}": size for name, size in step.sites.items()},
        )
        for step in chart.steps
    )
    return replace(
        chart, series=series, steps=steps, lanes={f"{HOSTILE} {lane}": one for lane, one in chart.lanes.items()}
    )


def large(series: int, commits: int, share: float = 0.01) -> Past:
    """Return a history of many series, of which a share changes at each commit."""
    chance = random.Random(3)  # a picture, no secret
    whole = line(commits)
    measured = tuple(range(commits))
    runs = {run.id: run for run in _runs(whole, measured, "linux-py313")}
    moved: list[list[int]] = [[0] for _ in range(series)]
    for at in range(1, commits):
        for number in chance.sample(range(series), int(series * share)):
            moved[number].append(at)
    charts = [_one_of_many(number, positions, measured, chance) for number, positions in enumerate(moved)]
    return Past(branch="main", line=whole, runs=runs, charts=tuple(sorted(charts, key=lambda one: one.series)))


def _one_of_many(number: int, positions: list[int], measured: tuple[int, ...], chance: random.Random) -> Chart:
    test, kind = divmod(number, 3)
    name = f"test_the_total_of_an_order_is_right[{test}-a customer with a discount-EUR]"
    series = Series(
        subject=Subject(f"tests/integration/orders/test_order_totals_{test % 97}.py", name),
        metric=("memory.peak", "memory.leak", "time.cpu")[kind],
        unit=DURATION if kind == 2 else "B",
        environment="linux-py313",
    )
    base = float(100_000 + number)
    steps = tuple(
        Step(
            position=at,
            run=f"linux-py313-{at}",
            level=Level(value=base + chance.randrange(20_000), baseline=base, anchor=base, allowed=50_000),
        )
        for at in positions
    )
    return Chart(series=series, steps=steps, measured=measured)
