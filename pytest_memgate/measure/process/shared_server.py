"""One server for several checks in a row: it starts with the first of them, and ends where the next needs another."""

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:  # this module is loaded before any test: what it needs would hide what a test pays for it
    from pytest_memgate.measure.process.server import Server
    from pytest_memgate.measure.process.workspace import Workspace


class SharedServer:
    """The server of the check before, kept for the next check that asks for the same command at the same place."""

    def __init__(self) -> None:
        self._workspace: Workspace | None = None
        self._server: Server | None = None
        self._key: tuple[str, str, Path] | None = None

    def serve(self, command: str, url: str, project: Path, **more: Any) -> "Server":
        """Return a server of `url` that is ready, the running one if it is the same; `more` is as `Server` takes it.

        Raises MeasureError as `Server` does.
        """
        from pytest_memgate.measure.process.server import Server  # noqa: PLC0415
        from pytest_memgate.measure.process.workspace import Workspace  # noqa: PLC0415

        key = (command, urlsplit(url).netloc, project)
        if self._server and self._key == key and self._server.job.code() is None:
            return self._server.also(url, more["asked"], more["ready_seconds"])
        self.end()
        self._workspace = Workspace().__enter__()
        try:
            self._server, self._key = Server(command, url, project, self._workspace, **more), key
        except BaseException:
            self.end()
            raise
        return self._server

    def end(self) -> None:
        """End the server with all processes that it started."""
        self._server, workspace, self._workspace = None, self._workspace, None
        if workspace:
            workspace.__exit__(None, None, None)
