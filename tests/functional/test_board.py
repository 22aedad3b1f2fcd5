"""The board in a real Chrome: opened from files, quick, inert, and usable with the keyboard on any screen."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from board_pasts import BOUNDED, BUNDLE, NOISY, STEPPED, everything, hostile, large
from chrome import WIDE, Browser

from pytest_memgate.model.history import Past, Series
from pytest_memgate.model.history_change import HistoryChange
from pytest_memgate.tasks.history.build import build

NARROW = 400
ENVIRONMENT = "linux-py313"
NAMES = "[...document.querySelectorAll('#rows .open')].map((one) => one.textContent)"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SHOWN = "await page.waitForFunction(() => document.querySelector('article:not([hidden]) h2')); await drawn();"
TRACES = """Object.fromEntries(document.getElementById("chart").data.map(
    ({ name, x, y, mode }) => [name, { x: [...x], y: [...y], mode }]))"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The board of a history with everything in it."""
    folder = tmp_path_factory.mktemp("board") / "site"
    build(*everything(), folder)
    return folder


def page_of(series: Series) -> str:
    return f"#series={replace(series, environment=ENVIRONMENT).id}"


def rooms(past: Past) -> list[str]:
    """Return the address of each kind of page, and of the pages of some series."""
    return ["", "#list", "#compare", "#bundles", *(f"#series={chart.series.id}" for chart in past.charts[:6])]


def each_room(past: Past, look: str) -> str:
    """Return a script that goes to each page and tells what an expression says there."""
    return f"""
        const told = [];
        for (const to of {json.dumps(rooms(past))}) {{
          await page.evaluate((hash) => {{ location.hash = hash || "#overview"; }}, to);
          await page.waitForFunction((hash) => {{
            const shown = [...document.querySelectorAll("article")].filter((one) => !one.hidden).map((one) => one.id);
            const wanted = `page-${{hash.slice(1).split("=")[0] || "overview"}}`;
            return shown.length === 1 && shown[0] === wanted && document.querySelector("article:not([hidden]) h2");
          }}, {{}}, to);
          await drawn();
          told.push(await page.evaluate({json.dumps(look)}));
        }}
        return told;
    """


def test_the_board_loads_its_own_files_only_and_says_nothing(browser: Browser, site: Path) -> None:
    visit = browser.open(site / "index.html", each_room(everything()[0], "document.title"))
    assert len(set(visit.result)) == 10
    assert all(one.startswith(site.as_uri()) for one in visit.requests)
    assert visit.console == []


def test_text_family_and_environment_each_narrow_the_list(browser: Browser, site: Path) -> None:
    script = f"""
        const names = () => page.evaluate("{NAMES}");
        const told = {{}};
        await page.type("#search", "HOME lcp");
        told.search = await names();
        await page.$eval("#search", (one) => {{ one.value = ""; one.dispatchEvent(new Event("input")); }});
        await page.click(".chips button::-p-text(bundle)");
        told.family = await names();
        await page.click(".chips button::-p-text(bundle)");
        await page.select("#place", "1");
        told.place = await page.$eval("#shown", (one) => one.textContent);
        return told;
    """
    told = browser.open(site / "index.html", script, at="#list").result
    assert told == {"search": ["page[home]"], "family": ["bundle[shop]"], "place": "1 of 124 series"}


def test_the_keyboard_searches_walks_and_opens(browser: Browser, site: Path) -> None:
    script = """
        await page.keyboard.press("/");
        await page.waitForFunction(() => document.activeElement.id === "search");
        await page.keyboard.type("test_order");
        await page.focus("#rows .open");
        await page.keyboard.press("Enter");
        await page.waitForFunction(() => document.activeElement.id === "series-title");
        return page.$eval("#series-title", (one) => one.textContent);
    """
    assert browser.open(site / "index.html", script).result == "test_order"


def test_a_series_shows_its_budget_its_anchor_and_its_steps(browser: Browser, site: Path) -> None:
    script = f"""
        {SHOWN}
        const text = await page.$eval("#page-series", (one) => one.innerText);
        return [await page.evaluate(() => {TRACES}), text];
    """
    visit = browser.open(site / "index.html", script, at=page_of(STEPPED))
    traces, text = visit.result
    budget = dict(zip(traces["budget"]["x"], traces["budget"]["y"], strict=True))
    assert (budget[0], budget[149]) == (257_000, 470_000)
    assert set(traces["anchor"]["y"]) - {None} == {147_000}
    assert traces["change"]["x"] == [40, 120]
    assert "beside" not in traces
    for said in ("+210 KB", "a day is kept in memory now, for the export", "Ben Sample", "shop/deliveries.py:parse"):
        assert said in text


def test_nothing_is_drawn_where_nothing_was_measured(browser: Browser, site: Path) -> None:
    script = f"{SHOWN} return page.evaluate(() => {TRACES});"
    value = browser.open(site / "index.html", script, at=page_of(STEPPED)).result["value"]
    at = value["x"].index(19)
    assert value["x"][at : at + 3] == [19, None, 23]
    assert value["y"][at + 1] is None


def test_a_bound_hangs_as_a_tick_and_is_never_a_value(browser: Browser, site: Path) -> None:
    script = f"""
        {SHOWN}
        const hanging = await page.$$eval(".errorbar .yerror", (all) => all.length);
        return [await page.evaluate(() => {TRACES}), hanging];
    """
    traces, hanging = browser.open(site / "index.html", script, at=page_of(BOUNDED)).result
    bounds, value = traces["bound"], traces["value"]
    assert bounds["mode"] == "markers"
    assert set(bounds["y"]) == {152_000, 160_000}
    assert hanging == len(bounds["x"])
    drawn = dict(zip(value["x"], value["y"], strict=True))
    assert all(drawn[position] is None for position in bounds["x"])


def test_pull_requests_are_drawn_when_they_are_asked_for(browser: Browser, site: Path) -> None:
    script = f"""
        {SHOWN}
        await page.click("#lanes");
        await page.waitForFunction(() => document.getElementById("chart").data.some((one) => one.name === "beside"));
        return page.evaluate(() => {TRACES}.beside.x);
    """
    assert browser.open(site / "index.html", script, at=page_of(STEPPED)).result == [30, 31, 88, 133]


def test_an_unconfirmed_change_is_grey(browser: Browser, site: Path) -> None:
    script = f"""
        {SHOWN}
        return page.evaluate(() => [
          document.getElementById("chart").data.find((one) => one.name === "change").marker.color[0],
          getComputedStyle(document.documentElement).getPropertyValue("--quiet").trim(),
          document.querySelector("#page-series .badge").textContent,
        ]);
    """
    at = f"#series={NOISY.id}"
    colour, grey, said = browser.open(site / "index.html", script, at=at).result
    assert colour == grey
    assert said == "unconfirmed"


def test_two_commits_tell_what_differs_and_what_grew(browser: Browser, site: Path) -> None:
    past, _ = everything()
    at = f"#compare={past.line[70].id[:12]}..{past.line[72].id[:12]}"
    script = f"""
        {SHOWN}
        await page.type("#compare-search", "bundle");
        const shown = await page.$eval("#compare-shown", (one) => one.textContent);
        await page.click(".sites button");
        await page.waitForSelector(".sites .via");
        return [shown, await page.$eval("#differences tbody", (one) => one.innerText)];
    """
    shown, text = browser.open(site / "index.html", script, at=at).result
    assert shown.startswith("1 series differ")
    assert "+412 KB node_modules/chart.js" in text


def test_a_slider_goes_through_the_states_of_a_bundle(browser: Browser, site: Path) -> None:
    script = f"""
        {SHOWN}
        const told = [];
        const look = () => page.evaluate(() => [
          document.getElementById("modules").data[0].labels.includes("zod"),
          document.querySelector("#swelled pre")?.textContent.includes("zod") || false,
        ]);
        told.push(await look());
        await page.focus("#moment");
        await page.keyboard.press("ArrowLeft");
        await drawn();
        await page.waitForFunction(() => !document.getElementById("modules").data[0].labels.includes("zod"));
        told.push(await look());
        return told;
    """
    at = f"#bundles={replace(BUNDLE, environment=ENVIRONMENT).id}"
    assert browser.open(site / "index.html", script, at=at).result == [[True, True], [False, False]]


@pytest.mark.parametrize(("width", "dark"), [(WIDE, False), (WIDE, True), (NARROW, False), (NARROW, True)])
def test_axe_finds_nothing_wrong(width: int, dark: bool, browser: Browser, site: Path) -> None:
    axe = (browser.modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    check = "axe.run(document).then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0].html]))"
    script = f"await page.evaluate({json.dumps(axe)} + ';0'); {each_room(everything()[0], check)}"
    assert browser.open(site / "index.html", script, width=width, dark=dark).result == [[]] * 10


@pytest.mark.parametrize("kind", [everything, hostile])
def test_nothing_is_wider_than_a_small_screen(
    kind: Callable[[], tuple[Past, tuple[HistoryChange, ...]]], browser: Browser, tmp_path: Path
) -> None:
    past, changes = kind()
    build(past, changes, tmp_path / "site")
    visit = browser.open(tmp_path / "site" / "index.html", each_room(past, OVERFLOW), width=NARROW)
    assert visit.result == [0] * len(rooms(past))


def test_hostile_texts_run_nothing_anywhere(browser: Browser, tmp_path: Path) -> None:
    past, changes = hostile()
    build(past, changes, tmp_path / "site")
    look = """document.querySelectorAll(
        "img, iframe, object, [onerror], [onclick], a[href^=javascript], svg a, script:not([src])").length"""
    visit = browser.open(tmp_path / "site" / "index.html", each_room(past, look))
    assert visit.result == [0] * len(rooms(past))
    assert visit.console == []
    assert visit.dialogs == []
    assert all(one.startswith((tmp_path / "site").as_uri()) for one in visit.requests)


def test_10000_series_of_1000_commits_are_found_within_a_second(browser: Browser, tmp_path: Path) -> None:
    build(large(10_000, 1_000), (), tmp_path / "site")
    script = f"""
        const from = performance.now();
        await page.type("#search", "[1999-");
        const found = await page.evaluate("{NAMES}");
        return [found.length, performance.now() - from];
    """
    visit = browser.open(tmp_path / "site" / "index.html", script, at="#list")
    found, took = visit.result
    assert visit.ready < 2_000
    assert found == 3
    assert took < 1_000
