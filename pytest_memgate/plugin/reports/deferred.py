"""Reports that wait: they are told later as if their test had just ended, and kept in case the worker dies."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from json import dumps, loads
from pathlib import Path
from typing import Any

import pytest

from pytest_memgate.measure.python.standard import Standard

_os = Standard(os, open_file=open)
_HELD = "held-"
FOLDER = "memgate_folder"  # the key, in the values that xdist hands to a worker, of the folder for waiting reports


class Waiting:
    """The waiting reports of one process, a worker of xdist or not."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        worker = getattr(config, "workerinput", {})
        self._held = _held(Path(worker[FOLDER]), worker["workerid"]) if FOLDER in worker else None
        self._places: dict[pytest.Item, int] = {}

    @property
    def may_be_lost(self) -> bool:
        """True in a worker of xdist: if it dies, the controller misses its reports."""
        return self._held is not None

    def keep(self, reports: Sequence[pytest.TestReport]) -> None:
        """Write the reports of a waiting test to a file, if possible; unless the worker dies, they are told anyway."""
        assert self._held  # noqa: S101  # may_be_lost
        to_data = self._config.hook.pytest_report_to_serializable
        lines = [dumps(to_data(config=self._config, report=report)) + "\n" for report in reports]
        with suppress(OSError), _os.open_file(str(self._held), "a", encoding="utf-8") as file:  # no descriptor, no room
            file.writelines(lines)

    def forget(self) -> None:
        """Delete the file: its reports have been told."""
        if self._held:
            with suppress(FileNotFoundError):
                _os.unlink(str(self._held))

    def start(self, item: pytest.Item) -> None:
        """Tell all plugins that a test begins."""
        with self._as_if_running(item):
            item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)

    def tell(self, item: pytest.Item, reports: Sequence[pytest.TestReport]) -> None:
        """Tell all plugins of reports of a test."""
        with self._as_if_running(item):
            for report in reports:
                item.ihook.pytest_runtest_logreport(report=report)

    def finish(self, item: pytest.Item) -> None:
        """Tell all plugins that a test is over."""
        with self._as_if_running(item):
            item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)

    @contextmanager
    def _as_if_running(self, item: pytest.Item) -> Iterator[None]:
        """Let xdist's worker, which sends the index of the running test with each report, use this test's index."""
        worker = _xdist_worker(self._config) if self._held else None
        if worker is None:
            yield
            return
        self._places = self._places or {item: place for place, item in enumerate(item.session.items)}
        running, worker.item_index = worker.item_index, self._places[item]
        try:
            yield
        finally:
            worker.item_index = running


def left_by(worker: str, folder: Path, config: pytest.Config) -> Iterator[pytest.TestReport]:
    """Yield the reports that waited in a worker when it died."""
    held = _held(folder, worker)
    if not held.exists():
        return
    for line in held.read_text(encoding="utf-8").splitlines():
        yield config.hook.pytest_report_from_serializable(config=config, data=loads(line))


def _held(folder: Path, worker: str) -> Path:
    return folder / f"{_HELD}{worker}"


def _xdist_worker(config: pytest.Config) -> Any:
    return next((one for one in config.pluginmanager.get_plugins() if hasattr(one, "item_index")), None)
