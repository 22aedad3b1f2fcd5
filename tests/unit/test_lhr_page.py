"""What a user says of a page, and what Lighthouse CI is told of it."""

import os
from pathlib import Path
from typing import Any

import pytest

from pytest_memgate.errors import ConfigError, MeasureError
from pytest_memgate.measure.lighthouse.options import collect_options
from pytest_memgate.measure.lighthouse.page import Page

SITE = Path("dist")


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
