"""How long the board takes to build, and its pages to be usable in Chromium, with many series and commits.

Two histories: 30,000 series (10,000 tests with 3 metrics each) over 300 commits, and 10,000 series over 1,000. 1 % of
the series change at each commit. A page is usable when its list can be searched; each is opened three times, and the
quickest counts, as another process can only slow it down. The chart's time is that from the click to the drawn chart,
for a reader who looks for a series first, and that from the address to the drawn chart, for one who follows a link.
Needs tests/node_modules (`npm ci` in tests) and Chromium. Exits with 1 where a time is above its bound.
"""

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench_common import say, title

TESTS = Path(__file__).resolve().parent.parent / "tests"
sys.path.insert(0, str(TESTS))

from board_pasts import large  # noqa: E402
from chrome import Browser  # noqa: E402

from pytest_memgate.errors import MeasureError  # noqa: E402
from pytest_memgate.measure.lighthouse.tools import find_tools  # noqa: E402
from pytest_memgate.tasks.history.build import build  # noqa: E402

BUILD_S, USABLE_MS = 60.0, 1_000.0
_SIZES = ((30_000, 300), (10_000, 1_000))
_REPEATS = 3
_SEARCH = """
    const from = performance.now();
    await page.type("#search", "[1999-");
    await page.waitForFunction(() => document.querySelectorAll("#rows tr").length === 3);
    const searched = performance.now() - from;
    await new Promise((done) => setTimeout(done, 2500));
    const click = performance.now();
    await page.click("#rows .open");
    await page.waitForSelector("#chart[data-drawn]");
    return [searched, performance.now() - click, await page.evaluate(() => location.hash)];
"""
_LINKED = """
    await page.waitForSelector("#chart[data-drawn]");
    return await page.evaluate(() => performance.now());
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds to build a board; milliseconds until its list is usable, to search it, and to draw charts.

    `chart` is one that is clicked on, `linked` one that a link leads to.
    """

    build: float
    usable: float
    search: float
    chart: float
    linked: float


def main() -> int:
    try:
        browser = Browser(TESTS / "node_modules", find_tools(TESTS, None))
    except MeasureError as error:
        say(f"no answer: {error}")
        return 2
    bad = False
    for series, commits in _SIZES:
        title(f"{series:,} series, {commits:,} commits")
        found = _measure(browser, series, commits)
        say(f"built in {found.build:.1f} s (at most {BUILD_S:.0f})")
        say(f"list usable after {found.usable:.0f} ms (at most {USABLE_MS:.0f})")
        say(f"six letters searched in {found.search:.0f} ms")
        say(f"a chart drawn in {found.chart:.0f} ms (at most {USABLE_MS:.0f})")
        say(f"a chart that a link leads to, with plotly.js: {found.linked:.0f} ms")
        bad |= found.build > BUILD_S or max(found.usable, found.chart) > USABLE_MS
    return int(bad)


def _measure(browser: Browser, series: int, commits: int) -> Times:
    past = large(series, commits)
    with tempfile.TemporaryDirectory(prefix="memgate-bench-") as name:
        site = Path(name).resolve() / "site"
        start = time.perf_counter()
        build(past, (), site)
        seconds = time.perf_counter() - start
        size = sum(file.stat().st_size for file in site.rglob("*") if file.is_file())
        say(f"{size / 1e6:.1f} MB, of them {(site / 'data' / 'index.js').stat().st_size / 1e6:.1f} MB for the index")
        visits = [browser.open(site / "index.html", _SEARCH, at="#list") for _ in range(_REPEATS)]
        linked = [browser.open(site / "index.html", _LINKED, at=visits[0].result[2]) for _ in range(_REPEATS)]
    return Times(
        build=seconds,
        usable=min(visit.ready for visit in visits),
        search=min(visit.result[0] for visit in visits),
        chart=min(visit.result[1] for visit in visits),
        linked=min(visit.result for visit in linked),
    )


if __name__ == "__main__":
    sys.exit(main())
