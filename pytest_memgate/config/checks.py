"""The checks that a configuration declares: bundles and pages, each a test of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleCheck:
    """What a bundler made, below the project's root: its `stats` file, or plain `files` (and `lazy` ones) by glob.

    `root` is where the output files lie, `entries` are patterns of those that count, `source` is where it is declared.
    """

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
