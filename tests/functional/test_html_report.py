"""The HTML report in a real Chrome: quick, inert, offline, and usable with the keyboard on any screen."""

import json
from pathlib import Path

import pytest
from chrome import WIDE, Browser
from html_runs import HOSTILE, MARKED, all_red, every_kind, history_of, hostile, large, marked

from pytest_memgate.model.run import Run
from pytest_memgate.report.html.embed import shown
from pytest_memgate.report.html.render import html

NARROW = 400


def write(folder: Path, name: str, run: Run, *, with_history: bool = False) -> Path:
    path = folder / f"{name}.html"
    path.write_text(html(run, history_of(run) if with_history else ()), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with a finding of every kind, and a history."""
    return write(tmp_path_factory.mktemp("kinds"), "kinds", every_kind(), with_history=True)


NAMES = "[...document.querySelectorAll('#rows .open .name')].map((one) => one.textContent)"
OUTCOMES = "[...document.querySelectorAll('#rows .badge')].map((one) => one.textContent)"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
LINKS = "[...document.querySelectorAll('#rows .open')].map((one) => one.getAttribute('href'))"
EACH_FINDING = f"""
    const links = await page.evaluate("{LINKS}");
    const told = [];
    for (const link of links) {{
      await page.evaluate((to) => {{ location.hash = to; }}, link);
      await page.waitForFunction((to) => location.hash === to && document.querySelector("#finding h2"), {{}}, link);
      await drawn();
      told.push(await page.evaluate(LOOK));
    }}
    return told;
"""


def looking(expression: str) -> str:
    """Return a script that opens every finding in turn and tells what the expression says of each."""
    return EACH_FINDING.replace("LOOK", json.dumps(expression))


# Speed


@pytest.mark.parametrize("run", [large(), all_red()], ids=["forty red", "all red"])
def test_5000_findings_open_in_under_2_seconds(run: Run, browser: Browser, tmp_path: Path) -> None:
    page = write(tmp_path, "large", run)
    script = f"""
        const from = performance.now();
        await page.type("#search", "4999");
        const found = await page.evaluate("{NAMES}");
        return {{ found, took: performance.now() - from }};
    """
    visit = browser.open(page, script)
    assert visit.ready < 2_000
    assert visit.result["took"] < 1_000
    assert len(visit.result["found"]) == 1
    assert "4999" in visit.result["found"][0]
    assert visit.is_quiet(page)


def test_a_page_of_the_table_is_short_and_can_be_turned(browser: Browser, tmp_path: Path) -> None:
    page = write(tmp_path, "large", large(250))
    script = """
        const told = [];
        const rows = () => page.$$eval("#rows tr", (all) => all.length);
        const look = async () => told.push([await rows(), await page.$eval("#pages", (one) => one.textContent)]);
        await look();
        for (const turn of [2, 3]) {
          await page.click("#pages button:last-of-type");
          await look();
        }
        told.push(await page.$eval("#pages button:last-of-type", (one) => one.disabled));
        return told;
    """
    visit = browser.open(page, script)
    assert visit.result == [
        [100, "Previous1 to 100 of 250Next"],
        [100, "Previous101 to 200 of 250Next"],
        [50, "Previous201 to 250 of 250Next"],
        True,
    ]


# Hostile text


def test_hostile_names_run_nothing_anywhere(browser: Browser, tmp_path: Path) -> None:
    page = write(tmp_path, "hostile", hostile(), with_history=True)
    look = """({
        foreign: document.querySelectorAll("img, iframe, object, script[src], [onerror], [onclick]").length,
        links: [...document.querySelectorAll("a")].filter((one) => !one.getAttribute("href").startsWith("#")).length,
        title: document.querySelector("#finding-title").textContent,
        charts: [...document.querySelectorAll(".chart svg")].length,
        text: document.querySelector("#finding").textContent,
    })"""
    visit = browser.open(page, looking(look))
    assert visit.is_quiet(page)
    assert len(visit.result) == 5
    for told in visit.result:
        assert told["foreign"] == 0
        assert told["links"] == 0
        assert told["title"].endswith((shown(HOSTILE), f"{shown(HOSTILE)}]"))
    assert sum(told["charts"] > 0 for told in visit.result) >= 4
    assert "<script>alert(1)</script>" in visit.result[0]["text"]


def test_markup_in_a_chart_stays_text(browser: Browser, tmp_path: Path) -> None:
    page = write(tmp_path, "marked", marked())
    look = """[
        [...document.querySelectorAll(".chart text")].map((one) => one.textContent.replaceAll("\u00a0", " ").trim()),
        document.querySelectorAll(".chart svg a").length,
    ]"""
    visit = browser.open(page, looking(look))
    assert len(visit.result) == 3
    for texts, links in visit.result:
        names = [text.partition("  ")[0] for text in texts]
        assert set(MARKED) <= set(names)
        assert links == 0
    assert visit.is_quiet(page)


def test_a_script_put_into_the_page_does_not_run(browser: Browser, kinds: Path) -> None:
    script = """
        return page.evaluate(() => {
          const element = document.createElement("script");
          element.textContent = "document.documentElement.dataset.broken = 'yes'";
          document.body.append(element);
          return document.documentElement.dataset.broken || "no";
        });
    """
    visit = browser.open(kinds, script)
    assert visit.result == "no"
    assert "Content Security Policy" in visit.console[0]


def test_the_mouse_over_hostile_charts_wakes_nothing(browser: Browser, tmp_path: Path) -> None:
    page = write(tmp_path, "hostile", hostile(), with_history=True)
    script = f"""
        const links = await page.evaluate("{LINKS}");
        const hovered = [];
        for (const link of links) {{
          await page.evaluate((to) => {{ location.hash = to; }}, link);
          await page.waitForFunction((to) => location.hash === to && document.querySelector("#finding h2"), {{}}, link);
          await drawn();
          for (const chart of await page.$$(".chart")) {{
            await chart.scrollIntoView();
            const {{ x, y, width, height }} = await chart.boundingBox();
            for (const [across, down] of [[0.3, 0.9], [0.5, 0.3], [0.9, 0.5]]) {{
              await page.mouse.move(x + width * across, y + height * down);
              await new Promise((done) => setTimeout(done, 60));
              hovered.push(await page.evaluate(() => document.querySelector(".hoverlayer text")?.textContent || ""));
            }}
            await page.mouse.click(x + width * 0.5, y + height * 0.9);
          }}
        }}
        return hovered.join(" ");
    """
    visit = browser.open(page, script)
    assert "<img" in visit.result.replace("\u00a0", " ")
    assert visit.is_quiet(page)


# The list


def test_a_search_an_outcome_and_a_family_each_narrow_the_list(browser: Browser, kinds: Path) -> None:
    script = f"""
        const names = () => page.evaluate("{NAMES}");
        const chip = (text) => page.click(`.chips button::-p-text(${{text}})`);
        const told = {{}};
        await page.type("#search", "HOME lcp");
        told.search = await names();
        await page.$eval("#search", (one) => {{ one.value = ""; one.dispatchEvent(new Event("input")); }});
        await chip("regressed");
        told.regressed = await names();
        await chip("memory");
        told.both = await names();
        told.shown = await page.$eval("#shown", (one) => one.textContent);
        await chip("regressed");
        told.memory = await names();
        await page.type("#search", "no such thing");
        told.none = await names();
        return told;
    """
    visit = browser.open(kinds, script)
    assert visit.result == {
        "search": ["page[home]"],
        "regressed": ["page[home]", "test_a_day_of_deliveries", "bundle[shop]"],
        "both": ["test_a_day_of_deliveries"],
        "shown": "1 of 9 findings",
        "memory": ["test_a_day_of_deliveries", "test_old", "test_order"],
        "none": [],
    }


def test_each_column_sorts_both_ways_and_says_so(browser: Browser, kinds: Path) -> None:
    script = f"""
        const told = {{}};
        for (const key of ["test", "growth", "rank"]) {{
          const press = async () => {{
            await page.focus(`th[data-key=${{key}}] button`);
            await page.keyboard.press("Enter");
            const way = await page.$eval(`th[data-key=${{key}}]`, (one) => one.getAttribute("aria-sort"));
            return [way, await page.evaluate("{NAMES}")];
          }};
          told[key] = [await press(), await press()];
        }}
        return told;
    """
    told = browser.open(kinds, script).result
    assert told["test"][0] == ["ascending", sorted(told["test"][0][1], key=lambda name: name.startswith("test_"))]
    assert told["test"][1] == ["descending", told["test"][0][1][::-1]]
    growth, shrinking = told["growth"]
    assert (growth[0], growth[1][:2]) == ("descending", ["test_a_day_of_deliveries", "bundle[shop]"])
    assert (shrinking[0], shrinking[1][0]) == ("ascending", "test_export")
    nothing = ["test_old", "test_order"]  # without a difference they are last, both ways
    assert growth[1][-2:] == shrinking[1][-2:] == nothing
    assert [way for way, _ in told["rank"]] == ["ascending", "descending"]


def test_the_keyboard_opens_a_finding_and_comes_back_to_its_row(browser: Browser, kinds: Path) -> None:
    script = """
        const active = () =>
          page.evaluate(() => ((one) => [one.id || one.className, one.textContent])(document.activeElement));
        const told = [];
        await page.keyboard.press("/");
        told.push((await active())[0]);
        await page.focus("#rows .open");
        await page.keyboard.press("ArrowDown");
        told.push((await active())[1]);
        told.push(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle));
        await page.keyboard.press("Enter");
        await drawn();
        told.push(await active(), await page.$eval("#list", (one) => one.hidden));
        await page.keyboard.press("Escape");
        await page.waitForFunction(() => !document.getElementById("list").hidden);
        told.push((await active())[1]);
        return told;
    """
    visit = browser.open(kinds, script)
    assert visit.result == [
        "search",
        "test_a_day_of_deliveries",
        "solid",
        ["finding-title", "test_a_day_of_deliveries"],
        True,
        "test_a_day_of_deliveries",
    ]


# A finding


def test_a_finding_is_reached_by_its_address(browser: Browser, kinds: Path) -> None:
    at = "#finding=memgate.yml::bundle%5Bshop%5D%20bundle.initial.raw%5Bmain%5D"
    visit = browser.open(kinds, "await drawn(); return page.title();", at=at)
    assert visit.result == "bundle[shop] bundle.initial.raw[main] · memgate"


def test_an_address_of_nothing_shows_the_list(browser: Browser, kinds: Path) -> None:
    visit = browser.open(kinds, 'return page.$eval("#list", (one) => one.hidden);', at="#finding=gone")
    assert visit.result is False
    assert visit.is_quiet(kinds)


def test_each_kind_of_finding_has_its_charts(browser: Browser, kinds: Path) -> None:
    look = """[
        document.querySelector("#finding .metric").textContent,
        [...document.querySelectorAll(".chart")].map((one) => [one.id, one.querySelectorAll(".main-svg").length > 0]),
    ]"""
    visit = browser.open(kinds, looking(look))
    assert visit.is_quiet(kinds)
    assert all(drawn for _, charts in visit.result for _, drawn in charts)
    assert [(metric, [name.removeprefix("chart-") for name, _ in charts]) for metric, charts in visit.result] == [
        ("web.lcp", ["phases", "samples", "trend"]),
        ("memory.peak", ["profile", "samples", "trend"]),
        ("bundle.initial.raw[main]", ["profile", "trend"]),
        ("web.tbt", ["bars", "samples", "trend"]),
        ("memory.peak", []),  # vanished
        ("custom.rows", ["trend"]),
        ("web.bytes", ["profile", "trend"]),
        ("memory.peak", []),  # passed by a bound, which is no point of a chart
        ("web.cls", ["samples", "trend"]),
    ]


def test_the_profile_is_drawn_before_and_after(browser: Browser, kinds: Path) -> None:
    look = """[
        document.querySelector("#finding .metric").textContent,
        [...document.querySelectorAll("#chart-profile text")].map((one) => one.textContent.trim()),
    ]"""
    visit = browser.open(kinds, looking(look))
    texts = {metric: told for metric, told in visit.result if told}
    assert {"Before 147 KB", "After 744 KB", "__call__  604 KB", "send  744 KB"} <= set(texts["memory.peak"])
    assert {"Before 173 KB", "After 603 KB", "chart.js  412 KB", "zod  61 KB"} <= set(texts["bundle.initial.raw[main]"])
    # What the baseline does not name is drawn as it is now, and says so; what is new was not there.
    assert "zod  ≈ 61 KB" in texts["bundle.initial.raw[main]"]
    assert not any(text.startswith("__call__  ≈") for text in texts["memory.peak"])


def test_what_grew_is_told_in_words_too(browser: Browser, kinds: Path) -> None:
    at = "#finding=tests/test_deliveries.py::test_a_day_of_deliveries%20memory.peak"
    visit = browser.open(kinds, 'return page.$eval("#finding", (one) => one.innerText);', at=at)
    for said in (
        "shop/middleware.py:38 in __call__",
        "called from tests/sending.py:11 in send",
        "uses flask 3.1.0",
        "+604 KB",
        "all others",
        "-7 KB",
        "first run 747 KB; again 743 KB, 744 KB",
        'memgate baseline update --reason "…" tests/test_deliveries.py::test_a_day_of_deliveries',
    ):
        assert said in visit.result


# Screens


@pytest.mark.parametrize(("width", "dark"), [(WIDE, False), (NARROW, True)], ids=["wide and light", "narrow and dark"])
def test_axe_finds_nothing_wrong(width: int, dark: bool, browser: Browser, kinds: Path) -> None:
    axe = (browser.modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    check = """axe.run(document).then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0].html]))"""
    script = f"""
        await page.evaluate({json.dumps(axe)} + ";0");
        const list = await page.evaluate({json.dumps(check)});
        const each = await (async () => {{ {looking(check)} }})();
        return [list, ...each];
    """
    visit = browser.open(kinds, script, width=width, dark=dark)
    assert visit.result == [[]] * 10


@pytest.mark.parametrize("run", [every_kind(), hostile()], ids=["kinds", "hostile"])
def test_nothing_is_wider_than_a_small_screen(run: Run, browser: Browser, tmp_path: Path) -> None:
    page = write(tmp_path, "page", run, with_history=True)
    script = f"""
        const list = await page.evaluate("{OVERFLOW}");
        const each = await (async () => {{ {looking(OVERFLOW)} }})();
        return [list, ...each];
    """
    assert browser.open(page, script, width=NARROW).result == [0] * (1 + len(run.findings))


def test_charts_follow_dark_and_light_and_paper(browser: Browser, kinds: Path) -> None:
    at = "#finding=memgate.yml::page%5Bhome%5D%20web.lcp"
    script = """
        const colour = () => page.$eval("#chart-samples .xtick text", (one) => getComputedStyle(one).fill);
        const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        await drawn();
        const told = [[await colour(), await ground()]];
        const change = async (act) => {
          const before = await colour();
          await act();
          const tick = "#chart-samples .xtick text";
          const changed = (old, at) => getComputedStyle(document.querySelector(at)).fill !== old;
          await page.waitForFunction(changed, { timeout: 5000 }, before, tick);
          told.push([await colour(), await ground()]);
        };
        await change(() => page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]));
        await change(() => page.evaluate(() => dispatchEvent(new Event("beforeprint"))));
        await change(() => page.evaluate(() => dispatchEvent(new Event("afterprint"))));
        return told;
    """
    light, dark, paper, after = browser.open(kinds, script, at=at).result
    assert light[1] == "rgb(255, 255, 255)"
    assert dark != light
    assert paper == light
    assert after == dark


def test_a_page_is_all_there_without_scripts(browser: Browser, kinds: Path) -> None:
    script = """
        await page.setJavaScriptEnabled(false);
        await page.reload();
        return page.evaluate(() => document.body.innerText);
    """
    text = browser.open(kinds, script).result
    assert "FAILED: 3 regressed, 1 problem" in text
    assert "need JavaScript" in text


def test_it_prints(browser: Browser, kinds: Path) -> None:
    script = """
        const pdf = await page.pdf({ format: "a4" });
        return [pdf.length, Buffer.from(pdf).subarray(0, 5).toString()];
    """
    size, head = browser.open(kinds, script).result
    assert head == "%PDF-"
    assert size > 10_000
