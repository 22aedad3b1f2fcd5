"""The server of a page: started, waited for, and ended with all processes that it started."""

import socket
import time
from collections.abc import Mapping
from pathlib import Path

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.lighthouse.answer import Refusal, ask, listens
from pytest_memgate.measure.lighthouse.page import Page
from pytest_memgate.measure.process.workspace import Job, Workspace

_SHOWN_LINES = 5  # of the server's output, in an error


class Server:
    """The server that a page's `start` command runs, ready to answer; it ends with the workspace.

    Raises MeasureError if something else listens at its place, or if it ends or does not answer in time.
    """

    def __init__(
        self, page: Page, project: Path, workspace: Workspace, headers: Mapping[str, str], *, any_content: bool
    ) -> None:
        port = str(_free_port()) if "{port}" in page.url else ""
        self.url = page.url.replace("{port}", port)
        self._command = page.start.replace("{port}", port)
        if listens(self.url):
            raise MeasureError(
                f"{self.url}: something already listens there and would be measured instead of `{self._command}`",
                hint="end it, or put {port} into `url` and `start`",
            )
        self._job: Job = workspace.start(self._command, workspace.place(), cwd=project)
        self._wait(page.ready_seconds, headers, any_content=any_content)

    def check(self) -> None:
        """Raise MeasureError if the server has ended."""
        code = self._job.code()
        if code is not None:
            raise MeasureError(
                f"`{self._command}` has ended, exit code {code}{self._said()}", hint="it must stay in front"
            )

    def _wait(self, seconds: float, headers: Mapping[str, str], *, any_content: bool) -> None:
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            refusal = ask(self.url, headers, any_content=any_content, timeout_seconds=max(left, 1))
            self.check()
            if refusal is None:
                return
            if not refusal.for_now:
                raise refusal.error()
            if time.monotonic() >= deadline:
                raise self._never_ready(seconds, refusal)
            time.sleep(0.1)

    def _never_ready(self, seconds: float, refusal: Refusal) -> MeasureError:
        return MeasureError(
            f"`{self._command}` is not ready after {seconds:g} s; {refusal.why}{self._said()}",
            hint="raise the page's `ready`, or see what it waits for",
        )

    def _said(self) -> str:
        lines = [line.strip() for line in self._job.out().splitlines() if line.strip()][-_SHOWN_LINES:]
        return f"; it said: {' | '.join(lines)}" if lines else "; it said nothing"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
