"""Where a service runs, and what the system knows of its processes."""

import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.process import reaper
from pytest_memgate.measure.process.server import Server, port_of

if TYPE_CHECKING:
    import psutil

EXTRA = 'pip install "pytest-memgate[services]"'
_TIMEOUT = 60.0  # seconds for one page of numbers: a large heap takes a while; chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A running `server` of the project at `root`; its Python processes listen in `folder`.

    `metrics` are the names on its Prometheus page that tell what it holds.
    """

    server: Server
    root: Path
    folder: Path
    metrics: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """The service's root, without a slash at the end."""
        return self.server.url.rstrip("/")

    def get(self, path: str) -> bytes:
        """Return a page of the service. Raises MeasureError where there is none."""
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                self.url + path, timeout=_TIMEOUT
            ) as page:
                said: bytes = page.read()
        except urllib.error.HTTPError as error:
            with error:
                raise MeasureError(f"{self.url}{path}: the service answers {error.code} {error.reason}") from error
        except (OSError, http.client.HTTPException) as error:
            raise MeasureError(f"{self.url}{path}: no answer: {error or type(error).__name__}") from error
        return said

    def listeners(self) -> set[int]:
        """Return the ids of the processes that listen at the service's port."""
        port = port_of(urlsplit(self.url))

        def listens(process: "psutil.Process") -> int:
            ports = [one.laddr.port for one in process.net_connections("tcp") if one.laddr and one.status == "LISTEN"]
            return process.pid if port in ports else 0

        return set(self._of_each(listens)) - {0}

    def counts(self) -> tuple[int, int]:
        """Return how many files and threads the processes have, all together."""
        files = self._of_each(lambda one: one.num_fds() if os.name == "posix" else one.num_handles())  # type: ignore[attr-defined]
        return sum(files), sum(self._of_each(lambda one: one.num_threads()))

    def resident(self) -> int:
        """Return the bytes of all processes that they share with no other (unique set size)."""
        return sum(self._of_each(lambda one: one.memory_full_info().uss))

    def _of_each(self, told: Callable[["psutil.Process"], int]) -> list[int]:
        """Return a number of each process, without those that have ended meanwhile."""
        try:
            import psutil  # noqa: PLC0415  # it is an extra
        except ImportError as error:
            raise MeasureError("a service is measured with psutil, which is not installed", hint=EXTRA) from error
        numbers, job = [], self.server.job
        for pid in reaper.belonging(job.folder, (job.pid,)):
            with suppress(psutil.NoSuchProcess):
                numbers.append(told(psutil.Process(pid)))
        return numbers
