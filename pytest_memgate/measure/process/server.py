"""A server that a command runs: started, waited for, and ended with all processes that it started."""

import copy
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.process.workspace import Job, Workspace

_SHOWN_LINES = 5  # of the server's output, in an error
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a server's answer will not do, and what to do; `for_now` if waiting may help."""

    why: str
    hint: str
    for_now: bool = False

    def error(self) -> MeasureError:
        """Return it as an error."""
        return MeasureError(self.why, hint=self.hint)


class Server:
    """The server that a command runs, ready to answer; it ends with the workspace.

    `{port}` in `command` and `url` is a free one. `asked` is given the URL and the seconds that are left, and returns
    what is wrong with the answer, None if nothing is. `setting` is what sets `ready_seconds`, in words.

    Raises MeasureError if something else listens at its place, or if it ends or does not answer in time.
    """

    def __init__(
        self,
        command: str,
        url: str,
        project: Path,
        workspace: Workspace,
        *,
        asked: Callable[[str, float], Refusal | None],
        ready_seconds: float,
        setting: str,
        env: Mapping[str, str | None] | None = None,
    ) -> None:
        self._port = str(_free_port()) if "{port}" in url else ""
        self.url = url.replace("{port}", self._port)
        self.command = command.replace("{port}", self._port)
        self._setting = setting
        if listens(self.url):
            raise MeasureError(
                f"{self.url}: something already listens there and would be measured instead of `{self.command}`",
                hint="end it, or put {port} into `url` and `start`",
            )
        self.job: Job = workspace.start(self.command, workspace.place(), cwd=project, env=env)
        self._wait(ready_seconds, asked)

    def also(self, url: str, asked: Callable[[str, float], Refusal | None], ready_seconds: float) -> "Server":
        """Return the same server for another of its pages, once that answers; raises MeasureError if it does not."""
        other = copy.copy(self)
        other.url = url.replace("{port}", self._port)
        other._wait(ready_seconds, asked)  # noqa: SLF001  # of its own class
        return other

    def check(self, within: float = 0.0) -> None:
        """Raise MeasureError if the server has ended, or ends within some seconds."""
        deadline = time.monotonic() + within
        while (code := self.job.code()) is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if code is not None:
            raise MeasureError(
                f"`{self.command}` has ended, exit code {code}{self.said()}", hint="it must stay in front"
            )

    def said(self) -> str:
        """Return the last lines of its output, as the end of a sentence."""
        lines = [line.strip() for line in self.job.out().splitlines() if line.strip()][-_SHOWN_LINES:]
        return f"; it said: {' | '.join(lines)}" if lines else "; it said nothing"

    def _wait(self, seconds: float, asked: Callable[[str, float], Refusal | None]) -> None:
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            refusal = asked(self.url, max(left, 1))
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
            f"`{self.command}` is not ready after {seconds:g} s; {refusal.why}{self.said()}",
            hint=f"raise {self._setting}, check the URL, or see what it waits for",
        )


def listens(url: str) -> bool:
    """True if anything accepts connections at a URL's host and port."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "", port_of(parts)), timeout=2):
            return True
    except OSError:
        return False


def port_of(parts: SplitResult) -> int:
    """Return the port of a URL, 0 if it is not known."""
    return parts.port or _PORTS.get(parts.scheme, 0)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
