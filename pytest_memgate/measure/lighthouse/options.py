"""The options of Lighthouse CI: our defaults, the user's lighthouserc, the page's own settings."""

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.lighthouse.lighthouserc import as_mapping
from pytest_memgate.measure.lighthouse.page import Page
from pytest_memgate.measure.lighthouse.seen import CONSOLE, EXPECTED

_EXPECTING = Path(__file__).with_name("expect.mjs")

_CHROME_FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Audits that need Lighthouse's list of images: what gathers it leaves a timer of five seconds behind, and each run
# waits for the rest of them before it ends; image-delivery-insight says the same from the trace. And bf-cache, which
# leaves the page and comes back. None of them takes part in a metric.
_SLOW_AUDITS = (
    "bf-cache",
    "image-aspect-ratio",
    "image-size-responsive",
    "lcp-lazy-loaded",
    "modern-image-formats",
    "offscreen-images",
    "unsized-images",
    "uses-optimized-images",
    "uses-responsive-images",
)


def collect_options(page: Page, given: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return `ci.collect` for a page, without the page and the number of loads.

    `given` is `ci.collect` of the user's lighthouserc. The page's `settings` override it, and the page's form factor
    and throttling override both if they are not the defaults. `folder` is where Lighthouse CI will run.
    """
    options = dict(given)
    settings = {**as_mapping(options.get("settings"), "settings"), **page.settings}
    if page.form_factor == "desktop":
        settings |= {"preset": "desktop"}
    if page.throttling != "simulate":
        settings |= {"throttlingMethod": page.throttling}
    _choose_audits(settings)
    if page.expect:
        settings["configPath"] = str(_EXPECTING)
    settings["onlyAudits"] = [*_listed(settings.get("onlyAudits")), CONSOLE, *([EXPECTED] if page.expect else [])]
    settings.setdefault("disableFullPageScreenshot", True)
    settings.setdefault("enableErrorReporting", False)  # or it looks into the user's home, and asks the network
    own = _own_flags(settings.pop("chromeFlags", ""))
    ours = _our_flags(own)
    if script := options.get("puppeteerScript"):
        # Lighthouse CI joins it to its folder, whatever it is, and takes Chrome's flags from here then.
        options["puppeteerScript"] = os.path.relpath(script, folder)
        launch = as_mapping(options.get("puppeteerLaunchOptions"), "puppeteerLaunchOptions")
        options["puppeteerLaunchOptions"] = {**launch, "args": [*ours, *shlex.split(own), *launch.get("args", ())]}
    else:
        settings["chromeFlags"] = " ".join((*ours, own)).strip()
    return {**options, "settings": settings}


def expecting(page: Page, given: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the variables by which Lighthouse's configuration knows what the page must show."""
    own = {**as_mapping(given.get("settings"), "settings"), **page.settings}.get("configPath")
    return {"MEMGATE_EXPECT": page.expect, "MEMGATE_CONFIG": str(Path(str(own)).absolute()) if own else None}


def _choose_audits(settings: dict[str, Any]) -> None:
    """Make sure that performance is among the audits, and that nothing slow is done besides."""
    categories = _listed(settings.get("onlyCategories"))
    if "performance" not in categories:
        categories.append("performance")
    settings["onlyCategories"] = categories
    if categories == ["performance"] and not settings.get("onlyAudits"):
        own = _listed(settings.get("skipAudits"))
        settings["skipAudits"] = [*own, *(audit for audit in _SLOW_AUDITS if audit not in own)]


def _listed(given: object) -> list[Any]:
    return list(given) if isinstance(given, (list, tuple)) else [given] if given else []


def _own_flags(given: object) -> str:
    """Return the user's flags for Chrome as one text, without the one that Lighthouse CI adds itself."""
    text = " ".join(map(_quoted, given)) if isinstance(given, (list, tuple)) else str(given or "")
    try:
        shlex.split(text)
    except ValueError as error:
        raise MeasureError(f"settings.chromeFlags {text!r}: {error}", hint="correct the quotes") from error
    return re.sub(r"(^|\s)--headless(=\S*)?(?=\s|$)", " ", text).strip()


def _quoted(flag: object) -> str:
    name, equals, value = str(flag).partition("=")
    return f"{name}={shlex.quote(value)}" if equals else name


def _our_flags(own: str) -> list[str]:
    """Return the flags that keep Chrome quiet, without those that the user sets."""
    names = {flag.partition("=")[0] for flag in shlex.split(own)}
    # Root has no sandbox, and containers run as root.
    ours = ("--no-sandbox", *_CHROME_FLAGS) if getattr(os, "geteuid", lambda: 1)() == 0 else _CHROME_FLAGS
    return [flag for flag in ours if flag not in names]
