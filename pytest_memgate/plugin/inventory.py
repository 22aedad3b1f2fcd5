"""Which files a run collects as a whole: only there can an entry be called vanished, or be removed."""

from collections import defaultdict
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_memgate.baseline.place import file_key, test_file
from pytest_memgate.plugin.items import subject_of

_NARROWING = ("keyword", "markexpr", "deselect", "lf", "ignore", "ignore_glob", "stepwise")


class Inventory:
    """What was collected, file by file; each xdist worker has its own and hands it over at its end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._names: dict[str, set[str]] = defaultdict(set)
        self._partial: set[str] = set()
        self._broken = False
        self._known = False

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, None, None]:
        root = self._config.rootpath
        before = {id(item): subject_of(item, root) for item in items}
        result = yield
        kept = {id(item) for item in items}
        for key, subject in before.items():
            self._names[subject.file].add(subject.name)
            if key not in kept:
                self._partial.add(subject.file)
        # By its node id a test is asked for alone: the rest of its file was not.
        for argument in self._config.args:
            path, _, name = str(argument).partition("::")
            if name:
                self._partial.add(file_key(self._config.invocation_params.dir / path, root))
        self._known = True
        return result

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._broken = True

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        output: dict[str, Any] | None = getattr(self._config, "workeroutput", None)
        if output is not None:
            output["memgate"] = self.dump()

    def dump(self) -> dict[str, Any]:
        return {
            "names": {file: sorted(names) for file, names in self._names.items()},
            "partial": sorted(self._partial),
            "broken": self._broken,
            "known": self._known,
        }

    def load(self, data: Mapping[str, Any]) -> None:
        """Take over what a worker collected; every worker collects the same."""
        self._names.update({file: set(names) for file, names in data["names"].items()})
        self._partial |= set(data["partial"])
        self._broken |= data["broken"]
        self._known |= data["known"]

    def collected(self, files: list[str]) -> dict[str, frozenset[str]]:
        """Return the names of all tests of each file that was collected as a whole.

        Of `files`, which have baselines, one that holds no test any more is in it, with none, if the run would have
        collected it.
        """
        if not self._known or self._broken:
            return {}
        whole = {file: frozenset(names) for file, names in self._names.items() if file not in self._partial}
        if not self._narrowed():
            whole |= {file: frozenset() for file in files if file not in self._names and self._covers(file)}
        return whole

    def everything(self) -> bool:
        """Say whether the run covers all that the project would run by itself."""
        ask = self._config.args_source
        return (
            self._known
            and not (self._broken or self._partial or self._narrowed())
            and ask is not pytest.Config.ArgsSource.ARGS
        )

    def _narrowed(self) -> bool:
        return any(getattr(self._config.option, name, None) for name in _NARROWING)

    def _covers(self, file: str) -> bool:
        path = test_file(file, self._config.rootpath).resolve()
        folders = [(self._config.invocation_params.dir / str(argument)).resolve() for argument in self._config.args]
        return any(path == folder or folder in path.parents for folder in map(Path, folders))
