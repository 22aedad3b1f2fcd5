"""The checks that a configuration declares: bundles, pages and imports, each a test of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar

from pytest_memgate.measure.lighthouse.page import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleCheck:
    """What a bundler made, below the project's root: its `stats` file, or plain `files` (and `lazy` ones) by glob.

    `root` is where the output files lie, `entries` are patterns of those that count, `source` is where it is declared.
    """

    kind: ClassVar[str] = "bundle"
    name: str
    stats: str = ""
    files: tuple[str, ...] = ()
    lazy: tuple[str, ...] = ()
    root: str = ""
    entries: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCheck:
    """A page to load: of a static folder (`serve`), at a running `url`, or at that of a server that `start` starts.

    `runs` is how often it is loaded where that is needed. Durations are in ms.
    """

    kind: ClassVar[str] = "page"
    name: str
    url: str = ""
    serve: str = ""
    path: str = "/"
    start: str = ""
    runs: int = 5
    form_factor: str = "mobile"
    throttling: str = "simulate"
    settings: Mapping[str, Any] = field(default_factory=dict)
    lighthouserc: str = ""
    single_page_app: bool = False
    ready: float = 30_000
    timeout: float = 180_000
    source: str = ""

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
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCheck:
    """A module to import in an interpreter of its own, as an import statement names it."""

    kind: ClassVar[str] = "import"
    name: str
    source: str = ""


Check = BundleCheck | PageCheck | ImportCheck


def settings_of(check: Check) -> dict[str, str]:
    """Return what a check says otherwise than by default, in words, by key."""
    said = {field.name: getattr(check, field.name) for field in fields(check) if field.name not in {"name", "source"}}
    given = {name: value for name, value in said.items() if value != getattr(type(check)(name=""), name)}
    return {
        name: ", ".join(map(str, value)) if isinstance(value, tuple) else str(value) for name, value in given.items()
    }
