"""Loads a page with Lighthouse CI: all loads count, or none."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.lighthouse.answer import TIMEOUT_SECONDS, ask, same_page
from pytest_memgate.measure.lighthouse.failure import chrome_failure, failure
from pytest_memgate.measure.lighthouse.lhr import Load, read_lhr
from pytest_memgate.measure.lighthouse.lighthouserc import read_lighthouserc
from pytest_memgate.measure.lighthouse.options import collect_options, expecting
from pytest_memgate.measure.lighthouse.page import Page
from pytest_memgate.measure.lighthouse.tools import Tools
from pytest_memgate.measure.lighthouse.urls import names
from pytest_memgate.measure.process.machine_lock import alone
from pytest_memgate.measure.process.server import Refusal, Server
from pytest_memgate.measure.process.shared_server import SharedServer
from pytest_memgate.measure.process.workspace import Workspace

_REPORTS = ".lighthouseci"  # where lhci writes, below the folder that it runs in


class Collector:
    """A page ready to be loaded: its server runs and answers; on leaving, all started processes have ended.

    `keep` is a folder where the reports stay, as `<n>.report.json`, and `env` is what differs in the environment of its
    server, None for a variable that is removed. A `shared` server may be that of the page before; it runs on.

    Raises MeasureError if there is no page to serve, and on entering if the page does not answer.
    """

    def __init__(
        self,
        page: Page,
        tools: Tools,
        project: Path,
        keep: Path | None = None,
        *,
        env: Mapping[str, str | None] | None = None,
        shared: SharedServer | None = None,
    ) -> None:
        if page.serve:
            _check_file(page.serve, page, project)
        self._page = page
        self._tools = tools
        self._project = project
        self._keep = keep
        self._env = env
        self._shared = shared
        self._kept = 0
        self._workspace = Workspace()
        self._server: Server | None = None
        self._given: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._workspace.__enter__()
        try:
            self._make_ready()
        except BaseException as error:
            self._workspace.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._workspace.__exit__(kind, error, trace)

    def collect(self, runs: int) -> tuple[Load, ...]:
        """Load the page `runs` times, while no other measurement runs on this machine.

        Raises MeasureError unless every load ended well.
        """
        with alone():
            folder = self._workspace.place()
            config = folder / "lighthouserc.json"
            config.write_text(json.dumps({"ci": {"collect": self._options(folder, runs)}}), encoding="utf-8")
            try:
                done = self._workspace.run(
                    (*self._tools.lhci, "collect", f"--config={config}"),
                    folder,
                    timeout_seconds=self._page.timeout_seconds,
                    env=self._environment(folder),
                    progress=lambda: self._progress(folder),
                )
            except OSError as error:
                lhci = self._tools.lhci[0]
                raise MeasureError(f"{lhci} cannot be started: {error.strerror}", hint="install it again") from error
        if self._server:
            self._server.check()
        reports = _reports(folder)
        asked = self._server.url if self._server else self._page.url
        if failed := failure(asked or self._page.name, done, len(reports), runs, self._page.timeout_seconds):
            raise failed
        return tuple(self._read(self._keep_one(report), asked) for report in reports)

    def _read(self, report: Path, asked: str) -> Load:
        """Return a load; where redirects are allowed, the page that they led to is one of its conditions."""
        if not self._page.redirects:
            return read_lhr(report, asked=asked, expect=self._page.expect)
        asked, shown = _asked_and_shown(report, asked)
        load = read_lhr(report, asked=shown, expect=self._page.expect)
        if same_page(asked, shown):
            return load
        return replace(load, conditions={**load.conditions, "led to": names([shown], asked)[shown]})

    def _make_ready(self) -> None:
        page = self._page
        if page.lighthouserc:
            self._given = read_lighthouserc(self._project / page.lighthouserc, "node", self._workspace)
        if page.serve:
            return
        headers, any_content = self._access()
        if page.start:
            serve = self._shared.serve if self._shared else partial(Server, workspace=self._workspace)
            self._server = serve(
                page.start,
                page.url,
                self._project,
                asked=lambda url, seconds: self._asked(url, headers, seconds, any_content=any_content),
                ready_seconds=page.ready_seconds,
                setting="the page's `ready`",
                env=self._env,
            )
        elif refusal := self._asked(page.url, headers, TIMEOUT_SECONDS, any_content=any_content):
            raise refusal.error()

    def _asked(self, url: str, headers: Mapping[str, str], seconds: float, *, any_content: bool) -> Refusal | None:
        redirects = self._page.redirects
        return ask(url, headers, any_content=any_content, redirects=redirects, timeout_seconds=seconds)

    def _access(self) -> tuple[Mapping[str, str], bool]:
        """Return the headers that Chrome sends, and whether Chrome may get in where a plain request does not."""
        headers = {**self._given.get("settings", {}), **self._page.settings}.get("extraHeaders")
        if isinstance(headers, Mapping):
            return {str(name): str(value) for name, value in headers.items()}, "puppeteerScript" in self._given
        return {}, bool(headers) or "puppeteerScript" in self._given

    def _options(self, folder: Path, runs: int) -> dict[str, Any]:
        page = self._page
        options = {**collect_options(page, self._given, folder), "numberOfRuns": runs}
        if page.serve:
            options["staticDistDir"] = str((self._project / page.serve).resolve())
            options["url"] = [f"http://localhost{page.path}"]  # lhci puts its own port in
            options["isSinglePageApplication"] = page.single_page_app
        else:
            options["url"] = [self._server.url if self._server else page.url]
        return options

    def _environment(self, folder: Path) -> dict[str, str | None]:
        # Variables named so are options of lhci, before those of the file.
        options = dict.fromkeys(name for name in os.environ if name.startswith("LHCI"))
        # A private TMPDIR holds Chrome's profile and whatever a killed Chrome leaves.
        if self._page.expect:
            options |= expecting(self._page, self._given)
        return {**options, "CHROME_PATH": self._tools.chrome, "TMPDIR": str(folder), "TEMP": str(folder)}

    def _progress(self, folder: Path) -> int:
        """Return how many loads have ended; raise MeasureError if the server has ended or Chrome does not start."""
        if self._server:
            self._server.check()
        if error := chrome_failure(folder):
            raise error
        return len(_reports(folder))

    def _keep_one(self, report: Path) -> Path:
        if self._keep is None:
            return report
        self._kept += 1
        kept = self._keep / f"{self._kept}.report.json"
        try:
            self._keep.mkdir(parents=True, exist_ok=True)
            return Path(shutil.copyfile(report, kept))
        except OSError as error:
            raise MeasureError(f"{kept}: {error.strerror}", hint="give another folder for the reports") from error


def _reports(folder: Path) -> list[Path]:
    """Return the reports in the order of their loads: lhci names them by the millisecond."""
    return sorted((folder / _REPORTS).glob("lhr-*.json"))


def _asked_and_shown(report: Path, asked: str) -> tuple[str, str]:
    """Return the URL that was asked for, by the report if it is not given, and that of the page shown in the end."""
    try:
        lhr = json.loads(report.read_text(encoding="utf-8"))
        asked = asked or lhr.get("requestedUrl", "")
        return asked, lhr.get("finalDisplayedUrl") or lhr.get("finalUrl") or asked
    except (OSError, ValueError, AttributeError):  # whoever reads the report says it
        return asked, asked


def _check_file(serve: Path, page: Page, project: Path) -> None:
    """Raise MeasureError if there is no page to serve."""
    folder = project / serve
    if not folder.is_dir():
        raise MeasureError(
            f"{_below(project, folder)}: no such folder", hint="build the site first, or correct `serve`"
        )
    path = unquote(page.path.partition("?")[0].partition("#")[0])
    file = folder / path.lstrip("/")
    if file.is_dir():
        file /= "index.html"
    if page.single_page_app and not file.exists():
        file = folder / "index.html"
    if not file.is_file():
        raise MeasureError(f"{_below(project, file)}: no such file", hint="build the site first, or correct `path`")
    if file.stat().st_size == 0:
        raise MeasureError(f"{_below(project, file)}: the page is empty, 0 bytes", hint="build the site again")


def _below(project: Path, path: Path) -> str:
    return (path.relative_to(project) if path.is_relative_to(project) else path).as_posix()
