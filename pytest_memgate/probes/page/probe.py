"""What a page is declared with, and the probe that measures it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pytest_memgate.errors import ConfigError
from pytest_memgate.measure.lighthouse.page import FORM_FACTORS, THROTTLINGS, Page
from pytest_memgate.probes.check import Check, choice, duration, free_mapping, number, switch, word
from pytest_memgate.probes.face import Case, Probe, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCheck(Check):
    """A page to load: of a static folder (`serve`), at a running `url`, or at that of a server that `start` starts.

    `runs` is how often it is loaded where that is needed. Durations are in ms.
    """

    kind: ClassVar[str] = "page"
    section: ClassVar[str] = "pages"

    url: str = word("A running page, or the one that `start` serves.")
    serve: str = word("A static folder.")
    path: str = word("Below `serve`.", default="/")
    start: str = word("A command that serves `url`; {port} is a free one.")
    runs: int = number(1, 50, default=5)
    form_factor: str = choice("form factor", FORM_FACTORS, default="mobile")
    throttling: str = choice("throttling", THROTTLINGS, default="simulate")
    settings: Mapping[str, Any] = free_mapping("Lighthouse's settings", "Lighthouse's own settings.")
    lighthouserc: str = word("A file whose ci.collect is used.")
    single_page_app: bool = switch()
    expect: str = word("The CSS selector of an element that the page must show.")
    redirects: bool = switch()
    ready: float = duration("How long `start` may take.", default=30_000)
    timeout: float = duration("How long one load may take.", default=180_000)

    def why_wrong(self) -> str:
        try:
            self.page(Path())
        except ConfigError as error:
            return str(error)
        return ""

    def page(self, root: Path) -> Page:
        """Return what to load for the project at `root`; raises ConfigError for what does not fit together."""
        return Page(
            url=self.url,
            serve=root / self.serve if self.serve else None,
            path=self.path,
            start=self.start,
            ready_seconds=self.ready / 1000,
            form_factor=self.form_factor,
            throttling=self.throttling,
            settings=self.settings,
            lighthouserc=root / self.lighthouserc if self.lighthouserc else None,
            timeout_seconds=self.timeout / 1000,
            single_page_app=self.single_page_app,
            expect=self.expect,
            redirects=self.redirects,
        )


class PageProbe(Probe[PageCheck]):
    """Loads a page as often as its verdict needs; needs Lighthouse CI, Node and Chrome; a noisy value."""

    check = PageCheck
    family = "web"

    def measure(self, check: PageCheck, case: Case) -> Reading:
        from pytest_memgate.probes.page.measuring import page_reading

        return page_reading(check, case)
