"""A page to load, as the user describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pytest_memgate.errors import ConfigError

FORM_FACTORS = ("mobile", "desktop")
THROTTLINGS = ("simulate", "devtools", "provided")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page at a running `url`, of a server that `start` runs, or in a static folder.

    - `url` is the page's address; with `start`, the one that the command serves. It may hold `{port}`.
    - `serve` is a folder of files that Lighthouse CI's own server serves, compressed; `path` is the page in it, and
      with `single_page_app` any path gets the folder's index.html. Exactly one of `url` and `serve` is given.
    - `start` is a line for the shell that starts the server and stays with it; `{port}` is a free port. The page must
      answer within `ready_seconds`.
    - `settings` go to Lighthouse as `ci.collect.settings`. `lighthouserc` is a file whose `ci.collect` is used too, see
      `options.collect_options`.
    - `expect` is the CSS selector of an element that the page must show.
    - `timeout_seconds` is for each load, with the two more tries that Lighthouse CI makes when one fails.
    - With `redirects` the page may lead to another one, which is then measured, and compared with loads of that one.

    Raises ConfigError if these do not fit together.
    """

    url: str = ""
    serve: Path | None = None
    path: str = "/"
    start: str = ""
    ready_seconds: float = 30
    form_factor: str = "mobile"
    throttling: str = "simulate"
    settings: Mapping[str, Any] = field(default_factory=dict)
    lighthouserc: Path | None = None
    timeout_seconds: float = 180
    redirects: bool = False
    single_page_app: bool = False
    expect: str = ""

    def __post_init__(self) -> None:
        """Raise ConfigError for fields that do not fit together."""
        if bool(self.url) == bool(self.serve):
            raise ConfigError("a page needs either 'url', or 'serve', a folder")
        if self.start and not self.url:
            raise ConfigError("'start' needs the 'url' that its command serves")
        if self.url:
            self._check_url()
        if not self.path.startswith("/"):
            raise ConfigError(f"path {self.path!r} must begin with '/'")
        for name, value, known in (
            ("form factor", self.form_factor, FORM_FACTORS),
            ("throttling", self.throttling, THROTTLINGS),
        ):
            if value not in known:
                raise ConfigError(f"unknown {name} {value!r}", hint=f"it is one of {', '.join(known)}")

    @property
    def near(self) -> Path | None:
        """The folder in or above which Lighthouse CI may be installed, None if only the project says."""
        return self.serve or (self.lighthouserc.parent if self.lighthouserc else None)

    @property
    def name(self) -> str:
        """The name of the page in messages."""
        return self.url or f"{self.serve}{self.path}"

    def _check_url(self) -> None:
        if self.path != "/":
            raise ConfigError("'path' goes with 'serve'", hint="with 'url' it is a part of that")
        # The command may take its port from its own configuration, which then is the one in `url`.
        if "{port}" in self.url + self.start and not (self.start and "{port}" in self.url):
            raise ConfigError("'{port}' stands for a free port in both 'url' and 'start'", hint="give it in both")
        try:
            parts = urlsplit(self.url.replace("{port}", "80"))
            valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            valid = False
        if not valid:
            raise ConfigError(f"{self.url!r} is no URL of a page", hint="it looks like http://localhost:3000/")
