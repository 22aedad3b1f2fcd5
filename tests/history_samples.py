"""A history made by hand: 60 commits of two months, in which something of each kind happens."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

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
from pytest_memgate.model.provenance import Commit
from pytest_memgate.model.run import Verdict
from pytest_memgate.model.subject import Subject
from pytest_memgate.units import DURATION, SIZE

LINUX = "linux-x86_64-cpython3.11"
FIRST = datetime(2026, 10, 12, 9, 30, tzinfo=UTC)
AUTHORS = ("Ann Example", "Bo Sample", "Cy Pattern")
TITLES = (
    "Sort orders by date",
    "Read settings once",
    "Cache the exchange rates",
    "Fewer queries for the cart",
    "Update dependencies",
)
KB = 1_000.0
MB = 1_000_000.0


def digits(text: str) -> str:
    """Return 40 hexadecimal digits that follow from a text, as of a commit."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def line(number: int, titles: Mapping[int, str] | None = None, *, hours: float = 20) -> tuple[LineCommit, ...]:
    """Return the commits of a line, one every few hours; `titles` by position."""
    return tuple(
        LineCommit(
            position=at,
            id=digits(f"commit {at}"),
            tree=digits(f"tree {at}"),
            author=AUTHORS[at % len(AUTHORS)],
            time=(FIRST + timedelta(hours=hours * at)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            title=(titles or {}).get(at, TITLES[at % len(TITLES)]),
        )
        for at in range(number)
    )


def series(
    test: str,
    metric: str = "memory.peak",
    *,
    unit: str = SIZE,
    environment: str = LINUX,
    machine: str = "",
    precision: Precision = Precision.NEAR_EXACT,
) -> Series:
    """Return the series of a test, `tests/test_shop.py::test_order`."""
    return Series(
        subject=Subject.parse(test),
        metric=metric,
        unit=unit,
        environment=environment,
        machine=machine,
        precision=precision,
    )


def chart(one: Series, levels: Mapping[int, Level | float], measured: Iterable[int]) -> Chart:
    """Return a chart; a number is a level of that value without a budget. Each is of the run `r<position>`."""
    steps = tuple(
        Step(position=at, run=f"r{at}", level=level if isinstance(level, Level) else Level(value=level))
        for at, level in sorted(levels.items())
    )
    return Chart(series=one, steps=steps, measured=tuple(at for at in measured if steps and at >= steps[0].position))


def run(at: int, *, seconds: float = 60, verdict: Verdict = Verdict.PASSED) -> RunRecord:
    """Return a run of the commit at a position."""
    commit = Commit(id=digits(f"commit {at}"), tree=digits(f"tree {at}"), branch="main")
    return RunRecord(id=f"r{at}", environment=LINUX, commit=commit, positions=(at,), verdict=verdict, seconds=seconds)


CACHED = 41  # the commit that raised test_order, with a reason
ORDER = series("tests/test_shop.py::test_order")
IMPORT = series("tests/test_shop.py::test_import")
STEADY = series("tests/test_shop.py::test_steady")
BOUNDED = series("tests/test_shop.py::test_bounded")
OLD_NAME = series("tests/test_cart.py::test_total")
NEW_NAME = series("tests/test_basket.py::test_total")
DROPPED = series("tests/test_cart.py::test_legacy")
BUNDLE = series("memgate.yml::bundle[app]", "bundle.initial.gzip[main]", environment="web", precision=Precision.EXACT)
PAGE = series(
    "memgate.yml::page[home]",
    "web.lcp",
    unit=DURATION,
    environment="web",
    machine="x86_64 4 cores",
    precision=Precision.NOISY,
)


def past() -> Past:
    """Return the history of a shop of 60 commits, of which every second one was measured.

    `test_order` rises by a step with a reason, `test_import` creeps toward its budget, `test_steady` uses little of a
    large budget, `test_bounded` has bounds alone, `test_total` moved to another file, `test_legacy` vanished, the
    bundle swells by a module, and the page is noisy.
    """
    commits = line(60, {CACHED: "Keep orders of a session in memory (#81)", 52: "Add a map to the shop's first page"})
    measured = range(1, 60, 2)
    charts = (
        chart(ORDER, _order(), measured),
        chart(IMPORT, _creep(measured), measured),
        chart(STEADY, {1: _level(2 * MB, baseline=2 * MB, allowed=4 * MB)}, measured),
        chart(BOUNDED, {1: Level(bound=900 * KB, baseline=800 * KB, allowed=200 * KB)}, measured),
        chart(OLD_NAME, {1: Level(value=3.1 * MB), 45: Level()}, measured),
        chart(NEW_NAME, {45: Level(value=3.12 * MB)}, measured),
        chart(DROPPED, {1: Level(value=640 * KB), 49: Level()}, measured),
        _bundle(measured),
        chart(PAGE, {at: Level(value=1800 + 90.0 * (at * 7 % 5 - 2), spread=240) for at in measured}, measured),
    )
    runs = {f"r{at}": run(at, seconds=40 + at) for at in measured}
    return Past(branch="main", line=commits, runs=runs | _side_run(), charts=charts, events=_events(commits))


def _level(value: float, *, baseline: float, allowed: float, reason: str = "", anchor: float | None = None) -> Level:
    return Level(value=value, baseline=baseline, allowed=allowed, reason=reason, anchor=anchor)


def _order() -> dict[int, Level | float]:
    before = _level(1.2 * MB, baseline=1.2 * MB, allowed=200 * KB, anchor=1.1 * MB)
    raised = "orders of a session stay in memory: pages answer in half the time"
    after = _level(1.9 * MB, baseline=1.9 * MB, allowed=200 * KB, anchor=1.1 * MB, reason=raised)
    return {1: Level(bound=1.3 * MB, baseline=1.2 * MB, allowed=200 * KB, anchor=1.1 * MB), 7: before, CACHED: after}


def _creep(measured: Iterable[int]) -> dict[int, Level | float]:
    at_first = 5.0 * MB
    return {
        at: _level(at_first + 14 * KB * at, baseline=at_first, allowed=1 * MB, anchor=4.9 * MB)
        for at in measured
        if at % 3 == 0 or at == 1
    }


def _bundle(measured: Iterable[int]) -> Chart:
    shop = {"src/shop.js": 80 * KB, "node_modules/react-dom": 42 * KB}
    grown = {**shop, "node_modules/leaflet": 38 * KB, "src/shop.js": 82 * KB}
    steps = (
        Step(position=1, run="r1", level=_level(122 * KB, baseline=122 * KB, allowed=200 * KB), sites=shop),
        Step(position=53, run="r53", level=_level(162 * KB, baseline=122 * KB, allowed=200 * KB), sites=grown),
    )
    side = OffLine(run="side", level=Level(value=150 * KB))
    return Chart(series=BUNDLE, steps=steps, measured=tuple(measured), lanes={"lighter-map": (side,)})


def _side_run() -> dict[str, RunRecord]:
    commit = Commit(id=digits("side"), tree=digits("side tree"), branch="lighter-map")
    return {"side": RunRecord(id="side", environment="web", commit=commit, seconds=30)}


def _events(commits: tuple[LineCommit, ...]) -> tuple[Event, ...]:
    return (
        Event(
            id="mark-1",
            kind=EventKind.MARK,
            time="2026-11-20T10:00:00Z",
            commit=commits[47].id,
            text="release 2.1",
            by="Ann Example",
        ),
    )
