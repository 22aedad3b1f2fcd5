"""Pages and limits of memgate.yml, out of a configuration of Lighthouse CI."""

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_memgate.baseline.source import WorkTree
from pytest_memgate.config.from_lighthouserc import converted
from pytest_memgate.config.sources import load_settings
from pytest_memgate.errors import ConfigError, UsageError
from pytest_memgate.probes.page.probe import PageCheck
from pytest_memgate.tasks.baseline.init import init_from

HOME = "http://localhost:3000/"
LCP = "largest-contentful-paint"


def pages(collect: dict[str, Any], folder: str = "") -> dict[str, dict[str, Any]]:
    return converted({"collect": collect}, folder, is_script=False).pages


def limits(**given: Any) -> tuple[dict[str, Any], list[str]]:
    ci = {"collect": {"url": [HOME, f"{HOME}products/"]}, "assert": given}
    done = converted(ci, "", is_script=False)
    return done.budgets, done.left_out


@pytest.mark.parametrize(
    ("collect", "page"),
    [
        ({"url": HOME}, {"url": HOME}),
        ({"url": HOME, "startServerCommand": "npm start"}, {"url": HOME, "start": "npm start"}),
        (
            {"url": HOME, "startServerCommand": "npm start", "startServerReadyTimeout": 1500},
            {"url": HOME, "start": "npm start", "ready": "2s"},
        ),
        ({"staticDistDir": "./dist"}, {"serve": "./dist"}),
        ({"staticDistDir": "dist", "isSinglePageApplication": True}, {"serve": "dist", "single_page_app": True}),
        ({"url": HOME, "numberOfRuns": 3}, {"url": HOME, "runs": 3}),
        (
            {"url": HOME, "settings": {"preset": "desktop", "throttlingMethod": "devtools", "locale": "de"}},
            {"url": HOME, "form_factor": "desktop", "throttling": "devtools", "settings": {"locale": "de"}},
        ),
        ({"url": HOME, "settings": {"preset": "perf"}}, {"url": HOME, "settings": {"preset": "perf"}}),
    ],
)
def test_a_url_is_a_page(collect: dict[str, Any], page: dict[str, Any]) -> None:
    assert pages(collect) == {"home": page}


def test_a_page_is_named_by_its_path() -> None:
    urls = [HOME, f"{HOME}about.html", f"{HOME}shop/index.html", f"{HOME}shop/?tab=2", f"{HOME}#x"]
    assert list(pages({"url": urls})) == ["home", "about", "shop", "shop-tab-2", "home-2"]


def test_a_page_of_a_folder_has_its_path() -> None:
    found = pages({"staticDistDir": "dist", "url": ["http://localhost/a.html?b=1", "http://localhost"]}, "web")
    assert found == {"a-b-1": {"serve": "web/dist", "path": "/a.html?b=1"}, "home": {"serve": "web/dist"}}


def test_a_command_runs_where_the_file_is() -> None:
    assert pages({"url": HOME, "startServerCommand": "npm start"}, "web")["home"]["start"] == "cd web && npm start"


def test_an_assertion_with_a_number_is_a_limit() -> None:
    given = {
        LCP: ["error", {"maxNumericValue": 2500}],
        "total-blocking-time": ["error", {"maxNumericValue": 200.5}],
        "cumulative-layout-shift": ["error", {"maxNumericValue": 0.1}],
        "total-byte-weight": ["error", {"maxNumericValue": 700_000}],
        "resource-summary.total.size": ["error", {"maxNumericValue": 512_345}],
        "speed-index": "off",
    }
    assert limits(assertions=given) == (
        {
            "web.lcp": {"limit": "2.5s"},
            "web.tbt": {"limit": "200.5ms"},
            "web.cls": {"limit": 0.1},
            "web.bytes": {"limit": "512345B"},
        },
        [],
    )


def test_limits_of_some_pages_are_overrides() -> None:
    rows = [{"matchingUrlPattern": ".*products/$", "assertions": {LCP: ["error", {"maxNumericValue": 900}]}}]
    budgets, left_out = limits(assertMatrix=rows)
    assert budgets == {"overrides": [{"tests": "memgate.yml::page[products]", "web.lcp": {"limit": "900ms"}}]}
    assert left_out == []


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"preset": "lighthouse:all"}, "ci.assert.preset: it names no single limit"),
        ({"budgetsFile": "b.json"}, "ci.assert.budgetsFile: it names no single limit"),
        ({"assertions": {"uses-http2": "error"}}, "ci.assert.assertions.uses-http2: no limit of a metric is like it"),
        ({"assertions": {LCP: ["error", {"minScore": 1}]}}, f"ci.assert.assertions.{LCP}: no limit of a metric is"),
        ({"assertions": {LCP: ["warn", {"maxNumericValue": 1}]}}, f"{LCP}: a limit does not warn, it fails"),
        ({"assertMatrix": [{"matchingUrlPattern": "("}]}, "ci.assert.assertMatrix[0].matchingUrlPattern: missing )"),
    ],
)
def test_what_is_no_limit_is_told(given: dict[str, Any], line: str) -> None:
    budgets, (said,) = limits(**given)
    assert budgets == {}
    assert line in said


@pytest.mark.parametrize(
    ("collect", "line"),
    [
        ({"puppeteerScript": "/login.cjs"}, "ci.collect.puppeteerScript: put it alone into a file, and name that as"),
        ({"startServerReadyPattern": "up"}, "ci.collect.startServerReadyPattern: the page itself is asked until"),
        ({"method": "psi"}, "ci.collect.method: it has no counterpart"),
        ({"numberOfRuns": 99}, "ci.collect.numberOfRuns: a page is loaded 50 times at most"),
        ({"settings": {"extraHeaders": {"Cookie": "x"}}}, "ci.collect.settings.extraHeaders: it may be a secret"),
    ],
)
def test_what_a_page_cannot_say_is_told(collect: dict[str, Any], line: str) -> None:
    (said,) = converted({"collect": {"url": HOME, **collect}}, "", is_script=True).left_out
    assert said.startswith(line)


def wrote(root: Path, ci: dict[str, Any], name: str = "lighthouserc.json") -> list[str]:
    (root / name).write_text(json.dumps({"ci": ci}), encoding="utf-8")
    return init_from(root, root / name)[1]


def test_memgate_yml_is_written_and_can_be_read(tmp_path: Path) -> None:
    headers = {"Authorization": "Basic x: #y"}
    collect = {"url": [HOME], "settings": {"extraHeaders": headers}, "method": "node"}
    assert wrote(tmp_path, {"collect": collect}) == ["ci.collect.method: it has no counterpart"]
    settings = load_settings(WorkTree(tmp_path))
    (home,) = settings.of(PageCheck).values()
    assert (home.url, home.settings) == (HOME, {"extraHeaders": headers})
    assert "#   ci.collect.method: it has no counterpart\n" in (tmp_path / "memgate.yml").read_text(encoding="utf-8")
    with pytest.raises(UsageError, match="configures memgate already"):
        wrote(tmp_path, {"collect": collect})


@pytest.mark.parametrize(
    ("ci", "why"),
    [
        ({}, "rc.json: no page: neither ci.collect.url nor ci.collect.staticDistDir"),
        ({"collect": {"url": "ftp://x"}}, "rc.json: memgate.yml:5: 'ftp://x' is no URL of a page"),
        ({"collect": {"url": HOME, "numberOfRuns": "a"}}, "rc.json: ci.collect.numberOfRuns must be a number from 0"),
        ({"collect": {"url": HOME}, "assert": {"assertions": []}}, "rc.json: ci.assert.assertions must be a mapping"),
        ({"collect": {"uri": HOME}}, "rc.json: unknown key 'ci.collect.uri' .did you mean 'ci.collect.url'"),
    ],
)
def test_a_file_that_cannot_be_used_leaves_no_memgate_yml(tmp_path: Path, ci: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        wrote(tmp_path, ci)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "memgate.yml").exists()
