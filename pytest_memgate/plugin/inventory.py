"""Which files a run collects as a whole: only there can an entry be called vanished, or be removed."""

import sys
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_memgate.baseline.place import file_key, test_file
from pytest_memgate.measure.first_use import owner_of_module
from pytest_memgate.measure.places import Places
from pytest_memgate.model.run import Extent
from pytest_memgate.plugin.declared import DeclaredItem
from pytest_memgate.plugin.items import has_fixtures, subject_of
from pytest_memgate.tasks.moved import Collected

_NARROWING = ("keyword", "markexpr", "deselect", "ignore", "ignore_glob", "stepwise")


class Inventory:
    """What was collected, file by file; each xdist worker has its own and hands it over at its end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._names: dict[str, set[str]] = defaultdict(set)
        self._left_out: dict[str, set[str]] = {}
        self._fragments: set[str] = set()
        self._empty: set[str] = set()
        self._broken = False
        self._known = False
        self._before: set[str] = set()
        self._loaded: dict[str, str] = {}
        self._files: set[str] = set()
        self.sets_up = False  # in an update: with fixtures that are not pytest's own

    def loaded(self) -> dict[str, str]:
        """Return the modules loaded since the run began, each with its owner: not pytest's, nor the tests' own."""
        self._loaded |= self._own_loaded()
        return self._loaded

    def _own_loaded(self) -> dict[str, str]:
        places = Places(self._config.rootpath)
        return {name: owner_of_module(name, places) for name in self._names_loaded()}

    def _names_loaded(self) -> Iterator[str]:
        for name, module in list(sys.modules.items()):
            file = str(getattr(module, "__file__", None) or "")
            is_test = file in self._files or file.endswith("conftest.py")
            ours = name.partition(".")[0] == "pytest_memgate"
            if name not in self._before and getattr(module, "__spec__", None) and not (is_test or ours):
                yield name

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        self._before = set(sys.modules)  # with all that the plugins need

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Pass over what a declared check loads: the gate's own tools, which no test pays for."""
        known = set(sys.modules) if isinstance(item, DeclaredItem) else None
        try:
            return (yield)
        finally:
            if known is not None:
                self._before |= sys.modules.keys() - known

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        self._files.add(str(item.path))
        subject = subject_of(item, self._config.rootpath)
        self._names[subject.file].add(subject.name)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._broken |= report.failed
        if report.passed and not report.result and "::" not in report.nodeid:
            self._empty.add(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Find the tests that will not run, and the files whose other tests nobody looked for."""
        root = self._config.rootpath
        kept: dict[str, set[str]] = defaultdict(set)
        for item in session.items:
            subject = subject_of(item, root)
            kept[subject.file].add(subject.name)
        self._left_out = {file: names - kept[file] for file, names in self._names.items() if names - kept[file]}
        # By its node id a test is asked for alone: the rest of its file was never collected.
        asked = [str(argument).partition("::") for argument in self._config.args]
        self._fragments = {file_key(self._config.invocation_params.dir / path, root) for path, _, name in asked if name}
        if self._config.option.pyargs and any(name for _, _, name in asked):
            self._fragments |= set(self._names)
        self._known = True
        self.sets_up = bool(self._config.option.memgate_update) and any(map(has_fixtures, session.items))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        output: dict[str, Any] | None = getattr(self._config, "workeroutput", None)
        if output is not None:
            output["memgate"] = self.dump()

    def dump(self) -> dict[str, Any]:
        return {
            "names": {file: sorted(names) for file, names in self._names.items()},
            "left_out": {file: sorted(names) for file, names in self._left_out.items()},
            "fragments": sorted(self._fragments),
            "empty": sorted(self._empty),
            "broken": self._broken,
            "known": self._known,
            "loaded": self._own_loaded(),
            "sets_up": self.sets_up,
        }

    def load(self, data: Mapping[str, Any]) -> None:
        """Take over what a worker collected; every worker collects the same."""
        self._names.update({file: set(names) for file, names in data["names"].items()})
        self._left_out.update({file: set(names) for file, names in data["left_out"].items()})
        self._fragments |= set(data["fragments"])
        self._empty |= set(data["empty"])
        self._broken |= data["broken"]
        self._known |= data["known"]
        self._loaded |= data["loaded"]
        self.sets_up |= data["sets_up"]

    def collected(self, files: list[str]) -> dict[str, frozenset[str]]:
        """Return the names of all tests of each file that was collected as a whole.

        Of `files`, which have baselines, one that is gone, or was collected and holds no test any more, is in it, with
        none, if the run would have collected it.
        """
        if self._is_blind():
            return {}
        partial = self._left_out.keys() | self._fragments
        whole = {file: frozenset(names) for file, names in self._names.items() if file not in partial}
        return whole | {file: frozenset() for file in self._gone(files)}

    def seen(self) -> Collected | None:
        """Return the tests that were collected, and of which files all of them; None before that is known."""
        if not self._known:
            return None
        partial = set(self._names) if self._is_blind() else self._fragments
        whole = (set(self._names) - partial) | (set() if self._is_blind() else self._empty)
        return Collected(names=self._names, whole=whole)

    def extent(self, files: list[str]) -> Extent:
        """Return what the run was asked to run, to put it together with other parts of the same plan."""
        collected = {file: tuple(sorted(names)) for file, names in sorted(self._names.items())}
        return Extent(
            collected=collected,
            left_out={file: tuple(sorted(names)) for file, names in sorted(self._left_out.items())},
            fragments=tuple(collected) if self._is_blind() else tuple(sorted(self._fragments)),
            gone=() if self._is_blind() else tuple(self._gone(files)),
            everything=self._known and not (self._broken or self._narrowed()) and self._is_whole_project(),
        )

    def names_tests(self) -> bool:
        """True if the user named single tests to run, or a word in their names."""
        return bool(self._fragments or getattr(self._config.option, "keyword", ""))

    def everything(self) -> bool:
        """Say whether the run covers all that the project would run by itself."""
        return self.is_whole() and self._is_whole_project()

    def is_whole(self) -> bool:
        """Say whether the run covers all tests of the files and folders that it was asked to run."""
        return not (self._is_blind() or self._left_out or self._fragments or self._narrowed())

    def _is_whole_project(self) -> bool:
        from_root = self._config.invocation_params.dir == self._config.rootpath
        ask = self._config.args_source
        return ask is pytest.Config.ArgsSource.TESTPATHS or (from_root and ask is not pytest.Config.ArgsSource.ARGS)

    def has(self, file: str) -> bool:
        """Say whether anything of a file was collected, or it was left out in so many words."""
        return file in self._names or self._narrowed() or not self._known

    def _is_blind(self) -> bool:
        """Say whether tests may be there that were not seen: --lf leaves some out while it collects."""
        return not self._known or self._broken or bool(self._config.getoption("lf", default=False))

    def _gone(self, files: list[str]) -> list[str]:
        return [] if self._narrowed() else [file for file in files if self._is_gone(file)]

    def _narrowed(self) -> bool:
        return any(getattr(self._config.option, name, None) for name in _NARROWING)

    def _is_gone(self, file: str) -> bool:
        if file in self._names:
            return False
        path = test_file(file, self._config.rootpath).resolve()
        if path.exists() and file not in self._empty:
            return False  # skipped as a whole, or not looked at
        folders = [(self._config.invocation_params.dir / str(argument)).resolve() for argument in self._config.args]
        return any(path == folder or folder in path.parents for folder in map(Path, folders))
