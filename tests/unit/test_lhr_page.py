"""What a user says of a page, and what Lighthouse CI is told of it."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_memgate.errors import ConfigError, MeasureError
from pytest_memgate.measure.lighthouse.options import collect_options, read_lighthouserc
from pytest_memgate.measure.lighthouse.page import Page
from pytest_memgate.measure.process.workspace import Workspace

SITE = Path("dist")
NODE = "node"


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace() as workspace:
        yield workspace


def node(name: str) -> None:
    """Skip where a script cannot be read; in CI it must be."""
    if name.endswith(".cjs") and not shutil.which(NODE) and not os.environ.get("CI"):
        pytest.skip("no node on PATH")


@pytest.fixture(autouse=True)
def no_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be anyone but root."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


def settings(page: Page, given: dict[str, Any] | None = None) -> dict[str, Any]:
    chosen: dict[str, Any] = collect_options(page, given or {}, Path("/tmp/x"))["settings"]
    return chosen


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "either 'url', or 'serve'"),
        ({"url": "http://localhost/", "serve": SITE}, "either 'url', or 'serve'"),
        ({"url": "localhost:3000"}, "no URL of a page"),
        ({"url": "file:///x.html"}, "no URL of a page"),
        ({"url": "http://[x/"}, "no URL of a page"),
        ({"url": "http://localhost:99999/"}, "no URL of a page"),
        ({"serve": SITE, "start": "npm start"}, "'start' needs the 'url'"),
        ({"url": "http://localhost:{port}/"}, "give it in both"),
        ({"serve": SITE, "path": "x"}, "must begin with '/'"),
        ({"url": "http://localhost:3000/", "path": "/about"}, "'path' goes with 'serve'"),
        ({"url": "http://localhost:3000/", "start": "serve {port}"}, "give it in both"),
        ({"serve": SITE, "form_factor": "tablet"}, "unknown form factor 'tablet'; it is one of mobile, desktop"),
        ({"serve": SITE, "throttling": "slow"}, "unknown throttling 'slow'"),
    ],
)
def test_what_does_not_fit_together_is_refused(said: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        Page(**said)


def test_a_server_may_listen_at_the_port_chosen_by_its_own_environment() -> None:
    assert Page(url="http://localhost:{port}/", start="npm start -- --port {port}").name == "http://localhost:{port}/"
    assert Page(serve=SITE, path="/a/").name == "dist/a/"


def test_only_what_the_metrics_need_is_asked_for() -> None:
    chosen = settings(Page(serve=SITE))
    assert chosen["onlyCategories"] == ["performance"]
    assert chosen["disableFullPageScreenshot"] is True
    assert "bf-cache" in chosen["skipAudits"]
    assert "preset" not in chosen
    assert "throttlingMethod" not in chosen


def test_performance_is_always_among_the_categories() -> None:
    chosen = settings(Page(serve=SITE, settings={"onlyCategories": ["accessibility"]}))
    assert chosen["onlyCategories"] == ["accessibility", "performance"]
    assert "skipAudits" not in chosen


def test_the_audits_that_a_user_skips_are_skipped_too() -> None:
    chosen = settings(Page(serve=SITE, settings={"skipAudits": ["uses-http2", "bf-cache"]}))
    assert chosen["skipAudits"][:2] == ["uses-http2", "bf-cache"]
    assert chosen["skipAudits"].count("bf-cache") == 1
    assert "skipAudits" not in settings(Page(serve=SITE, settings={"onlyAudits": ["bf-cache"]}))


def test_desktop_and_other_throttling_are_said_in_lighthouse_s_words() -> None:
    chosen = settings(Page(serve=SITE, form_factor="desktop", throttling="provided"))
    assert (chosen["preset"], chosen["throttlingMethod"]) == ("desktop", "provided")


def test_the_page_s_settings_go_over_those_of_the_lighthouserc() -> None:
    given = {"settings": {"preset": "desktop", "locale": "de", "maxWaitForLoad": 1}}
    chosen = settings(Page(serve=SITE, settings={"maxWaitForLoad": 2}), given)
    assert (chosen["preset"], chosen["locale"], chosen["maxWaitForLoad"]) == ("desktop", "de", 2)
    assert settings(Page(serve=SITE, throttling="devtools"), given)["throttlingMethod"] == "devtools"


@pytest.mark.parametrize(
    ("own", "flags"),
    [
        ("", "--disable-gpu --disable-quic --no-first-run"),
        ("--headless --lang=de", "--lang=de"),
        (["--lang=de", "--user-agent=My Phone"], "--lang=de --user-agent='My Phone'"),
    ],
)
def test_the_user_s_flags_for_chrome_come_after_ours(own: object, flags: str) -> None:
    chosen = settings(Page(serve=SITE, settings={"chromeFlags": own}))["chromeFlags"]
    assert flags in chosen
    assert "--headless" not in chosen
    assert "--no-sandbox" not in chosen


def test_a_flag_that_the_user_sets_is_not_ours_to_set() -> None:
    chosen = settings(Page(serve=SITE, settings={"chromeFlags": "--disable-gpu=x"}))["chromeFlags"]
    assert chosen.count("--disable-gpu") == 1
    with pytest.raises(MeasureError, match=r"settings\.chromeFlags .*correct the quotes"):
        settings(Page(serve=SITE, settings={"chromeFlags": "--a='b"}))


def test_root_has_no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert settings(Page(serve=SITE))["chromeFlags"].startswith("--no-sandbox ")


def test_a_script_for_puppeteer_gets_the_flags_and_a_path_from_lighthouse_s_folder() -> None:
    given = {"puppeteerScript": "/home/me/login.cjs", "puppeteerLaunchOptions": {"args": ["--lang=de"]}}
    options = collect_options(Page(serve=SITE, settings={"chromeFlags": "--mute-audio"}), given, Path("/tmp/x/1"))
    assert options["puppeteerScript"] == "../../../home/me/login.cjs"
    assert options["puppeteerLaunchOptions"]["args"][-2:] == ["--mute-audio", "--lang=de"]
    assert "chromeFlags" not in options["settings"]


COLLECT = {
    "url": ["http://localhost/other"],
    "numberOfRuns": 9,
    "staticDistDir": "elsewhere",
    "startServerCommand": "npm start",
    "headful": False,
    "puppeteerScript": "login.cjs",
    "settings": {"locale": "de", "budgetPath": "budget.json"},
}


@pytest.mark.parametrize("name", ["lighthouserc.json", ".lighthouserc.yml", "lighthouserc.yaml", "lighthouserc.cjs"])
def test_a_lighthouserc_says_how_a_page_is_loaded_and_not_which(
    tmp_path: Path, workspace: Workspace, name: str
) -> None:
    node(name)
    document = json.dumps({"ci": {"collect": COLLECT, "assert": {"preset": "lighthouse:all"}}})
    (tmp_path / "login.cjs").touch()
    (tmp_path / "budget.json").touch()
    path = tmp_path / name
    path.write_text(f"module.exports = {document};" if path.suffix == ".cjs" else document, encoding="utf-8")
    assert read_lighthouserc(path, NODE, workspace) == {
        "headful": False,
        "puppeteerScript": str(tmp_path / "login.cjs"),
        "settings": {"locale": "de", "budgetPath": str(tmp_path / "budget.json")},
    }


def test_a_lighthouserc_may_extend_another(tmp_path: Path, workspace: Workspace) -> None:
    base = {"ci": {"collect": {"headful": True, "settings": {"locale": "de", "maxWaitForLoad": 1}}}}
    (tmp_path / "base.json").write_text(json.dumps(base), encoding="utf-8")
    path = tmp_path / "lighthouserc.json"
    extending = {"ci": {"extends": "./base.json", "collect": {"settings": {"maxWaitForLoad": 2}}}}
    path.write_text(json.dumps(extending), encoding="utf-8")
    expected = {"headful": True, "settings": {"locale": "de", "maxWaitForLoad": 2}}
    assert read_lighthouserc(path, NODE, workspace) == expected


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("rc.json", "{", "rc.json: Expecting property name"),
        ("rc.yml", "a: [", "rc.yml: while parsing"),
        ("rc.yml", "- a", "rc.yml must be a mapping, not list"),
        ("rc.json", '{"ci": {"collect": []}}', "rc.json: ci.collect must be a mapping"),
        ("rc.cjs", "throw new Error('out of order')", "rc.cjs: node cannot load it: .*Error: out of order"),
        ("rc.cjs", "module.exports = () => 1;", "rc.cjs: node cannot load it: TypeError"),
        ("rc.json", '{"ci": {"collect": {"puppeteerScript": "no.js"}}}', "puppeteerScript: there is no .*no.js"),
        ("rc.json", '{"ci": {"collect": {"chromePath": "/no/chrome"}}}', "chromePath: there is no /no/chrome"),
        ("absent.json", None, "absent.json: No such file or directory; check `lighthouserc`"),
    ],
)
def test_a_lighthouserc_that_cannot_be_used_is_an_error_of_one_line(
    tmp_path: Path, workspace: Workspace, name: str, text: str | None, why: str
) -> None:
    node(name)
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(MeasureError, match=why) as caught:
        read_lighthouserc(tmp_path / name, NODE, workspace)
    assert "\n" not in str(caught.value)


def test_a_lighthouserc_that_extends_itself_is_an_error(tmp_path: Path, workspace: Workspace) -> None:
    path = tmp_path / "lighthouserc.json"
    path.write_text('{"ci": {"extends": "lighthouserc.json"}}', encoding="utf-8")
    with pytest.raises(MeasureError, match="extends itself"):
        read_lighthouserc(path, NODE, workspace)
