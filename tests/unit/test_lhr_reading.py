"""Page loads out of reports that Lighthouse 12.6 and 13.5 wrote of the pages in data/pages."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.lighthouse.lhr import Load, read_lhr
from pytest_memgate.model.site import Lead, LeadKind

REPORTS = Path(__file__).parent.parent / "data" / "lhr"
NAMES = {"observed.lcp", "lcp", "fcp", "tbt", "cls", "tti", "si", "ttfb", "max_potential_fid", "bytes"}
VERSIONS = ("12", "13")

Changed = Callable[[str, Callable[[dict[str, Any]], None]], Path]


@pytest.fixture
def changed(tmp_path: Path) -> Changed:
    """A report with a change made to it."""

    def change(name: str, by: Callable[[dict[str, Any]], None]) -> Path:
        lhr = json.loads((REPORTS / f"{name}.json").read_text(encoding="utf-8"))
        by(lhr)
        path = tmp_path / "report.json"
        path.write_text(json.dumps(lhr), encoding="utf-8")
        return path

    return change


def load(name: str) -> Load:
    return read_lhr(REPORTS / f"{name}.json")


def total(load: Load, name: str) -> float:
    return sum(site.size for site in load.sites[name])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("page", ["still", "busy", "shifting"])
def test_a_load_has_every_value(page: str, version: str) -> None:
    read = load(f"{page}-{version}")
    assert set(read.values) == NAMES
    assert isinstance(read.values["bytes"], int)
    assert 0 < read.values["fcp"] <= read.values["lcp"]
    assert read.conditions["lighthouse"] == version
    assert read.lhr == REPORTS / f"{page}-{version}.json"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("page", ["still", "busy", "shifting"])
@pytest.mark.parametrize("name", ["lcp", "tbt", "cls", "bytes", "ttfb"])
def test_the_parts_of_a_value_add_up_to_it(page: str, version: str, name: str) -> None:
    read = load(f"{page}-{version}")
    if read.values[name]:
        assert total(read, name) == pytest.approx(read.values[name], abs=1)
    else:
        assert name not in read.sites


@pytest.mark.parametrize("version", VERSIONS)
def test_bytes_are_told_by_resource(version: str) -> None:
    sites = {site.path: site.size for site in load(f"still-{version}").sites["bytes"]}
    assert sites == {"/hero.png": 32692, "/": 734, "/style.css": 321, "/app-*.js": 239}


def test_the_phases_of_the_largest_paint_are_those_of_the_simulated_load() -> None:
    phases = {site.path: round(site.size) for site in load("still-12").sites["lcp"]}
    assert phases == {"time to first byte": 456, "render delay": 366, "load delay": 287, "load time": 102}


def test_observed_phases_leave_the_rest_of_a_simulated_load_unnamed() -> None:
    sites = load("still-13").sites["lcp"]
    assert [site.path for site in sites][-1] == "other"
    assert {site.path for site in sites} == {"time to first byte", "render delay", "load delay", "load time", "other"}


@pytest.mark.parametrize("version", VERSIONS)
def test_blocking_time_is_told_by_script(version: str) -> None:
    read = load(f"busy-{version}")
    assert read.values["tbt"] > 0
    assert [site.path for site in read.sites["tbt"]] == ["/work.js"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_shift_is_told_by_element(version: str) -> None:
    read = load(f"shifting-{version}")
    assert [site.path for site in read.sites["cls"]] == ["body > main"]


def test_a_shift_is_told_with_its_cause(changed: Changed) -> None:
    def cause(lhr: dict[str, Any]) -> None:
        row = lhr["audits"]["cls-culprits-insight"]["details"]["items"][0]["items"][1]
        row["subItems"] = {"type": "subitems", "items": [{"cause": "Injected iframe"}, {"cause": "Injected iframe"}]}

    assert read_lhr(changed("shifting-13", cause)).sites["cls"][0].via == (
        Lead(kind=LeadKind.CAUSE, path="Injected iframe"),
    )


def test_the_worst_burst_of_shifts_is_the_one_that_is_told(changed: Changed) -> None:
    def add(lhr: dict[str, Any]) -> None:
        rows = [{"node": {"type": "text", "value": "Total"}, "score": 0.1}, {"score": 0.1}]
        lhr["audits"]["cls-culprits-insight"]["details"]["items"].insert(0, {"type": "table", "items": rows})

    assert [site.path for site in read_lhr(changed("shifting-12", add)).sites["cls"]] == ["body > main"]


def test_an_older_report_tells_its_shifts_too(changed: Changed) -> None:
    path = changed("shifting-12", lambda lhr: lhr["audits"].pop("cls-culprits-insight"))
    assert [site.path for site in read_lhr(path).sites["cls"]] == ["body > main"]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_blocks_the_first_paint_is_told_in_milliseconds(version: str) -> None:
    read = load(f"still-{version}")
    assert [site.path for site in read.sites["fcp"]] == ["/app-*.js", "/style.css"]
    assert read.sites["si"] == read.sites["fcp"]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_element_painted_largest_is_one_line(version: str) -> None:
    assert load(f"still-{version}").element.startswith('body > img.hero <img class="hero" src="hero.png"')
    assert load(f"busy-{version}").element == "body > h1 <h1>"


def test_a_long_element_is_cut(changed: Changed) -> None:
    def lengthen(lhr: dict[str, Any]) -> None:
        items = lhr["audits"]["largest-contentful-paint-element"]["details"]["items"]
        items[0]["items"][0]["node"]["snippet"] = f'<p class="{"long " * 60}"\n>'

    element = read_lhr(changed("still-12", lengthen)).element
    assert len(element) == 150
    assert element.endswith("…")


def test_advice_is_what_saves_time_the_most_first() -> None:
    assert load("busy-12").audits == {
        "render-blocking-insight": 350,
        "bootup-time": 200,
        "long-tasks": 200,
        "mainthread-work-breakdown": 200,
    }
    assert load("desktop-12").audits == {}


def test_advice_given_twice_is_told_once(changed: Changed) -> None:
    def repeat(lhr: dict[str, Any]) -> None:
        assert lhr["audits"]["render-blocking-insight"]["replacesAudits"] == ["render-blocking-resources"]
        lhr["audits"]["render-blocking-resources"]["metricSavings"]["LCP"] = 280

    advice = read_lhr(changed("still-12", repeat)).audits
    assert "render-blocking-resources" not in advice
    assert "render-blocking-insight" in advice


def test_conditions_are_major_versions_and_modes() -> None:
    assert load("still-12").conditions == {
        "lighthouse": "12",
        "chrome": "156",
        "throttling": "simulate",
        "form factor": "mobile",
    }


def test_settings_that_change_a_load_are_conditions_without_their_secrets() -> None:
    conditions = load("desktop-12").conditions
    assert conditions["throttling"] == "devtools"
    assert conditions["form factor"] == "desktop"
    assert conditions["settings"] == "blocked hero.png; headers X-Shop"


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        (("throttling", "cpuSlowdownMultiplier"), 2, "latency 150 ms, 1638.4 Kbit/s, processor 1/2"),
        (("screenEmulation", "width"), 360, "screen 360x823@1.75"),
        (("screenEmulation", "disabled"), True, "screen of the browser"),
        (("pauseAfterLoadMs",), 0, "pauseAfterLoadMs 0"),
        (("emulatedUserAgent",), False, "user agent of the browser"),
        (("disableStorageReset",), True, "storage kept"),
        (("formFactor",), "desktop", "latency 150 ms, 1638.4 Kbit/s, processor 1/4; screen 412x823@1.75"),
    ],
)
def test_each_such_setting_is_told(changed: Changed, key: tuple[str, ...], value: object, text: str) -> None:
    def choose(lhr: dict[str, Any]) -> None:
        place = lhr["configSettings"]
        for part in key[:-1]:
            place = place[part]
        place[key[-1]] = value

    assert read_lhr(changed("still-13", choose)).conditions["settings"] == text


def test_throttling_numbers_do_not_matter_where_none_are_used(changed: Changed) -> None:
    def choose(lhr: dict[str, Any]) -> None:
        lhr["configSettings"] |= {"throttlingMethod": "provided", "throttling": {"rttMs": 1}}
        lhr["configSettings"] |= dict.fromkeys(("pauseAfterFcpMs", "pauseAfterLoadMs"), 5250)
        lhr["configSettings"] |= dict.fromkeys(("networkQuietThresholdMs", "cpuQuietThresholdMs"), 5250)

    assert "settings" not in read_lhr(changed("still-12", choose)).conditions


def test_a_blank_page_is_no_load() -> None:
    with pytest.raises(MeasureError, match=r"^http://localhost:8000/: the page painted nothing \(NO_FCP\); see that"):
        load("blank-12")


def test_an_error_page_is_no_load() -> None:
    with pytest.raises(
        MeasureError, match=r"nothing\.html: the server answers 404 \(ERRORED_DOCUMENT_REQUEST\); check"
    ):
        load("notfound-13")


def test_another_page_is_no_load_of_the_one_asked_for() -> None:
    expected = r"^http://localhost:8000/moved\.html led to http://localhost:8000/other\.html, another page; ask"
    with pytest.raises(MeasureError, match=expected):
        load("moved-12")


def test_the_page_asked_for_is_ours_to_say() -> None:
    with pytest.raises(MeasureError, match=r"^http://localhost:8000/shop led to http://localhost:8000/, another page"):
        read_lhr(REPORTS / "still-12.json", asked="http://localhost:8000/shop")


@pytest.mark.parametrize("name", sorted(NAMES - {"observed.lcp"}))
def test_a_value_that_is_absent_is_an_error(changed: Changed, name: str) -> None:
    ids = {
        "lcp": "largest-contentful-paint",
        "fcp": "first-contentful-paint",
        "tbt": "total-blocking-time",
        "cls": "cumulative-layout-shift",
        "tti": "interactive",
        "si": "speed-index",
        "ttfb": "server-response-time",
        "max_potential_fid": "max-potential-fid",
        "bytes": "total-byte-weight",
    }
    with pytest.raises(MeasureError, match=f"{name} was not measured: Lighthouse .* did not run the audit {ids[name]}"):
        read_lhr(changed("still-12", lambda lhr: lhr["audits"].pop(ids[name])))

    def fail(lhr: dict[str, Any]) -> None:
        lhr["audits"][ids[name]] = {"score": None, "errorMessage": "NO_LCP"}

    with pytest.raises(MeasureError, match=f"{name} was not measured: NO_LCP"):
        read_lhr(changed("still-12", fail))


def test_a_document_that_was_not_found_is_no_load(changed: Changed) -> None:
    def answer(lhr: dict[str, Any]) -> None:
        lhr["audits"]["network-requests"]["details"]["items"][0]["statusCode"] = 404

    with pytest.raises(MeasureError, match="the server answered 404 to Chrome"):
        read_lhr(changed("still-12", answer))
    with pytest.raises(MeasureError, match="the report lists no request of it"):
        read_lhr(changed("still-12", lambda lhr: lhr["audits"].pop("network-requests")))


@pytest.mark.parametrize("kind", ["Script", "Stylesheet"])
def test_a_script_or_style_that_is_answered_by_a_page_is_missing(changed: Changed, kind: str) -> None:
    def answer(lhr: dict[str, Any]) -> None:
        items = lhr["audits"]["network-requests"]["details"]["items"]
        next(item for item in items if item["resourceType"] == kind)["mimeType"] = "text/html"

    name = {"Script": r"app-\*\.js", "Stylesheet": r"style\.css"}[kind]
    with pytest.raises(MeasureError, match=f"{name} is not there, and the server answers it with a page; build again"):
        read_lhr(changed("still-13", answer))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"audits": 1}'])
def test_what_is_no_report_is_an_error_of_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MeasureError, match=r"x\.json: no Lighthouse report: .*; run") as caught:
        read_lhr(path)
    assert "\n" not in str(caught.value)


def test_warnings_are_carried(changed: Changed) -> None:
    def warn(lhr: dict[str, Any]) -> None:
        lhr["runWarnings"] = ["The tested device\nis slow."]

    assert read_lhr(changed("still-12", warn)).warnings == ("The tested device is slow.",)


def test_what_chrome_saw_stands_beside_what_is_simulated(changed: Changed) -> None:
    read = load("still-13")
    assert 0 < read.values["observed.lcp"] < read.values["lcp"]
    assert read.sites["observed.lcp"][0].path == "/"

    def slowed(lhr: dict[str, Any]) -> None:
        lhr["configSettings"]["throttlingMethod"] = "devtools"

    assert "observed.lcp" not in read_lhr(changed("still-13", slowed)).values  # it would be the same twice


def test_a_shift_names_the_image_without_dimensions(changed: Changed) -> None:
    image = {"type": "node", "selector": "body > img", "snippet": '<img src="/hero.png">'}

    def blame(lhr: dict[str, Any]) -> None:
        (table,) = lhr["audits"]["cls-culprits-insight"]["details"]["items"]
        table["items"][1]["subItems"] = {"items": [{"cause": "Unsized image element", "extra": image}]}

    (moved,) = (one for one in read_lhr(changed("shifting-13", blame)).sites["cls"] if one.path == "body > main")
    assert [lead.path for lead in moved.via] == ['Unsized image element: body > img <img src="/hero.png">']


def test_a_load_that_was_cut_off_names_the_requests_that_kept_it_waiting() -> None:
    expected = (
        r"^http://127\.0\.0\.1:\d+/waiting/: it did not finish to load within Lighthouse's time limit; "
        r"requests that never ended or failed: /never \(no answer\), /data \(500\); see why; leave out .*"
        r"`blockedUrlPatterns`"
    )
    with pytest.raises(MeasureError, match=expected):
        load("waiting-12")


def test_a_load_that_was_cut_off_by_no_request_may_get_more_time(changed: Changed) -> None:
    def end(lhr: dict[str, Any]) -> None:
        lhr["audits"]["network-requests"]["details"]["items"] = []

    with pytest.raises(MeasureError, match="time limit; see what it computes, or raise maxWaitForLoad"):
        read_lhr(changed("waiting-12", end))
